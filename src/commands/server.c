/* SPDX-License-Identifier: BSD-3-Clause */
/* TIME and SHUTDOWN. */
#include "base/clock.h"
#include "commands/server_internal.h"

/* TIME -- seconds and microseconds since the epoch, now and not as of the window's beginning. */
void cmd_time(struct call *call) {
    int64_t now_us = clock_wall_us();
    reply_array(call->reply, 2);
    reply_bulk_i64(call->reply, now_us / 1000000);
    reply_bulk_i64(call->reply, now_us % 1000000);
}

static void shutdown_abort(struct call *call) {
    const struct exec_hooks *hooks = &call->exec->hooks;
    if (!hooks->shutdown_abort || hooks->shutdown_abort(hooks->ctx) != ERR_NONE) {
        call_error(call, ERROR_NO_SHUTDOWN);
        return;
    }
    reply_ok(call->reply);
}

/* True and *flags and *abort set; false if a word is unknown or two do not go together. */
static bool shutdown_parse(const struct call *call, unsigned *flags, bool *abort) {
    static const struct {
        const char *word;
        unsigned flag;
    } words[] = {{"save", SHUTDOWN_SAVE}, {"nosave", SHUTDOWN_NOSAVE},
                 {"now", SHUTDOWN_NOW},   {"force", SHUTDOWN_FORCE},
                 {"safe", SHUTDOWN_SAFE}, {"failover", SHUTDOWN_FAILOVER}};
    *flags = 0;
    *abort = false;
    for (uint32_t arg = 1; arg < call->argc; arg++) {
        unsigned flag = 0;
        for (size_t i = 0; i < COUNT_OF(words); i++) {
            if (call_is(call, arg, words[i].word)) flag = words[i].flag;
        }
        if (!flag && !call_is(call, arg, "abort")) return false;
        *flags |= flag;
        *abort |= !flag;
    }
    bool both = (*flags & SHUTDOWN_SAVE) && (*flags & SHUTDOWN_NOSAVE);
    return !both && !(*abort && call->argc > 2);
}

/* SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [SAFE] [FAILOVER] or SHUTDOWN ABORT -- if all goes well,
 * the end of the connection is the reply. */
void cmd_shutdown(struct call *call) {
    unsigned flags;
    bool abort;
    if (!shutdown_parse(call, &flags, &abort)) {
        call_error(call, ERROR_SYNTAX);
        return;
    }
    if (abort) {
        shutdown_abort(call);
        return;
    }
    const struct exec_hooks *hooks = &call->exec->hooks;
    struct diag diag = {0};
    enum err err = hooks->shutdown ? hooks->shutdown(hooks->ctx, flags, &diag) : ERR_UNSUPPORTED;
    if (err == ERR_NONE) return;
    call_error(call, ERROR_SHUTDOWN_FAILED);
}
