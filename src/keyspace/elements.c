/* SPDX-License-Identifier: BSD-3-Clause */
/* elements -- elements of values (fields of hashes) leave memory when their time has come.
 *
 * A value whose elements may expire knows itself which is next (element_times.h). The database
 * files each such value in a timing wheel of its own, for the time when the value wants to be
 * asked. What comes out, as in expire.c, is part of a key's hash, and the table says what is there;
 * the value then removes what is due in steps of ELEMENTS_STEP, between which the clock is looked
 * at. A value that is not done when the time is over goes on at once the next time.
 *
 *      changed ──▶ filed at next_ms ──▶ due ──▶ removes elements ──▶ filed again, or gone
 *
 * A value has one record that counts: the one that comes out at filed_tick. Others are stale, from
 * when an earlier element came in, the key was renamed or deleted; they are dropped as they come
 * out, or, once there are too many, by a purge: the wheel is set aside and worked off, and what has
 * no record in the new one (filed_round) gets it. */
#include "base/clock.h"
#include "base/hash.h"
#include "keyspace/keyspace_internal.h"
#include "keyspace/value_type.h"
#include "types/element_times.h"

enum {
    ELEMENTS_STEP = 64, /* looked at between two looks at the clock */
    PURGE_FACTOR = 2,
    PURGE_MIN = 1024,   /* records that are never worth a purge */
    TICKS_BACK_MAX = 8, /* so far the clock may go back before the wheel is rebuilt */
};

static struct element_times *times_of(const struct entry *entry) {
    if (entry_encoding(entry) != ENCODING_OBJECT) return NULL;
    const struct value_ops *ops = value_ops_of(entry);
    return ops->times ? ops->times(entry_object(entry)) : NULL;
}

/* Too many stale records, or the clock was set back. */
static bool needs_purge(const struct db *db) {
    const struct element_index *index = &db->timed;
    if (index->purged || !index->wheel) return false;
    return wheel_count(index->wheel) > index->count * PURGE_FACTOR + PURGE_MIN ||
           wheel_tick(index->wheel) > wheel_tick_at(db->ks->now_ms) + TICKS_BACK_MAX;
}

/* ---- filing ---- */

static void file(struct db *db, uint64_t hash, struct element_times *times) {
    struct element_index *index = &db->timed;
    if (unlikely(!index->wheel)) index->wheel = wheel_create(wheel_tick_at(db->ks->now_ms));
    times->filed_tick =
        wheel_add(index->wheel, hashtab_record(hash), wheel_tick_due(times->next_ms));
    times->filed_round = index->round;
    int64_t due_ms = needs_purge(db) ? 0 : wheel_tick_ms(times->filed_tick);
    db->ks->due_ms = i64_min(db->ks->due_ms, due_ms);
}

void elements__left(struct db *db, struct entry *entry) {
    check(db->timed.count > 0);
    entry->flags &= (uint8_t)~ENTRY_TIMED;
    db->timed.count--;
    if (unlikely(needs_purge(db))) db->ks->due_ms = 0;
}

void keyspace_elements_changed(struct db *db, struct entry *entry, uint64_t hash) {
    struct element_times *times = times_of(entry);
    if (!times || times->count == 0) {
        if (entry->flags & ENTRY_TIMED) elements__left(db, entry);
        return;
    }
    if (!(entry->flags & ENTRY_TIMED)) {
        entry->flags |= ENTRY_TIMED;
        db->timed.count++;
        times->filed_tick = UINT64_MAX;
    }
    if (wheel_tick_due(times->next_ms) < times->filed_tick) file(db, hash, times);
}

/* ---- working off ---- */

struct work {
    struct db *db;
    bool removes; /* elements that are due are removed */
    bool purging; /* records come from timed.purged */
    uint64_t end_ticks;
};

static bool time_is_over(const struct work *work) { return clock_ticks() >= work->end_ticks; }

static void tell_expired(struct db *db, const struct entry *entry, size_t count) {
    db->ks->stats.expired_fields += count;
    db->ks->by_itself = true;
    keyspace__touched_uncounted(db, entry_key(entry));
    db->ks->by_itself = false;
    keyspace__event(db, entry_key(entry), EVENT_EXPIRED, "hexpired");
}

/* Removes what is due from a value. False: the time was over before the work was. *is_empty:
 * nothing is left in it. */
static bool expire_elements(const struct work *work, struct entry *entry, bool *is_empty) {
    const struct value_ops *ops = value_ops_of(entry);
    const struct element_times *times = times_of(entry);
    struct db *db = work->db;
    void *object = entry_object(entry);
    size_t removed = 0;
    bool done = true;
    *is_empty = false;
    while (times && times->next_ms <= db->ks->now_ms && done) {
        removed += ops->expire(&object, db->ks->now_ms, ELEMENTS_STEP, is_empty);
        times = ops->times(object);
        done = !time_is_over(work) || !times || times->next_ms > db->ks->now_ms;
    }
    entry_set_object(entry, object);
    if (removed) tell_expired(db, entry, removed);
    return done;
}

static void remove_empty(struct db *db, const struct hashtab_record_match *match) {
    struct entry *entry = match->entry;
    (void)hashtab_place_take_inline(db->table, match->hash, &match->place);
    keyspace__event(db, entry_key(entry), EVENT_GENERIC, "del");
    keyspace__removed(db, entry, KEY_OVERWRITTEN);
}

/* Whether this record may be the one of the value that counts. */
static bool counts(const struct work *work, const struct element_times *times) {
    const struct element_index *index = &work->db->timed;
    if (work->purging) return times->filed_round != index->round;
    return times->filed_round == index->round && times->filed_tick <= wheel_tick(index->wheel);
}

/* Follows a record. False: the time was over before the work was. */
static bool fire(const struct work *work, uint32_t record) {
    struct db *db = work->db;
    struct hashtab_record_match match;
    bool is_empty;
    for (unsigned skip = 0; hashtab_record_find(db->table, record, skip, &match);) {
        struct entry *entry = match.entry;
        struct element_times *times = entry->flags & ENTRY_TIMED ? times_of(entry) : NULL;
        skip++;
        if (!times || !counts(work, times)) continue;
        uint64_t hash = hash_bytes(entry_key(entry));
        if (hashtab_record(hash) != record) continue;

        if (work->removes) {
            bool done = expire_elements(work, entry, &is_empty);
            times = times_of(entry);
            if (!done && times) { /* whoever goes on with it finds that this record counts */
                times->filed_tick = wheel_tick(db->timed.wheel);
                times->filed_round = db->timed.round;
                return false;
            }
            if (is_empty) {
                remove_empty(db, &match);
                skip--;
                continue;
            }
        }
        if (times) times->filed_tick = UINT64_MAX;
        keyspace_elements_changed(db, entry, hash);
    }
    return true;
}

/* Follows a record, and remembers it if the time was over. */
static bool follow(const struct work *work, uint32_t record) {
    struct element_index *index = &work->db->timed;
    index->has_unfinished = !fire(work, record);
    index->unfinished = record;
    return !index->has_unfinished && !time_is_over(work);
}

/* True if the time was over before the work was. */
static bool work_off(struct work *work, struct wheel *wheel) {
    uint32_t record;
    while (work->purging ? wheel_load_next(wheel) : wheel_load_due(wheel)) {
        while (wheel_pop(wheel, &record)) {
            if (!follow(work, record)) return true;
        }
    }
    return false;
}

/* One database: true if there is more to do. */
static bool expire_db(struct work *work) {
    struct element_index *index = &work->db->timed;
    if (!index->wheel) return false;
    if (needs_purge(work->db) && !index->has_unfinished) {
        index->purged = index->wheel;
        index->wheel = wheel_create(wheel_tick_at(work->db->ks->now_ms));
        index->round++;
    }
    if (work->removes) {
        wheel_advance(index->wheel, wheel_tick_at(work->db->ks->now_ms));
        work->purging = false;
        if (index->has_unfinished && !follow(work, index->unfinished)) return true;
        if (work_off(work, index->wheel)) return true;
    }
    if (!index->purged) return false;
    work->purging = true;
    if (work_off(work, index->purged)) return true;
    wheel_destroy(&index->purged);
    return false;
}

bool elements__expire_due(struct keyspace *ks, uint64_t end_ticks) {
    struct work work = {.removes = keyspace__removes_on_time(ks), .end_ticks = end_ticks};
    bool more = false;
    for (int32_t i = 0; i < ks->db_count && !more; i++) {
        work.db = &ks->dbs[ks->elements_db];
        more = expire_db(&work);
        if (!more) ks->elements_db = (ks->elements_db + 1) % ks->db_count;
    }
    return more;
}

int64_t elements__due_ms(const struct db *db) {
    const struct element_index *index = &db->timed;
    if (index->purged || (needs_purge(db) && !index->has_unfinished)) return 0;
    if (!index->wheel || !keyspace__removes_on_time(db->ks)) return INT64_MAX;
    return index->has_unfinished ? 0 : wheel_tick_ms(wheel_next_tick(index->wheel));
}

/* ---- checking ---- */

struct look { /* for the record of one value */
    uint32_t record;
    bool found;
};

static void look_at(void *ctx, uint32_t record, uint64_t tick) {
    struct look *look = ctx;
    (void)tick; /* of the slot: it comes out at filed_tick, which may be earlier */
    look->found = look->found || record == look->record;
}

static void verify_entry(const struct db *db, const struct entry *entry,
                         const struct element_times *times) {
    const struct element_index *index = &db->timed;
    struct look look = {.record = hashtab_record(hash_bytes(entry_key(entry)))};
    if (index->has_unfinished && index->unfinished == look.record) return;
    check(times->filed_round == index->round || index->purged);
    check(times->filed_tick <=
          size_max(wheel_tick_due(times->next_ms), wheel_tick(index->wheel) + 1));
    wheel_each(times->filed_round == index->round ? index->wheel : index->purged, look_at, &look);
    check(look.found);
}

void elements__verify(const struct db *db) {
    const struct element_index *index = &db->timed;
    size_t count = 0;
    struct hashtab_iter iter;
    const struct entry *entry;
    check(index->wheel || (!index->purged && index->count == 0));
    if (index->wheel) wheel_verify(index->wheel);
    hashtab_iter_init(&iter, db->table);
    while ((entry = hashtab_iter_next(&iter)) != NULL) {
        const struct element_times *times = times_of(entry);
        bool timed = times && times->count > 0;
        check(timed == ((entry->flags & ENTRY_TIMED) != 0));
        if (!timed) continue;
        count++;
        verify_entry(db, entry, times);
    }
    hashtab_iter_deinit(&iter);
    check(count == index->count);
}
