/* SPDX-License-Identifier: BSD-3-Clause */
/* intset against a sorted array, and against bytes that are none. */
#include "ds/intset.h"

#include "tests/unit/test.h"

enum { MODEL_MAX = 600 };

struct model {
    int64_t values[MODEL_MAX]; /* ascending */
    size_t count;
};

static size_t model_index(const struct model *model, int64_t value) {
    size_t i = 0;
    while (i < model->count && model->values[i] < value)
        i++;
    return i;
}

static bool model_has(const struct model *model, int64_t value) {
    size_t i = model_index(model, value);
    return i < model->count && model->values[i] == value;
}

static bool model_add(struct model *model, int64_t value) {
    size_t i = model_index(model, value);
    if (model_has(model, value) || model->count == MODEL_MAX) return false;
    memmove(&model->values[i + 1], &model->values[i], (model->count - i) * sizeof(int64_t));
    model->values[i] = value;
    model->count++;
    return true;
}

static bool model_remove(struct model *model, int64_t value) {
    size_t i = model_index(model, value);
    if (!model_has(model, value)) return false;
    model->count--;
    memmove(&model->values[i], &model->values[i + 1], (model->count - i) * sizeof(int64_t));
    return true;
}

/* Values near the edges of the widths as often as others. */
static int64_t random_value(struct rng *rng, unsigned bits) {
    static const int64_t edges[] = {INT16_MIN, INT16_MAX, INT32_MIN, INT32_MAX, 0};
    if (bits == 64 && rng_below(rng, 4) == 0) return rng_below(rng, 2) ? INT64_MAX : INT64_MIN;
    if (bits > 16 && rng_below(rng, 4) == 0) {
        return edges[rng_below(rng, COUNT_OF(edges))] + (int64_t)rng_below(rng, 5) - 2;
    }
    uint64_t span = bits == 64 ? UINT64_MAX : BIT(bits) - 1;
    int64_t value = (int64_t)(rng_next(rng) & span);
    return bits == 64 ? value : value - (int64_t)(span / 2);
}

static void expect_same(const struct intset *set, const struct model *model) {
    intset_verify(set);
    expect_eq(intset_count(set), model->count);
    for (size_t i = 0; i < model->count; i++)
        expect_eq(intset_at(set, i), model->values[i]);
}

TEST(intset_agrees_with_a_sorted_array_under_random_use) {
    static const unsigned widths[] = {6, 14, 20, 40, 64};
    for (int round = 0; round < 40; round++) {
        struct intset *set = intset_create();
        struct model model = {0};
        for (int step = 0; step < 1200; step++) {
            /* Narrow values first, so that each width is met with elements to spread. */
            unsigned bits = widths[size_min((size_t)step / 200, rng_below(t->rng, 5))];
            int64_t value = random_value(t->rng, bits);
            expect_eq(intset_has(set, value), model_has(&model, value));
            if (model.count < MODEL_MAX && rng_below(t->rng, 100) < (round % 2 ? 70u : 45u)) {
                expect_eq(intset_add(&set, value), model_add(&model, value));
            } else if (model.count > 0) {
                if (rng_below(t->rng, 2)) value = model.values[rng_below(t->rng, model.count)];
                expect_eq(intset_remove(&set, value), model_remove(&model, value));
            }
            if (step % 37 == 0) expect_same(set, &model);
        }
        expect_same(set, &model);
        struct intset *copy = intset_copy(set);
        intset_destroy(&set);
        expect_same(copy, &model);
        while (model.count > 0) {
            expect_true(intset_remove(&copy, model.values[0]));
            expect_true(model_remove(&model, model.values[0]));
        }
        expect_same(copy, &model);
        expect_true(intset_memory_bytes(copy) <= 64);
        intset_destroy(&copy);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(widths_follow_the_widest_element_and_stay) {
    struct intset *set = intset_create();
    expect_true(intset_add(&set, -32768));
    expect_eq(intset_size(set), 8 + 2);
    expect_true(intset_add(&set, 32768));
    expect_eq(intset_size(set), 8 + 2 * 4);
    expect_true(intset_add(&set, INT64_MIN));
    expect_eq(intset_size(set), 8 + 3 * 8);
    expect_true(intset_remove(&set, INT64_MIN));
    expect_eq(intset_size(set), 8 + 2 * 8);
    expect_false(intset_has(set, INT64_MAX));
    static const char bytes[] =
        "\x08\0\0\0\x02\0\0\0\x00\x80\xff\xff\xff\xff\xff\xff\x00\x80\0\0\0\0\0";
    expect_bytes_eq(bytes_make(set, intset_size(set)), bytes_make(bytes, sizeof(bytes)));
    intset_destroy(&set);
}

static bool keep_even(void *ctx, int64_t value) {
    ++*(int *)ctx;
    return value % 2 == 0;
}

TEST(filter_keeps_what_it_is_told_to) {
    struct intset *set = intset_create();
    int calls = 0;
    for (int64_t i = 0; i < 1000; i++)
        expect_true(intset_add(&set, i * 7));
    intset_filter(&set, keep_even, &calls);
    intset_verify(set);
    expect_eq(calls, 1000);
    expect_eq(intset_count(set), 500);
    for (size_t i = 0; i < 500; i++)
        expect_eq(intset_at(set, i), (int64_t)i * 14);
    intset_destroy(&set);
}

TEST(bytes_that_are_no_intset_are_refused) {
    static const struct {
        const char *data;
        size_t size;
        bool valid;
    } cases[] = {
        {"", 0, false},
        {"\x02\0\0\0\0\0\0", 7, false},
        {"\x02\0\0\0\0\0\0\0", 8, true},
        {"\x03\0\0\0\0\0\0\0", 8, false},
        {"\x02\0\0\0\x01\0\0\0", 8, false},
        {"\x02\0\0\0\x01\0\0\0\x05\0", 10, true},
        {"\x02\0\0\0\x01\0\0\0\x05\0\0", 11, false},
        {"\x02\0\0\0\x02\0\0\0\x05\0\x06\0", 12, true},
        {"\x02\0\0\0\x02\0\0\0\x05\0\x05\0", 12, false},
        {"\x02\0\0\0\x02\0\0\0\x05\0\xff\xff", 12, false},
        {"\x04\0\0\0\x01\0\0\0\x05\0", 10, false},
        {"\x08\0\0\0\xff\xff\xff\xff\x05\0", 10, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        expect_eq(intset_validate(cases[i].data, cases[i].size), cases[i].valid);
}

TEST_MAIN()
