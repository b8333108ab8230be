/* SPDX-License-Identifier: BSD-3-Clause */
/* hashtab against plain models: every change is followed by hashtab_verify where sizes allow it. */
#include "ds/hashtab.h"
#include "base/buf.h"
#include "ds/hashtab_inline.h"
#include "tests/unit/test.h"

enum { IDS_MAX = 1 << 17 };

/* An entry whose key is its id. The hash is mixed, or bad on purpose. */
struct test_entry {
    uint64_t id;
    uint64_t hash;
};

static uint64_t mix(uint64_t x) { /* the finaliser of SplitMix64 (Steele, Lea, Flood) */
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

static struct bytes id_bytes(const uint64_t *id) { return bytes_make(id, sizeof(*id)); }
static struct bytes test_entry_key(const void *entry) {
    return id_bytes(&((const struct test_entry *)entry)->id);
}
static uint64_t test_entry_hash(const void *entry) {
    return ((const struct test_entry *)entry)->hash;
}
static const struct hashtab_type test_entry_type = {
    .key = test_entry_key, .hash = test_entry_hash, .drop = mem_free};

static bool test_entry_equal(const void *entry, struct bytes key) {
    return bytes_equal(test_entry_key(entry), key);
}

static struct test_entry *entry_create(uint64_t id, uint64_t hash) {
    struct test_entry *entry = mem_alloc(sizeof(*entry));
    *entry = (struct test_entry){.id = id, .hash = hash};
    return entry;
}

/* Adds the ids from .. to - 1. */
static void add_ids(struct hashtab *tab, uint64_t from, uint64_t to) {
    for (uint64_t id = from; id < to; id++) {
        expect_true(hashtab_add(tab, mix(id), entry_create(id, mix(id))));
    }
}

static void remove_ids(struct hashtab *tab, uint64_t from, uint64_t to) {
    for (uint64_t id = from; id < to; id++) {
        struct test_entry *entry = hashtab_take(tab, mix(id), id_bytes(&id));
        expect_not_null(entry);
        expect_eq(entry->id, id);
        mem_free(entry);
    }
}

static bool has_id(const struct hashtab *tab, uint64_t id) {
    const struct test_entry *entry = hashtab_find(tab, mix(id), id_bytes(&id));
    return entry && entry->id == id;
}

enum { REGIMES = 6 };

/* Which hash an id has under the regimes that the model test runs in. */
static uint64_t model_hash(int regime, uint64_t id) {
    switch (regime) {
    case 0: return mix(id);
    case 1: return mix(id) & 0xff0000000000000full;  /* 16 buckets at most: long chains */
    case 2: return mix(id) & 0x00ffffffffffffffull;  /* one tag for all, which is a folded one */
    case 3: return mix(id) & 0xff00000000000000ull;  /* one chain */
    case 4: return mix(id) & 0x0300000000000001ull;  /* two chains, two tags: most collide */
    default: return mix(id) & 0x3800000000000003ull; /* tags that agree in their low three bits */
    }
}

/* One random change or look-up, the same in the table and in the model. */
static void model_step(struct test *t, struct hashtab *tab, struct test_entry **model, int regime,
                       uint64_t ids) {
    uint64_t id = rng_below(t->rng, ids), hash = model_hash(regime, id);
    struct bytes key = id_bytes(&id);
    struct hashtab_place place;
    expect_ptr_eq(hashtab_find(tab, hash, key), model[id]);
    expect_ptr_eq(hashtab_find_with(tab, hash, key, test_entry_equal), model[id]);
    hashtab_prefetch_bucket(tab, hash);
    hashtab_prefetch_entry(tab, hash);
    switch (rng_below(t->rng, 8)) {
    case 0:
    case 1: {
        struct test_entry *entry = entry_create(id, hash);
        bool added = hashtab_add(tab, hash, entry);
        expect_eq(added, model[id] == NULL);
        if (added) {
            model[id] = entry;
        } else {
            mem_free(entry);
        }
        break;
    }
    case 2: /* add or overwrite with one probe */
        if (hashtab_probe_with(tab, hash, key, &place, test_entry_equal)) {
            mem_free(model[id]);
            model[id] = entry_create(id, hash);
            hashtab_place_replace(&place, model[id]);
        } else {
            model[id] = entry_create(id, hash);
            hashtab_place_add(tab, hash, &place, model[id]);
        }
        break;
    case 3:
        if (model[id]) break;
        model[id] = entry_create(id, hash);
        hashtab_add_new(tab, hash, model[id]);
        break;
    case 4: { /* the old one is gone before the table hears of it */
        if (!model[id]) break;
        struct test_entry *old = model[id];
        model[id] = entry_create(id, hash);
        old->id = ~id; /* would not be found by its key any more */
        hashtab_replace(tab, hash, old, model[id]);
        mem_free(old);
        break;
    }
    case 5:
        if (!model[id]) break;
        hashtab_take_entry(tab, hash, model[id]);
        mem_free(model[id]);
        model[id] = NULL;
        break;
    case 6:
        expect_ptr_eq(hashtab_probe(tab, hash, key, &place), model[id]);
        if (!model[id]) break;
        expect_ptr_eq(hashtab_place_take(tab, hash, &place), model[id]);
        mem_free(model[id]);
        model[id] = NULL;
        break;
    case 7:
        expect_ptr_eq(hashtab_take(tab, hash, key), model[id]);
        mem_free(model[id]);
        model[id] = NULL;
        break;
    }
}

TEST(hashtab_agrees_with_a_plain_array_under_random_use) {
    for (int regime = 0; regime < REGIMES; regime++) {
        struct test_entry *model[512] = {0};
        struct hashtab *tab = hashtab_create(&test_entry_type);
        for (int step = 0; step < 12000; step++) {
            /* The range of ids breathes, so that the table grows and shrinks. */
            uint64_t most = regime < 3 ? 512 : 96; /* a chain of all of them is slow to verify */
            model_step(t, tab, model, regime, step / 2000 % 2 ? 40 : most);
            size_t count = 0;
            for (size_t i = 0; i < COUNT_OF(model); i++)
                count += model[i] != NULL;
            expect_eq(hashtab_count(tab), count);
            hashtab_verify(tab);
            if (rng_below(t->rng, 300) == 0) hashtab_pause_resize(tab);
            if (rng_below(t->rng, 300) == 0) {
                hashtab_expand_hint(tab, rng_below(t->rng, 1000));
            }
            if (tab->paused && rng_below(t->rng, 200) == 0) hashtab_resume_resize(tab);
            if (rng_below(t->rng, 50) == 0) (void)hashtab_step(tab, rng_below(t->rng, 10));
        }
        hashtab_destroy(&tab);
        expect_null(tab);
        expect_eq(mem_in_use(), t->mem_at_start);
    }
}

/* How many buckets there are behind the first one. */
static unsigned children_of(const struct hashtab *tab, uint64_t hash) {
    unsigned count = 0;
    const struct hashtab_bucket *bucket = hashtab_home(tab, hash);
    while ((bucket = hashtab_child(bucket)) != NULL)
        count++;
    return count;
}

TEST(hashtab_chain_grows_by_half_a_bucket_first_and_gives_children_back) {
    static const struct hashtab_type borrowing_type = {.key = test_entry_key,
                                                       .hash = test_entry_hash};
    enum { COUNT = 60 };
    struct test_entry entries[COUNT];
    struct hashtab *tab = hashtab_create(&borrowing_type);
    hashtab_pause_resize(tab);
    tab->held = 1; /* nor by force */
    size_t empty = hashtab_memory_bytes(tab), added[COUNT];
    for (uint64_t id = 0; id < COUNT; id++) {
        entries[id] = (struct test_entry){.id = id, .hash = (id * 37 + 5) << 56};
        hashtab_add_new(tab, entries[id].hash, &entries[id]);
        hashtab_verify(tab);
        added[id] = hashtab_memory_bytes(tab) - empty;
        for (uint64_t i = 0; i < COUNT; i++) {
            const void *found = hashtab_find(tab, (i * 37 + 5) << 56, id_bytes(&i));
            expect_ptr_eq(found, i <= id ? &entries[i] : NULL);
        }
    }
    /* 9; then 8 and a half child of 3; then 8 and 9; then 8, 8 and 3 ... */
    expect_eq(added[8], 0);
    expect_eq(added[9], 32);
    expect_eq(added[10], 32);
    expect_eq(added[11], 64);
    expect_eq(added[16], 64);
    expect_eq(added[17], 96);
    expect_eq(added[19], 128);
    expect_eq(children_of(tab, 0), 7);
    /* From the middle of the chain outwards: every child is freed as soon as it is empty. */
    for (uint64_t i = 0; i < COUNT; i++) {
        uint64_t id = (i + 25) % COUNT;
        hashtab_take_entry(tab, entries[id].hash, &entries[id]);
        hashtab_verify(tab);
        expect_null(hashtab_find(tab, entries[id].hash, id_bytes(&id)));
    }
    expect_eq(hashtab_memory_bytes(tab), empty);
    expect_eq(children_of(tab, 0), 0);
    tab->held = 0;
    hashtab_destroy(&tab);
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* One bucket with random tags, free and lacking slots included, against the plain definitions. */
TEST(hashtab_sets_of_slots_are_exact) {
    for (int round = 0; round < 20000; round++) {
        alignas(CACHE_LINE) struct hashtab_bucket bucket;
        uint8_t tag = (uint8_t)(2 + rng_below(t->rng, 254)), mask = (uint8_t)rng_next(t->rng);
        memset(&bucket, (int)rng_below(t->rng, 256), sizeof(bucket)); /* what is behind, too */
        for (unsigned i = 0; i < HASHTAB_SLOTS; i++) {
            uint64_t kind = rng_below(t->rng, 8);
            bucket.tags[i] = kind < 2   ? (uint8_t)kind
                             : kind < 4 ? tag
                             : kind < 6 ? (uint8_t)(tag ^ 1u << rng_below(t->rng, 8))
                                        : (uint8_t)rng_next(t->rng);
        }
        uint64_t match = hashtab_match(&bucket, tag), used = hashtab_used(&bucket);
        uint64_t room = hashtab_room(&bucket), alike = hashtab_alike(&bucket, tag, mask);
        for (unsigned i = 0; i < HASHTAB_SLOTS; i++) {
            uint8_t there = bucket.tags[i];
            bool in_match = match && hashtab_first(match) == i;
            bool in_used = used && hashtab_first(used) == i;
            bool in_room = room && hashtab_first(room) == i;
            bool in_alike = alike && hashtab_first(alike) == i;
            expect_eq(in_match, there == tag);
            expect_eq(in_used, there >= 2);
            expect_eq(in_room, there == 0);
            expect_eq(in_alike, there >= 2 && ((there ^ tag) & mask) == 0);
            if (in_match) match &= match - 1;
            if (in_used) used &= used - 1;
            if (in_room) room &= room - 1;
            if (in_alike) alike &= alike - 1;
        }
        expect_eq(match | used | room | alike, 0);
    }
}

TEST(hashtab_slots_hold_any_address_of_48_bits) {
    alignas(CACHE_LINE) struct hashtab_bucket bucket;
    uintptr_t address[HASHTAB_SLOTS];
    memset(&bucket, 0xaa, sizeof(bucket));
    uint8_t tags[HASHTAB_SLOTS + 1];
    memcpy(tags, &bucket, sizeof(tags));
    for (int round = 0; round < 1000; round++) {
        unsigned first = (unsigned)rng_below(t->rng, HASHTAB_SLOTS);
        for (unsigned i = 0; i < HASHTAB_SLOTS; i++) { /* in any order: neighbours stay whole */
            unsigned slot = (first + i * 2) % HASHTAB_SLOTS;
            address[slot] = (uintptr_t)(rng_next(t->rng) >> 16);
            hashtab_set_slot(&bucket, slot, (void *)address[slot]);
        }
        for (unsigned i = 0; i < HASHTAB_SLOTS; i++)
            expect_eq((uintptr_t)hashtab_slot(&bucket, i), address[i]);
        expect_eq(memcmp(tags, &bucket, sizeof(tags)), 0);
    }
}

TEST(hashtab_follows_its_count_up_and_down_with_little_memory) {
    struct hashtab *tab = hashtab_create(&test_entry_type);
    size_t worst = 0;
    for (uint64_t id = 0; id < IDS_MAX; id++) {
        add_ids(tab, id, id + 1);
        if (id < 4000) continue; /* below that, steps of segment 0 show */
        worst = size_max(worst, hashtab_memory_bytes(tab) * 100 / (id + 1));
    }
    hashtab_verify(tab);
    expect_false(hashtab_is_resizing(tab));
    expect_true(worst <= 1100); /* hundredths of a byte an entry, at any size */
    for (uint64_t id = 0; id < IDS_MAX; id++) {
        remove_ids(tab, id, id + 1);
        if (id % 4096 == 0) hashtab_verify(tab);
        while (hashtab_step(tab, 100))
            continue;
        size_t left = IDS_MAX - id - 1;
        if (left > 1000) expect_true(hashtab_memory_bytes(tab) / left <= 27); /* 21.3 and slack */
    }
    expect_eq(hashtab_bucket_count(tab), 1);
    expect_true(hashtab_memory_bytes(tab) < 512);
    hashtab_destroy(&tab);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(hashtab_memory_bytes_is_what_the_allocator_gave) {
    enum { COUNT = 50000 };
    static const struct hashtab_type borrowing_type = {.key = test_entry_key,
                                                       .hash = test_entry_hash};
    struct test_entry *entries = mem_alloc_array(COUNT, sizeof(*entries));
    size_t before = mem_in_use();
    struct hashtab *tab = hashtab_create(&borrowing_type);
    for (uint64_t id = 0; id < COUNT; id++) {
        entries[id] = (struct test_entry){.id = id, .hash = mix(id)};
        hashtab_add_new(tab, mix(id), &entries[id]);
    }
    size_t used = mem_in_use() - before;
    expect_true(used >= hashtab_memory_bytes(tab));
    /* What alignment may cost, and a small allocation of libc's. */
    expect_true(used <= hashtab_memory_bytes(tab) * 33 / 32 + tab->child_count * 24);
    hashtab_destroy(&tab);
    expect_eq(mem_in_use(), before);
    mem_free(entries);
}

/* What a scan of a changing table must find: the ids below stable_count. */
struct scan_state {
    struct hashtab *tab;
    uint8_t *seen; /* by id */
    size_t visits;
    bool taking; /* take every visited entry that is not stable */
    uint64_t stable_count;
};

static void scan_visit(void *ptr, void *ctx) {
    struct test_entry *entry = ptr;
    struct scan_state *state = ctx;
    uint64_t id = entry->id;
    expect_true(id < IDS_MAX);
    state->seen[id] = 1;
    state->visits++;
    if (!state->taking || id < state->stable_count) return;
    struct test_entry *taken = hashtab_take(state->tab, mix(id), id_bytes(&id));
    expect_ptr_eq(taken, entry);
    mem_free(taken);
}

/* Moves the ids of the unstable part, which ends at *top, some way towards a random goal. */
static void scan_disturb(struct test *t, struct scan_state *state, uint64_t *top, uint64_t *goal) {
    for (int i = 0; i < 40; i++) {
        if (*top == *goal) {
            *goal = state->stable_count + rng_below(t->rng, state->stable_count * 8);
        }
        if (*top < *goal) {
            add_ids(state->tab, *top, *top + 1);
            (*top)++;
        } else {
            (*top)--;
            remove_ids(state->tab, *top, *top + 1);
        }
    }
    if (rng_below(t->rng, 20) == 0) (void)hashtab_step(state->tab, rng_below(t->rng, 100));
    if (rng_below(t->rng, 50) == 0 && !state->tab->paused) hashtab_pause_resize(state->tab);
    if (rng_below(t->rng, 50) == 0 && state->tab->paused) hashtab_resume_resize(state->tab);
}

TEST(hashtab_scan_reports_every_entry_that_stays_while_the_table_grows_and_shrinks) {
    uint8_t *seen = mem_alloc(IDS_MAX);
    for (int round = 0; round < 60; round++) {
        struct hashtab *tab = hashtab_create(&test_entry_type);
        uint64_t stable = 1 + rng_below(t->rng, 600), goal = stable, top = stable, cursor = 0;
        size_t calls = 0, cursor_max = 0;
        struct scan_state state = {.tab = tab, .seen = seen, .stable_count = stable};
        memset(seen, 0, IDS_MAX);
        add_ids(tab, 0, stable);
        do {
            cursor = hashtab_scan(tab, cursor, scan_visit, &state);
            scan_disturb(t, &state, &top, &goal);
            cursor_max = size_max(cursor_max, cursor);
            expect_true(++calls < 100000);
        } while (cursor);
        for (uint64_t id = 0; id < stable; id++)
            expect_true(seen[id]);
        expect_true(cursor_max < 1ull << 40);
        hashtab_verify(tab);
        hashtab_destroy(&tab);
    }
    mem_free(seen);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(hashtab_scan_of_a_resting_table_visits_each_entry_once) {
    uint8_t *seen = mem_zalloc(IDS_MAX);
    struct hashtab *tab = hashtab_create(&test_entry_type);
    for (uint64_t count = 0; count < 3000; count += 1 + rng_below(t->rng, 50)) {
        add_ids(tab, hashtab_count(tab), count);
        struct scan_state state = {.tab = tab, .seen = seen};
        uint64_t cursor = 0, calls = 0;
        do {
            cursor = hashtab_scan(tab, cursor, scan_visit, &state);
            calls++;
        } while (cursor);
        expect_eq(state.visits, count);
        expect_eq(calls, hashtab_bucket_count(tab));
    }
    hashtab_destroy(&tab);
    mem_free(seen);
}

TEST(hashtab_scan_lets_its_callback_take_what_it_is_given) {
    uint8_t *seen = mem_zalloc(IDS_MAX);
    for (int paused = 0; paused < 2; paused++) { /* paused: long chains */
        struct hashtab *tab = hashtab_create(&test_entry_type);
        if (paused) hashtab_pause_resize(tab);
        add_ids(tab, 0, 5000);
        struct scan_state state = {.tab = tab, .seen = seen, .taking = true, .stable_count = 100};
        uint64_t cursor = 0;
        do {
            cursor = hashtab_scan(tab, cursor, scan_visit, &state);
            hashtab_verify(tab);
        } while (cursor);
        expect_eq(hashtab_count(tab), 100);
        for (uint64_t id = 0; id < 100; id++)
            expect_true(has_id(tab, id));
        hashtab_destroy(&tab);
    }
    mem_free(seen);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(hashtab_survives_hostile_cursors) {
    struct hashtab *tab = hashtab_create(&test_entry_type);
    uint8_t *seen = mem_zalloc(IDS_MAX);
    struct scan_state state = {.tab = tab, .seen = seen};
    for (int i = 0; i < 2000; i++) {
        add_ids(tab, (uint64_t)i, (uint64_t)i + 1);
        uint64_t cursor = rng_next(t->rng) >> rng_below(t->rng, 64);
        expect_true(hashtab_scan(tab, cursor, scan_visit, &state) < 1ull << 40);
    }
    hashtab_destroy(&tab);
    mem_free(seen);
}

TEST(hashtab_does_not_resize_while_paused_and_catches_up_afterwards) {
    struct hashtab *tab = hashtab_create(&test_entry_type);
    add_ids(tab, 0, 10000);
    size_t before = hashtab_bucket_count(tab);
    hashtab_pause_resize(tab);
    hashtab_pause_resize(tab);
    add_ids(tab, 10000, 30000);
    expect_eq(hashtab_bucket_count(tab), before);
    expect_true(hashtab_is_resizing(tab));
    hashtab_verify(tab);
    hashtab_resume_resize(tab);
    expect_false(hashtab_step(tab, 1000)); /* still paused once: no more to do now */
    expect_eq(hashtab_bucket_count(tab), before);
    hashtab_resume_resize(tab);
    expect_true(hashtab_step(tab, 10));
    expect_eq(hashtab_bucket_count(tab), before + 10);
    add_ids(tab, 30000, 30001); /* an addition does its share */
    expect_eq(hashtab_bucket_count(tab), before + 10 + HASHTAB_STEP);
    while (hashtab_step(tab, 10))
        continue;
    expect_false(hashtab_is_resizing(tab));
    hashtab_verify(tab);

    hashtab_pause_resize(tab);
    before = hashtab_bucket_count(tab);
    remove_ids(tab, 0, 30000);
    expect_eq(hashtab_bucket_count(tab), before);
    hashtab_resume_resize(tab);
    while (hashtab_step(tab, 10))
        continue;
    expect_true(hashtab_bucket_count(tab) < 10);
    expect_true(has_id(tab, 30000));

    hashtab_pause_resize(tab); /* but chains do not grow without bound */
    before = hashtab_bucket_count(tab);
    add_ids(tab, 0, 30000);
    expect_true(hashtab_bucket_count(tab) > 30000 / 4 / HASHTAB_SLOTS);
    expect_true(hashtab_bucket_count(tab) < 30000 / 4 / 4);
    hashtab_resume_resize(tab);
    hashtab_destroy(&tab);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(hashtab_moves_at_most_a_step_for_one_change) {
    struct hashtab *tab = hashtab_create(&test_entry_type);
    uint64_t top = 0;
    hashtab_expand_hint(tab, 60000);
    for (int i = 0; i < 100000; i++) {
        size_t before = hashtab_bucket_count(tab), bytes = hashtab_memory_bytes(tab);
        if (i / 20000 % 2 == 0) {
            add_ids(tab, top, top + 1);
            top++;
        } else {
            top--;
            remove_ids(tab, top, top + 1);
        }
        size_t after = hashtab_bucket_count(tab);
        expect_true(after <= before + HASHTAB_STEP);
        expect_true(before <= after + HASHTAB_STEP);
        /* A thirty-second part of the table is the most that is allocated at once. */
        if (before > 256) expect_true(hashtab_memory_bytes(tab) < bytes + bytes / 16 + 4096);
    }
    hashtab_destroy(&tab);
}

TEST(hashtab_grows_ahead_of_need_after_a_hint) {
    struct hashtab *tab = hashtab_create(&test_entry_type);
    hashtab_expand_hint(tab, 200);
    size_t small = hashtab_bucket_count(tab);
    expect_true(small >= 200 / HASHTAB_SLOTS && small <= 60);
    add_ids(tab, 0, 200);
    expect_eq(hashtab_bucket_count(tab), small);
    hashtab_clear(tab);

    hashtab_expand_hint(tab, 100000);
    add_ids(tab, 0, 10000);
    size_t large = hashtab_bucket_count(tab);
    expect_true(large >= 100000 / HASHTAB_SLOTS);
    while (hashtab_step(tab, 1000))
        continue; /* cron does not undo it */
    expect_eq(hashtab_bucket_count(tab), large);
    add_ids(tab, 10000, 100000);
    expect_eq(hashtab_bucket_count(tab), large);
    hashtab_verify(tab);
    hashtab_clear(tab);

    hashtab_expand_hint(tab, SIZE_MAX); /* a lie costs a few buckets for each entry */
    add_ids(tab, 0, 1000);
    expect_true(hashtab_bucket_count(tab) <= 256 + 1000 * HASHTAB_STEP);
    hashtab_expand_hint(tab, 0);
    while (hashtab_step(tab, 1000))
        continue;
    expect_true(hashtab_bucket_count(tab) <= 1000);
    hashtab_verify(tab);
    hashtab_destroy(&tab);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(hashtab_random_gives_every_entry_the_same_chance) {
    enum { COUNT = 700, DRAWS = COUNT * 200 };
    struct hashtab *tab = hashtab_create(&test_entry_type);
    unsigned drawn[COUNT] = {0};
    expect_null(hashtab_random(tab, t->rng));
    add_ids(tab, 0, COUNT);
    for (int i = 0; i < DRAWS; i++) {
        const struct test_entry *entry = hashtab_random(tab, t->rng);
        drawn[entry->id]++;
    }
    double chi = 0; /* chi squared with 699 degrees of freedom: mean 699, deviation 37 */
    for (int i = 0; i < COUNT; i++)
        chi += (drawn[i] - 200.0) * (drawn[i] - 200.0) / 200.0;
    expect_true(chi < 699 + 8 * 37);
    expect_true(chi > 699 - 8 * 37);

    hashtab_pause_resize(tab); /* leaves a sparse table behind */
    add_ids(tab, COUNT, 20000);
    remove_ids(tab, 1, 20000);
    for (int i = 0; i < 100; i++) {
        const struct test_entry *entry = hashtab_random(tab, t->rng);
        expect_eq(entry->id, 0);
    }
    hashtab_destroy(&tab);
}

TEST(hashtab_sample_gives_different_entries_of_the_table) {
    struct hashtab *tab = hashtab_create(&test_entry_type);
    void *out[16];
    expect_eq(hashtab_sample(tab, rng_next(t->rng), out, 16), 0);
    add_ids(tab, 0, 5);
    expect_eq(hashtab_sample(tab, rng_next(t->rng), out, 16), 5);
    add_ids(tab, 5, 10000);
    for (int i = 0; i < 1000; i++) {
        expect_eq(hashtab_sample(tab, rng_next(t->rng), out, 16), 16);
        for (int a = 0; a < 16; a++) {
            expect_true(has_id(tab, ((struct test_entry *)out[a])->id));
            for (int b = 0; b < a; b++)
                expect_true(out[a] != out[b]);
        }
    }
    hashtab_destroy(&tab);
}

TEST(hashtab_iter_gives_each_entry_once_and_allows_taking_it) {
    for (int paused = 0; paused < 2; paused++) {
        struct hashtab *tab = hashtab_create(&test_entry_type);
        if (paused) hashtab_pause_resize(tab);
        uint8_t *seen = mem_zalloc(IDS_MAX);
        struct hashtab_iter iter;
        struct test_entry *entry;
        size_t visits = 0;
        add_ids(tab, 0, 9000);
        hashtab_iter_init(&iter, tab);
        while ((entry = hashtab_iter_next(&iter)) != NULL) {
            expect_false(seen[entry->id]);
            seen[entry->id] = 1;
            visits++;
            if (entry->id % 10 == 0) continue;
            hashtab_take_entry(tab, entry->hash, entry);
            mem_free(entry);
            if (visits % 1000 == 0) hashtab_verify(tab);
        }
        hashtab_iter_deinit(&iter);
        expect_eq(visits, 9000);
        expect_eq(hashtab_count(tab), 900);
        hashtab_iter_init(&iter, tab); /* left early */
        expect_not_null(hashtab_iter_next(&iter));
        hashtab_iter_deinit(&iter);
        hashtab_verify(tab);
        mem_free(seen);
        hashtab_destroy(&tab);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

struct order {
    uint64_t ids[HASHTAB_ORDERED];
    size_t count;
};

static void expect_next(void *ptr, void *ctx) {
    const struct test_entry *entry = ptr;
    struct order *left = ctx; /* back to front */
    expect_true(left->count > 0);
    expect_eq(entry->id, left->ids[--left->count]);
}

static void expect_order(struct hashtab *tab, const struct order *order) {
    struct order left = {.count = order->count};
    for (size_t i = 0; i < order->count; i++)
        left.ids[i] = order->ids[order->count - 1 - i];
    struct order walk = left;
    struct hashtab_iter iter;
    void *entry;
    hashtab_iter_init(&iter, tab);
    while ((entry = hashtab_iter_next(&iter)) != NULL)
        expect_next(entry, &walk);
    hashtab_iter_deinit(&iter);
    expect_eq(walk.count, 0);
    expect_eq(hashtab_scan(tab, 0, expect_next, &left), 0);
    expect_eq(left.count, 0);
}

/* Takes some entries in the midst of a walk. */
static void take_some(struct test *t, struct hashtab *tab, struct order *order) {
    struct hashtab_iter iter;
    struct test_entry *entry;
    size_t walked = 0, kept = 0;
    hashtab_iter_init(&iter, tab);
    while ((entry = hashtab_iter_next(&iter)) != NULL) {
        expect_eq(entry->id, order->ids[walked++]);
        if (rng_below(t->rng, 2)) {
            order->ids[kept++] = entry->id;
            continue;
        }
        hashtab_take_entry(tab, entry->hash, entry);
        mem_free(entry);
    }
    hashtab_iter_deinit(&iter);
    expect_eq(walked, order->count);
    order->count = kept;
}

TEST(hashtab_of_few_entries_keeps_the_order_of_their_addition) {
    for (int paused = 0; paused < 2; paused++) {
        struct hashtab *tab = hashtab_create(&test_entry_type);
        struct order order = {0};
        if (paused) hashtab_pause_resize(tab);
        hashtab_expand_hint(tab, HASHTAB_ORDERED);
        for (uint64_t id = 0; id < 5000; id++) {
            if (order.count < HASHTAB_ORDERED) {
                add_ids(tab, id, id + 1);
                order.ids[order.count++] = id;
            }
            if (rng_below(t->rng, 3) == 0) {
                size_t at = (size_t)rng_below(t->rng, order.count);
                remove_ids(tab, order.ids[at], order.ids[at] + 1);
                order.count--;
                memmove(order.ids + at, order.ids + at + 1, (order.count - at) * sizeof(id));
            }
            if (rng_below(t->rng, 20) == 0) take_some(t, tab, &order);
            hashtab_verify(tab);
            expect_order(tab, &order);
        }
        hashtab_destroy(&tab);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

static void count_and_free(void *entry, void *ctx) {
    (*(size_t *)ctx)++;
    mem_free(entry);
}

TEST(hashtab_drains_in_steps_and_stays_a_table_meanwhile) {
    struct hashtab *tab = hashtab_create(&test_entry_type);
    size_t drained = 0;
    add_ids(tab, 0, 20000);
    while (hashtab_drain(tab, 100, count_and_free, &drained)) {
        expect_eq(hashtab_count(tab) + drained, 20000);
        uint64_t id = 20000 + rng_below(t->rng, IDS_MAX - 20000);
        if (!has_id(tab, id)) {
            add_ids(tab, id, id + 1);
            remove_ids(tab, id, id + 1);
        }
        hashtab_verify(tab);
    }
    expect_eq(drained, 20000);
    expect_eq(hashtab_count(tab), 0);
    expect_eq(hashtab_bucket_count(tab), 1);
    add_ids(tab, 0, 1000);
    hashtab_clear(tab);
    expect_eq(hashtab_count(tab), 0);
    hashtab_verify(tab);
    hashtab_destroy(&tab);
    hashtab_destroy(&tab); /* NULL is fine */
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(hashtab_detach_hands_over_everything) {
    struct hashtab *tab = hashtab_create(&test_entry_type);
    add_ids(tab, 0, 5000);
    struct hashtab *other = hashtab_detach(tab);
    expect_eq(hashtab_count(tab), 0);
    expect_eq(hashtab_count(other), 5000);
    add_ids(tab, 0, 3000);
    hashtab_verify(tab);
    hashtab_verify(other);
    hashtab_destroy(&other);
    for (uint64_t id = 0; id < 3000; id++)
        expect_true(has_id(tab, id));
    hashtab_destroy(&tab);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(hashtab_stats_tells_size_and_chains) {
    struct hashtab *tab = hashtab_create(&test_entry_type);
    struct buf out = {0};
    add_ids(tab, 0, 2000);
    hashtab_stats(tab, true, &out);
    expect_not_null(strstr(out.data, "entries: 2000\n"));
    expect_not_null(strstr(out.data, "chains by length"));
    buf_clear(&out);
    hashtab_stats(tab, false, &out);
    expect_not_null(strstr(out.data, "entries: 2000\n"));
    expect_null(strstr(out.data, "chains by length"));
    buf_deinit(&out);
    hashtab_destroy(&tab);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
