/* SPDX-License-Identifier: BSD-3-Clause */
/* btree_internal -- nodes, and the ways through them: see btree.c for the layout. */
#pragma once

#include <string.h>

#include "base/check.h"
#include "ds/btree.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "addresses are kept by their low bytes");

enum {
    BTREE_LEAF_CAP = 144,
    BTREE_INNER_CAP = 127,
    BTREE_INNER_CAP_FIRST = 7, /* grows to 15, 31, 63, 127: the header fills the power of two */
    BTREE_HEIGHT_MAX = 16,
    BTREE_ADDRESS_SIZE = 6,
    BTREE_MARK_MAX = 255,
};

struct btree_leaf {
    uint64_t base; /* the key whose mark is 0 */
    uint16_t count;
    uint8_t shift; /* a mark is a step of 2^shift of the key */
    uint8_t unused[5];
    uint8_t marks[BTREE_LEAF_CAP]; /* BTREE_MARK_MAX behind the last */
    uint8_t addresses[BTREE_LEAF_CAP * BTREE_ADDRESS_SIZE];
};
static_assert(sizeof(struct btree_leaf) == 1024, "a size class, and whole cache lines");

struct btree_inner { /* followed by four arrays of cap: keys, counts, children, firsts */
    uint32_t count, cap;
    uint64_t arrays[];
};

static inline uint64_t *inner_keys(struct btree_inner *node) { return node->arrays; }
static inline uint64_t *inner_counts(struct btree_inner *node) { return node->arrays + node->cap; }
static inline void **inner_children(struct btree_inner *node) {
    return (void **)(void *)(node->arrays + 2 * (size_t)node->cap);
}
static inline void **inner_firsts(struct btree_inner *node) {
    return (void **)(void *)(node->arrays + 3 * (size_t)node->cap);
}

/* ---- the items of a leaf ---- */
static inline void *leaf_item(const struct btree_leaf *leaf, unsigned index) {
    uint64_t word; /* two bytes of what is before it, and the address */
    memcpy(&word,
           (const char *)leaf + offsetof(struct btree_leaf, addresses) - 2 +
               (size_t)index * BTREE_ADDRESS_SIZE,
           sizeof(word));
    return (void *)(uintptr_t)(word >> 16);
}
static inline void leaf_set_item(struct btree_leaf *leaf, unsigned index, const void *item) {
    uint64_t word = (uintptr_t)item;
    dcheck(word >> 48 == 0);
    memcpy(leaf->addresses + (size_t)index * BTREE_ADDRESS_SIZE, &word, BTREE_ADDRESS_SIZE);
}
static inline uint8_t leaf_mark(const struct btree_leaf *leaf, uint64_t key) {
    if (key <= leaf->base) return 0;
    uint64_t steps = (key - leaf->base) >> leaf->shift;
    return steps < BTREE_MARK_MAX ? (uint8_t)steps : BTREE_MARK_MAX;
}

/* The way from the root to a place in a leaf. */
struct btree_path {
    struct btree_inner *nodes[BTREE_HEIGHT_MAX];
    unsigned indexes[BTREE_HEIGHT_MAX]; /* of the child that was taken */
    struct btree_leaf *leaf;
    unsigned at; /* in the leaf */
};

/* ---- btree_search.c ---- */
/* What is looked for: the first item that is not before it. */
struct btree_target {
    uint64_t key;
    const void *item;       /* among equal keys, those that compare less are before; or NULL: */
    btree_before_fn before; /* ... those that it says; or NULL: */
    void *ctx;
    bool or_equal; /* ... all or none; of item, the item itself */
    bool any_key;  /* before decides for all items */
};
/* path->at is where that item is, or the leaf's count. The tree is not empty. */
void btree__descend(const struct btree *tree, const struct btree_target *target,
                    struct btree_path *path);
/* The way to an item that is in the tree. */
void btree__find(const struct btree *tree, const void *item, struct btree_path *path);
/* The way to a rank, which is below the count. */
void btree__descend_to_rank(const struct btree *tree, size_t rank, struct btree_path *path);

/* ---- btree_shape.c ---- */
/* Fills the leaf with items in order: marks are made anew. */
void btree__leaf_fill(const struct btree *tree, struct btree_leaf *leaf, void *const *items,
                      unsigned count);
struct btree_leaf *btree__leaf_create(struct btree *tree);
/* Makes room near the full leaf of the path, one step of it: then the way is to be found again. */
void btree__make_room(struct btree *tree, struct btree_path *path);
/* The leaf of the path has lost items: takes it out if it is empty, and joins it with its
 * neighbours if they fit. The path is gone. */
void btree__settle(struct btree *tree, struct btree_path *path);
/* The first item of the leaf of the path is another now. */
void btree__first_changed(const struct btree *tree, struct btree_path *path);
