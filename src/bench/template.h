/* SPDX-License-Identifier: BSD-3-Clause */
/* template -- a whole pipeline of requests as bytes, made once, with the places in it that change.
 *
 *   *3..$3..SET..$16..key:000000000000..$3..VXK.. *3..$3..SET..$16..key:000000000000..$3..VXK..
 *   └────────────── sequence 0 ─────▲────────────┘└────────────── sequence 1 ─────▲────────────┘
 *                                   patch: 12 digits                              patch
 *
 * A sequence is the command, or the commands, of a test; a pipeline repeats it. Before a pipeline
 * is sent, template_fill writes digits and cluster tags over their places: nothing is formatted or
 * moved, as all placeholders are as long as what replaces them. Each thread has a copy.
 *
 *   __rand_int__                   a number of its own, 12 digits with leading zeros
 *   __rand_1st__ ... __rand_9th__  the same number all over the sequence
 *   __data__                       the payload, put in when the template is made
 *   {tag}                          with a cluster: {abc}, which leads to a slot of the node */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

enum {
    TEMPLATE_DIGITS = 12,
    TEMPLATE_NUMBERS = 10,        /* __rand_int__ and __rand_1st__ to __rand_9th__ */
    TEMPLATE_TAG = 10,            /* a patch that is a cluster tag */
    TEMPLATE_COMMANDS_MAX = 4096, /* of a sequence, repetitions included */
};
#define TEMPLATE_KEYS_MAX 1000000000000ull /* what 12 digits can tell */
#define TEMPLATE_BYTES_MAX ((size_t)1 << 30)

struct template_patch {
    uint32_t offset; /* of the digits; of the three letters of a tag */
    uint8_t number;  /* 0..9: which placeholder; TEMPLATE_TAG */
    bool fresh;      /* draws a new number; else what this placeholder got before in the sequence */
};

struct template {
    char *data; /* owned */
    size_t sequence_size;
    size_t sequences;               /* in a whole pipeline */
    size_t commands;                /* in one sequence: replies to come */
    struct template_patch *patches; /* owned; of one sequence after the other */
    size_t patches_per_sequence;
    size_t draws[TEMPLATE_NUMBERS]; /* fresh numbers of each placeholder in a sequence */
};

struct template_spec {
    const struct bytes *words; /* ";" between commands; a number before a command repeats it */
    size_t count;
    bool inline_words; /* as one line of words instead of an array */
    size_t sequences;  /* -P */
    struct bytes data; /* for __data__ */
    bool numbers;      /* replace __rand_int__ and its brothers (-r) */
    bool tags;         /* replace {tag} (--cluster) */
    bool separators;   /* ';' and repetitions mean something */
};

/* ERR_SYNTAX: an empty command; ERR_RANGE: more than the limits; ERR_NO_MEMORY. */
must_use enum err template_init(struct template *template, const struct template_spec *spec,
                                struct diag *diag);
void template_copy(struct template *out, const struct template *from);
void template_deinit(struct template *template);
void template_verify(const struct template *template);

/* Where numbers come from. Counters are shared by all threads; the rest is a thread's own. */
struct template_source {
    uint64_t random;             /* state */
    uint64_t keys;               /* numbers are below this; > 0 if the template has numbers */
    _Atomic(uint64_t) *counters; /* TEMPLATE_NUMBERS of them: numbers in order; NULL: random */
    const char (*tags)[3];       /* by slot */
    const uint16_t *slots;       /* of the node this goes to */
    size_t slot_count;           /* > 0 if the template has tags */
};

/* Makes the first so many sequences ready to be sent: data, sequence_size * sequences bytes. */
void template_fill(struct template *template, struct template_source *source, size_t sequences);

/* Writes value, below 10^12, as 12 digits. */
void template_write_digits(char *out, uint64_t value);
