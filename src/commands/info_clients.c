/* SPDX-License-Identifier: BSD-3-Clause */
/* INFO clients. */
#include "commands/info_internal.h"
#include "exec/block.h"
#include "exec/multi.h"

static const struct exec *exec_of(void *ctx) { return ((struct info *)ctx)->exec; }

static void print_connected(struct buf *out, void *ctx) {
    buf_add_i64(out, exec_of(ctx)->client_count);
}
static void print_maxclients(struct buf *out, void *ctx) {
    buf_add_i64(out, exec_of(ctx)->config->maxclients);
}
static void print_watching(struct buf *out, void *ctx) {
    buf_add_i64(out, exec_of(ctx)->watching_clients);
}
static void print_watched(struct buf *out, void *ctx) {
    buf_add_i64(out, (int64_t)watch_key_count(exec_of(ctx)));
}

static uint32_t paused_clients(const struct exec *exec) {
    uint32_t count = 0;
    if (!(exec->gates & (GATE_PAUSE_WRITE | GATE_PAUSE_ALL))) return 0;
    for (const struct client *client = exec->clients_head; client; client = client->next)
        count += (client->flags & CLIENT_PAUSED) != 0;
    return count;
}

/* Those that a pause holds count as blocked. */
static void print_blocked(struct buf *out, void *ctx) {
    const struct exec *exec = exec_of(ctx);
    struct block_counts counts;
    block_count(exec, &counts);
    buf_add_i64(out, (int64_t)counts.clients + paused_clients(exec));
}
static void print_with_deadline(struct buf *out, void *ctx) {
    struct block_counts counts;
    block_count(exec_of(ctx), &counts);
    buf_add_i64(out, (int64_t)counts.with_deadline);
}
static void print_blocking_keys(struct buf *out, void *ctx) {
    struct block_counts counts;
    block_count(exec_of(ctx), &counts);
    buf_add_i64(out, (int64_t)counts.keys);
}
static void print_keys_on_delete(struct buf *out, void *ctx) {
    struct block_counts counts;
    block_count(exec_of(ctx), &counts);
    buf_add_i64(out, (int64_t)counts.keys_on_delete);
}

static void print_pause(struct buf *out, void *ctx) {
    static const char *const reasons[PAUSE_PURPOSE_COUNT] = {
        [PAUSE_BY_COMMAND] = "client_pause",
    };
    const char *reason = "none", *actions = "none";
    int64_t left_ms = 0, until_ms;
    bool all;
    enum pause_purpose purpose;
    if (exec_is_paused(exec_of(ctx), &all, &until_ms, &purpose)) {
        reason = reasons[purpose];
        actions = all ? "all" : "write";
        left_ms = i64_max(until_ms - exec_of(ctx)->mono_ms, 0);
    }
    buf_addf(out, "paused_reason:%s\r\npaused_actions:%s\r\npaused_timeout_milliseconds:%lld\r\n",
             reason, actions, (long long)left_ms);
}

static const struct stats_field client_fields[] = {
    {.name = "connected_clients", .kind = STATS_PRINT, .print = print_connected},
    {.name = "cluster_connections", .kind = STATS_FIXED, .text = "0"},
    {.name = "maxclients", .kind = STATS_PRINT, .print = print_maxclients},
    {.name = "client_recent_max_input_buffer", .kind = STATS_U64, INFO_AT(work.recent_max_input)},
    {.name = "client_recent_max_output_buffer", .kind = STATS_U64, INFO_AT(work.recent_max_output)},
    {.name = "blocked_clients", .kind = STATS_PRINT, .print = print_blocked},
    {.name = "tracking_clients", .kind = STATS_FIXED, .text = "0"},
    {.name = "pubsub_clients", .kind = STATS_FIXED, .text = "0"},
    {.name = "watching_clients", .kind = STATS_PRINT, .print = print_watching},
    {.name = "clients_in_timeout_table", .kind = STATS_PRINT, .print = print_with_deadline},
    {.name = "total_watched_keys", .kind = STATS_PRINT, .print = print_watched},
    {.name = "total_blocking_keys", .kind = STATS_PRINT, .print = print_blocking_keys},
    {.name = "total_blocking_keys_on_nokey", .kind = STATS_PRINT, .print = print_keys_on_delete},
    {.kind = STATS_LINES, .print = print_pause},
    {0},
};

void info__register_clients(struct stats_registry *registry, struct info *info) {
    stats_add_refresh(registry, "clients", info__refresh_work, info);
    stats_add_fields(registry, "clients", client_fields, info);
}
