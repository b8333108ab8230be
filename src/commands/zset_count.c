/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that count or remove what lies within bounds. */
#include "commands/zset_internal.h"

struct bounds { /* of one of these kinds */
    enum { BOUNDS_RANKS, BOUNDS_SCORES, BOUNDS_LEX } kind;
    struct zset_ranks ranks;
    struct zset_score_range scores;
    struct zset_lex_range lex;
};

/* From arguments 2 and 3. False: it has replied. */
static bool read_bounds(struct call *call, struct bounds *bounds) {
    switch (bounds->kind) {
    case BOUNDS_RANKS: return zset_read_ranks(call, 2, 3, &bounds->ranks);
    case BOUNDS_SCORES: return zset_read_scores(call, 2, 3, &bounds->scores);
    case BOUNDS_LEX: return zset_read_lex(call, 2, 3, &bounds->lex);
    }
    return false;
}

static struct zset_span span_of(const struct bounds *bounds, const struct zset *zset) {
    switch (bounds->kind) {
    case BOUNDS_RANKS: return zset_span_of_ranks(bounds->ranks, zset_count(zset));
    case BOUNDS_SCORES: return zset_span_of_scores(zset, &bounds->scores);
    case BOUNDS_LEX: return zset_span_of_lex(zset, &bounds->lex);
    }
    return (struct zset_span){0};
}

static void count_within(struct call *call, struct bounds *bounds) {
    struct entry *entry;
    if (!read_bounds(call, bounds)) return;
    if (!call_find_or_null(call, 1, TYPE_ZSET, &entry)) return;
    reply_integer(call->reply, entry ? (int64_t)span_of(bounds, zset_of(entry)).count : 0);
}

/* ZCOUNT key min max */
void cmd_zcount(struct call *call) { count_within(call, &(struct bounds){.kind = BOUNDS_SCORES}); }

/* ZLEXCOUNT key min max */
void cmd_zlexcount(struct call *call) { count_within(call, &(struct bounds){.kind = BOUNDS_LEX}); }

static void remove_within(struct call *call, struct bounds *bounds, const char *event) {
    struct entry *entry;
    struct zset_span span = {0};
    if (!read_bounds(call, bounds)) return;
    if (!call_find_write(call, 1, TYPE_ZSET, &entry)) return;
    if (entry) {
        span = span_of(bounds, zset_of(entry));
        if (span.count) zset_drop_span(call, 1, entry, span, event);
    }
    reply_integer(call->reply, (int64_t)span.count);
}

/* ZREMRANGEBYRANK key start stop */
void cmd_zremrangebyrank(struct call *call) {
    remove_within(call, &(struct bounds){.kind = BOUNDS_RANKS}, "zremrangebyrank");
}

/* ZREMRANGEBYSCORE key min max */
void cmd_zremrangebyscore(struct call *call) {
    remove_within(call, &(struct bounds){.kind = BOUNDS_SCORES}, "zremrangebyscore");
}

/* ZREMRANGEBYLEX key min max */
void cmd_zremrangebylex(struct call *call) {
    remove_within(call, &(struct bounds){.kind = BOUNDS_LEX}, "zremrangebylex");
}
