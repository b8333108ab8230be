/* SPDX-License-Identifier: BSD-3-Clause */
/* The shape of a B+tree: nodes that are full are spread over more, those that are sparse over
 * fewer. One step for all of it: the contents of neighbours are taken together and dealt out anew.
 * That leaves what the parent's other children and their order mean as it was. */
#include "base/mem.h"
#include "ds/btree_internal.h"

enum {
    SPREAD_MAX = 4,   /* neighbours after one step */
    GATHER_MAX = 3,   /* before it */
    ROOM_EIGHTHS = 7, /* joined nodes are as full as this at most, so that there is room */
    MOVE_SHARE = 8,   /* a neighbour takes items if this share of it is free: fewer do not pay */
};

struct spread { /* neighbouring children of a node, dealt out over another number of them */
    struct btree_inner *parent;
    unsigned first;    /* index of the first of them */
    unsigned from, to; /* how many there are, and are to be */
    bool leaves;
    unsigned sizes[SPREAD_MAX]; /* of each afterwards */
};

/* ---- nodes ---- */

struct btree_leaf *btree__leaf_create(struct btree *tree) {
    tree->leaf_count++;
    return mem_alloc(sizeof(struct btree_leaf));
}

static void leaf_free(struct btree *tree, struct btree_leaf *leaf) {
    tree->leaf_count--;
    mem_free_sized(leaf, sizeof(*leaf));
}

static size_t inner_size(uint32_t cap) {
    return sizeof(struct btree_inner) + 4 * sizeof(uint64_t) * (size_t)cap;
}

static struct btree_inner *inner_create(struct btree *tree, uint32_t cap) {
    struct btree_inner *node = mem_alloc(inner_size(cap));
    node->count = 0;
    node->cap = cap;
    tree->inner_bytes += mem_usable_size(node);
    return node;
}

static void inner_free(struct btree *tree, struct btree_inner *node) {
    tree->inner_bytes -= mem_usable_size(node);
    mem_free_sized(node, inner_size(node->cap));
}

/* A copy with twice the room takes the node's place. */
static struct btree_inner *inner_grow(struct btree *tree, struct btree_inner *node) {
    struct btree_inner *large = inner_create(tree, 2 * node->cap + 1);
    check(large->cap <= BTREE_INNER_CAP);
    size_t size = node->count * sizeof(uint64_t);
    memcpy(inner_keys(large), inner_keys(node), size);
    memcpy(inner_counts(large), inner_counts(node), size);
    memcpy(inner_children(large), inner_children(node), node->count * sizeof(void *));
    memcpy(inner_firsts(large), inner_firsts(node), node->count * sizeof(void *));
    large->count = node->count;
    inner_free(tree, node);
    return large;
}

/* Moves the children from `from` on to `to`; what lies between is to be filled, or gone. */
static void inner_shift(struct btree_inner *node, unsigned from, unsigned to) {
    size_t size = (node->count - from) * sizeof(uint64_t);
    size_t pointers = (node->count - from) * sizeof(void *);
    memmove(inner_keys(node) + to, inner_keys(node) + from, size);
    memmove(inner_counts(node) + to, inner_counts(node) + from, size);
    memmove(inner_children(node) + to, inner_children(node) + from, pointers);
    memmove(inner_firsts(node) + to, inner_firsts(node) + from, pointers);
    node->count = node->count + to - from;
    dcheck(node->count <= node->cap);
}

static unsigned node_count(const void *node, bool is_leaf) {
    return is_leaf ? ((const struct btree_leaf *)node)->count
                   : ((const struct btree_inner *)node)->count;
}

void btree__leaf_fill(const struct btree *tree, struct btree_leaf *leaf, void *const *items,
                      unsigned count) {
    uint64_t keys[BTREE_LEAF_CAP];
    dcheck(count >= 1 && count <= BTREE_LEAF_CAP);
    for (unsigned i = 0; i < count; i++)
        keys[i] = tree->type->key(items[i]);
    uint64_t range = keys[count - 1] - keys[0];
    unsigned bits = 64 - (unsigned)__builtin_clzll(range | 1);
    leaf->base = keys[0];
    leaf->shift = (uint8_t)(bits > 8 ? bits - 8 : 0);
    leaf->count = (uint16_t)count;
    memset(leaf->unused, 0, sizeof(leaf->unused));
    for (unsigned i = 0; i < count; i++) {
        leaf->marks[i] = leaf_mark(leaf, keys[i]);
        leaf_set_item(leaf, i, items[i]);
    }
    memset(leaf->marks + count, BTREE_MARK_MAX, BTREE_LEAF_CAP - count);
}

/* ---- spreading ---- */

static void spread_leaves(struct btree *tree, const struct spread *spread) {
    void *items[GATHER_MAX * BTREE_LEAF_CAP];
    struct btree_inner *parent = spread->parent;
    void **children = inner_children(parent) + spread->first;
    unsigned total = 0;
    for (unsigned i = 0; i < spread->from; i++) {
        struct btree_leaf *leaf = children[i];
        for (unsigned k = 0; k < leaf->count; k++) {
            items[total] = leaf_item(leaf, k);
            prefetch_line(items[total++]); /* its key is read below */
        }
    }
    for (unsigned i = spread->to; i < spread->from; i++)
        leaf_free(tree, children[i]);
    inner_shift(parent, spread->first + spread->from, spread->first + spread->to);
    for (unsigned i = spread->from; i < spread->to; i++)
        children[i] = btree__leaf_create(tree);

    unsigned at = 0;
    for (unsigned i = 0; i < spread->to; i++) {
        struct btree_leaf *leaf = children[i];
        btree__leaf_fill(tree, leaf, items + at, spread->sizes[i]);
        inner_firsts(parent)[spread->first + i] = items[at];
        inner_keys(parent)[spread->first + i] = leaf->base;
        inner_counts(parent)[spread->first + i] = spread->sizes[i];
        at += spread->sizes[i];
    }
    check(at == total);
}

struct gathered { /* what inner nodes know of their children */
    uint64_t keys[GATHER_MAX * BTREE_INNER_CAP], counts[GATHER_MAX * BTREE_INNER_CAP];
    void *children[GATHER_MAX * BTREE_INNER_CAP], *firsts[GATHER_MAX * BTREE_INNER_CAP];
};

static uint64_t inner_deal(struct btree_inner *node, const struct gathered *all, unsigned at,
                           unsigned count) {
    memcpy(inner_keys(node), all->keys + at, count * sizeof(uint64_t));
    memcpy(inner_counts(node), all->counts + at, count * sizeof(uint64_t));
    memcpy(inner_children(node), all->children + at, count * sizeof(void *));
    memcpy(inner_firsts(node), all->firsts + at, count * sizeof(void *));
    node->count = count;
    uint64_t items = 0;
    for (unsigned i = 0; i < count; i++)
        items += all->counts[at + i];
    return items;
}

static void spread_inners(struct btree *tree, const struct spread *spread) {
    struct gathered all;
    struct btree_inner *parent = spread->parent;
    void **children = inner_children(parent) + spread->first;
    unsigned total = 0;
    for (unsigned i = 0; i < spread->from; i++) {
        struct btree_inner *node = children[i];
        memcpy(all.keys + total, inner_keys(node), node->count * sizeof(uint64_t));
        memcpy(all.counts + total, inner_counts(node), node->count * sizeof(uint64_t));
        memcpy(all.children + total, inner_children(node), node->count * sizeof(void *));
        memcpy(all.firsts + total, inner_firsts(node), node->count * sizeof(void *));
        total += node->count;
        inner_free(tree, node);
    }
    inner_shift(parent, spread->first + spread->from, spread->first + spread->to);

    unsigned at = 0;
    for (unsigned i = 0; i < spread->to; i++) {
        unsigned index = spread->first + i;
        struct btree_inner *node = inner_create(tree, BTREE_INNER_CAP);
        inner_counts(parent)[index] = inner_deal(node, &all, at, spread->sizes[i]);
        inner_keys(parent)[index] = all.keys[at];
        inner_firsts(parent)[index] = all.firsts[at];
        children[i] = node;
        at += spread->sizes[i];
    }
    check(at == total);
}

static void spread_apply(struct btree *tree, const struct spread *spread) {
    if (spread->leaves) {
        spread_leaves(tree, spread);
    } else {
        spread_inners(tree, spread);
    }
}

static void spread_evenly(struct btree *tree, struct spread *spread) {
    unsigned total = 0;
    for (unsigned i = 0; i < spread->from; i++) {
        total += node_count(inner_children(spread->parent)[spread->first + i], spread->leaves);
    }
    for (unsigned i = 0; i < spread->to; i++)
        spread->sizes[i] = total * (i + 1) / spread->to - total * i / spread->to;
    spread_apply(tree, spread);
}

/* ---- more room ---- */

static void set_node(struct btree *tree, struct btree_path *path, unsigned depth, void *node) {
    if (depth == 0) {
        tree->root = node;
    } else {
        inner_children(path->nodes[depth - 1])[path->indexes[depth - 1]] = node;
    }
}

static void raise_root(struct btree *tree, const void *first) {
    struct btree_inner *root = inner_create(tree, BTREE_INNER_CAP_FIRST);
    check(tree->height + 1 < BTREE_HEIGHT_MAX);
    root->count = 1;
    inner_children(root)[0] = tree->root;
    inner_counts(root)[0] = tree->count;
    inner_firsts(root)[0] = (void *)(uintptr_t)first;
    inner_keys(root)[0] = tree->type->key(first);
    tree->root = root;
    tree->height++;
}

/* Gives to a neighbour of the child at depth that has enough room; false if none has. */
static bool move_to_neighbour(struct btree *tree, struct btree_path *path, unsigned depth) {
    struct btree_inner *parent = path->nodes[depth - 1];
    unsigned index = path->indexes[depth - 1];
    bool leaves = depth == tree->height;
    unsigned cap = leaves ? BTREE_LEAF_CAP : BTREE_INNER_CAP;
    unsigned left = 0, right = 0; /* free places */
    void **children = inner_children(parent);
    if (index > 0) left = cap - node_count(children[index - 1], leaves);
    if (index + 1 < parent->count) right = cap - node_count(children[index + 1], leaves);
    if (left < cap / MOVE_SHARE && right < cap / MOVE_SHARE) return false;
    struct spread spread = {
        .parent = parent,
        .first = left > right ? index - 1 : index,
        .from = 2,
        .to = 2,
        .leaves = leaves,
    };
    spread_evenly(tree, &spread);
    return true;
}

/* Whether the place is the first, or the last, of the tree. */
static bool is_at_start(const struct btree *tree, const struct btree_path *path) {
    for (unsigned depth = 0; depth < tree->height; depth++) {
        if (path->indexes[depth] != 0) return false;
    }
    return path->at == 0;
}
static bool is_at_end(const struct btree *tree, const struct btree_path *path) {
    for (unsigned depth = 0; depth < tree->height; depth++) {
        if (path->indexes[depth] + 1 != path->nodes[depth]->count) return false;
    }
    return path->at == path->leaf->count;
}

/* The full child at depth and its neighbours become one more. The parent has room. */
static void split(struct btree *tree, struct btree_path *path, unsigned depth) {
    struct btree_inner *parent = path->nodes[depth - 1];
    unsigned index = path->indexes[depth - 1];
    bool leaves = depth == tree->height;
    struct spread spread = {.parent = parent, .first = index, .from = 1, .to = 2, .leaves = leaves};
    unsigned count = node_count(inner_children(parent)[index], leaves);
    if (is_at_end(tree, path)) {
        spread.sizes[0] = count - 1;
        spread.sizes[1] = 1;
        spread_apply(tree, &spread);
    } else if (is_at_start(tree, path)) {
        spread.sizes[0] = 1;
        spread.sizes[1] = count - 1;
        spread_apply(tree, &spread);
    } else {
        unsigned end = index + 2 < parent->count ? index + 2 : parent->count;
        spread.first = index ? index - 1 : 0;
        spread.from = end - spread.first;
        spread.to = spread.from + 1;
        spread_evenly(tree, &spread);
    }
}

void btree__make_room(struct btree *tree, struct btree_path *path) {
    unsigned depth = tree->height; /* of the node that is full */
    for (;;) {
        if (depth == 0) {
            raise_root(tree, depth == tree->height ? leaf_item(path->leaf, 0)
                                                   : inner_firsts(path->nodes[0])[0]);
            return;
        }
        if (move_to_neighbour(tree, path, depth)) return;
        struct btree_inner *parent = path->nodes[depth - 1];
        if (parent->count < parent->cap) break;
        if (parent->cap < BTREE_INNER_CAP) {
            path->nodes[depth - 1] = inner_grow(tree, parent);
            set_node(tree, path, depth - 1, path->nodes[depth - 1]);
            break;
        }
        depth--;
    }
    split(tree, path, depth);
}

/* ---- less ---- */

void btree__first_changed(const struct btree *tree, struct btree_path *path) {
    void *first = leaf_item(path->leaf, 0);
    uint64_t key = tree->type->key(first);
    for (unsigned depth = tree->height; depth > 0; depth--) {
        unsigned index = path->indexes[depth - 1];
        inner_firsts(path->nodes[depth - 1])[index] = first;
        inner_keys(path->nodes[depth - 1])[index] = key;
        if (index != 0) break;
    }
}

/* Takes the empty child at depth out of its parent. */
static void drop_child(struct btree *tree, struct btree_path *path, unsigned depth) {
    struct btree_inner *parent = path->nodes[depth - 1];
    unsigned index = path->indexes[depth - 1];
    void *child = inner_children(parent)[index];
    if (depth == tree->height) {
        leaf_free(tree, child);
    } else {
        inner_free(tree, child);
    }
    inner_shift(parent, index + 1, index);
    if (index != 0 || parent->count == 0) return;
    /* The parent's first item is another now; above it too, while it is a first child. */
    for (unsigned up = depth - 1; up > 0; up--) {
        unsigned at = path->indexes[up - 1];
        inner_firsts(path->nodes[up - 1])[at] = inner_firsts(parent)[0];
        inner_keys(path->nodes[up - 1])[at] = inner_keys(parent)[0];
        if (at != 0) break;
    }
}

/* Joins the sparse child at depth with one neighbour, or with both into two, if they fit. */
static void join(struct btree *tree, struct btree_path *path, unsigned depth) {
    struct btree_inner *parent = path->nodes[depth - 1];
    unsigned index = path->indexes[depth - 1];
    bool leaves = depth == tree->height;
    unsigned room = (leaves ? BTREE_LEAF_CAP : BTREE_INNER_CAP) * ROOM_EIGHTHS / 8;
    void **children = inner_children(parent);
    bool has_left = index > 0, has_right = index + 1 < parent->count;
    unsigned own = node_count(children[index], leaves);
    unsigned left = has_left ? node_count(children[index - 1], leaves) : 0;
    unsigned right = has_right ? node_count(children[index + 1], leaves) : 0;
    struct spread spread = {.parent = parent, .leaves = leaves};
    if (has_left && own + left <= room) {
        spread.first = index - 1;
        spread.from = 2;
    } else if (has_right && own + right <= room) {
        spread.first = index;
        spread.from = 2;
    } else if (has_left && has_right && own + left + right <= 2 * room) {
        spread.first = index - 1;
        spread.from = 3;
    } else {
        return;
    }
    spread.to = spread.from - 1;
    spread_evenly(tree, &spread);
}

void btree__settle(struct btree *tree, struct btree_path *path) {
    for (unsigned depth = tree->height; depth > 0; depth--) {
        bool leaves = depth == tree->height;
        void *node = leaves ? (void *)path->leaf : path->nodes[depth];
        unsigned count = node_count(node, leaves);
        if (count >= (leaves ? BTREE_LEAF_CAP : BTREE_INNER_CAP) / 2) break;
        if (count == 0) {
            drop_child(tree, path, depth);
        } else {
            join(tree, path, depth);
        }
    }
    while (tree->height > 0 && ((struct btree_inner *)tree->root)->count <= 1) {
        struct btree_inner *root = tree->root;
        tree->root = root->count ? inner_children(root)[0] : NULL;
        tree->height = root->count ? tree->height - 1 : 0;
        inner_free(tree, root);
    }
    if (tree->height == 0 && tree->root && ((struct btree_leaf *)tree->root)->count == 0) {
        leaf_free(tree, tree->root);
        tree->root = NULL;
    }
}
