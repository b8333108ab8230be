/* SPDX-License-Identifier: BSD-3-Clause */
#include "stats/hdr.h"

#include "tests/unit/test.h"

static int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t random_duration(struct rng *rng) {
    return rng_next(rng) >> (24 + rng_below(rng, 40)); /* all magnitudes below 2^40 */
}

TEST(every_value_lies_in_a_bucket_that_ends_within_a_thousandth) {
    for (int i = 0; i < 100000; i++) {
        uint64_t value = random_duration(t->rng);
        uint64_t end = hdr_bucket_end(hdr_bucket(value));
        expect_true(end >= value);
        expect_true(end - value <= value / 1024);
        if (hdr_bucket(value) > 0) expect_true(hdr_bucket_end(hdr_bucket(value) - 1) < value);
    }
    expect_eq(hdr_bucket(BIT(HDR_VALUE_BITS) - 1), HDR_BUCKETS - 1);
    expect_eq(hdr_bucket(UINT64_MAX), HDR_BUCKETS - 1);
}

TEST(percentiles_agree_with_a_sorted_array) {
    enum { COUNT = 5000 };
    uint64_t *values = mem_alloc_array(COUNT, sizeof(*values));
    struct hdr *hdr = hdr_create();
    uint64_t sum = 0;
    for (size_t i = 0; i < COUNT; i++) {
        values[i] = random_duration(t->rng);
        sum += values[i];
        hdr_add(hdr, values[i], 1);
    }
    hdr_verify(hdr);
    qsort(values, COUNT, sizeof(*values), compare_u64);
    for (int i = 1; i <= 1000; i++) {
        double percent = i / 10.0;
        size_t rank = (size_t)ceil(COUNT * percent / 100);
        uint64_t got = hdr_percentile(hdr, percent), exact = values[rank - 1];
        expect_true(got >= exact && got - exact <= exact / 1024);
    }
    expect_eq(hdr_percentile(hdr, 0), values[0]);
    expect_eq(hdr_percentile(hdr, 100), values[COUNT - 1]);
    expect_eq(hdr_count_to(hdr, values[COUNT - 1]), COUNT);
    expect_double_near(hdr_mean(hdr), (double)sum / COUNT, 1);
    mem_free(values);
    hdr_destroy(&hdr);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(merging_is_the_same_as_adding_to_one) {
    struct hdr *one = hdr_create(), *parts[2] = {hdr_create(), hdr_create()};
    for (int i = 0; i < 3000; i++) {
        uint64_t value = random_duration(t->rng), times = rng_below(t->rng, 20) + 1;
        hdr_add(one, value, times);
        hdr_add(parts[i % 2], value, times);
    }
    hdr_merge(parts[0], parts[1]);
    expect_eq(memcmp(one, parts[0], sizeof(*one)), 0);
    hdr_clear(one);
    hdr_verify(one);
    expect_eq(hdr_percentile(one, 99), 0);
    hdr_destroy(&one);
    hdr_destroy(&parts[0]);
    hdr_destroy(&parts[1]);
}

TEST_MAIN()
