/* SPDX-License-Identifier: BSD-3-Clause */
/* List commands that work at the ends: pushes, pops, LMPOP. And what all list commands share. */
#include "base/check.h"
#include "commands/collection.h"
#include "commands/list_internal.h"

/* ---- shared ---- */

bool lists__end(struct call *call, uint32_t arg, enum list_end *out) {
    if (call_is(call, arg, "LEFT")) {
        *out = LIST_HEAD;
    } else if (call_is(call, arg, "RIGHT")) {
        *out = LIST_TAIL;
    } else {
        call_error(call, ERROR_SYNTAX);
        return false;
    }
    return true;
}

void lists__reply_item(struct reply *reply, const struct list_item *item) {
    if (item->blob) {
        reply_blob(reply, item->blob);
    } else if (item->value.data) {
        reply_bulk(reply, bytes_make(item->value.data, item->value.size));
    } else {
        reply_bulk_i64(reply, item->value.integer);
    }
}

void lists__removed(struct call *call, struct bytes key, struct entry *entry, void *list,
                    const char *event) {
    entry_set_object(entry, list);
    collection_changed(call, key, entry, list_count(list), event);
}

void lists__pop_one(struct call *call, struct bytes key, struct entry *entry, enum list_end end) {
    const struct list_limits limits = lists__limits(call);
    void *list = entry_object(entry);
    struct list_item item;
    check(list_peek(list, end, &item)); /* no key has an empty list */
    lists__reply_item(call->reply, &item);
    list_drop(&list, end, 1, &limits);
    lists__removed(call, key, entry, list, lists__pop_event(end));
}

void lists__pop_many(struct call *call, struct bytes key, struct entry *entry, enum list_end end,
                     size_t count) {
    const struct list_limits limits = lists__limits(call);
    void *list = entry_object(entry);
    struct list_iter iter;
    struct list_item item;
    size_t total = list_count(list);
    count = size_min(count, total);
    reply_array(call->reply, count);
    list_iter_init(&iter, list, end == LIST_HEAD ? 0 : total - 1, end);
    for (size_t i = 0; i < count && list_iter_next(&iter, &item); i++)
        lists__reply_item(call->reply, &item);
    list_iter_deinit(&iter);
    list_drop(&list, end, count, &limits);
    lists__removed(call, key, entry, list, lists__pop_event(end));
}

static inline void prefetch(const struct entry *entry, enum list_end end, unsigned step) {
    if (entry_type(entry) == TYPE_LIST) list_prefetch(entry_object(entry), end, step);
}

void lists__prefetch_head(const struct entry *entry, const struct bytes *argv, uint32_t argc,
                          struct command_prefetch *at) {
    (void)argv, (void)argc;
    prefetch(entry, LIST_HEAD, at->step);
}

void lists__prefetch_tail(const struct entry *entry, const struct bytes *argv, uint32_t argc,
                          struct command_prefetch *at) {
    (void)argv, (void)argc;
    prefetch(entry, LIST_TAIL, at->step);
}

/* ---- pushes ---- */

static void push_arg(struct call *call, void **list, enum list_end end, uint32_t arg,
                     const struct list_limits *limits) {
    /* A blob is taken only if the list keeps it: argv points into it until the call ends. */
    struct blob *blob = NULL;
    if (unlikely(call->argv[arg].size > limits->bytes)) blob = call_take_blob(call, arg);
    if (blob) {
        list_push_blob(list, end, blob, limits);
    } else {
        list_push(list, end, call->argv[arg], limits);
    }
}

static inline void push(struct call *call, enum list_end end, bool only_existing) {
    const struct list_limits limits = lists__limits(call);
    struct entry *entry;
    if (!call_find_write(call, 1, TYPE_LIST, &entry)) return;
    if (!entry && only_existing) {
        reply_integer(call->reply, 0);
        return;
    }
    size_t bytes = 0;
    for (uint32_t arg = 2; arg < call->argc; arg++)
        bytes += call->argv[arg].size;
    void *list = entry ? entry_object(entry) : list_create(call->argc == 3 ? bytes : 0);
    list_expect(&list, call->argc - 2, bytes, &limits);
    for (uint32_t arg = 2; arg < call->argc; arg++)
        push_arg(call, &list, end, arg, &limits);

    if (entry) {
        entry_set_object(entry, list);
        keyspace_touched(call->db, call->argv[1]);
    } else {
        (void)keyspace_add_object(call->db, call->argv[1], call_hash(call, 1), TYPE_LIST, list);
    }
    keyspace_event(call->db, call->argv[1], EVENT_LIST, lists__push_event(end));
    reply_integer(call->reply, (int64_t)list_count(list));
}

/* LPUSH key element [element ...] */
void cmd_lpush(struct call *call) { push(call, LIST_HEAD, false); }

/* RPUSH key element [element ...] */
void cmd_rpush(struct call *call) { push(call, LIST_TAIL, false); }

/* LPUSHX key element [element ...] */
void cmd_lpushx(struct call *call) { push(call, LIST_HEAD, true); }

/* RPUSHX key element [element ...] */
void cmd_rpushx(struct call *call) { push(call, LIST_TAIL, true); }

/* ---- pops ---- */

static void pop_counted(struct call *call, enum list_end end) {
    int64_t count;
    struct entry *entry;
    if (!call_int_range(call, 2, 0, INT64_MAX, ERROR_MUST_BE_POSITIVE, &count)) return;
    if (!call_find_write(call, 1, TYPE_LIST, &entry)) return;
    if (!entry) {
        reply_null_array(call->reply);
    } else if (count == 0) {
        reply_array(call->reply, 0);
    } else {
        lists__pop_many(call, call->argv[1], entry, end, (size_t)i64_min(count, INT32_MAX));
    }
}

static inline void pop(struct call *call, enum list_end end) {
    struct entry *entry;
    if (call->argc > 3) {
        call_error_arity(call);
        return;
    }
    if (call->argc == 3) {
        pop_counted(call, end);
        return;
    }
    if (!call_find_write(call, 1, TYPE_LIST, &entry)) return;
    if (entry) {
        lists__pop_one(call, call->argv[1], entry, end);
    } else {
        reply_null(call->reply);
    }
}

/* LPOP key [count] */
void cmd_lpop(struct call *call) { pop(call, LIST_HEAD); }

/* RPOP key [count] */
void cmd_rpop(struct call *call) { pop(call, LIST_TAIL); }

/* ---- LMPOP ---- */

bool lists__read_mpop(struct call *call, uint32_t arg, struct list_mpop *out) {
    int64_t keys;
    *out = (struct list_mpop){.first_key = arg + 1, .count = 1};
    if (!call_int_range(call, arg, 1, INT64_MAX, ERROR_NUMKEYS_POSITIVE, &keys)) return false;
    if (keys > call->argc - arg - 2) {
        call_error(call, ERROR_SYNTAX);
        return false;
    }
    out->key_count = (uint32_t)keys;
    arg = out->first_key + out->key_count;
    if (!lists__end(call, arg++, &out->end)) return false;
    if (arg == call->argc) return true;
    if (arg + 2 != call->argc || !call_is(call, arg, "COUNT")) {
        call_error(call, ERROR_SYNTAX);
        return false;
    }
    return call_int_range(call, arg + 1, 1, INT64_MAX, ERROR_COUNT_POSITIVE, &out->count);
}

bool lists__mpop(struct call *call, const struct list_mpop *mpop) {
    for (uint32_t i = 0; i < mpop->key_count; i++) {
        struct bytes key = call->argv[mpop->first_key + i];
        struct entry *entry;
        if (!call_find_write(call, mpop->first_key + i, TYPE_LIST, &entry)) return true;
        if (!entry) continue;
        reply_array(call->reply, 2);
        reply_bulk(call->reply, key);
        lists__pop_many(call, key, entry, mpop->end, (size_t)i64_min(mpop->count, INT32_MAX));
        return true;
    }
    return false;
}

/* LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count] */
void cmd_lmpop(struct call *call) {
    struct list_mpop mpop;
    if (!lists__read_mpop(call, 1, &mpop)) return;
    if (!lists__mpop(call, &mpop)) reply_null_array(call->reply);
}
