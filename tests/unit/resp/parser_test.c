/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/resp/feeder.h"
#include "tests/unit/test.h"

static const int64_t BULK_MAX = 512ll * 1024 * 1024;

static void add_bulk(struct buf *out, struct bytes arg) {
    buf_addf(out, "$%zu\r\n", arg.size);
    buf_add(out, arg);
    buf_add_text(out, "\r\n");
}

/* What the feeder logs for this stream, fed at once. */
static char *log_of(const char *data, size_t size, bool preauth) {
    struct feeder feeder;
    feeder_init(&feeder, BULK_MAX);
    feeder.parser.preauth = preauth;
    feeder_feed_all(&feeder, bytes_make(data, size));
    char *log = buf_take(&feeder.log);
    feeder_deinit(&feeder);
    return log;
}

static void expect_log(const char *data, size_t size, bool preauth, const char *expected) {
    char *log = log_of(data, size, preauth);
    expect_str_eq(log, expected);
    mem_free(log);
}
#define expect_parsed(literal, expected) expect_log(literal, sizeof(literal) - 1, false, expected)
#define expect_preauth(literal, expected) expect_log(literal, sizeof(literal) - 1, true, expected)

TEST(a_whole_request_is_slices_of_the_input_in_the_batch) {
    static const char text[] =
        "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n*1\r\n$4\r\nPING\r\n*1";
    struct parser parser;
    struct batch batch;
    struct bytes input = BYTES(text);
    parser_init(&parser, BULK_MAX);
    batch_reset(&batch);

    expect_eq(parser_next(&parser, &input, &batch, &batch.requests[0]), PARSE_REQUEST);
    expect_eq(batch.requests[0].argc, 3);
    expect_ptr_eq(batch.requests[0].argv, batch.args);
    expect_false(batch.requests[0].owns_argv);
    expect_ptr_eq(batch.requests[0].argv[2].data, text + 26);
    expect_bytes_eq(batch.requests[0].argv[2], BYTES("value"));
    expect_eq(batch.requests[0].wire_bytes, 33);
    expect_eq(batch.requests[0].fault, REQUEST_FINE);
    expect_null(batch.requests[0].big);

    expect_eq(parser_next(&parser, &input, &batch, &batch.requests[1]), PARSE_REQUEST);
    expect_ptr_eq(batch.requests[1].argv, batch.args + 3);
    expect_bytes_eq(batch.requests[1].argv[0], BYTES("PING"));
    expect_eq(batch.args_used, 4);

    expect_eq(parser_next(&parser, &input, &batch, &batch.requests[2]), PARSE_MORE);
    expect_bytes_eq(input, BYTES("*1"));
    expect_false(parser_is_mid_request(&parser));
    expect_null(parser_first_needed(&parser));
    parser_deinit(&parser);
}

TEST(nothing_to_parse_is_no_request) {
    struct parser parser;
    struct batch batch;
    struct bytes input = {0};
    struct request request;
    parser_init(&parser, BULK_MAX);
    batch_reset(&batch);
    expect_eq(parser_next(&parser, &input, &batch, &request), PARSE_MORE);
    parser_deinit(&parser);
}

TEST(lengths_of_every_number_of_digits_are_read) {
    static const size_t sizes[] = {0,    1,    9,     10,    99,    100,  999,
                                   1000, 9999, 10000, 32767, 32768, 99999};
    struct buf text = {0}, payload = {0};
    memset(buf_reserve(&payload, 100000), 'x', 100000);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct feeder feeder;
        feeder_init(&feeder, BULK_MAX);
        buf_clear(&text);
        buf_add_text(&text, "*2\r\n$4\r\nECHO\r\n");
        add_bulk(&text, bytes_make(payload.data, sizes[i]));
        buf_add_text(&text, "*1\r\n$4\r\nPING\r\n");
        feeder_feed_all(&feeder, buf_bytes(&text));
        expect_eq(feeder.request_count, 2);
        char start[64];
        snprintf(start, sizeof(start), "2 args, %zu bytes: 4/ECHO %zu/", text.size - 14, sizes[i]);
        expect_true(bytes_starts_with(buf_bytes(&feeder.log), bytes_of(start)));
        feeder_deinit(&feeder);
    }
    buf_deinit(&text);
    buf_deinit(&payload);
}

TEST(lengths_are_strict_numbers) {
    static const char invalid[] = "error: Protocol error: invalid multibulk length\n";
    expect_parsed("*abc\r\n", invalid);
    expect_parsed("*+3\r\n", invalid);
    expect_parsed("* 3\r\n", invalid);
    expect_parsed("*3 \r\n", invalid);
    expect_parsed("*03\r\n$4\r\nPING\r\n", invalid);
    expect_parsed("*\r\n", invalid);
    expect_parsed("*-0\r\n", invalid);
    expect_parsed("*2147483648\r\n", invalid);
    expect_parsed("*99999999999999999999\r\n", invalid);
    expect_parsed("*3\n$4\r\nPING\r\n", invalid);
    expect_parsed("*2147483647\r\n", "");

    static const char bulk[] = "error: Protocol error: invalid bulk length\n";
    expect_parsed("*1\r\n$-1\r\n", bulk);
    expect_parsed("*1\r\n$+4\r\nPING\r\n", bulk);
    expect_parsed("*1\r\n$04\r\nPING\r\n", bulk);
    expect_parsed("*1\r\n$\r\nPING\r\n", bulk);
    expect_parsed("*1\r\n$x\r\n", bulk);
    expect_parsed("*1\r\n$536870913\r\n", bulk);
    expect_parsed("*1\r\n$9223372036854775808\r\n", bulk);
    expect_parsed("*1\r\n$536870912\r\n", "");
}

TEST(an_argument_needs_its_dollar) {
    expect_parsed("*1\r\n:4\r\nPING\r\n", "error: Protocol error: expected '$', got ':'\n");
    expect_parsed("*1\r\n\r\n", "error: Protocol error: expected '$', got '\r'\n");
    expect_parsed("*1\r\n\0\r\n", "error: Protocol error: expected '$', got ' '\n");
    expect_parsed("*1\r\n:4", "");
}

TEST(requests_before_an_error_are_delivered) {
    expect_parsed("*1\r\n$4\r\nPING\r\nECHO a\r\n*1\r\n$x\r\n*1\r\n$4\r\nPING\r\n",
                  "1 args, 14 bytes: 4/PING\n2 args, 8 bytes: 4/ECHO 1/a\n"
                  "error: Protocol error: invalid bulk length\n");
}

TEST(an_error_stays) {
    struct parser parser;
    struct batch batch;
    struct request request;
    struct bytes input = BYTES("*x\r\n*1\r\n$4\r\nPING\r\n");
    parser_init(&parser, BULK_MAX);
    batch_reset(&batch);
    expect_eq(parser_next(&parser, &input, &batch, &request), PARSE_ERROR);
    input = BYTES("*1\r\n$4\r\nPING\r\n");
    expect_eq(parser_next(&parser, &input, &batch, &request), PARSE_ERROR);
    expect_str_eq(parser.error, "Protocol error: invalid multibulk length");
    parser_deinit(&parser);
}

TEST(what_stands_behind_an_argument_is_skipped_unseen) {
    expect_parsed("*1\r\n$4\r\nPINGxx*1\rY$4\rZPINGab",
                  "1 args, 14 bytes: 4/PING\n1 args, 14 bytes: 4/PING\n");
}

TEST(empty_arrays_and_lines_are_skipped) {
    expect_parsed("*0\r\n*-1\r\n\r\n\n  \r\nPING\r\n*0\r\n", "1 args, 6 bytes: 4/PING\n");
    expect_parsed("*-9223372036854775808\r\n*1\r\n$1\r\na\r\n", "1 args, 11 bytes: 1/a\n");
}

TEST(inline_commands_are_split) {
    expect_parsed("SET k 'a b'\r\n", "3 args, 13 bytes: 3/SET 1/k 3/a b\n");
    expect_parsed("GET k\n", "2 args, 6 bytes: 3/GET 1/k\n");
    expect_parsed("GET \"\\x41\\n\"\r\n", "2 args, 14 bytes: 3/GET 2/A\n\n");
    expect_parsed("GET \"k\r\n", "error: Protocol error: unbalanced quotes in request\n");
    expect_parsed("GET k", "");
}

TEST(unauthenticated_requests_are_small) {
    expect_preauth("*11\r\n", "error: Protocol error: unauthenticated multibulk length\n");
    expect_preauth("*1\r\n$16385\r\n", "error: Protocol error: unauthenticated bulk length\n");
    expect_preauth(
        "*11\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na"
        "\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n",
        "error: Protocol error: unauthenticated multibulk length\n");
    expect_preauth("*1\r\n$4\r\nPING\r\n", "1 args, 14 bytes: 4/PING\n");

    struct buf text = {0};
    for (size_t size = 16384; size <= 16385; size++) { /* with all of it there at once */
        buf_clear(&text);
        buf_addf(&text, "*1\r\n$%zu\r\n", size);
        memset(buf_reserve(&text, size + 2), 'a', size + 2);
        text.size += size + 2;
        char *log = log_of(text.data, text.size, true);
        bool fits = bytes_starts_with(bytes_of(log), BYTES("1 args"));
        expect_eq(fits, size == 16384);
        mem_free(log);
    }
    buf_deinit(&text);
}

/* A line of size bytes that begins with prefix. */
static void expect_line_limit(const char *prefix, const char *error) {
    for (size_t cut = 1; cut <= 70000; cut = cut * 40 + 7) {
        struct feeder feeder;
        struct buf text = {0};
        feeder_init(&feeder, BULK_MAX);
        size_t size = PARSER_INLINE_MAX + 1;
        buf_add_text(&text, prefix);
        size_t line_start = bytes_starts_with(bytes_of(prefix), BYTES("*1\r\n")) ? 4 : 0;
        memset(buf_reserve(&text, size), '1', size);
        text.size = line_start + size;
        for (size_t at = 0; at + 1 < text.size; at += cut)
            feeder_feed_all(&feeder, bytes_make(text.data + at, size_min(cut, text.size - 1 - at)));
        expect_false(feeder.failed);
        feeder_feed_all(&feeder, bytes_make(text.data + text.size - 1, 1));
        expect_true(feeder.failed);
        expect_str_eq(feeder.parser.error, error);
        buf_deinit(&text);
        feeder_deinit(&feeder);
    }
}

TEST(lines_have_a_limit_however_they_arrive) {
    expect_line_limit("A", "Protocol error: too big inline request");
    expect_line_limit("*", "Protocol error: too big mbulk count string");
    expect_line_limit("*1\r\n$", "Protocol error: too big bulk count string");
}

TEST(announced_sizes_reserve_nothing) {
    struct feeder feeder;
    size_t before = mem_in_use();
    feeder_init(&feeder, BULK_MAX);
    feeder_feed_all(&feeder, BYTES("*2147483647\r\n"));
    expect_eq(feeder.parser.args_cap, 0);
    feeder_feed_all(&feeder, BYTES("$1\r\na\r\n"));
    expect_eq(feeder.parser.args_cap, PARSER_ARGS_FIRST);
    feeder_feed_all(&feeder, BYTES("$536870912\r\nabc"));
    expect_true(mem_in_use() - before < 2 * PARSER_BIG_FIRST);
    feeder_deinit(&feeder);
    expect_eq(mem_in_use(), before);
}

TEST(a_large_argument_is_a_blob_that_can_be_taken) {
    enum { SIZE = 5 * 1024 * 1024 + 3 };
    char *payload = mem_alloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        payload[i] = (char)rng_next(t->rng);
    struct buf text = {0};
    buf_add_text(&text, "*5\r\n$3\r\nSET\r\n");
    add_bulk(&text, bytes_make(payload, SIZE));
    add_bulk(&text, BYTES("small"));
    add_bulk(&text, bytes_make(payload, REQUEST_BIG_ARG));
    add_bulk(&text, bytes_make(payload, REQUEST_BIG_ARG - 1));

    struct parser parser;
    struct batch batch;
    struct request request;
    struct bytes input = buf_bytes(&text);
    parser_init(&parser, BULK_MAX);
    batch_reset(&batch);
    expect_eq(parser_next(&parser, &input, &batch, &request), PARSE_REQUEST);
    expect_eq(request.argc, 5);
    expect_bytes_eq(request.argv[1], bytes_make(payload, SIZE));
    expect_bytes_eq(request.argv[3], bytes_make(payload, REQUEST_BIG_ARG));
    expect_bytes_eq(request.argv[4], bytes_make(payload, REQUEST_BIG_ARG - 1));
    expect_null(request_take_big(&request, 0));
    expect_null(request_take_big(&request, 4));
    expect_false(request_is_big(&request, 2));

    struct blob *blob = request_take_big(&request, 1);
    expect_not_null(blob);
    expect_true(blob_is_sole(blob));
    expect_ptr_eq(blob->data, request.argv[1].data);
    expect_eq(blob->size, SIZE);
    expect_null(request_take_big(&request, 1));
    expect_true(request_is_big(&request, 1));
    request_release(&request);
    expect_bytes_eq(blob_bytes(blob), bytes_make(payload, SIZE));
    blob_release(blob);
    parser_deinit(&parser);
    buf_deinit(&text);
    mem_free(payload);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(an_abandoned_large_argument_is_freed) {
    struct feeder feeder;
    struct buf text = {0};
    feeder_init(&feeder, BULK_MAX);
    memset(buf_reserve(&text, 100000), 'a', 100000);
    feeder_feed_all(&feeder, BYTES("*9\r\n$40000\r\n"));
    feeder_feed_all(&feeder, bytes_make(text.data, 40002));
    feeder_feed_all(&feeder, BYTES("$3\r\nabc\r\n$90000\r\n"));
    feeder_feed_all(&feeder, bytes_make(text.data, 50000));
    expect_eq(feeder.parser.partial.argc, 2);
    expect_true(parser_first_needed(&feeder.parser) == feeder.parser.partial.argv[1].data);
    feeder_deinit(&feeder);
    buf_deinit(&text);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(requests_that_do_not_fit_the_batch_have_slices_apart) {
    struct feeder feeder;
    struct buf text = {0}, expected = {0};
    feeder_init(&feeder, BULK_MAX);
    for (int request = 0; request < 30; request++) {
        int argc = request % 3 == 0 ? 1000 : 20;
        size_t start = text.size;
        buf_addf(&text, "*%d\r\n", argc);
        for (int i = 0; i < argc; i++) {
            char arg[16];
            add_bulk(&text, bytes_make(arg, (size_t)snprintf(arg, sizeof(arg), "%d", i * request)));
        }
        buf_addf(&expected, "%d args, %zu bytes:", argc, text.size - start);
        for (int i = 0; i < argc; i++) {
            char arg[16];
            int size = snprintf(arg, sizeof(arg), "%d", i * request);
            buf_addf(&expected, " %d/%s", size, arg);
        }
        buf_add_char(&expected, '\n');
    }
    feeder_feed_all(&feeder, buf_bytes(&text));
    expect_true(bytes_equal(buf_bytes(&feeder.log), buf_bytes(&expected)));
    expect_true(feeder.apart_count >= 10 && feeder.apart_count < 30);
    feeder_deinit(&feeder);
    buf_deinit(&text);
    buf_deinit(&expected);
}

/* ---- random streams in random pieces ---- */

static void add_random_request(struct rng *rng, struct buf *text, struct buf *expected) {
    size_t start = text->size;
    struct buf log = {0};
    uint64_t kind = rng_below(rng, 10);
    unsigned argc = 1 + (unsigned)rng_below(rng, kind == 0 ? 400 : 5);
    if (kind == 1) {
        buf_add_text(text, rng_below(rng, 2) ? "\r\n" : "*0\r\n");
        return;
    }
    if (kind == 2) {
        buf_add_text(text, "get \"a b\" c\r\n");
        buf_add_text(expected, "3 args, 13 bytes: 3/get 3/a b 1/c\n");
        return;
    }
    buf_addf(text, "*%u\r\n", argc);
    for (unsigned i = 0; i < argc; i++) {
        size_t size = rng_below(rng, 20);
        if (rng_below(rng, 40) == 0) size = rng_below(rng, 3000);
        if (rng_below(rng, 100) == 0) size = rng_below(rng, 100000);
        struct buf arg = {0};
        for (size_t k = 0; k < size; k++)
            buf_add_char(&arg, (char)("*$\r\n0129abc\0"[rng_below(rng, 12)]));
        add_bulk(text, buf_bytes(&arg));
        buf_addf(&log, " %zu/", size);
        buf_add(&log, buf_bytes(&arg));
        buf_deinit(&arg);
    }
    buf_addf(expected, "%u args, %zu bytes:", argc, text->size - start);
    buf_add(expected, buf_bytes(&log));
    buf_add_char(expected, '\n');
    buf_deinit(&log);
}

TEST(pieces_and_moves_change_nothing) {
    for (int round = 0; round < 300; round++) {
        struct buf text = {0}, expected = {0};
        struct feeder feeder;
        feeder_init(&feeder, BULK_MAX);
        size_t request_count = rng_below(t->rng, 40);
        for (size_t i = 0; i < request_count; i++)
            add_random_request(t->rng, &text, &expected);
        size_t piece_max = (size_t)1 << rng_below(t->rng, 16);
        struct bytes rest = buf_bytes(&text);
        while (rest.size) {
            size_t n = size_min(rest.size, 1 + rng_below(t->rng, piece_max));
            feeder_feed_all(&feeder, bytes_make(rest.data, n));
            rest = bytes_from(rest, n);
        }
        expect_false(feeder.failed);
        expect_false(parser_is_mid_request(&feeder.parser));
        expect_eq(feeder.log.size, expected.size);
        expect_true(bytes_equal(buf_bytes(&feeder.log), buf_bytes(&expected)));
        buf_deinit(&text);
        buf_deinit(&expected);
        feeder_deinit(&feeder);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(one_byte_at_a_time_costs_one_step_a_byte) {
    struct feeder feeder;
    struct buf text = {0};
    feeder_init(&feeder, BULK_MAX);
    buf_add_text(&text, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$20000\r\n");
    memset(buf_reserve(&text, 20002), 'v', 20002);
    text.size += 20002;
    struct parser *parser = &feeder.parser;
    struct bytes input = bytes_make(text.data, 0);
    struct request request;
    for (size_t i = 0; i < text.size; i++) { /* no move: only the end grows */
        input.size++;
        enum parse_result result = parser_next(parser, &input, &feeder.batch, &request);
        expect_eq(result, i + 1 < text.size ? PARSE_MORE : PARSE_REQUEST);
        if (i > 13 && result == PARSE_MORE)
            expect_ptr_eq(parser_first_needed(parser), text.data + 8);
    }
    expect_eq(request.argc, 3);
    expect_eq(request.wire_bytes, text.size);
    buf_deinit(&text);
    feeder_deinit(&feeder);
}

TEST_MAIN()
