/* SPDX-License-Identifier: BSD-3-Clause */
/* pace -- long work of a thread that is to let others go first, in small pieces. A system looks at
 * a busy CPU a few hundred times a second: whoever runs there meanwhile is not interrupted,
 * whatever its priority. So such a thread offers its CPU itself, again and again while it works. */
#pragma once

#include "base/attr.h"

extern _Thread_local bool pace__is_on;
void pace__offer(void);

/* This thread does so from now on. */
void pace_start(void);
/* Between two pieces of work of some microseconds each. Costs nothing on other threads. */
static inline void pace_step(void) {
    if (unlikely(pace__is_on)) pace__offer();
}
