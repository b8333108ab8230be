/* SPDX-License-Identifier: BSD-3-Clause */
/* list against an array of strings, with limits small enough that all forms and joins happen. */
#include "types/list.h"
#include "sync/blob.h"
#include "tests/unit/test.h"

enum { MODEL_MAX = 600, TEXT_MAX = 5000 };

struct model {
    struct bytes items[MODEL_MAX]; /* owned */
    size_t count;
};

static void model_put(struct model *model, size_t index, struct bytes text) {
    memmove(model->items + index + 1, model->items + index,
            (model->count - index) * sizeof(model->items[0]));
    model->items[index] = bytes_make(mem_copy_bytes(text), text.size);
    model->count++;
}

static void model_drop(struct model *model, size_t index) {
    mem_free((void *)(uintptr_t)model->items[index].data);
    model->count--;
    memmove(model->items + index, model->items + index + 1,
            (model->count - index) * sizeof(model->items[0]));
}

struct fixture {
    struct test *t;
    struct model model;
    void *list;
    struct list_limits limits;
    char text[TEXT_MAX];
    bool is_long;         /* more of the elements are long enough for compression */
    size_t compressed;    /* blocks, the most that were seen */
    int64_t chosen_depth; /* now and then another depth up to this one is chosen; 0: never */
};

/* Few different ones, so that there are matches; now and then a large one. */
static struct bytes random_text(struct fixture *f) {
    uint64_t kind = rng_below(f->t->rng, 12);
    if (kind < 4) {
        int64_t number = (int64_t)rng_below(f->t->rng, 12) * (kind == 0 ? 100000 : 1);
        return bytes_make(f->text, num_format_i64(f->text, number));
    }
    if (f->is_long && kind > 6) {
        size_t size = 20 + rng_below(f->t->rng, 30);
        memset(f->text, (int)('a' + rng_below(f->t->rng, 3)), size);
        for (size_t i = 0; kind == 7 && i < size; i++) /* not compressible */
            f->text[i] = (char)rng_below(f->t->rng, 256);
        return bytes_make(f->text, size);
    }
    size_t size = kind == 4 ? rng_below(f->t->rng, 300) : rng_below(f->t->rng, 5);
    if (kind == 5 && rng_below(f->t->rng, 4) == 0) size = 4000 + rng_below(f->t->rng, 1000);
    memset(f->text, (int)('a' + rng_below(f->t->rng, 3)), size);
    return bytes_make(f->text, size);
}

static struct bytes item_bytes(const struct list_item *item, char scratch[NUM_I64_TEXT_MAX]) {
    expect_true(!item->blob || item->blob->data == item->value.data);
    return listpack_value_bytes(&item->value, scratch);
}

static void expect_same(struct fixture *f) {
    const struct model *model = &f->model;
    char scratch[NUM_I64_TEXT_MAX];
    struct list_iter iter;
    struct list_item item;
    size_t first = rng_below(f->t->rng, model->count + 1), index = first;
    list_verify(f->list);
    expect_eq(list_count(f->list), model->count);
    list_iter_init(&iter, f->list, first, LIST_HEAD);
    for (; list_iter_next(&iter, &item); index++)
        expect_bytes_eq(item_bytes(&item, scratch), model->items[index]);
    list_iter_deinit(&iter);
    expect_eq(index, model->count);
    if (model->count == 0) return;
    first = rng_below(f->t->rng, model->count);
    index = first + 1;
    list_iter_init(&iter, f->list, first, LIST_TAIL);
    while (list_iter_next(&iter, &item))
        expect_bytes_eq(item_bytes(&item, scratch), model->items[--index]);
    list_iter_deinit(&iter);
    expect_eq(index, 0);
}

static void expect_reads(struct fixture *f) {
    const struct model *model = &f->model;
    char scratch[NUM_I64_TEXT_MAX];
    struct list_item item;
    struct listpack *unpacked = NULL;
    expect_eq(list_peek(f->list, LIST_HEAD, &item), model->count > 0);
    if (model->count > 0) expect_bytes_eq(item_bytes(&item, scratch), model->items[0]);
    expect_eq(list_peek(f->list, LIST_TAIL, &item), model->count > 0);
    if (model->count > 0) {
        expect_bytes_eq(item_bytes(&item, scratch), model->items[model->count - 1]);
    }
    int64_t index = (int64_t)rng_below(f->t->rng, 2 * model->count + 4) - (int64_t)model->count - 2;
    int64_t positive = index < 0 ? index + (int64_t)model->count : index;
    bool within = positive >= 0 && positive < (int64_t)model->count;
    expect_eq(list_at(f->list, index, &item, &unpacked), within);
    if (within) expect_bytes_eq(item_bytes(&item, scratch), model->items[positive]);
    listpack_destroy(&unpacked);
}

/* The spans one after the other are the list. */
static void expect_spans(struct fixture *f) {
    struct list_iter iter;
    struct list_span span;
    size_t index = 0;
    list_iter_init(&iter, f->list, 0, LIST_HEAD);
    while (list_iter_next_span(&iter, &span)) {
        if (span.blob) {
            expect_bytes_eq(blob_bytes(span.blob), f->model.items[index++]);
            continue;
        }
        for (size_t at = span.at; at != LISTPACK_END; at = listpack_next(span.lp, at))
            expect_true(listpack_equals(span.lp, at, f->model.items[index++]));
    }
    list_iter_deinit(&iter);
    expect_eq(index, f->model.count);
}

static void step_push(struct fixture *f) {
    if (f->model.count == MODEL_MAX) return;
    enum list_end end = rng_below(f->t->rng, 2) ? LIST_HEAD : LIST_TAIL;
    struct bytes text = random_text(f);
    if (rng_below(f->t->rng, 4) == 0) {
        list_push_blob(&f->list, end, blob_copy(text), &f->limits);
    } else {
        list_push(&f->list, end, text, &f->limits);
    }
    model_put(&f->model, end == LIST_HEAD ? 0 : f->model.count, text);
}

static void step_drop(struct fixture *f) {
    size_t count = rng_below(f->t->rng, 20) ? 1 : rng_below(f->t->rng, 100);
    enum list_end end = rng_below(f->t->rng, 2) ? LIST_HEAD : LIST_TAIL;
    list_drop(&f->list, end, count, &f->limits);
    for (; count > 0 && f->model.count > 0; count--)
        model_drop(&f->model, end == LIST_HEAD ? 0 : f->model.count - 1);
}

static void step_set(struct fixture *f) {
    struct bytes text = random_text(f);
    size_t index = rng_below(f->t->rng, f->model.count + 1);
    bool set = list_set(&f->list, (int64_t)index, text, &f->limits);
    expect_eq(set, index < f->model.count);
    if (!set) return;
    model_drop(&f->model, index);
    model_put(&f->model, index, text);
}

static void step_insert(struct fixture *f) {
    if (f->model.count == MODEL_MAX) return;
    struct bytes text = random_text(f);
    struct bytes own = bytes_make(mem_copy_bytes(text), text.size), pivot = random_text(f);
    bool after = rng_below(f->t->rng, 2);
    size_t index = 0;
    while (index < f->model.count && !bytes_equal(f->model.items[index], pivot))
        index++;
    bool inserted = list_insert(&f->list, pivot, own, after, &f->limits);
    expect_eq(inserted, index < f->model.count);
    if (inserted) model_put(&f->model, index + after, own);
    mem_free((void *)(uintptr_t)own.data);
}

static void step_remove(struct fixture *f) {
    struct bytes text = random_text(f);
    size_t most = rng_below(f->t->rng, 5), removed = 0;
    enum list_end from = rng_below(f->t->rng, 2) ? LIST_HEAD : LIST_TAIL;
    if (most == 4) most = SIZE_MAX;
    for (size_t i = 0, left = f->model.count, index = 0; i < left && removed < most; i++) {
        size_t at = from == LIST_HEAD ? index : left - 1 - i;
        if (bytes_equal(f->model.items[at], text)) {
            model_drop(&f->model, at);
            removed++;
        } else {
            index++;
        }
    }
    expect_eq(list_remove(&f->list, from, most, text, &f->limits), removed);
}

static void step_trim(struct fixture *f) {
    size_t first = rng_below(f->t->rng, 12), count = rng_below(f->t->rng, f->model.count + 20);
    void *cut;
    list_trim(&f->list, first, count, &f->limits, &cut);
    if (cut) list_destroy(cut);
    for (; first > 0 && f->model.count > 0; first--)
        model_drop(&f->model, 0);
    while (f->model.count > count)
        model_drop(&f->model, f->model.count - 1);
}

static void step_copy(struct fixture *f) {
    void *copy = list_copy(f->list);
    expect_true(list_memory_bytes(copy, 0) > 0);
    expect_eq(list_free_effort(copy), list_free_effort(f->list));
    expect_eq(list_compressed_count(copy), list_compressed_count(f->list));
    list_destroy(f->list);
    f->list = copy;
}

/* A copy to read, in which nothing is compressed. */
static void step_open(struct fixture *f) {
    void *copy = list_copy_open(f->list);
    expect_eq(copy != NULL, list_compressed_count(f->list) > 0);
    if (!copy) return;
    list_verify(copy);
    expect_eq(list_compressed_count(copy), 0);
    expect_eq(list_count(copy), list_count(f->list));
    list_destroy(f->list);
    f->list = copy;
}

/* As a file is loaded: block by block, then the form that the limits ask for. */
static void step_rebuild(struct fixture *f) {
    void *copy = list_create(0);
    struct listpack *unpacked = NULL;
    for (size_t i = 0; i < list_block_count(f->list); i++) {
        struct list_span block = list_block_at(f->list, i, &unpacked);
        size_t bytes = block.blob ? block.blob->size : listpack_size(block.lp);
        expect_eq(list_block_bytes(f->list, i), bytes);
        if (block.blob) {
            list_add_plain_block(&copy, blob_retain(block.blob));
        } else if (listpack_first(block.lp) != LISTPACK_END) {
            list_add_block(&copy, listpack_copy(block.lp));
        }
    }
    listpack_destroy(&unpacked);
    list_settle(&copy, &f->limits);
    list_destroy(f->list);
    f->list = copy;
}

static void run(struct fixture *f, int steps) {
    f->list = list_create(0);
    for (int step = 0; step < steps; step++) {
        uint64_t kind = rng_below(f->t->rng, 100);
        if (kind < (step / 1500 % 2 ? 25 : 55)) {
            step_push(f);
        } else if (kind < 70) {
            step_drop(f);
        } else if (kind < 80) {
            step_set(f);
        } else if (kind < 90) {
            step_insert(f);
        } else if (kind < 96) {
            step_remove(f);
        } else if (kind == 96) {
            step_trim(f);
        } else if (kind == 97) {
            step_copy(f);
        } else if (kind == 98) {
            step_rebuild(f);
        } else if (f->chosen_depth > 0) {
            step_open(f);
            f->limits.compress_depth = rng_below(f->t->rng, (uint64_t)f->chosen_depth + 1);
        }
        f->compressed = size_max(f->compressed, list_compressed_count(f->list));
        expect_reads(f);
        if (step % 4 == 0) expect_same(f);
        if (step % 16 == 0) expect_spans(f);
    }
    expect_same(f);
    list_destroy(f->list);
    while (f->model.count > 0)
        model_drop(&f->model, f->model.count - 1);
    expect_eq(mem_in_use(), f->t->mem_at_start);
}

TEST(list_agrees_with_an_array_with_blocks_of_few_elements) {
    static const int32_t sizes[] = {0, 1, 2, 3, 5, 16, 128};
    static struct fixture f;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        f = (struct fixture){.t = t, .limits = list_limits_of(sizes[i], 0)};
        run(&f, 4000);
    }
}

TEST(list_agrees_with_an_array_with_blocks_of_few_bytes) {
    static const size_t bytes[] = {16, 40, 100, 400, 8192};
    static struct fixture f;
    for (size_t i = 0; i < COUNT_OF(bytes); i++) {
        f = (struct fixture){.t = t, .limits = list_limits_of(-2, 0)};
        f.limits.bytes = bytes[i];
        run(&f, 4000);
    }
}

TEST(list_agrees_with_an_array_with_a_threshold_for_plain_blocks) {
    static struct fixture f;
    for (size_t threshold = 1; threshold < 6; threshold += 2) {
        f = (struct fixture){.t = t, .limits = list_limits_of(4, threshold)};
        run(&f, 4000);
    }
}

TEST(list_agrees_with_an_array_with_compressed_blocks) {
    static const int32_t sizes[] = {1, 3, 8, 16, -2};
    static struct fixture f;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        for (size_t depth = 1; depth <= 2; depth++) {
            f = (struct fixture){.t = t, .limits = list_limits_of(sizes[i], 0), .is_long = true};
            if (sizes[i] < 0) f.limits.bytes = 200;
            f.limits.compress_depth = depth;
            run(&f, 4000);
            expect_true(f.compressed > 0);
        }
    }
}

TEST(list_agrees_with_an_array_while_the_depth_of_compression_changes) {
    static struct fixture f;
    for (int32_t size = 2; size <= 8; size += 3) {
        f = (struct fixture){.t = t, .limits = list_limits_of(size, 0), .is_long = true};
        f.chosen_depth = 4;
        f.limits.compress_depth = 1;
        run(&f, 6000);
        expect_true(f.compressed > 0);
    }
}

/* Blocks that pushes and pops move away from the ends are closed, and opened when they come back.
 */
TEST(list_compresses_what_is_far_from_its_ends) {
    enum { BLOCKS = 20, PER_BLOCK = 4 };
    for (size_t depth = 1; depth <= 3; depth++) {
        struct list_limits limits = list_limits_of(PER_BLOCK, 0);
        limits.compress_depth = depth;
        void *list = list_create(0);
        for (size_t i = 0; i < (size_t)BLOCKS * PER_BLOCK; i++) {
            list_push(&list, depth % 2 ? LIST_HEAD : LIST_TAIL, BYTES("aaaaaaaaaaaaaaaaaaaa"),
                      &limits);
        }
        list_verify(list);
        expect_eq(list_block_count(list), BLOCKS);
        expect_eq(list_compressed_count(list), BLOCKS - 2 * depth);
        expect_true(list_set(&list, BLOCKS / 2 * PER_BLOCK, BYTES("bbbbbbbbbbbbbbbb"), &limits));
        expect_eq(list_compressed_count(list), BLOCKS - 2 * depth);
        for (size_t left = BLOCKS - 1; left > 2; left--) {
            list_drop(&list, left % 2 ? LIST_HEAD : LIST_TAIL, PER_BLOCK, &limits);
            list_verify(list);
            expect_eq(list_compressed_count(list), left > 2 * depth ? left - 2 * depth : 0);
        }
        list_destroy(list);
    }
}

/* An insertion may add two blocks near an end, and so push two beyond the depth. */
TEST(list_compresses_all_that_an_insertion_pushes_away_from_its_ends) {
    enum { BLOCKS = 20, PER_BLOCK = 4, DEPTH = 5, LARGE = 9000 };
    char *large = mem_zalloc(LARGE);
    for (int side = 0; side < 2; side++) {
        struct list_limits limits = list_limits_of(PER_BLOCK, 0);
        limits.compress_depth = DEPTH;
        void *list = list_create(0);
        for (size_t i = 0; i < (size_t)BLOCKS * PER_BLOCK; i++)
            list_push(&list, LIST_TAIL, BYTES("aaaaaaaaaaaaaaaaaaaa"), &limits);
        expect_true(list_set(&list, side ? -2 : 1, BYTES("pivot"), &limits));
        expect_eq(list_compressed_count(list), BLOCKS - 2 * DEPTH);
        expect_true(list_insert(&list, BYTES("pivot"), bytes_make(large, LARGE), false, &limits));
        list_verify(list);
        expect_eq(list_block_count(list), BLOCKS + 2);
        expect_eq(list_compressed_count(list), BLOCKS + 2 - 2 * DEPTH);
        list_destroy(list);
    }
    mem_free(large);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(list_of_compressible_elements_is_smaller_when_compressed) {
    enum { MANY = 100000 };
    struct list_limits limits = list_limits_of(-2, 0);
    size_t before = mem_in_use();
    limits.compress_depth = 1;
    void *list = list_create(0);
    for (int i = 0; i < MANY; i++)
        list_push(&list, LIST_TAIL, BYTES("sixteen bytes..."), &limits);
    expect_true((double)(mem_in_use() - before) / MANY < 1);
    expect_true((double)list_memory_bytes(list, 0) / MANY < 1);
    list_destroy(list);
}

/* Blocks that become empty all over a long list: were the others moved for each of them, this would
 * take minutes. */
TEST(list_removes_many_blocks_by_value_at_once) {
    enum { MANY = 1 << 20 };
    for (enum list_end from = LIST_HEAD; from <= LIST_TAIL; from++) {
        struct list_limits limits = list_limits_of(1, 0);
        void *list = list_create(0);
        struct listpack *scratch = NULL;
        struct list_item item;
        for (int i = 0; i < MANY; i++)
            list_push(&list, LIST_TAIL, i % 2 ? BYTES("x") : BYTES("y"), &limits);
        expect_eq(list_block_count(list), MANY);
        expect_eq(list_remove(&list, from, MANY / 4, BYTES("x"), &limits), MANY / 4);
        list_verify(list);
        expect_eq(list_block_count(list), MANY - MANY / 4);
        for (int i = 0; i < 4; i++) { /* only on that side are the neighbours alike */
            bool cleared = (i < 2) == (from == LIST_HEAD);
            expect_true(list_at(list, i < 2 ? i : i - 4, &item, &scratch));
            expect_eq(item.value.data[0], cleared || i % 2 == 0 ? 'y' : 'x');
        }
        expect_eq(list_remove(&list, from, SIZE_MAX, BYTES("x"), &limits), MANY / 4);
        expect_eq(list_remove(&list, from, SIZE_MAX, BYTES("x"), &limits), 0);
        list_verify(list);
        expect_eq(list_block_count(list), MANY / 2);
        list_destroy(list);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(list_trimmed_of_many_blocks_hands_them_out_to_be_freed_elsewhere) {
    enum { MANY = 10000, KEPT = 10 };
    const struct list_limits limits = list_limits_of(4, 0);
    for (int packed = 0; packed < 2; packed++) {
        void *list = list_create(0), *cut;
        for (int i = 0; i < MANY; i++)
            list_push(&list, LIST_TAIL, BYTES("x"), &limits);
        list_trim(&list, 1, MANY - 1, &limits, &cut);
        expect_eq(list_count(list), MANY - 1);
        expect_true(cut == NULL); /* no whole block */
        size_t kept = packed ? 1 : KEPT;
        list_trim(&list, MANY / 2, kept, &limits, &cut);
        expect_eq(list_count(list), kept);
        expect_str_eq(list_encoding_name(list), packed ? "listpack" : "quicklist");
        expect_true(list_free_effort(cut) >= MANY / 4 - KEPT);
        list_verify(list);
        list_destroy(cut);
        list_trim(&list, 0, 0, &limits, &cut);
        expect_eq(list_count(list), 0);
        if (cut) list_destroy(cut);
        list_destroy(list);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(list_limits_follow_the_option) {
    expect_eq(list_limits_of(-1, 0).bytes, 4096);
    expect_eq(list_limits_of(-2, 0).bytes, 8192);
    expect_eq(list_limits_of(-5, 0).bytes, 65536);
    expect_eq(list_limits_of(-6, 0).bytes, 65536);
    expect_eq(list_limits_of(INT32_MIN, 0).bytes, 65536);
    expect_eq(list_limits_of(-2, 0).count, SIZE_MAX);
    expect_eq(list_limits_of(0, 0).count, 1);
    expect_eq(list_limits_of(7, 0).count, 7);
    expect_eq(list_limits_of(INT32_MAX, 0).count, INT32_MAX);
    expect_eq(list_limits_of(7, 0).bytes, 8192);
    expect_eq(list_limits_of(-2, 0).plain_bytes, SIZE_MAX);
    expect_eq(list_limits_of(-2, 5).plain_bytes, 5);
}

TEST(list_changes_its_form_at_the_limits) {
    const struct list_limits limits = list_limits_of(4, 0);
    void *list = list_create(0);
    for (int i = 0; i < 4; i++)
        list_push(&list, LIST_TAIL, BYTES("x"), &limits);
    expect_str_eq(list_encoding_name(list), "listpack");
    expect_not_null(list_packed(list));
    list_push(&list, LIST_HEAD, BYTES("y"), &limits);
    expect_str_eq(list_encoding_name(list), "quicklist");
    expect_null(list_packed(list));
    expect_eq(list_block_count(list), 2);
    list_drop(&list, LIST_HEAD, 2, &limits); /* one block of three: more than half */
    expect_str_eq(list_encoding_name(list), "quicklist");
    list_drop(&list, LIST_HEAD, 1, &limits);
    expect_str_eq(list_encoding_name(list), "listpack");
    expect_eq(list_count(list), 2);
    list_destroy(list);
}

TEST(list_of_a_large_element_shares_its_blob) {
    const struct list_limits limits = list_limits_of(-2, 0);
    struct blob *blob = blob_create(100000);
    memset(blob->data, 'x', blob->size);
    void *list = list_create(0);
    list_push_blob(&list, LIST_TAIL, blob_retain(blob), &limits);
    struct list_item item;
    expect_true(list_peek(list, LIST_HEAD, &item));
    expect_ptr_eq(item.blob, blob);
    void *copy = list_copy(list);
    expect_true(list_set(&copy, 0, BYTES("small"), &limits));
    expect_true(list_peek(list, LIST_HEAD, &item));
    expect_eq(item.value.size, 100000);
    list_destroy(list);
    list_destroy(copy);
    expect_true(blob_is_sole(blob));
    blob_release(blob);
}

TEST(list_of_a_million_short_elements_is_small) {
    enum { MANY = 1000000 };
    const struct list_limits limits = list_limits_of(-2, 0);
    size_t before = mem_in_use();
    void *list = list_create(0);
    for (int i = 0; i < MANY; i++)
        list_push(&list, LIST_TAIL, BYTES("sixteen bytes..."), &limits);
    expect_eq(list_count(list), MANY);
    expect_true((double)(mem_in_use() - before) / MANY < 18.2);
    expect_true(list_free_effort(list) > 2000);
    list_destroy(list);
}

TEST_MAIN()
