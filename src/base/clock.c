/* SPDX-License-Identifier: BSD-3-Clause */
/* The counter's rate: on ARM a register says it. On x86 it is measured against CLOCK_MONOTONIC
 * over a few milliseconds: each end of the interval is the tightest of several readings, so that
 * the error is some tens of nanoseconds, a few millionths of the result. */
#include "base/clock.h"

#include "base/check.h"

#include <stdio.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

/* As if the counter were missing, so that differences make sense even before clock_init. */
struct clock_source clock_source = {
    .ticks_per_us_q32 = 1000ull << 32, .ns_per_tick_q32 = 1ull << 32, .counter = false};

static const int64_t NS_PER_S = 1000000000;

static int64_t read_clock_ns(clockid_t id) {
    struct timespec ts;
    clock_gettime(id, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_mono_ns(void) { return read_clock_ns(CLOCK_MONOTONIC); }

int64_t clock_wall_us(void) { return read_clock_ns(CLOCK_REALTIME) / 1000; }

int64_t clock_wall_ms(void) { return read_clock_ns(CLOCK_REALTIME) / 1000000; }

static void use_counter(uint64_t ticks, uint64_t ns) {
    unsigned __int128 one = (unsigned __int128)1 << 32;
    clock_source.ticks_per_us_q32 = (uint64_t)(one * ticks * 1000 / ns);
    clock_source.ns_per_tick_q32 = (uint64_t)(one * ns / ticks);
    clock_source.counter = clock_source.ticks_per_us_q32 > 0 && clock_source.ns_per_tick_q32 > 0;
}

#if defined(__x86_64__)

enum { CALIBRATE_TRIES = 8, CALIBRATE_NS = 4000000 };

/* CPUID 8000_0007h, EDX bit 8: the TSC runs at one rate in all states of power. */
static bool tsc_is_invariant(void) {
    unsigned eax, ebx, ecx, edx;
    if ((unsigned)__get_cpuid_max(0x80000000, NULL) < 0x80000007) return false;
    __cpuid(0x80000007, eax, ebx, ecx, edx);
    return edx & BIT(8);
}

struct reading {
    uint64_t ticks;
    int64_t ns;
};

/* Both clocks at one moment: of several tries the one with the least time between its ends. */
static struct reading read_both(void) {
    struct reading best = {0};
    uint64_t best_width = UINT64_MAX;
    for (int i = 0; i < CALIBRATE_TRIES; i++) {
        uint64_t before = __rdtsc();
        int64_t ns = clock_mono_ns();
        uint64_t after = __rdtsc();
        if (after - before < best_width) {
            best_width = after - before;
            best = (struct reading){.ticks = before + best_width / 2, .ns = ns};
        }
    }
    return best;
}

static void find_counter(void) {
    if (!tsc_is_invariant()) return;

    struct reading start = read_both();
    struct timespec pause = {.tv_nsec = CALIBRATE_NS};
    nanosleep(&pause, NULL);
    struct reading end = read_both();
    while (end.ns - start.ns < CALIBRATE_NS / 2) /* a signal cut the sleep */
        end = read_both();
    if (end.ticks <= start.ticks) return;
    use_counter(end.ticks - start.ticks, (uint64_t)(end.ns - start.ns));
}

#elif defined(__aarch64__)

static void find_counter(void) {
    uint64_t ticks_per_s;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(ticks_per_s));
    if (ticks_per_s >= 1000000) use_counter(ticks_per_s, (uint64_t)NS_PER_S);
}

#else

static void find_counter(void) {}

#endif

void clock_init(void) {
    find_counter();
    check(clock_source.ns_per_tick_q32 > 0);
}

const char *clock_describe(void) {
    static char text[48];
#if defined(__x86_64__)
    const char *name = "X86 TSC";
#else
    const char *name = "ARM CNTVCT";
#endif
    if (!clock_source.counter) return "POSIX clock_gettime";
    uint64_t rounded = (clock_source.ticks_per_us_q32 + (1ull << 31)) >> 32;
    snprintf(text, sizeof(text), "%s @ %u ticks/us", name, (unsigned)rounded);
    return text;
}
