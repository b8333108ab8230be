/* SPDX-License-Identifier: BSD-3-Clause */
/* hdr -- a histogram of durations that keeps three digits of every value: log-linear buckets, 1024
 * steps to each power of two (the idea of Gil Tene's HdrHistogram). One increment a value; about
 * 250 KB, of which only the few lines around the values met are ever touched.
 *
 *   value < 2048 ns     a bucket each
 *   value >= 2048       the top 11 bits of the value; so within 0.1 %
 *   value >= 2^40       counts as the greatest value there is (18 minutes)
 *
 * One thread adds; hdr_merge adds up the histograms of several. */
#pragma once

#include "stats/log_bucket.h"

enum {
    HDR_STEP_BITS = 10,
    HDR_VALUE_BITS = 40,
    HDR_BUCKETS = (HDR_VALUE_BITS - HDR_STEP_BITS + 1) << HDR_STEP_BITS,
};

struct hdr {
    uint64_t count;
    uint64_t sum;
    uint64_t min, max; /* exact; min is UINT64_MAX if there are no values */
    uint64_t counts[HDR_BUCKETS];
};

struct hdr *hdr_create(void);
void hdr_destroy(struct hdr **hdr);
void hdr_clear(struct hdr *hdr);
void hdr_merge(struct hdr *into, const struct hdr *from);

static inline unsigned hdr_bucket(uint64_t value) {
    if (unlikely(value >= BIT(HDR_VALUE_BITS))) return HDR_BUCKETS - 1u;
    return log_bucket(value, HDR_STEP_BITS);
}
/* The same value times times. */
static inline void hdr_add(struct hdr *hdr, uint64_t value, uint64_t times) {
    hdr->count += times;
    hdr->sum += value * times;
    if (value < hdr->min) hdr->min = value;
    if (value > hdr->max) hdr->max = value;
    hdr->counts[hdr_bucket(value)] += times;
}

/* The greatest value that counts in this bucket. */
uint64_t hdr_bucket_end(unsigned bucket);
/* The value that percent (0..100) of the values do not exceed: the end of its bucket, and never
 * more than the greatest value; 0 if there are none. O(buckets). */
uint64_t hdr_percentile(const struct hdr *hdr, double percent);
double hdr_mean(const struct hdr *hdr); /* 0 if there are none */
/* How many values are at most this one, as far as buckets tell. O(buckets). */
uint64_t hdr_count_to(const struct hdr *hdr, uint64_t value);
void hdr_verify(const struct hdr *hdr);
