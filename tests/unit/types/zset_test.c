/* SPDX-License-Identifier: BSD-3-Clause */
/* Sorted sets against a plain array, in both forms. */
#include "types/zset.h"
#include "base/buf.h"
#include "ds/listpack.h"
#include "tests/unit/test.h"

#include <stdio.h>

enum { MODEL_MAX = 4096, NAME_MAX_SIZE = 24 };

struct pair {
    char name[NAME_MAX_SIZE];
    size_t size;
    double score;
};

struct model {
    struct pair pairs[MODEL_MAX]; /* in order */
    size_t count;
    struct zset *zset;
    struct zset_limits limits;
};

static struct bytes pair_member(const struct pair *pair) {
    return bytes_make(pair->name, pair->size);
}

static int pair_order(const struct pair *a, const struct pair *b) {
    if (a->score != b->score) return a->score < b->score ? -1 : 1;
    return bytes_compare(pair_member(a), pair_member(b));
}

static size_t model_find(const struct model *model, struct bytes member) {
    size_t i = 0;
    while (i < model->count && !bytes_equal(pair_member(&model->pairs[i]), member))
        i++;
    return i;
}

static void model_remove(struct model *model, size_t at, size_t count) {
    memmove(&model->pairs[at], &model->pairs[at + count],
            (model->count - at - count) * sizeof(model->pairs[0]));
    model->count -= count;
}

static void model_insert(struct model *model, const struct pair *pair) {
    size_t at = 0;
    while (at < model->count && pair_order(&model->pairs[at], pair) < 0)
        at++;
    memmove(&model->pairs[at + 1], &model->pairs[at],
            (model->count - at) * sizeof(model->pairs[0]));
    model->pairs[at] = *pair;
    model->count++;
}

/* What zset_add is to do, said plainly. */
static enum zset_added model_add(struct model *model, const struct pair *wanted, unsigned flags) {
    struct pair pair = *wanted;
    size_t at = model_find(model, pair_member(&pair));
    if (at == model->count) {
        if (flags & ZSET_ADD_XX) return ZSET_NOT_DONE;
        model_insert(model, &pair);
        return ZSET_NEW;
    }
    double old = model->pairs[at].score;
    if (flags & ZSET_ADD_NX) return ZSET_NOT_DONE;
    if (flags & ZSET_ADD_INCREMENT) pair.score += old;
    if (isnan(pair.score)) return ZSET_NAN;
    if ((flags & ZSET_ADD_GT) && pair.score <= old) return ZSET_NOT_DONE;
    if ((flags & ZSET_ADD_LT) && pair.score >= old) return ZSET_NOT_DONE;
    if (pair.score == old) return ZSET_UNCHANGED;
    model_remove(model, at, 1);
    model_insert(model, &pair);
    return ZSET_UPDATED;
}

static struct pair random_pair(struct test *t, uint64_t names) {
    static const double special[] = {0, -0.0, INFINITY, -INFINITY, 1e300, -5e-324, 0.1};
    struct pair pair;
    uint64_t name = rng_below(t->rng, names);
    const char *form = name % 3 == 0 ? "%llu" : name % 3 == 1 ? "member:%llu" : "-%llu";
    pair.size = (size_t)snprintf(pair.name, sizeof(pair.name), form, (unsigned long long)name);
    if (name == 1) pair.size = 0;
    switch (rng_below(t->rng, 4)) {
    case 0: pair.score = special[rng_below(t->rng, COUNT_OF(special))]; break;
    case 1: pair.score = (double)rng_below(t->rng, 8); break;
    case 2: pair.score = rng_unit(t->rng) * 1e6 - 5e5; break;
    default: pair.score = (double)(int64_t)rng_next(t->rng); break;
    }
    return pair;
}

static void expect_same_item(const struct pair *pair, const struct zset_item *item) {
    expect_bytes_eq(item->member, pair_member(pair));
    expect_true(item->score == pair->score);
}

static void expect_same_walks(struct test *t, const struct model *model) {
    struct zset_iter iter;
    struct zset_item item;
    char scratch[NUM_I64_TEXT_MAX];
    expect_eq(zset_count(model->zset), model->count);
    zset_iter_init(&iter, model->zset, 0, false);
    for (size_t i = 0; i < model->count; i++) {
        expect_true(zset_iter_next(&iter, &item));
        expect_same_item(&model->pairs[i], &item);
    }
    expect_false(zset_iter_next(&iter, &item));
    if (!model->count) return;

    size_t from = (size_t)rng_below(t->rng, model->count);
    zset_iter_init(&iter, model->zset, from, true);
    for (size_t i = from + 1; i-- > 0;) {
        expect_true(zset_iter_next(&iter, &item));
        expect_same_item(&model->pairs[i], &item);
    }
    expect_false(zset_iter_next(&iter, &item));
    zset_at(model->zset, from, scratch, &item);
    expect_same_item(&model->pairs[from], &item);
    expect_true(zset_random_rank(model->zset, t->rng) < model->count);
}

static void expect_same_member(const struct model *model, const struct pair *pair) {
    double score;
    size_t rank, at = model_find(model, pair_member(pair));
    bool found = at < model->count;
    expect_eq(zset_score(model->zset, pair_member(pair), &score), found);
    if (found) expect_true(score == model->pairs[at].score);
    expect_eq(zset_rank(model->zset, pair_member(pair), &rank, &score), found);
    if (!found) return;
    expect_eq(rank, at);
    expect_true(score == model->pairs[at].score);
}

static void expect_same_score_span(struct test *t, const struct model *model) {
    struct zset_score_range range = {.min = random_pair(t, 8).score,
                                     .max = random_pair(t, 8).score,
                                     .without_min = rng_below(t->rng, 2),
                                     .without_max = rng_below(t->rng, 2)};
    size_t first = 0, count = 0;
    for (size_t i = 0; i < model->count; i++) {
        double score = model->pairs[i].score;
        bool in = range.without_min ? score > range.min : score >= range.min;
        in = in && (range.without_max ? score < range.max : score <= range.max);
        expect_eq(zset_score_is_within(&range, score), in);
        if (in && !count++) first = i;
    }
    struct zset_span span = zset_span_of_scores(model->zset, &range);
    expect_eq(span.count, count);
    if (count) expect_eq(span.first, first);
}

static void run_random_steps(struct test *t, struct zset_limits limits, uint64_t names) {
    struct model *model = mem_zalloc(sizeof(*model));
    model->limits = limits;
    model->zset = zset_create(&limits, 1, 0);
    for (int step = 0; step < 6000; step++) {
        struct pair pair = random_pair(t, names);
        unsigned flags = rng_below(t->rng, 3) ? 0 : (unsigned)rng_below(t->rng, 32);
        if (rng_below(t->rng, 10) < 6) {
            double score = pair.score;
            enum zset_added wanted = model_add(model, &pair, flags);
            enum zset_added added =
                zset_add(&model->zset, &limits, pair_member(&pair), flags, &score);
            expect_eq(added, wanted);
            if (added == ZSET_UPDATED || added == ZSET_NEW || added == ZSET_UNCHANGED) {
                expect_true(score == model->pairs[model_find(model, pair_member(&pair))].score);
            }
        } else if (rng_below(t->rng, 200)) {
            size_t at = model_find(model, pair_member(&pair));
            expect_eq(zset_remove(&model->zset, pair_member(&pair)), at < model->count);
            if (at < model->count) model_remove(model, at, 1);
        } else if (model->count) {
            struct zset_span span = {.first = (size_t)rng_below(t->rng, model->count)};
            span.count = (size_t)rng_below(t->rng, model->count - span.first + 1);
            struct zset *former;
            zset_remove_span(&model->zset, span, &former);
            if (former) zset_destroy(former);
            model_remove(model, span.first, span.count);
        }
        expect_same_member(model, &pair);
        expect_same_score_span(t, model);
        if (step % 64 == 0) {
            zset_verify(model->zset);
            expect_same_walks(t, model);
        }
    }
    struct zset *copy = zset_copy(model->zset);
    zset_destroy(model->zset);
    model->zset = copy;
    zset_verify(copy);
    expect_same_walks(t, model);
    zset_destroy(copy);
    mem_free(model);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(zset_agrees_with_a_plain_array_under_random_use) {
    run_random_steps(t, (struct zset_limits){1 << 20, 64}, 40);
    run_random_steps(t, (struct zset_limits){0, 0}, 40);
    run_random_steps(t, (struct zset_limits){0, 0}, 1500);
    run_random_steps(t, (struct zset_limits){128, 64}, 600);
}

static struct zset *set_of_letters(const struct zset_limits *limits) {
    struct zset *zset = zset_create(limits, 1, 0);
    for (char c = 'a'; c <= 'h'; c++) {
        double score = 0;
        expect_eq(zset_add(&zset, limits, bytes_make(&c, 1), 0, &score), ZSET_NEW);
    }
    return zset;
}

static void expect_lex_span(const struct zset *zset, struct zset_lex_range range, size_t first,
                            size_t count) {
    struct zset_span span = zset_span_of_lex(zset, &range);
    expect_eq(span.count, count);
    if (count) expect_eq(span.first, first);
}

TEST(zset_ranges_of_members_take_either_bound_in_or_out) {
    static const struct zset_limits forms[] = {{128, 64}, {0, 0}};
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        struct zset *zset = set_of_letters(&forms[i]);
        const struct zset_lex_bound lowest = {.kind = ZSET_LEX_LOWEST};
        const struct zset_lex_bound highest = {.kind = ZSET_LEX_HIGHEST};
        const struct zset_lex_bound c = {ZSET_LEX_BYTES, false, BYTES("c")};
        const struct zset_lex_bound after_c = {ZSET_LEX_BYTES, true, BYTES("c")};
        const struct zset_lex_bound f = {ZSET_LEX_BYTES, false, BYTES("f")};
        const struct zset_lex_bound before_f = {ZSET_LEX_BYTES, true, BYTES("f")};
        const struct zset_lex_bound cc = {ZSET_LEX_BYTES, false, BYTES("cc")};
        expect_lex_span(zset, (struct zset_lex_range){lowest, highest}, 0, 8);
        expect_lex_span(zset, (struct zset_lex_range){highest, lowest}, 0, 0);
        expect_lex_span(zset, (struct zset_lex_range){c, f}, 2, 4);
        expect_lex_span(zset, (struct zset_lex_range){after_c, before_f}, 3, 2);
        expect_lex_span(zset, (struct zset_lex_range){cc, highest}, 3, 5);
        expect_lex_span(zset, (struct zset_lex_range){lowest, cc}, 0, 3);
        expect_lex_span(zset, (struct zset_lex_range){f, c}, 0, 0);
        expect_lex_span(zset, (struct zset_lex_range){c, c}, 2, 1);
        expect_lex_span(zset, (struct zset_lex_range){after_c, after_c}, 0, 0);
        zset_destroy(zset);
    }
}

TEST(zset_becomes_a_table_past_either_limit_and_stays_one) {
    const struct zset_limits limits = {3, 4};
    double score = 1;
    struct zset *zset = zset_create(&limits, 3, 4);
    expect_not_null(zset_listpack(zset));
    expect_eq(zset_add(&zset, &limits, BYTES("a"), 0, &score), ZSET_NEW);
    expect_eq(zset_add(&zset, &limits, BYTES("b"), 0, &score), ZSET_NEW);
    expect_eq(zset_add(&zset, &limits, BYTES("long"), 0, &score), ZSET_NEW);
    expect_str_eq(zset_encoding_name(zset), "listpack");
    expect_eq(zset_add(&zset, &limits, BYTES("d"), 0, &score), ZSET_NEW);
    expect_str_eq(zset_encoding_name(zset), "skiplist");
    expect_null(zset_listpack(zset));
    expect_true(zset_remove(&zset, BYTES("d")));
    expect_str_eq(zset_encoding_name(zset), "skiplist");
    zset_destroy(zset);

    zset = zset_create(&limits, 1, 1);
    expect_eq(zset_add(&zset, &limits, BYTES("longer"), 0, &score), ZSET_NEW);
    expect_null(zset_listpack(zset));
    zset_destroy(zset);
    zset = zset_create(&limits, 4, 1);
    expect_null(zset_listpack(zset));
    zset_destroy(zset);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(zset_keeps_members_of_any_size) {
    const struct zset_limits limits = {0, 0};
    struct zset *zset = zset_create(&limits, 1, 1);
    static const size_t sizes[] = {0, 1, 254, 255, 256, 70000};
    char *bytes = mem_zalloc(70000);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        double score = (double)i;
        struct bytes member = bytes_make(bytes, sizes[i]);
        expect_eq(zset_add(&zset, &limits, member, 0, &score), ZSET_NEW);
    }
    zset_verify(zset);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        double score;
        expect_true(zset_score(zset, bytes_make(bytes, sizes[i]), &score));
        expect_true(score == (double)i);
    }
    expect_true(zset_memory_bytes(zset, 0) > 70000);
    expect_eq(zset_free_effort(zset), COUNT_OF(sizes));
    zset_destroy(zset);
    mem_free(bytes);
}

static struct listpack *listpack_of(const char *const *words) {
    struct listpack *lp = listpack_create(0);
    for (; *words; words++)
        listpack_append(&lp, bytes_of(*words));
    return lp;
}

TEST(zset_listpacks_from_outside_are_whole_ordered_and_without_doubles) {
    static const char *const good[] = {"b", "-inf", "a", "-0", "c", "0", "1", "1.5", "d", "inf", 0};
    static const char *const bad[][8] = {
        {"a", "1", "b"},
        {"a", "x"},
        {"a", "nan"},
        {"a", "2", "b", "1"},
        {"a", "1", "b", "1", "a", "2"},
        {"b", "1", "a", "1"},
        {"a", "1", "a", "1"},
        {"a", ""},
    };
    struct listpack *lp = listpack_of(good);
    expect_true(zset_listpack_is_valid(lp, listpack_size(lp)));
    expect_false(zset_listpack_is_valid(lp, listpack_size(lp) - 1));
    struct zset *zset = zset_of_listpack(lp, &(struct zset_limits){128, 64});
    zset_verify(zset);
    expect_eq(zset_count(zset), 5);
    zset_expect(&zset, &(struct zset_limits){4, 64}, 5, 1);
    expect_null(zset_listpack(zset));
    zset_verify(zset);
    expect_eq(zset_count(zset), 5);
    zset_destroy(zset);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        lp = listpack_of(bad[i]);
        expect_false(zset_listpack_is_valid(lp, listpack_size(lp)));
        listpack_destroy(&lp);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

struct scanned {
    size_t count;
    double sum;
};
TEST(zset_that_loses_nearly_all_members_is_handed_out_to_be_freed_elsewhere) {
    enum { MANY = 1000, KEPT = 20 };
    const struct zset_limits limits = {.entries = 1, .value_bytes = 64};
    for (size_t first = 0; first <= KEPT; first += KEPT / 2) {
        struct zset *zset = zset_create(&limits, MANY, 8), *former;
        for (int i = 0; i < MANY; i++) {
            char name[NAME_MAX_SIZE];
            double score = i;
            int size = snprintf(name, sizeof(name), "m%d", i);
            (void)zset_add(&zset, &limits, bytes_make(name, (size_t)size), 0, &score);
        }
        zset_remove_span(&zset, (struct zset_span){first, MANY - KEPT}, &former);
        expect_not_null(former);
        expect_eq(zset_count(former), MANY);
        expect_eq(zset_count(zset), KEPT);
        expect_str_eq(zset_encoding_name(zset), "skiplist");
        zset_verify(zset);
        struct zset_iter iter;
        struct zset_item item;
        zset_iter_init(&iter, zset, 0, false);
        for (size_t i = 0; i < KEPT; i++) {
            expect_true(zset_iter_next(&iter, &item));
            expect_true(item.score == (double)(i < first ? i : i + MANY - KEPT));
        }
        zset_destroy(former);
        zset_remove_span(&zset, (struct zset_span){0, KEPT / 2}, &former);
        expect_null(former);
        expect_eq(zset_count(zset), KEPT / 2);
        zset_destroy(zset);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

static void count_scanned(void *ctx, const struct zset_item *item) {
    struct scanned *scanned = ctx;
    scanned->count++;
    scanned->sum += item->score;
}

TEST(zset_scans_visit_every_member) {
    static const struct zset_limits forms[] = {{1000, 64}, {0, 0}};
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        struct zset *zset = zset_create(&forms[i], 1, 1);
        for (int k = 0; k < 500; k++) {
            char name[16];
            size_t size = (size_t)snprintf(name, sizeof(name), "m%d", k);
            double score = k;
            expect_eq(zset_add(&zset, &forms[i], bytes_make(name, size), 0, &score), ZSET_NEW);
        }
        struct scanned scanned = {0};
        uint64_t cursor = 0;
        do {
            cursor = zset_scan(zset, cursor, count_scanned, &scanned);
        } while (cursor);
        expect_eq(scanned.count, 500);
        expect_true(scanned.sum == 500 * 499 / 2);
        zset_destroy(zset);
    }
}

TEST_MAIN()
