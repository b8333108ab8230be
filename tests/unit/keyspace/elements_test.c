/* SPDX-License-Identifier: BSD-3-Clause */
/* Values whose elements expire: what the keyspace does about them, with hashes for values. */
#include "tests/unit/keyspace/keyspace_fixture.h"
#include "types/hash.h"

enum { KEYS = 40, GRANULARITY_MS = 16 };

static const struct hash_limits limits = {.entries = 8, .value = 64};

struct events { /* as an observer sees them */
    size_t hexpired, del, touched;
};
static void count_event(void *ctx, struct db *db, struct bytes key, uint32_t event_class,
                        const char *name) {
    struct events *events = ctx;
    (void)db;
    (void)key;
    if (strcmp(name, "hexpired") == 0) {
        expect_eq(event_class, EVENT_EXPIRED);
        events->hexpired++;
    }
    events->del += strcmp(name, "del") == 0;
}
static void count_touched(void *ctx, struct db *db, struct bytes key) {
    (void)db;
    (void)key;
    ((struct events *)ctx)->touched++;
}

/* What HSETEX does. */
static void set_field(struct db *db, struct bytes key, uint64_t number, int64_t at_ms,
                      int64_t now_ms) {
    char text[512];
    struct entry *entry = fixture_find(db, key);
    if (entry && entry_is_string(entry)) return;
    bool is_copy;
    struct hash *hash = entry ? keyspace_take_object(entry, &is_copy) : hash_create(0);
    struct hash_setting to = {.name = fixture_key(text, number),
                              .value = BYTES("value"),
                              .at_ms = at_ms,
                              .now_ms = now_ms};
    to.code = hash_code(hash, to.name);
    (void)hash_set(&hash, &limits, &to);
    if (!entry) {
        (void)keyspace_add_object(db, key, hash_bytes(key), TYPE_HASH, hash);
    } else {
        entry = keyspace_put_object(db, entry, hash_bytes(key), hash);
        keyspace_elements_changed(db, entry, hash_bytes(key));
    }
}

/* What HDEL does. */
static void remove_field(struct db *db, struct bytes key, uint64_t number, int64_t now_ms) {
    char text[512];
    struct entry *entry = fixture_find(db, key);
    if (!entry || entry_is_string(entry)) return;
    bool is_copy;
    struct hash *hash = keyspace_take_object(entry, &is_copy);
    struct bytes name = fixture_key(text, number);
    if (!hash_remove(&hash, name, hash_code(hash, name), now_ms)) {
        if (is_copy) hash_destroy(&hash);
        return;
    }
    bool is_empty = hash_count(hash) == 0;
    entry = keyspace_put_object(db, entry, hash_bytes(key), hash);
    keyspace_elements_changed(db, entry, hash_bytes(key));
    if (is_empty) keyspace_remove(db, entry, KEY_DELETED);
}

struct check_walk {
    int64_t now_ms;
    size_t timed;
};
static bool check_entry(void *ctx, struct entry *entry) {
    struct check_walk *walk = ctx;
    if (entry_is_string(entry)) return true;
    bool is_copy;
    struct hash *hash = keyspace_take_object(entry, &is_copy);
    struct hash_iter iter;
    struct hash_item item;
    hash_verify(hash);
    expect_true(hash_count(hash) > 0);
    hash_iter_init(&iter, hash, HASH_SEE_ALL);
    while (hash_iter_next(&iter, &item))
        expect_true(item.at_ms < 0 || item.at_ms > walk->now_ms - GRANULARITY_MS);
    hash_iter_deinit(&iter);
    const struct element_times *times = hash_times(hash);
    walk->timed += times && times->count > 0;
    if (is_copy) hash_destroy(&hash);
    return true;
}

static void expect_right(struct keyspace *ks, int64_t now_ms) {
    keyspace_verify(ks);
    for (int32_t i = 0; i < keyspace_db_count(ks); i++) {
        struct check_walk walk = {.now_ms = now_ms};
        keyspace_each(keyspace_db(ks, i), check_entry, &walk);
        expect_eq(db_timed_count(keyspace_db(ks, i)), walk.timed);
    }
}

/* A change that moves, copies, replaces or removes whole keys. */
static void change_key(struct test *t, struct keyspace *ks, struct db *db, struct bytes key) {
    char text[512];
    struct db *to = keyspace_db(ks, (int32_t)rng_below(t->rng, 3));
    struct bytes other = fixture_key(text, rng_below(t->rng, KEYS));
    struct entry *entry = fixture_find(db, key), *target = fixture_find(to, other);
    uint64_t kind = rng_below(t->rng, 40);
    if (kind == 0) {
        (void)keyspace_flush(db, false);
    } else if (kind == 1) {
        keyspace_swap(db, to);
    } else if (!entry) {
        return;
    } else if (kind < 8) {
        keyspace_remove(db, entry, KEY_DELETED);
    } else if (kind < 11) {
        (void)fixture_set(db, key, BYTES("a string"), -1);
    } else if (kind < 20) {
        (void)keyspace_set_expiry(db, entry, rng_below(t->rng, 2) ? -1 : FIXTURE_START_MS * 2ll);
    } else if (entry != target) {
        if (target) keyspace_remove(to, target, KEY_OVERWRITTEN);
        if (kind < 30) {
            (void)keyspace_copy_entry(to, other, hash_bytes(other), entry);
        } else {
            (void)keyspace_move_entry(db, entry, to, other, hash_bytes(other));
        }
    }
}

TEST(elements_go_on_time_whatever_happens_to_their_keys) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    int64_t now_ms = FIXTURE_START_MS;
    for (int step = 0; step < 12000; step++) {
        char text[512];
        struct db *db = keyspace_db(ks, (int32_t)rng_below(t->rng, 3));
        struct bytes key = fixture_key(text, rng_below(t->rng, KEYS));
        uint64_t dice = rng_below(t->rng, 100);
        if (dice < 60) {
            int64_t at_ms =
                now_ms + 1 + (int64_t)rng_below(t->rng, rng_below(t->rng, 9) ? 500 : 500000);
            set_field(db, key, rng_below(t->rng, 60), dice < 20 ? HASH_NO_TIME : at_ms, now_ms);
        } else if (dice < 75) {
            remove_field(db, key, rng_below(t->rng, 60), now_ms);
        } else if (dice < 85) {
            change_key(t, ks, db, key);
        } else {
            now_ms += (int64_t)rng_below(t->rng, 60);
            keyspace_set_now(ks, now_ms);
            fixture_expire(ks);
            if (step % 10 == 0) expect_right(ks, now_ms);
        }
    }
    now_ms += 1 << 20;
    keyspace_set_now(ks, now_ms);
    fixture_expire(ks);
    expect_right(ks, now_ms);
    for (int32_t i = 0; i < 3; i++)
        expect_eq(db_timed_count(keyspace_db(ks, i)), 0);
    expect_true(keyspace_stats(ks)->expired_fields > 0);
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(a_large_hash_is_worked_off_in_steps_and_goes_with_its_last_field) {
    enum { FIELDS = 50000 };
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 2);
    struct events events = {0};
    const struct keyspace_observer observer = {
        .ctx = &events,
        .event = count_event,
        .events = EVENT_EXPIRED | EVENT_GENERIC,
        .touched = count_touched,
    };
    int64_t at_ms = FIXTURE_START_MS + 5000;
    for (uint64_t i = 0; i < FIELDS; i++)
        set_field(db, BYTES("hash"), i, at_ms, FIXTURE_START_MS);
    keyspace_add_observer(ks, &observer);
    keyspace_set_now(ks, at_ms - 1);
    fixture_expire(ks);
    expect_eq(keyspace_stats(ks)->expired_fields, 0);

    keyspace_set_now(ks, at_ms + GRANULARITY_MS);
    size_t turns = 0, turns_that_removed = 0;
    uint64_t before;
    bool more;
    do {
        before = keyspace_stats(ks)->expired_fields;
        if (++turns % 8 == 0) keyspace_verify(ks);
        more = keyspace_expire_due(ks, 200);
        turns_that_removed += keyspace_stats(ks)->expired_fields > before;
    } while (more);
    expect_true(turns_that_removed > 1);
    expect_eq(keyspace_stats(ks)->expired_fields, FIELDS);
    expect_eq(keyspace_stats(ks)->expired_keys, 0);
    expect_eq(db_key_count(db), 0);
    expect_eq(events.hexpired, turns_that_removed); /* time may be up before the first field */
    expect_eq(events.del, 1);
    expect_true(events.touched >= events.hexpired);
    expect_eq(keyspace_next_expiry_ms(ks), INT64_MAX);
    keyspace_verify(ks);
    keyspace_destroy(&ks);
}

TEST(nothing_is_removed_while_expiry_is_off) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    set_field(db, BYTES("hash"), 1, FIXTURE_START_MS + 10, FIXTURE_START_MS);
    for (int by_access = 0; by_access < 2; by_access++) {
        if (by_access) {
            keyspace_set_expire_by_access(ks, false);
        } else {
            keyspace_set_active_expire(ks, false);
        }
        keyspace_set_now(ks, FIXTURE_START_MS + 1000);
        expect_eq(keyspace_next_expiry_ms(ks), INT64_MAX);
        fixture_expire(ks);
        expect_eq(db_timed_count(db), 1);
        if (!by_access) keyspace_set_active_expire(ks, true), keyspace_set_active_expire(ks, false);
    }
    keyspace_set_active_expire(ks, true);
    keyspace_set_expire_by_access(ks, true);
    fixture_expire(ks);
    expect_eq(db_key_count(db), 0);
    keyspace_verify(ks);
    keyspace_destroy(&ks);
}

/* Ever earlier elements file record after record: the stale ones must not pile up. */
TEST(records_that_were_overtaken_are_purged) {
    enum { ROUNDS = 20000 };
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    size_t most = 0;
    for (int64_t i = 0; i < ROUNDS; i++) {
        set_field(db, BYTES("hash"), 1, FIXTURE_START_MS + 1000000 + (ROUNDS - i) * 32,
                  FIXTURE_START_MS);
        fixture_expire(ks);
        most = size_max(most, keyspace_expire_index_bytes(db));
    }
    expect_true(most < 64 << 10);
    keyspace_verify(ks);
    keyspace_set_now(ks, FIXTURE_START_MS + 3000000);
    fixture_expire(ks);
    expect_eq(db_key_count(db), 0);
    keyspace_destroy(&ks);
}

TEST_MAIN()
