/* SPDX-License-Identifier: BSD-3-Clause */
/* log_bucket -- the log-linear buckets of histograms: 2^bits steps to each power of two, so the
 * values of a bucket differ by less than one part in 2^bits; those below 2^(bits + 1) have one
 * each.
 *
 *   value, bits 2     0 1 2 3 | 4 5 6 7 | 8-9 10-11 12-13 14-15 | 16-19 ...
 *   bucket            0 1 2 3 | 4 5 6 7 |  8    9    10    11   |  12   ...
 *
 * bits is a constant of the caller's, who also bounds the buckets it has. */
#pragma once

#include "base/attr.h"

static inline unsigned log_bucket(uint64_t value, unsigned bits) {
    if (value < BIT(bits)) return (unsigned)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - bits;
    return (shift << bits) + (unsigned)(value >> shift);
}

/* The greatest value that counts in this bucket. */
static inline uint64_t log_bucket_end(unsigned bucket, unsigned bits) {
    unsigned steps = 1u << bits;
    if (bucket < 2 * steps) return bucket;
    unsigned shift = bucket / steps - 1;
    return ((uint64_t)(bucket % steps + steps + 1) << shift) - 1;
}
