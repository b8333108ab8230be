/* SPDX-License-Identifier: BSD-3-Clause */
/* WAIT and WAITAOF: until so many have confirmed what this client wrote. A primary without replicas
 * and without an append-only file has nobody who could: it waits for the time given. */
#include "exec/block.h"
#include "repl/repl_internal.h"

/* Waits, and replies with fn when the time is over, or at once where waiting is not allowed. */
static void wait_for(struct call *call, int64_t timeout_ms, void (*fn)(struct call *call)) {
    const struct block_request request = {
        .type = TYPE_ANY, .timeout_ms = timeout_ms, .timed_out = fn};
    if (!call_block(call, &request)) fn(call);
}

static void reply_replicas(struct call *call) { reply_integer(call->reply, 0); }

/* WAIT numreplicas milliseconds -- how many replicas have confirmed */
void cmd_wait(struct call *call) {
    int64_t replicas, timeout_ms;
    if (!call_int(call, 1, &replicas) || !call_timeout_ms(call, 2, &timeout_ms)) return;
    if (replicas <= 0) {
        reply_replicas(call);
    } else {
        wait_for(call, timeout_ms, reply_replicas);
    }
}

static void reply_local_and_replicas(struct call *call) {
    reply_array(call->reply, 2);
    reply_integer(call->reply, 0);
    reply_integer(call->reply, 0);
}

static bool local_arg(struct call *call, uint32_t arg, int64_t *out) {
    int64_t value;
    if (!call_int(call, arg, &value)) return false;
    if (value < 0 || value > 1) {
        call_errorf(call, ERROR_RANGE_BETWEEN, 0LL, 1LL);
        return false;
    }
    *out = value;
    return true;
}

/* WAITAOF numlocal numreplicas milliseconds -- whether the file here, and how many of those of
 * replicas, have it on disk */
void cmd_waitaof(struct call *call) {
    int64_t local, replicas, timeout_ms;
    if (!local_arg(call, 1, &local)) return;
    if (!call_int_range(call, 2, 0, INT64_MAX, ERROR_MUST_BE_POSITIVE, &replicas)) return;
    if (!call_timeout_ms(call, 3, &timeout_ms)) return;
    if (local > 0) {
        call_error(call, ERROR_WAITAOF_LOCAL);
    } else if (replicas == 0) {
        reply_local_and_replicas(call);
    } else {
        wait_for(call, timeout_ms, reply_local_and_replicas);
    }
}
