/* SPDX-License-Identifier: BSD-3-Clause */
/* latency -- histograms of command times, and the latency monitor's events. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "stats/log_bucket.h"

/* Nanoseconds in log-linear buckets: 16 steps to each power of two, so within 6.25 %. One
 * increment a command. */
enum {
    HISTOGRAM_STEP_BITS = 4,
    HISTOGRAM_STEPS = 1 << HISTOGRAM_STEP_BITS,
    HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * 32,
};
struct histogram {
    uint64_t total;
    uint64_t counts[HISTOGRAM_BUCKETS];
};
struct histogram *histogram_create(void);
void histogram_destroy(struct histogram **histogram);
static inline unsigned histogram_bucket(uint64_t ns) {
    unsigned bucket = log_bucket(ns, HISTOGRAM_STEP_BITS);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1u;
}
static inline void histogram_add(struct histogram *histogram, uint64_t ns) {
    histogram->total++;
    histogram->counts[histogram_bucket(ns)]++;
}
/* The upper end of a bucket, nanoseconds. */
uint64_t histogram_bucket_end_ns(unsigned bucket);
/* Nanoseconds below which percent (0..100) of the values lie; 0 if there are none. */
uint64_t histogram_percentile_ns(const struct histogram *histogram, double percent);
/* How many values are at most ns. */
uint64_t histogram_count_to(const struct histogram *histogram, uint64_t ns);

enum { LATENCY_EVENTS_MAX = 32, LATENCY_SAMPLES = 160 };
struct latency_event {
    char name[32];   /* "command", "fast-command", "expire-cycle", ... */
    uint32_t next;   /* where the next sample goes */
    uint32_t max_ms; /* all-time */
    uint64_t sum_ms, count;
    struct {
        int64_t time_s; /* 0: unused */
        uint32_t ms;
    } samples[LATENCY_SAMPLES];
};
struct latency_monitor {
    struct latency_event *events[LATENCY_EVENTS_MAX]; /* owned */
    uint32_t count;
    int64_t threshold_ms;     /* 0: off */
    uint64_t threshold_ticks; /* UINT64_MAX: off; compared on the hot path */
};
/* Notes a latency of an event if the monitor is on and it reaches the threshold. Samples of the
 * same second keep the highest. */
void latency_note(struct latency_monitor *monitor, const char *event, uint64_t us, int64_t now_s);
struct latency_event *latency_find(struct latency_monitor *monitor, struct bytes name);
/* All (name empty) or one; returns how many were reset. */
size_t latency_reset(struct latency_monitor *monitor, struct bytes name);
void latency_set_threshold(struct latency_monitor *monitor, int64_t ms);
