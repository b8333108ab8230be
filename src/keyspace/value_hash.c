/* SPDX-License-Identifier: BSD-3-Clause */
/* Hashes as values of keys: see types/hash.h. */
#include "base/buf.h"
#include "ds/hashtab.h"
#include "keyspace/value_type.h"
#include "types/hash.h"

static void destroy(void *object) {
    struct hash *hash = object;
    hash_destroy(&hash);
}

static void *copy(const void *object) { return hash_copy(object); }

static size_t memory_bytes(const void *object, size_t samples) {
    return hash_memory_bytes(object, samples);
}

static size_t free_effort(const void *object) {
    return hash_is_listpack(object) ? 1 : hash_count(object);
}

static const char *encoding_name(const void *object) { return hash_encoding_name(object); }

static bool table_stats(const void *object, bool full, struct buf *out) {
    const struct hashtab *table = hash_table(object);
    if (!table) return false;
    hashtab_stats(table, full, out);
    return true;
}

static struct listpack *listpack(const void *object) { return hash_listpack(object); }

static struct element_times *times(const void *object) { return hash_times(object); }

static size_t expire(void **object, int64_t now_ms, size_t max, bool *is_empty) {
    struct hash *hash = *object;
    size_t removed = hash_expire(&hash, now_ms, max);
    *is_empty = hash_count(hash) == 0;
    *object = hash;
    return removed;
}

const struct value_ops hash_ops = {
    .destroy = destroy,
    .copy = copy,
    .memory_bytes = memory_bytes,
    .free_effort = free_effort,
    .encoding_name = encoding_name,
    .table_stats = table_stats,
    .listpack = listpack,
    .times = times,
    .expire = expire,
};
