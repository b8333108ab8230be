/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "stats/registry.h"
#include "tracking/tracking_internal.h"

enum {
    EVICT_STEP = 64,        /* keys forgotten over the limit, by one command beside its own */
    EVICT_CRON_STEP = 4096, /* by one turn of cron */
    BUFFER_KEPT_MAX = 64 * 1024,
};

/* ---- who tracks ---- */

void tracking__set_gates(struct client *client) {
    unsigned mode = client->tracker ? client->tracker->mode : 0;
    bool notes = client->tracker && !(mode & TRACKING_BCAST);
    if (mode & TRACKING_OPTIN) notes = mode & TRACKING_CACHING;
    if (mode & TRACKING_OPTOUT) notes = !(mode & TRACKING_CACHING);
    client->gates &= ~(uint32_t)(GATE_TRACKING | GATE_CACHING);
    if (notes) client->gates |= GATE_TRACKING;
    if (mode & TRACKING_CACHING) client->gates |= GATE_CACHING;
}

/* While nobody tracks, a change of a key costs nothing. */
static void set_interest(struct tracking *tracking) {
    keyspace_set_interest(tracking->exec->keyspace, tracking, tracking->clients > 0, 0);
}

void tracking__enable(struct tracking *tracking, struct client *client, unsigned mode,
                      uint64_t redirect_id) {
    if (!client->tracker) {
        client->tracker = mem_zalloc(sizeof(*client->tracker));
        tracking->clients++;
        set_interest(tracking);
    }
    client->tracker->mode = mode;
    client->redirect_id = redirect_id;
    client->flags &= ~(uint32_t)(CLIENT_TRACKING_BROKEN | CLIENT_TRACKING_BCAST);
    client->flags |= CLIENT_TRACKING;
    if (mode & TRACKING_BCAST) client->flags |= CLIENT_TRACKING_BCAST;
    tracking__set_gates(client);
}

/* What others know of it by its number is found to mean nothing when it is looked at. */
void tracking__disable(struct tracking *tracking, struct client *client) {
    if (!client->tracker) return;
    prefixes_leave_all(&tracking->prefixes, &client->tracker->prefixes, tracking__list_of);
    mem_free(client->tracker);
    client->tracker = NULL;
    client->redirect_id = 0;
    client->flags &= ~(uint32_t)(CLIENT_TRACKING | CLIENT_TRACKING_BCAST | CLIENT_TRACKING_BROKEN);
    tracking__set_gates(client);
    if (--tracking->clients > 0) return;
    key_table_drop(&tracking->keys);
    set_interest(tracking);
}

struct client *tracking__author(const struct tracking *tracking) {
    const struct exec *exec = tracking->exec;
    return keyspace_removes_by_itself(exec->keyspace) ? NULL : exec->current;
}

/* ---- keys that are read ---- */

/* At most max keys over the limit are forgotten; whoever has read them is told, for from now on it
 * would not be. */
static void forget_over_limit(struct tracking *tracking, size_t max) {
    uint64_t limit = tracking->config->max_keys;
    while (limit && max-- > 0 && key_table_count(&tracking->keys) > limit) {
        struct tracked_key *key = key_table_take_any(&tracking->keys, &tracking->exec->rng);
        tracking__invalidate(tracking, key, NULL);
    }
}

static void note_keys(struct tracking *tracking, const struct call *call) {
    const struct command *command = call->command;
    uint64_t id = call->client->id;
    size_t count = 1;
    if (command->first_key > 0 && command->first_key == command->last_key &&
        !(command->flags & CMD_MOVABLEKEYS)) {
        uint32_t at = (uint32_t)command->first_key;
        key_table_note(&tracking->keys, call->argv[at], call_hash(call, at), id);
    } else {
        struct command_keys keys;
        command_keys_init(&keys);
        if (command_find_keys(command, call->argv, call->argc, &keys)) {
            count = keys.count;
            for (uint32_t i = 0; i < keys.count; i++) {
                struct bytes key = call->argv[keys.keys[i].position];
                if (keys.keys[i].flags & KEY_NOT_KEY) continue;
                key_table_note(&tracking->keys, key, hash_bytes(key), id);
            }
        }
        command_keys_deinit(&keys);
    }
    forget_over_limit(tracking, count + EVICT_STEP);
}

static bool is_of_client_command(const struct command *command) {
    return command->parent && strcmp(command->parent->spec->name, "client") == 0;
}

/* CLIENT CACHING is for the next command, or for the whole of the transaction that begins with it.
 */
static void executed(void *ctx, struct call *call, uint32_t met) {
    struct client *client = call->client;
    if (!client->tracker) return; /* the command itself has ended it */
    if (met & GATE_TRACKING) note_keys(ctx, call);
    if (!client->tracker || !(met & GATE_CACHING)) return;
    if (client->multi || is_of_client_command(call->command)) return;
    client->tracker->mode &= ~(unsigned)TRACKING_CACHING;
    tracking__set_gates(client);
}

/* ---- what the keyspace and exec tell ---- */

static void touched(void *ctx, struct db *db, struct bytes key) {
    struct tracking *tracking = ctx;
    (void)db; /* keys of all databases share their names here */
    uint64_t hash = hash_bytes(key);
    struct tracked_key *tracked = key_table_take(&tracking->keys, key, hash);
    if (tracked) tracking__invalidate(tracking, tracked, tracking__author(tracking));
    if (tracking->prefixes.count) tracking__gather(tracking, key, hash);
}

/* FLUSHALL empties one database after the other: all are told once for a command. */
static void flushed(void *ctx, struct db *db) {
    struct tracking *tracking = ctx;
    const struct exec *exec = tracking->exec;
    (void)db;
    if (!tracking->clients) return;
    uint64_t began = exec->current ? exec->now_ticks : 0;
    if (began && tracking->flushed_at == began) return;
    tracking->flushed_at = began;
    tracking__invalidate_all(tracking);
}

static void forget_client(void *ctx, struct client *client) { tracking__disable(ctx, client); }

static size_t client_bytes(void *ctx, const struct client *client) {
    (void)ctx;
    if (!client->tracker) return 0;
    const struct prefix_list *list = &client->tracker->prefixes;
    size_t bytes = sizeof(*client->tracker) + list->cap * sizeof(list->slots[0]);
    for (uint32_t i = 0; i < list->count; i++)
        bytes += list->slots[i].prefix->text_size + sizeof(struct prefix_member);
    return bytes;
}

static void flush(void *ctx) { tracking__broadcast(ctx); }

static void cron(void *ctx) {
    struct tracking *tracking = ctx;
    forget_over_limit(tracking, EVICT_CRON_STEP);
    key_table_step(&tracking->keys);
    if (tracking->body.cap > BUFFER_KEPT_MAX) buf_deinit(&tracking->body);
}

/* ---- INFO ---- */

static void print_keys(struct buf *out, void *ctx) {
    buf_add_i64(out, (int64_t)key_table_count(&((struct tracking *)ctx)->keys));
}

static const struct stats_field stats_fields[] = {
    {.name = "tracking_total_keys", .kind = STATS_PRINT, .print = print_keys},
    {.name = "tracking_total_items",
     .kind = STATS_U64,
     .offset = offsetof(struct tracking, keys.items)},
    {.name = "tracking_total_prefixes",
     .kind = STATS_U32,
     .offset = offsetof(struct tracking, prefixes.count)},
    {0},
};
static const struct stats_field client_fields[] = {
    {.name = "tracking_clients", .kind = STATS_U32, .offset = offsetof(struct tracking, clients)},
    {0},
};

/* ---- life ---- */

const struct config_option tracking_options[] = {
    {
        .name = "tracking-table-max-keys",
        .kind = CONFIG_INT,
        .initial = "1000000",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct tracking_config, max_keys),
        .help = "Keys remembered for clients that cache. 0: no limit.",
    },
    {0},
};

struct tracking *tracking_create(struct exec *exec, const struct tracking_config *config) {
    struct tracking *tracking = mem_zalloc(sizeof(*tracking));
    tracking->exec = exec;
    tracking->config = config;
    key_table_init(&tracking->keys);
    prefixes_init(&tracking->prefixes);
    tracking__broadcast_init(tracking);
    exec->tracking = tracking;

    const struct exec_feature feature = {
        .ctx = tracking,
        .closed = forget_client,
        .reset = forget_client,
        .memory_bytes = client_bytes,
        .executed = executed,
        .flush = flush,
        .cron = cron,
    };
    exec_add_feature(exec, &feature);
    const struct keyspace_observer observer = {
        .ctx = tracking, .touched = touched, .flushed = flushed, .deaf = true};
    keyspace_add_observer(exec->keyspace, &observer);
    stats_fill_fields(exec->registry, "stats", stats_fields, tracking);
    stats_fill_fields(exec->registry, "clients", client_fields, tracking);
    return tracking;
}

void tracking_destroy(struct tracking **tracking_ref) {
    struct tracking *tracking = *tracking_ref;
    if (!tracking) return;
    check(tracking->clients == 0);
    key_table_deinit(&tracking->keys);
    prefixes_deinit(&tracking->prefixes);
    tracking__broadcast_deinit(tracking);
    buf_deinit(&tracking->body);
    mem_free(tracking->targets);
    mem_free(tracking);
    *tracking_ref = NULL;
}

void tracking_verify(const struct tracking *tracking) {
    uint32_t clients = 0;
    for (const struct client *client = tracking->exec->clients_head; client;
         client = client->next) {
        check(!client->tracker == !(client->flags & CLIENT_TRACKING));
        clients += client->tracker != NULL;
    }
    check(clients == tracking->clients);
    key_table_verify(&tracking->keys);
    prefixes_verify(&tracking->prefixes, tracking__list_of);
}
