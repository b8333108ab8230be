/* SPDX-License-Identifier: BSD-3-Clause */
/* LMOVE and RPOPLPUSH: an element goes from one list's end to another's. */
#include "base/buf.h"
#include "base/check.h"
#include "commands/list_internal.h"

/* Takes the element off and puts it on, where both are one list. */
static void rotate(struct call *call, struct entry *entry, const struct list_move *move) {
    const struct list_limits limits = lists__limits(call);
    void *list = entry_object(entry);
    struct list_item item;
    check(list_peek(list, move->from, &item)); /* no key has an empty list */
    lists__reply_item(call->reply, &item);
    if (move->from != move->to && list_count(list) > 1) {
        char scratch[NUM_I64_TEXT_MAX];
        struct blob *blob = item.blob ? blob_retain(item.blob) : NULL;
        struct buf copy = {0};
        if (!blob) buf_add(&copy, listpack_value_bytes(&item.value, scratch));
        list_drop(&list, move->from, 1, &limits);
        if (blob) {
            list_push_blob(&list, move->to, blob, &limits);
        } else {
            list_push(&list, move->to, buf_bytes(&copy), &limits);
        }
        buf_deinit(&copy);
        entry_set_object(entry, list);
    }
    keyspace_touched(call->db, call->argv[1]);
    keyspace_event(call->db, call->argv[1], EVENT_LIST, lists__push_event(move->to));
    keyspace_event(call->db, call->argv[1], EVENT_LIST, lists__pop_event(move->from));
}

/* Puts the item, of another list, on the list that argument 2 names; target may be NULL. */
static void push_item(struct call *call, struct entry *target, const struct list_item *item,
                      enum list_end end) {
    const struct list_limits limits = lists__limits(call);
    char scratch[NUM_I64_TEXT_MAX];
    void *list = target ? entry_object(target) : list_create(0);
    if (item->blob) {
        list_push_blob(&list, end, blob_retain(item->blob), &limits);
    } else {
        list_push(&list, end, listpack_value_bytes(&item->value, scratch), &limits);
    }
    if (target) {
        entry_set_object(target, list);
        keyspace_touched(call->db, call->argv[2]);
    } else {
        (void)keyspace_add_object(call->db, call->argv[2], call_hash(call, 2), TYPE_LIST, list);
    }
    keyspace_event(call->db, call->argv[2], EVENT_LIST, lists__push_event(end));
}

bool lists__move(struct call *call, const struct list_move *move) {
    const struct list_limits limits = lists__limits(call);
    struct entry *source, *target;
    struct list_item item;
    if (!call_find_write(call, 1, TYPE_LIST, &source)) return true;
    if (!source) return false;
    if (!call_find_write(call, 2, TYPE_LIST, &target)) return true;
    if (target == source) {
        rotate(call, source, move);
        return true;
    }
    /* Look-ups may remove what has expired, but not the source, which was just found alive. */
    void *list = entry_object(source);
    check(list_peek(list, move->from, &item));
    lists__reply_item(call->reply, &item);
    push_item(call, target, &item, move->to);
    list_drop(&list, move->from, 1, &limits);
    lists__removed(call, call->argv[1], source, list, lists__pop_event(move->from));
    return true;
}

/* LMOVE source destination LEFT | RIGHT LEFT | RIGHT */
void cmd_lmove(struct call *call) {
    struct list_move move;
    if (!lists__end(call, 3, &move.from) || !lists__end(call, 4, &move.to)) return;
    if (!lists__move(call, &move)) reply_null(call->reply);
}

/* RPOPLPUSH source destination */
void cmd_rpoplpush(struct call *call) {
    const struct list_move move = {.from = LIST_TAIL, .to = LIST_HEAD};
    if (!lists__move(call, &move)) reply_null(call->reply);
}
