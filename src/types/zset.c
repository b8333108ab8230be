/* SPDX-License-Identifier: BSD-3-Clause */
/* Sorted sets as a whole: their life, what changes them, and what the keyspace asks of them. The
 * forms are in zset_packed.c and zset_table.c, ranges and walks in zset_range.c.
 *
 * Invariants (zset_verify):
 * 1. Members are different; the order is strict; no score is NaN.
 * 2. A table's tree and its hash table hold the same elements.
 * 3. A listpack holds pairs. */
#include "types/zset.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"
#include "types/zset_internal.h"

enum {
    PAIR_COST_MAX = 64,     /* bytes of a score in a listpack, and more */
    MEMBER_SIZE_GUESS = 16, /* for the room of a new listpack */
    MEMORY_WINDOW = 64,
    COPY_SPAN_MIN = 64, /* of fewer members, a removal is cheap */
    COPY_RATIO = 4,     /* copying a member costs less than removing so many */
};

/* ---- life ---- */

static bool fits_listpack(const struct zset_limits *limits, size_t count, size_t longest) {
    return count <= (size_t)i64_max(limits->entries, 0) &&
           longest <= (size_t)i64_max(limits->value_bytes, 0);
}

struct zset *zset_create(const struct zset_limits *limits, size_t count, size_t longest) {
    if (limits->entries > 0 && fits_listpack(limits, count, longest)) {
        return zset_from_listpack(listpack_create(count * (MEMBER_SIZE_GUESS + 4)));
    }
    return zset_from_table(zset__table_create(0));
}

struct zset *zset_create_table(void) {
    return zset_from_table(zset__table_create(0));
}

void zset_destroy(void *object) {
    struct zset *zset = object;
    if (zset_is_table(zset)) {
        zset__table_destroy(zset_as_table(zset));
    } else {
        struct listpack *lp = zset_as_listpack(zset);
        listpack_destroy(&lp);
    }
}

/* Puts an element that is behind all others into the table. */
static void append(struct zset_table *table, const struct zset_item *item) {
    struct zset_element *element = zset__element_create(item->member, item->score);
    hashtab_add_new(table->members, hash_bytes(item->member), element);
    btree_add(&table->tree, element);
}

static struct zset_table *table_of(const struct zset *zset) {
    struct zset_table *table = zset__table_create(zset_count(zset));
    struct zset_iter iter;
    struct zset_item item;
    zset_iter_init(&iter, zset, 0, false);
    while (zset_iter_next(&iter, &item))
        append(table, &item);
    hashtab_expand_hint(table->members, 0);
    return table;
}

void *zset_copy(const void *object) {
    const struct zset *zset = object;
    if (zset_is_table(zset)) return zset_from_table(table_of(zset));
    return zset_from_listpack(listpack_copy(zset_as_listpack(zset)));
}

static void become_table(struct zset **zset) {
    struct zset_table *table = table_of(*zset);
    zset_destroy(*zset);
    *zset = zset_from_table(table);
}

struct zset *zset_of_listpack(struct listpack *lp, const struct zset_limits *limits) {
    struct zset *zset = zset_from_listpack(lp);
    size_t longest = 0;
    struct zset_iter iter;
    struct zset_item item;
    zset_iter_init(&iter, zset, 0, false);
    while (zset_iter_next(&iter, &item))
        longest = size_max(longest, item.member.size);
    zset_expect(&zset, limits, zset_count(zset), longest);
    return zset;
}

/* ---- reading ---- */

size_t zset_count(const struct zset *zset) {
    if (zset_is_table(zset)) return btree_count(&zset_as_table(zset)->tree);
    return listpack_count(zset_as_listpack(zset)) / 2;
}

const struct listpack *zset_listpack(const struct zset *zset) {
    return zset_is_table(zset) ? NULL : zset_as_listpack(zset);
}

bool zset_score(const struct zset *zset, struct bytes member, double *score) {
    if (zset_is_table(zset)) {
        const struct zset_element *element =
            zset__table_find(zset_as_table(zset), hash_bytes(member), member);
        if (!element) return false;
        *score = element->score;
        return true;
    }
    const struct listpack *lp = zset_as_listpack(zset);
    size_t at = zset__packed_find(lp, member, NULL);
    if (at == LISTPACK_END) return false;
    *score = zset__packed_score_at(lp, listpack_next(lp, at));
    return true;
}

bool zset_rank(const struct zset *zset, struct bytes member, size_t *rank, double *score) {
    if (zset_is_table(zset)) {
        const struct zset_table *table = zset_as_table(zset);
        const struct zset_element *element = zset__table_find(table, hash_bytes(member), member);
        if (!element) return false;
        *rank = btree_rank(&table->tree, element);
        *score = element->score;
        return true;
    }
    const struct listpack *lp = zset_as_listpack(zset);
    size_t at = zset__packed_find(lp, member, rank);
    if (at == LISTPACK_END) return false;
    *score = zset__packed_score_at(lp, listpack_next(lp, at));
    return true;
}

/* ---- changing ---- */

enum zset_added zset__resolve(double old, unsigned flags, double *score) {
    if (flags & ZSET_ADD_NX) return ZSET_NOT_DONE;
    double wanted = *score;
    if (flags & ZSET_ADD_INCREMENT) {
        wanted += old;
        if (wanted != wanted) return ZSET_NAN;
    }
    if (flags & ZSET_ADD_GT && wanted <= old) return ZSET_NOT_DONE;
    if (flags & ZSET_ADD_LT && wanted >= old) return ZSET_NOT_DONE;
    if (wanted == old) {
        *score = old;
        return ZSET_UNCHANGED;
    }
    *score = wanted;
    return ZSET_UPDATED;
}

/* In a listpack that has, or has not, room for a member more, or for one with a longer score. */
static enum zset_added packed_add(struct zset **zset, const struct zset_limits *limits,
                                  struct bytes member, unsigned flags, double *score) {
    struct listpack *lp = zset_as_listpack(*zset);
    bool has_room = listpack_size(lp) + listpack_cost(member) + PAIR_COST_MAX <= LISTPACK_SIZE_MAX;
    size_t at = zset__packed_find(lp, member, NULL);
    if (at == LISTPACK_END) {
        if (flags & ZSET_ADD_XX) return ZSET_NOT_DONE;
        has_room = has_room && fits_listpack(limits, zset_count(*zset) + 1, member.size);
    }
    if (!has_room) {
        become_table(zset);
        return zset__table_add(zset_as_table(*zset), member, flags, score);
    }
    enum zset_added added = ZSET_NEW;
    if (at != LISTPACK_END) {
        double old = zset__packed_score_at(lp, listpack_next(lp, at));
        added = zset__resolve(old, flags, score);
        if (added != ZSET_UPDATED) return added;
        (void)listpack_remove_range(&lp, at, 2);
    }
    zset__packed_insert(&lp, member, *score);
    *zset = zset_from_listpack(lp);
    return added;
}

enum zset_added zset_add(struct zset **zset, const struct zset_limits *limits, struct bytes member,
                         unsigned flags, double *score) {
    dcheck(*score == *score);
    if (likely(zset_is_table(*zset))) {
        return zset__table_add(zset_as_table(*zset), member, flags, score);
    }
    return packed_add(zset, limits, member, flags, score);
}

void zset_expect(struct zset **zset, const struct zset_limits *limits, size_t count,
                 size_t longest) {
    if (zset_is_table(*zset) || fits_listpack(limits, count, longest)) return;
    become_table(zset);
}

/* The longest member and what a listpack of all would take. Of a set that is small. */
static void measure(const struct zset *zset, size_t *longest, size_t *bytes) {
    struct zset_iter iter;
    struct zset_item item;
    *longest = *bytes = 0;
    zset_iter_init(&iter, zset, 0, false);
    while (zset_iter_next(&iter, &item)) {
        *longest = size_max(*longest, item.member.size);
        *bytes += listpack_cost(item.member) + PAIR_COST_MAX;
    }
}

void zset_pack(struct zset **zset, const struct zset_limits *limits) {
    size_t longest, bytes;
    if (!zset_is_table(*zset) || !fits_listpack(limits, zset_count(*zset), 0)) return;
    measure(*zset, &longest, &bytes);
    if (!fits_listpack(limits, 0, longest) || bytes > LISTPACK_SIZE_MAX) return;

    struct listpack *lp = listpack_create(bytes);
    struct zset_iter iter;
    struct zset_item item;
    zset_iter_init(&iter, *zset, 0, false);
    while (zset_iter_next(&iter, &item))
        zset__packed_append(&lp, &item);
    listpack_shrink(&lp);
    zset_destroy(*zset);
    *zset = zset_from_listpack(lp);
}

bool zset_remove(struct zset **zset, struct bytes member) {
    if (zset_is_table(*zset)) return zset__table_remove(zset_as_table(*zset), member);
    struct listpack *lp = zset_as_listpack(*zset);
    size_t at = zset__packed_find(lp, member, NULL);
    if (at == LISTPACK_END) return false;
    (void)listpack_remove_range(&lp, at, 2);
    *zset = zset_from_listpack(lp);
    return true;
}

static void removed_from_tree(void *ctx, void *item) {
    struct zset_table *table = ctx;
    struct zset_element *element = item;
    hashtab_take_entry(table->members, hash_bytes(zset_element_member(element)), element);
    zset__element_free(element);
}

/* A copy of what is outside of the span. */
static struct zset_table *table_without(const struct zset *zset, struct zset_span span) {
    size_t end = span.first + span.count, count = zset_count(zset);
    struct zset_table *table = zset__table_create(count - span.count);
    struct zset_iter iter;
    struct zset_item item;
    zset_iter_init(&iter, zset, 0, false);
    for (size_t i = 0; i < span.first && zset_iter_next(&iter, &item); i++)
        append(table, &item);
    zset_iter_init(&iter, zset, end, false);
    while (zset_iter_next(&iter, &item))
        append(table, &item);
    hashtab_expand_hint(table->members, 0);
    return table;
}

void zset_remove_span(struct zset **zset, struct zset_span span, struct zset **former) {
    *former = NULL;
    if (!span.count) return;
    if (zset_is_table(*zset)) {
        struct zset_table *table = zset_as_table(*zset);
        size_t kept = zset_count(*zset) - span.count;
        if (span.count >= COPY_SPAN_MIN && kept < span.count / COPY_RATIO) {
            *former = *zset;
            *zset = zset_from_table(table_without(*zset, span));
            return;
        }
        btree_remove_range(&table->tree, span.first, span.count, removed_from_tree, table);
        return;
    }
    struct listpack *lp = zset_as_listpack(*zset);
    size_t at = listpack_seek(lp, (int64_t)span.first * 2);
    if (at == LISTPACK_END) return;
    (void)listpack_remove_range(&lp, at, span.count * 2);
    *zset = zset_from_listpack(lp);
}

/* ---- random choice, scan ---- */

size_t zset_random_rank(const struct zset *zset, struct rng *rng) {
    return (size_t)rng_below(rng, zset_count(zset));
}

struct scan_visit {
    zset_visit_fn fn;
    void *ctx;
};
static void scan_element(void *element, void *ctx) {
    const struct scan_visit *visit = ctx;
    struct zset_item item = zset_element_item(element);
    visit->fn(visit->ctx, &item);
}

uint64_t zset_scan(struct zset *zset, uint64_t cursor, zset_visit_fn fn, void *ctx) {
    if (zset_is_table(zset)) {
        struct scan_visit visit = {fn, ctx};
        return hashtab_scan(zset_as_table(zset)->members, cursor, scan_element, &visit);
    }
    struct zset_iter iter;
    struct zset_item item;
    zset_iter_init(&iter, zset, 0, false);
    while (zset_iter_next(&iter, &item))
        fn(ctx, &item);
    return 0;
}

/* ---- for the keyspace and the request window ---- */

/* Mean size of the elements that were looked at, times their number. */
static size_t elements_bytes(const struct zset_table *table, size_t samples) {
    size_t count = btree_count(&table->tree), bytes = 0, seen = 0;
    size_t want = samples ? size_min(samples, count) : count;
    while (seen < want) {
        void *window[MEMORY_WINDOW];
        size_t read = btree_read(&table->tree, seen, window, size_min(want - seen, MEMORY_WINDOW));
        for (size_t i = 0; i < read; i++)
            bytes += mem_usable_size(window[i]);
        seen += read;
    }
    return seen ? (size_t)((double)bytes / (double)seen * (double)count) : 0;
}

size_t zset_memory_bytes(const void *object, size_t samples) {
    const struct zset *zset = object;
    if (!zset_is_table(zset)) return listpack_memory_bytes(zset_as_listpack(zset));
    const struct zset_table *table = zset_as_table(zset);
    return mem_usable_size(table) + hashtab_memory_bytes(table->members) +
           btree_memory_bytes(&table->tree) + elements_bytes(table, samples);
}

size_t zset_free_effort(const void *object) {
    const struct zset *zset = object;
    return zset_is_table(zset) ? zset_count(zset) : 1;
}

const char *zset_encoding_name(const void *object) {
    return zset_is_table(object) ? "skiplist" : "listpack"; /* names that clients know */
}

bool zset_table_stats(const void *object, bool full, struct buf *out) {
    const struct zset *zset = object;
    if (!zset_is_table(zset)) return false;
    hashtab_stats(zset_as_table(zset)->members, full, out);
    return true;
}

void zset_prefetch(const struct zset *zset, struct bytes member, unsigned step,
                   struct zset_prefetched *found) {
    if (!zset_is_table(zset)) {
        if (step == 0) prefetch_line(zset_as_listpack(zset));
        return;
    }
    const struct zset_table *table = zset_as_table(zset);
    if (step == 0) {
        found->hash = hash_bytes(member);
        hashtab_prefetch_bucket(table->members, found->hash);
    } else if (step == 1) {
        hashtab_prefetch_entry(table->members, found->hash);
    } else if (step == 2) {
        found->element = zset__table_find(table, found->hash, member);
        if (!found->element) return;
        found->leaf = btree_prefetch(&table->tree, zset_key(found->element->score));
    } else if (found->element) {
        btree_prefetch_addresses(found->leaf, zset_key(found->element->score));
    }
}

void zset_prefetch_place(const struct zset *zset, double score, struct zset_prefetched *found) {
    if (!zset_is_table(zset)) return;
    found->key = zset_key(score);
    found->place = btree_prefetch(&zset_as_table(zset)->tree, found->key);
}

void zset_prefetch_at_place(unsigned step, const struct zset_prefetched *found) {
    if (!found->place) return;
    if (step == 1) btree_prefetch_addresses(found->place, found->key);
    if (step == 2) btree_prefetch_item(found->place, found->key);
}

/* ---- checking ---- */

static void verify_table(const struct zset_table *table) {
    btree_verify(&table->tree);
    hashtab_verify(table->members);
    check(hashtab_count(table->members) == btree_count(&table->tree));
    struct btree_iter iter;
    btree_iter_init(&iter, &table->tree, 0, false);
    for (;;) {
        struct zset_element *element = btree_iter_next(&iter);
        if (!element) break;
        check(element->score == element->score);
        struct bytes member = zset_element_member(element);
        check(zset__table_find(table, hash_bytes(member), member) == element);
    }
}

void zset_verify(const struct zset *zset) {
    if (zset_is_table(zset)) {
        verify_table(zset_as_table(zset));
    } else {
        const struct listpack *lp = zset_as_listpack(zset);
        listpack_verify(lp);
        check(zset_listpack_is_valid(lp, listpack_size(lp)));
    }
}
