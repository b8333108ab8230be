/* SPDX-License-Identifier: BSD-3-Clause */
/* hashtab_inline -- the hot paths of hashtab as templates: `equal` is a constant function that the
 * compiler inlines, so that the keyspace compares its own entries without an indirect call.
 *
 * Fields are public for inlining only; other code uses hashtab.h. The first cache line of struct
 * hashtab is all that a look-up reads besides the bucket, the entry and, past 256 buckets, one
 * pointer of the directory, half of which reads fall on the same four lines (see hashtab.c). */
#pragma once

#include "base/check.h"
#include "ds/hashtab.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tags are read as one little-endian word");
static_assert(sizeof(void *) <= 8, "seven pointers and eight bytes fill a cache line at most");

enum {
    HASHTAB_SEGMENT_BITS = 8,         /* segment 0 holds the buckets below 2^8 */
    HASHTAB_FANOUT_BITS = 5,          /* each doubling after that comes in 2^5 segments */
    HASHTAB_FULL = 0x7f,              /* meta: all slots taken */
    HASHTAB_CHAINED = 0x80,           /* meta: the last slot points to a child */
    HASHTAB_LINK = HASHTAB_SLOTS - 1, /* the slot that does */
};

struct hashtab_bucket {
    alignas(CACHE_LINE) union {
        struct {
            uint8_t tags[HASHTAB_SLOTS]; /* top byte of the hash; meaningless in an empty slot */
            uint8_t meta;
        };
        uint64_t word; /* the eight bytes above */
    };
    void *slots[HASHTAB_SLOTS];
};
static_assert(sizeof(struct hashtab_bucket) == CACHE_LINE, "one bucket is one cache line");

struct hashtab {
    alignas(CACHE_LINE) struct hashtab_bucket *segment0; /* buckets 0 .. 255, or fewer */
    struct hashtab_bucket **directory; /* the other segments; NULL up to 256 buckets */
    uint64_t bucket_count;
    uint64_t mask;    /* smallest power of two >= bucket_count, minus 1 */
    size_t count;     /* entries */
    size_t grow_at;   /* an addition that brings count here has resizing to think about */
    size_t shrink_at; /* the same for a removal */
    const struct hashtab_type *type;

    /* Second line: changed by resizing only. */
    uint64_t segment0_cap;    /* buckets allocated in segment 0 */
    uint64_t segment_count;   /* segments in the directory */
    uint64_t directory_cap;   /* pointers allocated */
    uint64_t segment_buckets; /* buckets in the directory's segments, all of them */
    uint64_t bucket_floor;    /* buckets to have in any case: expand_hint */
    size_t child_count;       /* child buckets */
    uint32_t paused;          /* by pause_resize */
    uint32_t held;            /* by iterators and scan callbacks */
    bool shrinking;           /* merging until the load is comfortable again */
};

/* The compiler sees a constant here, in every use. */
typedef bool (*hashtab_equal_fn)(const void *entry, struct bytes key);

/* Resizing that an addition or a removal has become due for. */
void hashtab__after_add(struct hashtab *tab);
void hashtab__after_take(struct hashtab *tab);
/* Adds a child to the end of the chain, and the entry to that. */
void hashtab__extend(struct hashtab *tab, struct hashtab_bucket *last, uint8_t tag, void *entry);
/* Frees a child that has become empty. */
void hashtab__unlink(struct hashtab *tab, uint64_t hash, struct hashtab_bucket *child);

/* How many segments the directory has when there are that many buckets. */
uint64_t hashtab__segments_for(uint64_t buckets);

always_inline_fn uint8_t hashtab_tag(uint64_t hash) { return (uint8_t)(hash >> 56); }

always_inline_fn struct hashtab_bucket *hashtab_bucket_at(const struct hashtab *tab,
                                                          uint64_t index) {
    if (index < BIT(HASHTAB_SEGMENT_BITS)) return &tab->segment0[index];
    /* index = 1 fffff oooo.. in binary: the doubling, the segment in it, the offset. */
    unsigned top = 63u - (unsigned)__builtin_clzll(index);
    unsigned shift = top - HASHTAB_FANOUT_BITS;
    uint64_t segment = ((uint64_t)(top - HASHTAB_SEGMENT_BITS) << HASHTAB_FANOUT_BITS) +
                       (index >> shift) - BIT(HASHTAB_FANOUT_BITS);
    return &tab->directory[segment][index & (BIT(shift) - 1)];
}

always_inline_fn struct hashtab_bucket *hashtab_home(const struct hashtab *tab, uint64_t hash) {
    uint64_t index = hash & tab->mask;
    if (index >= tab->bucket_count) index &= tab->mask >> 1; /* not split yet */
    return hashtab_bucket_at(tab, index);
}

/* A bit 8*i+7 for each slot i that holds an entry with this tag. Exact: no false matches. */
always_inline_fn uint64_t hashtab_match(const struct hashtab_bucket *bucket, uint8_t tag) {
    const uint64_t low7 = 0x007f7f7f7f7f7f7full;
    uint64_t diff = bucket->word ^ (0x0001010101010101ull * tag);
    uint64_t differs = (((diff & low7) + low7) | diff) | low7; /* bit 7 of each byte, if not 0 */
    /* Spreads the presence bits: bit i of meta to bit 8*i+7. */
    uint64_t present = ((uint64_t)(bucket->meta & HASHTAB_FULL) * 0x0002040810204081ull) << 7;
    return ~differs & present & 0x0080808080808080ull;
}

always_inline_fn struct hashtab_bucket *hashtab_child(const struct hashtab_bucket *bucket) {
    return bucket->meta & HASHTAB_CHAINED ? bucket->slots[HASHTAB_LINK] : NULL;
}

/* Remembers the first free slot of a chain as the place for a new entry. */
always_inline_fn void hashtab_place_note_room(struct hashtab_bucket *bucket,
                                              struct hashtab_place *place) {
    /* Bit 7, moved to bit 6: the last slot is taken by a link. */
    unsigned used = bucket->meta | (unsigned)(bucket->meta & HASHTAB_CHAINED) >> 1;
    unsigned room = ~used & HASHTAB_FULL;
    if (!room || place->bucket) return;
    *place = (struct hashtab_place){.bucket = bucket, .slot = (unsigned)__builtin_ctz(room)};
}

/* hashtab_find. */
always_inline_fn void *hashtab_find_with(const struct hashtab *tab, uint64_t hash, struct bytes key,
                                         hashtab_equal_fn equal) {
    const struct hashtab_bucket *bucket = hashtab_home(tab, hash);
    do {
        uint64_t match = hashtab_match(bucket, hashtab_tag(hash));
        for (; match; match &= match - 1) {
            void *entry = bucket->slots[__builtin_ctzll(match) >> 3];
            if (likely(equal(entry, key))) return entry;
        }
        bucket = hashtab_child(bucket);
    } while (unlikely(bucket != NULL));
    return NULL;
}

/* hashtab_probe. */
always_inline_fn void *hashtab_probe_with(const struct hashtab *tab, uint64_t hash,
                                          struct bytes key, struct hashtab_place *place,
                                          hashtab_equal_fn equal) {
    struct hashtab_bucket *bucket = hashtab_home(tab, hash);
    *place = (struct hashtab_place){.bucket = NULL, .slot = HASHTAB_SLOTS};
    for (;;) {
        uint64_t match = hashtab_match(bucket, hashtab_tag(hash));
        for (; match; match &= match - 1) {
            unsigned slot = (unsigned)__builtin_ctzll(match) >> 3;
            if (likely(equal(bucket->slots[slot], key))) {
                *place = (struct hashtab_place){.bucket = bucket, .slot = slot};
                return bucket->slots[slot];
            }
        }
        hashtab_place_note_room(bucket, place);
        struct hashtab_bucket *child = hashtab_child(bucket);
        if (likely(!child)) break;
        bucket = child;
    }
    if (unlikely(!place->bucket)) place->bucket = bucket; /* the last one, to be extended */
    return NULL;
}

/* hashtab_place_add. */
always_inline_fn void hashtab_place_add_inline(struct hashtab *tab, uint64_t hash,
                                               const struct hashtab_place *place, void *entry) {
    struct hashtab_bucket *bucket = place->bucket;
    if (likely(place->slot < HASHTAB_SLOTS)) {
        dcheck(!(bucket->meta & BIT(place->slot)));
        bucket->slots[place->slot] = entry;
        bucket->tags[place->slot] = hashtab_tag(hash);
        bucket->meta |= (uint8_t)BIT(place->slot);
    } else {
        hashtab__extend(tab, bucket, hashtab_tag(hash), entry);
    }
    tab->count++;
    if (unlikely(tab->count >= tab->grow_at)) hashtab__after_add(tab);
}

/* hashtab_place_replace. */
always_inline_fn void hashtab_place_replace_inline(const struct hashtab_place *place, void *entry) {
    dcheck(place->slot < HASHTAB_SLOTS && place->bucket->meta & BIT(place->slot));
    place->bucket->slots[place->slot] = entry;
}

/* hashtab_place_take. */
always_inline_fn void *hashtab_place_take_inline(struct hashtab *tab, uint64_t hash,
                                                 const struct hashtab_place *place) {
    struct hashtab_bucket *bucket = place->bucket;
    dcheck(place->slot < HASHTAB_SLOTS && bucket->meta & BIT(place->slot));
    void *entry = bucket->slots[place->slot];
    bucket->meta &= (uint8_t)~BIT(place->slot);
    if (unlikely((bucket->meta & HASHTAB_FULL) == 0)) hashtab__unlink(tab, hash, bucket);
    tab->count--;
    if (unlikely(tab->count <= tab->shrink_at)) hashtab__after_take(tab);
    return entry;
}

/* hashtab_take. */
always_inline_fn void *hashtab_take_with(struct hashtab *tab, uint64_t hash, struct bytes key,
                                         hashtab_equal_fn equal) {
    struct hashtab_place place;
    if (!hashtab_probe_with(tab, hash, key, &place, equal)) return NULL;
    return hashtab_place_take_inline(tab, hash, &place);
}

/* hashtab_prefetch_bucket. */
always_inline_fn void hashtab_prefetch_bucket_inline(const struct hashtab *tab, uint64_t hash) {
    prefetch_line_to_write(hashtab_home(tab, hash));
}

/* hashtab_prefetch_entry. */
always_inline_fn void hashtab_prefetch_entry_inline(const struct hashtab *tab, uint64_t hash) {
    const struct hashtab_bucket *bucket = hashtab_home(tab, hash);
    uint64_t match = hashtab_match(bucket, hashtab_tag(hash));
    if (unlikely(!match && bucket->meta & HASHTAB_CHAINED)) {
        bucket = bucket->slots[HASHTAB_LINK];
        match = hashtab_match(bucket, hashtab_tag(hash));
    }
    for (; match; match &= match - 1) {
        const char *entry = bucket->slots[__builtin_ctzll(match) >> 3];
        prefetch_line(entry);
        prefetch_line(entry + CACHE_LINE);
    }
}
