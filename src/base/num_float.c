/* SPDX-License-Identifier: BSD-3-Clause */
/* Floating point numbers to text and back. The common short ones (1.5, 0.1, 1e3) go an exact way of
 * their own: an integer below 2^53 and a power of ten up to 10^22 are both exact as doubles, so one
 * multiplication or division rounds correctly (Clinger). All others go through the C library. */
#include "base/check.h"
#include "base/num.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXACT_POWER_MAX = 22, DOUBLE_DIGITS_SURE = 15, DOUBLE_DIGITS_MAX = 17 };

static const double powers_of_ten[EXACT_POWER_MAX + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* What a decimal number says: mantissa * 10^exponent. */
struct decimal {
    uint64_t mantissa; /* its first digits */
    int64_t exponent;
    bool exact;   /* the mantissa holds all digits */
    bool nonzero; /* any digit is not 0 */
};

struct scanner {
    const char *at, *end;
};

/* Reads digits into the mantissa. Returns how many there were. */
static size_t scan_digits(struct scanner *s, struct decimal *out, bool fraction) {
    static const uint64_t mantissa_max = (UINT64_MAX - 9) / 10;
    const char *start = s->at;
    for (; s->at < s->end && char_is_digit(*s->at); s->at++) {
        unsigned digit = (unsigned)*s->at - '0';
        out->nonzero |= digit != 0;
        if (out->mantissa <= mantissa_max) {
            out->mantissa = out->mantissa * 10 + digit;
            out->exponent -= fraction;
        } else {
            out->exact = false;
            out->exponent += !fraction;
        }
    }
    return (size_t)(s->at - start);
}

/* Reads "e+12". False if digits are missing. */
static bool scan_exponent(struct scanner *s, struct decimal *out) {
    enum { EXPONENT_MAX = 100000 }; /* further digits change nothing */
    if (s->at == s->end || char_lower(*s->at) != 'e') return true;
    s->at++;
    bool negative = s->at < s->end && *s->at == '-';
    if (s->at < s->end && (*s->at == '-' || *s->at == '+')) s->at++;
    if (s->at == s->end) return false;

    int64_t exponent = 0;
    for (; s->at < s->end && char_is_digit(*s->at); s->at++) {
        if (exponent < EXPONENT_MAX) exponent = exponent * 10 + (*s->at - '0');
    }
    out->exponent += negative ? -exponent : exponent;
    return s->at == s->end;
}

/* An unsigned decimal number that is the whole text. */
static bool scan_decimal(struct bytes text, struct decimal *out) {
    struct scanner s = {.at = text.data, .end = text.data + text.size};
    *out = (struct decimal){.exact = true};
    size_t digits = scan_digits(&s, out, false);
    if (s.at < s.end && *s.at == '.') {
        s.at++;
        digits += scan_digits(&s, out, true);
    }
    return digits > 0 && scan_exponent(&s, out) && s.at == s.end;
}

static bool is_infinity(struct bytes text) {
    return bytes_equal_nocase(text, BYTES("inf")) || bytes_equal_nocase(text, BYTES("infinity"));
}

static bool decimal_to_double(struct bytes text, const struct decimal *decimal, double *out) {
    int64_t exponent = decimal->exponent;
    if (decimal->exact && decimal->mantissa <= 1ull << 53 && exponent >= -EXACT_POWER_MAX &&
        exponent <= EXACT_POWER_MAX) {
        double mantissa = (double)decimal->mantissa;
        *out =
            exponent < 0 ? mantissa / powers_of_ten[-exponent] : mantissa * powers_of_ten[exponent];
        return true;
    }
    char copy[NUM_LDOUBLE_TEXT_MAX];
    if (text.size >= sizeof(copy)) return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    double value = strtod(copy, NULL);
    if (isinf(value) || (value == 0 && decimal->nonzero)) return false; /* out of range */
    *out = value;
    return true;
}

bool num_parse_double(struct bytes text, double *out) {
    bool negative = text.size > 0 && text.data[0] == '-';
    if (text.size > 0 && (negative || text.data[0] == '+')) text = bytes_from(text, 1);

    double value;
    struct decimal decimal;
    if (is_infinity(text)) {
        value = INFINITY;
    } else if (!scan_decimal(text, &decimal) || !decimal_to_double(text, &decimal, &value)) {
        return false;
    }
    *out = negative ? -value : value;
    return true;
}

bool num_parse_ldouble(struct bytes text, long double *out) {
    char copy[NUM_LDOUBLE_TEXT_MAX];
    if (text.size == 0 || text.size >= sizeof(copy)) return false;
    if (char_is_space(text.data[0])) return false; /* strtold would skip it */
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';

    char *end;
    errno = 0;
    long double value = strtold(copy, &end);
    if (end != copy + text.size || isnan(value)) return false;
    if (errno == ERANGE && (isinf(value) || value == 0)) return false;
    *out = value;
    return true;
}

/* The significant digits of a positive number: value = 0.d1d2d3... * 10^(exponent + 1). */
struct digits {
    char text[DOUBLE_DIGITS_MAX];
    int count;    /* no zeros at the end */
    int exponent; /* of the first digit */
};

static void digits_trim(struct digits *digits) {
    while (digits->count > 1 && digits->text[digits->count - 1] == '0')
        digits->count--;
}

/* Where short_digits finds all that there is to find: 10^k is exact for every k it may need. */
static bool is_in_short_range(double value) { return value >= 1e-5 && value < 1e15; }

/* Finds m and k with value = m / 10^k rounded, m below 10^15. Decimals of up to 15 digits have a
 * double each, so the m with the smallest k is the shortest. */
static bool short_digits(double value, struct digits *out) {
    if (!is_in_short_range(value)) return false;
    for (int k = 0; k <= EXACT_POWER_MAX; k++) {
        double scaled = value * powers_of_ten[k];
        if (scaled >= 1e15) return false;
        uint64_t m = (uint64_t)(scaled + 0.5);
        if ((double)m / powers_of_ten[k] != value) continue;

        char text[NUM_I64_TEXT_MAX];
        out->count = (int)num_format_u64(text, m);
        if (out->count > DOUBLE_DIGITS_SURE) return false; /* 0.5 made it 10^15 */
        memcpy(out->text, text, (size_t)out->count);
        out->exponent = out->count - 1 - k;
        digits_trim(out);
        return true;
    }
    return false;
}

/* Asks the C library for more and more digits until they read back. For what short_digits has not
 * found. */
static void library_digits(double value, struct digits *out) {
    static const double normal_min = 2.2250738585072014e-308; /* below, precision fades */
    int count = value < normal_min         ? 1
                : is_in_short_range(value) ? DOUBLE_DIGITS_SURE + 1
                                           : DOUBLE_DIGITS_SURE;
    for (;; count++) {
        char text[NUM_DOUBLE_TEXT_MAX]; /* d.ddde+xxx */
        snprintf(text, sizeof(text), "%.*e", count - 1, value);
        if (count < DOUBLE_DIGITS_MAX && strtod(text, NULL) != value) continue;

        char *mark = strchr(text, 'e');
        check(mark);
        out->exponent = (int)strtol(mark + 1, NULL, 10);
        out->count = count;
        out->text[0] = text[0];
        memcpy(out->text + 1, text + 2, (size_t)count - 1);
        digits_trim(out);
        return;
    }
}

static size_t put_zeros(char *out, int count) {
    memset(out, '0', (size_t)count);
    return (size_t)count;
}

static size_t put_exponential(char *out, const struct digits *digits) {
    size_t size = 0;
    out[size++] = digits->text[0];
    if (digits->count > 1) {
        out[size++] = '.';
        memcpy(out + size, digits->text + 1, (size_t)digits->count - 1);
        size += (size_t)digits->count - 1;
    }
    out[size++] = 'e';
    out[size++] = digits->exponent < 0 ? '-' : '+';
    return size + num_format_u64(out + size, (uint64_t)abs(digits->exponent));
}

static size_t put_fraction(char *out, const struct digits *digits) {
    size_t size = 0, whole = 0;
    if (digits->exponent >= 0) {
        whole = (size_t)digits->exponent + 1;
        memcpy(out, digits->text, whole);
        size = whole;
        out[size++] = '.';
    } else {
        out[size++] = '0';
        out[size++] = '.';
        size += put_zeros(out + size, -digits->exponent - 1);
    }
    memcpy(out + size, digits->text + whole, (size_t)digits->count - whole);
    return size + (size_t)digits->count - whole;
}

/* Chooses the notation: plain as long as it is not much longer than the digits. */
static size_t put_digits(char *out, const struct digits *digits) {
    enum { ZEROS_MAX = 7, PLACES_MAX = 6, MAGNITUDE_MAX = 3 };
    int last = digits->exponent - digits->count + 1; /* the exponent of the last digit */
    if (last >= 0) {
        if (digits->exponent >= digits->count + ZEROS_MAX) return put_exponential(out, digits);
        memcpy(out, digits->text, (size_t)digits->count);
        return (size_t)digits->count + put_zeros(out + digits->count, last);
    }
    if (-last > PLACES_MAX && abs(digits->exponent) > MAGNITUDE_MAX) {
        return put_exponential(out, digits);
    }
    return put_fraction(out, digits);
}

static size_t put_text(char *out, const char *text) {
    size_t size = strlen(text);
    memcpy(out, text, size);
    return size;
}

size_t num_format_double(char out[NUM_DOUBLE_TEXT_MAX], double value) {
    static const double integer_max = 0x1p62;
    if (isnan(value)) return put_text(out, "nan");
    size_t size = 0;
    if (signbit(value)) {
        out[size++] = '-';
        value = -value;
    }
    if (isinf(value)) return size + put_text(out + size, "inf");
    if (value <= integer_max && value == (double)(uint64_t)value) {
        return size + num_format_u64(out + size, (uint64_t)value);
    }
    struct digits digits;
    if (!short_digits(value, &digits)) library_digits(value, &digits);
    return size + put_digits(out + size, &digits);
}

size_t num_format_ldouble(char *out, size_t cap, long double value) {
    char text[NUM_LDOUBLE_TEXT_MAX];
    int printed;
    if (isnan(value)) {
        printed = (int)put_text(text, "nan");
    } else if (isinf(value)) {
        printed = (int)put_text(text, value > 0 ? "inf" : "-inf");
    } else {
        printed = snprintf(text, sizeof(text), "%.17Lf", value);
        check(printed > 0 && (size_t)printed < sizeof(text));
        while (text[printed - 1] == '0')
            printed--;
        if (text[printed - 1] == '.') printed--;
        if (printed == 2 && text[0] == '-' && text[1] == '0') printed = (int)put_text(text, "0");
    }
    check((size_t)printed <= cap);
    memcpy(out, text, (size_t)printed);
    return (size_t)printed;
}
