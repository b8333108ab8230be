/* SPDX-License-Identifier: BSD-3-Clause */
/* evict -- makes room when memory is over maxmemory.
 *
 * LRU and LFU: samples of each database compete for a small pool of the best candidates seen so far
 * (as Redis has done since 3.0); the best of the pool goes. The pool remembers hashes, not
 * pointers: when a candidate's turn comes it is looked up and judged again.
 *
 * volatile-*: the samples come from the table while a fair part of the keys is volatile, else
 * through random records of the expiry index. volatile-ttl asks the index what comes out first, so
 * it is nearly exact. What no sample finds, a scan with a rotating cursor will. */
#include "base/clock.h"
#include "base/hash.h"
#include "keyspace/keyspace_internal.h"

enum {
    SAMPLE_MAX = 64,          /* entries or records looked at in one go */
    TABLE_SHARE = 16,         /* sample the table if one key in so many is volatile */
    SAMPLE_ROUNDS = 8,        /* goes per database, until something is found */
    SCAN_BUCKETS = 1024,      /* looked into by the last resort, per attempt */
    SOONEST_RECORDS = 16,     /* of which volatile-ttl takes the first */
    TENACITY_LINEAR_END = 10, /* up to here 50 us a point, from here on 15 % more a point */
    TENACITY_ENDLESS = 100,
    TENACITY_STEP_US = 50,
};

enum outcome { EVICTED = 0, NOTHING_FOUND /* this time */, NOTHING_THERE };

/* ---- how much ---- */

size_t keyspace_memory_excess(const struct keyspace *ks, size_t not_counted) {
    uint64_t limit = ks->config->maxmemory_bytes;
    if (limit == 0) return 0;
    size_t used = mem_in_use_recent();
    size_t counted = used > not_counted ? used - not_counted : 0;
    return counted > limit ? counted - limit : 0;
}

static uint64_t budget_us(int32_t tenacity) {
    if (tenacity <= TENACITY_LINEAR_END) return (uint64_t)i64_max(tenacity, 0) * TENACITY_STEP_US;
    if (tenacity >= TENACITY_ENDLESS) return UINT64_MAX;
    uint64_t us = (uint64_t)TENACITY_LINEAR_END * TENACITY_STEP_US;
    for (int32_t i = TENACITY_LINEAR_END; i < tenacity; i++)
        us = us * 115 / 100;
    return us;
}

static bool is_volatile_policy(uint8_t policy) {
    return policy >= EVICT_VOLATILE_LRU && policy <= EVICT_VOLATILE_TTL;
}

/* ---- who may go ---- */

/* The next volatile entry that a record of the index stands for; NULL if there are no more, and at
 * once if the record is stale. *skip begins with 0. */
static struct entry *entry_of_record(const struct db *db, uint32_t record, unsigned *skip) {
    struct hashtab_record_match match;
    while (hashtab_record_find(db->table, record, (*skip)++, &match)) {
        struct entry *entry = match.entry;
        if (!entry_expires(entry)) continue;
        if (hashtab_record(hash_bytes(entry_key(entry))) == record) return entry;
    }
    return NULL;
}

/* A few volatile entries through random records. */
static size_t sample_index(struct db *db, struct entry **out, size_t max) {
    uint32_t records[SAMPLE_MAX];
    struct wheel *wheel = db->wheel;
    size_t found = 0;
    if (db->purged && (!wheel || wheel_count(db->purged) > wheel_count(wheel))) wheel = db->purged;
    if (!wheel) return 0;
    size_t count = wheel_sample(wheel, &db->ks->rng, records, SAMPLE_MAX);
    for (size_t i = 0; i < count && found < max; i++) {
        unsigned skip = 0;
        struct entry *entry = entry_of_record(db, records[i], &skip);
        if (entry) out[found++] = entry;
    }
    return found;
}

/* Places are drawn two goes ahead: the bucket is fetched in one, its entries in the next. */
static size_t sample_table(struct db *db, struct entry **out, size_t max, bool volatile_only) {
    void *entries[SAMPLE_MAX];
    size_t want = volatile_only ? SAMPLE_MAX : size_min(max, SAMPLE_MAX), found = 0;
    uint64_t where = db->sample_ahead[0];
    db->sample_ahead[0] = db->sample_ahead[1];
    db->sample_ahead[1] = rng_next(&db->ks->rng);
    hashtab_sample_prefetch(db->table, db->sample_ahead[1]);
    size_t count = hashtab_sample(db->table, db->sample_ahead[0], entries, want);
    for (size_t i = 0; i < count; i++)
        prefetch_line(entries[i]);
    count = hashtab_sample(db->table, where, entries, want);
    for (size_t i = 0; i < count && found < max; i++) {
        struct entry *entry = entries[i];
        if (!volatile_only || entry_expires(entry)) out[found++] = entry;
    }
    return found;
}

/* The last resort: goes through the buckets from where it stopped. */
struct search {
    struct entry **out;
    size_t found, max;
    bool volatile_only;
};

static void search_visit(void *entry, void *ctx) {
    struct search *search = ctx;
    if (search->found == search->max) return;
    if (search->volatile_only && !entry_expires(entry)) return;
    search->out[search->found++] = entry;
}

static size_t search_table(struct db *db, struct entry **out, size_t max, bool volatile_only) {
    struct search search = {out, 0, max, volatile_only};
    struct keyspace *ks = db->ks;
    for (int i = 0; i < SCAN_BUCKETS && search.found == 0; i++) {
        ks->evict_cursor = hashtab_scan(db->table, ks->evict_cursor, search_visit, &search);
    }
    return search.found;
}

/* Up to max entries that the policy lets go. 0 only if a bounded search found none. */
static size_t sample(struct db *db, bool volatile_only, struct entry **out, size_t max) {
    size_t found = 0, count = hashtab_count(db->table);
    bool through_index = volatile_only && db->volatile_count < count / TABLE_SHARE;
    for (int i = 0; i < SAMPLE_ROUNDS && found == 0; i++) {
        found =
            through_index ? sample_index(db, out, max) : sample_table(db, out, max, volatile_only);
    }
    return found ? found : search_table(db, out, max, volatile_only);
}

/* ---- LRU and LFU: the pool ---- */

static bool uses_lfu(uint8_t policy) {
    return policy == EVICT_VOLATILE_LFU || policy == EVICT_ALLKEYS_LFU;
}

static uint64_t score_of(const struct keyspace *ks, const struct entry *entry) {
    if (uses_lfu(ks->config->policy)) return 255u - entry_lfu_counter(ks, entry);
    return entry_idle_seconds(ks, entry);
}

static void pool_offer(struct keyspace *ks, const struct db *db, const struct entry *entry) {
    struct evict_candidate *pool = ks->pool;
    uint64_t score = score_of(ks, entry);
    bool full = ks->pool_count == EVICT_POOL_SIZE;
    if (full && score <= pool[0].score) return;

    uint64_t hash = hash_bytes(entry_key(entry));
    int at = 0;
    for (int i = 0; i < ks->pool_count; i++) {
        if (pool[i].hash == hash && pool[i].db_index == db->index) return;
        if (pool[i].score < score) at = i + 1;
    }
    if (full) { /* the worst makes room */
        memmove(pool, pool + 1, (size_t)--at * sizeof(*pool));
    } else {
        memmove(pool + at + 1, pool + at, (size_t)(ks->pool_count - at) * sizeof(*pool));
        ks->pool_count++;
    }
    pool[at] = (struct evict_candidate){score, hash, db->index};
}

/* The best candidate that is still there and still as good; NULL if the pool has none. */
static struct entry *pool_take(struct keyspace *ks, bool volatile_only, struct db **db_out) {
    while (ks->pool_count > 0) {
        const struct evict_candidate *best = &ks->pool[--ks->pool_count];
        struct db *db = &ks->dbs[best->db_index];
        struct hashtab_place place;
        struct entry *entry;
        for (unsigned skip = 0;; skip++) {
            entry = table__candidate(db->table, best->hash, skip, &place);
            if (!entry || hash_bytes(entry_key(entry)) == best->hash) break;
        }
        if (!entry || (volatile_only && !entry_expires(entry))) continue;
        if (score_of(ks, entry) < best->score) continue; /* used since */
        *db_out = db;
        return entry;
    }
    return NULL;
}

/* The best candidate will be looked up soon: its bucket in one step, its entry in the next. */
static void pool_prefetch(const struct keyspace *ks, unsigned step) {
    if (ks->pool_count == 0) return;
    const struct evict_candidate *best = &ks->pool[ks->pool_count - 1];
    const struct hashtab *table = ks->dbs[best->db_index].table;
    if (step == 0) {
        hashtab_prefetch_bucket(table, best->hash);
    } else {
        hashtab_prefetch_entry(table, best->hash);
    }
}

static enum outcome evict_by_pool(struct keyspace *ks) {
    pool_prefetch(ks, 1);
    bool volatile_only = is_volatile_policy(ks->config->policy);
    size_t want = size_min((size_t)i64_max(ks->config->samples, 1), SAMPLE_MAX);
    struct entry *sampled[SAMPLE_MAX];
    bool any = false;
    for (int32_t i = 0; i < ks->db_count; i++) {
        struct db *db = &ks->dbs[i];
        if ((volatile_only ? db->volatile_count : hashtab_count(db->table)) == 0) continue;
        any = true;
        size_t count = sample(db, volatile_only, sampled, want);
        for (size_t k = 0; k < count; k++)
            pool_offer(ks, db, sampled[k]);
    }
    struct db *db = NULL;
    struct entry *victim = pool_take(ks, volatile_only, &db);
    if (!victim) return any ? NOTHING_FOUND : NOTHING_THERE;
    keyspace_remove(db, victim, KEY_EVICTED);
    pool_prefetch(ks, 0);
    return EVICTED;
}

/* ---- random ---- */

static enum outcome evict_random(struct keyspace *ks) {
    bool volatile_only = is_volatile_policy(ks->config->policy);
    bool any = false;
    for (int32_t i = 0; i < ks->db_count; i++) {
        struct db *db = &ks->dbs[ks->evict_db];
        ks->evict_db = (ks->evict_db + 1) % ks->db_count;
        if ((volatile_only ? db->volatile_count : hashtab_count(db->table)) == 0) continue;
        any = true;
        struct entry *victim;
        if (!volatile_only) {
            victim = hashtab_random(db->table, &ks->rng);
        } else if (sample(db, true, &victim, 1) == 0) {
            continue;
        }
        keyspace_remove(db, victim, KEY_EVICTED);
        return EVICTED;
    }
    return any ? NOTHING_FOUND : NOTHING_THERE;
}

/* ---- soonest expiry ---- */

/* The wheel of any database whose next record comes out first; NULL if there is none. */
static struct wheel *soonest_wheel(struct keyspace *ks, struct db **db_out) {
    struct wheel *soonest = NULL;
    uint64_t first = UINT64_MAX;
    for (int32_t i = 0; i < ks->db_count; i++) {
        struct db *db = &ks->dbs[i];
        struct wheel *wheels[] = {db->wheel, db->purged};
        for (size_t k = 0; k < COUNT_OF(wheels) && db->volatile_count > 0; k++) {
            if (!wheels[k] || wheel_count(wheels[k]) == 0) continue;
            uint64_t tick = wheel_next_tick(wheels[k]);
            if (soonest && tick >= first) continue;
            first = tick;
            soonest = wheels[k];
            *db_out = db;
        }
    }
    return soonest;
}

/* The entries of a record compete with the victim so far; who stays is filed again. */
static struct entry *choose_sooner(struct db *db, uint32_t record, struct entry *victim) {
    unsigned skip = 0;
    struct entry *entry;
    while ((entry = entry_of_record(db, record, &skip)) != NULL) {
        struct entry *stays = entry;
        if (entry == victim) continue;
        if (!victim || entry_expiry_ms(entry) < entry_expiry_ms(victim)) {
            stays = victim;
            victim = entry;
        }
        if (stays) expire__file(db, stays, hash_bytes(entry_key(stays)));
    }
    return victim;
}

static enum outcome evict_soonest(struct keyspace *ks) {
    struct db *db = NULL;
    struct wheel *wheel = soonest_wheel(ks, &db);
    if (!wheel) return NOTHING_THERE;

    uint32_t records[SOONEST_RECORDS];
    struct entry *victim = NULL;
    size_t count = wheel_take_soonest(wheel, records, SOONEST_RECORDS);
    for (size_t i = 0; i < count; i++)
        victim = choose_sooner(db, records[i], victim);
    if (!victim) return NOTHING_FOUND;
    keyspace_remove(db, victim, KEY_EVICTED);
    return EVICTED;
}

/* ---- the step ---- */

static enum outcome evict_one(struct keyspace *ks) {
    switch ((enum evict_policy)ks->config->policy) {
    case EVICT_NONE: return NOTHING_THERE;
    case EVICT_VOLATILE_LRU:
    case EVICT_VOLATILE_LFU:
    case EVICT_ALLKEYS_LRU:
    case EVICT_ALLKEYS_LFU: return evict_by_pool(ks);
    case EVICT_VOLATILE_RANDOM:
    case EVICT_ALLKEYS_RANDOM: return evict_random(ks);
    case EVICT_VOLATILE_TTL: return evict_soonest(ks);
    }
    panic("evict: unknown policy %u", ks->config->policy);
}

static enum evict_result evict_until(struct keyspace *ks, size_t not_counted) {
    uint64_t budget = budget_us(ks->config->tenacity);
    uint64_t begin = clock_ticks();
    uint64_t budget_ticks = budget == UINT64_MAX ? UINT64_MAX : clock_us_to_ticks(budget);
    ks->evict_disposed = 0;
    while (keyspace_memory_excess(ks, not_counted) > ks->evict_disposed) {
        enum outcome outcome = evict_one(ks);
        if (outcome == NOTHING_THERE) {
            return ks->stats.lazyfree_pending > 0 ? EVICT_RUNNING : EVICT_FAIL;
        }
        if (clock_ticks() - begin >= budget_ticks) return EVICT_RUNNING;
    }
    return EVICT_OK;
}

enum evict_result keyspace_evict(struct keyspace *ks, size_t not_counted) {
    struct keyspace_stats *stats = &ks->stats;
    enum evict_result result = EVICT_OK;
    if (keyspace_memory_excess(ks, not_counted) > 0) {
        if (stats->eviction_exceeded_since_us == 0) {
            stats->eviction_exceeded_since_us = clock_mono_ns() / 1000;
        }
        result = evict_until(ks, not_counted);
    }
    if (result == EVICT_OK && stats->eviction_exceeded_since_us != 0) {
        int64_t us = clock_mono_ns() / 1000 - stats->eviction_exceeded_since_us;
        stats->eviction_exceeded_us += (uint64_t)i64_max(us, 0);
        stats->eviction_exceeded_since_us = 0;
    }
    return result;
}
