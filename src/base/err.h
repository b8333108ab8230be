/* SPDX-License-Identifier: BSD-3-Clause */
/* err -- how failures of the outside world (files, sockets, peers, bytes) travel: a code that says
 * what kind it is and, in the caller's diag, a sentence a person can act on. */
#pragma once

#include "base/attr.h"

enum err {
    ERR_NONE = 0,
    ERR_SYNTAX, /* bytes that do not follow their grammar */
    ERR_RANGE,  /* a number or size outside its bounds */
    ERR_NOT_FOUND,
    ERR_EXISTS,
    ERR_DENIED, /* not allowed here or now */
    ERR_AGAIN,  /* not now: would block, or the queue is full */
    ERR_CLOSED, /* the peer has gone */
    ERR_NO_MEMORY,
    ERR_UNSUPPORTED, /* the kernel or the build lacks it */
    ERR_IO,          /* any other failure of the system; errno's text is in the diag */
};

struct diag {
    char text[512]; /* always ends in NUL; empty if nothing was said */
};

/* Sets the text (cut to fit) and returns err, so that a function can `return diag_set(...)`.
 * A NULL diag is allowed. */
enum err diag_set(struct diag *diag, enum err err, const char *fmt, ...) printf_like(3, 4);
/* The same followed by ": " and the text of errno. */
enum err diag_errno(struct diag *diag, enum err err, const char *fmt, ...) printf_like(3, 4);
