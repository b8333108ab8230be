/* SPDX-License-Identifier: BSD-3-Clause */
/* hyperloglog -- how many different elements there were, within 0.81 %, in 12 KiB or less.
 *
 * An element's hash picks one of 16384 registers; the register keeps the highest rank seen, which
 * is one more than the number of zero bits at the end of the rest of the hash. A value is a string
 * that any client may have written, so every reader here checks every byte it relies on:
 *
 *   offset  size   meaning
 *        0     4   "HYLL"
 *        4     1   form: 0 dense, 1 sparse
 *        5     3   0
 *        8     8   the estimate when it was last made, little-endian; its top bit says it is stale
 *       16         dense: 16384 registers of 6 bits, each from the lowest bit up: 12288 bytes
 *                  sparse: runs that cover the 16384 registers in order:
 *                     00nnnnnn            n + 1 registers of 0
 *                     01nnnnnn nnnnnnnn   the same with 14 bits
 *                     1vvvvvnn            n + 1 registers of v + 1
 *
 * A sparse value that would outgrow the limit, or needs a rank above 32, becomes dense for good. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/bytes.h"

enum {
    HLL_REGISTERS = 16384,
    HLL_RANK_MAX = 51, /* 64 bits of hash less 14 for the register, and one */
    HLL_HEADER_SIZE = 16,
    HLL_DENSE_SIZE = HLL_HEADER_SIZE + HLL_REGISTERS * 6 / 8,
};
enum hll_form { HLL_DENSE = 0, HLL_SPARSE };

/* Where an element is counted. */
struct hll_place {
    uint16_t index;
    uint8_t rank; /* 1..HLL_RANK_MAX */
};
struct hll_place hll_place_of(struct bytes element);

/* ---- reading ---- */
/* The header is right, and the size if dense. What follows the header of a sparse value is checked
 * by whoever walks it. All functions below need it true. O(1). */
bool hll_is_valid(struct bytes value);
static inline enum hll_form hll_form_of(struct bytes value) {
    return value.data[4] ? HLL_SPARSE : HLL_DENSE;
}
/* The estimate in the header; false if it is stale. */
must_use bool hll_cached_estimate(struct bytes value, uint64_t *out);
/* At most INT64_MAX. False: the value is corrupt. O(registers). */
must_use bool hll_estimate(struct bytes value, uint64_t *out);
/* A register; -1: corrupt. O(1) if dense, O(size) if sparse. */
int hll_register(struct bytes value, uint16_t index);
/* Raises each register to that of value where that is higher; false: corrupt, and then some may be
 * raised. O(registers). */
must_use bool hll_merge_into(uint8_t registers[HLL_REGISTERS], struct bytes value);
uint64_t hll_estimate_registers(const uint8_t registers[HLL_REGISTERS]);
/* The runs of a sparse value as text; false: corrupt. */
must_use bool hll_describe_runs(struct bytes value, struct buf *out);

/* ---- changing ---- */
/* Values that grow are edited in a buf; dense ones, whose size is fixed, in place too. */

/* Adds an empty sparse value to an empty buf. */
void hll_init(struct buf *value);
enum hll_change { HLL_CORRUPT = -1, HLL_SAME = 0, HLL_RAISED = 1 };
/* Counts an element. A sparse value becomes dense where it must, or where it would grow past
 * sparse_max bytes. The estimate in the header is left to the caller. On HLL_CORRUPT the value is
 * as before. O(1) if dense, O(size) if sparse. */
enum hll_change hll_raise(struct buf *value, struct hll_place place, int64_t sparse_max);
/* The same for a dense value in place. Never HLL_CORRUPT. */
enum hll_change hll_raise_dense(char *data, struct hll_place place);
/* Makes it dense, the header kept; false: corrupt, and the value is as before. */
must_use bool hll_make_dense(struct buf *value);
/* Sets all registers of a dense value. */
void hll_set_registers(char *data, const uint8_t registers[HLL_REGISTERS]);
/* Writes the estimate into the header, or marks the one there as stale. */
void hll_store_estimate(char *data, uint64_t estimate);
void hll_mark_stale(char *data);
