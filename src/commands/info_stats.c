/* SPDX-License-Identifier: BSD-3-Clause */
/* INFO stats and debug: what has been done. */
#include "base/clock.h"
#include "commands/info_internal.h"

static const struct info *info_of(void *ctx) { return ctx; }

static void add_u64(struct buf *out, uint64_t value) {
    buf_addf(out, "%llu", (unsigned long long)value);
}
static void print_ops_per_s(struct buf *out, void *ctx) {
    add_u64(out, (uint64_t)info_of(ctx)->work.ops_per_s);
}
static void print_cycles_per_s(struct buf *out, void *ctx) {
    add_u64(out, (uint64_t)info_of(ctx)->work.cycles_per_s);
}
static void print_cycle_us(struct buf *out, void *ctx) {
    add_u64(out, (uint64_t)info_of(ctx)->work.cycle_us);
}
static void print_expire_ms(struct buf *out, void *ctx) {
    add_u64(out, info_of(ctx)->keys.expire_cycle_us / 1000);
}
/* How long memory has been over maxmemory this time, without what is already in the total. */
static uint64_t exceeded_now_us(void *ctx) {
    int64_t since_us = info_of(ctx)->keys.eviction_exceeded_since_us;
    return since_us ? (uint64_t)i64_max(clock_mono_ns() / 1000 - since_us, 0) : 0;
}
static void print_exceeded_total_ms(struct buf *out, void *ctx) {
    add_u64(out, (info_of(ctx)->keys.eviction_exceeded_us + exceeded_now_us(ctx)) / 1000);
}
static void print_exceeded_now_ms(struct buf *out, void *ctx) {
    add_u64(out, exceeded_now_us(ctx) / 1000);
}

static const struct stats_field stats_fields[] = {
    {.name = "total_connections_received", .kind = STATS_U64, INFO_AT(work.connections)},
    {.name = "total_commands_processed", .kind = STATS_U64, INFO_AT(work.commands)},
    {.name = "instantaneous_ops_per_sec", .kind = STATS_PRINT, .print = print_ops_per_s},
    {.name = "total_net_input_bytes", .kind = STATS_U64, INFO_AT(work.net_in)},
    {.name = "total_net_output_bytes", .kind = STATS_U64, INFO_AT(work.net_out)},
    {.name = "total_net_repl_input_bytes", .kind = STATS_FIXED, .text = "0"},
    {.name = "total_net_repl_output_bytes", .kind = STATS_FIXED, .text = "0"},
    {.name = "total_net_cluster_slot_import_bytes", .kind = STATS_FIXED, .text = "0"},
    {.name = "total_net_cluster_slot_export_bytes", .kind = STATS_FIXED, .text = "0"},
    {.name = "instantaneous_input_kbps", .kind = STATS_F64, INFO_AT(work.in_kbps)},
    {.name = "instantaneous_output_kbps", .kind = STATS_F64, INFO_AT(work.out_kbps)},
    {.name = "instantaneous_input_repl_kbps", .kind = STATS_FIXED, .text = "0.00"},
    {.name = "instantaneous_output_repl_kbps", .kind = STATS_FIXED, .text = "0.00"},
    {.name = "rejected_connections", .kind = STATS_U64, INFO_AT(work.rejected_connections)},
    {.name = "sync_full", .kind = STATS_FIXED, .text = "0"},
    {.name = "sync_partial_ok", .kind = STATS_FIXED, .text = "0"},
    {.name = "sync_partial_err", .kind = STATS_FIXED, .text = "0"},
    {.name = "expired_keys", .kind = STATS_U64, INFO_AT(keys.expired_keys)},
    {.name = "expired_fields", .kind = STATS_U64, INFO_AT(keys.expired_fields)},
    /* Shares of keys that sampling finds expired: nothing is sampled here. */
    {.name = "expired_stale_perc", .kind = STATS_FIXED, .text = "0.00"},
    {.name = "expired_keys_with_volatile_items_stale_perc", .kind = STATS_FIXED, .text = "0.00"},
    {.name = "expired_time_cap_reached_count",
     .kind = STATS_U64,
     INFO_AT(keys.expired_on_time_cap)},
    {.name = "expire_cycle_cpu_milliseconds", .kind = STATS_PRINT, .print = print_expire_ms},
    {.name = "evicted_keys", .kind = STATS_U64, INFO_AT(keys.evicted_keys)},
    {.name = "evicted_clients", .kind = STATS_U64, INFO_AT(work.evicted_clients)},
    {.name = "evicted_scripts", .kind = STATS_FIXED, .text = "0"},
    {.name = "total_eviction_exceeded_time", .kind = STATS_PRINT, .print = print_exceeded_total_ms},
    {.name = "current_eviction_exceeded_time", .kind = STATS_PRINT, .print = print_exceeded_now_ms},
    {.name = "keyspace_hits", .kind = STATS_U64, INFO_AT(keys.hits)},
    {.name = "keyspace_misses", .kind = STATS_U64, INFO_AT(keys.misses)},
    {.name = "pubsub_channels", .kind = STATS_FIXED, .text = "0"},
    {.name = "pubsub_patterns", .kind = STATS_FIXED, .text = "0"},
    {.name = "pubsubshard_channels", .kind = STATS_FIXED, .text = "0"},
    {.name = "latest_fork_usec", .kind = STATS_FIXED, .text = "0"},
    {.name = "total_forks", .kind = STATS_FIXED, .text = "0"},
    {.name = "migrate_cached_sockets", .kind = STATS_FIXED, .text = "0"},
    {.name = "slave_expires_tracked_keys", .kind = STATS_FIXED, .text = "0"},
    {.name = "active_defrag_hits", .kind = STATS_FIXED, .text = "0"},
    {.name = "active_defrag_misses", .kind = STATS_FIXED, .text = "0"},
    {.name = "active_defrag_key_hits", .kind = STATS_FIXED, .text = "0"},
    {.name = "active_defrag_key_misses", .kind = STATS_FIXED, .text = "0"},
    {.name = "total_active_defrag_time", .kind = STATS_FIXED, .text = "0"},
    {.name = "current_active_defrag_time", .kind = STATS_FIXED, .text = "0"},
    {.name = "tracking_total_keys", .kind = STATS_FIXED, .text = "0"},
    {.name = "tracking_total_items", .kind = STATS_FIXED, .text = "0"},
    {.name = "tracking_total_prefixes", .kind = STATS_FIXED, .text = "0"},
    {.name = "unexpected_error_replies", .kind = STATS_FIXED, .text = "0"},
    {.name = "total_error_replies", .kind = STATS_U64, INFO_AT(work.error_replies)},
    {.name = "dump_payload_sanitizations", .kind = STATS_U64, INFO_AT(keys.payload_checks)},
    {.name = "total_reads_processed", .kind = STATS_U64, INFO_AT(work.reads)},
    {.name = "total_writes_processed", .kind = STATS_U64, INFO_AT(work.writes)},
    {.name = "io_threaded_reads_processed", .kind = STATS_U64, INFO_AT(io.reads)},
    {.name = "io_threaded_writes_processed", .kind = STATS_U64, INFO_AT(io.writes)},
    {.name = "io_threaded_freed_objects", .kind = STATS_U64, INFO_AT(io.freed_objects)},
    {.name = "io_threaded_accept_processed", .kind = STATS_U64, INFO_AT(io.accepts)},
    {.name = "io_threaded_poll_processed", .kind = STATS_U64, INFO_AT(io.polls)},
    {.name = "io_threaded_total_prefetch_batches",
     .kind = STATS_U64,
     INFO_AT(work.prefetch_batches)},
    {.name = "io_threaded_total_prefetch_entries",
     .kind = STATS_U64,
     INFO_AT(work.prefetch_entries)},
    {.name = "active_io_threads_num", .kind = STATS_U64, INFO_AT(active_workers)},
    {.name = "instantaneous_io_pending_jobs", .kind = STATS_U64, INFO_AT(io.pending)},
    {.name = "client_query_buffer_limit_disconnections",
     .kind = STATS_U64,
     INFO_AT(work.input_limit_closed)},
    {.name = "client_output_buffer_limit_disconnections",
     .kind = STATS_U64,
     INFO_AT(work.output_limit_closed)},
    /* Replies are blocks of a pool: there is no buffer that would grow or shrink. */
    {.name = "reply_buffer_shrinks", .kind = STATS_FIXED, .text = "0"},
    {.name = "reply_buffer_expands", .kind = STATS_FIXED, .text = "0"},
    {.name = "eventloop_cycles", .kind = STATS_U64, INFO_AT(work.cycles)},
    {.name = "eventloop_duration_sum", .kind = STATS_U64, INFO_AT(work.cycle_us_sum)},
    {.name = "eventloop_duration_cmd_sum", .kind = STATS_U64, INFO_AT(work.command_us_sum)},
    {.name = "instantaneous_eventloop_cycles_per_sec",
     .kind = STATS_PRINT,
     .print = print_cycles_per_s},
    {.name = "instantaneous_eventloop_duration_usec", .kind = STATS_PRINT, .print = print_cycle_us},
    {.name = "acl_access_denied_auth", .kind = STATS_U64, INFO_AT(work.auth_denied)},
    {.name = "acl_access_denied_cmd", .kind = STATS_FIXED, .text = "0"},
    {.name = "acl_access_denied_key", .kind = STATS_FIXED, .text = "0"},
    {.name = "acl_access_denied_channel", .kind = STATS_FIXED, .text = "0"},
    {.name = "acl_access_denied_tls_cert", .kind = STATS_FIXED, .text = "0"},
    {.name = "acl_access_denied_db", .kind = STATS_FIXED, .text = "0"},
    {0},
};

static const struct stats_field debug_fields[] = {
    {.name = "eventloop_duration_aof_sum", .kind = STATS_FIXED, .text = "0"},
    {.name = "eventloop_duration_cron_sum", .kind = STATS_U64, INFO_AT(work.cron_us_sum)},
    {.name = "eventloop_duration_max", .kind = STATS_U64, INFO_AT(work.cycle_us_max)},
    {.name = "eventloop_cmd_per_cycle_max",
     .kind = STATS_U64,
     INFO_AT(work.commands_per_cycle_max)},
    {.name = "io_threaded_reads_pending", .kind = STATS_U64, INFO_AT(io.reads_pending)},
    {.name = "io_threaded_writes_pending", .kind = STATS_U64, INFO_AT(io.writes_pending)},
    {0},
};

void info__register_stats(struct stats_registry *registry, struct info *info) {
    stats_add_refresh(registry, "stats", info__refresh_work, info);
    stats_add_fields(registry, "stats", stats_fields, info);
    stats_add_refresh(registry, "debug", info__refresh_work, info);
    stats_add_fields(registry, "debug", debug_fields, info);
}
