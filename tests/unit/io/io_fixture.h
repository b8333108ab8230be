/* SPDX-License-Identifier: BSD-3-Clause */
/* io_fixture -- a few commands, and a connection over a socket pair with what the executor keeps
 * beside it. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "io/conn.h"
#include "tests/unit/test.h"

static inline void fixture_handle(struct call *call) { (void)call; }

static const struct command_spec fixture_rows[] = {
    {
        .name = "get",
        .handler = fixture_handle,
        .arity = 2,
        .group = GROUP_STRING,
        .flags = CMD_READONLY,
        .keys = KEY_AT(1, KEY_RO | KEY_ACCESS),
    },
    {
        .name = "set",
        .handler = fixture_handle,
        .arity = -3,
        .group = GROUP_STRING,
        .flags = CMD_WRITE,
        .keys = KEY_AT(1, KEY_OW | KEY_UPDATE),
    },
    {
        .name = "ping",
        .handler = fixture_handle,
        .arity = -1,
        .group = GROUP_CONNECTION,
        .flags = CMD_FAST,
    },
    {0},
};

struct wire { /* a connection, and its peer's end */
    struct conn conn;
    int peer;
    struct chunk_pool pool;
    struct batch *free_batches;
    struct command_table *commands;
    struct conn_reader reader;
    struct buf log; /* requests as they were read */
    bool fed;       /* bytes come by conn_feed */
};

static inline void wire_open(struct wire *wire, bool fed) {
    int fds[2];
    memset(wire, 0, sizeof(*wire));
    expect_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    chunk_pool_init(&wire->pool);
    wire->commands = command_table_create();
    command_table_add(wire->commands, fixture_rows);
    wire->reader.commands = wire->commands;
    conn_init(&wire->conn, fds[0], &wire->pool, 512ll * 1024 * 1024, 2);
    wire->conn.input_limit = (size_t)1 << 30;
    wire->conn.uses_feed = fed;
    wire->fed = fed;
    wire->peer = fds[1];
}

static inline void wire_close(struct wire *wire) {
    uint32_t buffer;
    while (conn_feed_drop(&wire->conn, &buffer)) {}
    conn_deinit(&wire->conn, &wire->pool);
    while (wire->free_batches) {
        struct batch *batch = wire->free_batches;
        wire->free_batches = batch->next_free;
        mem_free(batch);
    }
    chunk_pool_deinit(&wire->pool);
    command_table_destroy(&wire->commands);
    buf_deinit(&wire->log);
    close(wire->conn.fd);
    if (wire->peer != -1) close(wire->peer);
}

/* Writes the batch's requests down, as the executor would execute them. */
static inline void wire_execute(struct wire *wire) {
    struct batch *batch = wire->conn.batch;
    for (; batch->next < batch->count; batch->next++) {
        struct request *request = &batch->requests[batch->next];
        for (uint32_t i = 0; i < request->argc; i++) {
            buf_addf(&wire->log, "%zu:", request->argv[i].size);
            buf_add(&wire->log, request->argv[i]);
        }
        buf_addf(&wire->log, " %s/%d\n", request->command ? request->command->full_name : "unknown",
                 (int)request->fault);
        if (request->command && request->command->first_key && !request->fault)
            expect_eq(request->hash, hash_bytes(request->argv[1]));
        request_release(request);
    }
}

/* What the executor does after a read: executes, parses on, gives memory back. */
static inline void wire_finish_read(struct wire *wire) {
    struct conn *conn = &wire->conn;
    while (conn->batch->count) {
        wire_execute(wire);
        batch_reset(conn->batch);
        if (conn_has_input(conn) && conn->read_status != CONN_BAD_INPUT)
            conn_parse(conn, &wire->reader);
    }
    conn_trim(conn, &wire->pool, &wire->free_batches);
    if (conn->fed && !conn->fed_size) conn->fed = NULL;
}

/* Reads until there is nothing more. */
static inline void wire_read_all(struct wire *wire) {
    struct conn *conn = &wire->conn;
    do {
        if (wire->fed && !conn->fed) conn_feed_next(conn);
        conn_lend_memory(conn, &wire->pool, &wire->free_batches);
        conn_read(conn, &wire->reader);
        wire_finish_read(wire);
    } while (conn->read_status == CONN_FINE || conn->fed_head);
}

/* The peer sends a piece, and it is read. A fed piece must live until then: it does. */
static inline void wire_take(struct wire *wire, const char *data, size_t size) {
    while (size) {
        size_t n = size;
        if (wire->fed) {
            conn_feed(&wire->conn, data, size, 0);
        } else {
            ssize_t sent = send(wire->peer, data, size, MSG_NOSIGNAL);
            expect_true(sent > 0);
            n = (size_t)sent;
        }
        wire_read_all(wire);
        data += n;
        size -= n;
    }
}

static inline void add_bulk(struct buf *out, struct bytes bytes) {
    buf_addf(out, "$%zu\r\n", bytes.size);
    buf_add(out, bytes);
    buf_add_text(out, "\r\n");
}
