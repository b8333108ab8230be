/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/template.h"

#include "base/num.h"
#include "tests/unit/test.h"

#include <stdatomic.h>

enum { WORDS_MAX = 32 };

/* A template of these words, which spaces separate. */
static enum err make(struct template *template, const char *text, struct template_spec spec) {
    static struct bytes words[WORDS_MAX];
    struct diag diag;
    struct bytes rest = bytes_of(text);
    spec.words = words;
    spec.count = 0;
    if (spec.sequences == 0) spec.sequences = 1;
    while (rest.size > 0) {
        size_t size = bytes_find_byte(rest, ' ');
        words[spec.count++] = bytes_make(rest.data, size);
        rest = bytes_from(rest, size + 1);
    }
    enum err err = template_init(template, &spec, &diag);
    if (err == ERR_NONE) template_verify(template);
    return err;
}

static struct bytes whole(const struct template *template) {
    return bytes_make(template->data, template->sequence_size * template->sequences);
}

TEST(a_command_becomes_an_array_of_strings) {
    struct template template;
    struct template_spec spec = {.data = BYTES("abc"), .sequences = 2};
    expect_eq(make(&template, "SET k:__rand_int__ <__data__>", spec), ERR_NONE);
    expect_bytes_eq(whole(&template),
                    BYTES("*3\r\n$3\r\nSET\r\n$14\r\nk:__rand_int__\r\n$5\r\n<abc>\r\n"
                          "*3\r\n$3\r\nSET\r\n$14\r\nk:__rand_int__\r\n$5\r\n<abc>\r\n"));
    expect_eq(template.patches_per_sequence, 0); /* no -r: it stays as it is */
    template_deinit(&template);

    spec.inline_words = true;
    spec.sequences = 1;
    expect_eq(make(&template, "PING hello", spec), ERR_NONE);
    expect_bytes_eq(whole(&template), BYTES("PING hello\r\n"));
    template_deinit(&template);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(commands_are_separated_and_repeated) {
    struct template template;
    struct template_spec spec = {.separators = true};
    expect_eq(make(&template, "MULTI ; 2 INCR a ; EXEC ;", spec), ERR_NONE);
    expect_eq(template.commands, 4);
    expect_bytes_eq(whole(&template), BYTES("*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n"
                                            "*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n"));
    template_deinit(&template);
    expect_eq(make(&template, "; PING", spec), ERR_SYNTAX);
    expect_eq(make(&template, "3", spec), ERR_SYNTAX);
    expect_eq(make(&template, "0 PING", spec), ERR_RANGE);
    expect_eq(make(&template, "4097 PING", spec), ERR_RANGE);
    expect_eq(make(&template, "4000 PING ; 97 PING", spec), ERR_RANGE);
    spec.separators = false;
    expect_eq(make(&template, "3 ;", spec), ERR_NONE); /* words like any others */
    expect_eq(template.commands, 1);
    template_deinit(&template);
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* The 12 digits behind a letter. */
static uint64_t number_behind(const struct template *template, size_t sequence, const char *mark) {
    struct bytes all =
        bytes_make(template->data + sequence * template->sequence_size, template->sequence_size);
    const char *at = memmem(all.data, all.size, mark, strlen(mark));
    uint64_t value = 0;
    expect_not_null(at);
    at += strlen(mark);
    for (int i = 0; i < TEMPLATE_DIGITS; i++) {
        expect_true(char_is_digit(at[i]));
        value = value * 10 + (uint64_t)(at[i] - '0');
    }
    return value;
}

TEST(numbers_are_below_the_limit_and_shared_where_the_name_says_so) {
    struct template template;
    struct template_spec spec = {.numbers = true, .separators = true, .sequences = 5};
    struct template_source source = {.random = rng_next(t->rng), .keys = 1000};
    bool seen[1000] = {false};
    size_t count = 0;
    expect_eq(
        make(&template, "X a__rand_1st__ b__rand_int__ ; Y c__rand_1st__ d__rand_2nd__", spec),
        ERR_NONE);
    expect_eq(template.patches_per_sequence, 4);
    for (int round = 0; round < 2000; round++) {
        template_fill(&template, &source, template.sequences);
        for (size_t i = 0; i < template.sequences; i++) {
            uint64_t first = number_behind(&template, i, "a");
            expect_eq(number_behind(&template, i, "c"), first);
            expect_true(first < 1000 && number_behind(&template, i, "b") < 1000 &&
                        number_behind(&template, i, "d") < 1000);
            count += !seen[first];
            seen[first] = true;
        }
    }
    expect_true(count > 990); /* 10000 draws: all but one in 22000 are met */
    template_deinit(&template);
}

TEST(numbers_in_order_miss_none) {
    struct template template;
    struct template_spec spec = {.numbers = true, .sequences = 3};
    _Atomic(uint64_t) counters[TEMPLATE_NUMBERS] = {0};
    struct template_source source = {.keys = 10, .counters = counters};
    expect_eq(make(&template, "MSET a__rand_int__ x b__rand_int__ c__rand_1st__", spec), ERR_NONE);
    uint64_t next = 0, next_first = 0;
    for (int round = 0; round < 50; round++) {
        size_t sequences = rng_below(t->rng, 3) + 1;
        template_fill(&template, &source, sequences);
        for (size_t i = 0; i < sequences; i++) {
            expect_eq(number_behind(&template, i, "a"), next++ % 10);
            expect_eq(number_behind(&template, i, "b"), next++ % 10);
            expect_eq(number_behind(&template, i, "c"), next_first++ % 10);
        }
    }
    template_deinit(&template);
}

TEST(a_tag_leads_to_a_slot_of_the_node_and_is_one_all_over_a_sequence) {
    static const char tags[4][3] = {"aaa", "bbb", "ccc", "ddd"};
    const uint16_t slots[] = {1, 3};
    struct template template;
    struct template_spec spec = {.tags = true, .sequences = 20};
    struct template_source source = {.tags = tags, .slots = slots, .slot_count = 2};
    expect_eq(make(&template, "MSET a{tag} 1 b{tag} 2", spec), ERR_NONE);
    template_fill(&template, &source, 20);
    size_t seen[2] = {0};
    for (size_t i = 0; i < 20; i++) {
        struct bytes all =
            bytes_make(template.data + i * template.sequence_size, template.sequence_size);
        bool b = memmem(all.data, all.size, "a{bbb}", 6),
             d = memmem(all.data, all.size, "a{ddd}", 6);
        expect_true(b != d);
        expect_not_null(memmem(all.data, all.size, b ? "b{bbb}" : "b{ddd}", 6));
        seen[b]++;
    }
    expect_true(seen[0] > 0 && seen[1] > 0); /* fails once in 500000 runs */
    template_deinit(&template);
}

TEST(digits_are_written_as_printf_writes_them) {
    for (int i = 0; i < 100000; i++) {
        uint64_t value = (rng_next(t->rng) % TEMPLATE_KEYS_MAX) >> rng_below(t->rng, 40);
        char expected[TEMPLATE_DIGITS + 1], got[TEMPLATE_DIGITS];
        snprintf(expected, sizeof(expected), "%012" PRIu64, (uint64_t)(value % TEMPLATE_KEYS_MAX));
        template_write_digits(got, value);
        expect_bytes_eq(bytes_make(got, sizeof(got)), bytes_of(expected));
    }
}

TEST_MAIN()
