/* SPDX-License-Identifier: BSD-3-Clause */
/* The large form of sorted sets: elements in a hash table by member and in a B+tree by order. */
#include "base/hash.h"
#include "base/mem.h"
#include "ds/hashtab_inline.h"
#include "types/zset_internal.h"

/* ---- elements ---- */

static size_t element_size(size_t member_size) {
    return offsetof(struct zset_element, rest) + member_size +
           (member_size >= ZSET_LONG ? sizeof(uint64_t) : 0);
}

struct zset_element *zset__element_create(struct bytes member, double score) {
    struct zset_element *element = mem_alloc(element_size(member.size));
    char *place = element->rest;
    element->score = score;
    element->size = (uint8_t)size_min(member.size, ZSET_LONG);
    if (unlikely(member.size >= ZSET_LONG)) {
        uint64_t size = member.size;
        memcpy(place, &size, sizeof(size));
        place += sizeof(size);
    }
    if (member.size) memcpy(place, member.data, member.size);
    return element;
}

void zset__element_free(struct zset_element *element) {
    mem_free_sized(element, element_size(zset_element_member(element).size));
}

static struct bytes element_key(const void *element) { return zset_element_member(element); }
static uint64_t element_hash(const void *element) {
    return hash_bytes(zset_element_member(element));
}
static void element_drop(void *element) { zset__element_free(element); }
static const struct hashtab_type members_type = {
    .key = element_key, .hash = element_hash, .drop = element_drop};

static bool element_equals(const void *element, struct bytes member) {
    return bytes_equal(zset_element_member(element), member);
}

static uint64_t element_order(const void *element) {
    return zset_key(((const struct zset_element *)element)->score);
}
static int element_compare(const void *a, const void *b) {
    return bytes_compare(zset_element_member(a), zset_element_member(b));
}
static const struct btree_type tree_type = {.key = element_order, .compare = element_compare};

/* ---- tables ---- */

struct zset_table *zset__table_create(size_t count) {
    struct zset_table *table = mem_alloc(sizeof(*table));
    btree_init(&table->tree, &tree_type);
    table->members = hashtab_create(&members_type);
    if (count) hashtab_expand_hint(table->members, count);
    return table;
}

void zset__table_destroy(struct zset_table *table) {
    btree_deinit(&table->tree);
    hashtab_destroy(&table->members);
    mem_free_sized(table, sizeof(*table));
}

struct zset_element *zset__table_find(const struct zset_table *table, uint64_t hash,
                                      struct bytes member) {
    return hashtab_find_with(table->members, hash, member, element_equals);
}

enum zset_added zset__table_add(struct zset_table *table, struct bytes member, unsigned flags,
                                double *score) {
    struct hashtab_place place;
    uint64_t hash = hash_bytes(member);
    struct zset_element *element =
        hashtab_probe_with(table->members, hash, member, &place, element_equals);
    if (!element) {
        if (flags & ZSET_ADD_XX) return ZSET_NOT_DONE;
        element = zset__element_create(member, *score);
        hashtab_place_add_inline(table->members, hash, &place, element);
        btree_add(&table->tree, element);
        return ZSET_NEW;
    }
    enum zset_added added = zset__resolve(element->score, flags, score);
    if (added == ZSET_UPDATED) {
        btree_remove(&table->tree, element);
        element->score = *score;
        btree_add(&table->tree, element);
    }
    return added;
}

bool zset__table_remove(struct zset_table *table, struct bytes member) {
    struct zset_element *element =
        hashtab_take_with(table->members, hash_bytes(member), member, element_equals);
    if (!element) return false;
    btree_remove(&table->tree, element);
    zset__element_free(element);
    return true;
}
