/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of all forms against a bit for each possible member; chance against its mean. */
#include "types/set.h"

#include "base/buf.h"
#include "ds/intset.h"
#include "ds/listpack.h"
#include "tests/unit/test.h"

enum { IDS = 400, TEXT_MAX = 400 };

static const struct set_limits usual = {
    .intset_entries = 512, .listpack_entries = 128, .listpack_value = 64};
static const struct set_limits tables_only = {0};

/* Which text an id stands for: an integer, a text like one, or bytes of many lengths. */
static struct bytes text_of(unsigned id, char out[TEXT_MAX]) {
    size_t size;
    if (id % 4 < 2) {
        int64_t value = (int64_t)id * (id % 8 < 4 ? 1 : 100003) * (id % 16 < 8 ? 1 : -1000000007);
        return bytes_make(out, num_format_i64(out, value));
    }
    if (id % 4 == 2) {
        size = (size_t)snprintf(out, TEXT_MAX, "0%u", id);
        return bytes_make(out, size);
    }
    size = (size_t)snprintf(out, TEXT_MAX, "%u", id);
    size_t wanted = id % 5 == 0 ? 250 + id % 12 : size_max(size, id % 71);
    memset(out + size, 'x', wanted - size);
    return bytes_make(out, wanted);
}

static unsigned id_of(const struct set_member *member) {
    char scratch[NUM_I64_TEXT_MAX], text[TEXT_MAX];
    struct bytes bytes = set_member_bytes(member, scratch);
    for (unsigned id = 0; id < IDS; id++) {
        if (bytes_equal(text_of(id, text), bytes)) return id;
    }
    return IDS;
}

struct model {
    bool has[IDS];
};

static size_t model_count(const struct model *model) {
    size_t count = 0;
    for (unsigned id = 0; id < IDS; id++)
        count += model->has[id];
    return count;
}

/* What a walk has given, each at most once. */
static bool note(void *ctx, const struct set_member *member) {
    struct model *seen = ctx;
    unsigned id = id_of(member);
    expect_true(id < IDS);
    expect_false(seen->has[id]);
    seen->has[id] = true;
    return true;
}

static bool note_again(void *ctx, const struct set_member *member) {
    struct model *seen = ctx;
    unsigned id = id_of(member);
    expect_true(id < IDS);
    seen->has[id] = true;
    return true;
}

static void expect_same_models(const struct model *a, const struct model *b) {
    for (unsigned id = 0; id < IDS; id++)
        expect_eq(a->has[id], b->has[id]);
}

static void expect_same(struct set *set, const struct model *model) {
    struct model walked = {0}, scanned = {0};
    char text[TEXT_MAX];
    set_verify(set, NULL);
    expect_eq(set_count(set), model_count(model));
    for (unsigned id = 0; id < IDS; id++)
        expect_eq(set_has(set, text_of(id, text)), model->has[id]);
    set_each(set, note, &walked);
    expect_same_models(&walked, model);
    uint64_t cursor = 0;
    do {
        cursor = set_scan(set, cursor, note_again, &scanned);
    } while (cursor != 0);
    expect_same_models(&scanned, model);
}

/* One to many members, added or removed. */
static void change(struct test *t, struct set **set, struct model *model, unsigned ids, bool adds,
                   const struct set_limits *limits) {
    char texts[40][TEXT_MAX];
    struct bytes members[40];
    size_t count = rng_below(t->rng, 4) ? 1 : 1 + rng_below(t->rng, 40), expected = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned id = (unsigned)rng_below(t->rng, ids);
        if (rng_below(t->rng, 3) && ids > 8) id &= ~3u; /* integers, mostly */
        members[i] = text_of(id, texts[i]);
        expected += model->has[id] != adds;
        model->has[id] = adds;
    }
    if (adds) {
        expect_eq(set_add_many(set, members, count, limits), expected);
    } else {
        expect_eq(set_remove_many(set, members, count), expected);
    }
}

TEST(set_agrees_with_a_bit_for_each_member_under_random_use) {
    static const struct set_limits all[] = {
        {512, 128, 64}, {0, 0, 0}, {10, 20, 64}, {1000, 1000, 1000}, {5, 3, 8}};
    unsigned met[3] = {0};
    for (int round = 0; round < 60; round++) {
        const struct set_limits *limits = &all[rng_below(t->rng, COUNT_OF(all))];
        struct model model = {0};
        char text[TEXT_MAX];
        unsigned ids = (unsigned)(1 + rng_below(t->rng, round % 3 ? 40 : IDS));
        struct set *set = set_create(text_of(0, text), 1, limits);
        for (int step = 0; step < 300; step++) {
            bool adds = rng_below(t->rng, 100) < (step % 150 < 75 ? 75u : 30u);
            change(t, &set, &model, ids, adds, limits);
            if (step % 29 == 0) expect_same(set, &model);
            met[set_form_of(set)]++;
        }
        expect_same(set, &model);
        struct set *copy = set_copy(set);
        expect_eq(set_form_of(copy), set_form_of(set));
        set_destroy(set);
        expect_same(copy, &model);
        expect_true(set_memory_bytes(copy, 0) > 0);
        expect_true(set_memory_bytes(copy, 3) > 0);
        set_destroy(copy);
    }
    for (size_t form = 0; form < COUNT_OF(met); form++)
        expect_true(met[form] > 100);
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* ---- forms ---- */

static struct set *set_with(const char *const *members, size_t count,
                            const struct set_limits *limits) {
    struct set *set = set_create(bytes_of(members[0]), count, limits);
    for (size_t i = 0; i < count; i++)
        (void)set_add(&set, bytes_of(members[i]), limits);
    return set;
}
#define SET_WITH(limits, ...)                                                                    \
    set_with((const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__})), \
             (limits))

static void expect_encoding(struct set *set, const char *name) {
    set_verify(set, NULL);
    expect_str_eq(set_encoding_name(set), name);
    set_destroy(set);
}

TEST(forms_follow_the_limits) {
    const struct set_limits few = {.intset_entries = 4, .listpack_entries = 3, .listpack_value = 5};
    expect_encoding(SET_WITH(&usual, "1", "2"), "intset");
    expect_encoding(SET_WITH(&usual, "1", "02"), "listpack");
    expect_encoding(SET_WITH(&usual, "1", "9223372036854775808"), "listpack");
    expect_encoding(SET_WITH(&usual, "a", "1"), "listpack");
    expect_encoding(SET_WITH(&few, "1", "2", "3", "4"), "intset");
    expect_encoding(SET_WITH(&few, "1", "2", "3", "4", "4"), "hashtable");
    expect_encoding(SET_WITH(&few, "1", "2", "abcde"), "listpack");
    expect_encoding(SET_WITH(&few, "1", "2", "abcdef"), "hashtable");
    expect_encoding(SET_WITH(&few, "1", "123456", "a"), "hashtable");
    expect_encoding(SET_WITH(&few, "a", "b", "c"), "listpack");
    expect_encoding(SET_WITH(&few, "a", "b", "c", "c"), "hashtable");
    expect_encoding(SET_WITH(&tables_only, "1"), "hashtable");
    struct set *set = SET_WITH(&few, "1", "2", "3", "4");
    expect_true(set_add(&set, BYTES("5"), &few));
    expect_encoding(set, "hashtable");
}

TEST(loaded_forms_are_held_to_the_limits) {
    const struct set_limits few = {.intset_entries = 4, .listpack_entries = 3, .listpack_value = 5};
    struct intset *ints = intset_create();
    for (int64_t i = 0; i < 5; i++)
        (void)intset_add(&ints, i);
    struct set *set = set_from_intset(intset_copy(ints));
    set_apply_limits(&set, &usual);
    expect_encoding(set, "intset");
    set = set_from_intset(ints);
    set_apply_limits(&set, &few);
    expect_eq(set_count(set), 5);
    expect_encoding(set, "hashtable");
    struct listpack *lp = listpack_create(0);
    listpack_append(&lp, BYTES("abcde"));
    set = set_from_listpack(listpack_copy(lp));
    set_apply_limits(&set, &few);
    expect_encoding(set, "listpack");
    listpack_append(&lp, BYTES("abcdef"));
    set = set_from_listpack(lp);
    set_apply_limits(&set, &few);
    expect_true(set_has(set, BYTES("abcdef")));
    expect_encoding(set, "hashtable");
}

static void expect_needs_table(struct set *set, bool needs) {
    const struct set_limits few = {.intset_entries = 4, .listpack_entries = 3, .listpack_value = 5};
    expect_eq(set_needs_table(set, &few), needs);
    set_make_table(&set);
    expect_eq(set_needs_table(set, &few), needs);
    expect_encoding(set, "hashtable");
}

TEST(members_need_a_table_or_not_whatever_form_they_are_in) {
    expect_needs_table(SET_WITH(&usual, "1", "2", "3", "4"), false);
    expect_needs_table(SET_WITH(&usual, "1", "2", "3", "4", "5"), true);
    expect_needs_table(SET_WITH(&usual, "1", "2", "3", "x"), true);
    expect_needs_table(SET_WITH(&usual, "1", "2", "x"), false);
    expect_needs_table(SET_WITH(&usual, "a", "b", "c"), false);
    expect_needs_table(SET_WITH(&usual, "a", "b", "c", "d"), true);
    expect_needs_table(SET_WITH(&usual, "a", "abcdef"), true);
    expect_needs_table(SET_WITH(&usual, "123456", "1234567"), false);
}

TEST(members_of_all_sizes_are_kept_in_a_table) {
    static const size_t sizes[] = {0, 1, 15, 16, 31, 254, 255, 256, 70000};
    static char text[70000];
    memset(text, 'q', sizeof(text));
    struct set *set = set_create_table(COUNT_OF(sizes));
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < COUNT_OF(sizes); i++)
            expect_eq(set_add(&set, bytes_make(text, sizes[i]), &usual), pass == 0);
    }
    expect_eq(set_free_effort(set), COUNT_OF(sizes));
    struct buf stats = {0};
    expect_true(set_table_stats(set, true, &stats));
    expect_true(stats.size > 0);
    buf_deinit(&stats);
    set_verify(set, &tables_only);
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        expect_true(set_remove(&set, bytes_make(text, sizes[i])));
    expect_eq(set_count(set), 0);
    set_destroy(set);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(looking_many_up_is_looking_each_up) {
    char texts[IDS][TEXT_MAX];
    struct bytes members[IDS];
    bool found[IDS];
    for (unsigned i = 0; i < IDS; i++)
        members[i] = text_of(i, texts[i]);
    static const struct set_limits *const limits[] = {&usual, &tables_only};
    for (size_t form = 0; form < COUNT_OF(limits); form++) {
        struct set *set = set_create(members[1], 1, limits[form]);
        for (unsigned i = 0; i < IDS; i += 7)
            (void)set_add(&set, members[i], limits[form]);
        uint64_t hash = 0;
        set_prefetch(set, members[3], 0, &hash);
        set_prefetch(set, members[3], 1, &hash);
        set_has_many(set, members, IDS, found);
        for (unsigned i = 0; i < IDS; i++)
            expect_eq(found[i], i % 7 == 0);
        set_destroy(set);
    }
}

/* ---- algebra ---- */

enum { FAMILY_MAX = 8 };

struct family {
    struct set *sets[FAMILY_MAX];
    struct model models[FAMILY_MAX];
    size_t count;
};

static void family_make(struct test *t, struct family *family) {
    static const struct set_limits limits[] = {{512, 128, 64}, {0, 0, 0}, {1000, 1000, 1000}};
    *family = (struct family){.count = 1 + rng_below(t->rng, FAMILY_MAX)};
    for (size_t i = 0; i < family->count; i++) {
        const struct set_limits *own = &limits[rng_below(t->rng, COUNT_OF(limits))];
        unsigned ids = (unsigned)(1 + rng_below(t->rng, rng_below(t->rng, 2) ? IDS : 30));
        unsigned mask = rng_below(t->rng, 3) ? ~0u : ~3u;
        size_t members = rng_below(t->rng, 2 * ids);
        char text[TEXT_MAX];
        family->sets[i] = set_create(text_of((unsigned)rng_below(t->rng, 4), text), 1, own);
        for (size_t j = 0; j < members; j++) {
            unsigned id = (unsigned)rng_below(t->rng, ids) & mask;
            family->models[i].has[id] = true;
            (void)set_add(&family->sets[i], text_of(id, text), own);
        }
    }
}

static void family_free(struct family *family) {
    for (size_t i = 0; i < family->count; i++)
        set_destroy(family->sets[i]);
}

static struct model naive(const struct family *family, char operation) {
    struct model out = family->models[0];
    for (size_t i = 1; i < family->count; i++) {
        for (unsigned id = 0; id < IDS; id++) {
            bool other = family->models[i].has[id];
            if (operation == '&') out.has[id] = out.has[id] && other;
            if (operation == '|') out.has[id] = out.has[id] || other;
            if (operation == '-') out.has[id] = out.has[id] && !other;
        }
    }
    return out;
}

TEST(algebra_agrees_with_bit_by_bit) {
    for (int round = 0; round < 300; round++) {
        struct family family;
        family_make(t, &family);
        const struct set *sets[FAMILY_MAX];
        static const char operations[] = {'&', '|', '-'};
        for (size_t i = 0; i < COUNT_OF(operations); i++) {
            struct model expected = naive(&family, operations[i]), got = {0};
            for (size_t j = 0; j < family.count; j++)
                sets[j] = family.sets[j];
            if (operations[i] == '&') set_intersect(sets, family.count, note, &got);
            if (operations[i] == '|') set_unite(sets, family.count, note, &got);
            if (operations[i] == '-') set_subtract(sets, family.count, note, &got);
            expect_same_models(&got, &expected);
        }
        family_free(&family);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

static struct set *set_of_range(int64_t from, int64_t to) {
    struct set *set = set_create_table(0);
    for (int64_t i = from; i < to; i++) {
        struct set_member member = {.integer = i};
        (void)set_add_member(&set, &member, &tables_only);
    }
    return set;
}

struct sum {
    size_t count, limit;
    int64_t sum;
};
static bool sum_up(void *ctx, const struct set_member *member) {
    struct sum *sum = ctx;
    char scratch[NUM_I64_TEXT_MAX];
    int64_t value;
    expect_true(num_parse_i64(set_member_bytes(member, scratch), &value));
    sum->sum += value;
    return ++sum->count != sum->limit;
}

TEST(a_large_first_set_loses_the_members_of_many_small_ones) {
    const struct set *sets[12];
    struct sum sum = {0};
    sets[0] = set_of_range(0, 5000);
    for (int64_t i = 1; i < 12; i++)
        sets[i] = set_of_range(i * 100, i * 100 + 50);
    set_subtract(sets, COUNT_OF(sets), sum_up, &sum);
    expect_eq(sum.count, 5000 - 11 * 50);
    int64_t expected = (int64_t)4999 * 5000 / 2;
    for (int64_t i = 1; i < 12; i++)
        expected -= 50 * (i * 100) + 49 * 50 / 2;
    expect_eq(sum.sum, expected);
    for (size_t i = 0; i < COUNT_OF(sets); i++)
        set_destroy((void *)(uintptr_t)sets[i]);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(algebra_stops_when_it_is_told_to) {
    struct set *a = set_of_range(0, 100), *b = set_of_range(50, 150);
    const struct set *sets[] = {a, b};
    struct sum sum = {.limit = 7};
    set_intersect(sets, 2, sum_up, &sum);
    expect_eq(sum.count, 7);
    sum = (struct sum){.limit = 103};
    set_unite(sets, 2, sum_up, &sum);
    expect_eq(sum.count, 103);
    sum = (struct sum){.limit = 1};
    set_subtract(sets, 2, sum_up, &sum);
    expect_eq(sum.count, 1);
    set_destroy(a);
    set_destroy(b);
}

/* ---- chance ---- */

struct tally {
    unsigned counts[IDS];
    size_t total;
};
static bool tally_up(void *ctx, const struct set_member *member) {
    struct tally *tally = ctx;
    unsigned id = id_of(member);
    expect_true(id < IDS);
    tally->counts[id]++;
    tally->total++;
    return true;
}

/* Every member near its share: six times the deviation of a binomial. */
static void expect_fair(const struct tally *tally, unsigned members) {
    double mean = (double)tally->total / members, slack = 6 * sqrt(mean);
    for (unsigned id = 0; id < members; id++)
        expect_double_near(tally->counts[id], mean, slack);
    for (unsigned id = members; id < IDS; id++)
        expect_eq(tally->counts[id], 0);
}

enum { FAIR_MEMBERS = 40, FAIR_DRAWS = 40000 };
static const struct set_limits *const fair_limits[] = {&usual, &tables_only};

static struct set *set_of_ids(unsigned count, const struct set_limits *limits) {
    char text[TEXT_MAX];
    struct set *set = set_create(BYTES("x"), 1, limits);
    for (unsigned id = 0; id < count; id++)
        (void)set_add(&set, text_of(id, text), limits);
    return set;
}

TEST(each_member_is_drawn_as_often_as_any_other) {
    for (size_t i = 0; i < COUNT_OF(fair_limits); i++) {
        struct set *set = set_of_ids(FAIR_MEMBERS, fair_limits[i]);
        struct tally single = {0}, repeating = {0};
        for (int draw = 0; draw < FAIR_DRAWS; draw++) {
            struct set_member member;
            set_random(set, t->rng, &member);
            (void)tally_up(&single, &member);
        }
        expect_fair(&single, FAIR_MEMBERS);
        set_random_repeating(set, t->rng, FAIR_DRAWS, tally_up, &repeating);
        expect_eq(repeating.total, FAIR_DRAWS);
        expect_fair(&repeating, FAIR_MEMBERS);
        set_destroy(set);
    }
}

TEST(different_members_are_chosen_fairly) {
    for (size_t i = 0; i < COUNT_OF(fair_limits); i++) {
        struct set *set = set_of_ids(FAIR_MEMBERS, fair_limits[i]);
        for (size_t wanted = 1; wanted < FAIR_MEMBERS; wanted += 12) {
            struct tally tally = {0};
            for (int round = 0; round < 3000; round++) {
                struct model seen = {0};
                set_random_distinct(set, t->rng, wanted, note, &seen);
                expect_eq(model_count(&seen), wanted);
                for (unsigned id = 0; id < IDS; id++)
                    tally.counts[id] += seen.has[id];
                tally.total += wanted;
            }
            expect_fair(&tally, FAIR_MEMBERS);
        }
        struct model all = {0};
        set_random_distinct(set, t->rng, FAIR_MEMBERS + 1, note, &all);
        expect_eq(model_count(&all), FAIR_MEMBERS);
        set_destroy(set);
    }
}

TEST(popped_members_are_fairly_chosen_and_gone) {
    static const size_t wanted[] = {1, 2, 5, 30, FAIR_MEMBERS - 1};
    for (size_t i = 0; i < COUNT_OF(fair_limits); i++) {
        struct set *full = set_of_ids(FAIR_MEMBERS, fair_limits[i]);
        for (size_t w = 0; w < COUNT_OF(wanted); w++) {
            struct tally tally = {0};
            for (int round = 0; round < 2000; round++) {
                struct set *set = set_copy(full);
                struct model popped = {0}, rest = {0};
                set_pop(&set, t->rng, wanted[w], note, &popped);
                set_each(set, note, &rest);
                expect_eq(set_count(set), FAIR_MEMBERS - wanted[w]);
                for (unsigned id = 0; id < FAIR_MEMBERS; id++) {
                    expect_ne(popped.has[id], rest.has[id]);
                    tally.counts[id] += popped.has[id];
                }
                tally.total += wanted[w];
                if (round % 100 == 0) set_verify(set, NULL);
                set_destroy(set);
            }
            expect_fair(&tally, FAIR_MEMBERS);
        }
        set_destroy(full);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(an_intset_loses_members_by_chance) {
    for (size_t wanted = 1; wanted < 300; wanted += 37) {
        struct set *set = set_create(BYTES("1"), 300, &usual);
        for (int64_t i = 0; i < 300; i++) {
            struct set_member member = {.integer = i};
            expect_true(set_add_member(&set, &member, &usual));
        }
        expect_eq(set_form_of(set), SET_INTSET);
        struct sum popped = {0}, rest = {0}, drawn = {0};
        set_random_distinct(set, t->rng, wanted, sum_up, &drawn);
        expect_eq(drawn.count, wanted);
        set_pop(&set, t->rng, wanted, sum_up, &popped);
        set_each(set, sum_up, &rest);
        expect_eq(popped.count, wanted);
        expect_eq(rest.count, 300 - wanted);
        expect_eq(popped.sum + rest.sum, 299 * 300 / 2);
        set_verify(set, &usual);
        set_destroy(set);
    }
}

TEST(a_large_table_gives_few_and_many) {
    struct set *set = set_of_range(0, 20000);
    struct sum few = {0};
    set_random_distinct(set, t->rng, 500, sum_up, &few);
    expect_eq(few.count, 500);
    size_t full_bytes = set_memory_bytes(set, 10);
    for (size_t wanted = 10; wanted < 19000; wanted *= 3) {
        struct sum popped = {0};
        size_t before = set_count(set);
        if (wanted >= before) break;
        set_pop(&set, t->rng, wanted, sum_up, &popped);
        expect_eq(popped.count, wanted);
        expect_eq(set_count(set), before - wanted);
        set_verify(set, &tables_only);
    }
    struct sum popped = {0};
    set_pop(&set, t->rng, set_count(set) - 5, sum_up, &popped);
    set_verify(set, &tables_only);
    expect_true(set_memory_bytes(set, 10) < full_bytes / 20);
    set_destroy(set);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
