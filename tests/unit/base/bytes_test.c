/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/test.h"

static struct bytes random_bytes(struct rng *rng, char *out, size_t size_max_) {
    size_t size = rng_below(rng, size_max_ + 1);
    for (size_t i = 0; i < size; i++)
        out[i] = (char)("abAB\0\xff"[rng_below(rng, 6)]);
    return bytes_make(out, size);
}

static int naive_compare(struct bytes a, struct bytes b) {
    for (size_t i = 0; i < a.size && i < b.size; i++) {
        unsigned char x = (unsigned char)a.data[i], y = (unsigned char)b.data[i];
        if (x != y) return x < y ? -1 : 1;
    }
    return a.size == b.size ? 0 : a.size < b.size ? -1 : 1;
}

TEST(comparisons_agree_with_naive_ones) {
    char left[8], right[8];
    for (int i = 0; i < 20000; i++) {
        struct bytes a = random_bytes(t->rng, left, sizeof(left));
        struct bytes b = random_bytes(t->rng, right, sizeof(right));
        int order = naive_compare(a, b);
        expect_eq(bytes_compare(a, b), order);
        expect_eq(bytes_equal(a, b), order == 0);
        expect_eq(bytes_starts_with(a, b),
                  b.size <= a.size && naive_compare(bytes_make(a.data, b.size), b) == 0);
        bool nocase = a.size == b.size;
        for (size_t k = 0; nocase && k < a.size; k++)
            nocase = char_upper(a.data[k]) == char_upper(b.data[k]);
        expect_eq(bytes_equal_nocase(a, b), nocase);
    }
}

TEST(find_byte_gives_the_first_index_or_the_size) {
    struct bytes text = BYTES("a,b,c\0,");
    expect_eq(bytes_find_byte(text, ','), 1);
    expect_eq(bytes_find_byte(text, '\0'), 5);
    expect_eq(bytes_find_byte(text, 'x'), text.size);
    expect_eq(bytes_find_byte(bytes_make(NULL, 0), 'x'), 0);
}

TEST(trim_takes_white_space_at_both_ends_only) {
    expect_bytes_eq(bytes_trim(BYTES(" \t\r\n a b \v\f")), BYTES("a b"));
    expect_bytes_eq(bytes_trim(BYTES("a")), BYTES("a"));
    expect_eq(bytes_trim(BYTES(" \n ")).size, 0);
    expect_eq(bytes_trim(bytes_make(NULL, 0)).size, 0);
}

TEST(from_is_bounded_by_the_end) {
    expect_bytes_eq(bytes_from(BYTES("hello"), 2), BYTES("llo"));
    expect_eq(bytes_from(BYTES("hello"), 5).size, 0);
    expect_eq(bytes_from(BYTES("hello"), 99).size, 0);
}

TEST(bytes_of_null_is_empty) {
    expect_eq(bytes_of(NULL).size, 0);
    expect_bytes_eq(bytes_of("ab"), BYTES("ab"));
}

TEST(an_escape_takes_as_many_bytes_as_it_has) {
    static const struct {
        struct bytes text;
        size_t taken;
        char means;
    } cases[] = {
        {BYTES("nn"), 1, '\n'},  {BYTES("a"), 1, '\a'},   {BYTES("q"), 1, 'q'},
        {BYTES("\\x"), 1, '\\'}, {BYTES("x41B"), 3, 'A'}, {BYTES("xfF"), 3, '\xff'},
        {BYTES("x"), 1, 'x'},    {BYTES("x4"), 1, 'x'},   {BYTES("x4g"), 1, 'x'},
        {BYTES("xg4"), 1, 'x'},  {BYTES("x00"), 3, '\0'},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char c = '?';
        expect_eq(bytes_unescape(cases[i].text, &c), cases[i].taken);
        expect_eq(c, cases[i].means);
    }
}

TEST_MAIN()
