/* SPDX-License-Identifier: BSD-3-Clause */
/* lzf -- Marc Lehmann's LZF format: a fast compression of short repetitions.
 *
 *   first byte    then                          means
 *   000nnnnn      n + 1 bytes                   these bytes (1 to 32)
 *   nnnooooo      low offset byte               n + 2 bytes (3 to 8), offset + 1 bytes back
 *   111ooooo      length byte, low offset byte  length + 9 bytes (9 to 264), the same
 *
 * An offset has 13 bits, high ones first. Lengths from outside are checked: neither function reads
 * or writes past what it is given. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

enum { LZF_RATIO_MAX = 88 }; /* 3 bytes can become 264, and none more */

struct lzf {         /* what the compressor remembers; zeroed is valid */
    uint32_t *slots; /* where three bytes with this hash began last, counted from base; owned */
    unsigned bits;   /* of a slot's number */
    uint32_t base;   /* slots up to this one are of earlier calls */
};
void lzf_deinit(struct lzf *lzf);

/* Compresses into out, at most cap bytes. Returns how many, 0 if they are not enough. O(size). */
size_t lzf_compress(struct lzf *lzf, struct bytes in, char *out, size_t cap);
/* True if in is whole and makes exactly size bytes, which are then at out. O(size). */
must_use bool lzf_decompress(struct bytes in, char *out, size_t size);
