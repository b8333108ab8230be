/* SPDX-License-Identifier: BSD-3-Clause */
/* Cyclic checksums by tables, made by the compiler. A CRC is linear: the entry for a byte is the
 * sum (exclusive or) of the entries for its bits, so that eight constants make a table of 256.
 * CRC-64 takes eight bytes at a time: table k answers for a byte followed by k others (Kounavis,
 * Berry: "slicing-by-8"). The tests hold the constants to the polynomials. */
#include "base/hash.h"

#define BITS(i, b0, b1, b2, b3, b4, b5, b6, b7)                                          \
    (((i)&1 ? (b0) : 0) ^ ((i)&2 ? (b1) : 0) ^ ((i)&4 ? (b2) : 0) ^ ((i)&8 ? (b3) : 0) ^ \
     ((i)&16 ? (b4) : 0) ^ ((i)&32 ? (b5) : 0) ^ ((i)&64 ? (b6) : 0) ^ ((i)&128 ? (b7) : 0))
#define TABLE_4(i, ...)                                                       \
    BITS(i, __VA_ARGS__), BITS(i + 1, __VA_ARGS__), BITS(i + 2, __VA_ARGS__), \
        BITS(i + 3, __VA_ARGS__)
#define TABLE_16(i, ...)                                                               \
    TABLE_4(i, __VA_ARGS__), TABLE_4(i + 4, __VA_ARGS__), TABLE_4(i + 8, __VA_ARGS__), \
        TABLE_4(i + 12, __VA_ARGS__)
#define TABLE_64(i, ...)                                                                    \
    TABLE_16(i, __VA_ARGS__), TABLE_16(i + 16, __VA_ARGS__), TABLE_16(i + 32, __VA_ARGS__), \
        TABLE_16(i + 48, __VA_ARGS__)
#define TABLE(...)                                                                       \
    {                                                                                    \
        TABLE_64(0, __VA_ARGS__), TABLE_64(64, __VA_ARGS__), TABLE_64(128, __VA_ARGS__), \
            TABLE_64(192, __VA_ARGS__)                                                   \
    }

/* x^16 + x^12 + x^5 + 1, highest bit first. */
static const uint16_t crc16_table[256] =
    TABLE(0x1021, 0x2042, 0x4084, 0x8108, 0x1231, 0x2462, 0x48c4, 0x9188);

/* 0xad93d23594c935a9, lowest bit first. */
static const uint64_t crc64_tables[8][256] = {
    TABLE(0x7ad870c830358979u, 0xf5b0e190606b12f2u, 0xc038e5739841b68fu, 0xab28ecb46814fe75u,
          0x7d08ff3b88be6f81u, 0xfa11fe77117cdf02u, 0xdf7adabd7a6e2d6fu, 0x95ac9329ac4bc9b5u),
    TABLE(0x89e99ffd73bddf69u, 0x388a19a9bfec2db9u, 0x711433537fd85b72u, 0xe22866a6ffb0b6e4u,
          0xef09eb1ea7f6fea3u, 0xf54af06e177a6e2du, 0xc1ccc68f76634f31u, 0xa8c0ab4db4510d09u),
    TABLE(0xf4125129ce4038beu, 0xc37d8400c417e217u, 0xada22e52d0b85745u, 0x701d7af6f9e73de1u,
          0xe03af5edf3ce7bc2u, 0xeb2ccd88bf0b64efu, 0xfd00bd4226815ab5u, 0xd1585cd715952601u),
    TABLE(0x8ce168638c796306u, 0x329bf69440655567u, 0x6537ed2880caaaceu, 0xca6fda510195559cu,
          0xbf8692f15bbd3853u, 0x545403b1efede3cdu, 0xa8a80763dfdbc79au, 0x7a092894e7201c5fu),
    TABLE(0x3504e58b9ba6dd1eu, 0x6a09cb17374dba3cu, 0xd413962e6e9b7478u, 0x837e0a0f85a17b9bu,
          0x2da5324c53d5645du, 0x5b4a6498a7aac8bau, 0xb694c9314f559174u, 0x4670b431c63cb183u),
    TABLE(0xe39d1389931b9354u, 0xec6301407ea0b5c3u, 0xf39f24d3a5d6f8edu, 0xcc676ff4133a62b1u,
          0xb397f9bb7ee35609u, 0x4c76d525a5513f79u, 0x98edaa4b4aa27ef2u, 0x1a8272c5cdd36e8fu),
    TABLE(0x62a95de6e302eff2u, 0xc552bbcdc605dfe4u, 0xa1fc51c8d49c2ca3u, 0x68a185c2f1afca2du,
          0xd1430b85e35f945au, 0x89df31589e28bbdfu, 0x38e744e264c6e4d5u, 0x71ce89c4c98dc9aau),
    TABLE(0x381d0015c96f4444u, 0x703a002b92de8888u, 0xe074005725bd1110u, 0xebb126fd13edb14bu,
          0xfc3b6ba97f4cf1fdu, 0xd32ff101a60e7091u, 0x8d06c450148b7249u, 0x3154aef3718177f9u),
};

uint16_t hash_crc16(struct bytes bytes) {
    uint16_t crc = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned index = (crc >> 8) ^ (unsigned char)bytes.data[i];
        crc = (uint16_t)((unsigned)crc << 8 ^ crc16_table[index]);
    }
    return crc;
}

static uint64_t crc64_word(uint64_t crc, const unsigned char *data) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < 8; i++) /* unrolled by the compiler */
        sum ^= crc64_tables[7 - i][(crc >> (8 * i) & 255) ^ data[i]];
    return sum;
}

uint64_t hash_crc64(uint64_t crc, struct bytes bytes) {
    const unsigned char *data = (const unsigned char *)bytes.data;
    size_t i = 0;
    for (; i + 8 <= bytes.size; i += 8)
        crc = crc64_word(crc, data + i);
    for (; i < bytes.size; i++)
        crc = (crc >> 8) ^ crc64_tables[0][(crc ^ data[i]) & 255];
    return crc;
}
