/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks that are far from both ends, kept compressed: option list-compress-depth.
 *
 *   block ──▶ struct packed [size | LZF of the listpack's bytes]
 *
 * A reader unpacks into bytes of its own and leaves the block as it is. A change opens the blocks
 * it touches, and afterwards has them closed again if they are still, or now, far from the ends.
 * Nothing here looks at a whole chain but list__chain_close_all, for lists from files. */
#include "base/check.h"
#include "base/lzf.h"
#include "types/list_internal.h"

struct packed {
    uint32_t size;
    char data[];
};
enum {
    BYTES_MIN = 48, /* of a listpack that is worth a try */
    GAIN_MIN = 8,   /* bytes that compression must save */
};

static struct packed *packed_of(const struct block *block) {
    dcheck(block_is_packed(block));
    return (struct packed *)(block->word - BLOCK_PACKED);
}

static struct listpack *unpack(const struct block *block) {
    const struct packed *packed = packed_of(block);
    char *bytes = mem_alloc(block->bytes);
    check(lzf_decompress(bytes_make(packed->data, packed->size), bytes, block->bytes));
    return (struct listpack *)bytes;
}

/* ---- one block ---- */

const struct listpack *list__block_read(const struct block *block, struct listpack **scratch) {
    if (likely(!block_is_packed(block))) return block_listpack(block);
    listpack_destroy(scratch);
    *scratch = unpack(block);
    return *scratch;
}

void list__block_open(struct chain *chain, size_t index) {
    struct block *block = list__block(chain, index);
    if (likely(!block_is_packed(block))) return;
    struct packed *packed = packed_of(block);
    block->word = (uintptr_t)unpack(block);
    mem_free(packed);
    chain->packed--;
}

/* Compresses the block if it pays, and remembers if it does not. */
static void block_close(struct chain *chain, struct block *block, struct lzf *lzf) {
    if (block->word & (BLOCK_PLAIN | BLOCK_PACKED | BLOCK_TRIED) || block->bytes < BYTES_MIN)
        return;
    struct listpack *lp = block_listpack(block);
    size_t cap = block->bytes - GAIN_MIN;
    struct packed *packed = mem_alloc(sizeof(struct packed) + cap);
    size_t size = lzf_compress(lzf, bytes_make(lp, block->bytes), packed->data, cap);
    if (size == 0) {
        mem_free(packed);
        block->word |= BLOCK_TRIED;
        return;
    }
    packed = mem_realloc(packed, sizeof(struct packed) + size);
    packed->size = (uint32_t)size;
    block->word = (uintptr_t)packed | BLOCK_PACKED;
    chain->packed++;
    listpack_destroy(&lp);
}

void list__block_free_packed(const struct block *block) { mem_free(packed_of(block)); }

uintptr_t list__block_copy_packed(const struct block *block) {
    const struct packed *from = packed_of(block);
    struct packed *copy = mem_alloc(sizeof(struct packed) + from->size);
    memcpy(copy, from, sizeof(struct packed) + from->size);
    return (uintptr_t)copy | BLOCK_PACKED;
}

size_t list__block_packed_bytes(const struct block *block) {
    return mem_usable_size(packed_of(block));
}

/* ---- blocks by their distance from the ends ---- */

/* Opens or closes the blocks from first up to end, as their places ask. */
static void place_blocks(struct chain *chain, size_t first, size_t end, size_t depth,
                         struct lzf *lzf) {
    end = size_min(end, chain->size);
    for (size_t i = first; i < end; i++) {
        size_t distance = size_min(i, chain->size - 1 - i);
        if (depth > 0 && distance >= depth) {
            block_close(chain, list__block(chain, i), lzf);
        } else if (depth > 0 || distance == 0) {
            list__block_open(chain, i);
        }
    }
}

void list__chain_pushed(struct chain *chain, enum list_end end, size_t depth) {
    if (depth >= chain->size) return;
    struct lzf lzf = {0};
    size_t index = end == LIST_HEAD ? depth : chain->size - 1 - depth;
    place_blocks(chain, index, index + 1, depth, &lzf);
    lzf_deinit(&lzf);
}

void list__chain_open_end(struct chain *chain, enum list_end end, size_t depth) {
    size_t count = size_min(size_max(depth, 1), chain->size);
    for (size_t i = 0; i < count && chain->packed > 0; i++)
        list__block_open(chain, end == LIST_HEAD ? i : chain->size - 1 - i);
}

void list__chain_changed(struct chain *chain, size_t index, size_t reach, size_t old_size,
                         size_t depth) {
    if (likely(depth == 0 && chain->packed == 0)) return;
    struct lzf lzf = {0};
    place_blocks(chain, index > 0 ? index - 1 : 0, index + reach, depth, &lzf);
    if (chain->size < old_size) {
        list__chain_open_end(chain, LIST_HEAD, depth);
        list__chain_open_end(chain, LIST_TAIL, depth);
    } else if (depth > 0 && depth < chain->size) { /* as many were pushed away from the ends */
        size_t grown = size_min(chain->size - old_size, chain->size - depth);
        size_t behind = chain->size - depth;
        place_blocks(chain, depth, depth + grown, depth, &lzf);
        place_blocks(chain, behind - grown, behind, depth, &lzf);
    }
    lzf_deinit(&lzf);
}

void list__chain_close_all(struct chain *chain, size_t depth) {
    struct lzf lzf = {0};
    place_blocks(chain, 0, chain->size, depth, &lzf);
    lzf_deinit(&lzf);
}

void list__chain_open_all(struct chain *chain) {
    list__chain_open_end(chain, LIST_HEAD, chain->size);
}
