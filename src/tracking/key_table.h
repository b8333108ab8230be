/* SPDX-License-Identifier: BSD-3-Clause */
/* key_table -- which clients have read which key, by the numbers of the clients.
 *
 * Numbers are never used again, so a client that goes leaves its numbers behind, to be found
 * meaningless later. Keys of the same name in different databases are one.
 *
 *   table: name ─▶ tracked_key: one number, or a sorted array of them
 * Executor only. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/random.h"
#include "ds/hashtab.h"

struct tracked_key {
    uint64_t hash;
    uint32_t count; /* of ids, never 0 */
    uint32_t cap;   /* of many; 0: the only number is one */
    union {
        uint64_t one;
        uint64_t *many; /* rising */
    };
    uint32_t name_size;
    char name[];
};

struct key_table {
    struct hashtab *keys;
    struct hashtab *dropped; /* a former table that is being freed step by step, or NULL */
    uint64_t items;          /* numbers in keys, in all */
};

void key_table_init(struct key_table *table);
void key_table_deinit(struct key_table *table);

size_t key_table_count(const struct key_table *table);
/* The client has read the key. O(log clients of the key); if it is new to them, O(clients). */
void key_table_note(struct key_table *table, struct bytes key, uint64_t hash, uint64_t id);
/* Removes the key and hands it over; NULL if nobody has read it. O(1). */
must_use struct tracked_key *key_table_take(struct key_table *table, struct bytes key,
                                            uint64_t hash);
/* The same with a random one; NULL if there is none. */
must_use struct tracked_key *key_table_take_any(struct key_table *table, struct rng *rng);
/* Forgets all. O(1), for the memory is given back by key_table_step. */
void key_table_drop(struct key_table *table);
/* Frees some of what was dropped. */
void key_table_step(struct key_table *table);

static inline struct bytes tracked_key_name(const struct tracked_key *key) {
    return bytes_make(key->name, key->name_size);
}
static inline const uint64_t *tracked_key_ids(const struct tracked_key *key) {
    return key->cap ? key->many : &key->one;
}
void tracked_key_destroy(struct tracked_key **key);

/* Checks every invariant. O(n); for tests. */
void key_table_verify(const struct key_table *table);
