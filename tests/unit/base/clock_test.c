/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/clock.h"

#include "tests/unit/test.h"

TEST(ticks_run_as_fast_as_the_clock) {
    struct timespec pause = {.tv_nsec = 50000000};
    int64_t start_ns = clock_mono_ns();
    uint64_t start = clock_ticks();
    nanosleep(&pause, NULL);
    uint64_t ticks = clock_ticks() - start;
    int64_t took_ns = clock_mono_ns() - start_ns;
    expect_true(took_ns >= 50000000);
    /* The two readings lie apart if another process gets in between. */
    expect_double_near((double)clock_ticks_to_ns(ticks), (double)took_ns, (double)took_ns * 0.1);
}

TEST(conversions_undo_each_other) {
    for (int i = 0; i < 1000; i++) {
        uint64_t us = rng_next(t->rng) >> (24 + rng_below(t->rng, 40));
        double back = (double)clock_ticks_to_us(clock_us_to_ticks(us));
        expect_double_near(back, (double)us, (double)us * 1e-6 + 1.5);
    }
}

TEST(wall_clocks_agree_with_the_system) {
    int64_t us = clock_wall_us(), ms = clock_wall_ms(), s = time(NULL);
    expect_true(ms - us / 1000 >= 0 && ms - us / 1000 < 1000);
    expect_true(s - ms / 1000 >= 0 && s - ms / 1000 <= 1);
}

TEST(starting_takes_little_time) {
    int64_t start_ns = clock_mono_ns();
    clock_init();
    expect_true(clock_mono_ns() - start_ns < 500000000); /* 5 ms when nobody else runs */
}

TEST(the_description_tells_the_kind) {
    const char *text = clock_describe();
    unsigned rate = 0;
    if (!clock_source.counter) {
        expect_str_eq(text, "POSIX clock_gettime");
    } else {
        expect_true(sscanf(text, "X86 TSC @ %u ticks/us", &rate) == 1 ||
                    sscanf(text, "ARM CNTVCT @ %u ticks/us", &rate) == 1);
        expect_true(rate > 0);
    }
}

TEST_MAIN()
