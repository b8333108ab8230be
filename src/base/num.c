/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/num.h"

#include <stdio.h>

static const uint64_t I64_MAGNITUDE_MAX = 1ull << 63;

/* Digits without a sign: no leading zeros, no overflow. */
static bool parse_digits(const char *text, size_t size, uint64_t *out) {
    enum { SAFE_DIGITS = 19 }; /* so many cannot overflow */
    if (size == 0 || size > SAFE_DIGITS + 1) return false;
    if (text[0] == '0' && size > 1) return false;

    uint64_t value = 0;
    size_t safe = size_min(size, SAFE_DIGITS);
    for (size_t i = 0; i < safe; i++) {
        unsigned digit = (unsigned)(unsigned char)text[i] - '0';
        if (digit > 9) return false;
        value = value * 10 + digit;
    }
    if (size > SAFE_DIGITS) {
        unsigned digit = (unsigned)(unsigned char)text[SAFE_DIGITS] - '0';
        if (digit > 9) return false;
        if (__builtin_mul_overflow(value, 10ull, &value)) return false;
        if (__builtin_add_overflow(value, digit, &value)) return false;
    }
    *out = value;
    return true;
}

bool num_parse_u64(struct bytes text, uint64_t *out) {
    return parse_digits(text.data, text.size, out);
}

bool num_parse_i64(struct bytes text, int64_t *out) {
    uint64_t value;
    if (text.size > 0 && text.data[0] == '-') {
        if (!parse_digits(text.data + 1, text.size - 1, &value)) return false;
        if (value == 0 || value > I64_MAGNITUDE_MAX) return false;
        *out = (int64_t)(0 - value);
        return true;
    }
    if (!parse_digits(text.data, text.size, &value) || value > INT64_MAX) return false;
    *out = (int64_t)value;
    return true;
}

struct memory_unit {
    const char *name;
    uint64_t bytes;
};
static const struct memory_unit memory_units[] = {
    {"", 1},        {"b", 1},           {"k", 1000},       {"kb", 1ull << 10},
    {"m", 1000000}, {"mb", 1ull << 20}, {"g", 1000000000}, {"gb", 1ull << 30},
};

bool num_parse_memory(struct bytes text, uint64_t *out) {
    size_t digits = 0;
    uint64_t value = 0;
    while (digits < text.size && char_is_digit(text.data[digits])) {
        unsigned digit = (unsigned)text.data[digits++] - '0';
        if (__builtin_mul_overflow(value, 10ull, &value)) return false;
        if (__builtin_add_overflow(value, digit, &value)) return false;
    }
    if (digits == 0) return false;

    struct bytes name = bytes_from(text, digits);
    for (size_t i = 0; i < COUNT_OF(memory_units); i++) {
        if (!bytes_equal_nocase(name, bytes_of(memory_units[i].name))) continue;
        if (__builtin_mul_overflow(value, memory_units[i].bytes, &value)) return false;
        *out = value;
        return true;
    }
    return false;
}

size_t num_digits_u64(uint64_t value) {
    static const uint64_t powers[] = {
        0,
        10ull,
        100ull,
        1000ull,
        10000ull,
        100000ull,
        1000000ull,
        10000000ull,
        100000000ull,
        1000000000ull,
        10000000000ull,
        100000000000ull,
        1000000000000ull,
        10000000000000ull,
        100000000000000ull,
        1000000000000000ull,
        10000000000000000ull,
        100000000000000000ull,
        1000000000000000000ull,
        10000000000000000000ull,
    };
    /* bits * log10(2): the digits less one, or one too many. */
    size_t bits = 64 - (size_t)__builtin_clzll(value | 1);
    size_t guess = bits * 1233 >> 12;
    return guess + (value >= powers[guess]) + (value == 0 && guess != 0);
}

static const char digit_pairs[] =
    "0001020304050607080910111213141516171819"
    "2021222324252627282930313233343536373839"
    "4041424344454647484950515253545556575859"
    "6061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

size_t num_format_u64(char out[NUM_I64_TEXT_MAX], uint64_t value) {
    size_t size = num_digits_u64(value), at = size;
    while (value >= 100) {
        at -= 2;
        memcpy(out + at, digit_pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        memcpy(out, digit_pairs + value * 2, 2);
    } else {
        out[0] = (char)('0' + value);
    }
    return size;
}

size_t num_format_i64(char out[NUM_I64_TEXT_MAX], int64_t value) {
    if (value >= 0) return num_format_u64(out, (uint64_t)value);

    char digits[NUM_I64_TEXT_MAX];
    size_t size = num_format_u64(digits, 0 - (uint64_t)value);
    out[0] = '-';
    memcpy(out + 1, digits, size);
    return size + 1;
}

void num_format_human(char out[32], uint64_t bytes) {
    static const char units[] = "KMGTP";
    if (bytes < 1024 || bytes >> 60) {
        snprintf(out, 32, "%lluB", (unsigned long long)bytes);
        return;
    }
    size_t unit = 0;
    while (unit + 2 < sizeof(units) && bytes >> (10 * (unit + 2)))
        unit++;
    double value = (double)bytes / (double)(1ull << (10 * (unit + 1)));
    snprintf(out, 32, "%.2f%c", value, units[unit]);
}

bool num_add_i64(int64_t a, int64_t b, int64_t *out) {
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) return false;
    *out = sum;
    return true;
}

bool num_mul_i64(int64_t a, int64_t b, int64_t *out) {
    int64_t product;
    if (__builtin_mul_overflow(a, b, &product)) return false;
    *out = product;
    return true;
}
