/* SPDX-License-Identifier: BSD-3-Clause */
/* ROLE, REPLICAOF and FAILOVER of a server that is always a primary, and has no replicas. */
#include "repl/repl_internal.h"

/* ROLE */
void cmd_role(struct call *call) {
    reply_array(call->reply, 3);
    reply_bulk_text(call->reply, "master");
    reply_integer(call->reply, 0); /* the offset of a history that nobody follows */
    reply_array(call->reply, 0);
}

/* REPLICAOF host port | NO ONE */
void cmd_replicaof(struct call *call) {
    int64_t port;
    if (call_is(call, 1, "no") && call_is(call, 2, "one")) {
        reply_ok(call->reply);
    } else if (call_int_range(call, 2, 0, UINT16_MAX, ERROR_REPLICAOF_PORT, &port)) {
        call_error(call, ERROR_REPLICAOF_UNSUPPORTED);
    }
}

struct failover_options {
    bool timeout_given, target_given, forced;
};

/* TIMEOUT milliseconds, TO host port, FORCE: each at most once. False: an error was replied. */
static bool failover_parse(struct call *call, struct failover_options *out) {
    int64_t number;
    for (uint32_t i = 1; i < call->argc; i++) {
        uint32_t left = call->argc - i - 1;
        if (call_is(call, i, "timeout") && left >= 1 && !out->timeout_given) {
            if (!call_int(call, ++i, &number)) return false;
            if (number <= 0) {
                call_error(call, ERROR_FAILOVER_TIMEOUT);
                return false;
            }
            out->timeout_given = true;
        } else if (call_is(call, i, "to") && left >= 2 && !out->target_given) {
            i += 2;
            if (!call_int(call, i, &number)) return false;
            out->target_given = true;
        } else if (call_is(call, i, "force") && !out->forced) {
            out->forced = true;
        } else {
            call_error(call, ERROR_SYNTAX);
            return false;
        }
    }
    return true;
}

/* FAILOVER [TO host port [FORCE]] [TIMEOUT milliseconds] | FAILOVER ABORT */
void cmd_failover(struct call *call) {
    if (call->argc == 2 && call_is(call, 1, "abort")) {
        call_error(call, ERROR_NO_FAILOVER);
        return;
    }
    struct failover_options options = {0};
    if (failover_parse(call, &options)) call_error(call, ERROR_FAILOVER_NO_REPLICAS);
}
