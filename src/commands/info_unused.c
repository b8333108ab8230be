/* SPDX-License-Identifier: BSD-3-Clause */
/* INFO of what is not there: tls, replication, cluster, cluster_info, scriptingengines
 * (and modules, which has no line). Tools read these fields to learn that a server is a primary,
 * alone; each has the value it has on such a server. A feature that
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
    stats_add_fields(registry, "replication", replication_fields, info);
    stats_add_fields(registry, "cluster", cluster_fields, info);
    stats_add_fields(registry, "scriptingengines", engine_fields, info);
}
