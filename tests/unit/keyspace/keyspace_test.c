/* SPDX-License-Identifier: BSD-3-Clause */
/* The keyspace against a plain array, under its own time. */
#include "tests/unit/keyspace/keyspace_fixture.h"

enum { MODEL_KEYS = 300, MODEL_DBS = 3, VALUE_MAX = 9000 };

struct model_key {
    bool present;
    int64_t at_ms; /* -1: none */
    uint32_t size;
    uint64_t seed; /* the value's bytes follow from it and size */
};

struct model {
    struct keyspace *ks;
    int64_t now_ms;
    struct model_key keys[MODEL_DBS][MODEL_KEYS];
    uint64_t touched, expired, added; /* told by the observer */
};

static struct bytes model_value(char out[VALUE_MAX], const struct model_key *k) {
    if (k->seed % 4 == 0) return bytes_make(out, num_format_i64(out, (int64_t)(k->seed >> 20)));
    struct rng rng;
    rng_seed(&rng, k->seed);
    for (uint32_t i = 0; i < k->size; i++)
        out[i] = (char)rng_next(&rng);
    return bytes_make(out, k->size);
}

static bool model_has(const struct model *m, int db, uint64_t key) {
    const struct model_key *k = &m->keys[db][key];
    return k->present && (k->at_ms < 0 || k->at_ms > m->now_ms);
}

static void on_touched(void *ctx, struct db *db, struct bytes key) {
    (void)db;
    ((struct model *)ctx)->touched += key.size > 0;
}

static void on_event(void *ctx, struct db *db, struct bytes key, uint32_t event_class,
                     const char *name) {
    struct model *m = ctx;
    (void)db;
    expect_true(key.size >= 16);
    if (event_class == EVENT_EXPIRED) expect_str_eq(name, "expired");
    m->expired += event_class == EVENT_EXPIRED;
    m->added += event_class == EVENT_NEW;
}

static int64_t random_expiry(struct rng *rng, const struct model *m) {
    if (rng_below(rng, 3)) return -1;
    uint64_t range = rng_below(rng, 5) ? 2000 : 5000000;
    return m->now_ms + 1 + (int64_t)rng_below(rng, range);
}

static void expect_same_key(struct model *m, int index, uint64_t key) {
    static char wanted[VALUE_MAX];
    char name[512], scratch[NUM_I64_TEXT_MAX];
    struct entry *e = fixture_find(keyspace_db(m->ks, index), fixture_key(name, key));
    const struct model_key *k = &m->keys[index][key];
    expect_eq(e != NULL, model_has(m, index, key));
    if (!e) return;
    expect_bytes_eq(entry_string(e, scratch), model_value(wanted, k));
    expect_eq(entry_expires(e) ? entry_expiry_ms(e) : -1, k->at_ms);
}

static void do_set(struct rng *rng, struct model *m, int index, uint64_t key) {
    static char value[VALUE_MAX];
    static const uint32_t sizes[] = {8, 8, 20, 64, 300, 4096, VALUE_MAX};
    char name[512];
    struct bytes bytes = fixture_key(name, key);
    struct db *db = keyspace_db(m->ks, index);
    struct model_key *k = &m->keys[index][key];
    bool keeps = rng_below(rng, 4) == 0 && model_has(m, index, key);
    int64_t at_ms = keeps ? -1 : random_expiry(rng, m);
    *k = (struct model_key){true, keeps ? k->at_ms : at_ms,
                            (uint32_t)rng_below(rng, sizes[rng_below(rng, COUNT_OF(sizes))]),
                            rng_next(rng)};
    uint64_t hash = hash_bytes(bytes);
    struct entry *old = keyspace_find(db, bytes, hash, LOOKUP_WRITE);
    uint64_t touched = m->touched; /* now: the old one may have expired in find */
    unsigned flags = keeps ? SET_KEEP_TTL : 0;
    if (k->seed % 4 == 0 && rng_below(rng, 2)) {
        (void)keyspace_set_int(db, bytes, hash, old, (int64_t)(k->seed >> 20), at_ms, flags);
    } else {
        (void)keyspace_set_string(db, bytes, hash, old, model_value(value, k), NULL, at_ms, flags);
    }
    expect_eq(m->touched, touched + 1);
}

static void do_remove(struct model *m, int index, uint64_t key) {
    char name[512];
    struct db *db = keyspace_db(m->ks, index);
    struct entry *e = fixture_find(db, fixture_key(name, key));
    expect_eq(e != NULL, model_has(m, index, key));
    if (e) keyspace_remove(db, e, KEY_DELETED);
    m->keys[index][key].present = false;
}

static void do_expire(struct rng *rng, struct model *m, int index, uint64_t key) {
    char name[512];
    struct db *db = keyspace_db(m->ks, index);
    struct entry *e = fixture_find(db, fixture_key(name, key));
    if (!e) return;
    int64_t at_ms = random_expiry(rng, m);
    (void)keyspace_set_expiry(db, e, at_ms);
    m->keys[index][key].at_ms = at_ms;
}

static void do_move(struct rng *rng, struct model *m, int from, uint64_t key) {
    char name[512], to_name[512];
    int to = (int)rng_below(rng, MODEL_DBS);
    uint64_t to_key = rng_below(rng, 3) ? key : rng_below(rng, MODEL_KEYS);
    struct db *from_db = keyspace_db(m->ks, from), *to_db = keyspace_db(m->ks, to);
    struct entry *e = fixture_find(from_db, fixture_key(name, key));
    struct bytes target = fixture_key(to_name, to_key);
    if (!e || fixture_find(to_db, target)) return;
    bool copies = rng_below(rng, 2);
    if (copies) {
        (void)keyspace_copy_entry(to_db, target, hash_bytes(target), e);
    } else {
        (void)keyspace_move_entry(from_db, e, to_db, target, hash_bytes(target));
    }
    m->keys[to][to_key] = m->keys[from][key];
    if (!copies) m->keys[from][key].present = false;
}

static void do_whole(struct rng *rng, struct model *m) {
    int a = (int)rng_below(rng, MODEL_DBS), b = (int)rng_below(rng, MODEL_DBS);
    if (rng_below(rng, 2)) {
        (void)keyspace_flush(keyspace_db(m->ks, a), rng_below(rng, 2));
        expect_eq(db_key_count(keyspace_db(m->ks, a)), 0);
        memset(m->keys[a], 0, sizeof(m->keys[a]));
        return;
    }
    static struct model_key swap[MODEL_KEYS];
    keyspace_swap(keyspace_db(m->ks, a), keyspace_db(m->ks, b));
    memcpy(swap, m->keys[a], sizeof(swap));
    memmove(m->keys[a], m->keys[b], sizeof(swap));
    memcpy(m->keys[b], swap, sizeof(swap));
}

static void pass_time(struct rng *rng, struct model *m) {
    uint64_t choice = rng_below(rng, 300);
    int64_t by = (int64_t)rng_below(rng, choice == 0 ? 3000000 : choice < 30 ? 500 : 5);
    m->now_ms += choice == 1 ? -by / 1000 : by;
    if (choice == 2) m->now_ms -= 100000; /* the clock is set back */
    keyspace_set_now(m->ks, m->now_ms);
    if (rng_below(rng, 3) == 0) (void)keyspace_expire_due(m->ks, rng_below(rng, 2) ? 0 : 1000);
}

/* What is expired and gone must not come back when the clock goes back. */
static void forget_expired(struct model *m) {
    for (int d = 0; d < MODEL_DBS; d++) {
        for (uint64_t i = 0; i < MODEL_KEYS; i++)
            if (!model_has(m, d, i)) m->keys[d][i].present = false;
    }
}

static void expect_same(struct model *m) {
    for (int d = 0; d < MODEL_DBS; d++) {
        for (uint64_t i = 0; i < MODEL_KEYS; i++)
            expect_same_key(m, d, i);
    }
}

static void do_something(struct rng *rng, struct model *m) {
    int index = (int)rng_below(rng, MODEL_DBS);
    uint64_t key = rng_below(rng, MODEL_KEYS), choice = rng_below(rng, 1000);
    if (choice < 400) {
        do_set(rng, m, index, key);
    } else if (choice < 550) {
        do_remove(m, index, key);
    } else if (choice < 750) {
        do_expire(rng, m, index, key);
    } else if (choice < 850) {
        do_move(rng, m, index, key);
    } else if (choice == 997) {
        expect_same(m);
    } else if (choice == 998) {
        keyspace_set_resize_allowed(m->ks, rng_below(rng, 2));
    } else if (choice == 999) {
        do_whole(rng, m);
    } else {
        expect_same_key(m, index, key);
    }
}

/* The model has dropped what expired; it must not come back with the old time. */
static void look_at_both_times(struct model *m, int64_t was_ms) {
    keyspace_set_now(m->ks, was_ms);
    fixture_expire(m->ks);
    forget_expired(m);
    expect_same(m);
    keyspace_set_now(m->ks, m->now_ms);
    expect_same(m);
}

TEST(keyspace_agrees_with_a_plain_array_under_random_use) {
    static struct model m;
    memset(&m, 0, sizeof(m));
    m.now_ms = FIXTURE_START_MS;
    m.ks = fixture_create(t, &fixture_config);
    keyspace_add_observer(
        m.ks, &(struct keyspace_observer){
                  .ctx = &m, .touched = on_touched, .event = on_event, .events = UINT32_MAX});
    for (int step = 0; step < 60000; step++) {
        do_something(t->rng, &m);
        forget_expired(&m);
        int64_t was_ms = m.now_ms;
        pass_time(t->rng, &m);
        if (m.now_ms < was_ms) look_at_both_times(&m, was_ms);
        if (step % 256 == 0) keyspace_verify(m.ks);
    }
    m.now_ms += 1ll << 40;
    keyspace_set_now(m.ks, m.now_ms);
    fixture_expire(m.ks);
    for (int d = 0; d < MODEL_DBS; d++)
        expect_eq(db_expire_count(keyspace_db(m.ks, d)), 0);
    expect_same(&m);
    keyspace_verify(m.ks);
    expect_true(m.expired > 0 && m.expired == keyspace_stats(m.ks)->expired_keys);
    expect_true(m.added > 0 && m.touched > m.added);
    keyspace_destroy(&m.ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(look_up_counts_hits_and_misses_and_removes_what_has_expired) {
    struct model m = {0};
    struct keyspace *ks = m.ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    const struct keyspace_stats *stats = keyspace_stats(ks);
    struct bytes key = BYTES("key:000000000001");
    uint64_t hash = hash_bytes(key);
    keyspace_add_observer(
        ks, &(struct keyspace_observer){.ctx = &m, .event = on_event, .events = UINT32_MAX});
    (void)fixture_set(db, key, BYTES("v"), FIXTURE_START_MS + 100);
    expect_not_null(keyspace_find(db, key, hash, LOOKUP_READ));
    expect_not_null(keyspace_find(db, key, hash, LOOKUP_WRITE));
    expect_not_null(keyspace_find(db, key, hash, LOOKUP_NO_STATS));
    expect_eq(stats->hits, 1);
    keyspace_set_now(ks, FIXTURE_START_MS + 99);
    expect_not_null(keyspace_find(db, key, hash, LOOKUP_WRITE));
    keyspace_set_now(ks, FIXTURE_START_MS + 100);
    struct entry *e = keyspace_find(db, key, hash, LOOKUP_EXPIRED_TOO);
    expect_true(e && keyspace_is_expired(ks, e));
    keyspace_set_expire_by_access(ks, false);
    expect_null(keyspace_find(db, key, hash, LOOKUP_READ));
    expect_eq(db_key_count(db), 1);
    keyspace_set_expire_by_access(ks, true);
    expect_null(keyspace_find(db, key, hash, LOOKUP_READ));
    expect_eq(db_key_count(db), 0);
    expect_eq(stats->misses, 2);
    expect_eq(stats->expired_keys, 1);
    expect_eq(m.expired, 1);
    keyspace_destroy(&ks);
}

TEST(an_expired_key_that_only_reads_as_absent_can_be_set_again) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    (void)fixture_set(db, BYTES("k"), BYTES("v"), FIXTURE_START_MS + 1);
    keyspace_set_expire_by_access(ks, false);
    keyspace_set_now(ks, FIXTURE_START_MS + 2);
    (void)fixture_set(db, BYTES("k"), BYTES("w"), -1);
    expect_eq(db_key_count(db), 1);
    expect_not_null(fixture_find(db, BYTES("k")));
    keyspace_verify(ks);
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* ---- objects, through a type of their own ---- */

struct object {
    struct module_object head;
    size_t elements;
};

static void object_destroy(void *object) { mem_free(object); }
static void *object_copy(const void *object);
static size_t object_memory(const void *object, size_t samples) {
    return mem_usable_size(object) + samples * 0;
}
static size_t object_effort(const void *object) {
    return ((const struct object *)object)->elements;
}
static const char *object_encoding(const void *object) { return object ? "quicklist" : ""; }

static const struct value_ops object_ops = {
    .destroy = object_destroy,
    .copy = object_copy,
    .memory_bytes = object_memory,
    .free_effort = object_effort,
    .encoding_name = object_encoding,
};

static struct object *object_create(size_t elements) {
    struct object *object = mem_alloc(sizeof(*object));
    *object = (struct object){{&object_ops}, elements};
    return object;
}
static void *object_copy(const void *object) {
    return object_create(((const struct object *)object)->elements);
}

struct disposed {
    void (*destroy)(void *object);
    void *object;
    size_t effort;
};
struct disposals {
    struct disposed items[16];
    size_t count;
};

static void on_dispose(void *ctx, void (*destroy)(void *object), void *object, size_t effort) {
    struct disposals *d = ctx;
    expect_true(d->count < COUNT_OF(d->items));
    d->items[d->count++] = (struct disposed){destroy, object, effort};
}

TEST(an_object_takes_the_place_of_whatever_the_key_held) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    static char big[100000];
    for (int round = 0; round < 2; round++) {
        (void)fixture_set(db, BYTES("embedded"), BYTES("v"), -1);
        (void)fixture_set(db, BYTES("blob"), bytes_make(big, sizeof(big)), -1);
        (void)fixture_set(db, BYTES("expires"), BYTES("v"), FIXTURE_START_MS + 1000);
        struct bytes keys[] = {BYTES("embedded"), BYTES("blob"), BYTES("expires"), BYTES("absent")};
        for (size_t i = 0; i < COUNT_OF(keys); i++) {
            struct entry *old = fixture_find(db, keys[i]);
            struct entry *e = keyspace_store_object(db, old, keys[i], hash_bytes(keys[i]),
                                                    TYPE_MODULE, object_create(i));
            expect_ptr_eq(fixture_find(db, keys[i]), e);
            expect_eq(entry_type(e), TYPE_MODULE);
            expect_false(entry_expires(e));
            expect_eq(entry_free_effort(e), i);
            keyspace_verify(ks);
        }
        expect_eq(db_key_count(db), 4);
        expect_eq(db_expire_count(db), 0);
        keyspace_set_now(ks, FIXTURE_START_MS + 5000);
        (void)keyspace_expire_due(ks, 1000000);
        expect_eq(db_key_count(db), 4);
        keyspace_verify(ks);
    }
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

static void add_object(struct db *db, struct bytes key, size_t elements) {
    struct entry *e =
        keyspace_add_object(db, key, hash_bytes(key), TYPE_MODULE, object_create(elements));
    expect_str_eq(entry_encoding_name(e), "quicklist");
    expect_eq(entry_free_effort(e), elements);
    expect_true(entry_memory_bytes(e, 0) > sizeof(struct object));
}

TEST(what_is_costly_to_free_goes_to_the_disposer) {
    struct disposals d = {0};
    struct keyspace_config config = fixture_config;
    struct keyspace *ks = fixture_create(t, &config);
    struct db *db = keyspace_db(ks, 0);
    const struct keyspace_stats *stats = keyspace_stats(ks);
    static char big[100000];
    add_object(db, BYTES("small"), 64);
    add_object(db, BYTES("large"), 65);
    add_object(db, BYTES("large2"), 1000);
    (void)fixture_set(db, BYTES("blob"), bytes_make(big, sizeof(big)), -1);
    keyspace_set_disposer(ks, &(struct keyspace_disposer){&d, on_dispose});

    keyspace_remove(db, fixture_find(db, BYTES("small")), KEY_UNLINKED);
    expect_eq(d.count, 0);
    keyspace_remove(db, fixture_find(db, BYTES("large")), KEY_UNLINKED);
    expect_eq(d.count, 1);
    expect_eq(d.items[0].effort, 65);
    struct blob *pinned = blob_retain(entry_blob(fixture_find(db, BYTES("blob"))));
    (void)fixture_set(db, BYTES("blob"), BYTES("x"), -1);
    expect_eq(d.count, 1); /* a reply holds it: nothing to free yet */
    blob_release(pinned);
    keyspace_discard(db, fixture_find(db, BYTES("large2")), object_create(64)); /* freed at once */
    expect_eq(d.count, 1);
    keyspace_discard(db, fixture_find(db, BYTES("large2")), object_create(65));
    expect_eq(d.count, 2);
    config.lazy_server_del = false;
    (void)fixture_set(db, BYTES("large2"), BYTES("x"), -1);
    expect_eq(d.count, 2);
    (void)fixture_set(db, BYTES("blob"), bytes_make(big, sizeof(big)), -1);
    keyspace_remove(db, fixture_find(db, BYTES("blob")), KEY_DELETED);
    expect_eq(d.count, 3);
    expect_eq(stats->lazyfree_pending, 3);
    for (int i = 0; i < 100; i++) {
        char name[512];
        (void)fixture_set(db, fixture_key(name, (uint64_t)i), BYTES("v"), FIXTURE_START_MS + 99999);
    }
    expect_eq(keyspace_flush(db, true), 101);
    expect_eq(d.count, 4);
    expect_eq(stats->lazyfree_pending, 104);
    expect_eq(db_key_count(db) + db_expire_count(db), 0);
    add_object(db, BYTES("large"), 1000);
    expect_eq(keyspace_flush(db, true), 1); /* one key may be as much work as many */
    expect_eq(d.count, 5);
    for (size_t i = 0; i < d.count; i++) {
        d.items[i].destroy(d.items[i].object);
        keyspace_dispose_done(ks, d.items[i].destroy, d.items[i].effort);
    }
    expect_eq(stats->lazyfree_pending, 0);
    expect_eq(stats->lazyfreed, 105);
    keyspace_verify(ks);
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(objects_are_copied_and_moved) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *a = keyspace_db(ks, 0), *b = keyspace_db(ks, 1);
    add_object(a, BYTES("o"), 10);
    struct entry *e = fixture_find(a, BYTES("o"));
    void *object = entry_object(e);
    struct entry *copy = keyspace_copy_entry(a, BYTES("p"), hash_bytes(BYTES("p")), e);
    expect_true(entry_object(copy) != object);
    struct entry *moved = keyspace_move_entry(a, e, b, BYTES("o"), hash_bytes(BYTES("o")));
    expect_ptr_eq(entry_object(moved), object);
    expect_eq(db_key_count(a), 1);
    expect_eq(db_key_count(b), 1);
    expect_str_eq(value_type_name(entry_type(moved)), "module");
    keyspace_verify(ks);
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* ---- walking, numbers ---- */

static void on_scan(void *ctx, struct entry *entry) { *(size_t *)ctx += entry_key_size(entry) > 0; }
static bool on_each(void *ctx, struct entry *entry) { return entry && ++*(size_t *)ctx < 500; }

TEST(scan_and_each_visit_the_keys) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    char name[512];
    expect_null(keyspace_random(db));
    for (uint64_t i = 0; i < 1000; i++)
        (void)fixture_set(db, fixture_key(name, i), BYTES("v"), -1);
    size_t visited = 0;
    uint64_t cursor = 0;
    do
        cursor = keyspace_scan(db, cursor, on_scan, &visited);
    while (cursor != 0);
    expect_eq(visited, 1000);
    visited = 0;
    keyspace_each(db, on_each, &visited);
    expect_eq(visited, 500);
    expect_not_null(keyspace_random(db));
    struct buf text = {0};
    keyspace_table_stats(db, &text);
    static const char start[] =
        "[Dictionary HT]\nHash table 0 stats (main hash table):\n table size: ";
    expect_true(bytes_starts_with(buf_bytes(&text), BYTES(start)));
    expect_not_null(strstr(text.data, "number of elements: 1000\n"));
    expect_not_null(strstr(text.data, "[Expires HT]\n"));
    buf_deinit(&text);
    keyspace_destroy(&ks);
}

TEST(random_key_removes_expired_ones_on_the_way) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    char name[512];
    for (uint64_t i = 0; i < 1000; i++)
        (void)fixture_set(db, fixture_key(name, i), BYTES("v"), i ? FIXTURE_START_MS + 5 : -1);
    keyspace_set_now(ks, FIXTURE_START_MS + 10);
    struct entry *e = keyspace_random(db);
    expect_not_null(e);
    expect_bytes_eq(entry_key(e), fixture_key(name, 0));
    keyspace_remove(db, e, KEY_DELETED);
    expect_null(keyspace_random(db));
    expect_eq(db_key_count(db), 0);
    keyspace_destroy(&ks);
}

struct whole {
    int flushed, swapped;
    size_t keys;
};
static void on_flushed(void *ctx, struct db *db) {
    struct whole *w = ctx;
    w->flushed++;
    w->keys = db_key_count(db);
}
static void on_swapped(void *ctx, struct db *a, struct db *b) {
    struct whole *w = ctx;
    w->swapped++;
    w->keys = db_key_count(a) - db_key_count(b);
}

TEST(flush_and_swap_are_told_before_they_happen) {
    struct whole w = {0};
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *a = keyspace_db(ks, 0), *b = keyspace_db(ks, 1);
    keyspace_add_observer(
        ks, &(struct keyspace_observer){.ctx = &w, .flushed = on_flushed, .swapped = on_swapped});
    (void)fixture_set(a, BYTES("k"), BYTES("v"), FIXTURE_START_MS + 100);
    keyspace_swap(a, b);
    expect_eq(w.swapped, 1);
    expect_eq(w.keys, 1);
    expect_eq(db_key_count(a), 0);
    expect_eq(db_expire_count(b), 1);
    expect_eq(db_index(a), 0);
    expect_eq(db_index(b), 1);
    expect_eq(keyspace_flush(b, true), 1); /* without a disposer: at once */
    expect_eq(w.flushed, 1);
    expect_eq(w.keys, 1);
    expect_eq(db_expire_count(b), 0);
    expect_eq(keyspace_expire_index_bytes(b), 0);
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(tables_are_resized_in_bounded_steps_unless_that_is_forbidden) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 2);
    char name[512];
    keyspace_set_resize_allowed(ks, false);
    for (uint64_t i = 0; i < 20000; i++)
        (void)fixture_set(db, fixture_key(name, i), BYTES("v"), -1);
    expect_false(keyspace_step(ks, 1000));
    size_t bytes = keyspace_table_bytes(db);
    expect_eq(keyspace_rehashing_count(ks), 1);
    keyspace_set_resize_allowed(ks, true);
    while (keyspace_step(ks, 0)) {}
    expect_eq(keyspace_rehashing_count(ks), 0);
    expect_true(keyspace_table_bytes(db) != bytes);
    keyspace_verify(ks);
    keyspace_destroy(&ks);
}

TEST(average_ttl_is_exact) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    (void)fixture_set(db, BYTES("a"), BYTES("v"), FIXTURE_START_MS + 1000);
    (void)fixture_set(db, BYTES("b"), BYTES("v"), FIXTURE_START_MS + 4000);
    (void)fixture_set(db, BYTES("c"), BYTES("v"), -1);
    expect_eq(db_average_ttl_ms(db), 2500);
    (void)keyspace_set_expiry(db, fixture_find(db, BYTES("a")), FIXTURE_START_MS + 2000);
    expect_eq(db_average_ttl_ms(db), 3000);
    (void)keyspace_set_expiry(db, fixture_find(db, BYTES("c")), INT64_MAX);
    (void)keyspace_set_expiry(db, fixture_find(db, BYTES("a")), INT64_MAX);
    expect_true(db_average_ttl_ms(db) > INT64_MAX / 2);
    keyspace_verify(ks);
    keyspace_destroy(&ks);
}

TEST_MAIN()
