/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/chunk.h"

#include "base/mem.h"

void chunk_pool_init(struct chunk_pool *pool) { *pool = (struct chunk_pool){0}; }

void chunk_pool_deinit(struct chunk_pool *pool) {
    check(pool->whole.used == 0 && pool->small.used == 0);
    chunk_pool_trim(pool, 0);
}

void *chunk__alloc(size_t size) { return mem_alloc(size); }
void chunk__free(void *chunk, size_t size) { mem_free_sized(chunk, size); }

static void list_trim(struct chunk_list *list, size_t keep, size_t size) {
    while (list->count > keep) {
        void *chunk = list->free;
        list->free = *(void **)chunk;
        list->count--;
        chunk__free(chunk, size);
    }
}

void chunk_pool_trim(struct chunk_pool *pool, size_t keep) {
    list_trim(&pool->whole, keep, CHUNK_SIZE);
    list_trim(&pool->small, keep, CHUNK_SMALL_SIZE);
}
