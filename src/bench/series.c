/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/series.h"

#include "base/check.h"
#include "base/mem.h"
#include "stats/log_bucket.h"

#include <math.h>
#include <string.h>

void series_init(struct series *series, bool keep) {
    *series = (struct series){.interval_ns = SERIES_INTERVAL_NS};
    if (keep) series->samples = mem_zalloc(SERIES_SAMPLES * sizeof(*series->samples));
}

void series_deinit(struct series *series) {
    mem_free(series->samples);
    *series = (struct series){0};
}

static unsigned bucket_of(uint64_t ns) {
    unsigned bucket = log_bucket(ns, SERIES_STEP_BITS);
    return bucket < SERIES_BUCKETS ? bucket : SERIES_BUCKETS - 1u;
}

static void add_sample(struct series_sample *into, const struct series_sample *from) {
    into->count += from->count;
    into->sum_ns += from->sum_ns;
    if (from->max_ns > into->max_ns) into->max_ns = from->max_ns;
    for (unsigned i = 0; i < SERIES_BUCKETS; i++) {
        into->buckets[i] += from->buckets[i];
    }
}

/* Pairs of samples become one. */
static void fold(struct series *series) {
    for (size_t i = 0; i < SERIES_SAMPLES / 2; i++) {
        struct series_sample *first = &series->samples[2 * i];
        add_sample(first, first + 1);
        if (i > 0) series->samples[i] = *first;
    }
    memset(series->samples + SERIES_SAMPLES / 2, 0, SERIES_SAMPLES / 2 * sizeof(*series->samples));
    series->used = (series->used + 1) / 2;
    series->interval_ns *= 2;
}

void series_add(struct series *series, uint64_t at_ns, uint64_t latency_ns, uint64_t count) {
    if (!series->samples) return;
    while (at_ns / series->interval_ns >= SERIES_SAMPLES) {
        fold(series);
    }
    size_t index = at_ns / series->interval_ns;
    struct series_sample *sample = &series->samples[index];
    if (index >= series->used) series->used = index + 1;
    sample->count += count;
    sample->sum_ns += latency_ns * count;
    if (latency_ns > sample->max_ns) sample->max_ns = latency_ns;
    sample->buckets[bucket_of(latency_ns)] += (uint32_t)count;
}

void series_merge(struct series *into, struct series *from) {
    if (!into->samples || !from->samples) return;
    while (into->interval_ns < from->interval_ns) {
        fold(into);
    }
    while (from->interval_ns < into->interval_ns) {
        fold(from);
    }
    for (size_t i = 0; i < from->used; i++) {
        add_sample(&into->samples[i], &from->samples[i]);
    }
    if (from->used > into->used) into->used = from->used;
}

double series_interval_s(const struct series *series, size_t index, double run_s) {
    double whole = (double)series->interval_ns / 1e9;
    return fmax(0, fmin(whole, run_s - (double)index * whole));
}

uint64_t series_percentile(const struct series_sample *sample, double percent) {
    uint64_t wanted = (uint64_t)ceil((double)sample->count * percent / 100), seen = 0;
    if (wanted == 0) wanted = 1;
    for (unsigned i = 0; i < SERIES_BUCKETS; i++) {
        seen += sample->buckets[i];
        if (seen < wanted) continue;
        uint64_t end = log_bucket_end(i, SERIES_STEP_BITS);
        return end < sample->max_ns ? end : sample->max_ns;
    }
    return sample->max_ns;
}

void series_verify(const struct series *series) {
    if (!series->samples) return;
    check(series->used <= SERIES_SAMPLES);
    for (size_t i = 0; i < SERIES_SAMPLES; i++) {
        const struct series_sample *sample = &series->samples[i];
        uint64_t seen = 0;
        for (unsigned j = 0; j < SERIES_BUCKETS; j++) {
            seen += sample->buckets[j];
        }
        check(seen == sample->count);
        check(i < series->used || sample->count == 0);
    }
}
