/* SPDX-License-Identifier: BSD-3-Clause */
/* Members by chance. When a good part of a set is wanted, one walk over it chooses (selection
 * sampling, Knuth's algorithm S): fair, and without memory for what was chosen. When few members of
 * a table are wanted, they are drawn one by one, and a member that was drawn already is drawn
 * again. */
#include "base/random.h"
#include "ds/drawn.h"
#include "types/set_internal.h"

enum { SPARSE_RATIO = 16 }; /* a draw costs about as much as walking past so many members */

/* ---- selection ---- */

struct selection { /* of `wanted` among the `left` that have not been seen */
    struct rng *rng;
    size_t wanted, left;
};

static bool selection_takes(struct selection *selection) {
    check(selection->left > 0);
    bool takes = rng_below(selection->rng, selection->left) < selection->wanted;
    selection->left--;
    selection->wanted -= takes;
    return takes;
}

/* ---- one member ---- */

void set_random(const struct set *set, struct rng *rng, struct set_member *out) {
    size_t count = set_count(set);
    check(count > 0);
    switch (set_form_of(set)) {
    case SET_INTSET:
        *out = set_member_of_int(intset_at(set_ints(set), (size_t)rng_below(rng, count)));
        break;
    case SET_LISTPACK: {
        size_t at = listpack_seek(set_lp(set), (int64_t)rng_below(rng, count));
        *out = set_member_of_element(set_lp(set), at);
        break;
    }
    default: *out = set_member_of_item(hashtab_random(set_tab(set), rng)); break;
    }
}

/* ---- members that may repeat ---- */

/* Offsets first, so that a draw does not walk. */
static void listpack_repeating(const struct listpack *lp, struct rng *rng, uint64_t count,
                               set_member_fn fn, void *ctx) {
    size_t size = listpack_count(lp), filled = 0;
    size_t *places = mem_alloc_array(size, sizeof(*places));
    for (size_t at = listpack_first(lp); at != LISTPACK_END; at = listpack_next(lp, at))
        places[filled++] = at;
    check(filled == size);
    for (uint64_t i = 0; i < count; i++) {
        struct set_member member = set_member_of_element(lp, places[rng_below(rng, size)]);
        if (!fn(ctx, &member)) break;
    }
    mem_free(places);
}

void set_random_repeating(const struct set *set, struct rng *rng, uint64_t count, set_member_fn fn,
                          void *ctx) {
    if (set_form_of(set) == SET_LISTPACK && count > 2) {
        listpack_repeating(set_lp(set), rng, count, fn, ctx);
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        struct set_member member;
        set_random(set, rng, &member);
        if (!fn(ctx, &member)) return;
    }
}

/* ---- different members ---- */

static void table_distinct(const struct hashtab *tab, struct rng *rng, size_t count,
                           set_member_fn fn, void *ctx) {
    struct drawn drawn;
    drawn_init(&drawn, count);
    for (size_t found = 0; found < count;) { /* a draw is new with a chance of 15/16 or more */
        const void *item = hashtab_random(tab, rng);
        if (!drawn_add(&drawn, (uintptr_t)item)) continue;
        struct set_member member = set_member_of_item(item);
        (void)fn(ctx, &member);
        found++;
    }
    drawn_deinit(&drawn);
}

static bool is_sparse(const struct set *set, size_t wanted) {
    return set_form_of(set) == SET_TABLE && wanted < set_count(set) / SPARSE_RATIO;
}

void set_random_distinct(const struct set *set, struct rng *rng, size_t count, set_member_fn fn,
                         void *ctx) {
    if (is_sparse(set, count)) {
        table_distinct(set_tab(set), rng, count, fn, ctx);
        return;
    }
    size_t size = set_count(set);
    struct selection selection = {.rng = rng, .wanted = size_min(count, size), .left = size};
    struct set_iter iter;
    struct set_member member;
    set__iter_init(&iter, set);
    while (selection.wanted > 0 && set__iter_next(&iter, &member)) {
        if (selection_takes(&selection)) (void)fn(ctx, &member);
    }
    set__iter_deinit(&iter);
}

/* ---- removing ---- */

struct pop {
    struct selection selection;
    set_member_fn fn;
    void *ctx;
};

static bool pop_keeps_int(void *ctx, int64_t value) {
    struct pop *pop = ctx;
    if (!selection_takes(&pop->selection)) return true;
    struct set_member member = set_member_of_int(value);
    (void)pop->fn(pop->ctx, &member);
    return false;
}

/* The elements that stay are copied in runs. */
static struct listpack *pop_from_listpack(const struct listpack *lp, struct pop *pop) {
    struct listpack *rest = listpack_create(0);
    size_t run = LISTPACK_END;
    for (size_t at = listpack_first(lp); at != LISTPACK_END; at = listpack_next(lp, at)) {
        if (!selection_takes(&pop->selection)) {
            if (run == LISTPACK_END) run = at;
            continue;
        }
        struct set_member member = set_member_of_element(lp, at);
        (void)pop->fn(pop->ctx, &member);
        if (run != LISTPACK_END) listpack_append_range(&rest, lp, run, at);
        run = LISTPACK_END;
    }
    if (run != LISTPACK_END) listpack_append_range(&rest, lp, run, LISTPACK_END);
    return rest;
}

static void take_item(struct hashtab *tab, void *item, const struct pop *pop) {
    struct set_member member = set_member_of_item(item);
    (void)pop->fn(pop->ctx, &member);
    hashtab_take_entry(tab, hash_bytes(set_item_bytes(item)), item);
    mem_free(item);
}

static void pop_by_walk(struct hashtab *tab, struct pop *pop) {
    struct hashtab_iter iter;
    hashtab_iter_init(&iter, tab);
    for (void *item; pop->selection.wanted > 0 && (item = hashtab_iter_next(&iter));) {
        if (selection_takes(&pop->selection)) take_item(tab, item, pop);
    }
    hashtab_iter_deinit(&iter);
    while (hashtab_step(tab, SIZE_MAX)) { /* the walk did not let it shrink */
    }
}

static void pop_by_draw(struct hashtab *tab, struct pop *pop) {
    for (size_t i = 0; i < pop->selection.wanted; i++)
        take_item(tab, hashtab_random(tab, pop->selection.rng), pop);
}

/* A single member of a packed set, without a walk over all of it. */
static void pop_one_packed(struct set **set, const struct pop *pop) {
    struct set_member member;
    set_random(*set, pop->selection.rng, &member);
    (void)pop->fn(pop->ctx, &member);
    if (set_form_of(*set) == SET_INTSET) {
        struct intset *ints = set_ints(*set);
        (void)intset_remove(&ints, member.integer);
        *set = set_from_intset(ints);
        return;
    }
    char scratch[NUM_I64_TEXT_MAX];
    (void)set_remove(set, set_member_bytes(&member, scratch));
}

void set_pop(struct set **set, struct rng *rng, size_t count, set_member_fn fn, void *ctx) {
    size_t size = set_count(*set);
    check(count < size || count == 0);
    struct pop pop = {
        .selection = {.rng = rng, .wanted = count, .left = size}, .fn = fn, .ctx = ctx};
    if (set_form_of(*set) == SET_TABLE) {
        if (is_sparse(*set, count)) {
            pop_by_draw(set_tab(*set), &pop);
        } else {
            pop_by_walk(set_tab(*set), &pop);
        }
    } else if (count == 1) {
        pop_one_packed(set, &pop);
    } else if (set_form_of(*set) == SET_INTSET) {
        struct intset *ints = set_ints(*set);
        intset_filter(&ints, pop_keeps_int, &pop);
        *set = set_from_intset(ints);
    } else {
        struct listpack *old = set_lp(*set);
        *set = set_from_listpack(pop_from_listpack(old, &pop));
        listpack_destroy(&old);
    }
}
