/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that read a sorted set by member: ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK, ZSCAN. */
#include "base/check.h"
#include "base/mem.h"
#include "commands/scan_options.h"
#include "commands/zset_internal.h"

enum { FOUND_MIN = 16 };

/* ---- prefetch ---- */

static struct zset_prefetched found_by(const struct command_prefetch *at) {
    return (struct zset_prefetched){.hash = at->numbers[0],
                                    .key = at->numbers[1],
                                    .element = at->found[0],
                                    .leaf = at->found[1],
                                    .place = at->found[2]};
}

static void keep_found(struct command_prefetch *at, const struct zset_prefetched *found) {
    at->numbers[0] = found->hash;
    at->numbers[1] = found->key;
    at->found[0] = found->element;
    at->found[1] = found->leaf;
    at->found[2] = found->place;
}

static void prefetch_member(const struct entry *entry, struct bytes member,
                            struct command_prefetch *at) {
    if (entry_type(entry) != TYPE_ZSET) return;
    struct zset_prefetched found = found_by(at);
    zset_prefetch(entry_object(entry), member, at->step, &found);
    keep_found(at, &found);
}

void zset_prefetch_last(const struct entry *entry, const struct bytes *argv, uint32_t argc,
                        struct command_prefetch *at) {
    prefetch_member(entry, argv[argc - 1], at);
}

void zset_prefetch_second(const struct entry *entry, const struct bytes *argv, uint32_t argc,
                          struct command_prefetch *at) {
    if (argc > 2) prefetch_member(entry, argv[2], at);
}

void zset_prefetch_addition(const struct entry *entry, const struct bytes *argv, uint32_t argc,
                            struct command_prefetch *at) {
    if (entry_type(entry) != TYPE_ZSET) return;
    struct zset_prefetched found = found_by(at);
    double score;
    if (at->step > 0) {
        zset_prefetch_at_place(at->step, &found);
    } else if (num_parse_double(argv[argc - 2], &score)) {
        zset_prefetch_place(entry_object(entry), score, &found);
    }
    zset_prefetch(entry_object(entry), argv[argc - 1], at->step, &found);
    keep_found(at, &found);
}

/* ---- by member ---- */

/* ZCARD key */
void cmd_zcard(struct call *call) {
    struct entry *entry;
    if (!call_find_or_null(call, 1, TYPE_ZSET, &entry)) return;
    reply_integer(call->reply, entry ? (int64_t)zset_count(zset_of(entry)) : 0);
}

/* ZSCORE key member */
void cmd_zscore(struct call *call) {
    struct entry *entry;
    double score;
    if (!call_find(call, 1, TYPE_ZSET, &entry)) return;
    if (zset_score(zset_of(entry), call->argv[2], &score)) {
        reply_double(call->reply, score);
    } else {
        reply_null(call->reply);
    }
}

/* ZMSCORE key member [member ...] */
void cmd_zmscore(struct call *call) {
    struct entry *entry;
    double score;
    if (!call_find_or_null(call, 1, TYPE_ZSET, &entry)) return;
    const struct zset *zset = zset_of(entry);
    reply_array(call->reply, call->argc - 2);
    for (uint32_t from = 2; from < call->argc; from += ZSET_WINDOW) {
        uint32_t end = call->argc - from < ZSET_WINDOW ? call->argc : from + ZSET_WINDOW;
        if (zset) zset_prefetch_members(call, zset, from, 1);
        for (uint32_t arg = from; arg < end; arg++) {
            if (zset && zset_score(zset, call->argv[arg], &score)) {
                reply_double(call->reply, score);
            } else {
                reply_null(call->reply);
            }
        }
    }
}

static void reply_rank(struct call *call, bool from_end) {
    bool with_score = call->argc > 3;
    struct entry *entry;
    size_t rank;
    double score;
    if (call->argc > 4) {
        call_error_arity(call);
        return;
    }
    if (with_score && !call_is(call, 3, "WITHSCORE")) {
        call_error(call, ERROR_SYNTAX);
        return;
    }
    if (!call_find_or_null(call, 1, TYPE_ZSET, &entry)) return;
    const struct zset *zset = zset_of(entry);
    if (!zset || !zset_rank(zset, call->argv[2], &rank, &score)) {
        if (with_score) {
            reply_null_array(call->reply);
        } else {
            reply_null(call->reply);
        }
        return;
    }
    if (from_end) rank = zset_count(zset) - 1 - rank;
    if (with_score) reply_array(call->reply, 2);
    reply_integer(call->reply, (int64_t)rank);
    if (with_score) reply_double(call->reply, score);
}

/* ZRANK key member [WITHSCORE] */
void cmd_zrank(struct call *call) { reply_rank(call, false); }

/* ZREVRANK key member [WITHSCORE] */
void cmd_zrevrank(struct call *call) { reply_rank(call, true); }

/* ---- ZSCAN ---- */

enum { BUCKETS_PER_COUNT = 10 };

struct scan {
    struct call *call;
    const struct scan_options *options;
    bool packed;  /* items are replied at once: their bytes do not last */
    int64_t seen; /* members looked at */
    struct zset_item *found;
    size_t found_count, found_cap;
};

static void reply_found(const struct scan *scan, const struct zset_item *item) {
    struct reply *reply = scan->call->reply;
    reply_bulk(reply, item->member);
    if (scan->options->given & SCAN_NOSCORES) return;
    if (scan->packed) {
        char text[NUM_DOUBLE_TEXT_MAX];
        reply_bulk(reply, bytes_make(text, num_format_double(text, item->score)));
    } else {
        reply_bulkf(reply, "%.17g", item->score); /* clients know it like this from a table */
    }
}

static void scan_visit(void *ctx, const struct zset_item *item) {
    struct scan *scan = ctx;
    scan->seen++;
    if (!scan_wants(scan->options, item->member)) return;
    if (scan->packed) {
        scan->found_count++;
        reply_found(scan, item);
        return;
    }
    if (scan->found_count == scan->found_cap) {
        scan->found_cap = size_max(FOUND_MIN, 2 * scan->found_cap);
        scan->found = mem_realloc(scan->found, scan->found_cap * sizeof(*scan->found));
    }
    scan->found[scan->found_count++] = *item;
}

static void scan_packed(struct scan *scan, struct zset *zset) {
    scan->packed = true;
    scan_reply_head(scan->call->reply, 0);
    struct reply_mark mark = reply_defer(scan->call->reply);
    uint64_t next = zset_scan(zset, 0, scan_visit, scan);
    check(next == 0);
    size_t each = scan->options->given & SCAN_NOSCORES ? 1 : 2;
    reply_defer_array(scan->call->reply, mark, each * scan->found_count);
}

static void scan_table(struct scan *scan, struct zset *zset, uint64_t cursor) {
    int64_t steps = scan->options->count;
    if (!num_mul_i64(steps, BUCKETS_PER_COUNT, &steps)) steps = INT64_MAX;
    do {
        cursor = zset_scan(zset, cursor, scan_visit, scan);
        steps--;
    } while (cursor != 0 && steps > 0 && scan->seen < scan->options->count);

    size_t each = scan->options->given & SCAN_NOSCORES ? 1 : 2;
    scan_reply_head(scan->call->reply, cursor);
    reply_array(scan->call->reply, each * scan->found_count);
    for (size_t i = 0; i < scan->found_count; i++)
        reply_found(scan, &scan->found[i]);
    mem_free(scan->found);
}

/* ZSCAN key cursor [MATCH pattern] [COUNT count] [NOSCORES] */
void cmd_zscan(struct call *call) {
    struct scan_options options;
    uint64_t cursor;
    struct entry *entry;
    if (!scan_read_cursor(call, 2, &cursor)) return;
    if (!call_find_or_null(call, 1, TYPE_ZSET, &entry)) return;
    if (!entry) {
        scan_reply_nothing(call->reply);
        return;
    }
    if (!scan_options_read(call, 3, SCAN_NOSCORES, &options)) return;
    struct scan scan = {.call = call, .options = &options};
    struct zset *zset = zset_of(entry);
    if (zset_listpack(zset)) {
        scan_packed(&scan, zset);
    } else {
        scan_table(&scan, zset, cursor);
    }
}
