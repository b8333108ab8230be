/* SPDX-License-Identifier: BSD-3-Clause */
/* INFO of what is not there: tls, persistence, replication, cluster, cluster_info, scriptingengines
 * (and modules, which has no line). Tools read these fields to learn that a server is a primary,
 * alone, and neither loading nor saving; each has the value it has on such a server. A feature that
 * is built takes its section along. */
#include "commands/info_internal.h"

static const struct info *info_of(void *ctx) { return ctx; }

static const struct stats_field tls_fields[] = {
    {.name = "tls_server_cert_serial", .kind = STATS_FIXED, .text = "none"},
    {.name = "tls_server_cert_expires_in_seconds", .kind = STATS_FIXED, .text = "0"},
    {.name = "tls_client_cert_serial", .kind = STATS_FIXED, .text = "none"},
    {.name = "tls_client_cert_expires_in_seconds", .kind = STATS_FIXED, .text = "0"},
    {.name = "tls_ca_cert_serial", .kind = STATS_FIXED, .text = "none"},
    {.name = "tls_ca_cert_expires_in_seconds", .kind = STATS_FIXED, .text = "0"},
    {0},
};

/* ---- persistence ---- */

static void print_changes(struct buf *out, void *ctx) {
    buf_addf(out, "%llu",
             (unsigned long long)keyspace_stats(info_of(ctx)->exec->keyspace)->changes);
}
/* Without any save the start counts as the last one. */
static void print_save_time(struct buf *out, void *ctx) {
    buf_add_i64(out, info_of(ctx)->exec->started_ms / 1000);
}
static void print_loading(struct buf *out, void *ctx) {
    buf_add_char(out, info_of(ctx)->exec->gates & GATE_LOADING ? '1' : '0');
}

static const struct stats_field persistence_fields[] = {
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
    {.name = "rdb_saves", .kind = STATS_FIXED, .text = "0"},
    {.name = "rdb_last_cow_size", .kind = STATS_FIXED, .text = "0"},
    {.name = "rdb_last_load_keys_expired", .kind = STATS_FIXED, .text = "0"},
    {.name = "rdb_last_load_keys_loaded", .kind = STATS_FIXED, .text = "0"},
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

/* ---- replication ---- */

static void print_replid(struct buf *out, void *ctx) {
    buf_add_text(out, info_of(ctx)->exec->replication_id);
}
static void print_backlog_size(struct buf *out, void *ctx) {
    info__print_option(ctx, "repl-backlog-size", out);
}

static const struct stats_field replication_fields[] = {
    {.name = "role", .kind = STATS_FIXED, .text = "master"},
    {.name = "connected_slaves", .kind = STATS_FIXED, .text = "0"},
    {.name = "replicas_waiting_psync", .kind = STATS_FIXED, .text = "0"},
    {.name = "master_failover_state", .kind = STATS_FIXED, .text = "no-failover"},
    {.name = "master_replid", .kind = STATS_PRINT, .print = print_replid},
    {.name = "master_replid2",
     .kind = STATS_FIXED,
     .text = "0000000000000000000000000000000000000000"},
    {.name = "master_repl_offset", .kind = STATS_FIXED, .text = "0"},
    {.name = "second_repl_offset", .kind = STATS_FIXED, .text = "-1"},
    {.name = "repl_backlog_active", .kind = STATS_FIXED, .text = "0"},
    {.name = "repl_backlog_size", .kind = STATS_PRINT, .print = print_backlog_size},
    {.name = "repl_backlog_first_byte_offset", .kind = STATS_FIXED, .text = "0"},
    {.name = "repl_backlog_histlen", .kind = STATS_FIXED, .text = "0"},
    {0},
};

static const struct stats_field cluster_fields[] = {
    {.name = "cluster_enabled", .kind = STATS_FIXED, .text = "0"},
    {0},
};

static const struct stats_field engine_fields[] = {
    {.name = "engines_count", .kind = STATS_FIXED, .text = "0"},
    {.name = "engines_total_used_memory", .kind = STATS_FIXED, .text = "0"},
    {.name = "engines_total_memory_overhead", .kind = STATS_FIXED, .text = "0"},
    {0},
};

void info__register_unused(struct stats_registry *registry, struct info *info) {
    stats_add_fields(registry, "tls", tls_fields, info);
    stats_add_fields(registry, "persistence", persistence_fields, info);
    stats_add_fields(registry, "replication", replication_fields, info);
    stats_add_fields(registry, "cluster", cluster_fields, info);
    stats_add_fields(registry, "scriptingengines", engine_fields, info);
}
