/* SPDX-License-Identifier: BSD-3-Clause */
#include "ds/heap.h"

#include "base/check.h"
#include "base/mem.h"

enum { HEAP_CAP_MIN = 16 };

void heap_deinit(struct heap *heap) {
    mem_free(heap->nodes);
    *heap = (struct heap){0};
}

static void heap_put(struct heap *heap, size_t index, struct heap_node *node) {
    heap->nodes[index] = node;
    node->place = index + 1;
}

/* Fills the gap at index with node or with an ancestor that is larger. */
static void heap_rise(struct heap *heap, size_t index, struct heap_node *node) {
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (heap->nodes[parent]->order <= node->order) break;
        heap_put(heap, index, heap->nodes[parent]);
        index = parent;
    }
    heap_put(heap, index, node);
}

/* Fills the gap at index with node or with descendants that are smaller. */
static void heap_sink(struct heap *heap, size_t index, struct heap_node *node) {
    for (;;) {
        size_t child = index * 2 + 1;
        if (child >= heap->count) break;
        if (child + 1 < heap->count && heap->nodes[child + 1]->order < heap->nodes[child]->order) {
            child++;
        }
        if (node->order <= heap->nodes[child]->order) break;
        heap_put(heap, index, heap->nodes[child]);
        index = child;
    }
    heap_put(heap, index, node);
}

void heap_add(struct heap *heap, struct heap_node *node) {
    check(!heap_has(node));
    if (heap->count == heap->cap) {
        heap->cap = heap->cap ? heap->cap * 2 : HEAP_CAP_MIN;
        heap->nodes = mem_realloc(heap->nodes, heap->cap * sizeof(struct heap_node *));
    }
    heap_rise(heap, heap->count++, node);
}

void heap_remove(struct heap *heap, struct heap_node *node) {
    check(heap_has(node) && node->place <= heap->count);
    size_t index = node->place - 1;
    check(heap->nodes[index] == node);
    node->place = 0;
    struct heap_node *last = heap->nodes[--heap->count];
    if (last != node) {
        bool rises = index > 0 && last->order < heap->nodes[(index - 1) / 2]->order;
        if (rises) {
            heap_rise(heap, index, last);
        } else {
            heap_sink(heap, index, last);
        }
    }
    if (heap->cap > HEAP_CAP_MIN && heap->count < heap->cap / 4) {
        heap->cap /= 2;
        heap->nodes = mem_realloc(heap->nodes, heap->cap * sizeof(struct heap_node *));
    }
}

void heap_verify(const struct heap *heap) {
    check(heap->count <= heap->cap);
    for (size_t i = 0; i < heap->count; i++) {
        check(heap->nodes[i]->place == i + 1);
        if (i > 0) check(heap->nodes[(i - 1) / 2]->order <= heap->nodes[i]->order);
    }
}
