/* SPDX-License-Identifier: BSD-3-Clause */
/* expire -- keys leave memory when their time has come, without sampling.
 *
 * Each database files its volatile keys in a timing wheel (wheel.h). A record is 32 bits of the
 * key's hash and nothing else; when it comes out, the table is asked what is there:
 *
 *      nothing, or an entry without expiry    the record was stale: forget it
 *      an entry that is due                   remove it
 *      an entry that is due later             file a record at its expiry
 *
 * So an expiry may be extended without a thought for the index, and a key may be deleted, renamed
 * or overwritten: records are never looked for. Only a new or an earlier expiry files a record.
 *
 * Stale records are the price. Once there are more than PURGE_FACTOR times the volatile keys, the
 * wheel is set aside as `purged`, a new one begins, and the old one's records are worked off in
 * the order of their time: what is still there and not marked yet is filed in the new wheel. The
 * mark is a bit of the entry, ENTRY_FILED, whose meaning flips with each purge (db->mark), so that
 * nobody needs to reset it. If the clock was set back, the same gets the wheel to the new time. */
#include "base/clock.h"
#include "base/hash.h"
#include "keyspace/keyspace_internal.h"

enum {
    CLOCK_LOOK = 32,      /* records between two looks at the clock */
    PREFETCH_BUCKET = 24, /* records ahead */
    PREFETCH_ENTRY = 12,
    PURGE_FACTOR = 2,
    PURGE_MIN = 4096,   /* records that are never worth a purge */
    TICKS_BACK_MAX = 8, /* so far the clock may go back before the wheel is rebuilt */
};

static uint64_t tick_now(const struct keyspace *ks) { return wheel_tick_at(ks->now_ms); }

/* Too many stale records, or the clock was set back. */
static bool needs_purge(const struct db *db) {
    if (db->purged || !db->wheel) return false;
    return wheel_count(db->wheel) > db->volatile_count * PURGE_FACTOR + PURGE_MIN ||
           wheel_tick(db->wheel) > tick_now(db->ks) + TICKS_BACK_MAX;
}

void expire__file(struct db *db, struct entry *entry, uint64_t hash) {
    struct keyspace *ks = db->ks;
    if (unlikely(!db->wheel)) db->wheel = wheel_create(tick_now(ks));
    uint64_t tick =
        wheel_add(db->wheel, hashtab_record(hash), wheel_tick_due(entry_expiry_ms(entry)));
    entry->flags = (uint8_t)(db->mark ? entry->flags | ENTRY_FILED : entry->flags & ~ENTRY_FILED);
    ks->due_ms = needs_purge(db) ? 0 : i64_min(ks->due_ms, wheel_tick_ms(tick));
}

void expire__changed(struct db *db, struct entry *entry, uint64_t hash, int64_t old_ms,
                     int64_t new_ms) {
    if (old_ms >= 0) {
        db->volatile_count--;
        db->deadline_sum -= (uint64_t)old_ms;
    }
    if (new_ms >= 0) {
        db->volatile_count++;
        db->deadline_sum += (uint64_t)new_ms;
        if (old_ms < 0 || new_ms < old_ms) expire__file(db, entry, hash);
    }
}

void expire__forget(struct db *db, int64_t at_ms) {
    dcheck(db->volatile_count > 0);
    db->volatile_count--;
    db->deadline_sum -= (uint64_t)at_ms;
    if (unlikely(needs_purge(db))) db->ks->due_ms = 0;
}

static void prefetch(const struct hashtab *table, const struct wheel *wheel) {
    uint32_t record;
    if (wheel_peek(wheel, PREFETCH_BUCKET, &record)) hashtab_record_prefetch_bucket(table, record);
    if (wheel_peek(wheel, PREFETCH_ENTRY, &record)) hashtab_record_prefetch_entries(table, record);
}

/* ---- working off ---- */

struct work {
    struct db *db;
    bool removes; /* due keys are removed */
    bool purging; /* records come from db->purged */
    uint64_t end_ticks;
    unsigned done; /* records */
};

/* An entry that agrees with the record stays: it may need a new one. */
static void refile(const struct work *work, struct entry *entry, uint32_t record) {
    if (work->purging && ((entry->flags & ENTRY_FILED) != 0) == work->db->mark) return;
    uint64_t hash = hash_bytes(entry_key(entry));
    if (hashtab_record(hash) == record) expire__file(work->db, entry, hash);
}

static void fire(const struct work *work, uint32_t record) {
    struct db *db = work->db;
    struct hashtab_record_match match;
    unsigned skip = 0;
    while (hashtab_record_find(db->table, record, skip, &match)) {
        struct entry *entry = match.entry;
        if (!entry_expires(entry)) {
            skip++;
        } else if (work->removes && entry__is_due(db->ks, entry)) {
            (void)hashtab_place_take_inline(db->table, match.hash, &match.place);
            keyspace__removed(db, entry, KEY_EXPIRED);
        } else {
            refile(work, entry, record);
            skip++;
        }
    }
}

/* True if the time was over before the work was. */
static bool work_off(struct work *work, struct wheel *wheel) {
    uint32_t record;
    while (work->purging ? wheel_load_next(wheel) : wheel_load_due(wheel)) {
        while (wheel_pop(wheel, &record)) {
            prefetch(work->db->table, wheel);
            fire(work, record);
            if (++work->done % CLOCK_LOOK == 0 && clock_ticks() >= work->end_ticks) return true;
        }
    }
    return false;
}

static void purge_start(struct db *db) {
    db->purged = db->wheel;
    db->wheel = wheel_create(tick_now(db->ks));
    db->mark = !db->mark;
}

/* One database: true if there is more to do. */
static bool expire_db(struct work *work) {
    struct db *db = work->db;
    if (!db->wheel) return false;
    if (needs_purge(db)) purge_start(db);

    if (work->removes) {
        wheel_advance(db->wheel, tick_now(db->ks));
        work->purging = false;
        if (work_off(work, db->wheel)) return true;
    }
    if (!db->purged) return false;
    work->purging = true;
    if (work_off(work, db->purged)) return true;
    wheel_destroy(&db->purged);
    return false;
}

void expire__reset_due(struct keyspace *ks) {
    bool removes = keyspace__removes_on_time(ks);
    ks->due_ms = INT64_MAX;
    for (int32_t i = 0; i < ks->db_count; i++) {
        const struct db *db = &ks->dbs[i];
        if (db->purged || needs_purge(db)) ks->due_ms = 0;
        ks->due_ms = i64_min(ks->due_ms, elements__due_ms(db));
        if (!removes || !db->wheel) continue;
        ks->due_ms = i64_min(ks->due_ms, wheel_tick_ms(wheel_next_tick(db->wheel)));
    }
}

bool keyspace_expire_due(struct keyspace *ks, uint64_t budget_us) {
    if (likely(ks->now_ms < ks->due_ms)) return false;

    uint64_t begin = clock_ticks();
    struct work work = {.removes = keyspace__removes_on_time(ks),
                        .end_ticks = begin + clock_us_to_ticks(budget_us)};
    bool more_elements = elements__expire_due(ks, begin + clock_us_to_ticks(budget_us / 2));
    bool more = false;
    for (int32_t i = 0; i < ks->db_count && !more; i++) {
        work.db = &ks->dbs[ks->expire_db];
        ks->expire_db = (ks->expire_db + 1) % ks->db_count; /* each gets its turn */
        more = expire_db(&work);
    }
    more = more || more_elements;
    expire__reset_due(ks);
    ks->stats.expired_on_time_cap += more;
    ks->stats.expire_cycle_us += clock_ticks_to_us(clock_ticks() - begin);
    return more;
}

int64_t keyspace_next_expiry_ms(const struct keyspace *ks) { return ks->due_ms; }

void keyspace_set_active_expire(struct keyspace *ks, bool enabled) {
    ks->active_expire = enabled;
    expire__reset_due(ks);
}

void keyspace_set_expire_by_access(struct keyspace *ks, bool enabled) {
    ks->expire_by_access = enabled;
    expire__reset_due(ks);
}

size_t keyspace_expire_index_bytes(const struct db *db) {
    const struct wheel *wheels[] = {db->wheel, db->purged, db->timed.wheel, db->timed.purged};
    size_t bytes = 0;
    for (size_t i = 0; i < COUNT_OF(wheels); i++)
        bytes += wheels[i] ? wheel_memory_bytes(wheels[i]) : 0;
    return bytes;
}

/* ---- checking ---- */

void expire__verify(const struct db *db) {
    struct wheel_listing listing;
    wheel_listing_init(&listing, db->wheel, db->purged);
    struct hashtab_iter iter;
    const struct entry *e;
    hashtab_iter_init(&iter, db->table);
    while ((e = hashtab_iter_next(&iter)) != NULL) {
        if (!entry_expires(e)) continue;
        uint32_t record = hashtab_record(hash_bytes(entry_key(e)));
        /* What was filed late came out at once, or lies at the next tick. */
        uint64_t latest = size_max(wheel_tick_due(entry_expiry_ms(e)), wheel_tick(db->wheel) + 1);
        check(wheel_listing_has(&listing, record, latest));
    }
    hashtab_iter_deinit(&iter);
    wheel_listing_deinit(&listing);
}
