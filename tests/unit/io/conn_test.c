/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/conn.h"

#include "tests/unit/io/io_fixture.h"

enum { BIG = REQUEST_BIG_ARG };

static void add_random(struct test *t, struct buf *out, size_t size) {
    buf_addf(out, "$%zu\r\n", size);
    for (size_t i = 0; i < size; i++)
        buf_add_char(out, (char)('a' + rng_below(t->rng, 26)));
    buf_add_text(out, "\r\n");
}

/* Short requests of all kinds: arrays, inline, empty, unknown, wrong arity. */
static void add_short_requests(struct buf *out) {
    buf_add_text(out, "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n");
    buf_add_text(out, "PING inline 'two words'\r\n\r\n*0\r\n");
    buf_add_text(out, "*3\r\n$3\r\nset\r\n$1\r\nk\r\n$0\r\n\r\n");
    buf_add_text(out, "*1\r\n$3\r\nget\r\n*1\r\n$7\r\nunknown\r\n");
    buf_add_text(out, "*3\r\n$3\r\nSET\r\n$2\r\nk2\r\n$12\r\nnot\r\nthe end\r\n");
    buf_add_text(out, "*1\r\n$4\r\nping\r\n");
}

/* The log of a connection that gets everything at once. */
static struct buf read_whole(struct bytes input) {
    struct wire wire;
    wire_open(&wire, true);
    wire_take(&wire, input.data, input.size);
    struct buf log = wire.log;
    wire.log = (struct buf){0};
    wire_close(&wire);
    return log;
}

TEST(requests_are_named_checked_and_hashed_in_their_order) {
    struct wire wire;
    struct buf input = {0};
    wire_open(&wire, false);
    add_short_requests(&input);
    wire_take(&wire, input.data, input.size);
    expect_bytes_eq(buf_bytes(&wire.log), BYTES("3:GET3:key get/0\n"
                                                "4:PING6:inline9:two words ping/0\n"
                                                "3:set1:k0: set/0\n"
                                                "3:get get/2\n"
                                                "7:unknown unknown/1\n"
                                                "3:SET2:k212:not\r\nthe end set/0\n"
                                                "4:ping ping/0\n"));
    buf_deinit(&input);
    wire_close(&wire);
    expect_eq(mem_in_use(), t->mem_at_start);
}

static void split_everywhere(bool fed) {
    struct buf input = {0};
    add_short_requests(&input);
    struct buf whole = read_whole(buf_bytes(&input));
    for (size_t cut = 0; cut <= input.size; cut++) {
        struct wire wire;
        wire_open(&wire, fed);
        wire_take(&wire, input.data, cut);
        wire_take(&wire, input.data + cut, input.size - cut);
        expect_bytes_eq(buf_bytes(&wire.log), buf_bytes(&whole));
        expect_null(wire.conn.in); /* idle: it holds nothing */
        expect_null(wire.conn.batch);
        wire_close(&wire);
    }
    buf_deinit(&whole);
    buf_deinit(&input);
}

TEST(requests_split_anywhere_are_the_same_when_received) {
    split_everywhere(false);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(requests_split_anywhere_are_the_same_when_fed) {
    split_everywhere(true);
    expect_eq(mem_in_use(), t->mem_at_start);
}

static void read_in_pieces(struct test *t, bool fed, struct bytes input, size_t piece_max) {
    struct buf whole = read_whole(input);
    struct wire wire;
    wire_open(&wire, fed);
    for (size_t at = 0; at < input.size;) {
        size_t n = size_min(1 + rng_below(t->rng, piece_max), input.size - at);
        wire_take(&wire, input.data + at, n);
        at += n;
    }
    expect_eq(wire.log.size, whole.size);
    expect_bytes_eq(buf_bytes(&wire.log), buf_bytes(&whole));
    expect_eq(wire.conn.bytes_in, input.size);
    expect_null(wire.conn.in);
    buf_deinit(&whole);
    wire_close(&wire);
}

TEST(pipelines_of_random_requests_are_the_same_in_any_pieces) {
    static const size_t pieces[] = {1, 10, 300, 5000, 40000, 1 << 20};
    for (int round = 0; round < 24; round++) {
        struct buf input = {0};
        bool big = round % 3 == 0;
        size_t count = 1 + rng_below(t->rng, big ? 6 : 200);
        for (size_t i = 0; i < count; i++) {
            uint32_t args = 3 + (uint32_t)rng_below(t->rng, rng_below(t->rng, 10) ? 4 : 400);
            buf_addf(&input, "*%u\r\n$3\r\nset\r\n", args);
            for (uint32_t arg = 1; arg < args; arg++) {
                size_t max = big && rng_below(t->rng, 4) == 0 ? 3 * BIG : 100;
                add_random(t, &input, rng_below(t->rng, max));
            }
        }
        size_t piece_max = pieces[rng_below(t->rng, COUNT_OF(pieces))];
        if (input.size > 200000 && piece_max < 300) piece_max = 300;
        read_in_pieces(t, round % 2, buf_bytes(&input), piece_max);
        buf_deinit(&input);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(a_request_larger_than_a_chunk_grows_the_input_and_gives_it_back) {
    for (int fed = 0; fed < 2; fed++) {
        struct buf input = {0};
        buf_add_text(&input, "*301\r\n$3\r\nset\r\n");
        for (int i = 0; i < 300; i++)
            add_random(t, &input, 1000);
        buf_add_text(&input, "*1\r\n$4\r\nping\r\n");
        read_in_pieces(t, fed, buf_bytes(&input), 3000);
        buf_deinit(&input);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(arguments_around_the_size_of_a_large_one_arrive_whole) {
    for (int fed = 0; fed < 2; fed++) {
        for (size_t size = BIG - 2; size <= BIG + 2; size++) {
            struct buf input = {0};
            buf_add_text(&input, "*4\r\n$3\r\nset\r\n$3\r\nkey\r\n");
            add_random(t, &input, size);
            add_random(t, &input, size);
            buf_add_text(&input, "ping\r\n");
            read_in_pieces(t, fed, buf_bytes(&input), BIG);
            buf_deinit(&input);
        }
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(a_protocol_error_comes_after_the_requests_before_it) {
    struct wire wire;
    wire_open(&wire, false);
    struct bytes input = BYTES("*1\r\n$4\r\nping\r\n*1\r\n:4\r\n");
    wire_take(&wire, input.data, input.size);
    expect_bytes_eq(buf_bytes(&wire.log), BYTES("4:ping ping/0\n"));
    expect_eq(wire.conn.read_status, CONN_BAD_INPUT);
    expect_str_eq(wire.conn.parser.error, "Protocol error: expected '$', got ':'");
    wire_close(&wire);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(the_end_is_reported_after_all_bytes) {
    struct wire wire;
    wire_open(&wire, false);
    expect_eq(send(wire.peer, "ping\r\nhalf", 10, 0), 10);
    close(wire.peer);
    wire.peer = -1;
    wire.conn.hangup = true; /* announced with the bytes: a short read is not the last */
    wire_read_all(&wire);
    expect_bytes_eq(buf_bytes(&wire.log), BYTES("4:ping ping/0\n"));
    expect_eq(wire.conn.read_status, CONN_ENDED);
    wire_close(&wire);

    wire_open(&wire, true);
    conn_feed(&wire.conn, "ping\r\n", 6, 7);
    conn_feed(&wire.conn, "ping 2\r\n", 8, 8);
    wire.conn.fed_ended = true;
    wire_read_all(&wire);
    expect_eq(wire.conn.read_status, CONN_AGAIN); /* of the bytes; the end is asked for apart */
    wire_read_all(&wire);
    expect_eq(wire.conn.read_status, CONN_ENDED);
    expect_bytes_eq(buf_bytes(&wire.log), BYTES("4:ping ping/0\n4:ping1:2 ping/0\n"));
    wire_close(&wire);
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* Sends one request for ever, until it is refused. */
static size_t bytes_until_refused(struct test *t, struct wire *wire, size_t arg_size) {
    struct buf input = {0};
    size_t sent = 0;
    wire_take(wire, "*1000000\r\n$3\r\nset\r\n", 19);
    add_random(t, &input, arg_size);
    for (int i = 0; i < 1000 && wire->conn.read_status != CONN_TOO_BIG; i++) {
        wire_take(wire, input.data, input.size);
        sent += input.size;
    }
    expect_eq(wire->conn.read_status, CONN_TOO_BIG);
    buf_deinit(&input);
    return sent;
}

TEST(the_input_limit_holds_for_small_and_for_large_arguments) {
    static const size_t sizes[] = {100, 10000, BIG, 3 * BIG};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct wire wire;
        wire_open(&wire, true);
        wire.conn.input_limit = 64 * 1024;
        size_t sent = bytes_until_refused(t, &wire, sizes[i]);
        expect_true(sent >= 64 * 1024 && sent < 64 * 1024 + 4 * sizes[i] + CHUNK_SIZE);
        wire_close(&wire);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(before_authentication_each_request_is_parsed_by_itself) {
    struct wire wire;
    wire_open(&wire, false);
    wire.conn.parser.preauth = true;
    expect_eq(send(wire.peer, "ping 1\r\nping 2\r\n", 16, 0), 16);
    conn_lend_memory(&wire.conn, &wire.pool, &wire.free_batches);
    conn_read(&wire.conn, &wire.reader);
    expect_eq(wire.conn.batch->count, 1);
    wire_finish_read(&wire);
    expect_bytes_eq(buf_bytes(&wire.log), BYTES("4:ping1:1 ping/0\n4:ping1:2 ping/0\n"));
    wire_close(&wire);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(dying_in_the_middle_of_anything_frees_everything) {
    struct buf input = {0};
    add_short_requests(&input);
    buf_add_text(&input, "*4\r\n$3\r\nset\r\n$3\r\nkey\r\n");
    add_random(t, &input, BIG + 100);
    add_random(t, &input, BIG + 100);
    for (int round = 0; round < 200; round++) {
        struct wire wire;
        wire_open(&wire, true);
        size_t cut = rng_below(t->rng, input.size + 1);
        conn_feed(&wire.conn, input.data, cut, 0);
        conn_feed(&wire.conn, "more", 4, 1);
        conn_feed_next(&wire.conn);
        conn_lend_memory(&wire.conn, &wire.pool, &wire.free_batches);
        conn_read(&wire.conn, &wire.reader); /* and nothing is executed */
        wire_close(&wire);
    }
    buf_deinit(&input);
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* ---- writing ---- */

/* Reads at most max bytes from the peer's end into out. */
static void drain(struct wire *wire, struct buf *out, size_t max) {
    char data[4096];
    while (max) {
        ssize_t n = recv(wire->peer, data, size_min(sizeof(data), max), 0);
        if (n <= 0) return;
        buf_add(out, bytes_make(data, (size_t)n));
        max -= (size_t)n;
    }
}

static uint64_t unsent_bytes(const struct conn *conn) {
    uint64_t bytes = 0;
    for (const struct reply_block *block = conn->sending_now; block; block = block->next)
        bytes += reply_block_size(block);
    return bytes - conn->sending_offset;
}

TEST(replies_of_all_sizes_leave_in_order_however_little_the_peer_takes) {
    struct wire wire;
    struct buf want = {0}, got = {0};
    wire_open(&wire, false);
    struct blob *blob = blob_create(REPLY_PIN_MIN * 3);
    for (size_t i = 0; i < blob->size; i++)
        blob->data[i] = (char)rng_next(t->rng);
    for (int i = 0; i < 300; i++) {
        if (rng_below(t->rng, 10) == 0) {
            reply_blob(&wire.conn.out, blob);
            add_bulk(&want, blob_bytes(blob));
        } else {
            size_t size = rng_below(t->rng, 3000);
            reply_bulk(&wire.conn.out, bytes_make(blob->data, size));
            add_bulk(&want, bytes_make(blob->data, size));
        }
    }
    while (conn_take_output(&wire.conn)) {
        conn_write(&wire.conn);
        expect_ne(wire.conn.write_status, CONN_FAILED);
        expect_eq(wire.conn.sending_bytes, unsent_bytes(&wire.conn));
        conn_sent(&wire.conn, &wire.pool);
        drain(&wire, &got, rng_below(t->rng, 50000));
        if (rng_below(t->rng, 20) == 0) { /* more is added meanwhile */
            reply_ok(&wire.conn.out);
            buf_add_text(&want, "+OK\r\n");
        }
    }
    drain(&wire, &got, SIZE_MAX);
    expect_eq(got.size, want.size);
    expect_bytes_eq(buf_bytes(&got), buf_bytes(&want));
    expect_eq(wire.conn.bytes_out, want.size);
    expect_true(blob_is_sole(blob)); /* every pin is gone */
    blob_release(blob);
    buf_deinit(&want);
    buf_deinit(&got);
    wire_close(&wire);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(writing_to_a_peer_that_has_gone_fails_and_keeps_the_rest_for_freeing) {
    struct wire wire;
    wire_open(&wire, false);
    struct blob *blob = blob_create(REPLY_PIN_MIN * 2);
    memset(blob->data, 'x', blob->size);
    reply_blob(&wire.conn.out, blob);
    reply_ok(&wire.conn.out);
    close(wire.peer);
    wire.peer = -1;
    expect_true(conn_take_output(&wire.conn));
    conn_write(&wire.conn);
    expect_eq(wire.conn.write_status, CONN_FAILED);
    expect_eq(wire.conn.error_number, EPIPE);
    wire_close(&wire);
    expect_true(blob_is_sole(blob));
    blob_release(blob);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
