/* SPDX-License-Identifier: BSD-3-Clause */
/* key_types -- the types of keys that a walk meets, and what was counted for each. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

struct resp_value;
struct walk;

enum { KEY_TYPES_MAX = 64 };

struct key_type {
    char name[64];        /* as TYPE says it */
    const char *counts;   /* the command that counts its elements; NULL: none is known */
    const char *elements; /* what they are called */
    int64_t keys;
    int64_t elements_sum;
    int64_t memory_sum; /* bytes */
    int64_t biggest;    /* of whatever the mode compares; -1: none yet */
    char *biggest_key;  /* in quotes; owned */
};

struct key_types {
    struct key_type types[KEY_TYPES_MAX];
    size_t count;
};

void key_types_init(struct key_types *types); /* knows those every server has */
void key_types_deinit(struct key_types *types);
/* The type of each key, as an index; KEY_TYPES_MAX for a key that has gone meanwhile. False: the
 * walk is over. */
must_use bool key_types_ask(struct key_types *types, struct walk *walk,
                            const struct resp_value *keys, size_t count, size_t *out);
/* Asks how many elements each key has; numbers[i] is -1 where no answer came. */
must_use bool key_types_ask_elements(struct key_types *types, struct walk *walk,
                                     const struct resp_value *keys, size_t count,
                                     const size_t *key_type, int64_t *numbers);
/* The same for the bytes of memory; samples as in MEMORY USAGE, -1: the server's choice. */
must_use bool key_types_ask_memory(struct key_types *types, struct walk *walk,
                                   const struct resp_value *keys, size_t count,
                                   const size_t *key_type, int64_t *numbers);
