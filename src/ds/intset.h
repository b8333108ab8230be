/* SPDX-License-Identifier: BSD-3-Clause */
/* intset -- a set of integers, sorted, in one allocation, as RDB files carry it.
 *
 *   offset size
 *   0      4    width of an element: 2, 4 or 8 bytes, little endian
 *   4      4    elements
 *   8      ..   the elements: signed, little endian, ascending, each once
 *
 * The width is that of the widest element there ever was: it grows with the first one that needs
 * it, and never shrinks.
 *
 * The bytes are an allocation of base/mem.h owned by the caller. A function that changes them takes
 * the address of the caller's pointer, since they may move. What is not from this process must pass
 * intset_validate first: all others trust the bytes. */
#pragma once

#include "base/attr.h"

enum { INTSET_HEADER = 8 };
/* An intset never has more elements: an addition beyond is the caller's mistake. */
#define INTSET_COUNT_MAX ((size_t)1 << 28)

struct intset; /* the bytes: never defined, only pointed to */

/* ---- life ---- */
must_use struct intset *intset_create(void); /* empty */
/* A copy of bytes that intset_validate found right. O(size). */
must_use struct intset *intset_create_from(const void *data, size_t size);
void intset_destroy(struct intset **set);
must_use struct intset *intset_copy(const struct intset *set);

/* ---- reading ---- */
size_t intset_count(const struct intset *set);
size_t intset_size(const struct intset *set);         /* bytes in use: what RDB carries */
size_t intset_memory_bytes(const struct intset *set); /* of the allocation */
/* The element of this index in ascending order; index < intset_count. O(1). */
int64_t intset_at(const struct intset *set, size_t index);
bool intset_has(const struct intset *set, int64_t value); /* O(log n) */

/* ---- changing: each O(n) ---- */
/* False if it was there. */
bool intset_add(struct intset **set, int64_t value);
/* False if it was not there. */
bool intset_remove(struct intset **set, int64_t value);
/* Keeps the elements for which keep returns true; called once for each, in ascending order. */
void intset_filter(struct intset **set, bool (*keep)(void *ctx, int64_t value), void *ctx);

/* ---- checking ---- */
/* True if size bytes from outside are an intset, an empty one too. O(size). */
must_use bool intset_validate(const void *data, size_t size);
void intset_verify(const struct intset *set); /* for tests */
