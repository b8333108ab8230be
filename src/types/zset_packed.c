/* SPDX-License-Identifier: BSD-3-Clause */
/* The small form of sorted sets: a listpack of members and scores in turn, in order. A score that
 * is an integer is kept as one, any other as its shortest text. */
#include "base/hash.h"
#include "base/mem.h"
#include "types/zset_internal.h"

/* ---- scores ---- */

/* False if the value is no score. */
static bool score_of(const struct listpack_value *value, double *out) {
    if (!value->data) {
        *out = (double)value->integer;
        return true;
    }
    return num_parse_double(bytes_make(value->data, value->size), out);
}

double zset__packed_score_at(const struct listpack *lp, size_t at) {
    struct listpack_value value = listpack_get(lp, at);
    double score;
    bool is_score = score_of(&value, &score);
    check(is_score);
    return score;
}

/* The text that a score is kept as. The sign of -0 is lost, as it is in other servers. */
static struct bytes score_text(double score, char scratch[NUM_DOUBLE_TEXT_MAX]) {
    const double integer_max = (double)(INT64_MAX / 2);
    if (score >= -integer_max && score <= integer_max && (double)(int64_t)score == score) {
        return bytes_make(scratch, num_format_i64(scratch, (int64_t)score));
    }
    return bytes_make(scratch, num_format_double(scratch, score));
}

/* ---- finding ---- */

void zset__packed_item(const struct listpack *lp, size_t at, char scratch[NUM_I64_TEXT_MAX],
                       struct zset_item *out) {
    out->member = listpack_get_bytes(lp, at, scratch);
    out->score = zset__packed_score_at(lp, listpack_next(lp, at));
}

size_t zset__packed_find(const struct listpack *lp, struct bytes member, size_t *rank) {
    if (!rank) return listpack_find(lp, listpack_first(lp), member, 1);
    *rank = 0;
    for (size_t at = listpack_first(lp); at != LISTPACK_END;) {
        if (listpack_equals(lp, at, member)) return at;
        at = listpack_next(lp, listpack_next(lp, at));
        ++*rank;
    }
    return LISTPACK_END;
}

size_t zset__packed_seek(const struct listpack *lp,
                         bool (*before)(void *ctx, const struct zset_item *item), void *ctx) {
    char scratch[NUM_I64_TEXT_MAX];
    struct zset_item item;
    size_t rank = 0;
    for (size_t at = listpack_first(lp); at != LISTPACK_END; rank++) {
        zset__packed_item(lp, at, scratch, &item);
        if (!before(ctx, &item)) break;
        at = listpack_next(lp, listpack_next(lp, at));
    }
    return rank;
}

/* ---- changing ---- */

void zset__packed_append(struct listpack **lp, const struct zset_item *item) {
    char text[NUM_DOUBLE_TEXT_MAX];
    listpack_append(lp, item->member);
    listpack_append(lp, score_text(item->score, text));
}

void zset__packed_insert(struct listpack **lp, struct bytes member, double score) {
    char member_scratch[NUM_I64_TEXT_MAX], text[NUM_DOUBLE_TEXT_MAX];
    size_t at = listpack_first(*lp);
    while (at != LISTPACK_END) {
        size_t score_at = listpack_next(*lp, at);
        double there = zset__packed_score_at(*lp, score_at);
        if (there > score) break;
        if (there == score &&
            bytes_compare(listpack_get_bytes(*lp, at, member_scratch), member) > 0) {
            break;
        }
        at = listpack_next(*lp, score_at);
    }
    if (at == LISTPACK_END) {
        zset__packed_append(lp, &(struct zset_item){member, score});
    } else {
        at = listpack_insert(lp, at, member);
        (void)listpack_insert(lp, listpack_next(*lp, at), score_text(score, text));
    }
}

/* ---- bytes from outside ---- */

struct validation {
    size_t elements;
    struct listpack_value member; /* the one whose score comes next */
    struct bytes last_member;
    double last_score;
    char scratch[2][NUM_I64_TEXT_MAX]; /* of members that are integers, in turn */
    struct zset_table *seen;
};

static bool validate_element(void *ctx, const struct listpack_value *value) {
    struct validation *v = ctx;
    size_t pair = v->elements / 2;
    if (v->elements++ % 2 == 0) {
        v->member = *value;
        return true;
    }
    double score;
    if (!score_of(value, &score)) return false;
    struct bytes member = listpack_value_bytes(&v->member, v->scratch[pair % 2]);
    if (pair > 0) {
        if (score < v->last_score) return false;
        if (score == v->last_score && bytes_compare(v->last_member, member) >= 0) return false;
    }
    v->last_member = member;
    v->last_score = score;
    return zset__table_add(v->seen, member, ZSET_ADD_NX, &score) == ZSET_NEW;
}

bool zset_listpack_is_valid(const void *data, size_t size) {
    struct validation v = {.seen = zset__table_create(0)};
    bool is_valid = listpack_validate(data, size, validate_element, &v) && v.elements % 2 == 0;
    zset__table_destroy(v.seen);
    return is_valid;
}
