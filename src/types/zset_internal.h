/* SPDX-License-Identifier: BSD-3-Clause */
/* zset_internal -- what the files of sorted sets share: the two forms, and the elements of the
 * large one.
 *
 *   element, one allocation
 *   offset size
 *   0      8    score
 *   8      1    size of the member, ZSET_LONG if it does not fit
 *   9      [8]  the size, if ZSET_LONG
 *   ..          member */
#pragma once

#include "base/check.h"
#include "ds/btree.h"
#include "ds/hashtab.h"
#include "ds/listpack.h"
#include "types/zset.h"

enum { ZSET_TAG_TABLE = 1, ZSET_TAG_MASK = 7, ZSET_LONG = 255 };

struct zset_table {
    struct btree tree;       /* borrows the elements */
    struct hashtab *members; /* owns them */
};

struct zset_element {
    double score;
    uint8_t size;
    char rest[];
};

/* ---- forms ---- */
static inline bool zset_is_table(const struct zset *zset) {
    return (uintptr_t)zset & ZSET_TAG_TABLE;
}
static inline struct zset_table *zset_as_table(const struct zset *zset) {
    return (struct zset_table *)((uintptr_t)zset & ~(uintptr_t)ZSET_TAG_MASK);
}
static inline struct listpack *zset_as_listpack(const struct zset *zset) {
    return (struct listpack *)(uintptr_t)zset;
}
static inline struct zset *zset_from_table(struct zset_table *table) {
    return (struct zset *)((uintptr_t)table | ZSET_TAG_TABLE);
}
static inline struct zset *zset_from_listpack(struct listpack *lp) {
    dcheck(((uintptr_t)lp & ZSET_TAG_MASK) == 0);
    return (struct zset *)(uintptr_t)lp;
}

/* ---- elements ---- */
static inline struct bytes zset_element_member(const struct zset_element *element) {
    if (likely(element->size != ZSET_LONG)) return bytes_make(element->rest, element->size);
    uint64_t size;
    memcpy(&size, element->rest, sizeof(size));
    return bytes_make(element->rest + sizeof(size), (size_t)size);
}
/* The score as a number that grows with it; the same for both zeros. */
static inline uint64_t zset_key(double score) {
    uint64_t bits;
    if (score == 0) score = 0; /* not -0 */
    memcpy(&bits, &score, sizeof(bits));
    return bits ^ (bits >> 63 ? UINT64_MAX : BIT(63));
}
static inline struct zset_item zset_element_item(const struct zset_element *element) {
    return (struct zset_item){zset_element_member(element), element->score};
}
must_use struct zset_element *zset__element_create(struct bytes member, double score);
void zset__element_free(struct zset_element *element);

/* What becomes of an existing score; *score as in zset_add. */
enum zset_added zset__resolve(double old, unsigned flags, double *score);

/* ---- zset_packed.c: the listpack form ---- */
/* Reads the score at an offset. */
double zset__packed_score_at(const struct listpack *lp, size_t at);
/* The offset of a member, or LISTPACK_END; its rank. */
size_t zset__packed_find(const struct listpack *lp, struct bytes member, size_t *rank);
/* What is at a member's offset. */
void zset__packed_item(const struct listpack *lp, size_t at, char scratch[NUM_I64_TEXT_MAX],
                       struct zset_item *out);
/* Behind all others. */
void zset__packed_append(struct listpack **lp, const struct zset_item *item);
void zset__packed_insert(struct listpack **lp, struct bytes member, double score);
/* How many members are in front of the first one for which fn is false. */
size_t zset__packed_seek(const struct listpack *lp,
                         bool (*before)(void *ctx, const struct zset_item *item), void *ctx);

/* ---- zset_table.c: the large form ---- */
must_use struct zset_table *zset__table_create(size_t count);
void zset__table_destroy(struct zset_table *table);
struct zset_element *zset__table_find(const struct zset_table *table, uint64_t hash,
                                      struct bytes member);
enum zset_added zset__table_add(struct zset_table *table, struct bytes member, unsigned flags,
                                double *score);
bool zset__table_remove(struct zset_table *table, struct bytes member);
