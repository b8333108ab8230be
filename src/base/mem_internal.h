/* SPDX-License-Identifier: BSD-3-Clause */
/* mem_internal -- the counting of allocated bytes, seen by mem.c.
 *
 * With jemalloc nothing is counted here: the allocator has two counters per thread, and
 * mem_count_jemalloc.c adds them up. Else (mem_count_own.c) each started thread has a slot of its
 * own and changes it with plain loads and stores; all other threads share slot 0. What one thread
 * allocates another may free: a slot alone can be negative, only the sum means something. */
#pragma once

#include "base/mem.h"

/* What the calling thread has in its own counter; false if it has none. */
bool mem__own_bytes(int64_t *out);
/* The sum over all threads, the ended ones too. */
int64_t mem__sum_bytes(void);

#ifdef USE_JEMALLOC

#define MEM__ALL_ARENAS "4096" /* in place of an arena's number */
/* False: it has not called mem_thread_start, and is perhaps one of the allocator's. */
bool mem__thread_is_counted(void);

static inline void mem__count_alloc(const void *ptr) { (void)ptr; }
static inline void mem__count_free(const void *ptr) { (void)ptr; }

#else

#include <malloc.h>
#include <stdatomic.h>

enum { MEM_SLOTS_MAX = 256 };

struct mem_slot {
    alignas(CACHE_LINE) _Atomic int64_t bytes;
};
extern struct mem_slot mem__slots[MEM_SLOTS_MAX];
extern _Thread_local struct mem_slot *mem__own_slot; /* NULL: slot 0, which is shared */

static inline void mem__count(int64_t bytes) {
    struct mem_slot *own = mem__own_slot;
    /* Relaxed: the numbers order nothing. An own slot has one writer. */
    if (likely(own)) {
        int64_t now = atomic_load_explicit(&own->bytes, memory_order_relaxed);
        atomic_store_explicit(&own->bytes, now + bytes, memory_order_relaxed);
    } else {
        atomic_fetch_add_explicit(&mem__slots[0].bytes, bytes, memory_order_relaxed);
    }
}
static inline void mem__count_alloc(void *ptr) {
    if (likely(ptr)) mem__count((int64_t)malloc_usable_size(ptr));
}
static inline void mem__count_free(void *ptr) {
    if (likely(ptr)) mem__count(-(int64_t)malloc_usable_size(ptr));
}

#endif
