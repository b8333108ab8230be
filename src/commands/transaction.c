/* SPDX-License-Identifier: BSD-3-Clause */
/* MULTI, EXEC, DISCARD, WATCH, UNWATCH. The queue and the watched keys are exec/multi.h's. */
#include "base/check.h"
#include "commands/commands.h"
#include "exec/call.h"
#include "exec/multi.h"

static void cmd_multi(struct call *call) {
    multi_begin(call->client);
    reply_ok(call->reply);
}

static void cmd_discard(struct call *call) {
    if (!call->client->multi) {
        call_error(call, ERROR_DISCARD_WITHOUT_MULTI);
        return;
    }
    multi_discard(call->client);
    reply_ok(call->reply);
}

/* Runs what was queued: each command gives its own reply inside one array. */
static void exec_queue(struct call *call) {
    struct client *client = call->client;
    const struct multi *multi = client->multi;
    client->flags |= CLIENT_IN_EXEC;
    client->gates &= ~(uint32_t)GATE_MULTI;
    reply_array(call->reply, multi->count);
    for (uint32_t i = 0; i < multi->count; i++) {
        const struct multi_item *item = &multi->items[i];
        call_nested(call, item->command, item->argv, item->argc, item->hash);
    }
    client->flags &= ~(uint32_t)CLIENT_IN_EXEC;
}

static void cmd_exec(struct call *call) {
    struct client *client = call->client;
    if (!client->multi) {
        call_error(call, ERROR_EXEC_WITHOUT_MULTI);
        return;
    }
    watch_check_expired(client);
    if (client->flags & CLIENT_DIRTY_EXEC) {
        call_error(call, ERROR_EXEC_ABORT);
    } else if (client->flags & CLIENT_DIRTY_CAS) {
        reply_null_array(call->reply);
    } else {
        watch_clear(client); /* its own writes do not matter any more */
        exec_queue(call);
    }
    multi_discard(client);
}

static void cmd_watch(struct call *call) {
    for (uint32_t i = 1; i < call->argc; i++)
        watch_key(call->client, call->db, call->argv[i], call_hash(call, i));
    reply_ok(call->reply);
}

static void cmd_unwatch(struct call *call) {
    watch_clear(call->client);
    call->client->flags &= ~(uint32_t)CLIENT_DIRTY_CAS;
    reply_ok(call->reply);
}

#define TRANSACTION_FLAGS (CMD_NOSCRIPT | CMD_LOADING | CMD_STALE)

const struct command_spec transaction_commands[] = {
    {
        .name = "multi",
        .handler = cmd_multi,
        .arity = 1,
        .group = GROUP_TRANSACTIONS,
        .flags = TRANSACTION_FLAGS | CMD_FAST | CMD_NO_MULTI | CMD_ALLOW_BUSY,
        .acl = ACL_TRANSACTION,
        .since = "1.2.0",
        .complexity = "O(1)",
        .summary = "Begin a transaction: the commands that follow are queued until EXEC.",
    },
    {
        .name = "exec",
        .handler = cmd_exec,
        .arity = 1,
        .group = GROUP_TRANSACTIONS,
        .flags = TRANSACTION_FLAGS | CMD_SKIP_COMMANDLOG,
        .acl = ACL_TRANSACTION,
        .since = "1.2.0",
        .complexity = "Depends on the commands in the transaction.",
        .summary = "Run all queued commands of the transaction as one.",
    },
    {
        .name = "discard",
        .handler = cmd_discard,
        .arity = 1,
        .group = GROUP_TRANSACTIONS,
        .flags = TRANSACTION_FLAGS | CMD_FAST | CMD_ALLOW_BUSY,
        .acl = ACL_TRANSACTION,
        .since = "2.0.0",
        .complexity = "O(N), N being the number of queued commands.",
        .summary = "Drop the transaction and all its queued commands.",
    },
    {
        .name = "watch",
        .handler = cmd_watch,
        .arity = -2,
        .group = GROUP_TRANSACTIONS,
        .flags = TRANSACTION_FLAGS | CMD_FAST | CMD_NO_MULTI | CMD_ALLOW_BUSY,
        .acl = ACL_TRANSACTION,
        .keys = KEY_RANGE(1, -1, 1, KEY_RO),
        .since = "2.2.0",
        .complexity = "O(1) for each key.",
        .summary = "Let the next transaction fail if one of the keys changes before EXEC.",
        .args = ARGS({.name = "key", .type = ARG_KEY, .flags = ARG_MULTIPLE}),
    },
    {
        .name = "unwatch",
        .handler = cmd_unwatch,
        .arity = 1,
        .group = GROUP_TRANSACTIONS,
        .flags = TRANSACTION_FLAGS | CMD_FAST | CMD_ALLOW_BUSY,
        .acl = ACL_TRANSACTION,
        .since = "2.2.0",
        .complexity = "O(1)",
        .summary = "Forget all keys watched by this connection.",
    },
    {0},
};
