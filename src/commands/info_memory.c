/* SPDX-License-Identifier: BSD-3-Clause */
/* INFO memory and keyspace: what is kept. */
#include "base/num.h"
#include "commands/info_internal.h"

static void refresh_memory(void *ctx) {
    struct info *info = ctx;
    info__refresh_work(ctx);
    memory_overview_collect(info->exec, &info->memory);
}

static void add_human(struct buf *out, uint64_t bytes) {
    char text[32];
    num_format_human(text, bytes);
    buf_add_text(out, text);
}
static void print_used_human(struct buf *out, void *ctx) {
    add_human(out, ((struct info *)ctx)->memory.used);
}
static void print_rss_human(struct buf *out, void *ctx) {
    add_human(out, ((struct info *)ctx)->memory.rss);
}
static void print_peak_human(struct buf *out, void *ctx) {
    add_human(out, ((struct info *)ctx)->memory.peak);
}
static void print_system_human(struct buf *out, void *ctx) {
    add_human(out, ((struct info *)ctx)->memory.system_total);
}
static void print_peak_percent(struct buf *out, void *ctx) {
    buf_addf(out, "%.2f%%", ((struct info *)ctx)->memory.peak_percent);
}
static void print_dataset_percent(struct buf *out, void *ctx) {
    buf_addf(out, "%.2f%%", ((struct info *)ctx)->memory.dataset_percent);
}
static uint64_t maxmemory_of(void *ctx) {
    return keyspace_config_of(((struct info *)ctx)->exec->keyspace)->maxmemory_bytes;
}
static void print_maxmemory(struct buf *out, void *ctx) {
    buf_addf(out, "%llu", (unsigned long long)maxmemory_of(ctx));
}
static void print_maxmemory_human(struct buf *out, void *ctx) { add_human(out, maxmemory_of(ctx)); }
static void print_policy(struct buf *out, void *ctx) {
    info__print_option(ctx, "maxmemory-policy", out);
}
static void print_allocator(struct buf *out, void *ctx) {
    (void)ctx;
    buf_add_text(out, mem_allocator_name());
}

static const struct stats_field memory_fields[] = {
    {.name = "used_memory", .kind = STATS_U64, INFO_AT(memory.used)},
    {.name = "used_memory_human", .kind = STATS_PRINT, .print = print_used_human},
    {.name = "used_memory_rss", .kind = STATS_U64, INFO_AT(memory.rss)},
    {.name = "used_memory_rss_human", .kind = STATS_PRINT, .print = print_rss_human},
    {.name = "used_memory_peak", .kind = STATS_U64, INFO_AT(memory.peak)},
    {.name = "used_memory_peak_human", .kind = STATS_PRINT, .print = print_peak_human},
    {.name = "used_memory_peak_perc", .kind = STATS_PRINT, .print = print_peak_percent},
    {.name = "used_memory_overhead", .kind = STATS_U64, INFO_AT(memory.overhead)},
    {.name = "used_memory_startup", .kind = STATS_U64, INFO_AT(memory.startup)},
    {.name = "used_memory_dataset", .kind = STATS_U64, INFO_AT(memory.dataset)},
    {.name = "used_memory_dataset_perc", .kind = STATS_PRINT, .print = print_dataset_percent},
    {.name = "allocator_allocated", .kind = STATS_U64, INFO_AT(memory.allocator.allocated)},
    {.name = "allocator_active", .kind = STATS_U64, INFO_AT(memory.allocator.active)},
    {.name = "allocator_resident", .kind = STATS_U64, INFO_AT(memory.allocator.resident)},
    {.name = "allocator_muzzy", .kind = STATS_U64, INFO_AT(memory.allocator.muzzy)},
    {.name = "total_system_memory", .kind = STATS_U64, INFO_AT(memory.system_total)},
    {.name = "total_system_memory_human", .kind = STATS_PRINT, .print = print_system_human},
    {.name = "used_memory_lua", .kind = STATS_FIXED, .text = "0"},
    {.name = "used_memory_vm_eval", .kind = STATS_FIXED, .text = "0"},
    {.name = "used_memory_lua_human", .kind = STATS_FIXED, .text = "0B"},
    {.name = "used_memory_scripts_eval", .kind = STATS_FIXED, .text = "0"},
    {.name = "number_of_cached_scripts", .kind = STATS_FIXED, .text = "0"},
    {.name = "number_of_functions", .kind = STATS_FIXED, .text = "0"},
    {.name = "number_of_libraries", .kind = STATS_FIXED, .text = "0"},
    {.name = "used_memory_vm_functions", .kind = STATS_FIXED, .text = "0"},
    {.name = "used_memory_vm_total", .kind = STATS_FIXED, .text = "0"},
    {.name = "used_memory_vm_total_human", .kind = STATS_FIXED, .text = "0B"},
    {.name = "used_memory_functions", .kind = STATS_FIXED, .text = "0"},
    {.name = "used_memory_scripts", .kind = STATS_FIXED, .text = "0"},
    {.name = "used_memory_scripts_human", .kind = STATS_FIXED, .text = "0B"},
    {.name = "maxmemory", .kind = STATS_PRINT, .print = print_maxmemory},
    {.name = "maxmemory_human", .kind = STATS_PRINT, .print = print_maxmemory_human},
    {.name = "maxmemory_policy", .kind = STATS_PRINT, .print = print_policy},
    {.name = "allocator_frag_ratio", .kind = STATS_F64, INFO_AT(memory.allocator_frag_ratio)},
    {.name = "allocator_frag_bytes", .kind = STATS_I64, INFO_AT(memory.allocator_frag_bytes)},
    {.name = "allocator_rss_ratio", .kind = STATS_F64, INFO_AT(memory.allocator_rss_ratio)},
    {.name = "allocator_rss_bytes", .kind = STATS_I64, INFO_AT(memory.allocator_rss_bytes)},
    {.name = "rss_overhead_ratio", .kind = STATS_F64, INFO_AT(memory.rss_overhead_ratio)},
    {.name = "rss_overhead_bytes", .kind = STATS_I64, INFO_AT(memory.rss_overhead_bytes)},
    {.name = "mem_fragmentation_ratio", .kind = STATS_F64, INFO_AT(memory.fragmentation_ratio)},
    {.name = "mem_fragmentation_bytes", .kind = STATS_I64, INFO_AT(memory.fragmentation_bytes)},
    {.name = "mem_not_counted_for_evict", .kind = STATS_FIXED, .text = "0"},
    {.name = "mem_replication_backlog", .kind = STATS_FIXED, .text = "0"},
    {.name = "mem_total_replication_buffers", .kind = STATS_FIXED, .text = "0"},
    {.name = "mem_replicas_repl_buffer", .kind = STATS_FIXED, .text = "0"},
    {.name = "mem_clients_slaves", .kind = STATS_FIXED, .text = "0"},
    {.name = "mem_clients_normal", .kind = STATS_U64, INFO_AT(memory.clients)},
    {.name = "mem_cluster_links", .kind = STATS_FIXED, .text = "0"},
    {.name = "mem_cluster_slot_import", .kind = STATS_FIXED, .text = "0"},
    {.name = "mem_cluster_slot_export", .kind = STATS_FIXED, .text = "0"},
    {.name = "mem_aof_buffer", .kind = STATS_FIXED, .text = "0"},
    {.name = "mem_allocator", .kind = STATS_PRINT, .print = print_allocator},
    {.name = "mem_overhead_db_hashtable_rehashing", .kind = STATS_U64, INFO_AT(memory.rehashing)},
    {.name = "active_defrag_running", .kind = STATS_FIXED, .text = "0"},
    {.name = "lazyfree_pending_objects", .kind = STATS_U64, INFO_AT(keys.lazyfree_pending)},
    {.name = "lazyfreed_objects", .kind = STATS_U64, INFO_AT(keys.lazyfreed)},
    {0},
};

/* db0:keys=1,expires=0,avg_ttl=0,keys_with_volatile_items=0 -- for each database with keys */
static void print_databases(struct buf *out, void *ctx) {
    struct keyspace *keyspace = ((struct info *)ctx)->exec->keyspace;
    int32_t count = keyspace_db_count(keyspace);
    for (int32_t i = 0; i < count; i++) {
        const struct db *db = keyspace_db(keyspace, i);
        if (!db_key_count(db)) continue;
        buf_addf(out, "db%d:keys=%zu,expires=%zu,avg_ttl=%lld,keys_with_volatile_items=%zu\r\n",
                 (int)i, db_key_count(db), db_expire_count(db), (long long)db_average_ttl_ms(db),
                 db_timed_count(db));
    }
}

static const struct stats_field keyspace_fields[] = {
    {.kind = STATS_LINES, .print = print_databases},
    {0},
};

void info__register_memory(struct stats_registry *registry, struct info *info) {
    stats_add_refresh(registry, "memory", refresh_memory, info);
    stats_add_fields(registry, "memory", memory_fields, info);
    stats_add_fields(registry, "keyspace", keyspace_fields, info);
}
