/* SPDX-License-Identifier: BSD-3-Clause */
/* find -- look-up, and the three bytes in which an entry remembers when or how often it was used.
 *
 *      LRU   24 bits   seconds
 *      LFU   16 bits   minutes, then 8 bits: a counter of the logarithm of the accesses (Morris,
 *                      1978), which falls by one for each lfu-decay-time minutes without any
 *
 * The policy says which it is; after a change of policy the old ones are read as the new kind. */
#include "base/hash.h"
#include "keyspace/keyspace_internal.h"

enum {
    RANDOM_TRIES = 100, /* draws of keyspace_random that meet expired keys only */
    MINUTES_MASK = 0xffff,
    LFU_MAX = 255,
};

static uint32_t minutes_now(const struct keyspace *ks) {
    return (uint32_t)(ks->now_ms / 60000) & MINUTES_MASK;
}

uint32_t keyspace_lru_clock(const struct keyspace *ks) {
    return (uint32_t)(ks->now_ms / 1000) & CLOCK_MASK;
}

uint64_t entry_idle_seconds(const struct keyspace *ks, const struct entry *entry) {
    return (keyspace_lru_clock(ks) - entry_clock(entry)) & CLOCK_MASK;
}

uint8_t entry_lfu_counter(const struct keyspace *ks, const struct entry *entry) {
    uint32_t clock = entry_clock(entry), counter = clock & LFU_MAX;
    int32_t decay_minutes = ks->config->lfu_decay_minutes;
    if (decay_minutes <= 0) return (uint8_t)counter;
    uint32_t idle = (minutes_now(ks) - (clock >> 8)) & MINUTES_MASK;
    uint32_t fallen = idle / (uint32_t)decay_minutes;
    return (uint8_t)(fallen < counter ? counter - fallen : 0);
}

void keyspace_set_idle_seconds(const struct keyspace *ks, struct entry *entry, uint64_t seconds) {
    if (ks->is_lfu) return;
    uint32_t idle = (uint32_t)(seconds < CLOCK_MASK ? seconds : CLOCK_MASK);
    entry_set_clock(entry, (keyspace_lru_clock(ks) - idle) & CLOCK_MASK);
}

void keyspace_set_lfu_counter(const struct keyspace *ks, struct entry *entry, uint8_t counter) {
    if (ks->is_lfu) entry_set_clock(entry, minutes_now(ks) << 8 | counter);
}

uint32_t keyspace__new_clock(const struct keyspace *ks) {
    return ks->is_lfu ? ks->clock_now << 8 | LFU_START : ks->clock_now;
}

never_inline static void count_access(struct keyspace *ks, struct entry *e) {
    uint32_t counter = entry_lfu_counter(ks, e);
    if (counter < LFU_MAX) {
        uint32_t base = counter > LFU_START ? counter - LFU_START : 0;
        uint64_t odds = (uint64_t)base * (uint64_t)i64_max(ks->config->lfu_log_factor, 0) + 1;
        if (rng_below(&ks->rng, odds) == 0) counter++;
    }
    entry_set_clock(e, ks->clock_now << 8 | counter);
}

static inline void touch(struct keyspace *ks, struct entry *e) {
    if (unlikely(ks->is_lfu)) {
        count_access(ks, e);
    } else if (entry_clock(e) != ks->clock_now) { /* a clean line stays clean */
        entry_set_clock(e, ks->clock_now);
    }
}

void keyspace_prefetch_bucket(const struct db *db, uint64_t hash) {
    hashtab_prefetch_bucket_inline(db->table, hash);
}

void keyspace_prefetch_entry(const struct db *db, uint64_t hash) {
    hashtab_prefetch_entry_inline(db->table, hash);
}

bool keyspace_is_expired(const struct keyspace *ks, const struct entry *entry) {
    return entry__is_due(ks, entry);
}

static struct entry *miss(struct db *db, struct bytes key, unsigned flags) {
    if (flags & (LOOKUP_WRITE | LOOKUP_NO_STATS)) return NULL;
    db->ks->stats.misses++;
    keyspace__event(db, key, EVENT_MISS, "keymiss");
    return NULL;
}

/* What to do with an entry whose time is up: it is not found. */
static struct entry *find_due(struct db *db, struct entry *entry, struct bytes key,
                              unsigned flags) {
    if (db->ks->expire_by_access) keyspace_remove(db, entry, KEY_EXPIRED);
    return miss(db, key, flags);
}

const struct entry *keyspace_peek(const struct db *db, struct bytes key, uint64_t hash) {
    return hashtab_find_with(db->table, hash, key, entry__has_key);
}

struct entry *keyspace_find(struct db *db, struct bytes key, uint64_t hash, unsigned flags) {
    struct keyspace *ks = db->ks;
    dcheck(hash == hash_bytes(key));
    struct entry *entry = hashtab_find_with(db->table, hash, key, entry__has_key);
    if (!entry) return miss(db, key, flags);
    if (entry__is_due(ks, entry) && !(flags & LOOKUP_EXPIRED_TOO)) {
        return find_due(db, entry, key, flags);
    }
    if (!(flags & (LOOKUP_WRITE | LOOKUP_NO_STATS))) ks->stats.hits++;
    if (!(flags & LOOKUP_NO_TOUCH)) touch(ks, entry);
    return entry;
}

struct entry *keyspace_random(struct db *db) {
    for (int i = 0; i < RANDOM_TRIES; i++) {
        struct entry *entry = hashtab_random(db->table, &db->ks->rng);
        if (!entry) return NULL;
        if (!entry__is_due(db->ks, entry)) return entry;
        if (!db->ks->expire_by_access) continue;
        keyspace_remove(db, entry, KEY_EXPIRED);
        i = -1; /* the table became smaller: this ends */
    }
    return NULL;
}
