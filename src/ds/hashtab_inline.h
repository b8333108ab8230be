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

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a slot is part of a little-endian word");

enum {
    HASHTAB_SEGMENT_BITS = 8,         /* segment 0 holds the buckets below 2^8 */
    HASHTAB_FANOUT_BITS = 5,          /* each doubling after that comes in 2^5 segments */
    HASHTAB_LINK = HASHTAB_SLOTS - 1, /* the slot that may point to a child */
    HASHTAB_HALF_SLOTS = 3,           /* entries in a child of half a cache line */
    HASHTAB_ADDRESS_BITS = 48,        /* of a pointer */
    HASHTAB_SLOT_BYTES = HASHTAB_ADDRESS_BITS / 8,
};

/* What a tag byte says of its slot; from HASHTAB_TAG_MIN on, it is the tag of the entry there. */
enum {
    HASHTAB_TAG_FREE = 0, /* an entry may be put there */
    HASHTAB_TAG_NONE = 1, /* never an entry: it is the link, or the slot a half child lacks */
    HASHTAB_TAG_MIN = 2,
};

/* 64 bytes, of which a child may have the first half only. Aligned to its size. */
struct hashtab_bucket {
    uint8_t tags[HASHTAB_SLOTS];
    uint8_t below; /* bit t % 8 is set if a bucket further down the chain has an entry of tag t;
                    * not 0 exactly if there is a child. Taking an entry leaves the bits as they
                    * are, so they may say too much. */
    uint8_t slots[HASHTAB_SLOTS][HASHTAB_SLOT_BYTES];
};
enum { HASHTAB_HALF_BYTES = CACHE_LINE / 2 };
static_assert(sizeof(struct hashtab_bucket) == CACHE_LINE, "one bucket is one cache line");
static_assert(offsetof(struct hashtab_bucket, slots) + HASHTAB_HALF_SLOTS * HASHTAB_SLOT_BYTES <=
                  HASHTAB_HALF_BYTES,
              "a half child has room for its slots");

struct hashtab {
    alignas(CACHE_LINE) struct hashtab_bucket *segment0; /* buckets 0 .. 255, or fewer */
    struct hashtab_bucket **directory; /* the other segments; NULL up to 256 buckets */
    uint64_t bucket_count;
    uint64_t mask;    /* smallest power of two >= bucket_count, minus 1 */
    size_t count;     /* entries */
    size_t grow_at;   /* an addition that brings count here has resizing to think about */
    size_t shrink_at; /* the same for a removal, or closing the gap in the only bucket */
    const struct hashtab_type *type;

    /* Second line: changed by resizing only. */
    uint64_t segment0_cap;    /* buckets allocated in segment 0 */
    uint64_t segment_count;   /* segments in the directory */
    uint64_t directory_cap;   /* pointers allocated */
    uint64_t segment_buckets; /* buckets in the directory's segments, all of them */
    uint64_t bucket_floor;    /* buckets to have in any case: expand_hint */
    size_t child_count;       /* child buckets, the half ones included */
    size_t half_count;        /* children of half a line */
    uint32_t paused;          /* by pause_resize */
    uint32_t held;            /* by iterators and scan callbacks */
    bool shrinking;           /* merging until the load is comfortable again */
};

/* The compiler sees a constant here, in every use. */
typedef bool (*hashtab_equal_fn)(const void *entry, struct bytes key);

/* Resizing that an addition or a removal has become due for. */
void hashtab__after_add(struct hashtab *tab);
void hashtab__after_take(struct hashtab *tab);
/* Puts an entry into the chain, whose home is full, and adds a child where it has to. */
void hashtab__add_below(struct hashtab *tab, struct hashtab_bucket *home, uint8_t tag, void *entry);
/* An entry has been taken out of this child: frees it if it is empty. */
void hashtab__taken_below(struct hashtab *tab, struct hashtab_bucket *home,
                          struct hashtab_bucket *child);
/* Copies the entries of one bucket to out, asking for their first lines, and returns how many. */
unsigned hashtab__entries(const struct hashtab_bucket *bucket, void *out[HASHTAB_SLOTS]);

/* How many segments the directory has when there are that many buckets. */
uint64_t hashtab__segments_for(uint64_t buckets);

/* The top byte of the hash, with the two lowest values folded into the third. */
always_inline_fn uint8_t hashtab_tag(uint64_t hash) {
    unsigned tag = (unsigned)(hash >> 56);
    return (uint8_t)(tag < HASHTAB_TAG_MIN ? HASHTAB_TAG_MIN : tag);
}

always_inline_fn struct hashtab_bucket *hashtab_bucket_at(const struct hashtab *tab,
                                                          uint64_t index) {
    if (index < BIT(HASHTAB_SEGMENT_BITS)) return &tab->segment0[index];
    /* index = 1 fffff oooo.. in binary: the doubling, the segment in it, the offset. */
    unsigned top = 63u ^ (unsigned)__builtin_clzll(index);
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

/* ---- sets of slots: one bit each, the lowest for slot 0; hashtab_first tells which it is ----
 *
 * hashtab_match    those that hold an entry with this tag (exact: no false matches)
 * hashtab_alike    those that hold an entry whose tag agrees with this one in the bits of mask
 * hashtab_used     those that hold an entry
 * hashtab_room     those that may take one */
#if defined(__SSE2__) && !defined(HASHTAB_PORTABLE)
#define HASHTAB_FIRST_SHIFT 0

always_inline_fn __m128i hashtab_tags(const struct hashtab_bucket *bucket) {
    return _mm_load_si128((const __m128i *)(const void *)bucket);
}
always_inline_fn uint64_t hashtab_set(__m128i bytes) {
    return (unsigned)_mm_movemask_epi8(bytes) & (BIT(HASHTAB_SLOTS) - 1);
}
always_inline_fn uint64_t hashtab_match(const struct hashtab_bucket *bucket, uint8_t tag) {
    return hashtab_set(_mm_cmpeq_epi8(hashtab_tags(bucket), _mm_set1_epi8((char)tag)));
}
always_inline_fn uint64_t hashtab_used(const struct hashtab_bucket *bucket) {
    __m128i tags = hashtab_tags(bucket);
    return hashtab_set(_mm_cmpeq_epi8(_mm_max_epu8(tags, _mm_set1_epi8(HASHTAB_TAG_MIN)), tags));
}
always_inline_fn uint64_t hashtab_room(const struct hashtab_bucket *bucket) {
    return hashtab_set(_mm_cmpeq_epi8(hashtab_tags(bucket), _mm_setzero_si128()));
}
always_inline_fn uint64_t hashtab_alike(const struct hashtab_bucket *bucket, uint8_t tag,
                                        uint8_t mask) {
    __m128i tags = _mm_and_si128(hashtab_tags(bucket), _mm_set1_epi8((char)mask));
    return hashtab_set(_mm_cmpeq_epi8(tags, _mm_set1_epi8((char)(tag & mask)))) &
           hashtab_used(bucket);
}

#elif defined(__aarch64__) && !defined(HASHTAB_PORTABLE)
#define HASHTAB_FIRST_SHIFT \
    2 /* there is no movemask: each slot has four bits, of which one stays */

always_inline_fn uint8x16_t hashtab_tags(const struct hashtab_bucket *bucket) {
    return vld1q_u8((const uint8_t *)(const void *)bucket);
}
always_inline_fn uint64_t hashtab_set(uint8x16_t bytes) {
    uint8x8_t nibbles = vshrn_n_u16(vreinterpretq_u16_u8(bytes), 4);
    return vget_lane_u64(vreinterpret_u64_u8(nibbles), 0) & 0x888888888ull;
}
always_inline_fn uint64_t hashtab_match(const struct hashtab_bucket *bucket, uint8_t tag) {
    return hashtab_set(vceqq_u8(hashtab_tags(bucket), vdupq_n_u8(tag)));
}
always_inline_fn uint64_t hashtab_used(const struct hashtab_bucket *bucket) {
    return hashtab_set(vcgeq_u8(hashtab_tags(bucket), vdupq_n_u8(HASHTAB_TAG_MIN)));
}
always_inline_fn uint64_t hashtab_room(const struct hashtab_bucket *bucket) {
    return hashtab_set(vceqzq_u8(hashtab_tags(bucket)));
}
always_inline_fn uint64_t hashtab_alike(const struct hashtab_bucket *bucket, uint8_t tag,
                                        uint8_t mask) {
    uint8x16_t tags = vandq_u8(hashtab_tags(bucket), vdupq_n_u8(mask));
    return hashtab_set(vceqq_u8(tags, vdupq_n_u8(tag & mask))) & hashtab_used(bucket);
}

#else /* eight tags as one word, and the ninth */
#define HASHTAB_FIRST_SHIFT 0
#define HASHTAB_ONES 0x0101010101010101ull

always_inline_fn uint64_t hashtab_tags(const struct hashtab_bucket *bucket) {
    uint64_t word;
    memcpy(&word, bucket, sizeof(word));
    return word;
}
/* The slots whose byte is 0. */
always_inline_fn uint64_t hashtab_set(uint64_t word, uint8_t last) {
    const uint64_t low7 = HASHTAB_ONES * 0x7f;
    uint64_t zeros = ~(((word & low7) + low7) | word | low7); /* bit 7 of each byte that is 0 */
    /* The product has bit 8*i at 56+i: no two terms meet. */
    return (zeros >> 7) * 0x0102040810204080ull >> 56 | (uint64_t)(last == 0) << HASHTAB_LINK;
}
always_inline_fn uint64_t hashtab_match(const struct hashtab_bucket *bucket, uint8_t tag) {
    return hashtab_set(hashtab_tags(bucket) ^ HASHTAB_ONES * tag, bucket->tags[HASHTAB_LINK] ^ tag);
}
always_inline_fn uint64_t hashtab_used(const struct hashtab_bucket *bucket) {
    uint64_t word = hashtab_tags(bucket) & ~(HASHTAB_ONES * HASHTAB_TAG_NONE);
    return hashtab_set(word, bucket->tags[HASHTAB_LINK] & ~HASHTAB_TAG_NONE) ^
           (BIT(HASHTAB_SLOTS) - 1);
}
always_inline_fn uint64_t hashtab_room(const struct hashtab_bucket *bucket) {
    return hashtab_set(hashtab_tags(bucket), bucket->tags[HASHTAB_LINK]);
}
always_inline_fn uint64_t hashtab_alike(const struct hashtab_bucket *bucket, uint8_t tag,
                                        uint8_t mask) {
    uint64_t differs = (hashtab_tags(bucket) ^ HASHTAB_ONES * tag) & HASHTAB_ONES * mask;
    return hashtab_set(differs, (bucket->tags[HASHTAB_LINK] ^ tag) & mask) & hashtab_used(bucket);
}
#endif

/* The lowest slot of a set that is not empty. */
always_inline_fn unsigned hashtab_first(uint64_t set) {
    return (unsigned)__builtin_ctzll(set) >> HASHTAB_FIRST_SHIFT;
}

/* ---- slots and chains ---- */

/* Where the word begins whose upper 48 bits are the slot: two bytes before it, so that the last
 * slot's word ends with the line. */
enum {
    HASHTAB_WORD_OFFSET = offsetof(struct hashtab_bucket, slots) + HASHTAB_SLOT_BYTES - 8,
    HASHTAB_WORD_SHIFT = 64 - HASHTAB_ADDRESS_BITS,
};

always_inline_fn void *hashtab_slot(const struct hashtab_bucket *bucket, unsigned slot) {
    uint64_t word;
    const char *at = (const char *)bucket + HASHTAB_WORD_OFFSET;
    memcpy(&word, at + (size_t)slot * HASHTAB_SLOT_BYTES, sizeof(word));
    return (void *)(uintptr_t)(word >> HASHTAB_WORD_SHIFT);
}

always_inline_fn void hashtab_set_slot(struct hashtab_bucket *bucket, unsigned slot,
                                       const void *ptr) {
    uint64_t address = (uintptr_t)ptr;
    check(address >> HASHTAB_ADDRESS_BITS == 0); /* no system gives more without being asked to */
    memcpy(bucket->slots[slot], &address, HASHTAB_SLOT_BYTES);
}

always_inline_fn struct hashtab_bucket *hashtab_child(const struct hashtab_bucket *bucket) {
    return bucket->below ? hashtab_slot(bucket, HASHTAB_LINK) : NULL;
}

/* The child if an entry with this tag may be in it or behind it, else NULL. */
always_inline_fn struct hashtab_bucket *hashtab_child_for(const struct hashtab_bucket *bucket,
                                                          uint8_t tag) {
    if (likely(!(bucket->below >> (tag & 7) & 1))) return NULL;
    return hashtab_slot(bucket, HASHTAB_LINK);
}

/* ---- the operations ---- */

/* The place of a key that is not in the chain: a slot of its home, or, if that is full, somewhere
 * below it. */
always_inline_fn void hashtab_place_for_new(struct hashtab_bucket *home,
                                            struct hashtab_place *place) {
    uint64_t room = hashtab_room(home);
    *place = (struct hashtab_place){
        .home = home, .bucket = home, .slot = room ? hashtab_first(room) : HASHTAB_SLOTS};
}

/* hashtab_find. */
always_inline_fn void *hashtab_find_with(const struct hashtab *tab, uint64_t hash, struct bytes key,
                                         hashtab_equal_fn equal) {
    const struct hashtab_bucket *bucket = hashtab_home(tab, hash);
    uint8_t tag = hashtab_tag(hash);
    do {
        for (uint64_t match = hashtab_match(bucket, tag); match; match &= match - 1) {
            void *entry = hashtab_slot(bucket, hashtab_first(match));
            if (likely(equal(entry, key))) return entry;
        }
        bucket = hashtab_child_for(bucket, tag);
    } while (unlikely(bucket != NULL));
    return NULL;
}

/* hashtab_probe. */
always_inline_fn void *hashtab_probe_with(const struct hashtab *tab, uint64_t hash,
                                          struct bytes key, struct hashtab_place *place,
                                          hashtab_equal_fn equal) {
    struct hashtab_bucket *home = hashtab_home(tab, hash), *bucket = home;
    uint8_t tag = hashtab_tag(hash);
    do {
        for (uint64_t match = hashtab_match(bucket, tag); match; match &= match - 1) {
            unsigned slot = hashtab_first(match);
            void *entry = hashtab_slot(bucket, slot);
            if (likely(equal(entry, key))) {
                *place = (struct hashtab_place){.home = home, .bucket = bucket, .slot = slot};
                return entry;
            }
        }
        bucket = hashtab_child_for(bucket, tag);
    } while (unlikely(bucket != NULL));
    hashtab_place_for_new(home, place);
    return NULL;
}

/* hashtab_place_add. */
always_inline_fn void hashtab_place_add_inline(struct hashtab *tab, uint64_t hash,
                                               const struct hashtab_place *place, void *entry) {
    struct hashtab_bucket *home = place->home;
    if (likely(place->slot < HASHTAB_SLOTS)) {
        dcheck(home->tags[place->slot] == HASHTAB_TAG_FREE);
        hashtab_set_slot(home, place->slot, entry);
        home->tags[place->slot] = hashtab_tag(hash);
    } else {
        hashtab__add_below(tab, home, hashtab_tag(hash), entry);
    }
    tab->count++;
    if (unlikely(tab->count >= tab->grow_at)) hashtab__after_add(tab);
}

/* hashtab_place_replace. */
always_inline_fn void hashtab_place_replace_inline(const struct hashtab_place *place, void *entry) {
    dcheck(place->slot < HASHTAB_SLOTS);
    dcheck(place->bucket->tags[place->slot] >= HASHTAB_TAG_MIN);
    hashtab_set_slot(place->bucket, place->slot, entry);
}

/* hashtab_place_take. */
always_inline_fn void *hashtab_place_take_inline(struct hashtab *tab, uint64_t hash,
                                                 const struct hashtab_place *place) {
    struct hashtab_bucket *bucket = place->bucket;
    dcheck(place->home == hashtab_home(tab, hash));
    dcheck(place->slot < HASHTAB_SLOTS);
    dcheck(bucket->tags[place->slot] >= HASHTAB_TAG_MIN);
    void *entry = hashtab_slot(bucket, place->slot);
    bucket->tags[place->slot] = HASHTAB_TAG_FREE;
    if (unlikely(bucket != place->home)) hashtab__taken_below(tab, place->home, bucket);
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
    uint8_t tag = hashtab_tag(hash);
    uint64_t match = hashtab_match(bucket, tag);
    if (unlikely(!match)) { /* further down, or absent: then an addition may want the child */
        const struct hashtab_bucket *child = hashtab_child(bucket);
        if (!child) return;
        if (!hashtab_child_for(bucket, tag)) {
            prefetch_line_to_write(child);
            return;
        }
        bucket = child;
        match = hashtab_match(bucket, tag);
    }
    for (; match; match &= match - 1) {
        const char *entry = hashtab_slot(bucket, hashtab_first(match));
        prefetch_line(entry);
        prefetch_line(entry + CACHE_LINE);
    }
}
