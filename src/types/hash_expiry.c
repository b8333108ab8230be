/* SPDX-License-Identifier: BSD-3-Clause */
/* The index by time of the fields that expire.
 *
 * A small table has none: when next_ms has come, all fields are looked at, which finds the next
 * time as well. From INDEX_MIN fields on there is a timing wheel (wheel.h), whose records of four
 * bytes say where in the table to look (hashtab_record.h). When one comes out, the table says what
 * is there:
 *
 *      nothing, or a field without expiry     the record was stale: forget it
 *      a field that is due                    remove it
 *      a field that is due later              file a record at its expiry
 *
 * So records are never looked for: an expiry may be put off, and a field removed or set anew,
 * without a thought for the wheel. Once there are too many stale ones (or the clock was set back)
 * the wheel is set aside as `purged`, a new one begins, and the old one's records are worked off
 * bit by bit: what is still there, and not marked yet, is filed in the new wheel. The mark is
 * FIELD_FILED, whose meaning flips with each purge, so that nobody needs to reset it. */
#include "ds/hashtab_record.h"
#include "ds/wheel.h"
#include "types/hash_internal.h"

enum {
    INDEX_MIN = 512, /* fields from which there is a wheel ... */
    INDEX_KEPT = 64, /* ... which a table keeps until it is smaller than this */
    PURGE_FACTOR = 2,
    PURGE_MIN = 256,      /* records that are never worth a purge */
    TICKS_BACK_MAX = 8,   /* so far the clock may go back before the wheel is rebuilt */
    PREFETCH_BUCKET = 12, /* records ahead */
    PREFETCH_FIELD = 6,
};

static uint64_t tick_now(const struct hash_timed *timed) { return wheel_tick_at(timed->now_ms); }

/* Too many stale records, or the clock was set back. */
static bool needs_purge(const struct hash_timed *timed) {
    if (timed->purged || !timed->wheel) return false;
    return wheel_count(timed->wheel) > timed->times.count * PURGE_FACTOR + PURGE_MIN ||
           wheel_tick(timed->wheel) > tick_now(timed) + TICKS_BACK_MAX;
}

/* ---- life ---- */

struct hash_timed *hash__to_timed(struct hash **hash, int64_t now_ms) {
    struct hash_timed *timed = hash__timed(*hash);
    if (timed) {
        if (now_ms >= 0) timed->now_ms = now_ms;
        return timed;
    }
    timed = mem_alloc(sizeof(*timed));
    *timed = (struct hash_timed){.fields = hash__table(*hash),
                                 .times = {.next_ms = INT64_MAX},
                                 .now_ms = i64_max(now_ms, 0)};
    *hash = hash__make(timed, HASH_TIMED);
    return timed;
}

void hash__timed_destroy(struct hash_timed *timed) {
    wheel_destroy(&timed->wheel);
    wheel_destroy(&timed->purged);
    mem_free(timed);
}

size_t hash__timed_memory_bytes(const struct hash_timed *timed) {
    return mem_usable_size(timed) + (timed->wheel ? wheel_memory_bytes(timed->wheel) : 0) +
           (timed->purged ? wheel_memory_bytes(timed->purged) : 0);
}

/* ---- filing ---- */

static void file_record(struct hash_timed *timed, struct field *f, uint64_t code, int64_t at_ms) {
    uint64_t tick = wheel_add(timed->wheel, hashtab_record(code), wheel_tick_due(at_ms));
    unsigned word = field_word(f);
    field_set_word(f, timed->mark ? word | FIELD_FILED : word & ~(unsigned)FIELD_FILED);
    timed->times.next_ms = i64_min(timed->times.next_ms, wheel_tick_ms(tick));
}

/* The first expiry of all. O(n), for small tables. */
static int64_t first_expiry_ms(const struct hash_timed *timed) {
    int64_t first_ms = INT64_MAX;
    struct hashtab_iter iter;
    const struct field *f;
    hashtab_iter_init(&iter, timed->fields);
    while ((f = hashtab_iter_next(&iter)) != NULL) {
        if (field_expires(f)) first_ms = i64_min(first_ms, field_expiry_ms(f));
    }
    hashtab_iter_deinit(&iter);
    return first_ms;
}

static void index_drop(struct hash_timed *timed) {
    wheel_destroy(&timed->wheel);
    wheel_destroy(&timed->purged);
    timed->times.next_ms = timed->times.count ? first_expiry_ms(timed) : INT64_MAX;
}

/* Begins a wheel with all fields that expire, which are one at most if the table is not small. */
static void index_build(struct hash_timed *timed, struct field *only, uint64_t code) {
    timed->wheel = wheel_create(tick_now(timed));
    timed->times.next_ms = INT64_MAX;
    if (only && timed->times.count == 1) {
        file_record(timed, only, code, field_expiry_ms(only));
        return;
    }
    struct hashtab_iter iter;
    struct field *f;
    hashtab_iter_init(&iter, timed->fields);
    while ((f = hashtab_iter_next(&iter)) != NULL) {
        if (field_expires(f)) file_record(timed, f, hash_bytes(field_name(f)), field_expiry_ms(f));
    }
    hashtab_iter_deinit(&iter);
}

static void file(struct hash_timed *timed, struct field *f, uint64_t code, int64_t at_ms) {
    if (timed->wheel) {
        file_record(timed, f, code, at_ms);
    } else if (hashtab_count(timed->fields) < INDEX_MIN) {
        timed->times.next_ms = i64_min(timed->times.next_ms, at_ms);
    } else {
        index_build(timed, f, code);
    }
}

void hash__expiry_changed(struct hash_timed *timed, struct field *field, uint64_t code,
                          int64_t old_ms, int64_t new_ms) {
    timed->times.count -= old_ms >= 0;
    timed->times.count += new_ms >= 0;
    if (new_ms >= 0 && (old_ms < 0 || new_ms < old_ms)) file(timed, field, code, new_ms);
    if (timed->times.count == 0) {
        index_drop(timed);
    } else if (unlikely(needs_purge(timed))) {
        timed->times.next_ms = 0;
    }
}

void hash__timed_resized(struct hash_timed *timed) {
    size_t count = hashtab_count(timed->fields);
    if (timed->wheel && count < INDEX_KEPT) {
        index_drop(timed);
    } else if (!timed->wheel && timed->times.count && count >= INDEX_MIN) {
        index_build(timed, NULL, 0);
    }
}

/* ---- working off ---- */

/* Takes a field that is due out of the books. */
static void field_expired(struct hash_timed *timed, struct field *f) {
    check(timed->times.count > 0);
    timed->times.count--;
    field_destroy(f);
}

static size_t expire_all(struct hash_timed *timed) {
    size_t removed = 0;
    struct hashtab_iter iter;
    struct field *f;
    hashtab_iter_init(&iter, timed->fields);
    while ((f = hashtab_iter_next(&iter)) != NULL) {
        if (!field_is_due(f, timed->now_ms)) continue;
        hashtab_take_entry(timed->fields, hash_bytes(field_name(f)), f);
        field_expired(timed, f);
        removed++;
    }
    hashtab_iter_deinit(&iter);
    return removed;
}

/* Follows a record; returns how many fields it removed. */
static size_t fire(struct hash_timed *timed, uint32_t record, bool purging) {
    struct hashtab_record_match match;
    size_t removed = 0;
    unsigned skip = 0;
    while (hashtab_record_find(timed->fields, record, skip, &match)) {
        struct field *f = match.entry;
        if (field_is_due(f, timed->now_ms)) {
            (void)hashtab_place_take_inline(timed->fields, match.hash, &match.place);
            field_expired(timed, f);
            removed++;
            continue;
        }
        skip++;
        bool is_filed = purging && ((field_word(f) & FIELD_FILED) != 0) == timed->mark;
        if (!field_expires(f) || is_filed) continue;
        uint64_t code = hash_bytes(field_name(f));
        if (hashtab_record(code) == record) file_record(timed, f, code, field_expiry_ms(f));
    }
    return removed;
}

/* The next record: of those that are due, or of all. */
static bool pop(struct wheel *wheel, bool all, uint32_t *record) {
    while (!wheel_pop(wheel, record)) {
        if (!(all ? wheel_load_next(wheel) : wheel_load_due(wheel))) return false;
    }
    return true;
}

/* Works off up to max records; returns how many fields it removed. */
static size_t work_off(struct hash_timed *timed, bool purging, size_t *max) {
    struct wheel *wheel = purging ? timed->purged : timed->wheel;
    size_t removed = 0;
    uint32_t record, ahead;
    for (; *max > 0 && pop(wheel, purging, &record); --*max) {
        if (wheel_peek(wheel, PREFETCH_BUCKET, &ahead))
            hashtab_record_prefetch_bucket(timed->fields, ahead);
        if (wheel_peek(wheel, PREFETCH_FIELD, &ahead))
            hashtab_record_prefetch_entries(timed->fields, ahead);
        removed += fire(timed, record, purging);
    }
    return removed;
}

static size_t expire_by_wheel(struct hash_timed *timed, size_t max) {
    if (needs_purge(timed)) {
        timed->purged = timed->wheel;
        timed->wheel = wheel_create(tick_now(timed));
        timed->mark = !timed->mark;
    }
    wheel_advance(timed->wheel, tick_now(timed));
    size_t removed = work_off(timed, false, &max);
    if (timed->purged && max > 0) {
        removed += work_off(timed, true, &max);
        if (max > 0) wheel_destroy(&timed->purged);
    }
    return removed;
}

size_t hash_expire(struct hash **hash, int64_t now_ms, size_t max) {
    struct hash_timed *timed = hash__timed(*hash);
    if (!timed || timed->times.next_ms > now_ms) return 0;

    timed->now_ms = i64_max(now_ms, 0);
    size_t removed = timed->wheel ? expire_by_wheel(timed, max) : expire_all(timed);
    if (!timed->wheel || timed->times.count == 0 || hashtab_count(timed->fields) < INDEX_KEPT) {
        index_drop(timed);
    } else if (timed->purged || needs_purge(timed)) {
        timed->times.next_ms = 0;
    } else {
        timed->times.next_ms = wheel_tick_ms(wheel_next_tick(timed->wheel));
    }
    return removed;
}

/* ---- checking ---- */

void hash__timed_verify(const struct hash_timed *timed) {
    struct wheel_listing listing;
    size_t count = 0;
    check(timed->wheel || !timed->purged);
    check(timed->wheel || !timed->times.count || hashtab_count(timed->fields) < INDEX_MIN);
    wheel_listing_init(&listing, timed->wheel, timed->purged);

    struct hashtab_iter iter;
    const struct field *f;
    hashtab_iter_init(&iter, timed->fields);
    while ((f = hashtab_iter_next(&iter)) != NULL) {
        if (!field_expires(f)) continue;
        count++;
        int64_t at_ms = field_expiry_ms(f);
        check(timed->times.next_ms <= wheel_tick_ms(wheel_tick_due(at_ms)) ||
              timed->times.next_ms <= wheel_tick_ms(tick_now(timed) + 1));
        if (!timed->wheel) continue;
        /* What was filed late lies at the next tick. */
        uint64_t latest = size_max(wheel_tick_due(at_ms), wheel_tick(timed->wheel) + 1);
        check(wheel_listing_has(&listing, hashtab_record(hash_bytes(field_name(f))), latest));
    }
    hashtab_iter_deinit(&iter);
    check(count == timed->times.count);
    check(count > 0 || (!timed->wheel && timed->times.next_ms == INT64_MAX));
    wheel_listing_deinit(&listing);
}
