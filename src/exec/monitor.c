/* SPDX-License-Identifier: BSD-3-Clause */
/* MONITOR: each command is quoted once, and when it has run the line goes to every client that
 * monitors. A gate keeps this away from servers that nobody monitors. Executor only. */
#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "exec/call.h"
#include "exec/limits.h"
#include "exec/loop.h"
#include "net/listener.h"

#include <string.h>

void monitor_add(struct exec *exec, struct client *client) {
    if (client->flags & CLIENT_MONITOR) return;
    if (exec->monitor_count == exec->monitor_cap) {
        exec->monitor_cap = exec->monitor_cap ? exec->monitor_cap * 2 : 4;
        exec->monitors = mem_realloc(exec->monitors, exec->monitor_cap * sizeof(exec->monitors[0]));
    }
    exec->monitors[exec->monitor_count++] = client;
    client->flags |= CLIENT_MONITOR;
    client->gates |= GATE_KEYSPACE;
    exec->gates |= GATE_MONITOR;
}

void monitor_remove(struct exec *exec, struct client *client) {
    for (uint32_t i = 0; i < exec->monitor_count; i++) {
        if (exec->monitors[i] != client) continue;
        exec->monitors[i] = exec->monitors[--exec->monitor_count];
        client->flags &= ~(uint32_t)CLIENT_MONITOR;
        client->gates &= ~(uint32_t)GATE_KEYSPACE;
        break;
    }
    if (!exec->monitor_count) exec->gates &= ~(uint32_t)GATE_MONITOR;
}

void monitor_quote(const struct call *call, struct buf *out) {
    for (uint32_t i = 0; i < call->argc; i++) {
        buf_add_char(out, ' ');
        bool secret = commandlog_is_secret(call, i);
        buf_add_quoted(out, secret ? BYTES("(redacted)") : call->argv[i]);
    }
}

void monitor_feed(struct exec *exec, const struct client *client, struct bytes args) {
    if (!exec->monitor_count) return;
    struct buf line = {0};
    char address[ENDPOINT_TEXT_MAX];
    client_address(client, true, address);
    int64_t now_us = clock_wall_us();
    bool is_unix = client->flags & CLIENT_UNIX;
    buf_addf(&line, "+%lld.%06lld [%d %s%s]", (long long)(now_us / 1000000),
             (long long)(now_us % 1000000), (int)db_index(client->db), is_unix ? "unix:" : "",
             is_unix && client->listener_path ? client->listener_path : address);
    buf_add(&line, args);
    buf_add_text(&line, "\r\n");
    /* From the end: a limit may close this one, or others, which leave the list. */
    for (uint32_t i = exec->monitor_count; i-- > 0;) {
        if (i >= exec->monitor_count) continue;
        struct client *monitor = exec->monitors[i];
        if (client_is_closing(monitor)) continue;
        reply_raw(&monitor->conn.out, line.data, line.size);
        write_push(exec, monitor);
        limits_check_output(monitor);
    }
    buf_deinit(&line);
}
