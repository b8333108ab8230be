/* SPDX-License-Identifier: BSD-3-Clause */
/* ZRANDMEMBER.
 *
 * Different members are chosen by rank: few of many by drawing ranks until there are enough;
 * otherwise in one walk, where each member is taken with the chance that the number still wanted is
 * of those that are left (Knuth's algorithm S). */
#include "base/random.h"
#include "commands/random_count.h"
#include "commands/zset_internal.h"
#include "ds/drawn.h"

enum {
    FEW_SHARE = 4, /* drawing pays below this share of all */
};

static void reply_item(struct call *call, const struct zset_item *item, bool with_scores) {
    if (with_scores) {
        zset_reply_pair(call->reply, item);
    } else {
        reply_bulk(call->reply, item->member);
    }
}

static void reply_rank(struct call *call, const struct zset *zset, size_t rank, bool with_scores) {
    char scratch[NUM_I64_TEXT_MAX];
    struct zset_item item;
    zset_at(zset, rank, scratch, &item);
    reply_item(call, &item, with_scores);
}

/* Each choice is independent of the others. */
static void reply_repeating(struct call *call, const struct zset *zset, uint64_t count,
                            bool with_scores) {
    for (uint64_t i = 0; i < count; i++) {
        reply_rank(call, zset, zset_random_rank(zset, &call->exec->rng), with_scores);
    }
}

static void reply_few(struct call *call, const struct zset *zset, size_t count, bool with_scores) {
    struct drawn drawn;
    drawn_init(&drawn, count); /* 64 bytes a member replied, at most */
    for (size_t left = count; left > 0;) {
        size_t rank = zset_random_rank(zset, &call->exec->rng);
        if (!drawn_add(&drawn, rank)) continue;
        reply_rank(call, zset, rank, with_scores);
        left--;
    }
    drawn_deinit(&drawn);
}

static void reply_many(struct call *call, const struct zset *zset, size_t count, bool with_scores) {
    struct zset_iter iter;
    struct zset_item item;
    size_t left = zset_count(zset), wanted = count;
    zset_iter_init(&iter, zset, 0, false);
    while (wanted && zset_iter_next(&iter, &item)) {
        if (rng_below(&call->exec->rng, left--) >= wanted) continue;
        reply_item(call, &item, with_scores);
        wanted--;
    }
}

static void reply_chosen(struct call *call, const struct zset *zset, int64_t wanted,
                         bool with_scores) {
    if (wanted < 0) {
        zset_reply_items(call->reply, (size_t)-wanted, with_scores);
        reply_repeating(call, zset, (uint64_t)-wanted, with_scores);
        return;
    }
    size_t count = size_min((size_t)wanted, zset_count(zset));
    zset_reply_items(call->reply, count, with_scores);
    if (count < zset_count(zset) / FEW_SHARE) {
        reply_few(call, zset, count, with_scores);
    } else {
        reply_many(call, zset, count, with_scores);
    }
}

static void reply_one(struct call *call) {
    struct entry *entry;
    if (!call_find(call, 1, TYPE_ZSET, &entry)) return;
    const struct zset *zset = zset_of(entry);
    reply_rank(call, zset, zset_random_rank(zset, &call->exec->rng), false);
}

/* ZRANDMEMBER key [count [WITHSCORES]] */
void cmd_zrandmember(struct call *call) {
    int64_t wanted;
    struct entry *entry;
    if (call->argc == 2) {
        reply_one(call);
        return;
    }
    bool with_scores = call->argc == 4 && call_is(call, 3, "WITHSCORES");
    if (with_scores && random_count_is_too_many_pairs(call->argv[2])) {
        call_error(call, ERROR_OUT_OF_RANGE);
        return;
    }
    if (!random_count_read(call, 2, &wanted)) return;
    if (call->argc > 3 && !with_scores) {
        call_error(call, ERROR_SYNTAX);
        return;
    }
    if (!call_find_or_null(call, 1, TYPE_ZSET, &entry)) return;
    if (entry && wanted) {
        reply_chosen(call, zset_of(entry), wanted, with_scores);
    } else {
        reply_array(call->reply, 0);
    }
}
