/* SPDX-License-Identifier: BSD-3-Clause */
/* Hashes against a plain array, in all forms, on a clock of their own. */
#include "base/random.h"
#include "tests/unit/test.h"
#include "types/hash_internal.h"

#include <stdio.h>

enum { MODEL_MAX = 3000, TEXT_MAX = 6000, START_MS = 1700000000 };

struct pair {
    char name[100];
    size_t name_size;
    char *value;
    size_t value_size;
    int64_t at_ms;
};

struct model {
    struct pair pairs[MODEL_MAX];
    size_t count; /* with those that have expired and are still there; in the order of addition */
    size_t most;  /* since the hash was a listpack */
    struct hash *hash;
    struct hash_limits limits;
    int64_t now_ms;
    uint64_t names;       /* how many there are to choose from */
    int64_t longest_ms;   /* of times to live */
    uint64_t large_every; /* one value in so many is large */
};

static struct bytes pair_name(const struct pair *pair) {
    return bytes_make(pair->name, pair->name_size);
}
static struct bytes pair_value(const struct pair *pair) {
    return bytes_make(pair->value, pair->value_size);
}
static bool pair_is_due(const struct model *model, const struct pair *pair) {
    return pair->at_ms >= 0 && pair->at_ms <= model->now_ms;
}

static struct pair *model_find(struct model *model, struct bytes name) {
    for (size_t i = 0; i < model->count; i++) {
        if (bytes_equal(pair_name(&model->pairs[i]), name)) return &model->pairs[i];
    }
    return NULL;
}

static void model_remove(struct model *model, struct pair *pair) {
    size_t at = (size_t)(pair - model->pairs);
    mem_free(pair->value);
    model->count--;
    memmove(pair, pair + 1, (model->count - at) * sizeof(*pair));
}

static bool model_set(struct model *model, struct bytes name, struct bytes value, int64_t at_ms) {
    struct pair *pair = model_find(model, name);
    bool is_new = !pair || pair_is_due(model, pair);
    if (at_ms == HASH_KEEP_TIME) at_ms = is_new ? HASH_NO_TIME : pair->at_ms;
    if (!pair) {
        check(model->count < MODEL_MAX);
        pair = &model->pairs[model->count++];
        memcpy(pair->name, name.data, name.size);
        pair->name_size = name.size;
    } else {
        mem_free(pair->value);
    }
    pair->value = mem_copy_bytes(value);
    pair->value_size = value.size;
    pair->at_ms = at_ms;
    return is_new;
}

/* ---- random input ---- */

static struct bytes random_name(struct test *t, const struct model *model, char out[100]) {
    uint64_t number = rng_below(t->rng, model->names);
    if (number == 0) return bytes_make(out, 0);
    int size = snprintf(out, 100, number % 3 ? "field:%" PRIu64 : "%" PRIu64, number);
    if (number % 97 == 5) { /* too long for the short form */
        memset(out + size, 'n', 70);
        size += 70;
    }
    return bytes_make(out, (size_t)size);
}

static struct bytes random_value(struct test *t, const struct model *model, char *out) {
    uint64_t kind = rng_below(t->rng, model->large_every);
    if (kind > 2) return bytes_make(out, num_format_i64(out, (int64_t)rng_next(t->rng)));
    static const size_t sizes[] = {0, 8, 62, 63, 64, 65, 100, 4094, 4095, 4096, 4097, 5000};
    size_t size = sizes[rng_below(t->rng, COUNT_OF(sizes))];
    memset(out, 'a' + (int)rng_below(t->rng, 26), size);
    return bytes_make(out, size);
}

static int64_t random_time(struct test *t, const struct model *model) {
    switch (rng_below(t->rng, 12)) {
    case 0: return INT64_MAX;
    case 1: return ((int64_t)1 << 48) - 1;
    case 2: return (int64_t)1 << 48;
    default: return model->now_ms + 1 + (int64_t)rng_below(t->rng, (uint64_t)model->longest_ms);
    }
}

/* ---- one operation on both ---- */

static void do_set(struct test *t, struct model *model, bool may_expire) {
    char name[100], value[TEXT_MAX];
    struct hash_setting to = {.name = random_name(t, model, name),
                              .value = random_value(t, model, value),
                              .at_ms = HASH_NO_TIME,
                              .now_ms = model->now_ms};
    uint64_t kind = rng_below(t->rng, 4);
    if (kind == 0) to.at_ms = HASH_KEEP_TIME;
    if (kind == 1 && may_expire) to.at_ms = random_time(t, model);
    if (rng_below(t->rng, 2) && to.value.size > FIELD_EMBED_MAX) to.blob = blob_copy(to.value);
    to.code = hash_code(model->hash, to.name);
    bool expected = model_set(model, to.name, to.value, to.at_ms);
    expect_eq(hash_set(&model->hash, &model->limits, &to), expected);
    blob_release(to.blob);
}

static void do_remove(struct test *t, struct model *model) {
    char text[100];
    struct bytes name = random_name(t, model, text);
    struct pair *pair = model_find(model, name);
    bool expected = pair && !pair_is_due(model, pair);
    if (expected) model_remove(model, pair);
    expect_eq(hash_remove(&model->hash, name, hash_code(model->hash, name), model->now_ms),
              expected);
}

static void do_set_expiry(struct test *t, struct model *model) {
    char text[100];
    struct bytes name = random_name(t, model, text);
    struct pair *pair = model_find(model, name);
    if (!pair || pair_is_due(model, pair)) return;
    pair->at_ms = rng_below(t->rng, 3) ? random_time(t, model) : HASH_NO_TIME;
    hash_set_expiry(&model->hash, name, pair->at_ms, model->now_ms);
}

static void do_find(struct test *t, struct model *model) {
    char text[100], scratch[NUM_I64_TEXT_MAX];
    struct hash_item item;
    struct bytes name = random_name(t, model, text);
    const struct pair *pair = model_find(model, name);
    uint64_t code = hash_code(model->hash, name);
    bool expected = pair && !pair_is_due(model, pair);
    expect_eq(hash_find(model->hash, name, code, model->now_ms, &item), expected);
    expect_eq(hash_find(model->hash, name, code, HASH_SEE_ALL, &item), pair != NULL);
    if (!pair) return;
    expect_bytes_eq(hash_text_bytes(&item.value, scratch), pair_value(pair));
    expect_eq(hash_text_size(&item.value), pair->value_size);
    expect_eq(item.at_ms, pair->at_ms);
}

/* Time goes on, and sometimes what is due is removed: all of it, in steps. */
static void do_time(struct test *t, struct model *model) {
    enum { GRANULARITY_MS = 16 };
    model->now_ms += (int64_t)rng_below(t->rng, (uint64_t)model->longest_ms / 50 + 2);
    if (rng_below(t->rng, 2)) return;
    const struct element_times *times = hash_times(model->hash);
    size_t removed = 0, before = hash_count(model->hash);
    while (times && times->next_ms <= model->now_ms) {
        removed += hash_expire(&model->hash, model->now_ms, 1 + rng_below(t->rng, 50));
        times = hash_times(model->hash);
    }
    expect_eq(hash_count(model->hash), before - removed);
    size_t kept = 0;
    for (size_t i = model->count; i-- > 0;) {
        struct pair *pair = &model->pairs[i];
        if (!pair_is_due(model, pair)) continue;
        struct hash_item item;
        uint64_t code = hash_code(model->hash, pair_name(pair));
        if (hash_find(model->hash, pair_name(pair), code, HASH_SEE_ALL, &item)) {
            /* It waits for its tick, or was filed late and waits for the next. */
            expect_true(pair->at_ms > model->now_ms - GRANULARITY_MS ||
                        times->next_ms <= model->now_ms + GRANULARITY_MS);
            kept++;
        } else {
            model_remove(model, pair);
        }
    }
    expect_eq(hash_count(model->hash), model->count);
    (void)kept;
}

/* ---- all of it ---- */

struct seen {
    struct model *model;
    size_t count;
    bool in_order;
    size_t next; /* then, in the model */
};

static void see(void *ctx, const struct hash_item *item) {
    struct seen *seen = ctx;
    char scratch[NUM_I64_TEXT_MAX];
    const struct pair *pair = model_find(seen->model, hash_text_bytes(&item->name, scratch));
    expect_not_null(pair);
    expect_false(pair_is_due(seen->model, pair));
    expect_bytes_eq(hash_text_bytes(&item->value, scratch), pair_value(pair));
    expect_eq(item->at_ms, pair->at_ms);
    seen->count++;
    if (!seen->in_order) return;
    while (pair_is_due(seen->model, &seen->model->pairs[seen->next]))
        seen->next++;
    expect_ptr_eq(pair, &seen->model->pairs[seen->next++]);
}

static size_t live_count(const struct model *model) {
    size_t count = 0;
    for (size_t i = 0; i < model->count; i++)
        count += !pair_is_due(model, &model->pairs[i]);
    return count;
}

static void expect_same_walks(struct test *t, struct model *model, const struct hash *hash) {
    bool in_order = hash_is_listpack(hash) || model->most <= HASHTAB_ORDERED;
    struct seen seen = {.model = model, .in_order = in_order};
    struct hash_iter iter;
    struct hash_item item;
    size_t live = live_count(model);
    hash_iter_init(&iter, hash, model->now_ms);
    while (hash_iter_next(&iter, &item))
        see(&seen, &item);
    hash_iter_deinit(&iter);
    expect_eq(seen.count, live);

    seen = (struct seen){.model = model, .in_order = in_order};
    uint64_t cursor = 0;
    do {
        cursor = hash_scan(hash, cursor, model->now_ms, see, &seen);
    } while (cursor);
    expect_true(seen.count >= live);

    uint64_t wanted = rng_below(t->rng, live + 3);
    seen = (struct seen){.model = model};
    uint64_t distinct = hash_random_distinct(hash, t->rng, wanted, model->now_ms, see, &seen);
    expect_eq(distinct, size_min(wanted, live));
    expect_eq(seen.count, distinct);
    seen.count = 0;
    uint64_t repeating = hash_random_repeating(hash, t->rng, 7, model->now_ms, see, &seen);
    expect_eq(repeating, live ? 7 : 0);
    expect_eq(seen.count, repeating);
    expect_eq(hash_random(hash, t->rng, model->now_ms, see, &seen), live > 0);
    expect_true(hash_memory_bytes(hash, 0) > 0 && hash_memory_bytes(hash, 3) > 0);
}

static void expect_same(struct test *t, struct model *model) {
    expect_eq(hash_count(model->hash), model->count);
    hash_verify(model->hash);
    expect_same_walks(t, model, model->hash);
    struct hash *copy = hash_copy(model->hash);
    hash_verify(copy);
    expect_str_eq(hash_encoding_name(copy), hash_encoding_name(model->hash));
    const struct element_times *times = hash_times(model->hash), *copied = hash_times(copy);
    expect_eq(times != NULL, copied != NULL);
    if (times) expect_eq(times->count, copied->count);
    expect_same_walks(t, model, copy);
    hash_destroy(&copy);
}

static void model_deinit(struct model *model) {
    while (model->count)
        model_remove(model, &model->pairs[0]);
    hash_destroy(&model->hash);
}

static void play(struct test *t, struct model *model, int steps, bool may_expire) {
    model->hash = hash_create(0);
    model->now_ms = START_MS;
    for (int step = 0; step < steps; step++) {
        uint64_t dice = rng_below(t->rng, 100);
        bool shrinks = step / (steps / 5 + 1) % 2; /* phases of growth and of removal */
        if (dice < (shrinks ? 10 : 40)) {
            do_set(t, model, may_expire);
        } else if (dice < (shrinks ? 60 : 50)) {
            do_remove(t, model);
        } else if (dice < 75) {
            do_find(t, model);
        } else if (dice < 92) {
            if (may_expire) do_set_expiry(t, model);
        } else {
            do_time(t, model);
        }
        model->most = size_max(hash_is_listpack(model->hash) ? 0 : model->most, model->count);
        if (step % 97 == 0 || step + 1 == steps) expect_same(t, model);
    }
    model_deinit(model);
}

TEST(hash_agrees_with_an_array_as_a_listpack_and_as_a_table) {
    static struct model model;
    for (int round = 0; round < 6; round++) {
        model = (struct model){.limits = {.entries = round * 20, .value = round < 3 ? 64 : 8},
                               .names = 30u << round,
                               .longest_ms = 1000,
                               .large_every = 40};
        play(t, &model, 3000, false);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(hash_agrees_with_an_array_while_fields_expire) {
    static struct model model;
    static const uint64_t names[] = {HASHTAB_ORDERED, 12, 100, 700, 2500};
    for (size_t round = 0; round < 2 * COUNT_OF(names); round++) {
        model = (struct model){.limits = {.entries = 50, .value = 64},
                               .names = names[round / 2],
                               .longest_ms = round % 2 ? 500 : 100000,
                               .large_every = 30};
        play(t, &model, 6000, true);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

static void set_number(struct hash **hash, uint64_t number, int64_t at_ms) {
    const struct hash_limits limits = {.entries = 512, .value = 64};
    char name[32];
    int size = snprintf(name, sizeof(name), "fld:%012" PRIu64, number);
    struct hash_setting to = {.name = bytes_make(name, (size_t)size),
                              .value = BYTES("abcdefgh"),
                              .at_ms = at_ms,
                              .now_ms = START_MS};
    to.code = hash_code(*hash, to.name);
    expect_true(hash_set(hash, &limits, &to));
}

TEST(a_time_to_live_costs_twelve_bytes_a_field_at_most) {
    enum { FIELDS = 100000 };
    struct hash *plain = hash_create(0), *timed = hash_create(0);
    for (uint64_t i = 0; i < FIELDS; i++) {
        set_number(&plain, i, HASH_NO_TIME);
        set_number(&timed, i, START_MS + 1 + (int64_t)rng_below(t->rng, 1000000));
    }
    expect_eq(hash_times(timed)->count, FIELDS);
    expect_true(hash_memory_bytes(plain, 0) < (size_t)FIELDS * 48);
    expect_true(hash_memory_bytes(timed, 0) < hash_memory_bytes(plain, 0) + (size_t)FIELDS * 12);
    hash_destroy(&plain);
    hash_destroy(&timed);
}

/* Setting a field anew leaves a stale record each time: they must not pile up. */
TEST(records_of_times_that_were_taken_back_are_purged) {
    enum { FIELDS = 2000, ROUNDS = 20 };
    struct hash *hash = hash_create(0);
    char name[32];
    for (uint64_t i = 0; i < FIELDS; i++)
        set_number(&hash, i, HASH_NO_TIME);
    size_t most = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (uint64_t i = 0; i < FIELDS; i++) {
            int size = snprintf(name, sizeof(name), "fld:%012" PRIu64, i);
            struct bytes bytes = bytes_make(name, (size_t)size);
            hash_set_expiry(&hash, bytes, HASH_NO_TIME, START_MS);
            hash_set_expiry(&hash, bytes, START_MS + 1000000, START_MS);
            while (hash_times(hash)->next_ms <= START_MS)
                expect_eq(hash_expire(&hash, START_MS, 16), 0);
        }
        hash_verify(hash);
        most = size_max(most, hash__timed_memory_bytes(hash__timed(hash)));
    }
    expect_true(most < (size_t)FIELDS * 40);
    while (hash_times(hash)->count)
        (void)hash_expire(&hash, hash_times(hash)->next_ms, 1000);
    expect_eq(hash_count(hash), 0);
    hash_verify(hash);
    hash_destroy(&hash);
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* The clock is set back: what is filed from then on must not wait for the old time. */
TEST(a_clock_that_is_set_back_does_not_hold_fields_up) {
    enum { FIELDS = 1000 };
    struct hash *hash = hash_create(0);
    for (uint64_t i = 0; i < FIELDS; i++)
        set_number(&hash, i, START_MS + 100000000);
    (void)hash_expire(&hash, START_MS + 90000000, 100000);
    int64_t now_ms = START_MS; /* 25 hours earlier */
    for (uint64_t i = 0; i < FIELDS; i++)
        set_number(&hash, FIELDS + i, now_ms + 1000);
    hash_verify(hash);
    now_ms += 2000;
    while (hash_times(hash)->next_ms <= now_ms)
        (void)hash_expire(&hash, now_ms, 64);
    expect_eq(hash_count(hash), FIELDS);
    hash_verify(hash);
    hash_destroy(&hash);
}

/* The fields that expire may come before the table is large, and none after. */
TEST(hash_copy_of_a_large_table_has_its_index_whatever_the_order) {
    enum { FIELDS = 600, ROUNDS = 20 };
    const struct hash_limits limits = {.entries = 0, .value = 64};
    for (int round = 0; round < ROUNDS; round++) {
        struct hash *hash = hash_create(0);
        for (int i = 0; i < FIELDS; i++) {
            char name[32];
            int size = snprintf(name, sizeof(name), "%d-%d", round, i);
            struct hash_setting to = {.name = bytes_make(name, (size_t)size),
                                      .value = bytes_of("v"),
                                      .at_ms = i == 0 ? START_MS + 1000 : HASH_NO_TIME,
                                      .now_ms = START_MS};
            to.code = hash_bytes(to.name);
            expect_true(hash_set(&hash, &limits, &to));
        }
        struct hash *copy = hash_copy(hash);
        hash_verify(hash);
        hash_verify(copy);
        expect_eq(hash_expire(&copy, START_MS + 2000, 1), 1);
        hash_verify(copy);
        hash_destroy(&hash);
        hash_destroy(&copy);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
