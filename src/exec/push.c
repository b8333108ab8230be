/* SPDX-License-Identifier: BSD-3-Clause */
#include "exec/push.h"

#include "base/check.h"
#include "exec/exec.h"
#include "exec/limits.h"
#include "exec/loop.h"

struct reply *push_begin(struct client *client) {
    struct exec *exec = client->exec;
    if (client_is_closing(client)) return NULL;
    check(!exec->push_open);
    exec->push_open = true;
    struct reply *out = &client->conn.out;
    if (client == exec->current) {
        if (!exec->push_held) reply_init(&exec->held, &exec->chunks, out->resp);
        exec->push_held = true;
        exec->held.resp = out->resp;
        return &exec->held;
    }
    exec->push_was_muted = out->muted;
    reply_set_muted(out, false);
    return out;
}

void push_end(struct client *client) {
    struct exec *exec = client->exec;
    check(exec->push_open);
    exec->push_open = false;
    if (client == exec->current) return;
    reply_set_muted(&client->conn.out, exec->push_was_muted);
    write_push(exec, client);
    limits_check_output(client);
}

void push_deliver_held(struct exec *exec, struct client *client) {
    struct reply *out = &client->conn.out;
    struct reply_block *held = reply_take(&exec->held);
    bool muted = out->muted;
    reply_set_muted(out, false);
    for (struct reply_block *block = held; block; block = block->next) {
        if (block->pin) {
            reply_raw(out, block->data, block->pin_size);
        } else {
            reply_raw(out, block->data, block->size);
        }
    }
    reply_set_muted(out, muted);
    reply_blocks_free(&exec->chunks, held);
    exec->push_held = false;
    write_push(exec, client); /* the reply before it may have been muted */
}
