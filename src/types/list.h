/* SPDX-License-Identifier: BSD-3-Clause */
/* list -- a sequence of byte strings with two ends. No clients, no keys.
 *
 *   packed   pointer to a listpack, tag 0: a small list is one allocation
 *   chain    pointer to a struct chain, tag 1: a ring of blocks in one array, each a listpack
 *            within the limits, or one element too large for that, in a blob
 *
 *   chain ─▶ [count | first size cap | block block block ... ]
 *                                        │     │     └▶ blob: one large element
 *                                        └─────┴▶ listpack
 * Each block's count stands in the array, so that an index is found by adding up numbers that lie
 * side by side: a million short elements are 2200 blocks, or 34 KiB of array.
 *
 * Blocks further than limits.compress_depth from both ends are kept compressed if that makes them
 * smaller; a reader that comes to one unpacks it into bytes of its own.
 *
 * A value is `void *`, what an entry of the keyspace holds. A function that may move it or change
 * its form takes the address of the pointer. An empty list is a value, but never a key's. Elements
 * that a function lends are good until the next change, or until the iterator or the scratch is
 * used again. Bytes that come in must not lie in the list itself. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "ds/listpack.h"

struct blob;

struct list_limits {       /* of a block; one that has a single element may be larger */
    size_t bytes;          /* of the listpack */
    size_t count;          /* elements */
    size_t plain_bytes;    /* elements of as many bytes get a block of their own */
    bool by_count;         /* the option was a number of elements */
    size_t compress_depth; /* blocks at each end that are not compressed; 0: none is */
};
/* block_size: option list-max-listpack-size; plain_bytes: 0: what does not fit into a block;
 * compress_depth is 0. */
struct list_limits list_limits_of(int32_t block_size, size_t plain_bytes);

enum list_end { LIST_HEAD = 0, LIST_TAIL };

struct list_item { /* one element, borrowed */
    struct listpack_value value;
    struct blob *blob; /* what value.data points into, or NULL */
};

/* ---- life; the first four as keyspace/value_type.h wants them ---- */
void list_destroy(void *list);
void *list_copy(const void *list);
size_t list_memory_bytes(const void *list, size_t samples); /* samples: blocks; 0: all */
size_t list_free_effort(const void *list);                  /* blocks */
const char *list_encoding_name(const void *list);           /* "listpack" or "quicklist" */
must_use void *list_create(
    size_t bytes); /* empty, packed; room for one element of so many bytes, or 0 */
/* Brings what an access to the ends will need into the cache: step 0 what the pointer leads to,
 * step 1 what that leads to. */
void list_prefetch(const void *list, enum list_end end, unsigned step);

/* ---- reading ---- */
size_t list_count(const void *list);                                        /* O(1) */
bool list_peek(const void *list, enum list_end end, struct list_item *out); /* O(1) */
/* The element of this index, negative ones from the end. *scratch is NULL or what an earlier call
 * left there, and may be what the element lies in: listpack_destroy frees it. O(blocks + a block).
 */
bool list_at(const void *list, int64_t index, struct list_item *out, struct listpack **scratch);
/* The listpack of a packed list, or NULL: it is a chain. */
const struct listpack *list_packed(const void *list);

struct list_iter {
    const void *list;
    const struct listpack *lp; /* of the block it is in; NULL: a blob, or the end */
    struct blob *blob;
    size_t at;    /* of the next element in lp */
    size_t block; /* its number in a chain */
    enum list_end from;
    bool is_behind;           /* the block is compressed, and the next call unpacks it */
    struct listpack *scratch; /* where it does; owned */
};
/* Begins at the element of this index (0 .. count) and goes away from the end `from`: LIST_HEAD
 * forward, LIST_TAIL backward. The list must not change. O(blocks + a block). */
void list_iter_init(struct list_iter *iter, const void *list, size_t index, enum list_end from);
void list_iter_deinit(struct list_iter *iter);
bool list_iter_next(struct list_iter *iter, struct list_item *out); /* O(1) */

struct list_span { /* elements side by side: all in one listpack, or one in a blob */
    const struct listpack *lp;
    size_t at;
    struct blob *blob;
};
/* Forward only: the rest of the block the iterator is in, which it leaves. For loops of their own
 * over the bytes. */
bool list_iter_next_span(struct list_iter *iter, struct list_span *out);

/* ---- changing ---- */
/* To be called before additions of so many elements of so many bytes: makes a chain of what would
 * outgrow a packed list. O(1). */
void list_expect(void **list, size_t count, size_t bytes, const struct list_limits *limits);
/* O(a block). */
void list_push(void **list, enum list_end end, struct bytes item, const struct list_limits *limits);
/* The same with the bytes of a blob, of which one reference moves in. */
void list_push_blob(void **list, enum list_end end, struct blob *blob,
                    const struct list_limits *limits);
/* Removes up to count elements. O(blocks removed + a block). */
void list_drop(void **list, enum list_end end, size_t count, const struct list_limits *limits);
/* Keeps count elements from first on. *cut: NULL, or most of what was cut off, only for
 * list_destroy, which may take long. O(blocks cut off + a block). */
void list_trim(void **list, size_t first, size_t count, const struct list_limits *limits,
               void **cut);
/* False: there is no such index. */
must_use bool list_set(void **list, int64_t index, struct bytes item,
                       const struct list_limits *limits);
/* Before or after the first element that equals pivot; false: there is none. O(n). */
must_use bool list_insert(void **list, struct bytes pivot, struct bytes item, bool after,
                          const struct list_limits *limits);
/* Removes up to count elements that equal item, those nearest to `from` first; returns how many.
 * O(n). */
size_t list_remove(void **list, enum list_end from, size_t count, struct bytes item,
                   const struct list_limits *limits);

/* ---- as files have it ---- */
size_t list_block_count(const void *list);               /* 1 if packed */
size_t list_block_bytes(const void *list, size_t index); /* not compressed */
size_t list_compressed_count(const void *list);          /* blocks. O(1) */
/* One of lp and blob is set. index < list_block_count. *scratch: as in list_at. */
struct list_span list_block_at(const void *list, size_t index, struct listpack **scratch);
/* A copy in which no block is compressed, to read elements that all stay; NULL: the list is such
 * already. */
must_use void *list_copy_open(const void *list);
/* At the tail; the listpack or the reference moves in. Neither may be empty. */
void list_add_block(void **list, struct listpack *lp);
void list_add_plain_block(void **list, struct blob *blob);
/* After blocks were added: the form the limits ask for. */
void list_settle(void **list, const struct list_limits *limits);

void list_verify(const void *list); /* every invariant; for tests */
