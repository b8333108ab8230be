/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the sorted set group share: the handlers that its table names, and small
 * steps. */
#pragma once

#include "exec/call.h"
#include "types/zset.h"

/* ---- zset_add.c ---- */
enum { ZSET_WINDOW = 16 }; /* members whose memory is waited for together */
/* Before the members at `first`, first + step, ... are looked up: asks for the memory of up to
 * ZSET_WINDOW of them. */
void zset_prefetch_members(const struct call *call, const struct zset *zset, uint32_t first,
                           uint32_t step);

struct zset_additions {   /* what ZADD and GEOADD are to do, and what became of it */
    unsigned flags;       /* enum zset_add_flag */
    bool counts_all;      /* CH */
    uint32_t first, step; /* arguments: groups of so many, each of which ends with the member */
    uint32_t count;       /* of groups */
    double *scores;       /* of the members: inline_scores, or allocated */
    size_t added, updated;
    enum zset_added last; /* what became of the last member, and its score */
    double score;
    double inline_scores[ZSET_WINDOW];
};
static inline void zset_additions_init(struct zset_additions *adds, uint32_t step) {
    adds->flags = 0;
    adds->counts_all = false;
    adds->step = step;
    adds->scores = adds->inline_scores;
    adds->added = adds->updated = 0;
    adds->last = ZSET_NOT_DONE;
}
/* Makes room for the scores of count members. */
void zset_additions_alloc(struct zset_additions *adds);
void zset_additions_deinit(struct zset_additions *adds);
/* Adds the members to the key of argument 1, which may be absent. False: it has replied with an
 * error. */
must_use bool zset_add_members(struct call *call, struct zset_additions *adds);
/* What the reply counts. */
static inline int64_t zset_additions_counted(const struct zset_additions *adds) {
    return (int64_t)(adds->counts_all ? adds->added + adds->updated : adds->added);
}
void cmd_zadd(struct call *call);
void cmd_zincrby(struct call *call);
void cmd_zrem(struct call *call);

/* ---- zset_read.c ---- */
void cmd_zcard(struct call *call);
void cmd_zscore(struct call *call);
void cmd_zmscore(struct call *call);
void cmd_zrank(struct call *call);
void cmd_zrevrank(struct call *call);
void cmd_zscan(struct call *call);
/* Prefetch for commands whose last argument, or whose second, is a member; or whose last two are a
 * new score and its member. */
void zset_prefetch_last(const struct entry *entry, const struct bytes *argv, uint32_t argc,
                        struct command_prefetch *at);
void zset_prefetch_second(const struct entry *entry, const struct bytes *argv, uint32_t argc,
                          struct command_prefetch *at);
void zset_prefetch_addition(const struct entry *entry, const struct bytes *argv, uint32_t argc,
                            struct command_prefetch *at);

/* ---- zset_random.c ---- */
void cmd_zrandmember(struct call *call);

/* ---- zset_bounds.c ---- */
/* Each replies with an error and returns false if the arguments are no bounds. min, max: their
 * positions. */
must_use bool zset_read_scores(struct call *call, uint32_t min, uint32_t max,
                               struct zset_score_range *out);
must_use bool zset_read_lex(struct call *call, uint32_t min, uint32_t max,
                            struct zset_lex_range *out);
struct zset_ranks { /* as given: negative ones from the end, both ends included */
    int64_t first, last;
};
must_use bool zset_read_ranks(struct call *call, uint32_t first, uint32_t last,
                              struct zset_ranks *out);
/* What these are of a set with count members. */
struct zset_span zset_span_of_ranks(struct zset_ranks ranks, size_t count);

/* ---- zset_range.c ---- */
void cmd_zrange(struct call *call);
void cmd_zrevrange(struct call *call);
void cmd_zrangebyscore(struct call *call);
void cmd_zrevrangebyscore(struct call *call);
void cmd_zrangebylex(struct call *call);
void cmd_zrevrangebylex(struct call *call);
void cmd_zrangestore(struct call *call);

/* ---- zset_count.c ---- */
void cmd_zcount(struct call *call);
void cmd_zlexcount(struct call *call);
void cmd_zremrangebyrank(struct call *call);
void cmd_zremrangebyscore(struct call *call);
void cmd_zremrangebylex(struct call *call);

/* ---- zset_pop.c ---- */
void cmd_zpopmin(struct call *call);
void cmd_zpopmax(struct call *call);
void cmd_zmpop(struct call *call);
void cmd_bzpopmin(struct call *call);
void cmd_bzpopmax(struct call *call);
void cmd_bzmpop(struct call *call);

/* ---- zset_algebra.c ---- */
void cmd_zunion(struct call *call);
void cmd_zinter(struct call *call);
void cmd_zdiff(struct call *call);
void cmd_zunionstore(struct call *call);
void cmd_zinterstore(struct call *call);
void cmd_zdiffstore(struct call *call);
void cmd_zintercard(struct call *call);

/* ---- steps ---- */
static inline const struct zset_limits *zset_limits_of(const struct call *call) {
    return &call->exec->config->zset_limits;
}
/* The sorted set of an entry, or NULL if that is NULL. */
static inline struct zset *zset_of(const struct entry *entry) {
    return entry ? entry_object(entry) : NULL;
}
/* After a change of the set in entry: stores where it is now, tells observers, and removes the key
 * with its last member. */
void zset_changed(struct call *call, uint32_t key_arg, struct entry *entry, struct zset *zset,
                  const char *event);
/* Removes a span that is not empty, and does all that. */
void zset_drop_span(struct call *call, uint32_t key_arg, struct entry *entry, struct zset_span span,
                    const char *event);
/* Makes the key at key_arg hold this set, whatever it held, or no key if the set is empty; replies
 * with the number of its members. Takes the set. */
void zset_store(struct call *call, uint32_t key_arg, struct zset *zset, const char *event);
/* An item of a reply with scores: a pair in RESP3, two elements in RESP2. */
static inline void zset_reply_pair(struct reply *reply, const struct zset_item *item) {
    if (reply->resp == 3) reply_array(reply, 2);
    reply_bulk(reply, item->member);
    reply_double(reply, item->score);
}
/* Begins a reply of so many items. */
static inline void zset_reply_items(struct reply *reply, size_t count, bool with_scores) {
    reply_array(reply, with_scores && reply->resp == 2 ? 2 * count : count);
}
