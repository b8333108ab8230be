/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/num.h"

#include "tests/unit/test.h"

struct format_case {
    double value;
    const char *text;
};

static void expect_format(double value, const char *expected) {
    char text[NUM_DOUBLE_TEXT_MAX + 1];
    size_t size = num_format_double(text, value);
    expect_bytes_eq(bytes_make(text, size), bytes_of(expected));
}

TEST(doubles_look_as_clients_know_them) {
    static const struct format_case cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1, "-1"},
        {0.1, "0.1"},
        {-0.01, "-0.01"},
        {0.30000000000000004, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {3.141592653589793, "3.141592653589793"},
        {-2.75, "-2.75"},
        {300000, "300000"},
        {1e15, "1000000000000000"},
        {1e16, "10000000000000000"},
        {1e17, "100000000000000000"},
        {1e18, "1000000000000000000"},
        {1e19, "1e+19"},
        {1e20, "1e+20"},
        {1e21, "1e+21"},
        {1e22, "1e+22"},
        {1e100, "1e+100"},
        {1e308, "1e+308"},
        {1.1e300, "1.1e+300"},
        {1.5e300, "1.5e+300"},
        {-1e300, "-1e+300"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {9007199254740992.0, "9007199254740992"},
        {12345678901234567.5, "12345678901234568"},
        {123456789012345678.0, "123456789012345680"},
        {9223372036854775807.0, "9223372036854776000"},
        {-9223372036854775808.0, "-9223372036854776000"},
        {18446744073709551616.0, "18446744073709552000"},
        {123456789012345678901234567890.0, "1.2345678901234568e+29"},
        {1e-5, "0.00001"},
        {0.0001, "0.0001"},
        {0.000001, "0.000001"},
        {1e-7, "1e-7"},
        {3e-7, "3e-7"},
        {1e-10, "1e-10"},
        {0.00001234, "1.234e-5"},
        {4.9e-324, "5e-324"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1234567.891, "1234567.891"},
        {100000.5, "100000.5"},
        {123456789.123456789, "1.2345678912345679e+8"},
        {314563.4388549588, "3.145634388549588e+5"},
        {314.5634388549588, "314.5634388549588"},
        {157.29339092762697, "157.29339092762697"},
        {157365.66391369744, "1.5736566391369744e+5"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
        {-NAN, "nan"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        expect_format(cases[i].value, cases[i].text);
}

/* How many significant digits a text has; zeros at both ends do not count. */
static int significant_digits(struct bytes text) {
    int count = 0, zeros = 0;
    for (size_t i = 0; i < text.size && text.data[i] != 'e'; i++) {
        if (!char_is_digit(text.data[i])) continue;
        if (text.data[i] == '0') {
            zeros += count > 0;
        } else {
            count += zeros + 1;
            zeros = 0;
        }
    }
    return count;
}

static double random_double(struct rng *rng) {
    double value;
    uint64_t bits = rng_next(rng);
    switch (rng_below(rng, 4)) {
    case 0: memcpy(&value, &bits, sizeof(value)); return isfinite(value) ? value : 0.5;
    case 1: return (double)(int64_t)(bits >> rng_below(rng, 64)) / 1000;
    case 2: return (double)(bits >> 11) * 0x1p-53;
    }
    return (double)(int64_t)bits * 0x1p-30;
}

TEST(doubles_read_back_and_no_shorter_text_does) {
    for (int i = 0; i < 100000; i++) {
        double value = random_double(t->rng), back = 0;
        char text[NUM_DOUBLE_TEXT_MAX + 1], shorter[64];
        size_t size = num_format_double(text, value);
        expect_true(size <= NUM_DOUBLE_TEXT_MAX);
        text[size] = '\0';
        expect_true(strtod(text, NULL) == value);
        expect_true(num_parse_double(bytes_make(text, size), &back));
        expect_true(back == value);

        int digits = significant_digits(bytes_make(text, size));
        bool is_integer = fabs(value) <= 0x1p62 && value == (double)(int64_t)value;
        if (digits > 1 && !is_integer) {
            snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, value);
            expect_true(strtod(shorter, NULL) != value);
        }
    }
}

TEST(parsed_doubles_are_those_of_strtod) {
    for (int i = 0; i < 100000; i++) {
        char text[96];
        double value = 0;
        int size = snprintf(text, sizeof(text), "%s%" PRIu64, rng_below(t->rng, 2) ? "-" : "",
                            rng_next(t->rng) >> rng_below(t->rng, 64));
        if (rng_below(t->rng, 2)) {
            size += snprintf(text + size, 40, ".%0*" PRIu64, (int)rng_below(t->rng, 25),
                             rng_next(t->rng) >> rng_below(t->rng, 64));
        }
        if (rng_below(t->rng, 2)) {
            size += snprintf(text + size, 10, "e%d", (int)rng_below(t->rng, 61) - 30);
        }
        expect_true(num_parse_double(bytes_make(text, (size_t)size), &value));
        expect_true(value == strtod(text, NULL));
    }
}

static bool parses(const char *text, double expected) {
    double value = 0;
    return num_parse_double(bytes_of(text), &value) && value == expected;
}

TEST(doubles_are_read_in_every_decimal_notation) {
    expect_true(parses("+1", 1));
    expect_true(parses(".5", 0.5));
    expect_true(parses("5.", 5));
    expect_true(parses("-1E-2", -0.01));
    expect_true(parses("1e3", 1000));
    expect_true(parses("007", 7));
    expect_true(parses("4.9e-324", 4.9e-324));
    expect_true(parses("0e999999999999999999999", 0));
    expect_true(parses("inf", INFINITY));
    expect_true(parses("+Inf", INFINITY));
    expect_true(parses("-INFINITY", -INFINITY));
    expect_true(parses("123456789012345678901234567890", 123456789012345678901234567890.0));
    expect_true(parses("0.1000000000000000055511151231257827021181583404541015625", 0.1));
    double zero = 1;
    expect_true(num_parse_double(BYTES("-0.0"), &zero));
    expect_true(zero == 0 && signbit(zero));
}

TEST(what_is_no_double_is_refused) {
    static const char *const refused[] = {
        "",     "-",   "+",    ".",   "e5",   "1e",    "1e+",    "1e5.",      " 1",
        "1 ",   "1_0", "0x10", "nan", "-nan", "1e400", "-1e309", "1e-400",    "in",
        "infi", "--1", "+-1",  "1,5", "1..2", "1e5e5", "abc",    "infinityx", ". 5"};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        double value = 42;
        expect_false(num_parse_double(bytes_of(refused[i]), &value));
        expect_true(value == 42);
    }
    double value = 42;
    expect_false(num_parse_double(bytes_make("1\0", 2), &value));
}

static void expect_ldouble(const char *text, const char *expected) {
    long double value = 42;
    char out[NUM_LDOUBLE_TEXT_MAX];
    expect_true(num_parse_ldouble(bytes_of(text), &value));
    size_t size = num_format_ldouble(out, sizeof(out), value);
    expect_bytes_eq(bytes_make(out, size), bytes_of(expected));
}

TEST(long_doubles_look_as_incrbyfloat_stores_them) {
    expect_ldouble("3.0", "3");
    expect_ldouble("10.6", "10.6");
    expect_ldouble("1e3", "1000");
    expect_ldouble("1.50", "1.5");
    expect_ldouble("-0.0", "0");
    expect_ldouble("-0.00000000000000000000001", "0");
    expect_ldouble("0x10", "16");
    expect_ldouble("1.00000000000000001", "1.00000000000000001");
    expect_ldouble("100000000000000001", "100000000000000001");
    expect_ldouble("-9007199254740993", "-9007199254740993");
    expect_ldouble("3.14159265368979", "3.14159265368979");
    expect_ldouble("100", "100");
    expect_ldouble("0", "0");
#if defined(__x86_64__) /* 64 bits of precision; other CPUs have more */
    expect_ldouble("5005.60000000000000009", "5005.60000000000000009");
    expect_ldouble("1234567891.123456789", "1234567891.12345678894780576");
    expect_ldouble("1e30", "1000000000000000000024696061952");
#endif
}

TEST(the_largest_long_double_has_room) {
    char out[NUM_LDOUBLE_TEXT_MAX];
    long double value = 0;
    expect_true(num_parse_ldouble(BYTES("-1.18e4932"), &value));
    size_t size = num_format_ldouble(out, sizeof(out), value);
    expect_eq(size, 1 + 4933);
    expect_true(num_parse_ldouble(bytes_make(out, size), &value));
}

TEST(what_is_no_long_double_is_refused) {
    static const char *const refused[] = {"",   " 1.5", "1.5 ", "abc",    "nan",     "1,5",
                                          "1e", "-",    "\t1",  "1e5000", "-1e5000", "1e-6000"};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        long double value = 42;
        expect_false(num_parse_ldouble(bytes_of(refused[i]), &value));
        expect_true(value == 42);
    }
    long double value = 42;
    expect_false(num_parse_ldouble(bytes_make("1\0", 2), &value));
    expect_true(num_parse_ldouble(BYTES("+Inf"), &value));
    expect_true(isinf(value));
}

TEST_MAIN()
