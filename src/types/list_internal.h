/* SPDX-License-Identifier: BSD-3-Clause */
/* list_internal -- the chain: a ring of blocks. See list.h.
 *
 * 1. Every block has at least one element; count is the sum of theirs.
 * 2. cap is a power of two; block i is at slot (first + i) & (cap - 1).
 * 3. A block's bytes are its listpack's size, also while it is compressed; 0 for a blob.
 * 4. packed is the number of compressed blocks. The first and the last block never are.
 * The chain may be empty between two calls, never a key's value. */
#pragma once

#include "base/check.h"
#include "sync/blob.h"
#include "types/list.h"

enum { CHAIN_CAP_MIN = 4 };

struct block {
    uintptr_t word; /* a struct listpack *, or what the bits say */
    uint32_t count;
    uint32_t bytes;
};
enum {
    BLOCK_PLAIN = BIT(0),  /* a struct blob * */
    BLOCK_PACKED = BIT(1), /* a struct packed *: compressed, see list_compress.c */
    BLOCK_TRIED = BIT(2),  /* a struct listpack *, which compression does not make smaller */
};

struct chain {
    size_t count; /* elements */
    size_t first, size, cap;
    size_t packed;
    struct block slots[];
};

static inline struct block *list__block(struct chain *chain, size_t index) {
    return &chain->slots[(chain->first + index) & (chain->cap - 1)];
}
static inline const struct block *list__block_const(const struct chain *chain, size_t index) {
    return &chain->slots[(chain->first + index) & (chain->cap - 1)];
}
static inline bool block_is_plain(const struct block *block) { return block->word & BLOCK_PLAIN; }
static inline bool block_is_packed(const struct block *block) { return block->word & BLOCK_PACKED; }
/* Of a block that is neither plain nor compressed. */
static inline struct listpack *block_listpack(const struct block *block) {
    dcheck(!(block->word & (BLOCK_PLAIN | BLOCK_PACKED)));
    return (struct listpack *)(block->word & ~(uintptr_t)BLOCK_TRIED);
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
/* The block of the element of this index, which must exist; *within becomes its index there. */
size_t list__chain_seek(const struct chain *chain, size_t index, size_t *within);

/* Each may move the chain. */
void list__chain_add_listpack(struct chain **chain, struct listpack *lp); /* at the tail */
void list__chain_push(struct chain **chain, enum list_end end, struct bytes item, struct blob *blob,
                      const struct list_limits *limits);
/* cut: NULL, or gets the blocks that go as a whole, in any order, to be destroyed. */
void list__chain_drop(struct chain **chain, enum list_end end, size_t count,
                      const struct list_limits *limits, struct chain **cut);
void list__chain_insert(struct chain **chain, struct place place, struct bytes item,
                        const struct list_limits *limits);
void list__chain_replace(struct chain **chain, size_t index, struct bytes item,
                         const struct list_limits *limits);
size_t list__chain_remove(struct chain **chain, enum list_end from, size_t count, struct bytes item,
                          const struct list_limits *limits);
/* Removes equal elements of one listpack; shared by both forms. */
size_t list__listpack_remove(struct listpack **lp, enum list_end from, size_t count,
                             struct bytes item);
void list__chain_verify(const struct chain *chain);

/* ---- compressed blocks: list_compress.c ---- */
/* The bytes of a block that is not plain. Those of a compressed one are unpacked into *scratch, in
 * place of what was there. */
const struct listpack *list__block_read(const struct block *block, struct listpack **scratch);
/* To be called before a block is changed. Also for blocks that are not compressed. */
void list__block_open(struct chain *chain, size_t index);
void list__block_free_packed(const struct block *block);
must_use uintptr_t list__block_copy_packed(const struct block *block); /* the word of the copy */
size_t list__block_packed_bytes(const struct block *block);
/* A block was added at this end: the one that is now deep enough is compressed. depth > 0. */
void list__chain_pushed(struct chain *chain, enum list_end end, size_t depth);
/* Opens the blocks near this end, one at least. */
void list__chain_open_end(struct chain *chain, enum list_end end, size_t depth);
/* Blocks from index - 1 up to index + reach were opened or changed, and there were old_size. */
void list__chain_changed(struct chain *chain, size_t index, size_t reach, size_t old_size,
                         size_t depth);
void list__chain_close_all(struct chain *chain, size_t depth); /* O(elements) */
void list__chain_open_all(struct chain *chain);
