/* SPDX-License-Identifier: BSD-3-Clause */
/* progress -- one line that says how far long work is: what is done, how fast, how long it will
 * still take. It is drawn over itself on stderr, and only if that is a terminal. */
#pragma once

#include "base/attr.h"

enum progress_unit { PROGRESS_BYTES = 0, PROGRESS_KEYS };

struct progress {
    enum progress_unit unit;
    bool enabled; /* stderr is a terminal */
    bool drawn;   /* the line stands there now */
    int64_t started_ns;
    int64_t drawn_ns;
};

void progress_init(struct progress *progress, enum progress_unit unit);
/* Draws the line, unless it has just been drawn. total 0: not known; note: what else to say. */
void progress_show(struct progress *progress, int64_t done, int64_t total, const char *note);
/* Takes the line away, so that other output can have its place. */
void progress_clear(struct progress *progress);
