/* SPDX-License-Identifier: BSD-3-Clause */
/* List commands that wait for elements. Each is run again, from its copied arguments, when one of
 * its keys may have some (exec/block.h). */
#include "commands/list_internal.h"
#include "exec/block.h"

static void pop_or_wait(struct call *call, enum list_end end) {
    struct block_request wait = {.first_key = 1, .key_count = call->argc - 2, .type = TYPE_LIST};
    if (!call_timeout_seconds(call, call->argc - 1, &wait.timeout_ms)) return;
    for (uint32_t arg = 1; arg + 1 < call->argc; arg++) {
        struct entry *entry;
        if (!call_find_write(call, arg, TYPE_LIST, &entry)) return;
        if (!entry) continue;
        reply_array(call->reply, 2);
        reply_bulk(call->reply, call->argv[arg]);
        lists__pop_one(call, call->argv[arg], entry, end);
        return;
    }
    if (!call_block(call, &wait)) reply_null_array(call->reply);
}

/* BLPOP key [key ...] timeout */
void cmd_blpop(struct call *call) { pop_or_wait(call, LIST_HEAD); }

/* BRPOP key [key ...] timeout */
void cmd_brpop(struct call *call) { pop_or_wait(call, LIST_TAIL); }

static void move_or_wait(struct call *call, const struct list_move *move) {
    struct block_request wait = {.first_key = 1, .key_count = 1, .type = TYPE_LIST};
    if (!call_timeout_seconds(call, call->argc - 1, &wait.timeout_ms)) return;
    if (lists__move(call, move)) return;
    if (!call_block(call, &wait)) reply_null(call->reply);
}

/* BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout */
void cmd_blmove(struct call *call) {
    struct list_move move;
    if (!lists__end(call, 3, &move.from) || !lists__end(call, 4, &move.to)) return;
    move_or_wait(call, &move);
}

/* BRPOPLPUSH source destination timeout */
void cmd_brpoplpush(struct call *call) {
    const struct list_move move = {.from = LIST_TAIL, .to = LIST_HEAD};
    move_or_wait(call, &move);
}

/* BLMPOP timeout numkeys key [key ...] LEFT | RIGHT [COUNT count] */
void cmd_blmpop(struct call *call) {
    struct block_request wait = {.type = TYPE_LIST};
    struct list_mpop mpop;
    if (!call_timeout_seconds(call, 1, &wait.timeout_ms)) return;
    if (!lists__read_mpop(call, 2, &mpop)) return;
    if (lists__mpop(call, &mpop)) return;
    wait.first_key = mpop.first_key;
    wait.key_count = mpop.key_count;
    if (!call_block(call, &wait)) reply_null_array(call->reply);
}
