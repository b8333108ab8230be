/* SPDX-License-Identifier: BSD-3-Clause */
/* keyspace_internal -- the structs behind keyspace.h, and what its files share.
 *
 * keyspace.c life, observers, walking    find.c    look-up, LRU and LFU clocks
 * string.c   SET and editing             change.c  other changes, removal, flush
 * expire.c   the expiry index            evict.c   maxmemory
 * elements.c elements that expire        packed.c  collections inside entries
 *
 * All of it belongs to the executor. Invariants (keyspace_verify):
 * 1. An entry is in one table, under the hash of its key, in the form its sizes ask for.
 * 2. volatile_count and deadline_sum are those of the entries with an expiry.
 * 3. Each of these has a record in the index that comes out at its deadline or before: in wheel, or
 *    in purged while that is being worked off.
 * 4. timed.count is that of the entries with ENTRY_TIMED: those whose value has elements that
 *    expire. Each has a record in timed that comes out when the next of them is due, or before. */
#pragma once

#include "base/check.h"
#include "ds/hashtab_record.h"
#include "ds/wheel.h"
#include "keyspace/entry_internal.h"
#include "keyspace/keyspace.h"

enum {
    OBSERVERS_MAX = 8,
    EVICT_POOL_SIZE = 16,
    LFU_START = 5,                /* counter of a new key */
    CLOCK_MASK = 0xffffff,        /* 24 bits */
    DISPOSE_BYTES_MIN = 64 << 10, /* larger blobs are freed in the background */
    DISPOSE_EFFORT_MIN = 64,      /* collections and databases of more elements too */
};

/* The index of the values whose elements expire: see elements.c. */
struct element_index {
    struct wheel *wheel;  /* NULL until the first one */
    struct wheel *purged; /* the former one, being refiled without its stale records; or NULL */
    size_t count;         /* entries with ENTRY_TIMED */
    uint32_t round;       /* wheels there were */
    uint32_t unfinished;  /* a record that is being worked off, if has_unfinished */
    bool has_unfinished;
};

struct db {
    struct hashtab *table;
    struct keyspace *ks;
    struct wheel *wheel;  /* the expiry index; NULL until the first key expires */
    struct wheel *purged; /* the former one, being refiled without its stale records; or NULL */
    size_t volatile_count;
    uint64_t sample_ahead[2]; /* where eviction will sample next, and after that: being fetched */
    int32_t index;
    bool mark; /* ENTRY_FILED has this value in entries that have a record in wheel */
    unsigned __int128 deadline_sum; /* milliseconds */
    struct element_index timed;
};

struct evict_candidate {
    uint64_t score; /* the higher the better */
    uint64_t hash;
    int32_t db_index;
};

struct keyspace {
    int64_t now_ms;
    uint32_t clock_now; /* what an access writes under LRU: seconds; under LFU: minutes */
    bool is_lfu;        /* the policy's, as of the last keyspace_set_now */
    bool active_expire, expire_by_access, resize_allowed;
    bool by_itself;         /* a key that expired or is evicted is being removed */
    uint8_t observer_count; /* of observers */
    bool is_quiet;          /* nobody is told of anything */
    uint8_t touched_count;  /* of those that want touched */
    uint32_t events;        /* classes that anyone wants */
    struct keyspace_stats stats;
    struct db *dbs;
    int32_t db_count;
    const struct keyspace_config *config;
    int64_t due_ms; /* nothing in any expiry index needs work before this */
    struct keyspace_observer observers[OBSERVERS_MAX];
    struct keyspace_disposer disposer; /* dispose may be NULL */
    struct rng rng;
    int32_t expire_db;     /* where keyspace_expire_due goes on */
    int32_t elements_db;   /* the same for elements */
    int32_t step_db;       /* where keyspace_step goes on */
    int32_t evict_db;      /* where random eviction goes on */
    size_t evict_disposed; /* bytes that this eviction step gave to the disposer */
    uint64_t evict_cursor;
    struct evict_candidate pool[EVICT_POOL_SIZE]; /* by score, rising */
    int pool_count;
};

/* ---- observers ---- */
void keyspace__tell_touched(struct db *db, struct bytes key);
void keyspace__tell_event(struct db *db, struct bytes key, uint32_t event_class, const char *name);

/* For changes that do not count for rdb_changes_since_last_save. */
static inline void keyspace__touched_uncounted(struct db *db, struct bytes key) {
    if (db->ks->touched_count) keyspace__tell_touched(db, key);
}
static inline void keyspace__touched(struct db *db, struct bytes key) {
    db->ks->stats.changes++;
    keyspace__touched_uncounted(db, key);
}
static inline void keyspace__event(struct db *db, struct bytes key, uint32_t event_class,
                                   const char *name) {
    if (unlikely(db->ks->events & event_class)) keyspace__tell_event(db, key, event_class, name);
}

/* ---- the table ---- */
extern const struct hashtab_type keyspace__table_type;

/* The entry that comes `skip`-th among those that agree with the hash in bucket and tag; NULL if
 * there are no more. Reads no entry. */
static inline struct entry *table__candidate(const struct hashtab *table, uint64_t hash,
                                             unsigned skip, struct hashtab_place *place) {
    struct hashtab_bucket *home = hashtab_home(table, hash), *bucket = home;
    uint8_t tag = hashtab_tag(hash);
    do {
        for (uint64_t match = hashtab_match(bucket, tag); match; match &= match - 1) {
            if (skip-- > 0) continue;
            unsigned slot = hashtab_first(match);
            *place = (struct hashtab_place){.home = home, .bucket = bucket, .slot = slot};
            return hashtab_slot(bucket, slot);
        }
        bucket = hashtab_child_for(bucket, tag);
    } while (bucket);
    return NULL;
}

/* ---- find.c ---- */
/* The clock of a new entry. */
uint32_t keyspace__new_clock(const struct keyspace *ks);

/* ---- change.c ---- */
/* Puts a new entry into the table and tells observers. The key is absent. */
void keyspace__add(struct db *db, uint64_t hash, struct entry *entry);
/* Frees what the value points to, in the background where it pays and the options say so. */
void keyspace__free_value(struct keyspace *ks, struct entry *entry, enum remove_reason reason);
/* What keyspace_remove does after the entry has left the table. */
void keyspace__removed(struct db *db, struct entry *entry, enum remove_reason reason);

/* ---- expire.c ---- */
/* The entry of this hash had the first expiry, and has the second; < 0 means none. */
void expire__changed(struct db *db, struct entry *entry, uint64_t hash, int64_t old_ms,
                     int64_t new_ms);
/* An entry with this expiry leaves the database. */
void expire__forget(struct db *db, int64_t at_ms);
/* Files a record for an entry of this hash at its expiry. */
void expire__file(struct db *db, struct entry *entry, uint64_t hash);
/* Works out due_ms anew. */
void expire__reset_due(struct keyspace *ks);
void expire__verify(const struct db *db);

/* ---- elements.c: elements of values that expire on their own ---- */
/* The entry leaves the database, or its value is replaced. */
void elements__left(struct db *db, struct entry *entry);
/* True if there is more to do. */
bool elements__expire_due(struct keyspace *ks, uint64_t end_ticks);
int64_t elements__due_ms(const struct db *db);
void elements__verify(const struct db *db);

/* Whether what is due is removed: not while look-ups only hide it. */
static inline bool keyspace__removes_on_time(const struct keyspace *ks) {
    return ks->active_expire && ks->expire_by_access;
}

static inline int64_t entry__expiry_or_none(const struct entry *e) {
    return entry_expires(e) ? entry_expiry_ms(e) : -1;
}
static inline bool entry__is_due(const struct keyspace *ks, const struct entry *e) {
    return unlikely(entry_expires(e)) && entry_expiry_ms(e) <= ks->now_ms;
}
