/* SPDX-License-Identifier: BSD-3-Clause */
/* ZRANGE and its older relatives, and ZRANGESTORE: one reading of the options, one way to reply. */
#include "commands/zset_internal.h"

enum range_kind { RANGE_RANKS = 0, RANGE_SCORES, RANGE_LEX };

struct range_form { /* what a command has settled by its name */
    uint32_t key_arg;
    bool may_choose; /* BYSCORE, BYLEX and REV are options */
    bool stores;     /* WITHSCORES is none */
    bool backwards;
    enum range_kind kind;
};

struct range {
    const struct range_form *form;
    enum range_kind kind;
    bool backwards, with_scores;
    bool chose_kind;       /* BYSCORE or BYLEX was given */
    int64_t offset, limit; /* limit < 0: none */
    struct zset_ranks ranks;
    struct zset_score_range scores;
    struct zset_lex_range lex;
};

/* ---- reading ---- */

/* One option at arg; returns how many arguments it took, 0: it has replied. */
static uint32_t read_option(struct call *call, uint32_t arg, struct range *range) {
    const struct range_form *form = range->form;
    if (!form->stores && call_is(call, arg, "WITHSCORES")) {
        range->with_scores = true;
        return 1;
    }
    if (arg + 2 < call->argc && call_is(call, arg, "LIMIT")) {
        if (!call_int(call, arg + 1, &range->offset)) return 0;
        return call_int(call, arg + 2, &range->limit) ? 3 : 0;
    }
    if (form->may_choose && !range->backwards && call_is(call, arg, "REV")) {
        range->backwards = true;
        return 1;
    }
    bool by_score = call_is(call, arg, "BYSCORE");
    if (form->may_choose && !range->chose_kind && (by_score || call_is(call, arg, "BYLEX"))) {
        range->kind = by_score ? RANGE_SCORES : RANGE_LEX;
        range->chose_kind = true;
        return 1;
    }
    call_error(call, ERROR_SYNTAX);
    return 0;
}

static bool read_bounds(struct call *call, struct range *range) {
    uint32_t min = range->form->key_arg + 1, max = min + 1;
    bool swapped = range->backwards;
    switch (range->kind) {
    case RANGE_RANKS: return zset_read_ranks(call, min, max, &range->ranks);
    case RANGE_SCORES:
        return zset_read_scores(call, swapped ? max : min, swapped ? min : max, &range->scores);
    case RANGE_LEX:
        return zset_read_lex(call, swapped ? max : min, swapped ? min : max, &range->lex);
    }
    return false;
}

static bool read_range(struct call *call, const struct range_form *form, struct range *out) {
    *out =
        (struct range){.form = form, .kind = form->kind, .backwards = form->backwards, .limit = -1};
    for (uint32_t arg = form->key_arg + 3; arg < call->argc;) {
        uint32_t used = read_option(call, arg, out);
        if (!used) return false;
        arg += used;
    }
    if (out->limit != -1 && out->kind == RANGE_RANKS) {
        call_error(call, ERROR_RANGE_LIMIT);
        return false;
    }
    if (out->with_scores && out->kind == RANGE_LEX) {
        call_error(call, ERROR_RANGE_LEX_SCORES);
        return false;
    }
    return read_bounds(call, out);
}

/* ---- what is in it ---- */

/* Of a span, what offset and limit leave. Counted from the end if the range goes backwards. */
static struct zset_span apply_limit(const struct range *range, struct zset_span span) {
    if (range->offset < 0 || (uint64_t)range->offset >= span.count) return (struct zset_span){0};
    size_t offset = (size_t)range->offset, count = span.count - offset;
    if (range->limit >= 0 && (uint64_t)range->limit < count) count = (size_t)range->limit;
    size_t first =
        range->backwards ? span.first + span.count - offset - count : span.first + offset;
    return (struct zset_span){first, count};
}

static struct zset_span span_of(const struct range *range, const struct zset *zset) {
    struct zset_span span = {0};
    switch (range->kind) {
    case RANGE_RANKS:
        span = zset_span_of_ranks(range->ranks, zset_count(zset));
        if (range->backwards && span.count) {
            span.first = zset_count(zset) - span.first - span.count;
        }
        return span;
    case RANGE_SCORES: span = zset_span_of_scores(zset, &range->scores); break;
    case RANGE_LEX: span = zset_span_of_lex(zset, &range->lex); break;
    }
    return apply_limit(range, span);
}

static void iter_begin(struct zset_iter *iter, const struct zset *zset, struct zset_span span,
                       bool backwards) {
    zset_iter_init(iter, zset, backwards ? span.first + span.count - 1 : span.first, backwards);
}

/* ---- commands ---- */

static void reply_range(struct call *call, const struct range_form *form) {
    struct range range;
    struct entry *entry;
    if (!read_range(call, form, &range)) return;
    if (!call_find_or_null(call, form->key_arg, TYPE_ZSET, &entry)) return;

    const struct zset *zset = zset_of(entry);
    struct zset_span span = {0};
    if (zset) span = span_of(&range, zset);
    zset_reply_items(call->reply, span.count, range.with_scores);
    if (!span.count) return;
    struct zset_iter iter;
    struct zset_item item;
    iter_begin(&iter, zset, span, range.backwards);
    for (size_t i = 0; i < span.count && zset_iter_next(&iter, &item); i++) {
        if (range.with_scores) {
            zset_reply_pair(call->reply, &item);
        } else {
            reply_bulk(call->reply, item.member);
        }
    }
}

/* ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES] */
void cmd_zrange(struct call *call) {
    reply_range(call, &(struct range_form){.key_arg = 1, .may_choose = true});
}

/* ZREVRANGE key start stop [WITHSCORES] */
void cmd_zrevrange(struct call *call) {
    reply_range(call, &(struct range_form){.key_arg = 1, .backwards = true});
}

/* ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count] */
void cmd_zrangebyscore(struct call *call) {
    reply_range(call, &(struct range_form){.key_arg = 1, .kind = RANGE_SCORES});
}

/* ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count] */
void cmd_zrevrangebyscore(struct call *call) {
    reply_range(call, &(struct range_form){.key_arg = 1, .kind = RANGE_SCORES, .backwards = true});
}

/* ZRANGEBYLEX key min max [LIMIT offset count] */
void cmd_zrangebylex(struct call *call) {
    reply_range(call, &(struct range_form){.key_arg = 1, .kind = RANGE_LEX});
}

/* ZREVRANGEBYLEX key max min [LIMIT offset count] */
void cmd_zrevrangebylex(struct call *call) {
    reply_range(call, &(struct range_form){.key_arg = 1, .kind = RANGE_LEX, .backwards = true});
}

/* ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count] */
void cmd_zrangestore(struct call *call) {
    const struct range_form form = {.key_arg = 2, .may_choose = true, .stores = true};
    const struct zset_limits *limits = zset_limits_of(call);
    struct range range;
    struct entry *entry;
    if (!read_range(call, &form, &range)) return;
    if (!call_find_or_null(call, form.key_arg, TYPE_ZSET, &entry)) return;

    const struct zset *source = zset_of(entry);
    struct zset_span span = {0};
    if (source) span = span_of(&range, source);
    struct zset *result = zset_create(limits, span.count, 0);
    struct zset_iter iter;
    struct zset_item item;
    if (span.count) iter_begin(&iter, source, span, false);
    for (size_t i = 0; i < span.count && zset_iter_next(&iter, &item); i++)
        (void)zset_add(&result, limits, item.member, 0, &item.score);
    zset_store(call, 1, result, "zrangestore");
}
