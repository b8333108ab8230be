/* SPDX-License-Identifier: BSD-3-Clause */
/* list_internal -- what the list commands share. */
#pragma once

#include "exec/call.h"
#include "types/list.h"

/* ---- what all of them do ---- */
static inline struct list_limits lists__limits(const struct call *call) {
    const struct exec_config *config = call->exec->config;
    struct list_limits limits =
        list_limits_of(config->list_max_listpack_size, call->exec->list_plain_bytes);
    limits.compress_depth = (size_t)config->list_compress_depth;
    return limits;
}
static inline const char *lists__pop_event(enum list_end end) {
    return end == LIST_HEAD ? "lpop" : "rpop";
}
static inline const char *lists__push_event(enum list_end end) {
    return end == LIST_HEAD ? "lpush" : "rpush";
}
/* LEFT or RIGHT; replies with the error and returns false if it is neither. */
must_use bool lists__end(struct call *call, uint32_t arg, enum list_end *out);
struct list_window {
    size_t first, count;
};
/* The elements from start to stop, both included, negative ones from the end. */
static inline struct list_window lists__window(size_t size, int64_t start, int64_t stop) {
    int64_t count = (int64_t)size;
    if (start < 0) start = i64_max(start + count, 0);
    if (stop < 0) stop += count;
    stop = i64_min(stop, count - 1);
    if (start > stop) return (struct list_window){0};
    return (struct list_window){.first = (size_t)start, .count = (size_t)(stop - start + 1)};
}
void lists__reply_item(struct reply *reply, const struct list_item *item);
/* To be called when elements were removed: puts the list back into its entry, or removes the key
 * with its last element; tells observers, with this event first. */
void lists__removed(struct call *call, struct bytes key, struct entry *entry, void *list,
                    const char *event);
/* Replies with up to count elements from this end, as an array, and removes them. */
void lists__pop_many(struct call *call, struct bytes key, struct entry *entry, enum list_end end,
                     size_t count);
/* Replies with one element and removes it. */
void lists__pop_one(struct call *call, struct bytes key, struct entry *entry, enum list_end end);

struct list_move {
    enum list_end from, to;
};
/* LMOVE from argument 1 to argument 2, with the reply. False: there is nothing to move, and no
 * reply was given. */
must_use bool lists__move(struct call *call, const struct list_move *move);

struct list_mpop { /* numkeys key ... LEFT | RIGHT [COUNT count] */
    uint32_t first_key, key_count;
    enum list_end end;
    int64_t count;
};
/* Reads it from the argument numkeys on; replies with the error and returns false. */
must_use bool lists__read_mpop(struct call *call, uint32_t arg, struct list_mpop *out);
/* Pops from the first list that has elements, with the reply. False: none has, no reply. */
must_use bool lists__mpop(struct call *call, const struct list_mpop *mpop);

/* ---- prefetch: what each end of a list needs ---- */
void lists__prefetch_head(const struct entry *entry, const struct bytes *argv, uint32_t argc,
                          struct command_prefetch *at);
void lists__prefetch_tail(const struct entry *entry, const struct bytes *argv, uint32_t argc,
                          struct command_prefetch *at);

void cmd_blmove(struct call *call);
void cmd_blmpop(struct call *call);
void cmd_blpop(struct call *call);
void cmd_brpop(struct call *call);
void cmd_brpoplpush(struct call *call);
void cmd_lindex(struct call *call);
void cmd_linsert(struct call *call);
void cmd_llen(struct call *call);
void cmd_lmove(struct call *call);
void cmd_lmpop(struct call *call);
void cmd_lpop(struct call *call);
void cmd_lpos(struct call *call);
void cmd_lpush(struct call *call);
void cmd_lpushx(struct call *call);
void cmd_lrange(struct call *call);
void cmd_lrem(struct call *call);
void cmd_lset(struct call *call);
void cmd_ltrim(struct call *call);
void cmd_rpop(struct call *call);
void cmd_rpoplpush(struct call *call);
void cmd_rpush(struct call *call);
void cmd_rpushx(struct call *call);
