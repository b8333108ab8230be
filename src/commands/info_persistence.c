/* SPDX-License-Identifier: BSD-3-Clause */
/* INFO persistence. Figures of the append-only file have the value they have without one. */
#include "base/clock.h"
#include "commands/info_internal.h"
#include "persist/persist.h"

static const struct persist *persist_of(void *ctx) {
    return ((const struct info *)ctx)->exec->persist;
}
static const struct persist_loading *loading_of(void *ctx) { return persist_of(ctx)->loading; }
static bool is_loading(void *ctx) { return loading_of(ctx) != NULL; }

static void add_u64(struct buf *out, uint64_t value) {
    buf_addf(out, "%llu", (unsigned long long)value);
}

static void print_loading(struct buf *out, void *ctx) {
    buf_add_char(out, is_loading(ctx) ? '1' : '0');
}
static void print_changes(struct buf *out, void *ctx) {
    add_u64(out, persist_changes(persist_of(ctx)));
}
static void print_save_time(struct buf *out, void *ctx) {
    buf_add_i64(out, persist_of(ctx)->last_save_s);
}
static void print_saves(struct buf *out, void *ctx) { add_u64(out, persist_of(ctx)->saves); }
static void print_keys_expired(struct buf *out, void *ctx) {
    add_u64(out, persist_of(ctx)->last_load.expired);
}
static void print_keys_loaded(struct buf *out, void *ctx) {
    add_u64(out, persist_of(ctx)->last_load.keys);
}

/* ---- while a file is being loaded ---- */

static uint64_t loaded_bytes(void *ctx) { return rdb_load_stats(loading_of(ctx)->load)->bytes; }

static void print_start_time(struct buf *out, void *ctx) {
    buf_add_i64(out, loading_of(ctx)->started_s);
}
static void print_total_bytes(struct buf *out, void *ctx) {
    add_u64(out, loading_of(ctx)->total_bytes);
}
static void print_used_memory(struct buf *out, void *ctx) {
    add_u64(out, rdb_load_stats(loading_of(ctx)->load)->producer_used);
}
static void print_loaded_bytes(struct buf *out, void *ctx) { add_u64(out, loaded_bytes(ctx)); }
static void print_loaded_percent(struct buf *out, void *ctx) {
    uint64_t total = loading_of(ctx)->total_bytes;
    buf_addf(out, "%.2f", total ? (double)loaded_bytes(ctx) * 100 / (double)total : 0.0);
}
static void print_eta(struct buf *out, void *ctx) {
    const struct persist_loading *loading = loading_of(ctx);
    uint64_t done = loaded_bytes(ctx), total = loading->total_bytes;
    double seconds = (double)(clock_mono_ns() - loading->started_ns) / 1e9;
    double left = total > done ? (double)(total - done) : 0;
    buf_addf(out, "%.0f", done ? seconds * left / (double)done : 1.0);
}

static const struct stats_field fields[] = {
    {.name = "loading", .kind = STATS_PRINT, .print = print_loading},
    {.name = "async_loading", .kind = STATS_FIXED, .text = "0"},
    {.name = "current_cow_peak", .kind = STATS_FIXED, .text = "0"},
    {.name = "current_cow_size", .kind = STATS_FIXED, .text = "0"},
    {.name = "current_cow_size_age", .kind = STATS_FIXED, .text = "0"},
    {.name = "current_fork_perc", .kind = STATS_FIXED, .text = "0.00"},
    {.name = "current_save_keys_processed", .kind = STATS_FIXED, .text = "0"},
    {.name = "current_save_keys_total", .kind = STATS_FIXED, .text = "0"},
    {.name = "rdb_changes_since_last_save", .kind = STATS_PRINT, .print = print_changes},
    {.name = "rdb_bgsave_in_progress", .kind = STATS_FIXED, .text = "0"},
    {.name = "rdb_last_save_time", .kind = STATS_PRINT, .print = print_save_time},
    {.name = "rdb_last_bgsave_status", .kind = STATS_FIXED, .text = "ok"},
    {.name = "rdb_last_bgsave_time_sec", .kind = STATS_FIXED, .text = "-1"},
    {.name = "rdb_current_bgsave_time_sec", .kind = STATS_FIXED, .text = "-1"},
    {.name = "rdb_saves", .kind = STATS_PRINT, .print = print_saves},
    {.name = "rdb_last_cow_size", .kind = STATS_FIXED, .text = "0"},
    {.name = "rdb_last_load_keys_expired", .kind = STATS_PRINT, .print = print_keys_expired},
    {.name = "rdb_last_load_keys_loaded", .kind = STATS_PRINT, .print = print_keys_loaded},
    {.name = "aof_enabled", .kind = STATS_FIXED, .text = "0"},
    {.name = "aof_rewrite_in_progress", .kind = STATS_FIXED, .text = "0"},
    {.name = "aof_rewrite_scheduled", .kind = STATS_FIXED, .text = "0"},
    {.name = "aof_last_rewrite_time_sec", .kind = STATS_FIXED, .text = "-1"},
    {.name = "aof_current_rewrite_time_sec", .kind = STATS_FIXED, .text = "-1"},
    {.name = "aof_last_bgrewrite_status", .kind = STATS_FIXED, .text = "ok"},
    {.name = "aof_rewrites", .kind = STATS_FIXED, .text = "0"},
    {.name = "aof_rewrites_consecutive_failures", .kind = STATS_FIXED, .text = "0"},
    {.name = "aof_last_write_status", .kind = STATS_FIXED, .text = "ok"},
    {.name = "aof_last_cow_size", .kind = STATS_FIXED, .text = "0"},
    {.name = "module_fork_in_progress", .kind = STATS_FIXED, .text = "0"},
    {.name = "module_fork_last_cow_size", .kind = STATS_FIXED, .text = "0"},
    {.name = "slot_migration_fork_in_progress", .kind = STATS_FIXED, .text = "0"},
    {0},
};

static const struct stats_field loading_fields[] = {
    {.name = "loading_start_time",
     .kind = STATS_PRINT,
     .print = print_start_time,
     .when = is_loading},
    {.name = "loading_total_bytes",
     .kind = STATS_PRINT,
     .print = print_total_bytes,
     .when = is_loading},
    {.name = "loading_rdb_used_mem",
     .kind = STATS_PRINT,
     .print = print_used_memory,
     .when = is_loading},
    {.name = "loading_loaded_bytes",
     .kind = STATS_PRINT,
     .print = print_loaded_bytes,
     .when = is_loading},
    {.name = "loading_loaded_perc",
     .kind = STATS_PRINT,
     .print = print_loaded_percent,
     .when = is_loading},
    {.name = "loading_eta_seconds", .kind = STATS_PRINT, .print = print_eta, .when = is_loading},
    {0},
};

void info__register_persistence(struct stats_registry *registry, struct info *info) {
    stats_add_fields(registry, "persistence", fields, info);
    stats_add_fields(registry, "persistence", loading_fields, info);
}
