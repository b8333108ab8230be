/* SPDX-License-Identifier: BSD-3-Clause */
/* watch -- who watches which key.
 *
 *   exec->watched: table (database, key) ─▶ watch_point ─▶ list of watched_key, one a client
 *   client->watches: list of the client's watched_key                                        */
#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "ds/hashtab.h"
#include "exec/call.h"
#include "exec/exec_internal.h"
#include "exec/multi.h"

struct watch_point {
    struct watched_key *watchers; /* never empty */
    uint64_t hash;
    size_t key_size; /* with the database number in front */
    char key[];      /* 4 bytes database, then the key */
};

struct watched_key {
    struct client *client;
    struct watch_point *point;
    struct watched_key *next_of_client;
    struct watched_key *next_of_point, *prev_of_point;
    bool expired; /* it had already expired when the watch began */
};

enum { WATCH_PREFIX = 4, WATCH_KEY_LOCAL = 256 };

static struct bytes point_key(const void *entry) {
    const struct watch_point *point = entry;
    return bytes_make(point->key, point->key_size);
}
static uint64_t point_hash(const void *entry) { return ((const struct watch_point *)entry)->hash; }
static void point_drop(void *entry) { mem_free(entry); }

static const struct hashtab_type point_type = {
    .key = point_key, .hash = point_hash, .drop = point_drop};

void watch_init(struct exec *exec) { exec->watched = hashtab_create(&point_type); }
void watch_deinit(struct exec *exec) { hashtab_destroy(&exec->watched); }

size_t watch_key_count(const struct exec *exec) { return hashtab_count(exec->watched); }

/* The table's key for a key of a database. scratch has WATCH_KEY_LOCAL bytes; what is longer is
 * allocated, and freed by the caller if the result does not lie in scratch. */
static struct bytes watch_name(int32_t db, struct bytes key, char *scratch) {
    size_t size = WATCH_PREFIX + key.size;
    char *at = size <= WATCH_KEY_LOCAL ? scratch : mem_alloc(size);
    memcpy(at, &db, WATCH_PREFIX);
    if (key.size) memcpy(at + WATCH_PREFIX, key.data, key.size);
    return bytes_make(at, size);
}
static void watch_name_free(struct bytes name, const char *scratch) {
    if (name.data != scratch) mem_free((void *)(uintptr_t)name.data);
}

/* Looks at the key's watchers and the client's keys in step: no longer than the shorter list. */
static bool is_watched_by(const struct watch_point *point, const struct client *client) {
    const struct watched_key *by_point = point->watchers, *by_client = client->watches;
    while (by_point && by_client) {
        if (by_point->client == client || by_client->point == point) return true;
        by_point = by_point->next_of_point;
        by_client = by_client->next_of_client;
    }
    return false;
}

void watch_key(struct client *client, struct db *db, struct bytes key, uint64_t hash) {
    struct exec *exec = client->exec;
    char scratch[WATCH_KEY_LOCAL];
    struct bytes name = watch_name(db_index(db), key, scratch);
    uint64_t name_hash = hash_bytes(name);
    struct watch_point *point = hashtab_find(exec->watched, name_hash, name);
    if (point && is_watched_by(point, client)) {
        watch_name_free(name, scratch);
        return;
    }
    if (!point) {
        point = mem_alloc(sizeof(*point) + name.size);
        point->watchers = NULL;
        point->hash = name_hash;
        point->key_size = name.size;
        memcpy(point->key, name.data, name.size);
        check(hashtab_add(exec->watched, name_hash, point));
    }
    watch_name_free(name, scratch);
    struct entry *entry =
        keyspace_find(db, key, hash, LOOKUP_EXPIRED_TOO | LOOKUP_NO_TOUCH | LOOKUP_NO_STATS);
    struct watched_key *watched = mem_alloc(sizeof(*watched));
    *watched = (struct watched_key){
        .client = client,
        .point = point,
        .next_of_client = client->watches,
        .next_of_point = point->watchers,
        .expired = entry && keyspace_is_expired(exec->keyspace, entry),
    };
    if (point->watchers) point->watchers->prev_of_point = watched;
    point->watchers = watched;
    if (!client->watches && exec->watching_clients++ == 0) exec__interest_changed(exec);
    client->watches = watched;
    client->watch_count++;
}

void watch_clear(struct client *client) {
    struct exec *exec = client->exec;
    if (!client->watches) return;
    while (client->watches) {
        struct watched_key *watched = client->watches;
        struct watch_point *point = watched->point;
        client->watches = watched->next_of_client;
        if (watched->prev_of_point) {
            watched->prev_of_point->next_of_point = watched->next_of_point;
        } else {
            point->watchers = watched->next_of_point;
        }
        if (watched->next_of_point) watched->next_of_point->prev_of_point = watched->prev_of_point;
        mem_free(watched);
        if (point->watchers) continue;
        check(hashtab_take(exec->watched, point->hash, point_key(point)) == point);
        mem_free(point);
    }
    client->watch_count = 0;
    if (--exec->watching_clients == 0) exec__interest_changed(exec);
}

static struct db *point_db(const struct exec *exec, const struct watch_point *point) {
    int32_t index;
    memcpy(&index, point->key, WATCH_PREFIX);
    return keyspace_db(exec->keyspace, index);
}

static struct entry *point_entry(const struct watch_point *point, struct db *db) {
    struct bytes key = bytes_make(point->key + WATCH_PREFIX, point->key_size - WATCH_PREFIX);
    return keyspace_find(db, key, hash_bytes(key),
                         LOOKUP_EXPIRED_TOO | LOOKUP_NO_TOUCH | LOOKUP_NO_STATS);
}

void watch_check_expired(struct client *client) {
    const struct exec *exec = client->exec;
    for (struct watched_key *watched = client->watches; watched;
         watched = watched->next_of_client) {
        if (watched->expired) continue;
        struct db *db = point_db(exec, watched->point);
        struct entry *entry = point_entry(watched->point, db);
        if (entry && keyspace_is_expired(exec->keyspace, entry)) client->flags |= CLIENT_DIRTY_CAS;
    }
}

size_t watch_memory_bytes(const struct client *client) {
    size_t bytes = 0;
    for (struct watched_key *w = client->watches; w; w = w->next_of_client)
        bytes += sizeof(*w) + sizeof(*w->point) + w->point->key_size;
    return bytes;
}

/* ---- changes ---- */

static never_inline void spoil_watchers(const struct exec *exec, const struct db *db,
                                        struct bytes key) {
    char scratch[WATCH_KEY_LOCAL];
    struct bytes name = watch_name(db_index(db), key, scratch);
    struct watch_point *point = hashtab_find(exec->watched, hash_bytes(name), name);
    watch_name_free(name, scratch);
    /* A key that had expired when the watch began, and is now removed, has not changed. */
    if (!point) return;
    for (struct watched_key *watched = point->watchers; watched; watched = watched->next_of_point) {
        if (watched->expired) {
            watched->expired = false;
            continue;
        }
        watched->client->flags |= CLIENT_DIRTY_CAS;
    }
}

void watch_touched(struct exec *exec, struct db *db, struct bytes key) {
    if (unlikely(exec->watching_clients)) spoil_watchers(exec, db, key);
}

/* The key's entry old (or NULL) is about to be replaced with new (or NULL). An expired entry is as
 * good as none. */
static void point_replaced(struct exec *exec, struct watch_point *point, const struct entry *old,
                           const struct entry *new) {
    bool new_expired = new &&keyspace_is_expired(exec->keyspace, new);
    for (struct watched_key *watched = point->watchers; watched; watched = watched->next_of_point) {
        bool was_there = old && !watched->expired;
        if (was_there || (new && !new_expired)) {
            watched->client->flags |= CLIENT_DIRTY_CAS;
        } else {
            watched->expired = new_expired;
        }
    }
}

/* All entries of db are about to be replaced with those of with, or with nothing. */
static void watch_replaced(struct exec *exec, struct db *db, struct db *with) {
    struct hashtab_iter iter;
    hashtab_iter_init(&iter, exec->watched);
    struct watch_point *point;
    while ((point = hashtab_iter_next(&iter)) != NULL) {
        if (point_db(exec, point) != db) continue;
        point_replaced(exec, point, point_entry(point, db), with ? point_entry(point, with) : NULL);
    }
    hashtab_iter_deinit(&iter);
}

void watch_flushed(struct exec *exec, struct db *db) {
    if (exec->watching_clients) watch_replaced(exec, db, NULL);
}

void watch_swapped(struct exec *exec, struct db *a, struct db *b) {
    if (!exec->watching_clients) return;
    watch_replaced(exec, a, b);
    watch_replaced(exec, b, a);
}
