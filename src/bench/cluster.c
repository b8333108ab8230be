/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/cluster.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "client/link.h"

char (*cluster_tags_create(void))[3] {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const size_t base = sizeof(letters) - 1;
    char(*tags)[3] = mem_zalloc_array(CLUSTER_SLOTS, sizeof(*tags));
    size_t found = 0;
    for (size_t i = 0; i < base * base * base && found < CLUSTER_SLOTS; i++) {
        char tag[3] = {letters[i / base / base], letters[i / base % base], letters[i % base]};
        uint16_t slot = hash_crc16(bytes_make(tag, sizeof(tag))) % CLUSTER_SLOTS;
        if (tags[slot][0]) continue;
        memcpy(tags[slot], tag, sizeof(tag));
        found++;
    }
    check(found == CLUSTER_SLOTS);
    return tags;
}

bool cluster_node_is_used(const struct cluster_node *node, enum bench_read_from read_from) {
    if (node->slot_count == 0) return false;
    if (read_from == BENCH_READ_ALL) return true;
    return node->is_replica == (read_from == BENCH_READ_REPLICAS);
}

/* ---- reading the reply ---- */

static struct cluster_node *find_or_add_node(struct cluster_map *map, const char *host,
                                             uint16_t port) {
    for (size_t i = 0; i < map->node_count; i++) {
        struct cluster_node *node = &map->nodes[i];
        if (node->port == port && strcmp(node->host, host) == 0) return node;
    }
    if (map->node_count == CLUSTER_NODES_MAX) return NULL;
    map->nodes = mem_realloc(map->nodes, (map->node_count + 1) * sizeof(*map->nodes));
    struct cluster_node *node = &map->nodes[map->node_count++];
    *node = (struct cluster_node){.host = mem_strdup(host), .port = port};
    return node;
}

static void add_slots(struct cluster_node *node, int64_t first, int64_t last) {
    size_t count = (size_t)(last - first + 1);
    if (node->slot_count + count > CLUSTER_SLOTS) return; /* said twice */
    node->slots = mem_realloc(node->slots, (node->slot_count + count) * sizeof(*node->slots));
    for (int64_t slot = first; slot <= last; slot++) {
        node->slots[node->slot_count++] = (uint16_t)slot;
    }
}

/* [host, port, id, ...]; an empty or unknown host is the one that was asked. */
static struct cluster_node *read_node(struct cluster_map *map, const struct resp_value *value,
                                      const char *asked_host) {
    if (value->kind != RESP_ARRAY || value->count < 2 || value->items[1].kind != RESP_INTEGER) {
        return NULL;
    }
    const struct resp_value *host = &value->items[0];
    int64_t port = value->items[1].integer;
    bool has_host = host->kind == RESP_STRING && host->text.size > 0 && host->text.data[0] != '?';
    if (port < 1 || port > UINT16_MAX) return NULL;
    return find_or_add_node(map, has_host ? host->text.data : asked_host, (uint16_t)port);
}

/* [first, last, primary, replica...] */
static bool read_range(struct cluster_map *map, const struct resp_value *range,
                       const char *asked_host) {
    if (range->kind != RESP_ARRAY || range->count < 3) return false;
    if (range->items[0].kind != RESP_INTEGER || range->items[1].kind != RESP_INTEGER) return false;
    int64_t first = range->items[0].integer, last = range->items[1].integer;
    if (first < 0 || last < first || last >= CLUSTER_SLOTS) return false;
    for (size_t i = 2; i < range->count; i++) {
        struct cluster_node *node = read_node(map, &range->items[i], asked_host);
        if (!node) return false;
        node->is_replica = i > 2;
        add_slots(node, first, last);
    }
    return true;
}

enum err cluster_map_read(struct cluster_map *map, const struct resp_value *reply,
                          const char *asked_host, enum bench_read_from read_from,
                          struct diag *diag) {
    if (reply->kind == RESP_ERROR) {
        return diag_set(diag, ERR_UNSUPPORTED, "the server says to CLUSTER SLOTS: %s",
                        reply->text.data);
    }
    if (reply->kind != RESP_ARRAY) {
        return diag_set(diag, ERR_SYNTAX, "CLUSTER SLOTS did not bring a list");
    }
    for (size_t i = 0; i < reply->count; i++) {
        if (!read_range(map, &reply->items[i], asked_host)) {
            return diag_set(diag, ERR_SYNTAX, "the reply of CLUSTER SLOTS is ill-formed");
        }
    }
    for (size_t i = 0; i < map->node_count; i++) {
        if (cluster_node_is_used(&map->nodes[i], read_from)) return ERR_NONE;
    }
    return diag_set(diag, ERR_NOT_FOUND, "the cluster has no %s with slots",
                    read_from == BENCH_READ_REPLICAS ? "replica" : "node");
}

/* ---- asking ---- */

static enum err resolve_nodes(const struct bench_options *options, struct cluster_map *map,
                              struct diag *diag) {
    for (size_t i = 0; i < map->node_count; i++) {
        struct cluster_node *node = &map->nodes[i];
        struct client_target targets[CLIENT_TARGETS_MAX];
        struct client_options where;
        size_t count = 0;
        client_options_copy(&where, &options->client);
        client_option_set_text(&where.host, node->host);
        where.port = node->port;
        enum err err = client_resolve(&where, targets, &count, diag);
        client_options_deinit(&where);
        if (err != ERR_NONE) return err;
        node->target = targets[0];
    }
    return ERR_NONE;
}

static enum err ask(const struct bench_options *options, int wake_fd, const char *host,
                    uint16_t port, struct cluster_map *map, struct diag *diag) {
    static const char *const words[] = {"CLUSTER", "SLOTS", NULL};
    struct client_link link;
    struct client_options where;
    struct resp_value *reply = NULL;
    client_options_copy(&where, &options->client);
    client_option_set_text(&where.host, host);
    where.port = port;
    client_link_init(&link);
    link.wake_fd = wake_fd;
    enum err err = client_link_open(&link, &where, diag);
    if (err == ERR_NONE) err = client_link_greet(&link, &where, diag);
    if (err == ERR_NONE) err = client_link_call(&link, words, &reply, diag);
    if (err == ERR_NONE) err = cluster_map_read(map, reply, host, options->read_from, diag);
    if (err == ERR_NONE) err = resolve_nodes(options, map, diag);
    resp_value_destroy(&reply);
    client_link_deinit(&link);
    client_options_deinit(&where);
    return err;
}

static void clear_map(struct cluster_map *map) {
    for (size_t i = 0; i < map->node_count; i++) {
        mem_free(map->nodes[i].host);
        mem_free(map->nodes[i].slots);
    }
    mem_free(map->nodes);
    map->nodes = NULL;
    map->node_count = 0;
}

/* The nodes of the older map, so that they keep their places. */
static void take_places(struct cluster_map *map, const struct cluster_map *older) {
    for (size_t i = 0; older && i < older->node_count; i++) {
        struct cluster_node *node =
            find_or_add_node(map, older->nodes[i].host, older->nodes[i].port);
        check(node == &map->nodes[i]);
    }
}

bool cluster_map_equals(const struct cluster_map *map, const struct cluster_map *other) {
    if (map->node_count != other->node_count) return false;
    for (size_t i = 0; i < map->node_count; i++) {
        const struct cluster_node *node = &map->nodes[i], *peer = &other->nodes[i];
        if (node->port != peer->port || strcmp(node->host, peer->host) != 0) return false;
        if (node->is_replica != peer->is_replica || node->slot_count != peer->slot_count) {
            return false;
        }
        if (!bytes_equal(bytes_make(node->slots, node->slot_count * sizeof(*node->slots)),
                         bytes_make(peer->slots, peer->slot_count * sizeof(*peer->slots)))) {
            return false;
        }
    }
    return true;
}

enum err cluster_map_fetch(const struct bench_options *options, int wake_fd,
                           struct cluster_map *older, struct cluster_map **out, struct diag *diag) {
    struct cluster_map *map = mem_zalloc(sizeof(*map));
    enum err err = ERR_NOT_FOUND;
    for (size_t i = 0; older && err != ERR_NONE && i < older->node_count; i++) {
        clear_map(map);
        take_places(map, older);
        err = ask(options, wake_fd, older->nodes[i].host, older->nodes[i].port, map, diag);
    }
    if (err != ERR_NONE) {
        clear_map(map);
        take_places(map, older);
        err = ask(options, wake_fd, options->client.host, options->client.port, map, diag);
    }
    if (err != ERR_NONE) {
        cluster_map_destroy(&map);
        return err;
    }
    /* As long as a slot moves, there is a redirection for each of its keys, and no news. */
    if (older && cluster_map_equals(map, older)) {
        cluster_map_destroy(&map);
        *out = older;
        return ERR_NONE;
    }
    map->older = older;
    *out = map;
    return ERR_NONE;
}

void cluster_map_destroy(struct cluster_map **map) {
    while (*map) {
        struct cluster_map *older = (*map)->older;
        clear_map(*map);
        mem_free(*map);
        *map = older;
    }
}
