/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding in a B+tree: by order, by rank, item by item. */
#include "ds/btree_internal.h"

enum { LEAF_HEAD_LINES = 3 }; /* header and marks */

typedef uint8_t byte_vector __attribute__((vector_size(16)));
enum { VECTOR_SIZE = sizeof(byte_vector) };
static_assert(BTREE_LEAF_CAP % VECTOR_SIZE == 0, "marks are read in whole vectors");
static_assert(BTREE_LEAF_CAP < 256, "their number fits a byte");

static unsigned vector_sum(byte_vector counts) {
    uint64_t halves[2];
    memcpy(halves, &counts, sizeof(halves));
    return (unsigned)(((halves[0] + halves[1]) * 0x0101010101010101ull) >> 56);
}

/* *below: how many marks are less; *upto: how many are less or equal. */
static void count_marks(const struct btree_leaf *leaf, uint8_t mark, unsigned *below,
                        unsigned *upto) {
    byte_vector wanted, less = {0}, more = {0};
    memset(&wanted, mark, sizeof(wanted));
    for (unsigned i = 0; i < BTREE_LEAF_CAP; i += VECTOR_SIZE) {
        byte_vector marks;
        memcpy(&marks, leaf->marks + i, sizeof(marks));
        less -= (byte_vector)(marks < wanted);
        more -= (byte_vector)(marks > wanted);
    }
    *below = vector_sum(less);
    unsigned at_most = BTREE_LEAF_CAP - vector_sum(more);
    *upto = at_most < leaf->count ? at_most : leaf->count; /* the unused ones are the highest */
}

/* Among items of the same key. */
static bool is_before(const struct btree *tree, const struct btree_target *target,
                      const void *item) {
    if (target->item) {
        if (item == target->item) return target->or_equal;
        return tree->type->compare(item, target->item) < 0;
    }
    return target->before ? target->before(target->ctx, item) : target->or_equal;
}

static unsigned leaf_search(const struct btree *tree, const struct btree_leaf *leaf,
                            const struct btree_target *target) {
    unsigned low = 0, high = leaf->count;
    if (!target->any_key) count_marks(leaf, leaf_mark(leaf, target->key), &low, &high);
    while (low < high) {
        unsigned middle = (low + high) / 2;
        const void *item = leaf_item(leaf, middle);
        uint64_t key = target->any_key ? 0 : tree->type->key(item);
        bool before = key == target->key ? is_before(tree, target, item) : key < target->key;
        if (before) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* How many of the keys are less: of each eighth one, and then of those behind the last that is. No
 * comparison waits for another, and none is a branch, for what comes out cannot be predicted. */
static unsigned keys_below(const uint64_t *keys, unsigned count, uint64_t key) {
    enum { BLOCK = 8 };
    unsigned blocks = 0, rest = 0;
    for (unsigned i = BLOCK - 1; i < count; i += BLOCK)
        blocks += keys[i] < key;
    unsigned from = blocks * BLOCK, end = count - from < BLOCK ? count : from + BLOCK;
    for (unsigned i = from; i < end; i++)
        rest += keys[i] < key;
    return from + rest;
}

/* The last child whose first item is before the target, or the first child. */
static unsigned inner_search(const struct btree *tree, struct btree_inner *node,
                             const struct btree_target *target) {
    const uint64_t *keys = inner_keys(node);
    void *const *firsts = inner_firsts(node);
    unsigned low = 0, high = node->count;
    if (!target->any_key) {
        low = keys_below(keys, node->count, target->key);
        high = low;
        if (high < node->count && keys[high] == target->key) {
            high = target->key == UINT64_MAX ? node->count
                                             : keys_below(keys, node->count, target->key + 1);
        }
    }
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (is_before(tree, target, firsts[middle])) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low ? low - 1 : 0;
}

static uint64_t sum(const uint64_t *counts, unsigned count) {
    uint64_t sums[4] = {0}; /* apart, so that additions do not wait for each other */
    unsigned i = 0;
    for (; i + 4 <= count; i += 4) {
        for (unsigned k = 0; k < 4; k++)
            sums[k] += counts[i + k];
    }
    for (; i < count; i++)
        sums[0] += counts[i];
    return sums[0] + sums[1] + sums[2] + sums[3];
}

static void prefetch_head(const void *leaf) {
    for (size_t i = 0; i < LEAF_HEAD_LINES; i++)
        prefetch_line((const char *)leaf + i * CACHE_LINE);
}

/* The way to the leaf that the target belongs to. */
static void descend_to_leaf(const struct btree *tree, const struct btree_target *target,
                            struct btree_path *path) {
    void *node = tree->root;
    for (unsigned depth = 0; depth < tree->height; depth++) {
        struct btree_inner *inner = node;
        unsigned index = inner_search(tree, inner, target);
        node = inner_children(inner)[index];
        path->nodes[depth] = inner;
        path->indexes[depth] = index;
    }
    prefetch_head(node);
    path->leaf = node;
}

/* How many items are before the path's leaf: to be asked while that is on its way. */
static size_t rank_of_leaf(const struct btree *tree, const struct btree_path *path) {
    uint64_t rank = 0;
    for (unsigned depth = 0; depth < tree->height; depth++)
        rank += sum(inner_counts(path->nodes[depth]), path->indexes[depth]);
    return (size_t)rank;
}

void btree__descend(const struct btree *tree, const struct btree_target *target,
                    struct btree_path *path) {
    descend_to_leaf(tree, target, path);
    path->at = leaf_search(tree, path->leaf, target);
}

/* The index of an item that is in the leaf. By its address: no other item is read. */
static unsigned leaf_index(const struct btree_leaf *leaf, uint64_t key, const void *item) {
    unsigned at, end;
    count_marks(leaf, leaf_mark(leaf, key), &at, &end);
    check(at < end);
    while (at + 1 < end && leaf_item(leaf, at) != item)
        at++;
    dcheck(leaf_item(leaf, at) == item);
    return at;
}

static struct btree_target target_of(const struct btree *tree, const void *item) {
    check(tree->root != NULL);
    return (struct btree_target){.key = tree->type->key(item), .item = item, .or_equal = true};
}

void btree__find(const struct btree *tree, const void *item, struct btree_path *path) {
    const struct btree_target target = target_of(tree, item);
    descend_to_leaf(tree, &target, path);
    path->at = leaf_index(path->leaf, target.key, item);
}

void btree__descend_to_rank(const struct btree *tree, size_t rank, struct btree_path *path) {
    dcheck(rank < tree->count);
    void *node = tree->root;
    uint64_t left = rank;
    for (unsigned depth = 0; depth < tree->height; depth++) {
        struct btree_inner *inner = node;
        const uint64_t *counts = inner_counts(inner);
        unsigned index = 0;
        while (left >= counts[index])
            left -= counts[index++];
        path->nodes[depth] = inner;
        path->indexes[depth] = index;
        node = inner_children(inner)[index];
    }
    path->leaf = node;
    path->at = (unsigned)left;
}

size_t btree_rank(const struct btree *tree, const void *item) {
    const struct btree_target target = target_of(tree, item);
    struct btree_path path;
    descend_to_leaf(tree, &target, &path);
    size_t rank = rank_of_leaf(tree, &path);
    return rank + leaf_index(path.leaf, target.key, item);
}

void *btree_at(const struct btree *tree, size_t rank) {
    if (rank >= tree->count) return NULL;
    struct btree_path path;
    btree__descend_to_rank(tree, rank, &path);
    return leaf_item(path.leaf, path.at);
}

static size_t seek(const struct btree *tree, const struct btree_target *target) {
    if (!tree->root) return 0;
    struct btree_path path;
    descend_to_leaf(tree, target, &path);
    size_t rank = rank_of_leaf(tree, &path);
    return rank + leaf_search(tree, path.leaf, target);
}

size_t btree_seek_key(const struct btree *tree, uint64_t key, bool or_equal) {
    return seek(tree, &(struct btree_target){.key = key, .or_equal = or_equal});
}

size_t btree_seek(const struct btree *tree, uint64_t key, btree_before_fn before, void *ctx) {
    return seek(tree, &(struct btree_target){.key = key, .before = before, .ctx = ctx});
}

size_t btree_seek_any(const struct btree *tree, btree_before_fn before, void *ctx) {
    return seek(tree, &(struct btree_target){.before = before, .ctx = ctx, .any_key = true});
}

size_t btree_read(const struct btree *tree, size_t rank, void **out, size_t max) {
    size_t read = 0;
    struct btree_path path;
    while (read < max && rank + read < tree->count) {
        btree__descend_to_rank(tree, rank + read, &path);
        while (read < max && path.at < path.leaf->count)
            out[read++] = leaf_item(path.leaf, path.at++);
    }
    return read;
}

const struct btree_leaf *btree_prefetch(const struct btree *tree, uint64_t key) {
    const struct btree_target target = {.key = key};
    void *node = tree->root;
    for (unsigned depth = 0; depth < tree->height; depth++)
        node = inner_children(node)[inner_search(tree, node, &target)];
    if (node) prefetch_head(node);
    return node;
}

/* The items that may be at the key's place are from *at up to the one returned. */
static unsigned place_in(const struct btree_leaf *leaf, uint64_t key, unsigned *at) {
    unsigned end;
    count_marks(leaf, leaf_mark(leaf, key), at, &end);
    return end;
}

void btree_prefetch_addresses(const struct btree_leaf *leaf, uint64_t key) {
    unsigned at;
    (void)place_in(leaf, key, &at);
    const uint8_t *end = leaf->addresses + (size_t)leaf->count * BTREE_ADDRESS_SIZE;
    for (const uint8_t *p = leaf->addresses + (size_t)at * BTREE_ADDRESS_SIZE; p < end;
         p += CACHE_LINE)
        prefetch_line(p);
}

void btree_prefetch_item(const struct btree_leaf *leaf, uint64_t key) {
    unsigned at, end = place_in(leaf, key, &at);
    if (at < end) prefetch_line(leaf_item(leaf, (at + end) / 2)); /* a search reads it first */
}

/* ---- walking ---- */

void btree_iter_init(struct btree_iter *iter, const struct btree *tree, size_t rank,
                     bool backwards) {
    iter->tree = tree;
    iter->backwards = backwards;
    iter->rank = backwards && rank < tree->count ? rank + 1 : rank;
    iter->used = iter->count = 0;
    if (backwards && rank >= tree->count) iter->rank = 0; /* nothing is there */
}

static bool iter_load(struct btree_iter *iter) {
    size_t want = BTREE_ITER_WINDOW, from = iter->rank;
    if (iter->backwards) {
        want = size_min(want, iter->rank);
        from = iter->rank - want;
    }
    iter->count = (unsigned)btree_read(iter->tree, from, iter->items, want);
    iter->used = 0;
    iter->rank = iter->backwards ? from : from + iter->count;
    for (unsigned i = 0; i < iter->count; i++)
        prefetch_line(iter->items[i]);
    return iter->count > 0;
}

void *btree_iter_next(struct btree_iter *iter) {
    if (iter->used == iter->count && !iter_load(iter)) return NULL;
    unsigned index = iter->used++;
    return iter->items[iter->backwards ? iter->count - 1 - index : index];
}
