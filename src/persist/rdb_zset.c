/* SPDX-License-Identifier: BSD-3-Clause */
/* Sorted sets: a count, then members and scores; or both in a listpack, or in a ziplist of old. */
#include "ds/listpack.h"
#include "persist/rdb_format.h"
#include "persist/rdb_packed.h"
#include "persist/rdb_types.h"
#include "types/zset.h"

#include <math.h>

enum { TEXT_NAN = 253, TEXT_INFINITY = 254, TEXT_MINUS_INFINITY = 255 }; /* sizes of score texts */

/* ---- writing ---- */

uint8_t rdb__zset_type(const struct entry *entry) {
    return zset_listpack(entry_object(entry)) ? RDB_ZSET_LISTPACK : RDB_ZSET_2;
}

/* The highest first: whoever builds a skip list of it has an easier time. */
static void put_items(struct rdb_out *out, const struct zset *zset) {
    struct zset_iter iter;
    struct zset_item item;
    size_t count = zset_count(zset);
    rdb_put_length(out, count);
    if (count == 0) return;
    zset_iter_init(&iter, zset, count - 1, true);
    while (zset_iter_next(&iter, &item)) {
        rdb_put_string(out, item.member);
        rdb_put_double(out, item.score);
    }
}

void rdb__save_zset(struct rdb_out *out, const struct entry *entry) {
    const struct zset *zset = entry_object(entry);
    const struct listpack *lp = zset_listpack(zset);
    if (lp) {
        rdb_put_string(out, bytes_make(lp, listpack_size(lp)));
    } else {
        put_items(out, zset);
    }
}

/* ---- reading ---- */

/* A score as text, behind a byte with its size. */
static bool get_text_score(struct rdb_in *in, double *out) {
    uint8_t size;
    struct bytes text;
    if (!rdb_get_byte(in, &size)) return false;
    if (size == TEXT_NAN) return rdb_in_bad(in, "Zset with NAN score detected");
    if (size == TEXT_INFINITY || size == TEXT_MINUS_INFINITY) {
        *out = size == TEXT_INFINITY ? (double)INFINITY : -(double)INFINITY;
        return true;
    }
    if (!rdb_get_bytes(in, size, &text)) return false;
    return num_parse_double(text, out) ? true : rdb_in_bad(in, "A score that is not a number");
}

static bool get_score(struct rdb_in *in, double *out) {
    if (!rdb_get_double(in, out)) return false;
    return isnan(*out) ? rdb_in_bad(in, "Zset with NAN score detected") : true;
}

static bool get_items(struct rdb_in *in, uint64_t count,
                      bool (*get)(struct rdb_in *in, double *score),
                      const struct zset_limits *limits, struct zset **zset) {
    struct buf copy = {0}; /* the score is read behind the member */
    bool good = true;
    for (uint64_t i = 0; good && i < count; i++) {
        struct bytes member;
        double score;
        good = rdb_get_string(in, &member);
        if (!good) break;
        buf_clear(&copy);
        buf_add(&copy, member);
        good = get(in, &score);
        if (good && zset_add(zset, limits, buf_bytes(&copy), 0, &score) != ZSET_NEW) {
            good = rdb_in_bad(in, "Duplicate zset fields detected");
        }
    }
    buf_deinit(&copy);
    return good;
}

static bool load_items(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out,
                       bool (*get)(struct rdb_in *in, double *score)) {
    uint64_t count;
    if (!rdb_get_count(in, 2, &count)) return false;
    out->is_empty = count == 0;
    if (count == 0) return true;
    struct zset *zset = zset_create(limits->zset, rdb__room_for(count), 0);
    if (!get_items(in, count, get, limits->zset, &zset)) {
        zset_destroy(zset);
        return false;
    }
    out->object = zset;
    return true;
}

bool rdb__load_zset(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out) {
    return load_items(in, limits, out, get_text_score);
}

bool rdb__load_zset_2(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out) {
    return load_items(in, limits, out, get_score);
}

static bool adopt(struct rdb_in *in, struct listpack *lp, const struct rdb_limits *limits,
                  struct rdb_value *out) {
    if (!lp) return false;
    out->is_empty = listpack_count(lp) == 0;
    bool good = out->is_empty || zset_listpack_is_valid(lp, listpack_size(lp));
    if (out->is_empty || !good) {
        listpack_destroy(&lp);
        return good ? true : rdb_in_bad(in, "Zset listpack integrity check failed.");
    }
    out->object = zset_of_listpack(lp, limits->zset);
    return true;
}

bool rdb__load_zset_ziplist(struct rdb_in *in, const struct rdb_limits *limits,
                            struct rdb_value *out) {
    return adopt(in, rdb__get_ziplist(in), limits, out);
}

bool rdb__load_zset_listpack(struct rdb_in *in, const struct rdb_limits *limits,
                             struct rdb_value *out) {
    return adopt(in, rdb__get_listpack(in), limits, out);
}
