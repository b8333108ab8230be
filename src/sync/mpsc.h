/* SPDX-License-Identifier: BSD-3-Clause */
/* mpsc -- bounded queue of pointers: many producers (the workers), one consumer (the executor).
 *
 *      head <= ticket < tail <= head + capacity          slots[ticket & mask]
 *
 * A producer reserves tickets by moving tail, never beyond the capacity counted from head, and
 * then stores its items; a slot that is not NULL is ready. The consumer takes ready slots in order,
 * sets them to NULL and publishes head once for a batch: that is what gives the slots back. Eight
 * slots share a cache line, so the consumer pays one miss for several items.
 *
 * 1. A slot in [tail, head + capacity) is NULL, and nobody writes to it.
 * 2. Items of one producer come out in the order in which it pushed them.
 * 3. No thread waits for another. A producer that stalls between reserving and storing holds back
 *    the items behind its own until it goes on; the others can still push.
 *
 * Fields are public for inlining only. */
#pragma once

#include <stdatomic.h>

#include "base/attr.h"
#include "base/check.h"
#include "base/mem.h"

struct mpsc {
    alignas(CACHE_LINE) _Atomic uint64_t tail; /* shared by producers */
    alignas(CACHE_LINE) _Atomic uint64_t head; /* written by the consumer, read by producers */
    alignas(CACHE_LINE) uint64_t next;         /* consumer only: head, not published yet */
    alignas(CACHE_LINE) uint64_t mask;         /* capacity - 1, capacity a power of two; constant */
    _Atomic(void *) *slots;                    /* constant */
};

/* Before any other thread sees q. cap: a power of two. */
static inline void mpsc_init(struct mpsc *q, size_t cap) {
    check(cap >= 1 && (cap & (cap - 1)) == 0);
    atomic_init(&q->tail, 0);
    atomic_init(&q->head, 0);
    q->next = 0;
    q->mask = cap - 1;
    q->slots = mem_alloc_aligned(CACHE_LINE, size_max(cap * sizeof(q->slots[0]), CACHE_LINE));
    for (size_t i = 0; i < cap; i++)
        atomic_init(&q->slots[i], NULL);
}

/* When no other thread uses q any more. Items left in it are not freed. */
static inline void mpsc_deinit(struct mpsc *q) {
    mem_free(q->slots);
    q->slots = NULL;
}

static inline size_t mpsc_cap(const struct mpsc *q) { return q->mask + 1; }

/* Any producer. Pushes all count items next to each other, or none of them if there is no room for
 * all: then they stay the caller's. No item is NULL. */
must_use static inline bool mpsc_push_batch(struct mpsc *q, void *const *items, size_t count) {
    uint64_t ticket = atomic_load_explicit(&q->tail, memory_order_relaxed);
    do { /* again only if another producer got ahead, or the weak exchange failed by chance */
        /* Acquire pairs with (B): the slots up to head + capacity are NULL and ours to fill. */
        uint64_t head = atomic_load_explicit(&q->head, memory_order_acquire);
        /* Negative if our ticket is older than head: the exchange will fail and reload it. */
        int64_t used = (int64_t)(ticket - head);
        if (used + (int64_t)count > (int64_t)(q->mask + 1)) return false;
        /* Relaxed: tail only hands out tickets; head and the slots order the items. */
    } while (!atomic_compare_exchange_weak_explicit(&q->tail, &ticket, ticket + count,
                                                    memory_order_relaxed, memory_order_relaxed));

    for (size_t i = 0; i < count; i++) {
        dcheck(items[i] != NULL);
        /* (A) Release: all that the item points to is visible before the item. */
        atomic_store_explicit(&q->slots[(ticket + i) & q->mask], items[i], memory_order_release);
    }
    return true;
}

/* Any producer. False if full: the item stays the caller's. */
must_use static inline bool mpsc_push(struct mpsc *q, void *item) {
    return mpsc_push_batch(q, &item, 1);
}

/* Consumer. Moves up to max items to out and returns how many; they are the caller's from now on.
 * 0: none is ready. */
must_use static inline size_t mpsc_pop_batch(struct mpsc *q, void **out, size_t max) {
    size_t count = 0;
    while (count < max) {
        _Atomic(void *) *slot = &q->slots[(q->next + count) & q->mask];
        /* Acquire pairs with (A). */
        void *item = atomic_load_explicit(slot, memory_order_acquire);
        if (!item) break;
        /* Relaxed: (B) publishes it. */
        atomic_store_explicit(slot, NULL, memory_order_relaxed);
        out[count++] = item;
    }
    if (count == 0) return 0;
    q->next += count;
    /* (B) Release: the slots are NULL before a producer learns that they are free. */
    atomic_store_explicit(&q->head, q->next, memory_order_release);
    return count;
}

/* Consumer. The item is the caller's from now on; NULL if none is ready. */
must_use static inline void *mpsc_pop(struct mpsc *q) {
    void *item;
    return mpsc_pop_batch(q, &item, 1) ? item : NULL;
}

/* Consumer. True if pop would give an item now. */
static inline bool mpsc_is_ready(const struct mpsc *q) {
    /* Relaxed: a hint; pop acquires. */
    return atomic_load_explicit(&q->slots[q->next & q->mask], memory_order_relaxed) != NULL;
}

/* Consumer. Items waiting, those included that are reserved but not stored yet. */
static inline size_t mpsc_size(const struct mpsc *q) {
    /* Relaxed: a hint. tail never falls behind next. */
    return atomic_load_explicit(&q->tail, memory_order_relaxed) - q->next;
}
