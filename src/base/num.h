/* SPDX-License-Identifier: BSD-3-Clause */
/* num -- numbers to text and back, exactly as the protocol wants them. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

enum {
    NUM_I64_TEXT_MAX = 20,    /* "-9223372036854775808" */
    NUM_DOUBLE_TEXT_MAX = 32, /* shortest form that reads back, see num_format_double */
    NUM_LDOUBLE_TEXT_MAX = 5 * 1024,
};

/* Strict: optional '-', no leading zeros or '+' or spaces, in range. Out is untouched on failure.
 */
must_use bool num_parse_i64(struct bytes text, int64_t *out);
must_use bool num_parse_u64(struct bytes text, uint64_t *out);
/* Floats as commands take them: decimal, exponent, inf, infinity (any case); no nan, no spaces, no
 * trailing bytes. */
must_use bool num_parse_double(struct bytes text, double *out);
must_use bool num_parse_ldouble(struct bytes text, long double *out);
/* Memory sizes as in valkey.conf: digits and b, k, kb, m, mb, g, gb (any case). */
must_use bool num_parse_memory(struct bytes text, uint64_t *out);

/* Each writes at out, without a NUL, and returns how many bytes it wrote. */
size_t num_format_i64(char out[NUM_I64_TEXT_MAX], int64_t value);
size_t num_format_u64(char out[NUM_I64_TEXT_MAX], uint64_t value);
size_t num_digits_u64(uint64_t value);
/* The shortest text that reads back as the same double; integers without a fraction; inf, -inf,
 * nan. */
size_t num_format_double(char out[NUM_DOUBLE_TEXT_MAX], double value);
/* 17 significant digits in plain notation without trailing zeros: what INCRBYFLOAT stores. */
size_t num_format_ldouble(char *out, size_t cap, long double value);
/* "1.50M" and the like, NUL-terminated: what INFO's _human fields show. */
void num_format_human(char out[32], uint64_t bytes);

/* True and *out set unless the sum or product overflows. */
must_use bool num_add_i64(int64_t a, int64_t b, int64_t *out);
must_use bool num_mul_i64(int64_t a, int64_t b, int64_t *out);
