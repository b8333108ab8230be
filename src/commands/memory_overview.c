/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands/memory_overview.h"

#include "exec/exec.h"

static double ratio(uint64_t a, uint64_t b) { return b ? (double)a / (double)b : 0; }

static void collect_databases(const struct exec *exec, struct memory_overview *out) {
    int32_t count = keyspace_db_count(exec->keyspace);
    for (int32_t i = 0; i < count; i++) {
        const struct db *db = keyspace_db(exec->keyspace, i);
        if (!db_key_count(db)) continue;
        out->keys += db_key_count(db);
        out->tables += keyspace_table_bytes(db);
        out->expiries += keyspace_expire_index_bytes(db);
    }
    out->rehashing = keyspace_rehashing_bytes(exec->keyspace);
}

static void collect_ratios(struct memory_overview *out) {
    const struct mem_allocator_stats *a = &out->allocator;
    out->allocator_frag_ratio = ratio(a->active, a->allocated);
    out->allocator_frag_bytes = (int64_t)(a->active - a->allocated);
    out->allocator_rss_ratio = ratio(a->resident, a->active);
    out->allocator_rss_bytes = (int64_t)(a->resident - a->active);
    out->rss_overhead_ratio = ratio(out->rss, a->resident);
    out->rss_overhead_bytes = (int64_t)(out->rss - a->resident);
    out->fragmentation_ratio = ratio(out->rss, out->used);
    out->fragmentation_bytes = (int64_t)(out->rss - out->used);
    out->peak_percent = 100 * ratio(out->used, out->peak);
    uint64_t net = out->used > out->startup ? out->used - out->startup : 0;
    out->dataset_percent = net ? size_min(100 * out->dataset, 100 * net) / (double)net : 0;
}

void memory_overview_collect(const struct exec *exec, struct memory_overview *out) {
    *out = (struct memory_overview){
        .used = mem_peak_sample(),
        .peak = mem_in_use_peak(),
        .startup = exec->startup_bytes,
        .rss = mem_rss(),
        .system_total = mem_system_total(),
        .clients = exec->clients_memory,
    };
    collect_databases(exec, out);
    mem_allocator_stats(&out->allocator);
    if (!out->allocator.allocated) { /* libc keeps no such figures */
        out->allocator.allocated = out->used;
        out->allocator.active = out->allocator.resident = out->rss;
    }
    out->overhead = out->startup + out->clients + out->tables + out->expiries;
    out->dataset = out->used > out->overhead ? out->used - out->overhead : 0;
    collect_ratios(out);
}
