/* SPDX-License-Identifier: BSD-3-Clause */
/* bitfield -- integers of 1 to 64 bits at any bit of a string, highest bit first.
 *
 * Values travel as int64_t, so an unsigned field has at most 63 bits. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

enum { BITFIELD_SIGNED_BITS_MAX = 64, BITFIELD_UNSIGNED_BITS_MAX = 63 };

struct bitfield_type {
    uint8_t bits;
    bool is_signed;
};

enum bitfield_overflow {
    BITFIELD_WRAP = 0, /* the low bits of the result */
    BITFIELD_SAT,      /* the nearest value there is */
    BITFIELD_FAIL,     /* no result */
};

/* "u8", "i64": false if it is no type. */
must_use bool bitfield_parse_type(struct bytes text, struct bitfield_type *out);

/* The field at bit offset; bits past the end read as 0. */
int64_t bitfield_get(struct bytes bitmap, uint64_t offset, struct bitfield_type type);
/* Writes the low bits of value; all bytes of the field must be there. */
void bitfield_set(char *data, uint64_t offset, struct bitfield_type type, int64_t value);

/* What the field holds after value is stored in it; for an unsigned field, value is taken as
 * uint64_t. False: it does not fit and overflow is BITFIELD_FAIL. */
must_use bool bitfield_fit(struct bitfield_type type, enum bitfield_overflow overflow,
                           int64_t value, int64_t *out);
/* The same for value (which the field can hold) plus increment. */
must_use bool bitfield_add(struct bitfield_type type, enum bitfield_overflow overflow,
                           int64_t value, int64_t increment, int64_t *out);
