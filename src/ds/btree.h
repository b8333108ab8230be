/* SPDX-License-Identifier: BSD-3-Clause */
/* btree -- items in an order of the caller's, found by order and by rank: a B+tree whose inner
 * nodes count what is below them.
 *
 * The order is that of a 64-bit number which the caller computes from an item, its key, and among
 * equal keys that of a comparison. The tree keeps 7 bytes for an item: 6 of its address, and a
 * mark, which is its key scaled to a byte within the range of the leaf. Marks settle nearly every
 * comparison, so a search touches one leaf and, unless keys are equal or nearly so, about one item.
 * Layout and invariants: btree.c. Why it is so, with figures: README.md.
 *
 * Ownership: items are the caller's, who keeps them at their address, and with the same key and
 * order, from add to remove. No two items may be equal. Threads: one writer, or many readers.
 * Fields are for reading counts only. */
#pragma once

#include "base/attr.h"

struct btree_type {
    uint64_t (*key)(const void *item);
    int (*compare)(const void *a, const void *b); /* of items with equal keys: < 0, 0 or > 0 */
};

struct btree {
    const struct btree_type *type;
    void *root;      /* a leaf if height is 0; NULL if empty */
    size_t count;    /* items */
    unsigned height; /* levels of inner nodes */
    size_t leaf_count;
    size_t inner_bytes;
};

/* Whether an item lies before the place that is looked for. Must be true up to some item and false
 * from there on. */
typedef bool (*btree_before_fn)(void *ctx, const void *item);
typedef void (*btree_visit_fn)(void *ctx, void *item);

void btree_init(struct btree *tree, const struct btree_type *type);
/* Frees the nodes; the items stay the caller's. O(n / 100). */
void btree_deinit(struct btree *tree);

/* ---- reading ---- */
static inline size_t btree_count(const struct btree *tree) { return tree->count; }
/* How many items lie before this one, which must be in the tree. O(log n). */
size_t btree_rank(const struct btree *tree, const void *item);
/* Borrowed; NULL past the end. O(log n). */
void *btree_at(const struct btree *tree, size_t rank);
/* How many items have a smaller key (or_equal: or this one). O(log n). */
size_t btree_seek_key(const struct btree *tree, uint64_t key, bool or_equal);
/* How many items have a smaller key, or this one and lie before. O(log n). */
size_t btree_seek(const struct btree *tree, uint64_t key, btree_before_fn before, void *ctx);
/* How many items lie before, whatever their keys. O(log n), each step of which reads an item. */
size_t btree_seek_any(const struct btree *tree, btree_before_fn before, void *ctx);
/* Puts up to max items from this rank on into out, in order, and returns how many.
 * O(log n + max). */
size_t btree_read(const struct btree *tree, size_t rank, void **out, size_t max);
/* Before an item is found, added or removed by its key, while nothing else changes the tree: what
 * that will wait for. First the leaf that the key belongs to, which is returned (NULL: the tree is
 * empty); with that in the cache, the addresses from the key's place on, which a change moves; with
 * that, the item there. O(log n), O(1), O(1). */
struct btree_leaf;
const struct btree_leaf *btree_prefetch(const struct btree *tree, uint64_t key);
void btree_prefetch_addresses(const struct btree_leaf *leaf, uint64_t key);
void btree_prefetch_item(const struct btree_leaf *leaf, uint64_t key);

/* Walks in either direction; the tree must not change meanwhile. Items are prefetched before they
 * are given. Fields are private. */
enum { BTREE_ITER_WINDOW = 16 };
struct btree_iter {
    const struct btree *tree;
    size_t rank; /* of the first item not read yet; backwards: one more than that */
    bool backwards;
    unsigned used, count; /* of items */
    void *items[BTREE_ITER_WINDOW];
};
/* Begins with the item of this rank. */
void btree_iter_init(struct btree_iter *iter, const struct btree *tree, size_t rank,
                     bool backwards);
void *btree_iter_next(struct btree_iter *iter); /* borrowed; NULL at the end */

/* ---- changing ---- */
/* The item must not be equal to one that is there. O(log n). */
void btree_add(struct btree *tree, void *item);
/* The item must be in the tree. O(log n). */
void btree_remove(struct btree *tree, void *item);
/* Removes up to count items from this rank on and gives each to fn, in order. O(log n + count). */
void btree_remove_range(struct btree *tree, size_t rank, size_t count, btree_visit_fn fn,
                        void *ctx);

/* ---- checking ---- */
size_t btree_memory_bytes(const struct btree *tree); /* without the items; O(1) */
/* Checks every invariant in btree.c. O(n); for tests. */
void btree_verify(const struct btree *tree);
