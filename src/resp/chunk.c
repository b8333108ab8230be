/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/chunk.h"

#include "base/mem.h"

void chunk_pool_init(struct chunk_pool *pool) {
    pool->free = NULL;
    pool->count = 0;
    pool->used = 0;
}

void chunk_pool_deinit(struct chunk_pool *pool) {
    check(pool->used == 0);
    chunk_pool_trim(pool, 0);
}

void *chunk__alloc(void) { return mem_alloc(CHUNK_SIZE); }
void chunk__free(void *chunk) { mem_free_sized(chunk, CHUNK_SIZE); }

void chunk_pool_trim(struct chunk_pool *pool, size_t keep) {
    while (pool->count > keep) {
        void *chunk = pool->free;
        pool->free = *(void **)chunk;
        pool->count--;
        mem_free_sized(chunk, CHUNK_SIZE);
    }
}
