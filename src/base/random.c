/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/random.h"

#include "base/check.h"

#include <errno.h>
#include <sys/random.h>

/* splitmix64 (Steele, Lea, Flood): spreads a seed of any quality over the state. */
static uint64_t seed_next(uint64_t *seed) {
    uint64_t x = *seed += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t rotate_left(uint64_t x, int count) { return (x << count) | (x >> (64 - count)); }

void rng_seed(struct rng *rng, uint64_t seed) {
    for (size_t i = 0; i < COUNT_OF(rng->state); i++)
        rng->state[i] = seed_next(&seed);
}

uint64_t rng_next(struct rng *rng) {
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

/* Daniel Lemire, "Fast Random Integer Generation in an Interval". */
uint64_t rng_below(struct rng *rng, uint64_t bound) {
    check(bound > 0);
    unsigned __int128 product = (unsigned __int128)rng_next(rng) * bound;
    if (unlikely((uint64_t)product < bound)) {
        uint64_t unfair = -bound % bound; /* 2^64 mod bound */
        while ((uint64_t)product < unfair)
            product = (unsigned __int128)rng_next(rng) * bound;
    }
    return (uint64_t)(product >> 64);
}

double rng_unit(struct rng *rng) { return (double)(rng_next(rng) >> 11) * 0x1p-53; }

void random_os(void *out, size_t size) {
    char *at = out;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got == -1 && errno == EINTR) continue;
        if (got <= 0) panic("the system gives no random bytes: %m");
        at += got;
        size -= (size_t)got;
    }
}

void random_hex(char *out, size_t digits) {
    unsigned char chunk[32];
    for (size_t i = 0; i < digits; i++) {
        size_t at = i % (2 * sizeof(chunk));
        if (at == 0) random_os(chunk, sizeof(chunk));
        out[i] = "0123456789abcdef"[at % 2 == 0 ? chunk[at / 2] >> 4 : chunk[at / 2] & 15];
    }
}
