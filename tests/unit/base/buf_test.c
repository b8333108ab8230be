/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/buf.h"

#include "tests/unit/test.h"

TEST(a_buf_grows_and_always_ends_in_nul) {
    struct buf buf = {0};
    char *expected = mem_alloc(60000);
    size_t size = 0;
    while (size < 50000) {
        char piece[300];
        size_t piece_size = rng_below(t->rng, sizeof(piece));
        memset(piece, 'a' + (int)rng_below(t->rng, 26), sizeof(piece));
        memcpy(expected + size, piece, piece_size);
        size += piece_size;
        buf_add(&buf, bytes_make(piece, piece_size));
        expect_eq(buf.data[buf.size], 0);
        expect_true(buf.cap > buf.size);
    }
    expect_bytes_eq(buf_bytes(&buf), bytes_make(expected, size));
    buf_clear(&buf);
    expect_eq(buf.size, 0);
    expect_str_eq(buf.data, "");
    buf_deinit(&buf);
    mem_free(expected);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(pieces_of_all_kinds_follow_each_other) {
    struct buf buf = {0};
    buf_add_text(&buf, "n=");
    buf_add_i64(&buf, INT64_MIN);
    buf_add_char(&buf, ' ');
    buf_addf(&buf, "%s/%d", "x", 7);
    expect_str_eq(buf.data, "n=-9223372036854775808 x/7");
    buf_deinit(&buf);
}

TEST(formatted_text_of_any_size_fits) {
    char long_text[5000];
    for (size_t size = 0; size < sizeof(long_text); size += 61) {
        struct buf buf = {0};
        memset(long_text, 'q', size);
        long_text[size] = '\0';
        buf_addf(&buf, "<%s>", long_text);
        expect_eq(buf.size, size + 2);
        expect_eq(buf.data[0], '<');
        expect_eq(buf.data[size + 1], '>');
        buf_deinit(&buf);
    }
}

TEST(quoted_bytes_show_what_cannot_be_printed) {
    struct buf buf = {0};
    buf_add_quoted(&buf, BYTES("a\"\\\n\r\t\a\b\0\x7f\xff~ "));
    expect_str_eq(buf.data, "\"a\\\"\\\\\\n\\r\\t\\a\\b\\x00\\x7f\\xff~ \"");
    buf_deinit(&buf);
}

TEST(take_hands_the_memory_over) {
    struct buf buf = {0};
    char *empty = buf_take(&buf);
    expect_str_eq(empty, "");
    mem_free(empty);

    buf_add_text(&buf, "abc");
    char *text = buf_take(&buf);
    expect_null(buf.data);
    expect_eq(buf.size, 0);
    expect_str_eq(text, "abc");
    mem_free(text);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
