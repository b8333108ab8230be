/* SPDX-License-Identifier: BSD-3-Clause */
/* CLIENT INFO, LIST and KILL: the clients there are, all or those that filters choose. */
#include "commands/client_internal.h"
#include "net/listener.h"

/* CLIENT INFO -- the line of the calling client */
void cmd_client_info(struct call *call) {
    struct buf line = {0};
    client_add_line(call->client, &line);
    reply_verbatim(call->reply, "txt", buf_bytes(&line));
    buf_deinit(&line);
}

/* CLIENT LIST [filter value ...] -- a line for each client, oldest first */
void cmd_client_list(struct call *call) {
    struct client_filter filter;
    if (client_filter_parse(call, 2, false, &filter)) {
        struct buf lines = {0};
        for (const struct client *at = call->exec->clients_head; at; at = at->next) {
            if (client_filter_matches(call, &filter, at)) client_add_line(at, &lines);
        }
        reply_verbatim(call->reply, "txt", buf_bytes(&lines));
        buf_deinit(&lines);
    }
    client_filter_deinit(&filter);
}

/* The caller is still to get its reply. */
static void kill_client(struct call *call, struct client *client) {
    if (client == call->client) {
        client_close_after_reply(client);
    } else {
        client_close(client);
    }
}

/* Kills all that match; returns how many. */
static int64_t kill_matching(struct call *call, const struct client_filter *filter) {
    int64_t count = 0;
    struct client *next;
    for (struct client *at = call->exec->clients_head; at; at = next) {
        next = at->next; /* closing takes it off the list, and nobody else */
        if (!client_filter_matches(call, filter, at)) continue;
        kill_client(call, at);
        count++;
    }
    return count;
}

/* CLIENT KILL addr:port | CLIENT KILL filter value ... */
void cmd_client_kill(struct call *call) {
    struct client_filter filter = {0};
    if (call->argc == 3) {
        filter.must[FILTER_ADDR] = (struct client_condition){.given = true, .text = call->argv[2]};
        if (kill_matching(call, &filter)) {
            reply_ok(call->reply);
        } else {
            call_error(call, ERROR_NO_SUCH_CLIENT);
        }
        return;
    }
    if (client_filter_parse(call, 2, true, &filter)) {
        reply_integer(call->reply, kill_matching(call, &filter));
    }
    client_filter_deinit(&filter);
}
