/* SPDX-License-Identifier: BSD-3-Clause */
/* chunk -- fixed-size pieces of memory for input and replies, shared by all connections of one
 * thread, so that an idle connection holds none.
 *
 * The pool belongs to the executor. A chunk that a worker fills or sends comes back with its job.
 * The free list is last in, first out: the memory handed out next is the warmest. */
#pragma once

#include <string.h>

#include "base/attr.h"
#include "base/check.h"

enum {
    CHUNK_SIZE = 16 * 1024,
    CHUNK_POOL_MAX = 1024, /* free chunks kept; more go back to the allocator */
};

struct chunk_pool {
    void *free;   /* list through the first word */
    size_t count; /* free chunks */
    size_t used;  /* chunks handed out */
};

void chunk_pool_init(struct chunk_pool *pool);
void chunk_pool_deinit(struct chunk_pool *pool);
/* Another chunk from the allocator; one more than the pool keeps back to it. */
void *chunk__alloc(void);
void chunk__free(void *chunk);

/* CHUNK_SIZE bytes, not zeroed. */
must_use static inline void *chunk_pool_take(struct chunk_pool *pool) {
    void *chunk = pool->free;
    pool->used++;
    if (unlikely(!chunk)) return chunk__alloc();
    pool->free = *(void **)chunk;
    pool->count--;
    return chunk;
}

static inline void chunk_pool_put(struct chunk_pool *pool, void *chunk) {
    check(pool->used > 0);
    pool->used--;
#ifdef DCHECK
    memset(chunk, 0xdc, CHUNK_SIZE); /* whoever still reads it gets nonsense */
#endif
    if (unlikely(pool->count >= CHUNK_POOL_MAX)) {
        chunk__free(chunk);
        return;
    }
    *(void **)chunk = pool->free;
    pool->free = chunk;
    pool->count++;
}
/* Gives free chunks back to the allocator until keep are left. */
void chunk_pool_trim(struct chunk_pool *pool, size_t keep);
