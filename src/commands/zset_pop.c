/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that take members from either end of a sorted set, and wait for one. */
#include "base/check.h"
#include "commands/zset_internal.h"
#include "exec/block.h"

enum end { END_MIN = 0, END_MAX };

enum pair_form {
    PAIRS_FLAT = 0, /* member, score, member, score ... */
    PAIRS_NESTED,
};

/* Replies with up to count pairs from that end, and removes them. The array's header is the
 * caller's. */
static void pop(struct call *call, uint32_t key_arg, struct entry *entry, enum end end,
                size_t count, enum pair_form form) {
    const struct zset *zset = zset_of(entry);
    size_t all = zset_count(zset);
    check(count >= 1 && count <= all);
    struct zset_iter iter;
    struct zset_item item;
    zset_iter_init(&iter, zset, end == END_MIN ? 0 : all - 1, end == END_MAX);
    for (size_t i = 0; i < count && zset_iter_next(&iter, &item); i++) {
        if (form == PAIRS_NESTED) reply_array(call->reply, 2);
        reply_bulk(call->reply, item.member);
        reply_double(call->reply, item.score);
    }
    struct zset_span span = {.first = end == END_MIN ? 0 : all - count, .count = count};
    zset_drop_span(call, key_arg, entry, span, end == END_MIN ? "zpopmin" : "zpopmax");
}

/* ---- ZPOPMIN, ZPOPMAX ---- */

static void pop_key(struct call *call, enum end end) {
    int64_t wanted = 1;
    struct entry *entry;
    bool has_count = call->argc > 2;
    if (call->argc > 3) {
        call_error(call, ERROR_SYNTAX);
        return;
    }
    if (has_count && !call_int_range(call, 2, 0, INT64_MAX, ERROR_MUST_BE_POSITIVE, &wanted)) {
        return;
    }
    if (!call_find_write(call, 1, TYPE_ZSET, &entry)) return;
    size_t count = 0;
    if (entry) count = size_min((size_t)wanted, zset_count(zset_of(entry)));
    bool nests = has_count && call->reply->resp == 3;
    reply_array(call->reply, nests ? count : 2 * count);
    if (count) pop(call, 1, entry, end, count, nests ? PAIRS_NESTED : PAIRS_FLAT);
}

/* ZPOPMIN key [count] */
void cmd_zpopmin(struct call *call) { pop_key(call, END_MIN); }

/* ZPOPMAX key [count] */
void cmd_zpopmax(struct call *call) { pop_key(call, END_MAX); }

/* ---- several keys ---- */

/* The first of the keys that holds a sorted set: its argument; 0: none does. False: one that comes
 * before it is of another type, and it has replied. */
static bool find_first(struct call *call, uint32_t first, uint32_t count, uint32_t *arg,
                       struct entry **entry) {
    *arg = 0;
    for (uint32_t i = first; i < first + count; i++) {
        if (!call_find_write(call, i, TYPE_ZSET, entry)) return false;
        if (!*entry) continue;
        *arg = i;
        break;
    }
    return true;
}

struct multi_pop {
    uint32_t first, count; /* keys */
    enum end end;
    int64_t wanted; /* members */
};

/* numkeys key [key ...] MIN|MAX [COUNT count] from argument `at` on. False: it has replied. */
static bool read_multi_pop(struct call *call, uint32_t at, struct multi_pop *out) {
    int64_t keys;
    *out = (struct multi_pop){.first = at + 1, .wanted = 1};
    if (!call_int_range(call, at, 1, INT64_MAX, ERROR_NUMKEYS_POSITIVE, &keys)) return false;
    uint32_t left = call->argc - at - 1;
    if (keys >= left) {
        call_error(call, ERROR_SYNTAX);
        return false;
    }
    out->count = (uint32_t)keys;
    uint32_t where = at + 1 + out->count;
    uint32_t extra = call->argc - where - 1;
    bool is_max = call_is(call, where, "MAX");
    bool has_count = extra >= 2 && call_is(call, where + 1, "COUNT");
    bool has_end = is_max || call_is(call, where, "MIN");
    if (has_end && has_count &&
        !call_int_range(call, where + 2, 1, INT64_MAX, ERROR_COUNT_POSITIVE, &out->wanted)) {
        return false;
    }
    out->end = is_max ? END_MAX : END_MIN;
    if (has_end && extra == (has_count ? 2 : 0)) return true;
    call_error(call, ERROR_SYNTAX);
    return false;
}

static void reply_multi_pop(struct call *call, const struct multi_pop *what, uint32_t arg,
                            struct entry *entry) {
    size_t count = size_min((size_t)what->wanted, zset_count(zset_of(entry)));
    reply_array(call->reply, 2);
    reply_bulk(call->reply, call->argv[arg]);
    reply_array(call->reply, count);
    pop(call, arg, entry, what->end, count, PAIRS_NESTED);
}

/* ZMPOP numkeys key [key ...] MIN|MAX [COUNT count] */
void cmd_zmpop(struct call *call) {
    struct multi_pop what;
    uint32_t arg;
    struct entry *entry;
    if (!read_multi_pop(call, 1, &what)) return;
    if (!find_first(call, what.first, what.count, &arg, &entry)) return;
    if (arg) {
        reply_multi_pop(call, &what, arg, entry);
    } else {
        reply_null_array(call->reply);
    }
}

/* ---- waiting ---- */

static void wait_for(struct call *call, uint32_t first, uint32_t count, int64_t timeout_ms) {
    const struct block_request wait = {
        .first_key = first, .key_count = count, .type = TYPE_ZSET, .timeout_ms = timeout_ms};
    if (!call_block(call, &wait)) reply_null_array(call->reply);
}

static void pop_or_wait(struct call *call, enum end end) {
    uint32_t keys = call->argc - 2, arg;
    int64_t timeout_ms;
    struct entry *entry;
    if (!call_timeout_seconds(call, call->argc - 1, &timeout_ms)) return;
    if (!find_first(call, 1, keys, &arg, &entry)) return;
    if (!arg) {
        wait_for(call, 1, keys, timeout_ms);
        return;
    }
    reply_array(call->reply, 3);
    reply_bulk(call->reply, call->argv[arg]);
    pop(call, arg, entry, end, 1, PAIRS_FLAT);
}

/* BZPOPMIN key [key ...] timeout */
void cmd_bzpopmin(struct call *call) { pop_or_wait(call, END_MIN); }

/* BZPOPMAX key [key ...] timeout */
void cmd_bzpopmax(struct call *call) { pop_or_wait(call, END_MAX); }

/* BZMPOP timeout numkeys key [key ...] MIN|MAX [COUNT count] */
void cmd_bzmpop(struct call *call) {
    struct multi_pop what;
    int64_t timeout_ms;
    uint32_t arg;
    struct entry *entry;
    if (!call_timeout_seconds(call, 1, &timeout_ms)) return;
    if (!read_multi_pop(call, 2, &what)) return;
    if (!find_first(call, what.first, what.count, &arg, &entry)) return;
    if (arg) {
        reply_multi_pop(call, &what, arg, entry);
    } else {
        wait_for(call, what.first, what.count, timeout_ms);
    }
}
