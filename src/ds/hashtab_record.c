/* SPDX-License-Identifier: BSD-3-Clause */
#include "ds/hashtab_record.h"

/* The slots that hold an entry whose tag agrees with the record. */
static uint64_t tags_match(const struct hashtab_bucket *bucket, uint32_t record) {
    return hashtab_alike(bucket, (uint8_t)(record >> HASHTAB_RECORD_INDEX_BITS),
                         HASHTAB_RECORD_TAG_MASK);
}

/* The first bucket number that a record can mean. */
static uint64_t first_index(const struct hashtab *tab, uint32_t record) {
    uint64_t index = record & (BIT(HASHTAB_RECORD_INDEX_BITS) - 1) & tab->mask;
    return index < tab->bucket_count ? index : index & tab->mask >> 1;
}

bool hashtab_record_find(const struct hashtab *tab, uint32_t record, unsigned skip,
                         struct hashtab_record_match *out) {
    uint64_t index = first_index(tab, record);
    for (; index < tab->bucket_count; index += BIT(HASHTAB_RECORD_INDEX_BITS)) {
        struct hashtab_bucket *home = hashtab_bucket_at(tab, index), *bucket = home;
        for (; bucket; bucket = hashtab_child(bucket)) {
            uint64_t match = tags_match(bucket, record);
            for (; match && skip > 0; skip--)
                match &= match - 1;
            if (!match) continue;
            unsigned slot = hashtab_first(match);
            *out = (struct hashtab_record_match){
                hashtab_slot(bucket, slot), {home, bucket, slot}, index};
            return true;
        }
    }
    return false;
}

void hashtab_record_prefetch_bucket(const struct hashtab *tab, uint32_t record) {
    prefetch_line_to_write(hashtab_bucket_at(tab, first_index(tab, record)));
}

void hashtab_record_prefetch_entries(const struct hashtab *tab, uint32_t record) {
    const struct hashtab_bucket *bucket = hashtab_bucket_at(tab, first_index(tab, record));
    for (uint64_t match = tags_match(bucket, record); match; match &= match - 1)
        prefetch_line(hashtab_slot(bucket, hashtab_first(match)));
}
