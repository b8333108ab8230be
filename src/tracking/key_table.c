/* SPDX-License-Identifier: BSD-3-Clause */
#include "tracking/key_table.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"

enum {
    IDS_MIN = 4,              /* numbers in the first array */
    DROP_STEP_BUCKETS = 4096, /* of a dropped table freed by one step */
};

static struct bytes entry_key(const void *entry) { return tracked_key_name(entry); }
static uint64_t entry_hash(const void *entry) { return ((const struct tracked_key *)entry)->hash; }
static void entry_drop(void *entry) {
    struct tracked_key *key = entry;
    tracked_key_destroy(&key);
}

static const struct hashtab_type key_type = {
    .key = entry_key, .hash = entry_hash, .drop = entry_drop};

void key_table_init(struct key_table *table) {
    *table = (struct key_table){.keys = hashtab_create(&key_type)};
}

void key_table_deinit(struct key_table *table) {
    hashtab_destroy(&table->keys);
    hashtab_destroy(&table->dropped);
    *table = (struct key_table){0};
}

size_t key_table_count(const struct key_table *table) { return hashtab_count(table->keys); }

void tracked_key_destroy(struct tracked_key **key) {
    if ((*key)->cap) mem_free((*key)->many);
    mem_free(*key);
    *key = NULL;
}

/* ---- the numbers of a key ---- */

/* Index of the first number that is not below id. */
static uint32_t lower_bound(const struct tracked_key *key, uint64_t id) {
    const uint64_t *ids = tracked_key_ids(key);
    uint32_t from = 0, to = key->count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (ids[middle] < id) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static void make_room(struct tracked_key *key) {
    if (!key->cap) {
        uint64_t one = key->one;
        key->cap = IDS_MIN;
        key->many = mem_alloc(key->cap * sizeof(key->many[0]));
        key->many[0] = one;
    } else if (key->count == key->cap) {
        key->cap *= 2;
        key->many = mem_realloc(key->many, key->cap * sizeof(key->many[0]));
    }
}

/* False if it was there. */
static bool add_id(struct tracked_key *key, uint64_t id) {
    uint32_t at = lower_bound(key, id);
    if (at < key->count && tracked_key_ids(key)[at] == id) return false;
    make_room(key);
    memmove(key->many + at + 1, key->many + at, (key->count - at) * sizeof(key->many[0]));
    key->many[at] = id;
    key->count++;
    return true;
}

/* ---- the table ---- */

void key_table_note(struct key_table *table, struct bytes key, uint64_t hash, uint64_t id) {
    struct tracked_key *found = hashtab_find(table->keys, hash, key);
    if (found) {
        table->items += add_id(found, id);
        return;
    }
    check(key.size <= UINT32_MAX);
    found = mem_alloc(sizeof(*found) + key.size);
    *found =
        (struct tracked_key){.hash = hash, .count = 1, .one = id, .name_size = (uint32_t)key.size};
    if (key.size) memcpy(found->name, key.data, key.size);
    hashtab_add_new(table->keys, hash, found);
    table->items++;
}

struct tracked_key *key_table_take(struct key_table *table, struct bytes key, uint64_t hash) {
    struct tracked_key *found = hashtab_take(table->keys, hash, key);
    if (found) table->items -= found->count;
    return found;
}

struct tracked_key *key_table_take_any(struct key_table *table, struct rng *rng) {
    struct tracked_key *key = hashtab_random(table->keys, rng);
    if (!key) return NULL;
    hashtab_take_entry(table->keys, key->hash, key);
    table->items -= key->count;
    return key;
}

void key_table_drop(struct key_table *table) {
    if (!hashtab_count(table->keys)) return;
    hashtab_destroy(&table->dropped); /* if the last one is still there: it has to go now */
    table->dropped = table->keys;
    table->keys = hashtab_create(&key_type);
    table->items = 0;
}

void key_table_step(struct key_table *table) {
    if (table->dropped && !hashtab_drain(table->dropped, DROP_STEP_BUCKETS, NULL, NULL)) {
        hashtab_destroy(&table->dropped);
    }
}

void key_table_verify(const struct key_table *table) {
    struct hashtab_iter iter;
    const struct tracked_key *key;
    uint64_t items = 0;
    hashtab_verify(table->keys);
    hashtab_iter_init(&iter, table->keys);
    while ((key = hashtab_iter_next(&iter)) != NULL) {
        const uint64_t *ids = tracked_key_ids(key);
        check(key->count > 0);
        check(key->cap ? key->count <= key->cap : key->count == 1);
        check(key->hash == hash_bytes(tracked_key_name(key)));
        for (uint32_t i = 1; i < key->count; i++)
            check(ids[i - 1] < ids[i]);
        items += key->count;
    }
    hashtab_iter_deinit(&iter);
    check(items == table->items);
}
