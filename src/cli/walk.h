/* SPDX-License-Identifier: BSD-3-Clause */
/* walk -- goes through the keys of the database in batches, with SCAN, and asks about each.
 *
 * --pattern, --count and -i apply. Ctrl-C ends the walk early, as a success: what was seen so far
 * is worth showing. SCAN may give a key twice while the server moves its tables; so be it. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "cli/progress.h"

struct cli;
struct resp_value;

enum {
    WALK_PAUSE_STEPS = 100, /* -i: pause after so many SCANs, for modes that ask about keys */
    WALK_EXTRA_MAX = 2,     /* words behind the key */
};

struct walk {
    struct cli *cli;
    char *cursor;             /* owned; NULL before the first step */
    struct resp_value *batch; /* the last reply to SCAN; owned */
    int64_t pause_steps;      /* -i: pause after so many steps */
    int64_t steps;
    int64_t keys;  /* seen so far */
    int64_t total; /* in the database when the walk began; 0: not known */
    bool failed;   /* said why on stderr */
    bool interrupted;
    struct progress progress;
};

/* Connects and counts the keys. False: said why on stderr; deinit is due all the same. */
must_use bool walk_init(struct walk *walk, struct cli *cli);
void walk_deinit(struct walk *walk);

/* The next keys; *count may be 0. Borrowed until the next call. False: all were seen, or failed, or
 * interrupted. */
must_use bool walk_next(struct walk *walk, const struct resp_value **keys, size_t *count);

/* A question about a key: words before it and behind it. */
struct walk_question {
    const char *words[2];              /* NULL: one word only, or (the first) ask nothing */
    const char *extra[WALK_EXTRA_MAX]; /* NULL: fewer */
};
/* Asks questions[i] about keys[i], all at once; replies[i] is the caller's, NULL where nothing was
 * asked. False: the walk has failed or was interrupted, and no replies are there. */
must_use bool walk_ask(struct walk *walk, const struct resp_value *keys, size_t count,
                       const struct walk_question *questions, struct resp_value **replies);
/* How far the walk is, in per cent of the keys that were there at the start. */
double walk_percent(const struct walk *walk);
