/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/reply_reader.h"

#include "base/buf.h"
#include "base/mem.h"
#include "tests/unit/test.h"

/* A value as text: "[1, "a", {..}]" and the like. */
static void describe(const struct resp_value *value, struct buf *out) {
    static const char *const names[] = {
        [RESP_STRING] = "$",   [RESP_STATUS] = "+", [RESP_ERROR] = "-",  [RESP_INTEGER] = ":",
        [RESP_NULL] = "_",     [RESP_BOOL] = "#",   [RESP_DOUBLE] = ",", [RESP_BIGNUM] = "(",
        [RESP_VERBATIM] = "=", [RESP_ARRAY] = "*",  [RESP_SET] = "~",    [RESP_MAP] = "%",
        [RESP_PUSH] = ">"};
    buf_add_text(out, names[value->kind]);
    if (value->kind == RESP_INTEGER || value->kind == RESP_BOOL) buf_add_i64(out, value->integer);
    if (value->kind == RESP_VERBATIM) buf_addf(out, "%s:", value->format);
    if (value->text.data) buf_add(out, value->text);
    if (!resp_is_aggregate(value)) return;
    buf_add_char(out, '[');
    for (size_t i = 0; i < value->count; i++) {
        if (i > 0) buf_add_char(out, ' ');
        describe(&value->items[i], out);
    }
    buf_add_char(out, ']');
}

/* All replies of the input, fed in pieces of step bytes, described; errors too. */
static void read_all(struct bytes data, size_t step, struct buf *out) {
    struct reply_reader reader;
    reply_reader_init(&reader, true);
    for (size_t at = 0; at < data.size; at += step) {
        struct bytes input = bytes_make(data.data + at, size_min(step, data.size - at));
        while (input.size > 0) {
            struct resp_value *value = NULL;
            enum reply_read result = reply_reader_next(&reader, &input, &value);
            reply_reader_verify(&reader);
            if (result == REPLY_READ_WHOLE) {
                if (out->size > 0) buf_add_char(out, ' ');
                describe(value, out);
                resp_value_destroy(&value);
            } else if (result == REPLY_READ_BROKEN) {
                buf_addf(out, "broken: %s", reader.error);
                reply_reader_deinit(&reader);
                return;
            }
        }
    }
    if (reply_reader_is_mid_reply(&reader)) buf_add_text(out, "...");
    reply_reader_deinit(&reader);
}

static void expect_read_bytes(struct bytes data, const char *expected) {
    for (size_t step = 1; step <= data.size + 1; step += step < 4 ? 1 : data.size / 3 + 1) {
        struct buf text = {0};
        read_all(data, step, &text);
        expect_bytes_eq(buf_bytes(&text), bytes_of(expected));
        buf_deinit(&text);
    }
}
#define expect_read(literal, expected) expect_read_bytes(BYTES(literal), expected)

TEST(each_type_is_read_in_pieces_of_any_size) {
    expect_read("+OK\r\n", "+OK");
    expect_read("-ERR no\r\n", "-ERR no");
    expect_read(":-42\r\n", ":-42");
    expect_read("$5\r\nhe\r\no\r\n", "$he\r\no");
    expect_read("$0\r\n\r\n", "$");
    expect_read("$-1\r\n*-1\r\n_\r\n", "_ _ _");
    expect_read("#t\r\n#f\r\n", "#1 #0");
    expect_read(",1.5\r\n,inf\r\n,nan\r\n", ",1.5 ,inf ,nan");
    expect_read("(-123456789012345678901234567890\r\n", "(-123456789012345678901234567890");
    expect_read("!5\r\nERR x\r\n", "-ERR x");
    expect_read("=7\r\ntxt:abc\r\n", "=txt:abc");
    expect_read("*2\r\n:1\r\n*1\r\n$1\r\na\r\n", "*[:1 *[$a]]");
    expect_read("%2\r\n+a\r\n:1\r\n+b\r\n~1\r\n:2\r\n", "%[+a :1 +b ~[:2]]");
    expect_read("*0\r\n%0\r\n~0\r\n", "*[] %[] ~[]");
    expect_read(">2\r\n+message\r\n+x\r\n:1\r\n", ">[+message +x] :1");
}

TEST(attributes_are_dropped_wherever_they_stand) {
    expect_read("|1\r\n+ttl\r\n:10\r\n$1\r\nv\r\n", "$v");
    expect_read("*2\r\n:1\r\n|1\r\n+a\r\n*2\r\n:7\r\n:8\r\n:2\r\n+next\r\n", "*[:1 :2] +next");
    expect_read("|0\r\n:1\r\n", ":1");
}

TEST(what_is_no_reply_is_an_error) {
    expect_read("hello\r\n", "broken: a reply begins with an unknown byte");
    expect_read("\r\n", "broken: an empty line is no reply");
    expect_read("+OK\n", "broken: a line does not end in CR LF");
    expect_read(":1x\r\n", "broken: an integer is none");
    expect_read("$-2\r\n", "broken: a length is no number");
    expect_read("$99999999999999\r\n", "broken: a string is too long");
    expect_read("*9999999999\r\n", "broken: an aggregate has too many elements");
    expect_read("$1\r\nabc", "broken: a string does not end where it should");
    expect_read("=3\r\nabc\r\n", "broken: a verbatim string lacks its format");
    expect_read("#x\r\n", "broken: a boolean is neither true nor false");
    expect_read("_x\r\n", "broken: a null has a value");
    expect_read(",1,5\r\n", "broken: a double is none");
    expect_read("(12a\r\n", "broken: a big number is none");
    expect_read("~-1\r\n", "broken: a length is negative");
}

TEST(nesting_has_a_bound) {
    struct buf deep = {0};
    for (int i = 0; i < REPLY_READER_DEPTH; i++) {
        buf_add_text(&deep, "*1\r\n");
    }
    struct buf text = {0};
    read_all(buf_bytes(&deep), 100000, &text);
    expect_str_eq(text.data, "...");
    buf_clear(&text);
    buf_add_text(&deep, "*1\r\n");
    read_all(buf_bytes(&deep), 100000, &text);
    expect_str_eq(text.data, "broken: aggregates are nested too deep");
    buf_deinit(&text);
    buf_deinit(&deep);
}

TEST(an_announced_length_takes_no_memory) {
    struct reply_reader reader;
    reply_reader_init(&reader, true);
    struct bytes input = BYTES("*2000000000\r\n$60000000000\r\nabc");
    struct resp_value *value = NULL;
    expect_eq(reply_reader_next(&reader, &input, &value), REPLY_READ_MORE);
    expect_true(mem_in_use() - t->mem_at_start < 1024 * 1024);
    reply_reader_deinit(&reader);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(a_skipping_reader_tells_kind_and_text_of_each_reply) {
    struct bytes data =
        BYTES("+PONG\r\n-MOVED 1 h:2\r\n$3\r\nabc\r\n*2\r\n$1\r\nx\r\n:5\r\n:7\r\n$-1\r\n");
    static const struct {
        enum resp_kind kind;
        const char *text;
        int64_t integer;
    } expected[] = {{RESP_STATUS, "PONG", 0}, {RESP_ERROR, "MOVED 1 h:2", 0},
                    {RESP_STRING, "abc", 0},  {RESP_ARRAY, "", 2},
                    {RESP_INTEGER, "", 7},    {RESP_NULL, "", 0}};
    for (size_t step = 1; step <= data.size; step++) {
        struct reply_reader reader;
        size_t count = 0;
        reply_reader_init(&reader, false);
        for (size_t at = 0; at < data.size; at += step) {
            struct bytes input = bytes_make(data.data + at, size_min(step, data.size - at));
            struct reply_seen seen;
            while (input.size > 0) {
                if (reply_reader_skip(&reader, &input, &seen) != REPLY_READ_WHOLE) break;
                expect_true(count < COUNT_OF(expected));
                expect_eq(seen.kind, expected[count].kind);
                expect_bytes_eq(seen.text, bytes_of(expected[count].text));
                if (expected[count].integer) expect_eq(seen.integer, expected[count].integer);
                count++;
            }
        }
        expect_eq(count, COUNT_OF(expected));
        reply_reader_deinit(&reader);
    }
}

/* ---- random trees ---- */

static void add_random(struct rng *rng, int depth, struct buf *wire, struct buf *text) {
    uint64_t choice = rng_below(rng, depth > 4 ? 4 : 8);
    if (choice == 0) {
        int64_t number = (int64_t)rng_next(rng);
        buf_addf(wire, ":%lld\r\n", (long long)number);
        buf_addf(text, ":%lld", (long long)number);
    } else if (choice == 1) {
        buf_add_text(wire, "$-1\r\n");
        buf_add_text(text, "_");
    } else if (choice < 4) {
        size_t size = rng_below(rng, 100) == 0 ? 400000 : rng_below(rng, 20);
        buf_addf(wire, "$%zu\r\n", size);
        buf_add_char(text, '$');
        for (size_t i = 0; i < size; i++) {
            char c = (char)rng_below(rng, 256);
            buf_add_char(wire, c);
            buf_add_char(text, c);
        }
        buf_add_text(wire, "\r\n");
    } else {
        static const char marks[] = "*~>%";
        char mark = marks[choice - 4];
        size_t count = rng_below(rng, 6);
        buf_addf(wire, "%c%zu\r\n", mark, count);
        buf_addf(text, "%c[", mark);
        if (mark == '%') count *= 2;
        for (size_t i = 0; i < count; i++) {
            if (i > 0) buf_add_char(text, ' ');
            add_random(rng, depth + 1, wire, text);
        }
        buf_add_char(text, ']');
    }
}

TEST(random_trees_come_back_as_they_were_sent) {
    for (int round = 0; round < 300; round++) {
        struct buf wire = {0}, expected = {0}, text = {0};
        add_random(t->rng, 0, &wire, &expected);
        read_all(buf_bytes(&wire), 1 + rng_below(t->rng, wire.size), &text);
        expect_bytes_eq(buf_bytes(&text), buf_bytes(&expected));
        buf_deinit(&wire);
        buf_deinit(&expected);
        buf_deinit(&text);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(redirections_are_understood) {
    struct reply_redirect to;
    expect_true(reply_redirect_parse(BYTES("MOVED 3999 10.0.0.1:6381"), &to));
    expect_true(!to.ask && to.slot == 3999 && to.port == 6381);
    expect_bytes_eq(to.host, BYTES("10.0.0.1"));
    expect_true(reply_redirect_parse(BYTES("ASK 1 ::1:7000"), &to));
    expect_true(to.ask && to.port == 7000);
    expect_bytes_eq(to.host, BYTES("::1"));
    expect_true(reply_redirect_parse(BYTES("MOVED 1 :7000"), &to));
    expect_eq(to.host.size, 0);
    expect_false(reply_redirect_parse(BYTES("MOVED 16384 h:1"), &to));
    expect_false(reply_redirect_parse(BYTES("MOVED 1 h"), &to));
    expect_false(reply_redirect_parse(BYTES("MOVED 1 h:0"), &to));
    expect_false(reply_redirect_parse(BYTES("MOVED x h:1"), &to));
    expect_false(reply_redirect_parse(BYTES("ERR MOVED 1 h:1"), &to));
    expect_false(reply_redirect_parse(BYTES("MOVED "), &to));
}

TEST_MAIN()
