/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/num.h"

#include "tests/unit/test.h"

/* Numbers of every length are equally likely. */
static uint64_t random_u64(struct rng *rng) { return rng_next(rng) >> rng_below(rng, 64); }

static bool parses_i64(const char *text) {
    int64_t value;
    return num_parse_i64(bytes_of(text), &value);
}

static bool parses_u64(const char *text) {
    uint64_t value;
    return num_parse_u64(bytes_of(text), &value);
}

TEST(integers_survive_the_way_to_text_and_back) {
    for (int i = 0; i < 200000; i++) {
        uint64_t value = random_u64(t->rng), back = 0;
        int64_t back_signed = 0;
        char text[NUM_I64_TEXT_MAX], expected[32];

        size_t size = num_format_u64(text, value);
        snprintf(expected, sizeof(expected), "%" PRIu64, value);
        expect_bytes_eq(bytes_make(text, size), bytes_of(expected));
        expect_eq(num_digits_u64(value), size);
        expect_true(num_parse_u64(bytes_make(text, size), &back));
        expect_eq(back, value);

        size = num_format_i64(text, (int64_t)value);
        snprintf(expected, sizeof(expected), "%" PRId64, (int64_t)value);
        expect_bytes_eq(bytes_make(text, size), bytes_of(expected));
        expect_true(num_parse_i64(bytes_make(text, size), &back_signed));
        expect_eq(back_signed, (int64_t)value);
    }
}

TEST(digits_are_right_at_every_power_of_ten) {
    uint64_t power = 1;
    expect_eq(num_digits_u64(0), 1);
    for (size_t digits = 1; digits <= 20; digits++) {
        expect_eq(num_digits_u64(power), digits);
        if (power > 1) expect_eq(num_digits_u64(power - 1), digits - 1);
        if (digits < 20) power *= 10;
    }
    expect_eq(num_digits_u64(UINT64_MAX), 20);
}

TEST(the_ends_of_the_range_are_read_and_no_more) {
    int64_t value = 5;
    uint64_t natural = 5;
    expect_true(num_parse_i64(BYTES("9223372036854775807"), &value));
    expect_eq(value, INT64_MAX);
    expect_true(num_parse_i64(BYTES("-9223372036854775808"), &value));
    expect_eq(value, INT64_MIN);
    expect_false(num_parse_i64(BYTES("9223372036854775808"), &value));
    expect_false(num_parse_i64(BYTES("-9223372036854775809"), &value));
    expect_eq(value, INT64_MIN);
    expect_true(num_parse_u64(BYTES("18446744073709551615"), &natural));
    expect_eq(natural, UINT64_MAX);
    expect_false(num_parse_u64(BYTES("18446744073709551616"), &natural));
    expect_false(num_parse_u64(BYTES("28446744073709551615"), &natural));
    expect_false(num_parse_u64(BYTES("99999999999999999999"), &natural));
    expect_eq(natural, UINT64_MAX);
}

TEST(integers_in_other_notations_are_refused) {
    static const char *const refused[] = {"",   "-",  "+1",  "01",  "00",  "-0",  "-01", " 1",
                                          "1 ", "1a", "0x1", "1.0", "1e3", "--1", "/",   ":"};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        expect_false(parses_i64(refused[i]));
        expect_false(parses_u64(refused[i]));
    }
    expect_false(parses_u64("-1"));
    int64_t value = 9;
    expect_true(num_parse_i64(BYTES("0"), &value));
    expect_eq(value, 0);
    expect_false(num_parse_i64(bytes_make("1\0", 2), &value));
}

struct memory_case {
    const char *text;
    uint64_t bytes;
};

TEST(memory_sizes_know_their_units) {
    static const struct memory_case cases[] = {
        {"0", 0},
        {"1", 1},
        {"007b", 7},
        {"1k", 1000},
        {"1KB", 1024},
        {"2m", 2000000},
        {"2Mb", 2097152},
        {"3g", 3000000000},
        {"3GB", 3221225472},
        {"10B", 10},
        {"18446744073709551615", UINT64_MAX},
    };
    static const char *const refused[] = {"",
                                          "k",
                                          "-1",
                                          "1 kb",
                                          "1kbb",
                                          "1t",
                                          "1.5g",
                                          " 1",
                                          "+1",
                                          "18446744073709551616",
                                          "18446744073709551615k",
                                          "99999999999gb"};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t bytes = 77;
        expect_true(num_parse_memory(bytes_of(cases[i].text), &bytes));
        expect_eq(bytes, cases[i].bytes);
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        uint64_t bytes = 77;
        expect_false(num_parse_memory(bytes_of(refused[i]), &bytes));
        expect_eq(bytes, 77);
    }
}

TEST(sizes_for_people_have_two_decimals) {
    static const struct memory_case cases[] = {
        {"0B", 0},
        {"1023B", 1023},
        {"1.00K", 1024},
        {"1024.00K", 1048575},
        {"1.05M", 1100000},
        {"2.00G", 2147495993},
        {"4.00T", 4398046511203},
        {"3.00P", 3377699720527879},
        {"1152921504606846976B", 1152921504606846976},
        {"18446744073709551615B", UINT64_MAX},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[32];
        num_format_human(text, cases[i].bytes);
        expect_str_eq(text, cases[i].text);
    }
}

TEST(sums_and_products_that_overflow_are_noticed) {
    int64_t out = 5;
    expect_true(num_add_i64(INT64_MAX - 1, 1, &out));
    expect_eq(out, INT64_MAX);
    expect_false(num_add_i64(INT64_MAX, 1, &out));
    expect_false(num_add_i64(INT64_MIN, -1, &out));
    expect_false(num_mul_i64(INT64_MIN, -1, &out));
    expect_eq(out, INT64_MAX);
    expect_true(num_mul_i64(-3, 4, &out));
    expect_eq(out, -12);
}

TEST_MAIN()
