/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/glob.h"

#include "tests/unit/test.h"

/* The same language, told by recursion: slow, and plain. */
static bool naive_class(struct bytes *p, unsigned char c) {
    bool found = false, negated = false;
    *p = bytes_from(*p, 1);
    if (p->size && p->data[0] == '^') {
        negated = true;
        *p = bytes_from(*p, 1);
    }
    while (p->size && p->data[0] != ']') {
        unsigned char first = (unsigned char)p->data[0];
        if (first == '\\' && p->size >= 2) {
            if ((unsigned char)p->data[1] == c) found = true;
            *p = bytes_from(*p, 2);
        } else if (p->size >= 3 && p->data[1] == '-') {
            unsigned char last = (unsigned char)p->data[2];
            if ((first <= c && c <= last) || (last <= c && c <= first)) found = true;
            *p = bytes_from(*p, 3);
        } else {
            if (first == c) found = true;
            *p = bytes_from(*p, 1);
        }
    }
    *p = bytes_from(*p, 1);
    return found != negated;
}

static bool naive_match(struct bytes p, struct bytes text) {
    if (p.size == 0) return text.size == 0;
    if (p.data[0] == '*') {
        for (size_t i = 0; i <= text.size; i++) {
            if (naive_match(bytes_from(p, 1), bytes_from(text, i))) return true;
        }
        return false;
    }
    if (text.size == 0) return false;
    unsigned char c = (unsigned char)text.data[0];
    if (p.data[0] == '[') {
        if (!naive_class(&p, c)) return false;
        return naive_match(p, bytes_from(text, 1));
    }
    if (p.data[0] == '\\' && p.size >= 2) {
        p = bytes_from(p, 1);
    } else if (p.data[0] == '?') {
        return naive_match(bytes_from(p, 1), bytes_from(text, 1));
    }
    return p.data[0] == text.data[0] && naive_match(bytes_from(p, 1), bytes_from(text, 1));
}

static struct bytes random_text(struct rng *rng, char *out, const char *alphabet) {
    size_t size = rng_below(rng, 9);
    for (size_t i = 0; i < size; i++)
        out[i] = alphabet[rng_below(rng, strlen(alphabet))];
    return bytes_make(out, size);
}

TEST(matching_agrees_with_a_recursive_model) {
    char pattern_text[16], text_text[16];
    int matched = 0;
    for (int i = 0; i < 400000; i++) {
        struct bytes pattern = random_text(t->rng, pattern_text, "aaab**?[[]]^-\\c\xff");
        struct bytes text = random_text(t->rng, text_text, "aaabc]-^\\*\xff");
        bool expected = naive_match(pattern, text);
        expect_eq(glob_match(pattern, text), expected);
        matched += expected;
        if (glob_is_literal(pattern))
            expect_eq(glob_match(pattern, text), bytes_equal(pattern, text));
    }
    expect_true(matched > 1000); /* else the texts are badly chosen */
}

TEST(case_can_be_ignored_everywhere) {
    char pattern_text[16], text_text[16];
    expect_true(glob_match_nocase(BYTES("MAX*"), BYTES("maxmemory")));
    expect_true(glob_match_nocase(BYTES("[A-C]x"), BYTES("bX")));
    expect_false(glob_match(BYTES("MAX*"), BYTES("maxmemory")));
    for (int i = 0; i < 100000; i++) {
        struct bytes pattern = random_text(t->rng, pattern_text, "aAbB*?[]^\\");
        struct bytes text = random_text(t->rng, text_text, "aAbB");
        bool found = glob_match_nocase(pattern, text);
        for (size_t k = 0; k < pattern.size; k++)
            pattern_text[k] = char_lower(pattern_text[k]);
        for (size_t k = 0; k < text.size; k++)
            text_text[k] = char_lower(text_text[k]);
        expect_eq(found, glob_match(pattern, text));
    }
}

TEST(odd_patterns_mean_what_they_always_did) {
    expect_true(glob_match(BYTES("h[a-"), BYTES("h-"))); /* a class may stay open */
    expect_true(glob_match(BYTES("[z-a]"), BYTES("m"))); /* a range may go backwards */
    expect_false(glob_match(BYTES("[]"), BYTES("]")));   /* an empty class matches nothing */
    expect_true(glob_match(BYTES("[^]"), BYTES("x")));   /* and its opposite everything */
    expect_true(glob_match(BYTES("a\\"), BYTES("a\\"))); /* the last backslash is itself */
    expect_true(glob_match(BYTES("[\\]]"), BYTES("]")));
    expect_true(glob_match(BYTES("a\\*"), BYTES("a*")));
    expect_false(glob_match(BYTES("a\\*"), BYTES("ab")));
    expect_true(glob_match(BYTES("a\0b*"), BYTES("a\0bc")));
    expect_true(glob_match(BYTES("***"), BYTES("")));
    expect_true(glob_match(BYTES(""), BYTES("")));
    expect_false(glob_match(BYTES(""), BYTES("a")));
    expect_false(glob_match(BYTES("[^a]"), BYTES("")));
}

TEST(a_hostile_pattern_costs_little) {
    enum { STARS = 5000, TEXT = 50000 };
    char *pattern = mem_alloc(2 * STARS + 1), *text = mem_alloc(TEXT);
    for (size_t i = 0; i < STARS; i++)
        memcpy(pattern + 2 * i, "a*", 2);
    pattern[2 * STARS] = 'b';
    memset(text, 'a', TEXT);
    int64_t start_ns = clock_mono_ns();
    expect_false(glob_match(bytes_make(pattern, 2 * STARS + 1), bytes_make(text, TEXT)));
    expect_true(clock_mono_ns() - start_ns < 1000000000);
    mem_free(pattern);
    mem_free(text);
}

TEST(literal_patterns_are_known) {
    expect_true(glob_is_literal(BYTES("plain]key-^")));
    expect_true(glob_is_literal(BYTES("")));
    expect_false(glob_is_literal(BYTES("a*")));
    expect_false(glob_is_literal(BYTES("a?")));
    expect_false(glob_is_literal(BYTES("[a")));
    expect_false(glob_is_literal(BYTES("a\\b")));
}

TEST_MAIN()
