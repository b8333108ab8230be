/* SPDX-License-Identifier: BSD-3-Clause */
/* bitmap -- strings seen as bits: counting, searching, combining.
 *
 * Bit 0 is the highest bit of the first byte. Nothing here owns memory; bits past the end of a
 * string read as 0. Positions are in bits and 64 bits wide. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

static inline bool bitmap_get(struct bytes bitmap, uint64_t bit) {
    uint64_t byte = bit >> 3;
    return byte < bitmap.size && ((unsigned char)bitmap.data[byte] >> (7 - (bit & 7)) & 1);
}
/* The byte must be there. */
static inline void bitmap_put(char *data, uint64_t bit, bool on) {
    unsigned char mask = (unsigned char)(1u << (7 - (bit & 7)));
    unsigned char byte = (unsigned char)data[bit >> 3];
    data[bit >> 3] = (char)(on ? byte | mask : byte & ~mask);
}
/* Bytes a string needs to hold this bit. */
static inline uint64_t bitmap_size_for(uint64_t bit) { return (bit >> 3) + 1; }

/* How many bits are 1. O(size). */
uint64_t bitmap_count(struct bytes bitmap);
/* The same for the bits first..last, both included and in the string, first <= last. */
uint64_t bitmap_count_range(struct bytes bitmap, uint64_t first, uint64_t last);
/* The first bit of that value among first..last (both included and in the string), or -1. */
int64_t bitmap_find(struct bytes bitmap, bool on, uint64_t first, uint64_t last);

enum bitmap_operation { BITMAP_AND = 0, BITMAP_OR, BITMAP_XOR, BITMAP_NOT };
/* Writes at out (size bytes, outside all sources) the sources combined bit by bit, each as if zero
 * bytes followed it up to size, which is that of the longest. count >= 1; BITMAP_NOT takes one.
 * O(size * count). */
void bitmap_combine(enum bitmap_operation operation, const struct bytes *sources, size_t count,
                    char *out, size_t size);
