/* SPDX-License-Identifier: BSD-3-Clause */
/* listpack_inline -- the encoding of elements, for loops over many of them: p is the address of an
 * element's first byte, as from listpack_element. Steps over elements are listpack_element_span;
 * the end is where the byte is LISTPACK_END_BYTE. What the bytes mean: listpack.h. */
#pragma once

#include "ds/listpack.h"

enum {
    LISTPACK_END_BYTE = 0xff,
    LISTPACK_STRING6_MAX = 63,
    LISTPACK_STRING12_MAX = 4095,
};
enum listpack_first { /* first bytes */
                      LISTPACK_STRING6 = 0x80,
                      LISTPACK_INT13 = 0xc0,
                      LISTPACK_STRING12 = 0xe0,
                      LISTPACK_STRING32 = 0xf0,
                      LISTPACK_INT16 = 0xf1,
                      LISTPACK_INT24 = 0xf2,
                      LISTPACK_INT32 = 0xf3,
                      LISTPACK_INT64 = 0xf4,
};

static inline const uint8_t *listpack_element(const struct listpack *lp, size_t at) {
    return (const uint8_t *)lp + at;
}

static inline uint64_t listpack_load(const uint8_t *p, unsigned size) {
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)p[i] << (8 * i);
    return value;
}

/* Bytes of the backward length behind an encoding and data of so many. */
static inline size_t listpack_back_size(size_t size) {
    if (likely(size <= 127)) return 1;
    if (size < 16383) return 2;
    if (size < 2097151) return 3;
    return size < 268435455 ? 4 : 5;
}

/* Bytes of an encoding before the string's own; of an integer all. first: not LISTPACK_END_BYTE. */
static inline size_t listpack_head_size(uint8_t first) {
    if (first < LISTPACK_INT13) return 1;
    if (first < LISTPACK_STRING32) return 2;
    static const uint8_t sizes[] = {5, 3, 4, 5, 9};
    return first <= LISTPACK_INT64 ? sizes[first - LISTPACK_STRING32] : 0;
}

/* Bytes of the string behind its head of listpack_head_size; 0 for an integer. */
static inline size_t listpack_string_size(const uint8_t *p) {
    uint8_t first = p[0];
    if (first < LISTPACK_STRING6) return 0;
    if (likely(first < LISTPACK_INT13)) return first & LISTPACK_STRING6_MAX;
    if (first < LISTPACK_STRING12) return 0;
    if (first < LISTPACK_STRING32) return (size_t)(first & 15) << 8 | p[1];
    return first == LISTPACK_STRING32 ? listpack_load(p + 1, 4) : 0;
}

static inline bool listpack_element_is_string(uint8_t first) {
    return (first >= LISTPACK_STRING6 && first < LISTPACK_INT13) ||
           (first >= LISTPACK_STRING12 && first <= LISTPACK_STRING32);
}

/* Encoding and data, without the backward length. */
static inline size_t listpack_element_size(const uint8_t *p) {
    uint8_t first = p[0];
    if (likely(first < LISTPACK_INT13)) {
        return first < LISTPACK_STRING6 ? 1 : 1u + (first & LISTPACK_STRING6_MAX);
    }
    return listpack_head_size(first) + listpack_string_size(p);
}

/* The whole of it. */
static inline size_t listpack_element_span(const uint8_t *p) {
    size_t size = listpack_element_size(p);
    return size + listpack_back_size(size);
}

static inline int64_t listpack_sign_extend(uint64_t value, unsigned bits) {
    return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

static inline int64_t listpack_element_int(const uint8_t *p) {
    uint8_t first = p[0];
    if (first < LISTPACK_STRING6) return first;
    if (first < LISTPACK_STRING12) {
        return listpack_sign_extend((uint64_t)(first & 31) << 8 | p[1], 13);
    }
    unsigned size = (unsigned)listpack_head_size(first) - 1;
    return listpack_sign_extend(listpack_load(p + 1, size), 8 * size);
}

static inline struct listpack_value listpack_element_value(const uint8_t *p) {
    if (!listpack_element_is_string(p[0])) {
        return (struct listpack_value){.integer = listpack_element_int(p)};
    }
    return (struct listpack_value){.data = (const char *)p + listpack_head_size(p[0]),
                                   .size = listpack_string_size(p)};
}
