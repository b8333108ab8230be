/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/buf.h"
#include "base/mem.h"
#include "resp/parser.h"
#include "tests/unit/test.h"

/* The arguments in brackets, or "unbalanced". */
static void expect_split_bytes(struct bytes line, const char *expected) {
    struct bytes *argv = NULL;
    uint32_t argc = 77;
    struct buf text = {0};
    if (split_args(line, &argv, &argc)) {
        for (uint32_t i = 0; i < argc; i++) {
            buf_add_char(&text, '[');
            buf_add(&text, argv[i]);
            buf_add_char(&text, ']');
        }
        expect_eq(argv == NULL, argc == 0);
        mem_free(argv);
    } else {
        expect_null(argv);
        expect_eq(argc, 77);
        buf_add_text(&text, "unbalanced");
    }
    expect_bytes_eq(buf_bytes(&text), bytes_of(expected));
    buf_deinit(&text);
}
#define expect_split(literal, expected) expect_split_bytes(BYTES(literal), expected)

TEST(white_space_separates) {
    expect_split("", "");
    expect_split(" \t\r\n\v\f", "");
    expect_split("a", "[a]");
    expect_split("  get\tkey \r", "[get][key]");
    expect_split("a\rb\nc", "[a][b][c]");
    expect_split("a\vb", "[a\vb]");
    expect_split("\v\fa", "[a]");
}

TEST(double_quotes_know_escapes) {
    expect_split("\"a b\"", "[a b]");
    expect_split("\"\" x", "[][x]");
    expect_split("\"\\n\\r\\t\\b\\a\"", "[\n\r\t\b\a]");
    expect_split("\"\\x41\\x4g\\q\\\"\\\\\"", "[Ax4gq\"\\]");
    expect_split("\"\\xfF\\x\"", "[\xffx]");
    expect_split("\"'\"", "[']");
    expect_split("\"\\x4\"", "[x4]");
}

TEST(single_quotes_know_only_themselves) {
    expect_split("'a b'", "[a b]");
    expect_split("'a\\'b'", "[a'b]");
    expect_split("'a\\\\b\\n'", "[a\\\\b\\n]");
    expect_split("'\"'", "[\"]");
}

TEST(quotes_may_stand_inside_an_argument) {
    expect_split("\"a\"b", "[ab]");
    expect_split("a\"b c\"d e", "[ab cd][e]");
    expect_split("'a''b'", "[ab]");
    expect_split("'a'\"b\"", "[ab]");
}

TEST(a_quote_without_end_is_unbalanced) {
    expect_split("\"", "unbalanced");
    expect_split("a \"b", "unbalanced");
    expect_split("'a\\'", "unbalanced");
    expect_split("\"a\\\"", "unbalanced");
    expect_split("a\"b", "unbalanced");
    expect_split("\"a\\", "unbalanced");
}

TEST(a_nul_ends_the_line) {
    expect_split("a b\0c", "[a][b]");
    expect_split("\"a\0\"", "unbalanced");
}

TEST(what_was_quoted_splits_back) {
    for (int round = 0; round < 2000; round++) {
        struct buf line = {0}, expected = {0};
        size_t count = 1 + rng_below(t->rng, 5);
        for (size_t i = 0; i < count; i++) {
            char arg[12];
            size_t size = rng_below(t->rng, sizeof(arg));
            for (size_t k = 0; k < size; k++)
                arg[k] = (char)rng_next(t->rng);
            buf_add_quoted(&line, bytes_make(arg, size));
            buf_add_char(&line, ' ');
            buf_addf(&expected, "%zu:", size);
            buf_add(&expected, bytes_make(arg, size));
        }
        struct bytes *argv;
        uint32_t argc;
        struct buf got = {0};
        expect_true(split_args(buf_bytes(&line), &argv, &argc));
        expect_eq(argc, count);
        for (uint32_t i = 0; i < argc; i++) {
            buf_addf(&got, "%zu:", argv[i].size);
            buf_add(&got, argv[i]);
        }
        expect_bytes_eq(buf_bytes(&got), buf_bytes(&expected));
        mem_free(argv);
        buf_deinit(&got);
        buf_deinit(&line);
        buf_deinit(&expected);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
