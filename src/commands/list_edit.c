/* SPDX-License-Identifier: BSD-3-Clause */
/* List commands that change elements in the middle. */
#include "commands/list_internal.h"

/* The list has changed and has elements. */
static void changed(struct call *call, struct entry *entry, void *list, const char *event) {
    entry_set_object(entry, list);
    keyspace_touched(call->db, call->argv[1]);
    keyspace_event(call->db, call->argv[1], EVENT_LIST, event);
}

/* LSET key index element */
void cmd_lset(struct call *call) {
    const struct list_limits limits = lists__limits(call);
    int64_t index;
    struct entry *entry;
    if (!call_find_write(call, 1, TYPE_LIST, &entry)) return;
    if (!entry) {
        call_error(call, ERROR_NO_SUCH_KEY);
        return;
    }
    if (!call_int(call, 2, &index)) return;
    void *list = entry_object(entry);
    if (!list_set(&list, index, call->argv[3], &limits)) {
        call_error(call, ERROR_INDEX_RANGE);
        return;
    }
    changed(call, entry, list, "lset");
    reply_ok(call->reply);
}

/* LINSERT key BEFORE | AFTER pivot element */
void cmd_linsert(struct call *call) {
    const struct list_limits limits = lists__limits(call);
    struct entry *entry;
    bool after = call_is(call, 2, "AFTER");
    if (!after && !call_is(call, 2, "BEFORE")) {
        call_error(call, ERROR_SYNTAX);
        return;
    }
    if (!call_find_write(call, 1, TYPE_LIST, &entry)) return;
    if (!entry) {
        reply_integer(call->reply, 0);
        return;
    }
    void *list = entry_object(entry);
    if (!list_insert(&list, call->argv[3], call->argv[4], after, &limits)) {
        reply_integer(call->reply, -1);
        return;
    }
    changed(call, entry, list, "linsert");
    reply_integer(call->reply, (int64_t)list_count(list));
}

/* LREM key count element -- count > 0: from the head; < 0: from the tail; 0: all. */
void cmd_lrem(struct call *call) {
    const struct list_limits limits = lists__limits(call);
    int64_t count;
    struct entry *entry;
    if (!call_int(call, 2, &count)) return;
    if (!call_find_write(call, 1, TYPE_LIST, &entry)) return;
    if (!entry) {
        reply_integer(call->reply, 0);
        return;
    }
    void *list = entry_object(entry);
    uint64_t most = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;
    if (most == 0 || most > SIZE_MAX) most = SIZE_MAX;
    size_t removed =
        list_remove(&list, count < 0 ? LIST_TAIL : LIST_HEAD, (size_t)most, call->argv[3], &limits);
    if (removed > 0) lists__removed(call, call->argv[1], entry, list, "lrem");
    reply_integer(call->reply, (int64_t)removed);
}

/* LTRIM key start stop */
void cmd_ltrim(struct call *call) {
    const struct list_limits limits = lists__limits(call);
    int64_t start, stop;
    struct entry *entry;
    if (!call_int(call, 2, &start) || !call_int(call, 3, &stop)) return;
    if (!call_find_write(call, 1, TYPE_LIST, &entry)) return;
    if (entry) {
        void *list = entry_object(entry);
        const struct list_window window = lists__window(list_count(list), start, stop);
        void *cut;
        list_trim(&list, window.first, window.count, &limits, &cut);
        if (cut) keyspace_discard(call->db, entry, cut);
        lists__removed(call, call->argv[1], entry, list, "ltrim");
    }
    reply_ok(call->reply);
}
