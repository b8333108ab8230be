/* SPDX-License-Identifier: BSD-3-Clause */
/* clock -- time, cheaply. Ticks are the CPU's counter (TSC, CNTVCT) where it is invariant, else
 * CLOCK_MONOTONIC nanoseconds. clock_init calibrates and must have run before any other call. */
#pragma once

#include <time.h>

#include "base/attr.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

struct clock_source {
    uint64_t ticks_per_us_q32; /* ticks in a microsecond, fixed point with 32 fraction bits */
    uint64_t ns_per_tick_q32;  /* nanoseconds in a tick, the same */
    bool counter;              /* ticks come from the CPU's counter */
};
extern struct clock_source clock_source; /* written by clock_init only */

void clock_init(void);
/* "X86 TSC @ 2596 ticks/us", "ARM CNTVCT @ ..." or "POSIX clock_gettime": INFO's monotonic_clock.
 */
const char *clock_describe(void);

int64_t clock_mono_ns(void);
int64_t clock_wall_us(void); /* since the epoch */
int64_t clock_wall_ms(void);

static inline uint64_t clock_ticks(void) {
#if defined(__x86_64__)
    if (likely(clock_source.counter)) return __rdtsc();
#elif defined(__aarch64__)
    if (likely(clock_source.counter)) {
        uint64_t ticks;
        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
        return ticks;
    }
#endif
    return (uint64_t)clock_mono_ns();
}
static inline uint64_t clock_ticks_to_ns(uint64_t ticks) {
    return (uint64_t)(((unsigned __int128)ticks * clock_source.ns_per_tick_q32) >> 32);
}
static inline uint64_t clock_ticks_to_us(uint64_t ticks) { return clock_ticks_to_ns(ticks) / 1000; }
static inline uint64_t clock_us_to_ticks(uint64_t us) {
    return (uint64_t)(((unsigned __int128)us * clock_source.ticks_per_us_q32) >> 32);
}
