/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that change members of a sorted set by name: ZADD, ZINCRBY, ZREM; and what all changes
 * of sorted sets end with. */
#include "base/mem.h"
#include "commands/zset_internal.h"

enum { WINDOW = 16 }; /* members whose memory is waited for together */

/* ---- ends of changes ---- */

void zset_changed(struct call *call, uint32_t key_arg, struct entry *entry, struct zset *zset,
                  const char *event) {
    struct bytes key = call->argv[key_arg];
    if (unlikely(zset != entry_object(entry))) entry_set_object(entry, zset);
    if (likely(zset_count(zset) > 0)) {
        keyspace_touched(call->db, key);
        keyspace_event(call->db, key, EVENT_ZSET, event);
        return;
    }
    keyspace_event(call->db, key, EVENT_ZSET, event);
    keyspace_remove(call->db, entry, KEY_DELETED);
    keyspace_event(call->db, key, EVENT_GENERIC, "del");
}

void zset_store(struct call *call, uint32_t key_arg, struct zset *zset, const char *event) {
    struct bytes key = call->argv[key_arg];
    struct entry *old = call_peek_write(call, key_arg);
    size_t count = zset_count(zset);
    if (count) {
        (void)keyspace_store_object(call->db, old, key, call_hash(call, key_arg), TYPE_ZSET, zset);
        keyspace_event(call->db, key, EVENT_ZSET, event);
    } else {
        zset_destroy(zset);
        if (old) {
            keyspace_remove(call->db, old, KEY_DELETED);
            keyspace_event(call->db, key, EVENT_GENERIC, "del");
        }
    }
    reply_integer(call->reply, (int64_t)count);
}

/* Before members at `first`, first + step, ... are looked up: waits for up to WINDOW of them. */
static void prefetch_members(const struct call *call, const struct zset *zset, uint32_t first,
                             uint32_t step) {
    if (call->argc - first <= step) return; /* nothing to overlap with */
    for (unsigned pass = 0; pass < 2; pass++) {
        uint32_t arg = first;
        for (unsigned i = 0; i < WINDOW && arg < call->argc; i++, arg += step)
            zset_prefetch(zset, call->argv[arg], pass);
    }
}

/* ---- ZADD ---- */

struct additions {
    unsigned flags;  /* enum zset_add_flag */
    bool counts_all; /* CH */
    uint32_t first;  /* argument: score, member, score, member ... */
    double *scores;  /* inline_scores, or allocated */
    uint32_t count;  /* of pairs */
    size_t added, updated;
    enum zset_added last; /* what became of the last pair, and its score */
    double score;
    double inline_scores[WINDOW];
};

/* Reads the words in front of the scores. */
static void read_flags(struct call *call, struct additions *out) {
    uint32_t arg = 2;
    for (; arg < call->argc; arg++) {
        if (call_is(call, arg, "NX")) {
            out->flags |= ZSET_ADD_NX;
        } else if (call_is(call, arg, "XX")) {
            out->flags |= ZSET_ADD_XX;
        } else if (call_is(call, arg, "GT")) {
            out->flags |= ZSET_ADD_GT;
        } else if (call_is(call, arg, "LT")) {
            out->flags |= ZSET_ADD_LT;
        } else if (call_is(call, arg, "CH")) {
            out->counts_all = true;
        } else if (call_is(call, arg, "INCR")) {
            out->flags |= ZSET_ADD_INCREMENT;
        } else {
            break;
        }
    }
    out->first = arg;
}

/* False: the flags contradict each other, or the number of arguments; it has replied. */
static bool check_flags(struct call *call, struct additions *adds) {
    unsigned flags = adds->flags;
    uint32_t left = call->argc - adds->first;
    unsigned exclusive =
        !!(flags & ZSET_ADD_NX) + !!(flags & ZSET_ADD_GT) + !!(flags & ZSET_ADD_LT);
    if (left == 0 || left % 2 != 0) {
        call_error(call, ERROR_SYNTAX);
    } else if (flags & ZSET_ADD_NX && flags & ZSET_ADD_XX) {
        call_error(call, ERROR_ZADD_NX_XX);
    } else if (exclusive > 1) {
        call_error(call, ERROR_ZADD_GT_LT_NX);
    } else if (flags & ZSET_ADD_INCREMENT && left > 2) {
        call_error(call, ERROR_ZADD_INCR_PAIR);
    } else {
        adds->count = left / 2;
        return true;
    }
    return false;
}

/* Reads all scores before anything changes. */
static bool read_scores(struct call *call, struct additions *adds) {
    adds->scores = adds->inline_scores;
    if (adds->count > WINDOW) adds->scores = mem_alloc_array(adds->count, sizeof(double));
    for (uint32_t i = 0; i < adds->count; i++) {
        if (!call_double(call, adds->first + 2 * i, &adds->scores[i])) return false;
    }
    return true;
}

static size_t longest_member(const struct call *call, const struct additions *adds) {
    size_t longest = 0;
    for (uint32_t i = 0; i < adds->count; i++)
        longest = size_max(longest, call->argv[adds->first + 2 * i + 1].size);
    return longest;
}

static void apply(struct call *call, struct additions *adds, struct zset **zset) {
    for (uint32_t i = 0; i < adds->count; i++) {
        uint32_t arg = adds->first + 2 * i + 1;
        if (i % WINDOW == 0) prefetch_members(call, *zset, arg, 2);
        adds->score = adds->scores[i];
        adds->last =
            zset_add(zset, zset_limits_of(call), call->argv[arg], adds->flags, &adds->score);
        adds->added += adds->last == ZSET_NEW;
        adds->updated += adds->last == ZSET_UPDATED;
    }
}

/* Makes the change at the key of argument 1. False: it has replied with an error. */
static bool add_members(struct call *call, struct additions *adds) {
    const char *event = adds->flags & ZSET_ADD_INCREMENT ? "zincr" : "zadd";
    const struct zset_limits *limits = zset_limits_of(call);
    struct entry *entry;
    if (!call_find_write(call, 1, TYPE_ZSET, &entry)) return false;
    struct zset *zset = zset_of(entry);
    if (entry) {
        if (zset_listpack(zset)) {
            zset_expect(&zset, limits, adds->count, longest_member(call, adds));
            entry_set_object(entry, zset);
        }
        apply(call, adds, &zset);
        if (zset != entry_object(entry)) entry_set_object(entry, zset);
        if (adds->added || adds->updated) zset_changed(call, 1, entry, zset, event);
    } else if (!(adds->flags & ZSET_ADD_XX)) {
        zset = zset_create(limits, adds->count, longest_member(call, adds));
        apply(call, adds, &zset);
        (void)keyspace_add_object(call->db, call->argv[1], call_hash(call, 1), TYPE_ZSET, zset);
        keyspace_event(call->db, call->argv[1], EVENT_ZSET, event);
    }
    if (unlikely(adds->last == ZSET_NAN)) {
        call_error(call, ERROR_SCORE_NAN);
        return false;
    }
    return true;
}

/* ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...] */
void cmd_zadd(struct call *call) {
    struct additions adds;
    adds.flags = 0;
    adds.counts_all = false;
    adds.added = adds.updated = 0;
    adds.last = ZSET_NOT_DONE;
    read_flags(call, &adds);
    if (!check_flags(call, &adds)) return;
    if (!read_scores(call, &adds) || !add_members(call, &adds)) goto out;

    if (!(adds.flags & ZSET_ADD_INCREMENT)) {
        reply_integer(call->reply,
                      (int64_t)(adds.counts_all ? adds.added + adds.updated : adds.added));
    } else if (adds.last == ZSET_NOT_DONE) {
        reply_null(call->reply);
    } else {
        reply_double(call->reply, adds.score);
    }
out:
    if (adds.scores != adds.inline_scores) mem_free(adds.scores);
}

/* ZINCRBY key increment member */
void cmd_zincrby(struct call *call) {
    struct additions adds;
    adds.flags = ZSET_ADD_INCREMENT;
    adds.counts_all = false;
    adds.added = adds.updated = 0;
    read_flags(call, &adds); /* they are none here: then too few arguments are left */
    if (check_flags(call, &adds) && read_scores(call, &adds) && add_members(call, &adds)) {
        reply_double(call->reply, adds.score);
    }
}

/* ---- ZREM ---- */

/* ZREM key member [member ...] */
void cmd_zrem(struct call *call) {
    struct entry *entry;
    if (!call_find_write(call, 1, TYPE_ZSET, &entry)) return;
    struct zset *zset = zset_of(entry);
    size_t removed = 0;
    for (uint32_t arg = 2; zset && arg < call->argc; arg++) {
        if ((arg - 2) % WINDOW == 0) prefetch_members(call, zset, arg, 1);
        removed += zset_remove(&zset, call->argv[arg]);
    }
    if (removed) zset_changed(call, 1, entry, zset, "zrem");
    reply_integer(call->reply, (int64_t)removed);
}
