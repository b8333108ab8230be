/* SPDX-License-Identifier: BSD-3-Clause */
#include "exec/gate.h"

#include "exec/call.h"
#include "exec/gate_internal.h"
#include "exec/limits.h"
#include "exec/multi.h"

/* Commands that run inside a transaction instead of being queued: they carry this mark through
 * their handler's own semantics (EXEC, DISCARD, QUIT, RESET) or refuse to be there (NO_MULTI). */
static bool runs_in_multi(const struct command *command) {
    static const char *const names[] = {"exec", "discard", "quit", "reset"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(command->spec->name, names[i]) == 0 && !command->parent) return true;
    }
    return false;
}

/* What a RESP2 client may use while each message to it could be a published one. */
static bool runs_while_subscribed(const struct command *command) {
    static const char *const names[] = {
        "subscribe",    "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe",
        "sunsubscribe", "ping",        "quit",       "reset",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(command->spec->name, names[i]) == 0 && !command->parent) return true;
    }
    return false;
}

uint32_t gate_needs_of(const struct command *command) {
    uint32_t flags = command->flags;
    uint32_t needs = GATE_REPLY | GATE_PAUSE_ALL | GATE_CACHING;
    if (!(flags & CMD_NO_AUTH)) needs |= GATE_AUTH;
    if (!runs_in_multi(command)) needs |= GATE_MULTI;
    if (!runs_while_subscribed(command)) needs |= GATE_SUBSCRIBED;
    if ((flags & CMD_READONLY) && command_has_keys(command)) needs |= GATE_TRACKING;
    if (flags & (CMD_WRITE | CMD_MAY_REPLICATE)) needs |= GATE_PAUSE_WRITE;
    if (flags & (CMD_WRITE | CMD_DENYOOM)) needs |= GATE_MEMORY;
    if (flags & (CMD_READONLY | CMD_WRITE | CMD_MAY_REPLICATE)) needs |= GATE_KEYSPACE;
    bool is_quit = strcmp(command->spec->name, "quit") == 0; /* ends a connection, runs nothing */
    if (!(flags & (CMD_SKIP_MONITOR | CMD_ADMIN)) && !is_quit) needs |= GATE_MONITOR;
    if (!(flags & CMD_LOADING)) needs |= GATE_LOADING;
    if (flags & CMD_PROTECTED) needs |= GATE_DEBUG;
    if (multi_is_exec(command)) needs |= GATE_PAUSE_WRITE | GATE_MEMORY;
    return needs;
}

static uint32_t flags_with_queue(const struct call *call) {
    uint32_t flags = call->command->flags;
    const struct multi *multi = call->client->multi;
    if (multi && multi_is_exec(call->command)) flags |= multi->flags;
    return flags;
}

static bool debug_is_allowed(const struct call *call) {
    switch (call->exec->config->enable_debug) {
    case OPTION_NO: return false;
    case OPTION_YES: return true;
    case OPTION_LOCAL: return client_is_local(call->client);
    }
    return false;
}

static enum gate_result gate_refuse(struct call *call, enum error_id error) {
    if (multi_is_exec(call->command)) {
        multi_abort(call, error_text(error));
        return GATE_REFUSED;
    }
    call_error(call, error);
    multi_spoil(call->client);
    return GATE_REFUSED;
}

/* True if the call must wait until clients are no longer paused. */
static bool gate_is_paused(const struct call *call, uint32_t closed) {
    if (call->client->flags & CLIENT_IN_EXEC) return false;
    if (closed & GATE_PAUSE_ALL) return true;
    return (closed & GATE_PAUSE_WRITE) &&
           (flags_with_queue(call) & (CMD_WRITE | CMD_MAY_REPLICATE));
}

static bool gate_has_memory(struct call *call) {
    struct exec *exec = call->exec;
    if (call->client->flags & CLIENT_IN_EXEC) return true; /* decided for the whole transaction */
    if (limits_make_memory(exec)) return true;
    return !(flags_with_queue(call) & CMD_DENYOOM);
}

enum gate_result gate_check(struct call *call, uint32_t closed) {
    struct client *client = call->client;
    if (closed & GATE_AUTH) return gate_refuse(call, ERROR_NO_AUTH);
    if ((closed & GATE_MULTI) && (call->command->flags & CMD_NO_MULTI)) {
        call_errorf(call, ERROR_NOT_IN_MULTI, call->command->full_name);
        multi_spoil(client);
        return GATE_REFUSED;
    }
    if ((closed & GATE_DEBUG) && !debug_is_allowed(call)) {
        return gate_refuse(call, ERROR_DEBUG_DENIED);
    }
    /* Of a data set that is half loaded nothing is evicted: what comes next refuses the command. */
    bool needs_memory = (closed & GATE_MEMORY) && !(closed & GATE_LOADING);
    if (needs_memory && !gate_has_memory(call)) return gate_refuse(call, ERROR_OOM);
    if (closed & GATE_SUBSCRIBED) {
        call_errorf(call, ERROR_SUBSCRIBED, call->command->full_name);
        multi_spoil(client);
        return GATE_REFUSED;
    }
    if (closed & GATE_LOADING) return gate_refuse(call, ERROR_LOADING);
    if (closed & GATE_KEYSPACE) return gate_refuse(call, ERROR_MONITOR_KEYSPACE);
    if (gate_is_paused(call, closed)) return GATE_HELD;
    if (closed & GATE_MULTI) {
        multi_queue(client, call);
        reply_simple(call->reply, BYTES("QUEUED"));
        return GATE_QUEUED;
    }
    return GATE_RUN;
}
