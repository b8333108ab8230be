/* SPDX-License-Identifier: BSD-3-Clause */
/* btree against a sorted array, for keys that are spread, equal, in order, and piled up. */
#include "ds/btree.h"
#include "tests/unit/test.h"

enum { MODEL_MAX = 1 << 15, RUN_MAX = 1 << 12 };

struct item {
    uint64_t key, id; /* ordered by key, then by id */
};

static uint64_t item_key(const void *item) { return ((const struct item *)item)->key; }
static int item_compare(const void *a, const void *b) {
    uint64_t x = ((const struct item *)a)->id, y = ((const struct item *)b)->id;
    return x < y ? -1 : x > y;
}
static const struct btree_type item_type = {.key = item_key, .compare = item_compare};

static int order_of(const struct item *a, const struct item *b) {
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return item_compare(a, b);
}

struct model {
    struct item *items[MODEL_MAX];
    size_t count;
    uint64_t next_id;
    struct btree tree;
};

static struct model *model_create(void) {
    struct model *model = mem_zalloc(sizeof(*model));
    btree_init(&model->tree, &item_type);
    return model;
}
static void model_destroy(struct model *model) {
    for (size_t i = 0; i < model->count; i++)
        mem_free(model->items[i]);
    btree_deinit(&model->tree);
    mem_free(model);
}

/* How many items of the model are less. */
static size_t model_rank(const struct model *model, const struct item *item) {
    size_t low = 0, high = model->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (order_of(model->items[middle], item) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void model_add(struct model *model, uint64_t key, uint64_t id) {
    struct item *item = mem_alloc(sizeof(*item));
    *item = (struct item){.key = key, .id = id};
    size_t at = model_rank(model, item);
    memmove(model->items + at + 1, model->items + at, (model->count - at) * sizeof(item));
    model->items[at] = item;
    model->count++;
    btree_add(&model->tree, item);
}

static void model_remove(struct model *model, size_t at) {
    struct item *item = model->items[at];
    model->count--;
    memmove(model->items + at, model->items + at + 1, (model->count - at) * sizeof(item));
    btree_remove(&model->tree, item);
    mem_free(item);
}

enum key_shape { KEYS_SPREAD, KEYS_FEW, KEYS_RISING, KEYS_FALLING, KEYS_PILED, KEYS_EDGES };
enum { KEY_SHAPE_COUNT = 6 };

static uint64_t random_key(struct test *t, enum key_shape shape, uint64_t step) {
    switch (shape) {
    case KEYS_SPREAD: return rng_next(t->rng);
    case KEYS_FEW: return rng_below(t->rng, 3);
    case KEYS_RISING: return 1000 + step * 7;
    case KEYS_FALLING: return UINT64_MAX / 2 - step * 7;
    case KEYS_PILED: return rng_next(t->rng) >> rng_below(t->rng, 64);
    case KEYS_EDGES: break;
    }
    return rng_below(t->rng, 2) ? rng_below(t->rng, 4) : UINT64_MAX - rng_below(t->rng, 4);
}

struct place_of { /* what before_place looks for */
    const struct item *item;
};
static bool before_place(void *ctx, const void *item) {
    return item_compare(item, ((struct place_of *)ctx)->item) < 0;
}
static bool before_any(void *ctx, const void *item) {
    return order_of(item, ((struct place_of *)ctx)->item) < 0;
}

/* All ways of finding agree about one place of the order. */
static void expect_same_places(struct test *t, const struct model *model, struct item probe) {
    struct place_of place = {&probe};
    size_t rank = model_rank(model, &probe);
    expect_eq(btree_seek(&model->tree, probe.key, before_place, &place), rank);
    expect_eq(btree_seek_any(&model->tree, before_any, &place), rank);
    const struct item low = {.key = probe.key, .id = 0};
    expect_eq(btree_seek_key(&model->tree, probe.key, false), model_rank(model, &low));
    if (probe.key < UINT64_MAX) {
        const struct item high = {.key = probe.key + 1, .id = 0};
        expect_eq(btree_seek_key(&model->tree, probe.key, true), model_rank(model, &high));
    }
    const struct btree_leaf *leaf = btree_prefetch(&model->tree, probe.key);
    expect_eq(leaf != NULL, model->count > 0);
    if (leaf) {
        btree_prefetch_addresses(leaf, probe.key);
        btree_prefetch_item(leaf, probe.key);
    }
    if (!model->count) return;
    size_t at = (size_t)rng_below(t->rng, model->count);
    expect_ptr_eq(btree_at(&model->tree, at), model->items[at]);
    expect_eq(btree_rank(&model->tree, model->items[at]), at);
}

static void expect_same_walk(const struct model *model, size_t from, bool backwards) {
    struct btree_iter iter;
    btree_iter_init(&iter, &model->tree, from, backwards);
    size_t at = from;
    for (size_t left = from >= model->count ? 0
                       : backwards          ? from + 1
                                            : model->count - from;
         left; left--) {
        expect_ptr_eq(btree_iter_next(&iter), model->items[at]);
        at = backwards ? at - 1 : at + 1;
    }
    expect_null(btree_iter_next(&iter));
}

static void run_random_steps(struct test *t, enum key_shape shape, unsigned add_percent) {
    struct model *model = model_create();
    for (uint64_t step = 0; step < RUN_MAX; step++) {
        unsigned percent = step < RUN_MAX / 2 ? add_percent : 100 - add_percent;
        if (rng_below(t->rng, 100) < percent || !model->count) {
            model_add(model, random_key(t, shape, step), ++model->next_id);
        } else {
            model_remove(model, (size_t)rng_below(t->rng, model->count));
        }
        expect_eq(btree_count(&model->tree), model->count);
        if (step % 16 == 0) btree_verify(&model->tree);
        struct item probe = {random_key(t, shape, rng_below(t->rng, step + 1)),
                             rng_below(t->rng, model->next_id + 2)};
        expect_same_places(t, model, probe);
    }
    for (unsigned i = 0; i < 8; i++) {
        size_t from = (size_t)rng_below(t->rng, model->count + 2);
        expect_same_walk(model, from, i % 2);
    }
    btree_verify(&model->tree);
    model_destroy(model);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(btree_agrees_with_a_sorted_array_under_random_use) {
    for (int shape = 0; shape < KEY_SHAPE_COUNT; shape++) {
        run_random_steps(t, (enum key_shape)shape, 80);
        run_random_steps(t, (enum key_shape)shape, 55);
    }
}

TEST(btree_becomes_empty_item_by_item_from_any_end) {
    enum { COUNT = 30000 };
    for (int end = 0; end < 3; end++) {
        struct model *model = model_create();
        for (uint64_t i = 0; i < COUNT; i++)
            model_add(model, i, i);
        btree_verify(&model->tree);
        expect_true(model->tree.height >= 2);
        while (model->count) {
            size_t at = end == 0 ? 0 : end == 1 ? model->count - 1 : model->count / 2;
            model_remove(model, at);
            if (model->count % 997 == 0) btree_verify(&model->tree);
        }
        btree_verify(&model->tree);
        expect_eq(btree_memory_bytes(&model->tree), 0);
        model_destroy(model);
    }
}

struct removed {
    const struct model *model;
    size_t next, end; /* in the model */
};
static void expect_removed(void *ctx, void *item) {
    struct removed *removed = ctx;
    expect_true(removed->next < removed->end);
    expect_ptr_eq(item, removed->model->items[removed->next++]);
    mem_free(item);
}

TEST(btree_ranges_are_removed_in_order_and_whole) {
    struct model *model = model_create();
    for (int round = 0; round < 400; round++) {
        enum key_shape shape = (enum key_shape)rng_below(t->rng, KEY_SHAPE_COUNT);
        size_t adds = (size_t)rng_below(t->rng, 400);
        for (size_t i = 0; i < adds && model->count < MODEL_MAX; i++)
            model_add(model, random_key(t, shape, i), ++model->next_id);

        size_t rank = (size_t)rng_below(t->rng, model->count + 2);
        size_t count = (size_t)rng_below(t->rng, round % 10 ? 300 : 20000);
        size_t end = size_min(rank + count, model->count);
        struct removed removed = {model, rank, size_max(end, rank)};
        btree_remove_range(&model->tree, rank, count, expect_removed, &removed);
        expect_eq(removed.next, removed.end);
        if (end > rank) {
            memmove(model->items + rank, model->items + end,
                    (model->count - end) * sizeof(model->items[0]));
            model->count -= end - rank;
        }
        btree_verify(&model->tree);
        expect_eq(btree_count(&model->tree), model->count);
        expect_same_walk(model, 0, false);
    }
    model_destroy(model);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(btree_windows_read_what_is_there) {
    struct model *model = model_create();
    void *out[512];
    expect_eq(btree_read(&model->tree, 0, out, 512), 0);
    expect_null(btree_at(&model->tree, 0));
    expect_same_walk(model, 0, false);
    expect_same_walk(model, 0, true);
    for (uint64_t i = 0; i < 3000; i++)
        model_add(model, rng_next(t->rng), i);
    for (int i = 0; i < 200; i++) {
        size_t from = (size_t)rng_below(t->rng, 3010), max = (size_t)rng_below(t->rng, 513);
        size_t count = btree_read(&model->tree, from, out, max);
        expect_eq(count, from >= 3000 ? 0 : size_min(max, 3000 - from));
        for (size_t k = 0; k < count; k++)
            expect_ptr_eq(out[k], model->items[from + k]);
    }
    model_destroy(model);
}

/* Bytes of the tree for each item, times 100. */
static size_t bytes_an_item(struct test *t, enum key_shape shape, size_t count) {
    struct item *items = mem_alloc_array(count, sizeof(*items));
    struct btree tree;
    btree_init(&tree, &item_type);
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct item){.key = random_key(t, shape, i), .id = i};
        btree_add(&tree, &items[i]);
    }
    btree_verify(&tree);
    size_t bytes = btree_memory_bytes(&tree) * 100 / count;
    btree_deinit(&tree);
    mem_free(items);
    return bytes;
}

TEST(btree_takes_less_than_nine_bytes_an_item) {
    expect_true(bytes_an_item(t, KEYS_SPREAD, 200000) < 900);
    expect_true(bytes_an_item(t, KEYS_FEW, 200000) < 1000); /* in order, at three places */
    expect_true(bytes_an_item(t, KEYS_PILED, 200000) < 900);
    expect_true(bytes_an_item(t, KEYS_RISING, 200000) < 780);
    expect_true(bytes_an_item(t, KEYS_FALLING, 200000) < 780);
}

TEST_MAIN()
