/* SPDX-License-Identifier: BSD-3-Clause */
/* spin -- how long a thread may look for work without sleeping.
 *
 * A short wait costs less than a sleep and a wake-up, a long one is waste. So a thread earns
 * waiting by working: at most SPIN_MAX_US at a time, and over time 1/SPIN_SHARE of what it has
 * worked. A thread whose waits are short keeps its share; one that waits in vain soon has none and
 * sleeps at once. */
#pragma once

#include "base/clock.h"
#include "sync/thread.h"

enum { SPIN_MAX_US = 5, SPIN_SHARE = 16 };

struct spin {
    uint64_t earned; /* ticks */
};

static inline void spin_earn(struct spin *spin, uint64_t worked_ticks) {
    uint64_t most = clock_us_to_ticks(SPIN_MAX_US);
    uint64_t earned = spin->earned + worked_ticks / SPIN_SHARE;
    spin->earned = earned < most ? earned : most;
}

/* Uses up what was earned until found says so. True if it did. */
static inline bool spin_until(struct spin *spin, bool (*found)(void *ctx), void *ctx) {
    uint64_t began = clock_ticks(), spent = 0;
    bool done = false;
    while (!done && spent < spin->earned) {
        thread_spin_hint();
        done = found(ctx);
        spent = clock_ticks() - began;
    }
    spin->earned -= spent < spin->earned ? spent : spin->earned;
    return done;
}
