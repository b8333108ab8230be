/* SPDX-License-Identifier: BSD-3-Clause */
#include "stats/hdr.h"

#include "base/check.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

struct hdr *hdr_create(void) {
    struct hdr *hdr = mem_zalloc(sizeof(*hdr));
    hdr->min = UINT64_MAX;
    return hdr;
}

void hdr_destroy(struct hdr **hdr) {
    mem_free(*hdr);
    *hdr = NULL;
}

void hdr_clear(struct hdr *hdr) {
    memset(hdr, 0, sizeof(*hdr));
    hdr->min = UINT64_MAX;
}

void hdr_merge(struct hdr *into, const struct hdr *from) {
    into->count += from->count;
    into->sum += from->sum;
    if (from->min < into->min) into->min = from->min;
    if (from->max > into->max) into->max = from->max;
    for (unsigned i = 0; i < HDR_BUCKETS; i++) {
        into->counts[i] += from->counts[i];
    }
}

uint64_t hdr_bucket_end(unsigned bucket) {
    check(bucket < HDR_BUCKETS);
    return log_bucket_end(bucket, HDR_STEP_BITS);
}

uint64_t hdr_percentile(const struct hdr *hdr, double percent) {
    check(percent >= 0 && percent <= 100);
    if (hdr->count == 0) return 0;
    uint64_t wanted = (uint64_t)ceil((double)hdr->count * percent / 100);
    uint64_t seen = 0;
    if (wanted == 0) return hdr->min;
    if (wanted >= hdr->count) return hdr->max;
    for (unsigned i = 0; i < HDR_BUCKETS; i++) {
        seen += hdr->counts[i];
        if (seen >= wanted) return hdr_bucket_end(i) < hdr->max ? hdr_bucket_end(i) : hdr->max;
    }
    return hdr->max;
}

double hdr_mean(const struct hdr *hdr) {
    return hdr->count ? (double)hdr->sum / (double)hdr->count : 0;
}

uint64_t hdr_count_to(const struct hdr *hdr, uint64_t value) {
    uint64_t seen = 0;
    unsigned last = hdr_bucket(value);
    for (unsigned i = 0; i <= last; i++) {
        seen += hdr->counts[i];
    }
    return seen;
}

void hdr_verify(const struct hdr *hdr) {
    uint64_t seen = 0;
    for (unsigned i = 0; i < HDR_BUCKETS; i++) {
        seen += hdr->counts[i];
    }
    check(seen == hdr->count);
    check((hdr->count == 0) == (hdr->min == UINT64_MAX));
    check(hdr->count == 0 || hdr->min <= hdr->max);
}
