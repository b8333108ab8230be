/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/pace.h"

#include "base/clock.h"

#include <sched.h>

enum { PIECE_US = 300 }; /* of work at a time: what others may have to wait for */

_Thread_local bool pace__is_on;
static _Thread_local uint64_t piece_began; /* ticks */

void pace_start(void) {
    pace__is_on = true;
    piece_began = clock_ticks();
}

void pace__offer(void) {
    if (clock_ticks_to_us(clock_ticks() - piece_began) < PIECE_US) return;
    (void)sched_yield(); /* on Linux it never fails */
    piece_began = clock_ticks();
}
