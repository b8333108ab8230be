/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/keyspace/keyspace_fixture.h"

enum { GRANULARITY_MS = 16 };

/* Keys never looked at: only the index can remove them. */
TEST(no_key_outlives_its_time_by_more_than_a_tick) {
    enum { KEYS = 20000 };
    static int64_t at_ms[KEYS];
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 1);
    char name[512];
    int64_t now = FIXTURE_START_MS;
    for (uint64_t i = 0; i < KEYS; i++) {
        at_ms[i] = now + 1 + (int64_t)(rng_next(t->rng) >> (64 - 1 - rng_below(t->rng, 33)));
        (void)fixture_set(db, fixture_key(name, i), BYTES("value"), at_ms[i]);
    }
    size_t left = KEYS;
    while (left > 0) {
        int64_t next = keyspace_next_expiry_ms(ks);
        expect_true(next < INT64_MAX);
        /* Sometimes as the executor would, sometimes by a leap. */
        int64_t step = rng_below(t->rng, 20) ? i64_max(next - now, 1)
                                             : (int64_t)(rng_next(t->rng) >> (33 + left % 30));
        now += step;
        keyspace_set_now(ks, now);
        fixture_expire(ks);
        left = 0;
        for (uint64_t i = 0; i < KEYS; i++) {
            if (at_ms[i] > now) {
                left++;
            } else if (at_ms[i] > 0 && at_ms[i] <= now - GRANULARITY_MS) {
                struct bytes key = fixture_key(name, i);
                expect_null(
                    keyspace_find(db, key, hash_bytes(key), LOOKUP_EXPIRED_TOO | LOOKUP_NO_TOUCH));
                at_ms[i] = 0;
            }
        }
        expect_true(db_key_count(db) >= left);
        if (now - FIXTURE_START_MS > 1ll << 20) break; /* the rest in leaps */
    }
    for (; db_key_count(db) > 0; now += 1 << 16) {
        keyspace_set_now(ks, now);
        fixture_expire(ks);
        for (uint64_t i = now % 101; i < KEYS; i += 101) {
            if (at_ms[i] > now - GRANULARITY_MS) continue;
            struct bytes key = fixture_key(name, i);
            expect_null(keyspace_find(db, key, hash_bytes(key), LOOKUP_EXPIRED_TOO));
        }
        now = i64_max(now, keyspace_next_expiry_ms(ks));
        if (keyspace_next_expiry_ms(ks) == INT64_MAX) break;
    }
    expect_eq(db_key_count(db), 0);
    expect_eq(keyspace_next_expiry_ms(ks), INT64_MAX);
    keyspace_verify(ks);
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(storms_of_extending_shortening_and_resetting_keep_the_index_small) {
    enum { KEYS = 1000, STEPS = 400000 };
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    char name[512];
    size_t most = 0;
    int64_t now = FIXTURE_START_MS;
    for (int step = 0; step < STEPS; step++) {
        struct bytes key = fixture_key(name, rng_below(t->rng, KEYS));
        int64_t at_ms = now + 1000000 + (int64_t)rng_below(t->rng, 1000000000);
        struct entry *e = fixture_find(db, key);
        uint64_t choice = rng_below(t->rng, 4);
        if (choice == 0 && e) {
            keyspace_remove(db, e, KEY_DELETED);
        } else if (choice == 1) {
            (void)fixture_set(db, key, BYTES("v"), -1);
        } else if (choice == 2 && e) {
            (void)keyspace_set_expiry(db, e, at_ms);
        } else {
            (void)fixture_set(db, key, BYTES("v"), at_ms);
        }
        if (step % 100 == 0) { /* the executor calls between windows, with little time */
            keyspace_set_now(ks, now += 3);
            (void)keyspace_expire_due(ks, 20);
            most = size_max(most, keyspace_expire_index_bytes(db));
        }
        if (step % 20000 == 0) keyspace_verify(ks);
    }
    expect_true(most < 200000); /* some 10,000 records, and nine levels of slots */
    keyspace_verify(ks);
    now += 2000000000;
    keyspace_set_now(ks, now);
    fixture_expire(ks);
    expect_eq(db_expire_count(db), 0);
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(extending_adds_nothing_to_the_index) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    (void)fixture_set(db, BYTES("k"), BYTES("v"), FIXTURE_START_MS + 1000);
    size_t bytes = keyspace_expire_index_bytes(db);
    for (int i = 0; i < 100000; i++)
        (void)fixture_set(db, BYTES("k"), BYTES("v"), FIXTURE_START_MS + 1000 + i);
    expect_eq(keyspace_expire_index_bytes(db), bytes);
    keyspace_set_now(ks, FIXTURE_START_MS + 50000);
    fixture_expire(ks);
    expect_eq(db_key_count(db), 1);
    keyspace_set_now(ks, FIXTURE_START_MS + 1000 + 100000 + GRANULARITY_MS);
    fixture_expire(ks);
    expect_eq(db_key_count(db), 0);
    keyspace_destroy(&ks);
}

TEST(a_clock_that_is_set_back_delays_nothing) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    char name[512];
    int64_t back = FIXTURE_START_MS - 3600000;
    (void)fixture_set(db, BYTES("first"), BYTES("v"), FIXTURE_START_MS + 10);
    keyspace_set_now(ks, FIXTURE_START_MS + 100);
    fixture_expire(ks);
    for (uint64_t i = 0; i < 1000; i++)
        (void)fixture_set(db, fixture_key(name, i), BYTES("v"),
                          FIXTURE_START_MS + 200 + (int64_t)i);
    keyspace_set_now(ks, back);
    for (uint64_t i = 1000; i < 2000; i++)
        (void)fixture_set(db, fixture_key(name, i), BYTES("v"), back + (int64_t)(i - 1000) + 1);
    for (int64_t now = back; now < back + 1100; now += 10) {
        keyspace_set_now(ks, now);
        fixture_expire(ks);
    }
    expect_eq(db_key_count(db), 1000);
    keyspace_verify(ks);
    keyspace_set_now(ks, FIXTURE_START_MS + 200 + 1000 + GRANULARITY_MS);
    fixture_expire(ks);
    expect_eq(db_key_count(db), 0);
    keyspace_destroy(&ks);
}

TEST(nothing_expires_by_itself_while_that_is_off) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    char name[512];
    for (uint64_t i = 0; i < 10000; i++)
        (void)fixture_set(db, fixture_key(name, i), BYTES("v"), FIXTURE_START_MS + (int64_t)i + 1);
    keyspace_set_active_expire(ks, false);
    expect_eq(keyspace_next_expiry_ms(ks), INT64_MAX);
    keyspace_set_now(ks, FIXTURE_START_MS + 100000);
    expect_false(keyspace_expire_due(ks, 1000));
    expect_eq(db_key_count(db), 10000);
    expect_null(fixture_find(db, fixture_key(name, 5))); /* but by access */
    expect_eq(db_key_count(db), 9999);
    keyspace_set_active_expire(ks, true);
    keyspace_set_expire_by_access(ks, false);
    fixture_expire(ks);
    expect_null(fixture_find(db, fixture_key(name, 6)));
    expect_eq(db_key_count(db), 9999);
    keyspace_set_expire_by_access(ks, true);
    fixture_expire(ks);
    expect_eq(db_key_count(db), 0);
    keyspace_destroy(&ks);
}

TEST(a_million_keys_of_one_second_are_gone_within_bounded_steps) {
    enum { KEYS = 1000000, STEP_US = 500 };
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    char name[512];
    for (uint64_t i = 0; i < KEYS; i++)
        (void)fixture_set(db, fixture_key(name, i), BYTES("12345678"), FIXTURE_START_MS + 100000);
    /* The slots are cut up while time passes. */
    int64_t now = FIXTURE_START_MS;
    for (; now < FIXTURE_START_MS + 100000 - 20; now += 500) {
        keyspace_set_now(ks, now);
        fixture_expire(ks);
    }
    expect_eq(db_key_count(db), KEYS);
    keyspace_set_now(ks, FIXTURE_START_MS + 100000 + GRANULARITY_MS);
    uint64_t steps = 0, begin = clock_ticks();
    while (keyspace_expire_due(ks, STEP_US))
        steps++;
    double ms = (double)clock_ticks_to_us(clock_ticks() - begin) / 1000;
    fprintf(stderr, "1000000 keys expired in %.0f ms, %" PRIu64 " steps\n", ms, steps);
    expect_eq(db_key_count(db), 0);
    expect_true(steps > 10);
    expect_eq(keyspace_stats(ks)->expired_keys, KEYS);
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
