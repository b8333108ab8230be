/* SPDX-License-Identifier: BSD-3-Clause */
/* hash -- the keyed hash of all tables, and checksums.
 *
 * hash_bytes resists flooding: without the key its collisions cannot be predicted. It uses AES
 * rounds where the CPU has them and SipHash-1-3 (Aumasson, Bernstein) elsewhere; hash_init chooses
 * once. The value differs between machines and is never stored. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

struct hash_key {
    alignas(16) uint64_t word[4];
};

typedef uint64_t (*hash_fn)(const struct hash_key *key, const char *data, size_t size);

struct hash_state {
    struct hash_key key;
    hash_fn fn;
};
extern struct hash_state hash_state; /* written by hash_init only, before threads start */

/* seed: 32 bytes from random_os, or derived from the option hash-seed. */
void hash_init(const struct hash_key *seed);
/* Fills a key from any text (option hash-seed). */
void hash_key_from_text(struct hash_key *out, struct bytes text);
const char *hash_describe(void); /* "aes" or "siphash-1-3" */

static inline uint64_t hash_bytes(struct bytes bytes) {
    return hash_state.fn(&hash_state.key, bytes.data, bytes.size);
}
/* Letters count without case: names of commands, options. */
uint64_t hash_bytes_nocase(struct bytes bytes);

uint64_t hash_siphash13(const struct hash_key *key, const char *data, size_t size);

uint16_t hash_crc16(struct bytes bytes);               /* CCITT/XMODEM: cluster slots */
uint64_t hash_crc64(uint64_t crc, struct bytes bytes); /* Jones, reflected: RDB */

struct sha1 {
    uint32_t state[5];
    uint64_t size;
    uint8_t block[64];
};
void sha1_init(struct sha1 *sha);
void sha1_add(struct sha1 *sha, struct bytes bytes);
void sha1_finish(struct sha1 *sha, uint8_t out[20]);
