/* SPDX-License-Identifier: BSD-3-Clause */
/* chunk -- fixed-size pieces of memory for input and replies, shared by all connections of one
 * thread, so that an idle connection holds none.
 *
 * The pool belongs to the executor. A chunk that a worker fills or sends comes back with its job.
 * The free lists are last in, first out: the memory handed out next is the warmest.
 *
 * Small chunks are for replies that begin: a thousand clients that are told a line each take 1 MiB
 * of them, and lines of the cache that lie close together. */
#pragma once

#include <string.h>

#include "base/attr.h"
#include "base/check.h"

enum {
    CHUNK_SIZE = 16 * 1024,
    CHUNK_SMALL_SIZE = 1024,
    CHUNK_POOL_MAX = 1024, /* free chunks of a size kept; more go back to the allocator */
};

struct chunk_list {
    void *free;   /* list through the first word */
    size_t count; /* free chunks */
    size_t used;  /* chunks handed out */
};

struct chunk_pool {
    struct chunk_list whole, small;
};

void chunk_pool_init(struct chunk_pool *pool);
void chunk_pool_deinit(struct chunk_pool *pool);
/* Another chunk from the allocator; one more than the list keeps back to it. */
void *chunk__alloc(size_t size);
void chunk__free(void *chunk, size_t size);

always_inline_fn void *chunk__take(struct chunk_list *list, size_t size) {
    void *chunk = list->free;
    list->used++;
    if (unlikely(!chunk)) return chunk__alloc(size);
    list->free = *(void **)chunk;
    list->count--;
    return chunk;
}

always_inline_fn void chunk__put(struct chunk_list *list, void *chunk, size_t size) {
    check(list->used > 0);
    list->used--;
#ifdef DCHECK
    memset(chunk, 0xdc, size); /* whoever still reads it gets nonsense */
#endif
    if (unlikely(list->count >= CHUNK_POOL_MAX)) {
        chunk__free(chunk, size);
        return;
    }
    *(void **)chunk = list->free;
    list->free = chunk;
    list->count++;
}

/* CHUNK_SIZE bytes, not zeroed. */
must_use static inline void *chunk_pool_take(struct chunk_pool *pool) {
    return chunk__take(&pool->whole, CHUNK_SIZE);
}
static inline void chunk_pool_put(struct chunk_pool *pool, void *chunk) {
    chunk__put(&pool->whole, chunk, CHUNK_SIZE);
}
/* CHUNK_SMALL_SIZE bytes, not zeroed. */
must_use static inline void *chunk_pool_take_small(struct chunk_pool *pool) {
    return chunk__take(&pool->small, CHUNK_SMALL_SIZE);
}
static inline void chunk_pool_put_small(struct chunk_pool *pool, void *chunk) {
    chunk__put(&pool->small, chunk, CHUNK_SMALL_SIZE);
}
/* Gives free chunks back to the allocator until keep of each size are left. */
void chunk_pool_trim(struct chunk_pool *pool, size_t keep);
