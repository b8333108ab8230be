/* SPDX-License-Identifier: BSD-3-Clause */
/* memory_overview -- where the memory is, gathered once for INFO memory, MEMORY STATS and MEMORY
 * DOCTOR. All sizes are bytes. */
#pragma once

#include "base/attr.h"
#include "base/mem.h"

struct exec;

struct memory_overview {
    uint64_t used, peak, startup;
    uint64_t rss;
    uint64_t system_total;
    uint64_t clients;          /* connections and what waits in them */
    uint64_t tables, expiries; /* of all databases: key tables, indexes of expiry */
    uint64_t rehashing;        /* tables that are being resized */
    uint64_t overhead;         /* all but the data set */
    uint64_t dataset;
    uint64_t keys;
    struct mem_allocator_stats allocator; /* the process's figures where the allocator has none */
    int64_t allocator_frag_bytes, allocator_rss_bytes, rss_overhead_bytes, fragmentation_bytes;
    double allocator_frag_ratio, allocator_rss_ratio, rss_overhead_ratio, fragmentation_ratio;
    double peak_percent, dataset_percent;
};

/* Fills out. O(databases), and a few system calls. */
void memory_overview_collect(const struct exec *exec, struct memory_overview *out);
