/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/keyspace/keyspace_fixture.h"

enum { KEYS = 20000, VALUE_BYTES = 200 };

struct world {
    struct keyspace_config config;
    struct keyspace *ks;
    uint64_t evicted;
};

static void on_event(void *ctx, struct db *db, struct bytes key, uint32_t event_class,
                     const char *name) {
    struct world *w = ctx;
    if (event_class != EVENT_EVICTED) return;
    expect_true(db && key.size > 0);
    expect_str_eq(name, "evicted");
    w->evicted++;
}

/* Keys 0..KEYS-1, in two databases; volatile if number % every == 0 (0: none), the later the
 * higher the number. */
static void world_create(struct world *w, struct test *t, uint8_t policy, uint64_t every) {
    static char value[VALUE_BYTES];
    char name[512];
    *w = (struct world){.config = fixture_config};
    w->config.policy = policy;
    w->config.tenacity = 100;
    w->ks = fixture_create(t, &w->config);
    keyspace_add_observer(
        w->ks, &(struct keyspace_observer){.ctx = w, .event = on_event, .events = UINT32_MAX});
    for (uint64_t i = 0; i < KEYS; i++) {
        int64_t at_ms = FIXTURE_START_MS + 100000 + (int64_t)i * 1000;
        bool is_volatile = every && i / 2 % every == 0;
        (void)fixture_set(keyspace_db(w->ks, (int32_t)(i % 2)), fixture_key(name, i),
                          bytes_make(value, sizeof(value)), is_volatile ? at_ms : -1);
    }
}

static bool has(struct world *w, uint64_t number) {
    char name[512];
    struct bytes key = fixture_key(name, number);
    return keyspace_find(keyspace_db(w->ks, (int32_t)(number % 2)), key, hash_bytes(key),
                         LOOKUP_EXPIRED_TOO | LOOKUP_NO_TOUCH | LOOKUP_NO_STATS) != NULL;
}

/* Takes away so much of the allowance that about a share of all keys must go. */
static enum evict_result squeeze(struct world *w, double share) {
    double bytes = share * KEYS * (VALUE_BYTES + 50);
    w->config.maxmemory_bytes = mem_in_use() - (uint64_t)bytes;
    enum evict_result result;
    int rounds = 0;
    do
        result = keyspace_evict(w->ks, 0);
    while (result == EVICT_RUNNING && ++rounds < 1000000);
    if (result == EVICT_OK) expect_true(mem_in_use() <= w->config.maxmemory_bytes);
    keyspace_verify(w->ks);
    expect_eq(w->evicted, keyspace_stats(w->ks)->evicted_keys);
    return result;
}

/* How many of the keys in [first, last) with number / 2 % every == 0 are left. */
static double left(struct world *w, uint64_t first, uint64_t last, uint64_t every) {
    size_t all = 0, present = 0;
    for (uint64_t i = first; i < last; i++) {
        if (i / 2 % every) continue;
        all++;
        present += has(w, i);
    }
    return (double)present / (double)all;
}

static void world_destroy(struct world *w, struct test *t) {
    keyspace_destroy(&w->ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(no_policy_and_nothing_volatile_fail) {
    struct world w;
    world_create(&w, t, EVICT_NONE, 2);
    expect_eq(keyspace_evict(w.ks, 0), EVICT_OK);
    expect_eq(squeeze(&w, 0.1), EVICT_FAIL);
    expect_eq(w.evicted, 0);
    expect_true(keyspace_stats(w.ks)->eviction_exceeded_since_us != 0);
    w.config.maxmemory_bytes = mem_in_use() - 1000;
    expect_eq(keyspace_memory_excess(w.ks, 100), 900);
    expect_eq(keyspace_evict(w.ks, 1000), EVICT_OK);
    expect_eq(keyspace_stats(w.ks)->eviction_exceeded_since_us, 0);
    world_destroy(&w, t);
    static const uint8_t policies[] = {EVICT_VOLATILE_LRU, EVICT_VOLATILE_LFU,
                                       EVICT_VOLATILE_RANDOM, EVICT_VOLATILE_TTL};
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        world_create(&w, t, policies[i], 0);
        expect_eq(squeeze(&w, 0.1), EVICT_FAIL);
        world_destroy(&w, t);
    }
}

/* Uses the upper half of the keys, some time after they were made. */
static void use_upper_half(struct world *w, int times) {
    char name[512];
    keyspace_set_now(w->ks, FIXTURE_START_MS + 50000);
    for (int n = 0; n < times; n++) {
        for (uint64_t i = KEYS / 2; i < KEYS; i++) {
            struct bytes key = fixture_key(name, i);
            (void)keyspace_find(keyspace_db(w->ks, (int32_t)(i % 2)), key, hash_bytes(key), 0);
        }
    }
}

TEST(lru_and_lfu_spare_what_is_in_use) {
    static const uint8_t policies[] = {EVICT_ALLKEYS_LRU, EVICT_ALLKEYS_LFU};
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        struct world w;
        world_create(&w, t, policies[i], 0);
        use_upper_half(&w, 30);
        expect_eq(squeeze(&w, 0.25), EVICT_OK);
        double idle = left(&w, 0, KEYS / 2, 1), used = left(&w, KEYS / 2, KEYS, 1);
        expect_true(idle < 0.7);
        expect_true(used > 0.97);
        world_destroy(&w, t);
    }
}

TEST(volatile_lru_and_lfu_spare_keys_without_expiry) {
    static const uint8_t policies[] = {EVICT_VOLATILE_LRU, EVICT_VOLATILE_LFU};
    static const uint64_t shares[] = {2, 100}; /* through the table, through the index */
    for (size_t i = 0; i < 4; i++) {
        struct world w;
        uint64_t every = shares[i / 2];
        world_create(&w, t, policies[i % 2], every);
        use_upper_half(&w, 30);
        expect_eq(squeeze(&w, 0.25 / (double)every), EVICT_OK);
        double idle = left(&w, 0, KEYS / 2, every), used = left(&w, KEYS / 2, KEYS, every);
        expect_true(idle < 0.75);
        expect_true(used > 0.9);
        expect_eq(squeeze(&w, 0.7), EVICT_FAIL); /* all volatile keys go, and no other */
        for (uint64_t k = 0; k < KEYS; k++)
            expect_eq(has(&w, k), k / 2 % every != 0);
        world_destroy(&w, t);
    }
}

TEST(random_takes_from_everywhere) {
    struct world w;
    world_create(&w, t, EVICT_ALLKEYS_RANDOM, 0);
    expect_eq(squeeze(&w, 0.5), EVICT_OK);
    for (uint64_t part = 0; part < 4; part++) {
        double share = left(&w, part * KEYS / 4, (part + 1) * KEYS / 4, 1);
        expect_true(share > 0.35 && share < 0.7);
    }
    world_destroy(&w, t);
    static const uint64_t shares[] = {2, 100};
    for (size_t i = 0; i < COUNT_OF(shares); i++) {
        world_create(&w, t, EVICT_VOLATILE_RANDOM, shares[i]);
        expect_eq(squeeze(&w, 0.5 / (double)shares[i]), EVICT_OK);
        for (uint64_t part = 0; part < 4; part++) {
            double share = left(&w, part * KEYS / 4, (part + 1) * KEYS / 4, shares[i]);
            expect_true(share > 0.15 && share < 0.9);
        }
        world_destroy(&w, t);
    }
}

TEST(volatile_ttl_takes_what_would_expire_first) {
    static const uint64_t shares[] = {1, 2, 100};
    for (size_t i = 0; i < COUNT_OF(shares); i++) {
        struct world w;
        uint64_t every = shares[i];
        world_create(&w, t, EVICT_VOLATILE_TTL, every);
        expect_eq(squeeze(&w, 0.5 / (double)every), EVICT_OK);
        expect_true(left(&w, 0, KEYS / 4, every) < 0.02);
        expect_true(left(&w, KEYS * 3 / 4, KEYS, every) > 0.98);
        expect_true(keyspace_expire_index_bytes(keyspace_db(w.ks, 0)) < KEYS * 16);
        world_destroy(&w, t);
    }
}

TEST(a_step_is_bounded_by_tenacity) {
    struct world w;
    world_create(&w, t, EVICT_ALLKEYS_LRU, 0);
    w.config.tenacity = 0;
    w.config.maxmemory_bytes = mem_in_use() / 2;
    expect_eq(keyspace_evict(w.ks, 0), EVICT_RUNNING);
    expect_eq(w.evicted, 1);
    w.config.tenacity = 10;
    uint64_t begin = clock_ticks();
    expect_eq(keyspace_evict(w.ks, 0), EVICT_RUNNING);
    expect_true(clock_ticks_to_us(clock_ticks() - begin) >= 500);
    expect_true(w.evicted > 10);
    w.config.tenacity = 100;
    expect_eq(keyspace_evict(w.ks, 0), EVICT_OK);
    expect_true(keyspace_stats(w.ks)->eviction_exceeded_us > 500);
    world_destroy(&w, t);
}

TEST(lfu_counts_logarithmically_and_decays) {
    struct keyspace_config config = fixture_config;
    config.policy = EVICT_ALLKEYS_LFU;
    struct keyspace *ks = fixture_create(t, &config);
    struct db *db = keyspace_db(ks, 0);
    struct bytes key = BYTES("k");
    struct entry *e = fixture_set(db, key, BYTES("v"), -1);
    expect_eq(entry_lfu_counter(ks, e), 5);
    for (int i = 0; i < 1000; i++)
        (void)keyspace_find(db, key, hash_bytes(key), LOOKUP_READ);
    uint8_t counter = entry_lfu_counter(ks, e);
    expect_true(counter >= 12 && counter <= 30); /* 18 on average */
    (void)keyspace_find(db, key, hash_bytes(key), LOOKUP_NO_TOUCH);
    keyspace_set_now(ks, FIXTURE_START_MS + 3 * 60000);
    expect_eq(entry_lfu_counter(ks, e), counter - 3);
    keyspace_set_now(ks, FIXTURE_START_MS + 300 * 60000);
    expect_eq(entry_lfu_counter(ks, e), 0);
    config.lfu_decay_minutes = 0;
    expect_eq(entry_lfu_counter(ks, e), counter);
    keyspace_destroy(&ks);
}

TEST(idle_time_counts_from_the_last_access) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    struct bytes key = BYTES("k");
    struct entry *e = fixture_set(db, key, BYTES("v"), -1);
    keyspace_set_now(ks, FIXTURE_START_MS + 77000);
    (void)keyspace_find(db, key, hash_bytes(key), LOOKUP_NO_TOUCH);
    expect_eq(entry_idle_seconds(ks, e), 77);
    (void)keyspace_find(db, key, hash_bytes(key), LOOKUP_READ);
    expect_eq(entry_idle_seconds(ks, e), 0);
    keyspace_destroy(&ks);
}

TEST_MAIN()
