/* SPDX-License-Identifier: BSD-3-Clause */
/* SipHash (Aumasson, Bernstein: "SipHash: a fast short-input PRF") with one round per word and
 * three at the end. Words 0 and 1 of the key are used. */
#include "base/hash.h"

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate_left(uint64_t x, int count) {
    return (x << count) | (x >> (64 - count));
}

static inline void sip_round(struct sip *s) {
    s->v0 += s->v1;
    s->v1 = rotate_left(s->v1, 13) ^ s->v0;
    s->v0 = rotate_left(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate_left(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate_left(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate_left(s->v1, 17) ^ s->v2;
    s->v2 = rotate_left(s->v2, 32);
}

static inline void sip_add(struct sip *s, uint64_t word) {
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t load_le64(const char *data) {
    uint64_t word;
    memcpy(&word, data, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

uint64_t hash_siphash13(const struct hash_key *key, const char *data, size_t size) {
    uint64_t k0 = key->word[0], k1 = key->word[1];
    struct sip s = {.v0 = k0 ^ 0x736f6d6570736575u,
                    .v1 = k1 ^ 0x646f72616e646f6du,
                    .v2 = k0 ^ 0x6c7967656e657261u,
                    .v3 = k1 ^ 0x7465646279746573u};
    size_t whole = size & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8)
        sip_add(&s, load_le64(data + i));

    uint64_t last = (uint64_t)size << 56;
    for (size_t i = whole; i < size; i++)
        last |= (uint64_t)(unsigned char)data[i] << (8 * (i - whole));
    sip_add(&s, last);

    s.v2 ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
