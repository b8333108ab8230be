/* SPDX-License-Identifier: BSD-3-Clause */
/* list_internal -- the chain: a ring of blocks. See list.h.
 *
 * 1. Every block has at least one element; count is the sum of theirs.
 * 2. cap is a power of two; block i is at slot (first + i) & (cap - 1).
 * 3. A block's bytes are its listpack's size; 0 for a blob.
 * The chain may be empty between two calls, never a key's value. */
#pragma once

#include "sync/blob.h"
#include "types/list.h"

enum { CHAIN_CAP_MIN = 4 };

struct block {
    uintptr_t word; /* a struct listpack *, or a struct blob * with BLOCK_PLAIN */
    uint32_t count;
    uint32_t bytes;
};
enum { BLOCK_PLAIN = 1 };

struct chain {
    size_t count; /* elements */
    size_t first, size, cap;
    struct block slots[];
};

static inline struct block *list__block(struct chain *chain, size_t index) {
    return &chain->slots[(chain->first + index) & (chain->cap - 1)];
}
static inline const struct block *list__block_const(const struct chain *chain, size_t index) {
    return &chain->slots[(chain->first + index) & (chain->cap - 1)];
}
static inline bool block_is_plain(const struct block *block) { return block->word & BLOCK_PLAIN; }
static inline struct listpack *block_listpack(const struct block *block) {
    return (struct listpack *)block->word;
}
static inline struct blob *block_blob(const struct block *block) {
    return (struct blob *)(block->word - BLOCK_PLAIN);
}

/* Where an element is, or where one is to go: before the element at `at` of the block, or, with
 * LISTPACK_END, behind the block's last one. The only element of a plain block is at
 * LISTPACK_HEADER. */
struct place {
    size_t block;
    size_t at;
};

must_use struct chain *list__chain_create(void);
void list__chain_destroy(struct chain *chain);
must_use struct chain *list__chain_copy(const struct chain *chain);
/* Destroys the chain but for the listpack of its only block; NULL if it has no block. */
must_use struct listpack *list__chain_take_packed(struct chain *chain);
/* The place of the element of this index, which must exist. */
struct place list__chain_seek(const struct chain *chain, size_t index);
struct list_item list__chain_item(const struct chain *chain, struct place place);

/* Each may move the chain. */
void list__chain_add_listpack(struct chain **chain, struct listpack *lp); /* at the tail */
void list__chain_push(struct chain **chain, enum list_end end, struct bytes item, struct blob *blob,
                      const struct list_limits *limits);
void list__chain_drop(struct chain **chain, enum list_end end, size_t count);
void list__chain_insert(struct chain **chain, struct place place, struct bytes item,
                        const struct list_limits *limits);
void list__chain_replace(struct chain **chain, struct place place, struct bytes item,
                         const struct list_limits *limits);
size_t list__chain_remove(struct chain **chain, enum list_end from, size_t count, struct bytes item,
                          const struct list_limits *limits);
/* Removes equal elements of one listpack; shared by both forms. */
size_t list__listpack_remove(struct listpack **lp, enum list_end from, size_t count,
                             struct bytes item);
void list__chain_verify(const struct chain *chain);
