/* SPDX-License-Identifier: BSD-3-Clause */
/* The line of CLIENT LIST and CLIENT INFO: key=value, in an order that is part of the protocol. */
#include "commands/client_internal.h"
#include "exec/multi.h"
#include "net/listener.h"

void client_capa_letters(const struct client *client, char *out) {
    size_t n = 0;
    if (client->flags & CLIENT_CAPA_REDIRECT) out[n++] = 'r';
    out[n] = 0;
}

static const char *text_or_empty(const char *text) { return text ? text : ""; }

struct line_input {
    size_t used, free; /* bytes of the input buffer */
    size_t argv;       /* held for an unfinished request, beside the buffer */
};

/* While a worker holds the connection its input must not be read: it shows as none. */
static struct line_input input_of(const struct conn *conn) {
    struct line_input input = {0};
    if (conn->owner != CONN_EXECUTOR) return input;
    if (conn->in) {
        /* Requests of a batch that is being executed still lie in the buffer. */
        input.used = conn->batch ? conn->end : conn->end - conn->start;
        input.free = conn->cap - conn->end;
    }
    input.argv = conn->parser.args_cap * sizeof(struct bytes);
    if (conn->parser.big) input.argv += conn->parser.big->size;
    return input;
}

struct line_output {
    size_t buffer_size, buffer_used; /* the block that is being filled, or that will be */
    size_t peak;                     /* of what replies took lately */
    size_t list_count, list_bytes;   /* the blocks that wait before it */
};

/* Blocks that a worker is sending are not looked at: they show when the connection is back. */
static struct line_output output_of(const struct conn *conn) {
    const struct reply *reply = &conn->out;
    struct line_output output = {.buffer_size = reply_buffer_size(reply), .peak = conn->reply_peak};
    if (reply->tail) {
        output.buffer_used = (size_t)(reply_size(reply) - reply->closed_bytes);
        output.list_count = reply->block_count - 1;
        output.list_bytes = (size_t)reply->closed_bytes;
    }
    if (conn->owner == CONN_EXECUTOR) {
        for (const struct reply_block *at = conn->sending_now; at; at = at->next) {
            output.list_count++;
            output.list_bytes += (size_t)reply_block_size(at);
        }
    }
    output.list_bytes += output.list_count * sizeof(struct reply_block);
    return output;
}

static void add_identity(const struct client *client, struct buf *out) {
    char peer[ENDPOINT_TEXT_MAX], own[ENDPOINT_TEXT_MAX];
    char flags[CLIENT_FLAGS_MAX], capa[CLIENT_CAPA_MAX];
    client_address(client, true, peer);
    client_address(client, false, own);
    client_flag_letters(client, flags);
    client_capa_letters(client, capa);
    int64_t now_ms = client->exec->now_ms;
    buf_addf(out, "id=%llu addr=%s laddr=%s fd=%d name=%s age=%lld idle=%lld flags=%s capa=%s",
             (unsigned long long)client->id, peer, own, client->conn.fd,
             text_or_empty(client->name), (long long)(now_ms - client->created_ms) / 1000,
             (long long)(now_ms - client->active_ms) / 1000, flags, capa);
}

static void add_state(const struct client *client, struct buf *out) {
    const struct multi *multi = client->multi;
    /* Once a watched key has changed, watching more of them is of no use: none counts. */
    uint32_t watched = client->flags & CLIENT_DIRTY_CAS ? 0 : client->watch_count;
    const uint32_t *subscriptions = client->subscriptions;
    buf_addf(out, " db=%d sub=%u psub=%u ssub=%u multi=%lld watch=%u", (int)db_index(client->db),
             subscriptions[SUBSCRIBED_CHANNELS], subscriptions[SUBSCRIBED_PATTERNS],
             subscriptions[SUBSCRIBED_SHARD_CHANNELS], multi ? (long long)multi->count : -1,
             watched);
}

static void add_memory(const struct client *client, struct buf *out) {
    struct line_input input = input_of(&client->conn);
    struct line_output output = output_of(&client->conn);
    buf_addf(out, " qbuf=%zu qbuf-free=%zu argv-mem=%zu multi-mem=%zu", input.used, input.free,
             input.argv, client->multi ? client->multi->bytes : (size_t)0);
    buf_addf(out, " rbs=%zu rbp=%zu obl=%zu oll=%zu omem=%zu tot-mem=%zu", output.buffer_size,
             output.peak, output.buffer_used, output.list_count, output.list_bytes,
             client_memory_bytes(client));
}

void client_add_line(const struct client *client, struct buf *out) {
    const struct conn *conn = &client->conn;
    add_identity(client, out);
    add_state(client, out);
    add_memory(client, out);
    int64_t redirect = client->flags & CLIENT_TRACKING ? (int64_t)client->redirect_id : -1;
    buf_addf(out, " events=%s cmd=%s user=default redir=%lld resp=%d",
             conn->write_blocked || conn->send_in_flight ? "rw" : "r",
             client->command ? client->command->full_name : "NULL", (long long)redirect,
             conn->out.resp);
    buf_addf(out, " lib-name=%s lib-ver=%s tot-net-in=%llu tot-net-out=%llu tot-cmds=%llu\n",
             text_or_empty(client->lib_name), text_or_empty(client->lib_version),
             (unsigned long long)conn->bytes_in_counted,
             (unsigned long long)conn->bytes_out_counted,
             (unsigned long long)client->commands_done);
}
