/* SPDX-License-Identifier: BSD-3-Clause */
/* SHA-1 (FIPS 180-4). Names of scripts are made of it; it protects nothing. */
#include "base/hash.h"

enum { SHA1_BLOCK = 64, SHA1_SIZE_AT = 56 };

static uint32_t rotate_left(uint32_t x, int count) { return (x << count) | (x >> (32 - count)); }

static uint32_t load_be32(const uint8_t *data) {
    return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

static void store_be32(uint8_t *out, uint32_t x) {
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(x >> (24 - 8 * i));
}

/* What the 20 rounds of one kind add: a function of b, c and d, and a constant. */
static uint32_t round_term(int round, uint32_t b, uint32_t c, uint32_t d) {
    if (round < 20) return ((b & c) | (~b & d)) + 0x5a827999;
    if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1;
    if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    return (b ^ c ^ d) + 0xca62c1d6;
}

static void add_block(struct sha1 *sha, const uint8_t *data) {
    uint32_t w[80];
    for (int i = 0; i < 16; i++)
        w[i] = load_be32(data + 4 * i);
    for (int i = 16; i < 80; i++)
        w[i] = rotate_left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);

    uint32_t a = sha->state[0], b = sha->state[1], c = sha->state[2];
    uint32_t d = sha->state[3], e = sha->state[4];
    for (int i = 0; i < 80; i++) {
        uint32_t next = rotate_left(a, 5) + round_term(i, b, c, d) + e + w[i];
        e = d;
        d = c;
        c = rotate_left(b, 30);
        b = a;
        a = next;
    }
    sha->state[0] += a;
    sha->state[1] += b;
    sha->state[2] += c;
    sha->state[3] += d;
    sha->state[4] += e;
}

void sha1_init(struct sha1 *sha) {
    *sha = (struct sha1){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
}

void sha1_add(struct sha1 *sha, struct bytes bytes) {
    const uint8_t *data = (const uint8_t *)bytes.data;
    size_t left = bytes.size;
    while (left > 0) {
        size_t filled = sha->size % SHA1_BLOCK;
        size_t step = size_min(left, SHA1_BLOCK - filled);
        if (step == SHA1_BLOCK) {
            add_block(sha, data);
        } else {
            memcpy(sha->block + filled, data, step);
            if (filled + step == SHA1_BLOCK) add_block(sha, sha->block);
        }
        sha->size += step;
        data += step;
        left -= step;
    }
}

void sha1_finish(struct sha1 *sha, uint8_t out[20]) {
    uint64_t bits = sha->size * 8;
    size_t filled = sha->size % SHA1_BLOCK;
    sha->block[filled++] = 0x80;
    if (filled > SHA1_SIZE_AT) {
        memset(sha->block + filled, 0, SHA1_BLOCK - filled);
        add_block(sha, sha->block);
        filled = 0;
    }
    memset(sha->block + filled, 0, SHA1_SIZE_AT - filled);
    store_be32(sha->block + SHA1_SIZE_AT, (uint32_t)(bits >> 32));
    store_be32(sha->block + SHA1_SIZE_AT + 4, (uint32_t)bits);
    add_block(sha, sha->block);
    for (int i = 0; i < 5; i++)
        store_be32(out + 4 * i, sha->state[i]);
}
