/* SPDX-License-Identifier: BSD-3-Clause */
/* listpack -- a sequence of short strings and integers in one allocation, as RDB files carry it.
 *
 *   offset size
 *   0      4    total bytes, little endian, with this header and the end
 *   4      2    elements; 65535: too many to say, to be counted
 *   6      ..   elements: encoding and data, then the size of both as a backward length
 *   end-1  1    0xff
 *
 *   first byte   element                                          encoding bytes and data
 *   0xxxxxxx     integer 0..127                                   1
 *   10xxxxxx     string of up to 63 bytes                         1 + size
 *   110xxxxx     signed integer of 13 bits, high bits first       2
 *   1110xxxx     string of up to 4095 bytes, high bits first      2 + size
 *   11110001/2/3/4   signed integer of 16, 24, 32, 64 bits, LE    3, 4, 5, 9
 *   11110000     string with a size of 32 bits, LE                5 + size
 *   The backward length is in groups of 7 bits, 1 to 5 bytes, read from its end: the last byte is
 *   the lowest group, and bit 7 says that another byte lies before it. The highest value of 2, 3
 *   and 4 bytes (16383, ...) is written with one byte more.
 *
 * The bytes are an allocation of base/mem.h owned by the caller. A function that changes them takes
 * the address of the caller's pointer, since they may move. An element is meant by its offset from
 * the start, LISTPACK_END (0) past the last: offsets survive a move, pointers do not.
 *
 * What is not from this process must pass listpack_validate first: all others trust the bytes.
 * Bytes that are an integer in canonical form are stored as one, and equal to their text. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/num.h"

enum {
    LISTPACK_HEADER = 6,
    LISTPACK_EMPTY_SIZE = 7,
    LISTPACK_END = 0, /* an offset that is no element's */
    LISTPACK_COUNT_UNKNOWN = 65535,
};
/* A listpack never becomes larger: additions that would make it so are the caller's mistake. */
#define LISTPACK_SIZE_MAX ((size_t)1 << 30)

struct listpack; /* the bytes: never defined, only pointed to */

struct listpack_value { /* one element, borrowed until the next change */
    const char *data;   /* NULL: it is the integer */
    size_t size;
    int64_t integer;
};

/* ---- life ---- */
must_use struct listpack *listpack_create(size_t cap_hint); /* empty; room for cap_hint bytes */
void listpack_destroy(struct listpack **lp);
must_use struct listpack *listpack_copy(const struct listpack *lp);
/* Gives back room that additions kept. */
void listpack_shrink(struct listpack **lp);

/* ---- reading ---- */
size_t listpack_size(const struct listpack *lp);         /* bytes in use: what RDB carries */
size_t listpack_memory_bytes(const struct listpack *lp); /* of the allocation */
size_t listpack_count(const struct listpack *lp);        /* O(1) up to 65534 elements, else O(n) */
size_t listpack_first(const struct listpack *lp);        /* offset, or LISTPACK_END. O(1) */
size_t listpack_last(const struct listpack *lp);         /* O(1) */
size_t listpack_next(const struct listpack *lp, size_t at); /* O(1) */
size_t listpack_prev(const struct listpack *lp,
                     size_t at); /* LISTPACK_END before the first. O(1) */
/* The element of this index, negative ones from the end. O(n), from the nearer end. */
size_t listpack_seek(const struct listpack *lp, int64_t index);
struct listpack_value listpack_get(const struct listpack *lp, size_t at);
/* The same as bytes; an integer is formatted into scratch. */
struct bytes listpack_get_bytes(const struct listpack *lp, size_t at,
                                char scratch[NUM_I64_TEXT_MAX]);
/* Formats a value already got. */
struct bytes listpack_value_bytes(const struct listpack_value *value,
                                  char scratch[NUM_I64_TEXT_MAX]);
bool listpack_equals(const struct listpack *lp, size_t at, struct bytes bytes);
/* The next element from `at` on that equals bytes, looking at one and leaving out `skip`, again and
 * again (1: the fields of field-value pairs); LISTPACK_END if there is none. O(n). */
size_t listpack_find(const struct listpack *lp, size_t at, struct bytes bytes, unsigned skip);

/* ---- changing: each O(size), additions at the end amortised O(their own) ---- */
/* Bytes given must not lie in the listpack that is changed: it may move under them. */
/* Bytes that an addition of this element takes, at most. */
size_t listpack_cost(struct bytes bytes);
void listpack_append(struct listpack **lp, struct bytes bytes);
void listpack_append_int(struct listpack **lp, int64_t integer);
void listpack_prepend(struct listpack **lp, struct bytes bytes);
/* Before the element at `at` (LISTPACK_END: at the end). Returns the new element's offset. */
size_t listpack_insert(struct listpack **lp, size_t at, struct bytes bytes);
/* Returns the replaced element's offset, which stays. */
size_t listpack_replace(struct listpack **lp, size_t at, struct bytes bytes);
size_t listpack_replace_int(struct listpack **lp, size_t at, int64_t integer);
/* Returns the offset of the element that followed, or LISTPACK_END. */
size_t listpack_remove(struct listpack **lp, size_t at);
/* Up to count elements from `at` on. Returns what followed them. */
size_t listpack_remove_range(struct listpack **lp, size_t at, size_t count);
/* Appends elements [from, to) of another; to LISTPACK_END: all from there on. */
void listpack_append_range(struct listpack **lp, const struct listpack *from_lp, size_t from,
                           size_t to);

/* ---- the elements alone, for whoever keeps them without header and end ---- */
struct bytes listpack_elements(const struct listpack *lp);
/* Puts a listpack together at room, which has LISTPACK_EMPTY_SIZE bytes more than the elements: not
 * an allocation, so nothing may change it unless room is one. */
struct listpack *listpack_assemble(void *room, struct bytes elements, size_t count);

/* ---- checking ---- */
/* True if size bytes from outside are a listpack, every element whole and the count right. fn, if
 * not NULL, sees each element and returns false to refuse. O(size). */
must_use bool listpack_validate(const void *data, size_t size,
                                bool (*fn)(void *ctx, const struct listpack_value *value),
                                void *ctx);
void listpack_verify(const struct listpack *lp); /* for tests */
