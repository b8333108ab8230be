/* SPDX-License-Identifier: BSD-3-Clause */
/* hashtab_record -- 32 bits that lead back to an entry of a table: what an index by time keeps of
 * it (wheel.h).
 *
 *      bits 0..25   of the bucket's number       bits 26..31   of the tag
 *
 * A record says where to look and no more: the entry may be gone, and others may agree with it.
 * Whoever follows one looks at each entry it leads to. Resizing does not matter to it. */
#pragma once

#include "ds/hashtab_inline.h"

enum { HASHTAB_RECORD_INDEX_BITS = 26, HASHTAB_RECORD_TAG_MASK = 63 };

static inline uint32_t hashtab_record(uint64_t hash) {
    uint32_t index = (uint32_t)(hash & (BIT(HASHTAB_RECORD_INDEX_BITS) - 1));
    return index | (uint32_t)(hashtab_tag(hash) & HASHTAB_RECORD_TAG_MASK)
                       << HASHTAB_RECORD_INDEX_BITS;
}

/* An entry that agrees with a record, and where it is. */
struct hashtab_record_match {
    void *entry;
    struct hashtab_place place;
    uint64_t hash; /* enough of it for hashtab_place_take */
};
/* The match that comes `skip`-th; false if there are no more. Reads no entry. O(1), times the table
 * size over 2^26 buckets. */
bool hashtab_record_find(const struct hashtab *tab, uint32_t record, unsigned skip,
                         struct hashtab_record_match *out);
/* Before it: brings the bucket, and then the entries, into the cache. */
void hashtab_record_prefetch_bucket(const struct hashtab *tab, uint32_t record);
void hashtab_record_prefetch_entries(const struct hashtab *tab, uint32_t record);
