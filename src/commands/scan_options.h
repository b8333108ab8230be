/* SPDX-License-Identifier: BSD-3-Clause */
/* scan_options -- what SCAN, SSCAN, HSCAN and ZSCAN share: cursor, options, and the reply's head.
 */
#pragma once

#include "exec/call.h"

enum scan_word { /* options that not all of them know */
                 SCAN_TYPE = BIT(0),
                 SCAN_NOVALUES = BIT(1),
                 SCAN_NOSCORES = BIT(2),
};

struct scan_options {
    bool filters_names;
    struct bytes pattern; /* if filters_names */
    uint8_t type;         /* TYPE_ANY: all */
    int64_t count;        /* how many elements to look at, about; at least 1 */
    uint32_t given;       /* enum scan_word: NOVALUES and NOSCORES */
};

/* A cursor: an unsigned number, where blanks, a plus and zeros may come first. False: it has
 * replied. */
must_use bool scan_read_cursor(struct call *call, uint32_t arg, uint64_t *out);
/* Reads the options from argument `first` to the end; words: those the command knows. False: it has
 * replied. */
must_use bool scan_options_read(struct call *call, uint32_t first, uint32_t words,
                                struct scan_options *out);
/* Whether an element of this name is asked for, by MATCH. O(size), usually. */
must_use bool scan_wants(const struct scan_options *options, struct bytes name);

/* [cursor, elements]: the elements follow. */
void scan_reply_head(struct reply *reply, uint64_t cursor);
/* The reply about a key that is not there. */
void scan_reply_nothing(struct reply *reply);
