/* SPDX-License-Identifier: BSD-3-Clause */
/* What the server adds to a crash report: INFO, the current client and its command. Runs in the
 * signal handler of a process that is about to end, on the thread that crashed, and only reads. */
#include "server/server.h"
#include "stats/registry.h"

#include <unistd.h>

enum { ARGS_SHOWN = 32, ARG_BYTES_SHOWN = 128 };

/* The request that runs, if it is the one that came over the connection. */
static const struct request *find_request(const struct client *client,
                                          const struct command *command) {
    const struct batch *batch = client->conn.batch;
    if (!batch || batch->next >= batch->count) return NULL;
    const struct request *request = &batch->requests[batch->next];
    return request->command == command ? request : NULL;
}

static void describe_request(const struct exec *exec, const struct request *request,
                             struct buf *out) {
    buf_addf(out, "argc: %u\n", (unsigned)request->argc);
    for (uint32_t i = 0; i < request->argc && i < ARGS_SHOWN; i++) {
        struct bytes arg = request->argv[i];
        buf_addf(out, "argv[%u]: ", (unsigned)i);
        if (i > 0 && exec->config->hide_user_data) {
            buf_addf(out, "(%zu bytes)\n", arg.size);
            continue;
        }
        buf_add_quoted(out, bytes_make(arg.data, size_min(arg.size, ARG_BYTES_SHOWN)));
        if (arg.size > ARG_BYTES_SHOWN) buf_addf(out, " ... (%zu bytes)", arg.size);
        buf_add_char(out, '\n');
    }
}

static void describe_client(const struct exec *exec, struct buf *out) {
    const struct client *client = exec->current;
    char peer[ENDPOINT_TEXT_MAX], flags[24];
    client_address(client, true, peer);
    client_flag_letters(client, flags);
    buf_add_text(out, "\n------ CURRENT CLIENT INFO ------\n");
    buf_addf(out, "id=%llu addr=%s fd=%d name=%s db=%d flags=%s user=default cmd=%s\n",
             (unsigned long long)client->id, peer, client->conn.fd,
             client->name ? client->name : "", (int)db_index(client->db), flags,
             exec->current_command ? exec->current_command->full_name : "NULL");
    const struct request *request = find_request(client, exec->current_command);
    if (request) describe_request(exec, request, out);
}

void server_describe_crash(struct buf *out, void *ctx) {
    static const struct bytes everything[] = {{.data = "everything", .size = 10}};
    const struct server *server = ctx;
    if (!server->exec) return;
    /* The client first: INFO is the longer way through data that may be broken. */
    if (server->exec->current) describe_client(server->exec, out);
    buf_add_text(out, "\n------ INFO OUTPUT ------\n");
    stats_print(server->registry, everything, COUNT_OF(everything), out);
}

void server_clean_after_crash(void *ctx) {
    const struct server *server = ctx;
    if (server->pidfile) (void)unlink(server->pidfile); /* nothing more can be done about it */
}
