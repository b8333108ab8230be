/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/series.h"

#include "tests/unit/test.h"

static uint64_t total(const struct series *series) {
    uint64_t count = 0;
    for (size_t i = 0; i < series->used; i++)
        count += series->samples[i].count;
    return count;
}

TEST(a_longer_run_has_longer_intervals_and_loses_nothing) {
    struct series series;
    series_init(&series, true);
    for (uint64_t i = 0; i < 200; i++) { /* 200 s: 512 samples of 0.1 s are folded twice */
        series_add(&series, i * 1000000000ull, 1000 * (i + 1), 3);
    }
    series_verify(&series);
    expect_eq(series.interval_ns, 4 * SERIES_INTERVAL_NS);
    expect_eq(series.used, 498);
    expect_eq(total(&series), 600);
    expect_eq(series.samples[0].count, 3);
    expect_eq(series.samples[1].count, 0);
    expect_eq(series.samples[497].max_ns, 200000);
    series_deinit(&series);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(merging_series_of_different_intervals_adds_up) {
    struct series one, other;
    series_init(&one, true);
    series_init(&other, true);
    for (int i = 0; i < 1000; i++) {
        series_add(&one, rng_below(t->rng, 10000000000ull), rng_below(t->rng, 1 << 30), 1);
        series_add(&other, rng_below(t->rng, 900000000000ull), rng_below(t->rng, 1 << 30), 2);
    }
    series_merge(&one, &other);
    series_verify(&one);
    expect_eq(one.interval_ns, other.interval_ns);
    expect_eq(total(&one), 3000);
    series_deinit(&one);
    series_deinit(&other);
}

TEST(percentiles_are_within_a_sixteenth) {
    struct series series;
    series_init(&series, true);
    for (uint64_t i = 1; i <= 10000; i++)
        series_add(&series, 0, i * 1000, 1);
    for (int percent = 10; percent <= 100; percent += 10) {
        expect_double_near((double)series_percentile(&series.samples[0], percent),
                           percent * 100000.0, percent * 100000.0 / 15);
    }
    series_deinit(&series);
}

TEST(so_many_do_not_exceed_a_percentile_and_no_fewer) {
    struct series series;
    series_init(&series, true);
    const struct series_sample *sample = &series.samples[0];
    expect_eq(series_percentile(sample, 50), 0);
    series_add(&series, 0, 2, 158); /* 98.75 % of the values */
    series_add(&series, 0, 6, 2);
    expect_eq(series_percentile(sample, 0), 2);
    expect_eq(series_percentile(sample, 98.75), 2);
    expect_eq(series_percentile(sample, 99), 6);
    expect_eq(series_percentile(sample, 100), 6);
    series_deinit(&series);
}

TEST(the_last_interval_ends_with_the_run) {
    struct series series;
    series_init(&series, true);
    series_add(&series, 250000000, 1, 1);
    expect_double_near(series_interval_s(&series, 0, 0.26), 0.1, 1e-9);
    expect_double_near(series_interval_s(&series, 2, 0.26), 0.06, 1e-9);
    expect_double_near(series_interval_s(&series, 2, 0.19), 0, 0); /* a reply behind the end */
    expect_double_near(series_interval_s(&series, 0, 0.01), 0.01, 1e-9);
    series_deinit(&series);
}

TEST_MAIN()
