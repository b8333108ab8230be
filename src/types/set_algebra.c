/* SPDX-License-Identifier: BSD-3-Clause */
/* Intersection, union and difference. Members are taken in windows and looked up in the other sets
 * window by window, so that the waits for memory overlap; nothing is copied unless the number of
 * sets makes it cheaper. */
#include "types/set_internal.h"

#include <stdlib.h>

enum {
    UNION_PROBE_MAX = 4, /* of more sets the union is built, not probed */
    PROBE_COST = 1,      /* of looking a member up, relative to ... */
    BUILD_COST = 3,      /* ... adding one to a table and taking it out again */
};

/* ---- windows over a walk ---- */

/* Loads the next members; their bits, 0 at the end. */
static uint32_t window_load(struct set_window *window, struct set_iter *iter) {
    window->count = 0;
    window->is_hashed = false;
    while (window->count < SET_WINDOW && set__iter_next(iter, &window->members[window->count]))
        window->count++;
    return (uint32_t)(BIT(window->count) - 1);
}

/* Gives the members of mask to fn; false if it does not want more. */
static bool window_give(const struct set_window *window, uint32_t mask, set_member_fn fn,
                        void *ctx) {
    for (; mask; mask &= mask - 1) {
        if (!fn(ctx, &window->members[__builtin_ctz(mask)])) return false;
    }
    return true;
}

/* Gives the members of the set that are in all (or, with `in` false, in none) of the others. */
static bool give_filtered(const struct set *set, const struct set *const *others, size_t count,
                          bool in, set_member_fn fn, void *ctx) {
    struct set_window window;
    struct set_iter iter;
    bool more = true;
    set__iter_init(&iter, set);
    for (uint32_t mask; more && (mask = window_load(&window, &iter)) != 0;) {
        for (size_t i = 0; i < count && mask; i++) {
            uint32_t found = set__window_find(&window, others[i], mask);
            mask = in ? found : mask & ~found;
        }
        more = window_give(&window, mask, fn, ctx);
    }
    set__iter_deinit(&iter);
    return more;
}

static int compare_counts(const void *a, const void *b) {
    size_t x = set_count(*(const struct set *const *)a);
    size_t y = set_count(*(const struct set *const *)b);
    return (x > y) - (x < y);
}
static int compare_counts_down(const void *a, const void *b) { return compare_counts(b, a); }

/* ---- the operations ---- */

void set_intersect(const struct set **sets, size_t count, set_member_fn fn, void *ctx) {
    check(count >= 1);
    qsort(sets, count, sizeof(struct set *), compare_counts);
    (void)give_filtered(sets[0], sets + 1, count - 1, true, fn, ctx);
}

static bool collect(void *ctx, const struct set_member *member) {
    static const struct set_limits no_packing = {0};
    struct set **into = ctx;
    (void)set_add_member(into, member, &no_packing);
    return true;
}

void set_unite(const struct set *const *sets, size_t count, set_member_fn fn, void *ctx) {
    check(count >= 1);
    if (count <= UNION_PROBE_MAX) {
        /* A member is given with the first set that has it. */
        for (size_t i = 0; i < count; i++) {
            if (!give_filtered(sets[i], sets, i, false, fn, ctx)) return;
        }
        return;
    }
    struct set *all = set_create_table(0);
    for (size_t i = 0; i < count; i++)
        set_each(sets[i], collect, &all);
    set_each(all, fn, ctx);
    set_destroy(all);
}

/* ---- difference ---- */

/* Borrows the members of a table. */
static struct hashtab *borrow_members(const struct set *set) {
    static const struct hashtab_type borrowed = {.key = set_item_bytes, .hash = set__item_hash};
    struct hashtab *from = set_tab(set), *tab = hashtab_create(&borrowed);
    hashtab_expand_hint(tab, hashtab_count(from));
    struct hashtab_iter iter;
    hashtab_iter_init(&iter, from);
    for (void *item; (item = hashtab_iter_next(&iter));)
        hashtab_add_new(tab, set__item_hash(item), item);
    hashtab_iter_deinit(&iter);
    return tab;
}

static void strike_out(struct hashtab *tab, const struct set *set) {
    struct set_window window;
    struct set_iter iter;
    set__iter_init(&iter, set);
    while (hashtab_count(tab) > 0 && window_load(&window, &iter)) {
        set__window_hash(&window);
        for (unsigned i = 0; i < window.count; i++)
            hashtab_prefetch_bucket_inline(tab, window.hashes[i]);
        for (unsigned i = 0; i < window.count; i++)
            hashtab_prefetch_entry_inline(tab, window.hashes[i]);
        for (unsigned i = 0; i < window.count; i++)
            (void)hashtab_take_with(tab, window.hashes[i], window.texts[i], set_item_equals);
    }
    set__iter_deinit(&iter);
}

static void give_items(struct hashtab *tab, set_member_fn fn, void *ctx) {
    struct hashtab_iter iter;
    hashtab_iter_init(&iter, tab);
    for (const void *item; (item = hashtab_iter_next(&iter));) {
        struct set_member member = set_member_of_item(item);
        if (!fn(ctx, &member)) break;
    }
    hashtab_iter_deinit(&iter);
}

/* Whether it is cheaper to strike the others' members out of the first set's than to look each of
 * the first set's members up in the others. */
static bool striking_is_cheaper(const struct set *const *sets, size_t count) {
    if (set_form_of(sets[0]) != SET_TABLE) return false; /* it has few members, then */
    double all = 0;
    for (size_t i = 1; i < count; i++)
        all += (double)set_count(sets[i]);
    double first = (double)set_count(sets[0]);
    return first * BUILD_COST + all * PROBE_COST < first * (double)(count - 1) * PROBE_COST;
}

void set_subtract(const struct set **sets, size_t count, set_member_fn fn, void *ctx) {
    check(count >= 1);
    if (striking_is_cheaper(sets, count)) {
        struct hashtab *left = borrow_members(sets[0]);
        for (size_t i = 1; i < count; i++)
            strike_out(left, sets[i]);
        give_items(left, fn, ctx);
        hashtab_destroy(&left);
        return;
    }
    /* The largest first: it is the likeliest to have a member, and one that does is enough. */
    qsort(sets + 1, count - 1, sizeof(struct set *), compare_counts_down);
    (void)give_filtered(sets[0], sets + 1, count - 1, false, fn, ctx);
}
