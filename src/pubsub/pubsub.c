/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/check.h"
#include "base/mem.h"
#include "pubsub/pubsub_internal.h"
#include "stats/registry.h"

/* ---- as a feature of exec ---- */

/* The client's connection goes or begins anew: nothing is said about its subscriptions. */
static void forget_client(void *ctx, struct client *client) {
    struct pubsub *pubsub = ctx;
    if (!(client->flags & CLIENT_PUBSUB)) return;
    topics_leave_all(&pubsub->topics, client);
    client_set_subscribed(client, false);
}

static size_t client_bytes(void *ctx, const struct client *client) {
    (void)ctx;
    return topics_memory_bytes(client);
}

/* ---- INFO ---- */

static void print_count(struct buf *out, void *ctx, enum client_subscription kind) {
    const struct pubsub *pubsub = ctx;
    buf_add_i64(out, (int64_t)topics_count(&pubsub->topics, kind));
}
static void print_channels(struct buf *out, void *ctx) {
    print_count(out, ctx, SUBSCRIBED_CHANNELS);
}
static void print_patterns(struct buf *out, void *ctx) {
    print_count(out, ctx, SUBSCRIBED_PATTERNS);
}
static void print_shard_channels(struct buf *out, void *ctx) {
    print_count(out, ctx, SUBSCRIBED_SHARD_CHANNELS);
}

static const struct stats_field stats_fields[] = {
    {.name = "pubsub_channels", .kind = STATS_PRINT, .print = print_channels},
    {.name = "pubsub_patterns", .kind = STATS_PRINT, .print = print_patterns},
    {.name = "pubsubshard_channels", .kind = STATS_PRINT, .print = print_shard_channels},
    {0},
};
static const struct stats_field client_fields[] = {
    {.name = "pubsub_clients",
     .kind = STATS_U32,
     .offset = offsetof(struct pubsub, topics.subscribers)},
    {0},
};

/* ---- life ---- */

struct pubsub *pubsub_create(struct exec *exec, struct pubsub_config *config) {
    struct pubsub *pubsub = mem_zalloc(sizeof(*pubsub));
    pubsub->exec = exec;
    pubsub->config = config;
    topics_init(&pubsub->topics);
    exec->pubsub = pubsub;
    config->pubsub = pubsub;

    const struct exec_feature feature = {.ctx = pubsub,
                                         .closed = forget_client,
                                         .reset = forget_client,
                                         .memory_bytes = client_bytes};
    exec_add_feature(exec, &feature);
    const struct keyspace_observer observer = {.ctx = pubsub, .event = pubsub__on_event};
    keyspace_add_observer(exec->keyspace, &observer);
    pubsub__notify_changed(pubsub);
    stats_fill_fields(exec->registry, "stats", stats_fields, pubsub);
    stats_fill_fields(exec->registry, "clients", client_fields, pubsub);
    return pubsub;
}

void pubsub_destroy(struct pubsub **pubsub_ref) {
    struct pubsub *pubsub = *pubsub_ref;
    if (!pubsub) return;
    pubsub->config->pubsub = NULL;
    topics_deinit(&pubsub->topics);
    buf_deinit(&pubsub->text);
    buf_deinit(&pubsub->channel);
    mem_free(pubsub);
    *pubsub_ref = NULL;
}

void pubsub_verify(const struct pubsub *pubsub) { topics_verify(&pubsub->topics); }
