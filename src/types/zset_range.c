/* SPDX-License-Identifier: BSD-3-Clause */
/* Walking through sorted sets, and what ranges of scores and members mean in ranks. */
#include "types/zset_internal.h"

#include <math.h>

/* ---- walking ---- */

void zset_at(const struct zset *zset, size_t rank, char scratch[NUM_I64_TEXT_MAX],
             struct zset_item *out) {
    if (zset_is_table(zset)) {
        *out = zset_element_item(btree_at(&zset_as_table(zset)->tree, rank));
    } else {
        const struct listpack *lp = zset_as_listpack(zset);
        zset__packed_item(lp, listpack_seek(lp, (int64_t)rank * 2), scratch, out);
    }
}

void zset_iter_init(struct zset_iter *iter, const struct zset *zset, size_t rank, bool backwards) {
    iter->zset = zset;
    iter->backwards = backwards;
    if (zset_is_table(zset)) {
        btree_iter_init(&iter->tree, &zset_as_table(zset)->tree, rank, backwards);
    } else if (rank < zset_count(zset)) {
        iter->at = listpack_seek(zset_as_listpack(zset), (int64_t)rank * 2);
    } else {
        iter->at = LISTPACK_END;
    }
}

bool zset_iter_next(struct zset_iter *iter, struct zset_item *out) {
    if (zset_is_table(iter->zset)) {
        const struct zset_element *element = btree_iter_next(&iter->tree);
        if (!element) return false;
        *out = zset_element_item(element);
        return true;
    }
    const struct listpack *lp = zset_as_listpack(iter->zset);
    if (iter->at == LISTPACK_END) return false;
    zset__packed_item(lp, iter->at, iter->scratch, out);
    if (iter->backwards) {
        size_t score_at = listpack_prev(lp, iter->at);
        iter->at = score_at == LISTPACK_END ? LISTPACK_END : listpack_prev(lp, score_at);
    } else {
        iter->at = listpack_next(lp, listpack_next(lp, iter->at));
    }
    return true;
}

static struct zset_span span_between(size_t from, size_t to) {
    return (struct zset_span){.first = from, .count = to > from ? to - from : 0};
}

/* ---- scores ---- */

struct score_bound {
    double score;
    bool or_equal; /* items with this score are in front, too */
};
static bool is_before_score(void *ctx, const struct zset_item *item) {
    const struct score_bound *bound = ctx;
    return item->score < bound->score || (bound->or_equal && item->score == bound->score);
}

static size_t seek_score(const struct zset *zset, struct score_bound bound) {
    if (!zset_is_table(zset)) {
        return zset__packed_seek(zset_as_listpack(zset), is_before_score, &bound);
    }
    if (isinf(bound.score) && bound.or_equal == (bound.score > 0)) { /* outside of everything */
        return bound.or_equal ? zset_count(zset) : 0;
    }
    return btree_seek_key(&zset_as_table(zset)->tree, zset_key(bound.score), bound.or_equal);
}

struct zset_span zset_span_of_scores(const struct zset *zset,
                                     const struct zset_score_range *range) {
    if (range->min > range->max) return span_between(0, 0);
    size_t from = seek_score(zset, (struct score_bound){range->min, range->without_min});
    size_t to = seek_score(zset, (struct score_bound){range->max, !range->without_max});
    return span_between(from, to);
}

bool zset_score_is_within(const struct zset_score_range *range, double score) {
    if (score < range->min || (range->without_min && score == range->min)) return false;
    return score < range->max || (!range->without_max && score == range->max);
}

/* ---- members ---- */

struct lex_place {
    const struct zset_lex_bound *bound;
    bool or_equal; /* a member that equals the bound is in front, too */
};

static bool is_member_before(const struct lex_place *place, struct bytes member) {
    switch (place->bound->kind) {
    case ZSET_LEX_LOWEST: return false;
    case ZSET_LEX_HIGHEST: return true;
    case ZSET_LEX_BYTES: break;
    }
    int order = bytes_compare(member, place->bound->bytes);
    return order < 0 || (place->or_equal && order == 0);
}
static bool is_item_before(void *ctx, const struct zset_item *item) {
    return is_member_before(ctx, item->member);
}
static bool is_element_before(void *ctx, const void *element) {
    return is_member_before(ctx, zset_element_member(element));
}

static size_t seek_lex(const struct zset *zset, struct lex_place place) {
    if (!zset_is_table(zset)) {
        return zset__packed_seek(zset_as_listpack(zset), is_item_before, &place);
    }
    const struct btree *tree = &zset_as_table(zset)->tree;
    size_t count = btree_count(tree);
    if (!count) return 0;
    const struct zset_element *first = btree_at(tree, 0), *last = btree_at(tree, count - 1);
    if (first->score == last->score) { /* the meaningful case, and the faster one */
        return btree_seek(tree, zset_key(first->score), is_element_before, &place);
    }
    return btree_seek_any(tree, is_element_before, &place);
}

struct zset_span zset_span_of_lex(const struct zset *zset, const struct zset_lex_range *range) {
    const struct zset_lex_bound *min = &range->min, *max = &range->max;
    size_t from = seek_lex(zset, (struct lex_place){min, min->is_outside});
    size_t to = seek_lex(zset, (struct lex_place){max, !max->is_outside});
    return span_between(from, to);
}
