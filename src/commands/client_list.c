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

typedef void (*client_visit_fn)(struct call *call, struct client *client, void *ctx);

/* Visits the clients that the filter chooses, oldest first; the visitor may close what it is shown.
 * O(clients), or O(ids) if ids are among the filters. */
static void each_match(struct call *call, const struct client_filter *filter, client_visit_fn visit,
                       void *ctx) {
    const struct client_condition *ids = &filter->must[FILTER_ID];
    struct client *client, *next;
    for (uint32_t i = 0; i < ids->id_count; i++) {
        if (i > 0 && ids->ids[i] == ids->ids[i - 1]) continue;
        client = client_find(call->exec, ids->ids[i]);
        if (client && client_filter_matches(call, filter, client)) visit(call, client, ctx);
    }
    if (ids->given) return;
    for (client = call->exec->clients_head; client; client = next) {
        next = client->next; /* closing takes it off the list, and nobody else */
        if (client_filter_matches(call, filter, client)) visit(call, client, ctx);
    }
}

static void list_client(struct call *call, struct client *client, void *lines) {
    (void)call;
    client_add_line(client, lines);
}

/* CLIENT LIST [filter value ...] -- a line for each client, oldest first */
void cmd_client_list(struct call *call) {
    struct client_filter filter;
    if (client_filter_parse(call, 2, false, &filter)) {
        struct buf lines = {0};
        each_match(call, &filter, list_client, &lines);
        reply_verbatim(call->reply, "txt", buf_bytes(&lines));
        buf_deinit(&lines);
    }
    client_filter_deinit(&filter);
}

/* The caller is still to get its reply. */
static void kill_client(struct call *call, struct client *client, void *count) {
    if (client == call->client) {
        client_close_after_reply(client);
    } else {
        client_close(client);
    }
    ++*(int64_t *)count;
}

/* Kills all that match; returns how many. */
static int64_t kill_matching(struct call *call, const struct client_filter *filter) {
    int64_t count = 0;
    each_match(call, filter, kill_client, &count);
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
