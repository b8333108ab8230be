/* SPDX-License-Identifier: BSD-3-Clause */
/* ZUNION, ZINTER, ZDIFF, their storing forms, and ZINTERCARD. Plain sets are inputs too: each of
 * their members has the score 1.
 *
 * Inputs are taken from the smallest to the largest (not by ZDIFF), which also settles the order in
 * which scores are added up. A result is made as a table, and packed only if it is stored and small
 * enough. */
#include "base/mem.h"
#include "commands/zset_internal.h"
#include "types/set.h"

#include <stdlib.h>

enum operation { OPERATION_UNION = 0, OPERATION_INTER, OPERATION_DIFF };
enum aggregate { AGGREGATE_SUM = 0, AGGREGATE_MIN, AGGREGATE_MAX };

struct source { /* an input: one of the two, or neither */
    const struct zset *zset;
    const struct set *set;
    double weight;
    size_t count;
    uint32_t index; /* among the arguments */
};

struct algebra {
    enum operation operation;
    enum aggregate aggregate;
    bool stores, counts; /* into a key; ZINTERCARD */
    bool with_scores;
    int64_t limit; /* of ZINTERCARD, 0: none */
    struct source *sources;
    uint32_t source_count;
};

/* ---- reading ---- */

static bool read_source(struct call *call, uint32_t arg, struct source *out) {
    const struct entry *entry = call_peek(call, arg);
    *out = (struct source){.weight = 1, .index = arg};
    if (!entry) return true;
    if (entry_type(entry) == TYPE_ZSET) {
        out->zset = entry_object(entry);
        out->count = zset_count(out->zset);
    } else if (entry_type(entry) == TYPE_SET) {
        out->set = entry_object(entry);
        out->count = set_count(out->set);
    } else {
        call_error(call, ERROR_WRONG_TYPE);
        return false;
    }
    return true;
}

/* numkeys key [key ...] from argument `at` on. False: it has replied. */
static bool read_sources(struct call *call, uint32_t at, struct algebra *algebra) {
    int64_t count;
    if (!call_int(call, at, &count)) return false;
    if (count < 1) {
        call_errorf(call, ERROR_INPUT_KEYS, call->command->full_name);
        return false;
    }
    if (count > call->argc - at - 1) {
        call_error(call, ERROR_SYNTAX);
        return false;
    }
    algebra->source_count = (uint32_t)count;
    algebra->sources = mem_alloc_array(algebra->source_count, sizeof(struct source));
    for (uint32_t i = 0; i < algebra->source_count; i++) {
        if (!read_source(call, at + 1 + i, &algebra->sources[i])) return false;
    }
    return true;
}

static bool read_weights(struct call *call, uint32_t arg, struct algebra *algebra) {
    for (uint32_t i = 0; i < algebra->source_count; i++) {
        if (num_parse_double(call->argv[arg + i], &algebra->sources[i].weight)) continue;
        call_error(call, ERROR_WEIGHT);
        return false;
    }
    return true;
}

static bool read_aggregate(struct call *call, uint32_t arg, enum aggregate *out) {
    static const char *const names[] = {
        [AGGREGATE_SUM] = "SUM", [AGGREGATE_MIN] = "MIN", [AGGREGATE_MAX] = "MAX"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!call_is(call, arg, names[i])) continue;
        *out = (enum aggregate)i;
        return true;
    }
    call_error(call, ERROR_SYNTAX);
    return false;
}

/* One option at arg; returns how many arguments it took, 0: it has replied. */
static uint32_t read_option(struct call *call, uint32_t arg, struct algebra *algebra) {
    uint32_t left = call->argc - arg;
    bool weighs = !algebra->counts && algebra->operation != OPERATION_DIFF;
    if (weighs && left > algebra->source_count && call_is(call, arg, "WEIGHTS")) {
        return read_weights(call, arg + 1, algebra) ? 1 + algebra->source_count : 0;
    }
    if (weighs && left > 1 && call_is(call, arg, "AGGREGATE")) {
        return read_aggregate(call, arg + 1, &algebra->aggregate) ? 2 : 0;
    }
    if (!algebra->stores && !algebra->counts && call_is(call, arg, "WITHSCORES")) {
        algebra->with_scores = true;
        return 1;
    }
    if (algebra->counts && left > 1 && call_is(call, arg, "LIMIT")) {
        const enum error_id error = ERROR_LIMIT_NEGATIVE;
        return call_int_range(call, arg + 1, 0, INT64_MAX, error, &algebra->limit) ? 2 : 0;
    }
    call_error(call, ERROR_SYNTAX);
    return 0;
}

/* at: position of numkeys. The sources are the caller's to free, in any case. */
static bool read_algebra(struct call *call, uint32_t at, struct algebra *algebra) {
    if (!read_sources(call, at, algebra)) return false;
    for (uint32_t arg = at + 1 + algebra->source_count; arg < call->argc;) {
        uint32_t used = read_option(call, arg, algebra);
        if (!used) return false;
        arg += used;
    }
    return true;
}

/* ---- sources ---- */

/* Is given a member and its score, not weighed; false stops. */
typedef bool (*source_fn)(void *ctx, const struct zset_item *item);

struct set_walk {
    source_fn fn;
    void *ctx;
};
static bool visit_set_member(void *ctx, const struct set_member *member) {
    const struct set_walk *walk = ctx;
    char scratch[NUM_I64_TEXT_MAX];
    const struct zset_item item = {.member = set_member_bytes(member, scratch), .score = 1};
    return walk->fn(walk->ctx, &item);
}

static void source_each(const struct source *source, source_fn fn, void *ctx) {
    if (source->set) {
        struct set_walk walk = {fn, ctx};
        set_each(source->set, visit_set_member, &walk);
    } else if (source->zset) {
        struct zset_iter iter;
        struct zset_item item;
        zset_iter_init(&iter, source->zset, 0, false);
        while (zset_iter_next(&iter, &item) && fn(ctx, &item))
            continue;
    }
}

static bool source_has(const struct source *source, struct bytes member, double *score) {
    *score = 1;
    if (source->set) return set_has(source->set, member);
    return source->zset && zset_score(source->zset, member, score);
}

static int compare_sources(const void *a, const void *b) {
    const struct source *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* ---- scores ---- */

static double weigh(double score, double weight) {
    double product = score * weight;
    return product == product ? product : 0; /* 0 times infinity */
}

static double combine(enum aggregate aggregate, double a, double b) {
    switch (aggregate) {
    case AGGREGATE_MIN: return b < a ? b : a;
    case AGGREGATE_MAX: return b > a ? b : a;
    case AGGREGATE_SUM: break;
    }
    double sum = a + b;
    return sum == sum ? sum : 0; /* opposite infinities */
}

/* ---- operations ---- */

struct work {
    const struct algebra *algebra;
    const struct source *source; /* whose members are visited */
    struct zset *result;         /* NULL: only counts */
    int64_t count;
};

static void put(struct work *work, struct bytes member, double score) {
    static const struct zset_limits table = {0, 0};
    (void)zset_add(&work->result, &table, member, 0, &score);
}

static bool unite(void *ctx, const struct zset_item *item) {
    struct work *work = ctx;
    double score = weigh(item->score, work->source->weight), old;
    if (zset_score(work->result, item->member, &old)) {
        score = combine(work->algebra->aggregate, old, score);
    }
    put(work, item->member, score);
    return true;
}

static bool intersect(void *ctx, const struct zset_item *item) {
    struct work *work = ctx;
    const struct algebra *algebra = work->algebra;
    double score = weigh(item->score, work->source->weight), other;
    for (uint32_t i = 1; i < algebra->source_count; i++) {
        const struct source *source = &algebra->sources[i];
        if (!source_has(source, item->member, &other)) return true;
        /* Not a number: it makes a sum 0, and is neither less nor greater. */
        score = combine(algebra->aggregate, score, other * source->weight);
    }
    if (work->result) put(work, item->member, score);
    work->count++;
    return algebra->limit == 0 || work->count < algebra->limit;
}

static bool subtract(void *ctx, const struct zset_item *item) {
    struct work *work = ctx;
    double other;
    for (uint32_t i = 1; i < work->algebra->source_count; i++) {
        if (source_has(&work->algebra->sources[i], item->member, &other)) return true;
    }
    put(work, item->member, item->score);
    return true;
}

static void run(struct work *work) {
    const struct algebra *algebra = work->algebra;
    struct source *sources = algebra->sources;
    work->source = sources;
    if (algebra->operation != OPERATION_DIFF) {
        qsort(sources, algebra->source_count, sizeof(*sources), compare_sources);
    }
    switch (algebra->operation) {
    case OPERATION_UNION:
        for (uint32_t i = 0; i < algebra->source_count; i++) {
            work->source = &sources[i];
            source_each(work->source, unite, work);
        }
        break;
    case OPERATION_INTER: source_each(sources, intersect, work); break;
    case OPERATION_DIFF: source_each(sources, subtract, work); break;
    }
}

/* ---- commands ---- */

static void reply_items(struct call *call, const struct zset *zset, bool with_scores) {
    struct zset_iter iter;
    struct zset_item item;
    zset_reply_items(call->reply, zset_count(zset), with_scores);
    zset_iter_init(&iter, zset, 0, false);
    while (zset_iter_next(&iter, &item)) {
        if (with_scores) {
            zset_reply_pair(call->reply, &item);
        } else {
            reply_bulk(call->reply, item.member);
        }
    }
}

static void reply_algebra(struct call *call, enum operation operation) {
    struct algebra algebra = {.operation = operation};
    if (read_algebra(call, 1, &algebra)) {
        struct work work = {.algebra = &algebra, .result = zset_create_table()};
        run(&work);
        reply_items(call, work.result, algebra.with_scores);
        zset_destroy(work.result);
    }
    mem_free(algebra.sources);
}

static void store_algebra(struct call *call, enum operation operation, const char *event) {
    struct algebra algebra = {.operation = operation, .stores = true};
    if (read_algebra(call, 2, &algebra)) {
        struct work work = {.algebra = &algebra, .result = zset_create_table()};
        run(&work);
        zset_pack(&work.result, zset_limits_of(call));
        zset_store(call, 1, work.result, event);
    }
    mem_free(algebra.sources);
}

/* ZUNION numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES] */
void cmd_zunion(struct call *call) { reply_algebra(call, OPERATION_UNION); }

/* ZINTER numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES] */
void cmd_zinter(struct call *call) { reply_algebra(call, OPERATION_INTER); }

/* ZDIFF numkeys key [key ...] [WITHSCORES] */
void cmd_zdiff(struct call *call) { reply_algebra(call, OPERATION_DIFF); }

/* ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] */
void cmd_zunionstore(struct call *call) { store_algebra(call, OPERATION_UNION, "zunionstore"); }

/* ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] */
void cmd_zinterstore(struct call *call) { store_algebra(call, OPERATION_INTER, "zinterstore"); }

/* ZDIFFSTORE destination numkeys key [key ...] */
void cmd_zdiffstore(struct call *call) { store_algebra(call, OPERATION_DIFF, "zdiffstore"); }

/* ZINTERCARD numkeys key [key ...] [LIMIT limit] */
void cmd_zintercard(struct call *call) {
    struct algebra algebra = {.operation = OPERATION_INTER, .counts = true};
    if (read_algebra(call, 1, &algebra)) {
        struct work work = {.algebra = &algebra};
        run(&work);
        reply_integer(call->reply, work.count);
    }
    mem_free(algebra.sources);
}
