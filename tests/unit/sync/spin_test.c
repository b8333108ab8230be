/* SPDX-License-Identifier: BSD-3-Clause */
#include "sync/spin.h"

#include "tests/unit/test.h"

struct looks {
    unsigned count, found_at;
};

static bool look(void *ctx) {
    struct looks *looks = ctx;
    return ++looks->count == looks->found_at;
}

TEST(who_has_not_worked_does_not_wait) {
    struct spin spin = {0};
    struct looks looks = {.found_at = 1};
    expect_false(spin_until(&spin, look, &looks));
    expect_eq(looks.count, 0);
}

TEST(what_is_earned_is_a_share_and_has_a_limit) {
    struct spin spin = {0};
    spin_earn(&spin, clock_us_to_ticks(SPIN_SHARE));
    expect_eq(spin.earned, clock_us_to_ticks(SPIN_SHARE) / SPIN_SHARE);
    spin_earn(&spin, clock_us_to_ticks(1000000));
    expect_eq(spin.earned, clock_us_to_ticks(SPIN_MAX_US));
}

TEST(waiting_uses_up_what_was_earned) {
    struct spin spin = {0};
    struct looks looks = {0};
    spin_earn(&spin, clock_us_to_ticks(1000000));
    uint64_t began = clock_ticks();
    expect_false(spin_until(&spin, look, &looks));
    expect_true(clock_ticks() - began >= clock_us_to_ticks(SPIN_MAX_US));
    expect_true(looks.count > 0);
    expect_eq(spin.earned, 0);
}

TEST(a_wait_ends_when_there_is_something) {
    struct spin spin = {.earned = clock_us_to_ticks(10000000)};
    struct looks looks = {.found_at = 3};
    expect_true(spin_until(&spin, look, &looks));
    expect_eq(looks.count, 3);
    expect_true(spin.earned < clock_us_to_ticks(10000000));
}

TEST_MAIN()
