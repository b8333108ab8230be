/* SPDX-License-Identifier: BSD-3-Clause */
#include "exec/latency.h"

#include "tests/unit/test.h"

/* ---- histograms ---- */

TEST(a_value_lies_in_its_bucket_and_the_bucket_is_narrow) {
    for (int step = 0; step < 200000; step++) {
        uint64_t ns = rng_next(t->rng) >> (29 + rng_below(t->rng, 35));
        unsigned bucket = histogram_bucket(ns);
        uint64_t end = histogram_bucket_end_ns(bucket);
        uint64_t before = bucket ? histogram_bucket_end_ns(bucket - 1) : 0;
        expect_true(ns <= end);
        if (bucket) expect_true(ns > before);
        if (ns >= HISTOGRAM_STEPS) expect_true((double)(end - before) / (double)ns <= 1.0 / 16);
    }
}

TEST(bucket_ends_rise_one_by_one_and_bound_their_bucket) {
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
        uint64_t end = histogram_bucket_end_ns(i);
        expect_eq(histogram_bucket(end), i);
        expect_eq(histogram_bucket(end + 1), i + 1);
    }
}

TEST(what_is_beyond_the_last_bucket_counts_in_it) {
    expect_eq(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
    struct histogram *histogram = histogram_create();
    histogram_add(histogram, UINT64_MAX);
    expect_eq(histogram->total, 1);
    expect_eq(histogram_percentile_ns(histogram, 50),
              histogram_bucket_end_ns(HISTOGRAM_BUCKETS - 1));
    histogram_destroy(&histogram);
    expect_null(histogram);
    expect_eq(mem_in_use(), t->mem_at_start);
}

static int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

TEST(percentiles_agree_with_sorted_values_within_a_bucket) {
    enum { VALUES = 2000 };
    uint64_t values[VALUES];
    struct histogram *histogram = histogram_create();
    for (int i = 0; i < VALUES; i++) {
        values[i] = 1000 + rng_below(t->rng, 50000000);
        histogram_add(histogram, values[i]);
    }
    qsort(values, VALUES, sizeof(values[0]), compare_u64);
    for (int percent = 1; percent <= 100; percent++) {
        uint64_t exact = values[VALUES / 100 * percent - 1];
        uint64_t found = histogram_percentile_ns(histogram, percent);
        expect_true(found >= exact);
        expect_true((double)found <= (double)exact * 1.07);
    }
    histogram_destroy(&histogram);
}

TEST(percentiles_of_none_and_of_one_value) {
    struct histogram *histogram = histogram_create();
    expect_eq(histogram_percentile_ns(histogram, 99), 0);
    histogram_add(histogram, 7);
    expect_eq(histogram_percentile_ns(histogram, 0), 7);
    expect_eq(histogram_percentile_ns(histogram, 100), 7);
    expect_eq(histogram_percentile_ns(histogram, 1000), 7);
    histogram_destroy(&histogram);
}

TEST(count_to_grows_with_the_bound_up_to_the_total) {
    struct histogram *histogram = histogram_create();
    for (int i = 0; i < 1000; i++)
        histogram_add(histogram, rng_below(t->rng, 1 << 20));
    uint64_t before = 0;
    for (uint64_t bound = 1; bound <= 1 << 21; bound *= 2) {
        uint64_t count = histogram_count_to(histogram, bound);
        expect_true(count >= before);
        before = count;
    }
    expect_eq(before, 1000);
    histogram_destroy(&histogram);
}

/* ---- the monitor ---- */

static struct latency_monitor monitor_from(int64_t threshold_ms) {
    struct latency_monitor monitor = {0};
    latency_set_threshold(&monitor, threshold_ms);
    return monitor;
}

TEST(nothing_is_noted_while_the_monitor_is_off_or_below_its_threshold) {
    struct latency_monitor monitor = monitor_from(0);
    expect_eq(monitor.threshold_ticks, UINT64_MAX);
    latency_note(&monitor, "command", 5000000, 100);
    expect_eq(monitor.count, 0);
    latency_set_threshold(&monitor, 10);
    expect_eq(monitor.threshold_ticks, clock_us_to_ticks(10000));
    latency_note(&monitor, "command", 9999, 100);
    expect_eq(monitor.count, 0);
    latency_note(&monitor, "command", 10000, 100);
    expect_eq(monitor.count, 1);
    expect_eq(latency_reset(&monitor, BYTES("")), 1);
}

TEST(samples_of_one_second_keep_the_highest) {
    struct latency_monitor monitor = monitor_from(1);
    latency_note(&monitor, "command", 20000, 100);
    latency_note(&monitor, "command", 50000, 100);
    latency_note(&monitor, "command", 30000, 100);
    latency_note(&monitor, "command", 5000, 101);
    struct latency_event *event = latency_find(&monitor, BYTES("command"));
    expect_not_null(event);
    expect_eq(event->next, 2);
    expect_eq(event->samples[0].ms, 50);
    expect_eq(event->samples[1].ms, 5);
    expect_eq(event->max_ms, 50);
    expect_eq(event->count, 4);
    expect_eq(event->sum_ms, 105);
    expect_eq(latency_reset(&monitor, BYTES("")), 1);
}

TEST(old_samples_give_way_and_the_maximum_stays) {
    struct latency_monitor monitor = monitor_from(1);
    latency_note(&monitor, "e", 900000, 1);
    for (int64_t s = 2; s <= LATENCY_SAMPLES + 5; s++)
        latency_note(&monitor, "e", 2000, s);
    struct latency_event *event = latency_find(&monitor, BYTES("e"));
    for (int i = 0; i < LATENCY_SAMPLES; i++) {
        expect_eq(event->samples[i].ms, 2);
        expect_true(event->samples[i].time_s > 5);
    }
    expect_eq(event->max_ms, 900);
    expect_eq(latency_reset(&monitor, BYTES("")), 1);
}

TEST(reset_takes_one_event_or_all_and_frees_them) {
    struct latency_monitor monitor = monitor_from(1);
    latency_note(&monitor, "a", 5000, 1);
    latency_note(&monitor, "b", 5000, 1);
    latency_note(&monitor, "c", 5000, 1);
    expect_eq(latency_reset(&monitor, BYTES("nosuch")), 0);
    expect_eq(latency_reset(&monitor, BYTES("b")), 1);
    expect_null(latency_find(&monitor, BYTES("b")));
    expect_not_null(latency_find(&monitor, BYTES("a")));
    expect_not_null(latency_find(&monitor, BYTES("c")));
    expect_eq(latency_reset(&monitor, BYTES("")), 2);
    expect_eq(monitor.count, 0);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(more_events_than_there_is_room_for_are_left_out) {
    struct latency_monitor monitor = monitor_from(1);
    for (int i = 0; i < LATENCY_EVENTS_MAX + 3; i++) {
        char name[32];
        snprintf(name, sizeof(name), "event-%d", i);
        latency_note(&monitor, name, 5000, 1);
    }
    expect_eq(monitor.count, LATENCY_EVENTS_MAX);
    expect_eq(latency_reset(&monitor, BYTES("")), LATENCY_EVENTS_MAX);
}

TEST_MAIN()
