/* SPDX-License-Identifier: BSD-3-Clause */
/* series -- what happened when: counts and latencies of equal intervals since the start. There are
 * at most SERIES_SAMPLES of them; a longer run has longer ones (pairs are folded into one). */
#pragma once

#include "base/attr.h"

enum {
    SERIES_SAMPLES = 512, /* even */
    SERIES_STEP_BITS = 4, /* as in stats/log_bucket.h */
    SERIES_BUCKETS = 37 << SERIES_STEP_BITS,
};
#define SERIES_INTERVAL_NS 100000000ull /* at first */

struct series_sample {
    uint64_t count;
    uint64_t sum_ns, max_ns;
    uint32_t buckets[SERIES_BUCKETS];
};

struct series {
    uint64_t interval_ns;
    size_t used;                   /* samples up to the last that has something */
    struct series_sample *samples; /* owned, SERIES_SAMPLES; NULL: nothing is kept */
};

void series_init(struct series *series, bool keep);
void series_deinit(struct series *series);
/* count requests that ended at_ns after the start and took latency_ns each. */
void series_add(struct series *series, uint64_t at_ns, uint64_t latency_ns, uint64_t count);
/* Adds up what several threads saw; from may get longer intervals. */
void series_merge(struct series *into, struct series *from);
/* How many seconds of the run the interval has: the last one ends with the run. */
double series_interval_s(const struct series *series, size_t index, double run_s);
/* As hdr_percentile, within 6 %. */
uint64_t series_percentile(const struct series_sample *sample, double percent);
void series_verify(const struct series *series);
