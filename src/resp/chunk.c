/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/chunk.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

void chunk_pool_init(struct chunk_pool *pool) {
    pool->free = NULL;
    pool->count = 0;
    pool->used = 0;
}

void chunk_pool_deinit(struct chunk_pool *pool) {
    check(pool->used == 0);
    chunk_pool_trim(pool, 0);
}

void *chunk_pool_take(struct chunk_pool *pool) {
    void *chunk = pool->free;
    pool->used++;
    if (unlikely(!chunk)) return mem_alloc(CHUNK_SIZE);
    pool->free = *(void **)chunk;
    pool->count--;
    return chunk;
}

void chunk_pool_put(struct chunk_pool *pool, void *chunk) {
    check(pool->used > 0);
    pool->used--;
#ifdef DCHECK
    memset(chunk, 0xdc, CHUNK_SIZE); /* whoever still reads it gets nonsense */
#endif
    if (pool->count >= CHUNK_POOL_MAX) {
        mem_free_sized(chunk, CHUNK_SIZE);
        return;
    }
    *(void **)chunk = pool->free;
    pool->free = chunk;
    pool->count++;
}

void chunk_pool_trim(struct chunk_pool *pool, size_t keep) {
    while (pool->count > keep) {
        void *chunk = pool->free;
        pool->free = *(void **)chunk;
        pool->count--;
        mem_free_sized(chunk, CHUNK_SIZE);
    }
}
