/* SPDX-License-Identifier: BSD-3-Clause */
/* btree -- see btree.h for what it does; here is the layout, and adding and removing. How nodes are
 * split and joined is btree_shape.c, how things are found btree_search.c.
 *
 *   leaf, 1024 bytes                        inner node, 2^k bytes: four arrays
 *   offset size                             what a child has, by its index
 *   0      8    base                        keys      the key of its first item
 *   8      2    count                       counts    items below it
 *   10     1    shift                       children  a leaf or an inner node
 *   16     144  marks                       firsts    its first item
 *   160    864  addresses of items, 6 bytes each
 *
 * The mark of a key is (key - base) >> shift, held within 0 and 255: it grows with the key whatever
 * base and shift are, so marks are in order too, and only items whose mark is that of what is
 * looked for need to be read. Base and shift are chosen anew whenever items move between leaves, so
 * that the leaf's range is spread over all marks, and when additions beyond that range have piled
 * up at one end of it.
 *
 * A full leaf gives items to a neighbour that has room; without one, three full leaves become four.
 * So leaves are about 85 % full after random additions. A leaf at the very end (or start) splits
 * off only its last (first) item: additions in order fill leaves completely. Leaves below half are
 * joined with their neighbours when they fit into one fewer with some room left.
 *
 * Invariants (btree_verify):
 * 1. All leaves are at the depth `height`, none is empty, and the root is no inner node with one
 *    child only.
 * 2. Items are in strict order. Marks are those of their items' keys; unused ones are 255.
 * 3. An inner node's keys, counts and firsts are exactly those of what is below its children.
 * 4. count, leaf_count and inner_bytes are exact. */
#include "ds/btree.h"

#include "base/mem.h"
#include "base/pace.h"
#include "ds/btree_internal.h"

enum { CLAMPED_MAX = 16 }; /* items that may share an end's mark although the range could grow */

/* ---- life ---- */

void btree_init(struct btree *tree, const struct btree_type *type) {
    *tree = (struct btree){.type = type};
}

static void destroy_node(void *node, unsigned height) { /* the depth is bounded by the height */
    if (height) {
        struct btree_inner *inner = node;
        void **children = inner_children(inner);
        for (unsigned i = 0; i < inner->count; i++)
            destroy_node(children[i], height - 1);
        pace_step();
    }
    mem_free(node);
}

void btree_deinit(struct btree *tree) {
    if (tree->root) destroy_node(tree->root, tree->height);
    btree_init(tree, tree->type);
}

/* ---- adding ---- */

/* Whether a new key is beyond what the marks tell apart, and too many items have its mark. */
static bool wants_new_marks(const struct btree_leaf *leaf, unsigned at, uint64_t key) {
    uint8_t mark = leaf_mark(leaf, key);
    if (mark == 0) {
        return key < leaf->base && at + CLAMPED_MAX < leaf->count &&
               leaf->marks[at + CLAMPED_MAX] == 0;
    }
    if (mark != BTREE_MARK_MAX || at < CLAMPED_MAX) return false;
    bool is_beyond = (key - leaf->base) >> leaf->shift > BTREE_MARK_MAX;
    return is_beyond && leaf->marks[at - CLAMPED_MAX] == BTREE_MARK_MAX;
}

static void leaf_insert(struct btree_leaf *leaf, unsigned at, uint64_t key, const void *item) {
    unsigned behind = leaf->count - at;
    memmove(leaf->marks + at + 1, leaf->marks + at, behind);
    leaf->marks[at] = leaf_mark(leaf, key);
    uint8_t *place = leaf->addresses + (size_t)at * BTREE_ADDRESS_SIZE;
    memmove(place + BTREE_ADDRESS_SIZE, place, (size_t)behind * BTREE_ADDRESS_SIZE);
    leaf_set_item(leaf, at, item);
    leaf->count++;
}

static void leaf_renew_marks(const struct btree *tree, struct btree_leaf *leaf) {
    void *items[BTREE_LEAF_CAP];
    for (unsigned i = 0; i < leaf->count; i++)
        items[i] = leaf_item(leaf, i);
    btree__leaf_fill(tree, leaf, items, leaf->count);
}

void btree_add(struct btree *tree, void *item) {
    const struct btree_target target = {.key = tree->type->key(item), .item = item};
    struct btree_path path;
    check((uint64_t)(uintptr_t)item >> 48 == 0);
    if (unlikely(!tree->root)) {
        struct btree_leaf *leaf = btree__leaf_create(tree);
        btree__leaf_fill(tree, leaf, &item, 1);
        tree->root = leaf;
        tree->count = 1;
        return;
    }
    for (;;) { /* each turn makes a node smaller or the tree higher: a few at most */
        btree__descend(tree, &target, &path);
        if (likely(path.leaf->count < BTREE_LEAF_CAP)) break;
        btree__make_room(tree, &path);
    }
    struct btree_leaf *leaf = path.leaf;
    bool renews = unlikely(wants_new_marks(leaf, path.at, target.key));
    leaf_insert(leaf, path.at, target.key, item);
    if (renews) leaf_renew_marks(tree, leaf);
    for (unsigned depth = 0; depth < tree->height; depth++)
        inner_counts(path.nodes[depth])[path.indexes[depth]]++;
    if (unlikely(path.at == 0)) btree__first_changed(tree, &path);
    tree->count++;
}

/* ---- removing ---- */

static void leaf_erase(struct btree_leaf *leaf, unsigned at, unsigned count) {
    unsigned behind = leaf->count - at - count;
    memmove(leaf->marks + at, leaf->marks + at + count, behind);
    memset(leaf->marks + leaf->count - count, BTREE_MARK_MAX, count);
    uint8_t *place = leaf->addresses + (size_t)at * BTREE_ADDRESS_SIZE;
    memmove(place, place + (size_t)count * BTREE_ADDRESS_SIZE, (size_t)behind * BTREE_ADDRESS_SIZE);
    leaf->count = (uint16_t)(leaf->count - count);
}

/* Removes count items from the path's place on, all in its leaf. */
static void erase(struct btree *tree, struct btree_path *path, unsigned count) {
    leaf_erase(path->leaf, path->at, count);
    tree->count -= count;
    for (unsigned depth = 0; depth < tree->height; depth++)
        inner_counts(path->nodes[depth])[path->indexes[depth]] -= count;
    if (path->at == 0 && path->leaf->count) btree__first_changed(tree, path);
    if (path->leaf->count < BTREE_LEAF_CAP / 2) btree__settle(tree, path);
}

void btree_remove(struct btree *tree, void *item) {
    struct btree_path path;
    btree__find(tree, item, &path);
    check(leaf_item(path.leaf, path.at) == item);
    erase(tree, &path, 1);
}

void btree_remove_range(struct btree *tree, size_t rank, size_t count, btree_visit_fn fn,
                        void *ctx) {
    void *items[BTREE_LEAF_CAP];
    while (count && rank < tree->count) {
        struct btree_path path;
        btree__descend_to_rank(tree, rank, &path);
        unsigned run = (unsigned)size_min(count, path.leaf->count - path.at);
        for (unsigned i = 0; i < run; i++) {
            items[i] = leaf_item(path.leaf, path.at + i);
            prefetch_line(items[i]); /* fn is about to read it */
        }
        erase(tree, &path, run);
        for (unsigned i = 0; i < run; i++)
            fn(ctx, items[i]);
        count -= run;
    }
}

/* ---- checking ---- */

size_t btree_memory_bytes(const struct btree *tree) {
    return tree->leaf_count * sizeof(struct btree_leaf) + tree->inner_bytes;
}

struct verify {
    const struct btree *tree;
    size_t leaf_count, inner_bytes;
    const void *last; /* item */
};

static size_t verify_leaf(struct verify *v, const struct btree_leaf *leaf) {
    const struct btree_type *type = v->tree->type;
    check(leaf->count >= 1);
    check(leaf->count <= BTREE_LEAF_CAP);
    for (unsigned i = 0; i < leaf->count; i++) {
        const void *item = leaf_item(leaf, i);
        uint64_t key = type->key(item);
        check(leaf->marks[i] == leaf_mark(leaf, key));
        if (v->last) {
            uint64_t last_key = type->key(v->last);
            check(last_key <= key);
            if (last_key == key) check(type->compare(v->last, item) < 0);
        }
        v->last = item;
    }
    for (unsigned i = leaf->count; i < BTREE_LEAF_CAP; i++)
        check(leaf->marks[i] == BTREE_MARK_MAX);
    v->leaf_count++;
    return leaf->count;
}

/* Returns the count of items; *first is the first of them. */
static size_t verify_node(struct verify *v, void *node, unsigned height, const void **first) {
    if (!height) {
        *first = leaf_item(node, 0);
        return verify_leaf(v, node);
    }
    struct btree_inner *inner = node;
    check(inner->count >= 1);
    check(inner->count <= inner->cap);
    check(inner->cap <= BTREE_INNER_CAP);
    size_t total = 0;
    for (unsigned i = 0; i < inner->count; i++) {
        const void *child_first;
        size_t count = verify_node(v, inner_children(inner)[i], height - 1, &child_first);
        check(count == inner_counts(inner)[i]);
        check(child_first == inner_firsts(inner)[i]);
        check(v->tree->type->key(child_first) == inner_keys(inner)[i]);
        if (i == 0) *first = child_first;
        total += count;
    }
    v->inner_bytes += mem_usable_size(inner);
    return total;
}

void btree_verify(const struct btree *tree) {
    struct verify v = {.tree = tree};
    const void *first;
    check((tree->root != NULL) == (tree->count != 0));
    check(tree->root || !tree->height);
    check(tree->height < BTREE_HEIGHT_MAX);
    if (tree->height) check(((struct btree_inner *)tree->root)->count > 1);
    size_t count = tree->root ? verify_node(&v, tree->root, tree->height, &first) : 0;
    check(count == tree->count);
    check(v.leaf_count == tree->leaf_count);
    check(v.inner_bytes == tree->inner_bytes);
}
