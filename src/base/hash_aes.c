/* SPDX-License-Identifier: BSD-3-Clause */
/* A keyed hash from AES rounds. One round is R(x, k) = MixColumns(ShiftRows(SubBytes(x))) ^ k; one
 * byte reaches the whole state after two. K0 and K1 are the halves of the key, K2 and K3 the same
 * with their 64-bit words exchanged.
 *
 *    up to 16 bytes   x = the key's bytes, its two ends overlapping
 *                     R(R(R(x ^ K0, K1 ^ size), K0), K1)
 *    up to 32         two lanes of 16 bytes, two rounds each, joined
 *    more             four lanes; each absorbs 16 bytes of every 64, two rounds at a time. The last
 *                     64 bytes overlap with those before. Then the lanes are joined in pairs
 *
 * 1. No byte outside the key is read: ends overlap instead.
 * 2. Size enters between rounds, so that no chosen bytes can stand in for another size.
 * 3. At least two rounds follow the last input, and between two inputs that could cancel each other
 *    there are two rounds: a difference passes at least five S-boxes, which bounds the chance that
 *    one guessed without the key collides to some 2^-30, beside the 2^-64 of any hash. */
#include "base/hash_internal.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define USES_AES __attribute__((target("aes,sse4.1")))
#define AES_INLINE USES_AES __attribute__((always_inline)) static inline

AES_INLINE __m128i block_load(const void *data) { return _mm_loadu_si128(data); }
AES_INLINE __m128i block_make(uint64_t low, uint64_t high) {
    return _mm_set_epi64x((long long)high, (long long)low);
}
AES_INLINE __m128i block_xor(__m128i a, __m128i b) { return _mm_xor_si128(a, b); }
AES_INLINE __m128i block_round(__m128i a, __m128i key) { return _mm_aesenc_si128(a, key); }
AES_INLINE __m128i block_swap(__m128i a) { return _mm_shuffle_epi32(a, 0x4e); }
AES_INLINE uint64_t block_low(__m128i a) { return (uint64_t)_mm_cvtsi128_si64(a); }

#define BLOCK __m128i

bool hash__aes_is_supported(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.1");
}

#elif defined(__aarch64__)

#include <arm_neon.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>

#if defined(__clang__)
#define USES_AES __attribute__((target("crypto")))
#else
#define USES_AES __attribute__((target("+crypto")))
#endif
#define AES_INLINE USES_AES __attribute__((always_inline)) static inline
#define BLOCK uint8x16_t

AES_INLINE BLOCK block_load(const void *data) { return vld1q_u8(data); }
AES_INLINE BLOCK block_make(uint64_t low, uint64_t high) {
    return vreinterpretq_u8_u64(vcombine_u64(vcreate_u64(low), vcreate_u64(high)));
}
AES_INLINE BLOCK block_xor(BLOCK a, BLOCK b) { return veorq_u8(a, b); }
/* AESE adds its key before the S-boxes; with 0 there, the key can come last as in R above. */
AES_INLINE BLOCK block_round(BLOCK a, BLOCK key) {
    return veorq_u8(vaesmcq_u8(vaeseq_u8(a, vdupq_n_u8(0))), key);
}
AES_INLINE BLOCK block_swap(BLOCK a) { return vextq_u8(a, a, 8); }
AES_INLINE uint64_t block_low(BLOCK a) { return vgetq_lane_u64(vreinterpretq_u64_u8(a), 0); }

bool hash__aes_is_supported(void) { return getauxval(AT_HWCAP) & HWCAP_AES; }

#endif

#ifdef BLOCK

struct lanes {
    BLOCK lane[4];
};

AES_INLINE uint64_t load64(const char *data) {
    uint64_t word;
    memcpy(&word, data, sizeof(word));
    return word;
}

AES_INLINE uint64_t load32(const char *data) {
    uint32_t word;
    memcpy(&word, data, sizeof(word));
    return word;
}

/* Up to 16 bytes as one block; with the size it says what they were. */
AES_INLINE BLOCK load_short(const char *data, size_t size) {
    const unsigned char *bytes = (const unsigned char *)data;
    if (size >= 8) return block_make(load64(data), load64(data + size - 8));
    if (size >= 4) return block_make(load32(data), load32(data + size - 4));
    if (size == 0) return block_make(0, 0);
    return block_make(bytes[0], (uint64_t)bytes[size / 2] << 8 | bytes[size - 1]);
}

AES_INLINE BLOCK absorb(BLOCK lane, const char *data, BLOCK key0, BLOCK key1) {
    return block_round(block_round(block_xor(lane, block_load(data)), key0), key1);
}

AES_INLINE void absorb_all(struct lanes *l, const char *low, const char *high, BLOCK key0,
                           BLOCK key1) {
    l->lane[0] = absorb(l->lane[0], low, key1, key0);
    l->lane[1] = absorb(l->lane[1], low + 16, key0, key1);
    l->lane[2] = absorb(l->lane[2], high, key1, key0);
    l->lane[3] = absorb(l->lane[3], high + 16, key0, key1);
}

USES_AES never_inline static uint64_t hash_long(const struct hash_key *key, const char *data,
                                                size_t size) {
    BLOCK key0 = block_load(&key->word[0]), key1 = block_load(&key->word[2]);
    struct lanes l = {{key0, key1, block_swap(key0), block_swap(key1)}};
    if (size <= 64) {
        absorb_all(&l, data, data + size - 32, key0, key1);
    } else {
        const char *last = data + size - 64;
        for (; data < last; data += 64)
            absorb_all(&l, data, data + 32, key0, key1);
        absorb_all(&l, last, last + 32, key0, key1);
    }
    BLOCK a = block_round(l.lane[0], l.lane[1]);
    BLOCK b = block_round(l.lane[2], l.lane[3]);
    BLOCK x = block_round(a, block_xor(b, block_make(size, 0)));
    return block_low(block_round(block_round(x, key0), key1));
}

USES_AES uint64_t hash__aes(const struct hash_key *key, const char *data, size_t size) {
    if (unlikely(size > 32)) return hash_long(key, data, size);

    BLOCK key0 = block_load(&key->word[0]), key1 = block_load(&key->word[2]);
    BLOCK sized = block_xor(key1, block_make(size, 0));
    if (size <= 16) {
        BLOCK x = block_round(block_xor(load_short(data, size), key0), sized);
        return block_low(block_round(block_round(x, key0), key1));
    }
    BLOCK a = absorb(key0, data, sized, key0);
    BLOCK b = absorb(block_swap(key1), data + size - 16, key0, key1);
    BLOCK x = block_round(a, b);
    return block_low(block_round(block_round(x, key0), key1));
}

#else

bool hash__aes_is_supported(void) { return false; }

uint64_t hash__aes(const struct hash_key *key, const char *data, size_t size) {
    return hash_siphash13(key, data, size);
}

#endif
