/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text through every parser of numbers; what is accepted must survive the way to text and
 * back. */
#include <math.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_integers(struct bytes text) {
    char out[NUM_I64_TEXT_MAX];
    int64_t value;
    uint64_t natural;
    if (num_parse_i64(text, &value)) {
        check(bytes_equal(bytes_make(out, num_format_i64(out, value)), text));
    }
    if (num_parse_u64(text, &natural)) {
        check(bytes_equal(bytes_make(out, num_format_u64(out, natural)), text));
        check(num_digits_u64(natural) == text.size);
        uint64_t bytes;
        check(num_parse_memory(text, &bytes));
        check(bytes == natural);
    }
    uint64_t bytes;
    char human[32];
    if (num_parse_memory(text, &bytes)) num_format_human(human, bytes);
}

static void check_doubles(struct bytes text) {
    char out[NUM_DOUBLE_TEXT_MAX];
    double value, back;
    if (num_parse_double(text, &value)) {
        size_t size = num_format_double(out, value);
        check(size <= sizeof(out));
        check(num_parse_double(bytes_make(out, size), &back));
        check(value == back);
        check(signbit(value) == signbit(back));
        long double same;
        check(num_parse_ldouble(text, &same) || text.size >= NUM_LDOUBLE_TEXT_MAX);
    }
}

static void check_ldoubles(struct bytes text) {
    static char out[NUM_LDOUBLE_TEXT_MAX];
    long double value, back;
    if (!num_parse_ldouble(text, &value)) return;
    size_t size = num_format_ldouble(out, sizeof(out), value);
    check(num_parse_ldouble(bytes_make(out, size), &back));
}

/* The bits of any double, not only of those that people write. */
static void check_bits(const uint8_t *data) {
    char out[NUM_DOUBLE_TEXT_MAX];
    double value, back;
    memcpy(&value, data, sizeof(value));
    size_t size = num_format_double(out, value);
    check(size <= sizeof(out));
    if (isnan(value)) return;
    check(num_parse_double(bytes_make(out, size), &back));
    check(value == back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes text = bytes_make(data, size);
    check_integers(text);
    check_doubles(text);
    check_ldoubles(text);
    if (size >= sizeof(double)) check_bits(data);
    return 0;
}
