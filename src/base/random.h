/* SPDX-License-Identifier: BSD-3-Clause */
/* random -- a small fast generator (xoshiro256**, Blackman and Vigna) for choices, never for
 * secrets; random_os for those. */
#pragma once

#include "base/attr.h"

struct rng {
    uint64_t state[4];
};

void rng_seed(struct rng *rng, uint64_t seed); /* the same seed gives the same numbers */
uint64_t rng_next(struct rng *rng);
uint64_t rng_below(struct rng *rng, uint64_t bound); /* 0..bound-1 without bias; bound > 0 */
double rng_unit(struct rng *rng);                    /* 0 <= x < 1 */

void random_os(void *out, size_t size);    /* from the system; aborts if it has none */
void random_hex(char *out, size_t digits); /* lower case, no NUL */
