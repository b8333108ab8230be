/* SPDX-License-Identifier: BSD-3-Clause */
/* check -- our own mistakes end the process with a report (see crash.h) instead of wrong data.
 * check is always compiled in; dcheck only with -DDCHECK (test and sanitizer builds). */
#pragma once

#include <assert.h>

#include "base/attr.h"

cold_fn noreturn_fn void check_failed(const char *file, int line, const char *function,
                                      const char *condition);
cold_fn noreturn_fn void panic_at(const char *file, int line, const char *fmt, ...)
    printf_like(3, 4);

/* Ends the process with a sentence: a state that no condition tells. */
#define panic(...) panic_at(__FILE__, __LINE__, __VA_ARGS__)

#define check(condition) \
    (likely(condition) ? (void)0 : check_failed(__FILE__, __LINE__, __func__, #condition))

#ifdef DCHECK
#define dcheck(condition) check(condition)
#else
#define dcheck(condition) ((void)sizeof(condition))
#endif
