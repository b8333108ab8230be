/* SPDX-License-Identifier: BSD-3-Clause */
/* spmc -- bounded queue of pointers: one producer (the executor), many consumers (the workers).
 *
 * The slot for ticket t, slots[t & mask], carries a turn that says whose it is:
 *      turn == t       empty: the producer may fill it
 *      turn == t + 1   full: the consumer that claims ticket t may empty it
 * Consumers claim tickets by moving head. This is Dmitry Vyukov's bounded queue with the producer's
 * side reduced to plain stores. No thread waits for another: a consumer that stalls inside pop is
 * seen one lap later as a full queue. Fields are public for inlining only. */
#pragma once

#include <stdatomic.h>

#include "base/attr.h"
#include "base/check.h"
#include "base/mem.h"

struct spmc_slot {
    alignas(CACHE_LINE) _Atomic uint64_t turn;
    void *item; /* belongs to whoever turn says */
};

struct spmc {
    alignas(CACHE_LINE) uint64_t tail;         /* producer only */
    alignas(CACHE_LINE) _Atomic uint64_t head; /* shared by consumers */
    alignas(CACHE_LINE) uint64_t mask;         /* capacity - 1, capacity a power of two; constant */
    struct spmc_slot *slots;                   /* constant */
};

/* Before any other thread sees q. cap: a power of two of at least 2 (with one slot, "full" and
 * "empty on the next lap" would be the same turn). */
static inline void spmc_init(struct spmc *q, size_t cap) {
    check(cap >= 2 && (cap & (cap - 1)) == 0);
    q->tail = 0;
    atomic_init(&q->head, 0);
    q->mask = cap - 1;
    q->slots = mem_alloc_aligned(CACHE_LINE, cap * sizeof(struct spmc_slot));
    for (size_t i = 0; i < cap; i++) {
        atomic_init(&q->slots[i].turn, i);
        q->slots[i].item = NULL;
    }
}

/* When no other thread uses q any more. Items left in it are not freed. */
static inline void spmc_deinit(struct spmc *q) {
    mem_free(q->slots);
    q->slots = NULL;
}

static inline size_t spmc_cap(const struct spmc *q) { return q->mask + 1; }

/* Producer. How many items wait; consumers may have taken some of them by now. */
static inline size_t spmc_size(const struct spmc *q) {
    /* Relaxed: a hint. head never passes tail, which is ours. */
    return q->tail - atomic_load_explicit(&q->head, memory_order_relaxed);
}

/* Producer. False if full: the item stays the caller's. */
must_use static inline bool spmc_push(struct spmc *q, void *item) {
    struct spmc_slot *slot = &q->slots[q->tail & q->mask];
    /* Acquire pairs with (B): the consumer is done with the slot. */
    if (atomic_load_explicit(&slot->turn, memory_order_acquire) != q->tail) return false;

    slot->item = item;
    /* (A) Release: the item, and all it points to, is visible before the turn that offers it. */
    atomic_store_explicit(&slot->turn, q->tail + 1, memory_order_release);
    q->tail++;
    return true;
}

/* Any consumer. The item is the caller's from now on; NULL if the queue is empty. */
must_use static inline void *spmc_pop(struct spmc *q) {
    uint64_t ticket = atomic_load_explicit(&q->head, memory_order_relaxed);
    for (;;) { /* again only if another consumer got ahead, or the weak exchange failed by chance */
        struct spmc_slot *slot = &q->slots[ticket & q->mask];
        /* Acquire pairs with (A). */
        uint64_t turn = atomic_load_explicit(&slot->turn, memory_order_acquire);
        int64_t lead = (int64_t)(turn - (ticket + 1)); /* a difference survives wrap-around */
        if (lead < 0) return NULL;
        /* Relaxed: head only hands out tickets; turn orders the items. A failure reloads ticket. */
        if (lead > 0) { /* someone else took this ticket */
            ticket = atomic_load_explicit(&q->head, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(
                       &q->head, &ticket, ticket + 1, memory_order_relaxed, memory_order_relaxed)) {
            void *item = slot->item;
            /* (B) Release: our read is done before the producer may refill the slot. */
            atomic_store_explicit(&slot->turn, ticket + q->mask + 1, memory_order_release);
            return item;
        }
    }
}
