/* SPDX-License-Identifier: BSD-3-Clause */
/* heap -- what comes first: a binary heap of nodes that lie inside other structs, by a number.
 *
 * A node knows its place, so that one can be taken out wherever it is. The heap owns an array of
 * pointers, never the nodes. Fields are public for plain data; use the functions. */
#pragma once

#include "base/attr.h"

struct heap_node {
    int64_t order; /* the smallest comes first; set by the caller before heap_add */
    size_t place;  /* 1 + index in nodes; 0: in no heap */
};

struct heap {
    struct heap_node **nodes;
    size_t count, cap;
};

/* An empty heap is all zero. Nodes that are left are forgotten, not touched. */
void heap_deinit(struct heap *heap);

/* The node with the smallest order, borrowed; NULL if the heap is empty. O(1). */
static inline struct heap_node *heap_first(const struct heap *heap) {
    return heap->count ? heap->nodes[0] : NULL;
}
static inline bool heap_has(const struct heap_node *node) { return node->place != 0; }

/* The node must be in no heap. O(log n). */
void heap_add(struct heap *heap, struct heap_node *node);
/* The node must be in this heap. O(log n). */
void heap_remove(struct heap *heap, struct heap_node *node);
/* Checks order and places. O(n); for tests. */
void heap_verify(const struct heap *heap);
