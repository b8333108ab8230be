/* SPDX-License-Identifier: BSD-3-Clause */
#include "exec/latency.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"

/* ---- histograms ---- */

struct histogram *histogram_create(void) {
    return mem_zalloc(sizeof(struct histogram));
}

void histogram_destroy(struct histogram **histogram) {
    mem_free(*histogram);
    *histogram = NULL;
}

uint64_t histogram_bucket_end_ns(unsigned bucket) {
    check(bucket < HISTOGRAM_BUCKETS);
    return log_bucket_end(bucket, HISTOGRAM_STEP_BITS);
}

uint64_t histogram_percentile_ns(const struct histogram *histogram, double percent) {
    if (!histogram->total) return 0;
    double share = percent < 0 ? 0 : percent > 100 ? 1 : percent / 100;
    /* The smallest rank that has at least this share of the values at or below it. */
    uint64_t rank = (uint64_t)(share * (double)histogram->total + 0.5);
    if (rank < 1) rank = 1;
    if (rank > histogram->total) rank = histogram->total;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (seen >= rank) return histogram_bucket_end_ns(i);
    }
    panic("a histogram of %llu values holds %llu", (unsigned long long)histogram->total,
          (unsigned long long)seen);
}

uint64_t histogram_count_to(const struct histogram *histogram, uint64_t ns) {
    uint64_t count = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS && histogram_bucket_end_ns(i) <= ns; i++)
        count += histogram->counts[i];
    return count;
}

/* ---- the monitor ---- */

struct latency_event *latency_find(struct latency_monitor *monitor, struct bytes name) {
    for (uint32_t i = 0; i < monitor->count; i++) {
        if (bytes_equal(bytes_of(monitor->events[i]->name), name)) return monitor->events[i];
    }
    return NULL;
}

/* The event, made if it is new; NULL if there is no room for another. */
static struct latency_event *event_of(struct latency_monitor *monitor, const char *name) {
    struct latency_event *event = latency_find(monitor, bytes_of(name));
    if (event || monitor->count == LATENCY_EVENTS_MAX) return event;
    event = mem_zalloc(sizeof(*event));
    size_t size = strlen(name);
    check(size < sizeof(event->name));
    memcpy(event->name, name, size);
    monitor->events[monitor->count++] = event;
    return event;
}

void latency_note(struct latency_monitor *monitor, const char *event_name, uint64_t us,
                  int64_t now_s) {
    if (monitor->threshold_ms <= 0 || us / 1000 < (uint64_t)monitor->threshold_ms) return;
    struct latency_event *event = event_of(monitor, event_name);
    if (!event) return;
    uint32_t ms = us / 1000 < UINT32_MAX ? (uint32_t)(us / 1000) : UINT32_MAX;
    if (ms > event->max_ms) event->max_ms = ms;
    event->sum_ms += ms;
    event->count++;
    uint32_t last = (event->next + LATENCY_SAMPLES - 1) % LATENCY_SAMPLES;
    if (event->samples[last].time_s == now_s) {
        if (ms > event->samples[last].ms) event->samples[last].ms = ms;
        return;
    }
    event->samples[event->next].time_s = now_s;
    event->samples[event->next].ms = ms;
    event->next = (event->next + 1) % LATENCY_SAMPLES;
}

size_t latency_reset(struct latency_monitor *monitor, struct bytes name) {
    size_t removed = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < monitor->count; i++) {
        struct latency_event *event = monitor->events[i];
        if (!name.size || bytes_equal(bytes_of(event->name), name)) {
            mem_free(event);
            removed++;
        } else {
            monitor->events[kept++] = event;
        }
    }
    monitor->count = kept;
    return removed;
}

void latency_set_threshold(struct latency_monitor *monitor, int64_t ms) {
    check(ms >= 0);
    monitor->threshold_ms = ms;
    bool fits = ms > 0 && ms <= INT64_MAX / 1000;
    monitor->threshold_ticks = fits ? clock_us_to_ticks((uint64_t)ms * 1000) : UINT64_MAX;
}
