/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that change members of a sorted set by name: ZADD, ZINCRBY, ZREM; and what all changes
 * of sorted sets end with. */
#include "base/mem.h"
#include "commands/collection.h"
#include "commands/zset_internal.h"

/* ---- ends of changes ---- */

void zset_changed(struct call *call, uint32_t key_arg, struct entry *entry, struct zset *zset,
                  const char *event) {
    if (unlikely(zset != entry_object(entry))) entry_set_object(entry, zset);
    collection_changed(call, call->argv[key_arg], entry, zset_count(zset), event);
}

void zset_drop_span(struct call *call, uint32_t key_arg, struct entry *entry, struct zset_span span,
                    const char *event) {
    struct zset *zset = zset_of(entry), *former;
    zset_remove_span(&zset, span, &former);
    if (former) keyspace_discard(call->db, entry, former);
    zset_changed(call, key_arg, entry, zset, event);
}

void zset_store(struct call *call, uint32_t key_arg, struct zset *zset, const char *event) {
    size_t count = zset_count(zset);
    if (count == 0) zset_destroy(zset);
    collection_store(call, key_arg, TYPE_ZSET, count ? zset : NULL, event);
    reply_integer(call->reply, (int64_t)count);
}

void zset_prefetch_members(const struct call *call, const struct zset *zset, uint32_t first,
                           uint32_t step) {
    struct zset_prefetched found[ZSET_WINDOW];
    if (call->argc - first <= step) return; /* nothing to overlap with */
    memset(found, 0, sizeof(found));
    for (unsigned pass = 0; pass < 2; pass++) {
        uint32_t arg = first;
        for (unsigned i = 0; i < ZSET_WINDOW && arg < call->argc; i++, arg += step)
            zset_prefetch(zset, call->argv[arg], pass, &found[i]);
    }
}

/* ---- adding ---- */

void zset_additions_alloc(struct zset_additions *adds) {
    adds->scores = adds->inline_scores;
    if (adds->count > ZSET_WINDOW) adds->scores = mem_alloc_array(adds->count, sizeof(double));
}

void zset_additions_deinit(struct zset_additions *adds) {
    if (adds->scores != adds->inline_scores) mem_free(adds->scores);
}

static uint32_t member_arg(const struct zset_additions *adds, uint32_t index) {
    return adds->first + adds->step * (index + 1) - 1;
}

static size_t longest_member(const struct call *call, const struct zset_additions *adds) {
    size_t longest = 0;
    for (uint32_t i = 0; i < adds->count; i++)
        longest = size_max(longest, call->argv[member_arg(adds, i)].size);
    return longest;
}

static void apply(struct call *call, struct zset_additions *adds, struct zset **zset) {
    for (uint32_t i = 0; i < adds->count; i++) {
        uint32_t arg = member_arg(adds, i);
        if (i % ZSET_WINDOW == 0) zset_prefetch_members(call, *zset, arg, adds->step);
        adds->score = adds->scores[i];
        adds->last =
            zset_add(zset, zset_limits_of(call), call->argv[arg], adds->flags, &adds->score);
        adds->added += adds->last == ZSET_NEW;
        adds->updated += adds->last == ZSET_UPDATED;
    }
}

bool zset_add_members(struct call *call, struct zset_additions *adds) {
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

/* ---- ZADD ---- */

/* Reads the words in front of the scores. */
static void read_flags(struct call *call, struct zset_additions *out) {
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
static bool check_flags(struct call *call, struct zset_additions *adds) {
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
static bool read_scores(struct call *call, struct zset_additions *adds) {
    zset_additions_alloc(adds);
    for (uint32_t i = 0; i < adds->count; i++) {
        if (!call_double(call, adds->first + 2 * i, &adds->scores[i])) return false;
    }
    return true;
}

/* ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...] */
void cmd_zadd(struct call *call) {
    struct zset_additions adds;
    zset_additions_init(&adds, 2);
    read_flags(call, &adds);
    if (!check_flags(call, &adds)) return;
    if (!read_scores(call, &adds) || !zset_add_members(call, &adds)) goto out;

    if (!(adds.flags & ZSET_ADD_INCREMENT)) {
        reply_integer(call->reply, zset_additions_counted(&adds));
    } else if (adds.last == ZSET_NOT_DONE) {
        reply_null(call->reply);
    } else {
        reply_double(call->reply, adds.score);
    }
out:
    zset_additions_deinit(&adds);
}

/* ZINCRBY key increment member */
void cmd_zincrby(struct call *call) {
    struct zset_additions adds;
    zset_additions_init(&adds, 2);
    adds.flags = ZSET_ADD_INCREMENT;
    read_flags(call, &adds); /* they are none here: then too few arguments are left */
    if (check_flags(call, &adds) && read_scores(call, &adds) && zset_add_members(call, &adds)) {
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
        if ((arg - 2) % ZSET_WINDOW == 0) zset_prefetch_members(call, zset, arg, 1);
        removed += zset_remove(&zset, call->argv[arg]);
    }
    if (removed) zset_changed(call, 1, entry, zset, "zrem");
    reply_integer(call->reply, (int64_t)removed);
}
