/* SPDX-License-Identifier: BSD-3-Clause */
/* spsc -- bounded queue of pointers: one producer, one consumer; the inbox of a worker.
 *
 *      producer:  put put put commit        one release store makes the whole batch visible
 *      consumer:  pop pop_batch             one release store gives the slots back
 *
 * Each side keeps a copy of the other's position and reads the real one only when the copy says
 * full or empty, so that the lines of the two sides seldom travel (Lamport's queue with cached
 * positions, as in FastForward and folly). Fields are public for inlining only. */
#pragma once

#include <stdatomic.h>

#include "base/attr.h"
#include "base/check.h"
#include "base/mem.h"

struct spsc {
    alignas(
        CACHE_LINE) _Atomic uint64_t tail; /* written by the producer: committed items end here */
    uint64_t put;                          /* producer only: items put end here */
    uint64_t head_seen;                    /* producer only: head when last looked at */
    alignas(CACHE_LINE) _Atomic uint64_t head; /* written by the consumer */
    uint64_t next;                             /* consumer only: same as head */
    uint64_t tail_seen;                        /* consumer only: tail when last looked at */
    alignas(CACHE_LINE) uint64_t mask;         /* capacity - 1, capacity a power of two; constant */
    void **slots;                              /* constant */
};

/* Before any other thread sees q. cap: a power of two. */
static inline void spsc_init(struct spsc *q, size_t cap) {
    check(cap >= 1 && (cap & (cap - 1)) == 0);
    atomic_init(&q->tail, 0);
    atomic_init(&q->head, 0);
    q->put = q->head_seen = q->next = q->tail_seen = 0;
    q->mask = cap - 1;
    q->slots = mem_alloc_aligned(CACHE_LINE, size_max(cap * sizeof(void *), CACHE_LINE));
}

/* When no other thread uses q any more. Items left in it are not freed. */
static inline void spsc_deinit(struct spsc *q) {
    mem_free(q->slots);
    q->slots = NULL;
}

static inline size_t spsc_cap(const struct spsc *q) { return q->mask + 1; }

/* Producer. The item is in the queue but not visible before spsc_commit. False if full: the item
 * stays the caller's. */
must_use static inline bool spsc_put(struct spsc *q, void *item) {
    if (q->put - q->head_seen > q->mask) {
        /* Acquire pairs with (B): the consumer has read the slot that we write to. */
        q->head_seen = atomic_load_explicit(&q->head, memory_order_acquire);
        if (q->put - q->head_seen > q->mask) return false;
    }
    q->slots[q->put & q->mask] = item;
    q->put++;
    return true;
}

/* Producer. True if there was anything new to show. */
static inline bool spsc_commit(struct spsc *q) {
    /* Relaxed: tail is ours. */
    if (atomic_load_explicit(&q->tail, memory_order_relaxed) == q->put) return false;
    /* (A) Release: the items, and all they point to, are visible before the tail beyond them. */
    atomic_store_explicit(&q->tail, q->put, memory_order_release);
    return true;
}

/* Producer: put and commit. */
must_use static inline bool spsc_push(struct spsc *q, void *item) {
    if (!spsc_put(q, item)) return false;
    (void)spsc_commit(q);
    return true;
}

/* Producer. Items put and not popped yet, committed or not; the consumer may have popped some. */
static inline size_t spsc_size(const struct spsc *q) {
    /* Relaxed: a hint. */
    return q->put - atomic_load_explicit(&q->head, memory_order_relaxed);
}

/* Consumer. Moves up to max items to out and returns how many; they are the caller's from now on.
 */
must_use static inline size_t spsc_pop_batch(struct spsc *q, void **out, size_t max) {
    if (q->tail_seen == q->next) {
        /* Acquire pairs with (A). */
        q->tail_seen = atomic_load_explicit(&q->tail, memory_order_acquire);
        if (q->tail_seen == q->next) return 0;
    }
    size_t count = size_min(max, q->tail_seen - q->next);
    for (size_t i = 0; i < count; i++)
        out[i] = q->slots[(q->next + i) & q->mask];
    q->next += count;
    /* (B) Release: our reads are done before the producer may refill the slots. */
    atomic_store_explicit(&q->head, q->next, memory_order_release);
    return count;
}

/* Consumer. The item is the caller's from now on; NULL if the queue is empty. */
must_use static inline void *spsc_pop(struct spsc *q) {
    void *item;
    return spsc_pop_batch(q, &item, 1) ? item : NULL;
}

/* Consumer. True if pop would give an item now. */
static inline bool spsc_is_ready(const struct spsc *q) {
    /* Relaxed: a hint; pop acquires. */
    return q->tail_seen != q->next ||
           atomic_load_explicit(&q->tail, memory_order_relaxed) != q->next;
}
