/* SPDX-License-Identifier: BSD-3-Clause */
/* Counting takes 64-bit words, and on x86-64 with AVX2 blocks of 32 bytes, whose nibbles are looked
 * up in a table in a register (Mula, Kurz, Lemire: Faster Population Counts Using AVX2). */
#include "types/bitmap.h"

#include "base/check.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { COUNT_BLOCK_MIN = 128 }; /* shorter strings are counted by words */

static inline uint64_t load_word(const char *data) {
    uint64_t word;
    memcpy(&word, data, sizeof(word));
    return word;
}

/* Up to 8 bytes, the missing ones zero. */
static inline uint64_t load_part(const char *data, size_t size) {
    uint64_t word = 0;
    if (size) memcpy(&word, data, size);
    return word;
}

always_inline_fn uint64_t count_words(const char *data, size_t size) {
    uint64_t counts[4] = {0}; /* apart, so that additions do not wait for each other */
    for (; size >= 32; data += 32, size -= 32) {
        for (size_t i = 0; i < 4; i++)
            counts[i] += (uint64_t)__builtin_popcountll(load_word(data + 8 * i));
    }
    for (; size >= 8; data += 8, size -= 8)
        counts[0] += (uint64_t)__builtin_popcountll(load_word(data));
    counts[1] += (uint64_t)__builtin_popcountll(load_part(data, size));
    return counts[0] + counts[1] + counts[2] + counts[3];
}

#if defined(__x86_64__)

__attribute__((target("popcnt"))) static uint64_t count_popcnt(const char *data, size_t size) {
    return count_words(data, size);
}

/* How many bits of each byte are 1. */
__attribute__((target("avx2"))) static inline __m256i count_bytes(__m256i block, __m256i table) {
    const __m256i low = _mm256_set1_epi8(15);
    __m256i a = _mm256_shuffle_epi8(table, _mm256_and_si256(block, low));
    __m256i b = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(block, 4), low));
    return _mm256_add_epi8(a, b);
}

__attribute__((target("avx2,popcnt"))) static uint64_t count_avx2(const char *data, size_t size) {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1,
                                           2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    __m256i total = zero;
    for (; size >= 128; data += 128, size -= 128) {
        __m256i sum = zero; /* at most 8 * 4 in a byte */
        for (size_t i = 0; i < 4; i++) {
            __m256i block = _mm256_loadu_si256((const __m256i *)(const void *)(data + 32 * i));
            sum = _mm256_add_epi8(sum, count_bytes(block, table));
        }
        total = _mm256_add_epi64(total, _mm256_sad_epu8(sum, zero));
    }
    uint64_t parts[4];
    _mm256_storeu_si256((__m256i *)(void *)parts, total);
    return parts[0] + parts[1] + parts[2] + parts[3] + count_words(data, size);
}

uint64_t bitmap_count(struct bytes bitmap) {
    if (bitmap.size >= COUNT_BLOCK_MIN && __builtin_cpu_supports("avx2")) {
        return count_avx2(bitmap.data, bitmap.size);
    }
    if (__builtin_cpu_supports("popcnt")) return count_popcnt(bitmap.data, bitmap.size);
    return count_words(bitmap.data, bitmap.size);
}

#else

uint64_t bitmap_count(struct bytes bitmap) { return count_words(bitmap.data, bitmap.size); }

#endif

/* The bits of the first byte from bit on, of the last byte up to bit. */
static inline unsigned mask_from(uint64_t bit) { return 0xffu >> (bit & 7); }
static inline unsigned mask_to(uint64_t bit) { return 0xff00u >> ((bit & 7) + 1) & 0xff; }

uint64_t bitmap_count_range(struct bytes bitmap, uint64_t first, uint64_t last) {
    dcheck(first <= last);
    dcheck(last >> 3 < bitmap.size);
    size_t from = (size_t)(first >> 3), to = (size_t)(last >> 3);
    uint64_t count = bitmap_count(bytes_make(bitmap.data + from, to - from + 1));
    unsigned before = (unsigned char)bitmap.data[from] & ~mask_from(first);
    unsigned after = (unsigned char)bitmap.data[to] & ~mask_to(last);
    return count - (uint64_t)__builtin_popcount(before) -
           (uint64_t)__builtin_popcount(after & 0xff);
}

/* The first byte at or after from, before end, that is not skip; end if there is none. */
static size_t skip_bytes(const char *data, size_t from, size_t end, unsigned char skip) {
    uint64_t skip_word = skip ? UINT64_MAX : 0;
    while (end - from >= 8 && load_word(data + from) == skip_word)
        from += 8;
    while (from < end && (unsigned char)data[from] == skip)
        from++;
    return from;
}

int64_t bitmap_find(struct bytes bitmap, bool on, uint64_t first, uint64_t last) {
    dcheck(first <= last);
    dcheck(last >> 3 < bitmap.size);
    unsigned char flip = on ? 0 : 0xff; /* search for a 1 in flipped bytes */
    size_t at = (size_t)(first >> 3), end = (size_t)(last >> 3) + 1;
    unsigned byte = ((unsigned char)bitmap.data[at] ^ flip) & mask_from(first);
    if (!byte) {
        at = skip_bytes(bitmap.data, at + 1, end, flip);
        if (at == end) return -1;
        byte = (unsigned char)bitmap.data[at] ^ flip;
    }
    uint64_t found = (uint64_t)at * 8 + (uint64_t)__builtin_clz(byte << 24);
    return found <= last ? (int64_t)found : -1;
}

static void combine_and(char *restrict out, const char *restrict in, size_t size) {
    for (size_t i = 0; i < size; i++)
        out[i] &= in[i];
}

static void combine_or(char *restrict out, const char *restrict in, size_t size) {
    for (size_t i = 0; i < size; i++)
        out[i] |= in[i];
}

static void combine_xor(char *restrict out, const char *restrict in, size_t size) {
    for (size_t i = 0; i < size; i++)
        out[i] ^= in[i];
}

static void flip_all(char *out, size_t size) {
    for (size_t i = 0; i < size; i++)
        out[i] = (char)~out[i];
}

void bitmap_combine(enum bitmap_operation operation, const struct bytes *sources, size_t count,
                    char *out, size_t size) {
    check(count >= 1);
    check(operation != BITMAP_NOT || count == 1);
    for (size_t i = 0; i < count; i++) {
        struct bytes in = sources[i];
        check(in.size <= size);
        if (i == 0) {
            if (in.size) memcpy(out, in.data, in.size);
            memset(out + in.size, 0, size - in.size);
            continue;
        }
        switch (operation) {
        case BITMAP_AND:
            combine_and(out, in.data, in.size);
            memset(out + in.size, 0, size - in.size);
            break;
        case BITMAP_OR: combine_or(out, in.data, in.size); break;
        case BITMAP_XOR: combine_xor(out, in.data, in.size); break;
        case BITMAP_NOT: break;
        }
    }
    if (operation == BITMAP_NOT) flip_all(out, size);
}
