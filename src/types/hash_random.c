/* SPDX-License-Identifier: BSD-3-Clause */
/* Random fields. Where fields may have expired, those that have not are gathered first, so that
 * each has the same chance and no draw is in vain. */
#include "base/random.h"
#include "ds/drawn.h"
#include "ds/listpack.h"
#include "types/hash_internal.h"

enum {
    PASSES_MAX = 2,    /* draws for which a listpack is walked each time */
    SPARSE_RATIO = 16, /* fewer than one field in so many is wanted: draw until they differ */
};

/* What is drawn from, if that is not the table itself. */
struct pool {
    const struct listpack *lp; /* then each place is an offset */
    void **fields;
    size_t *offsets;
    size_t count;
};

static void pool_load(struct pool *pool, const struct hash *hash, int64_t now_ms) {
    size_t cap = hash_count(hash);
    *pool = (struct pool){.lp = hash_listpack(hash)};
    if (pool->lp) {
        pool->offsets = mem_alloc_array(cap, sizeof(*pool->offsets));
        size_t at = listpack_first(pool->lp);
        while (at != LISTPACK_END) {
            pool->offsets[pool->count++] = at;
            at = listpack_next(pool->lp, listpack_next(pool->lp, at));
        }
        return;
    }
    struct hashtab_iter iter;
    struct field *f;
    pool->fields = mem_alloc_array(cap, sizeof(*pool->fields));
    hashtab_iter_init(&iter, hash__table(hash));
    while ((f = hashtab_iter_next(&iter)) != NULL) {
        if (!field_is_due(f, now_ms)) pool->fields[pool->count++] = f;
    }
    hashtab_iter_deinit(&iter);
}

static void pool_unload(struct pool *pool) {
    mem_free(pool->fields);
    mem_free(pool->offsets);
}

static void pool_visit(const struct pool *pool, size_t index, hash_visit_fn fn, void *ctx) {
    struct hash_item item;
    if (pool->lp) {
        hash__packed_item(pool->lp, pool->offsets[index], &item);
    } else {
        field_describe(pool->fields[index], &item);
    }
    fn(ctx, &item);
}

/* Whether a table can be drawn from as it is. */
static bool no_field_expires(const struct hash *hash) {
    const struct element_times *times = hash_times(hash);
    return !times || times->count == 0;
}

static void visit_any(const struct hash *hash, struct rng *rng, hash_visit_fn fn, void *ctx) {
    struct hash_item item;
    if (hash_is_listpack(hash)) {
        const struct listpack *lp = hash_listpack(hash);
        uint64_t index = rng_below(rng, hash_count(hash));
        hash__packed_item(lp, listpack_seek(lp, (int64_t)(index * 2)), &item);
    } else {
        field_describe(hashtab_random(hash__table(hash), rng), &item);
    }
    fn(ctx, &item);
}

uint64_t hash_random_repeating(const struct hash *hash, struct rng *rng, uint64_t count,
                               int64_t now_ms, hash_visit_fn fn, void *ctx) {
    if (hash_count(hash) == 0) return 0;
    bool directly = hash_is_listpack(hash) ? count <= PASSES_MAX : no_field_expires(hash);
    if (directly) {
        for (uint64_t i = 0; i < count; i++)
            visit_any(hash, rng, fn, ctx);
        return count;
    }
    struct pool pool;
    pool_load(&pool, hash, now_ms);
    if (pool.count == 0) count = 0;
    for (uint64_t i = 0; i < count; i++)
        pool_visit(&pool, rng_below(rng, pool.count), fn, ctx);
    pool_unload(&pool);
    return count;
}

bool hash_random(const struct hash *hash, struct rng *rng, int64_t now_ms, hash_visit_fn fn,
                 void *ctx) {
    enum { TRIES = 64 }; /* before all fields are looked at */
    struct hashtab *table = hash_table(hash);
    for (int i = 0; table && i < TRIES; i++) {
        const struct field *f = hashtab_random(table, rng);
        if (!f || field_is_due(f, now_ms)) continue;
        struct hash_item item;
        field_describe(f, &item);
        fn(ctx, &item);
        return true;
    }
    return hash_random_repeating(hash, rng, 1, now_ms, fn, ctx) > 0;
}

/* Far fewer than there are: draws from the table, and remembers what came. */
static void visit_sparse(const struct hash *hash, struct rng *rng, size_t count, hash_visit_fn fn,
                         void *ctx) {
    struct hashtab *table = hash__table(hash);
    struct drawn drawn;
    drawn_init(&drawn, count);
    for (uint64_t found = 0; found < count;) { /* a draw is new with a chance of 15/16 or more */
        const struct field *f = hashtab_random(table, rng);
        if (!drawn_add(&drawn, (uintptr_t)f)) continue;
        struct hash_item item;
        field_describe(f, &item);
        fn(ctx, &item);
        found++;
    }
    drawn_deinit(&drawn);
}

uint64_t hash_random_distinct(const struct hash *hash, struct rng *rng, uint64_t count,
                              int64_t now_ms, hash_visit_fn fn, void *ctx) {
    size_t size = hash_count(hash);
    if (!hash_is_listpack(hash) && no_field_expires(hash) && count < size / SPARSE_RATIO) {
        visit_sparse(hash, rng, (size_t)count, fn, ctx);
        return count;
    }
    struct pool pool;
    pool_load(&pool, hash, now_ms);
    uint64_t wanted = size_min(count, pool.count), left = wanted;
    for (size_t i = 0; i < pool.count && left > 0; i++) { /* Knuth's algorithm S */
        if (rng_below(rng, pool.count - i) >= left) continue;
        pool_visit(&pool, i, fn, ctx);
        left--;
    }
    pool_unload(&pool);
    return wanted;
}
