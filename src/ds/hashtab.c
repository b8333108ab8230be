/* SPDX-License-Identifier: BSD-3-Clause */
/* hashtab -- see hashtab.h for the bucket and the idea; here are resizing and the storage.
 *
 * With 2^k <= bucket_count < 2^(k+1) and p = bucket_count - 2^k, the buckets below p have been
 * split already, and so have their images above 2^k: those hold the keys that agree with the index
 * in k+1 bits of the hash. Buckets p .. 2^k - 1 go by k bits.
 *
 *      0        p            2^k       2^k + p
 *      ├─ split ┼─ to split ──┼─ images ─┤
 *      k+1 bits   k bits        k+1 bits
 *
 * Splitting p moves part of its entries to 2^k + p, which is the new last bucket; merging is the
 * reverse, and needs no hash, since tags do not depend on the number of bits.
 *
 * Storage: buckets never move while the table grows, so they lie in segments. Segment 0 has up to
 * 256 buckets and is the one part that is reallocated (16 KiB at most). After that each doubling
 * comes in 32 segments: the allocation runs ahead of need by 1/32 at most, no memory is touched
 * before it is used (a bucket is cleared when it is split off), and the directory stays so small
 * that it lives in the L1 cache: half of all buckets are behind its last 32 pointers.
 *
 * Splitting needs the entries' hashes, that is their bytes. An addition shortly before the next
 * split prefetches them, so the split itself finds them in the cache.
 *
 * Invariants (hashtab_verify):
 * 1. 1 <= bucket_count, mask is the smallest power of two not below it, minus 1.
 * 2. An entry is in the chain of its home bucket, once, and its tag is the top byte of its hash.
 * 3. count and child_count are exact; keys are unique.
 * 4. A bucket has a child exactly if below is not 0, and then its last slot is the link. below has
 *    the bits of all tags in the buckets after it. A child is never empty, a home may be.
 * 5. Segments are there up to the bucket bucket_count - 1, and none beyond. */
#include "ds/hashtab.h"

#include "base/mem.h"
#include "base/pace.h"
#include "ds/hashtab_inline.h"

#ifndef HASHTAB_LOAD_EIGHTHS
#define HASHTAB_LOAD_EIGHTHS 58 /* measured: see README.md */
#endif

enum {
    LOAD_EIGHTHS = HASHTAB_LOAD_EIGHTHS,        /* the table grows beyond this/8 entries a bucket */
    COMFORTABLE_EIGHTHS = LOAD_EIGHTHS * 3 / 4, /* shrinking ends here ... */
    SPARSE_EIGHTHS = 24,                        /* ... and begins here */
    FORCED_FACTOR = 4,                          /* a paused table grows at this times the load */
    PREFETCH_LEAD = 2, /* additions between prefetching and splitting a bucket */
    SEGMENT0_MAX = 1 << HASHTAB_SEGMENT_BITS,
    DIRECTORY_CAP_MIN = 16,
    CLEAR_STEP = 16, /* buckets emptied at a time */
};
#define BUCKETS_MAX (1ull << 40) /* bounds cursors and hints, not memory */

static uint64_t load_limit(const struct hashtab *tab) {
    return tab->bucket_count * LOAD_EIGHTHS / 8;
}
static bool is_overfull(const struct hashtab *tab) {
    if (tab->held) return false;
    return tab->count > load_limit(tab) * (tab->paused ? FORCED_FACTOR : 1);
}
static bool is_sparse(const struct hashtab *tab) {
    return tab->bucket_count > size_max(tab->bucket_floor, 1) &&
           tab->count < tab->bucket_count * SPARSE_EIGHTHS / 8;
}

/* Sets the counts at which the next change has something to do. */
static void set_thresholds(struct hashtab *tab) {
    uint64_t limit = load_limit(tab);
    tab->grow_at =
        tab->bucket_count < tab->bucket_floor ? 0 : limit - size_min(limit, PREFETCH_LEAD);
    bool always = tab->shrinking || tab->bucket_count == 1;
    tab->shrink_at = always ? SIZE_MAX : tab->bucket_count * SPARSE_EIGHTHS / 8;
}

static void set_bucket_count(struct hashtab *tab, uint64_t count) {
    tab->bucket_count = count;
    tab->mask = count == 1 ? 0 : BIT(64 - __builtin_clzll(count - 1)) - 1;
}

/* ---- buckets and chains ---- */

static void bucket_clear(struct hashtab_bucket *bucket) {
    memset(bucket->tags, HASHTAB_TAG_FREE, sizeof(bucket->tags));
    bucket->below = 0;
}

static void bucket_put(struct hashtab_bucket *bucket, unsigned slot, uint8_t tag, void *entry) {
    hashtab_set_slot(bucket, slot, entry);
    bucket->tags[slot] = tag;
}

static void bucket_link(struct hashtab_bucket *bucket, const struct hashtab_bucket *child) {
    hashtab_set_slot(bucket, HASHTAB_LINK, child);
    bucket->tags[HASHTAB_LINK] = HASHTAB_TAG_NONE;
}

static void bucket_prefetch_entries(const struct hashtab_bucket *bucket) {
    for (uint64_t used = hashtab_used(bucket); used; used &= used - 1)
        prefetch_line(hashtab_slot(bucket, hashtab_first(used)));
}

unsigned hashtab__entries(const struct hashtab_bucket *bucket, void *out[HASHTAB_SLOTS]) {
    unsigned count = 0;
    for (uint64_t used = hashtab_used(bucket); used; used &= used - 1) {
        out[count] = hashtab_slot(bucket, hashtab_first(used));
        prefetch_line(out[count++]);
    }
    return count;
}

static uint8_t below_bit(uint8_t tag) { return (uint8_t)(1u << (tag & 7)); }

static bool is_half(const struct hashtab_bucket *bucket) {
    return bucket->tags[HASHTAB_HALF_SLOTS] == HASHTAB_TAG_NONE;
}

static struct hashtab_bucket *child_create(struct hashtab *tab, bool half) {
    size_t size = half ? HASHTAB_HALF_BYTES : sizeof(struct hashtab_bucket);
    struct hashtab_bucket *child = mem_alloc_aligned(size, size);
    bucket_clear(child);
    if (half) {
        memset(child->tags + HASHTAB_HALF_SLOTS, HASHTAB_TAG_NONE,
               HASHTAB_SLOTS - HASHTAB_HALF_SLOTS);
        tab->half_count++;
    }
    tab->child_count++;
    return child;
}

static void child_free(struct hashtab *tab, struct hashtab_bucket *child) {
    bool half = is_half(child);
    tab->half_count -= half;
    tab->child_count--;
    mem_free_sized(child, half ? HASHTAB_HALF_BYTES : sizeof(*child));
}

/* Makes room for a tag behind the last bucket of a chain, which is full, and returns the bucket
 * that has it: a half child becomes a whole one, anything else gets a half child. */
static struct hashtab_bucket *chain_extend(struct hashtab *tab, struct hashtab_bucket *parent,
                                           struct hashtab_bucket *last, uint8_t tag) {
    bool half = is_half(last);
    struct hashtab_bucket *child = child_create(tab, !half);
    if (half) {
        memcpy(child->tags, last->tags, HASHTAB_HALF_SLOTS);
        memcpy(child->slots, last->slots, sizeof(last->slots[0]) * HASHTAB_HALF_SLOTS);
        bucket_link(parent, child);
        child_free(tab, last);
        return child;
    }
    uint8_t displaced = last->tags[HASHTAB_LINK];
    bucket_put(child, 0, displaced, hashtab_slot(last, HASHTAB_LINK));
    bucket_link(last, child);
    last->below = below_bit(displaced) | below_bit(tag);
    return child;
}

void hashtab__add_below(struct hashtab *tab, struct hashtab_bucket *home, uint8_t tag,
                        void *entry) {
    struct hashtab_bucket *parent = NULL, *bucket = home;
    uint64_t room = 0;
    while (bucket->below && !room) {
        parent = bucket;
        bucket = hashtab_child(bucket);
        room = hashtab_room(bucket);
        parent->below |= below_bit(tag);
    }
    if (!room) {
        bucket = chain_extend(tab, parent, bucket, tag);
        room = hashtab_room(bucket);
    }
    bucket_put(bucket, hashtab_first(room), tag, entry);
}

void hashtab__taken_below(struct hashtab *tab, struct hashtab_bucket *home,
                          struct hashtab_bucket *child) {
    if (hashtab_used(child)) return;

    struct hashtab_bucket *parent = home;
    while (hashtab_child(parent) != child) {
        parent = hashtab_child(parent);
        check(parent != NULL);
    }
    parent->below = child->below;
    if (child->below) {
        bucket_link(parent, hashtab_child(child));
    } else {
        parent->tags[HASHTAB_LINK] = HASHTAB_TAG_FREE;
    }
    child_free(tab, child);
}

static void chain_put(struct hashtab *tab, struct hashtab_bucket *home, uint8_t tag, void *entry) {
    uint64_t room = hashtab_room(home);
    if (room) {
        bucket_put(home, hashtab_first(room), tag, entry);
    } else {
        hashtab__add_below(tab, home, tag, entry);
    }
}

/* ---- storage ---- */

uint64_t hashtab__segments_for(uint64_t buckets) {
    if (buckets <= SEGMENT0_MAX) return 0;
    unsigned top = 63u - (unsigned)__builtin_clzll(buckets - 1);
    return ((uint64_t)(top - HASHTAB_SEGMENT_BITS) << HASHTAB_FANOUT_BITS) +
           ((buckets - 1) >> (top - HASHTAB_FANOUT_BITS)) - BIT(HASHTAB_FANOUT_BITS) + 1;
}

static uint64_t segment_size(uint64_t segment) {
    return BIT((segment >> HASHTAB_FANOUT_BITS) + HASHTAB_SEGMENT_BITS - HASHTAB_FANOUT_BITS);
}

/* 1, 2 .. 8, 10, 12, 14, 16, 20 .. 256: the sizes of segment 0, which are the allocator's too. */
static uint64_t segment0_cap_for(uint64_t buckets) {
    if (buckets <= 8) return buckets;
    uint64_t unit = BIT(61 - __builtin_clzll(buckets - 1)); /* a quarter of the doubling */
    return (buckets + unit - 1) & ~(unit - 1);
}

static void segment0_resize(struct hashtab *tab, uint64_t cap) {
    struct hashtab_bucket *buckets = mem_alloc_aligned(CACHE_LINE, cap * sizeof(*buckets));
    memcpy(buckets, tab->segment0, size_min(cap, tab->bucket_count) * sizeof(*buckets));
    mem_free_sized(tab->segment0, tab->segment0_cap * sizeof(*buckets));
    tab->segment0 = buckets;
    tab->segment0_cap = cap;
}

/* Storage for the bucket after the last one. */
static void storage_grow(struct hashtab *tab) {
    uint64_t buckets = tab->bucket_count + 1;
    check(buckets <= BUCKETS_MAX);
    if (buckets <= SEGMENT0_MAX) {
        if (buckets > tab->segment0_cap) segment0_resize(tab, segment0_cap_for(buckets));
        return;
    }
    if (hashtab__segments_for(buckets) == tab->segment_count) return;

    if (tab->segment_count == tab->directory_cap) {
        tab->directory_cap = size_max(tab->directory_cap * 2, DIRECTORY_CAP_MIN);
        tab->directory = mem_realloc(tab->directory, tab->directory_cap * sizeof(void *));
    }
    uint64_t size = segment_size(tab->segment_count);
    tab->directory[tab->segment_count++] =
        mem_alloc_aligned(CACHE_LINE, size * sizeof(struct hashtab_bucket));
    tab->segment_buckets += size;
}

/* Frees storage beyond the last bucket. */
static void storage_trim(struct hashtab *tab) {
    uint64_t needed = hashtab__segments_for(tab->bucket_count);
    while (tab->segment_count > needed) {
        uint64_t size = segment_size(--tab->segment_count);
        mem_free_sized(tab->directory[tab->segment_count], size * sizeof(struct hashtab_bucket));
        tab->segment_buckets -= size;
    }
    if (tab->segment_count == 0) {
        mem_free(tab->directory);
        tab->directory = NULL;
        tab->directory_cap = 0;
    } else if (tab->segment_count <= tab->directory_cap / 4) {
        tab->directory_cap /= 2;
        tab->directory = mem_realloc(tab->directory, tab->directory_cap * sizeof(void *));
    }
    uint64_t cap = segment0_cap_for(size_min(tab->bucket_count, SEGMENT0_MAX));
    if (cap * 2 <= tab->segment0_cap) segment0_resize(tab, cap);
}

/* The bucket that will be split `ahead` splits from now. */
static struct hashtab_bucket *next_to_split(const struct hashtab *tab, uint64_t ahead) {
    uint64_t next = tab->bucket_count + ahead;
    return hashtab_bucket_at(tab, next - BIT(63 - __builtin_clzll(next)));
}

/* ---- resizing ---- */

/* Divides the entries of a chain between it and the empty bucket `image`, by a bit of the hash. */
static void divide_chain(struct hashtab *tab, struct hashtab_bucket *home,
                         struct hashtab_bucket *image, uint64_t bit) {
    alignas(CACHE_LINE) struct hashtab_bucket copy = *home;
    struct hashtab_bucket *from = &copy;
    bucket_clear(home);
    do {
        bucket_prefetch_entries(from);
        for (uint64_t used = hashtab_used(from); used; used &= used - 1) {
            unsigned slot = hashtab_first(used);
            void *entry = hashtab_slot(from, slot);
            bool moves = (tab->type->hash(entry) & bit) != 0;
            chain_put(tab, moves ? image : home, from->tags[slot], entry);
        }
        struct hashtab_bucket *next = hashtab_child(from);
        if (from != &copy) child_free(tab, from);
        from = next;
    } while (from);
}

/* The same for a bucket without children. */
static void divide_bucket(const struct hashtab *tab, struct hashtab_bucket *home,
                          struct hashtab_bucket *image, uint64_t bit) {
    unsigned image_slot = 0;
    for (uint64_t used = hashtab_used(home); used; used &= used - 1) {
        unsigned slot = hashtab_first(used);
        void *entry = hashtab_slot(home, slot);
        if (!(tab->type->hash(entry) & bit)) continue;
        bucket_put(image, image_slot++, home->tags[slot], entry);
        home->tags[slot] = HASHTAB_TAG_FREE;
    }
}

static void split_one(struct hashtab *tab) {
    uint64_t last = tab->bucket_count;
    uint64_t bit = BIT(63 - __builtin_clzll(last));
    storage_grow(tab);
    struct hashtab_bucket *home = hashtab_bucket_at(tab, last - bit);
    struct hashtab_bucket *image = hashtab_bucket_at(tab, last);
    bucket_clear(image);
    if (home->below) {
        divide_chain(tab, home, image, bit);
    } else {
        divide_bucket(tab, home, image, bit);
    }
    set_bucket_count(tab, last + 1);
}

static void merge_one(struct hashtab *tab) {
    uint64_t last = tab->bucket_count - 1;
    struct hashtab_bucket *from = hashtab_bucket_at(tab, last);
    struct hashtab_bucket *home = hashtab_bucket_at(tab, last - BIT(63 - __builtin_clzll(last)));
    bool is_child = false;
    do {
        for (uint64_t used = hashtab_used(from); used; used &= used - 1) {
            unsigned slot = hashtab_first(used);
            chain_put(tab, home, from->tags[slot], hashtab_slot(from, slot));
        }
        struct hashtab_bucket *next = hashtab_child(from);
        if (is_child) child_free(tab, from);
        from = next;
        is_child = true;
    } while (from);
    set_bucket_count(tab, last);
    storage_trim(tab);
}

/* The two buckets that merge_one joins next. */
static void prefetch_next_merge(const struct hashtab *tab) {
    uint64_t last = tab->bucket_count - 1;
    if (last == 0) return;
    prefetch_line(hashtab_bucket_at(tab, last));
    prefetch_line_to_write(hashtab_bucket_at(tab, last - BIT(63 - __builtin_clzll(last))));
}

/* Splits up to budget buckets, and returns how many. */
static size_t grow(struct hashtab *tab, size_t budget) {
    size_t done = 0;
    bool hinted = tab->bucket_count < tab->bucket_floor && !tab->paused && !tab->held;
    for (; done < budget && (is_overfull(tab) || hinted); done++) {
        prefetch_line_to_write(next_to_split(tab, 2));
        if (budget > 1) bucket_prefetch_entries(next_to_split(tab, 1));
        split_one(tab);
        hinted = hinted && tab->bucket_count < tab->bucket_floor;
    }
    if (done) tab->shrinking = false;
    if (tab->count > load_limit(tab) / 2 && tab->bucket_count >= tab->bucket_floor) {
        tab->bucket_floor = 0; /* the hint has served */
    }
    return done;
}

/* Merges up to budget buckets, and returns how many. */
static size_t shrink(struct hashtab *tab, size_t budget) {
    size_t done = 0;
    if (tab->paused || tab->held) return 0;

    if (is_sparse(tab)) tab->shrinking = true;
    while (tab->shrinking && done < budget) {
        if (tab->bucket_count <= size_max(tab->bucket_floor, 1) ||
            tab->count + 1 >= tab->bucket_count * COMFORTABLE_EIGHTHS / 8) {
            tab->shrinking = false;
        } else {
            merge_one(tab);
            prefetch_next_merge(tab);
            done++;
        }
    }
    return done;
}

void hashtab__after_add(struct hashtab *tab) {
    bool hinted = tab->bucket_count < tab->bucket_floor;
    if (!hinted && tab->count <= load_limit(tab)) { /* soon */
        if (tab->paused || tab->held) return;
        bucket_prefetch_entries(next_to_split(tab, 0));
        tab->grow_at = load_limit(tab) + 1;
        return;
    }
    if (grow(tab, HASHTAB_STEP) == 0) return;

    prefetch_line_to_write(next_to_split(tab, 0));
    set_thresholds(tab);
}

/* Moves the entries behind the first free slot up by one: those of a table of one bucket stay in
 * the order of their addition. */
static void close_gap(struct hashtab *tab) {
    struct hashtab_bucket *bucket = tab->segment0;
    if (bucket->below) return; /* a paused table, and the last slot is the link */
    unsigned gap = hashtab_first(hashtab_room(bucket)), behind = HASHTAB_SLOTS - 1 - gap;
    if (gap == tab->count) return; /* the last one was taken */
    memmove(bucket->tags + gap, bucket->tags + gap + 1, behind);
    memmove(bucket->slots + gap, bucket->slots + gap + 1, behind * sizeof(bucket->slots[0]));
    bucket->tags[HASHTAB_SLOTS - 1] = HASHTAB_TAG_FREE;
}

void hashtab__after_take(struct hashtab *tab) {
    if (tab->bucket_count == 1) { /* held or not: who walks over it has a copy */
        close_gap(tab);
        return;
    }
    if (tab->paused || tab->held) return;
    if (tab->count < tab->bucket_count * SPARSE_EIGHTHS / 8)
        tab->bucket_floor = 0; /* it was wrong */
    if (shrink(tab, HASHTAB_STEP) > 0 || !tab->shrinking) set_thresholds(tab);
}

bool hashtab_step(struct hashtab *tab, size_t budget_buckets) {
    if (tab->paused || tab->held) return false;
    size_t done = tab->count > load_limit(tab) ? grow(tab, budget_buckets) : 0;
    if (done == 0) done = shrink(tab, budget_buckets);
    if (done) set_thresholds(tab);
    return is_overfull(tab) || tab->shrinking;
}

bool hashtab_is_resizing(const struct hashtab *tab) {
    return tab->count > load_limit(tab) || tab->shrinking;
}

void hashtab_pause_resize(struct hashtab *tab) {
    check(tab->paused < UINT32_MAX);
    tab->paused++;
}

void hashtab_resume_resize(struct hashtab *tab) {
    check(tab->paused > 0);
    tab->paused--;
}

void hashtab_expand_hint(struct hashtab *tab, size_t count) {
    uint64_t entries = count; /* a size_t may be too small for BUCKETS_MAX */
    if (entries > BUCKETS_MAX / 8) entries = BUCKETS_MAX / 8;
    uint64_t wanted = entries * 8 / LOAD_EIGHTHS;
    if (wanted * LOAD_EIGHTHS / 8 < entries) wanted++;
    tab->bucket_floor = wanted;
    if (tab->count == 0 && !tab->held && tab->bucket_count < size_min(wanted, SEGMENT0_MAX)) {
        uint64_t buckets = size_min(wanted, SEGMENT0_MAX);
        if (buckets > tab->segment0_cap) segment0_resize(tab, segment0_cap_for(buckets));
        memset(tab->segment0, 0, buckets * sizeof(struct hashtab_bucket));
        set_bucket_count(tab, buckets);
        tab->shrinking = false;
    }
    if (tab->bucket_count >= tab->bucket_floor && tab->count > 0) tab->bucket_floor = 0;
    set_thresholds(tab);
}

static void init(struct hashtab *tab, const struct hashtab_type *type) {
    *tab = (struct hashtab){.type = type, .segment0_cap = 1};
    tab->segment0 = mem_alloc_aligned(CACHE_LINE, sizeof(struct hashtab_bucket));
    *tab->segment0 = (struct hashtab_bucket){0};
    set_bucket_count(tab, 1);
    set_thresholds(tab);
}

struct hashtab *hashtab_create(const struct hashtab_type *type) {
    check(type->key && type->hash);
    struct hashtab *tab = mem_alloc_aligned(CACHE_LINE, sizeof(*tab));
    init(tab, type);
    return tab;
}

void hashtab_destroy(struct hashtab **tab_in) {
    struct hashtab *tab = *tab_in;
    *tab_in = NULL;
    if (!tab) return;

    hashtab_clear(tab);
    mem_free_sized(tab->segment0, tab->segment0_cap * sizeof(struct hashtab_bucket));
    mem_free_sized(tab, sizeof(*tab));
}

struct hashtab *hashtab_detach(struct hashtab *tab) {
    check(tab->held == 0);
    struct hashtab *other = mem_alloc_aligned(CACHE_LINE, sizeof(*other));
    uint32_t paused = tab->paused;
    *other = *tab;
    other->paused = 0;
    init(tab, other->type);
    tab->paused = paused;
    return other;
}

/* Empties a chain: each entry to fn, or dropped. */
static void drain_chain(struct hashtab *tab, struct hashtab_bucket *home, hashtab_visit_fn fn,
                        void *ctx) {
    struct hashtab_bucket *from = home;
    do {
        for (uint64_t used = hashtab_used(from); used; used &= used - 1) {
            void *entry = hashtab_slot(from, hashtab_first(used));
            tab->count--;
            if (fn) {
                fn(entry, ctx);
            } else if (tab->type->drop) {
                tab->type->drop(entry);
            }
        }
        struct hashtab_bucket *next = hashtab_child(from);
        if (from != home) child_free(tab, from);
        from = next;
    } while (from);
    bucket_clear(home);
}

bool hashtab_drain(struct hashtab *tab, size_t budget_buckets, hashtab_visit_fn fn, void *ctx) {
    check(tab->held == 0);
    /* From the end, so that the buckets left are a table at any moment. */
    for (size_t i = 0; i < budget_buckets && tab->count > 0; i++) {
        uint64_t last = tab->bucket_count - 1;
        if (last >= 2) prefetch_line(hashtab_bucket_at(tab, last - 2));
        if (last >= 1) bucket_prefetch_entries(hashtab_bucket_at(tab, last - 1));
        drain_chain(tab, hashtab_bucket_at(tab, last), fn, ctx);
        if (last == 0) continue;
        set_bucket_count(tab, last);
        storage_trim(tab);
    }
    if (tab->count == 0) {
        check(tab->child_count == 0);
        set_bucket_count(tab, 1);
        bucket_clear(tab->segment0);
        storage_trim(tab);
    }
    tab->bucket_floor = 0;
    tab->shrinking = false;
    set_thresholds(tab);
    return tab->count > 0;
}

void hashtab_clear(struct hashtab *tab) {
    while (hashtab_drain(tab, CLEAR_STEP, NULL, NULL))
        pace_step();
}

size_t hashtab_count(const struct hashtab *tab) { return tab->count; }

void *hashtab_probe(const struct hashtab *tab, uint64_t hash, struct bytes key,
                    struct hashtab_place *place) {
    struct hashtab_bucket *home = hashtab_home(tab, hash), *bucket = home;
    uint8_t tag = hashtab_tag(hash);
    do {
        for (uint64_t match = hashtab_match(bucket, tag); match; match &= match - 1) {
            unsigned slot = hashtab_first(match);
            void *entry = hashtab_slot(bucket, slot);
            if (bytes_equal(tab->type->key(entry), key)) {
                *place = (struct hashtab_place){.home = home, .bucket = bucket, .slot = slot};
                return entry;
            }
        }
        bucket = hashtab_child_for(bucket, tag);
    } while (bucket);
    hashtab_place_for_new(home, place);
    return NULL;
}

void *hashtab_find(const struct hashtab *tab, uint64_t hash, struct bytes key) {
    const struct hashtab_bucket *bucket = hashtab_home(tab, hash);
    uint8_t tag = hashtab_tag(hash);
    do {
        for (uint64_t match = hashtab_match(bucket, tag); match; match &= match - 1) {
            void *entry = hashtab_slot(bucket, hashtab_first(match));
            if (bytes_equal(tab->type->key(entry), key)) return entry;
        }
        bucket = hashtab_child_for(bucket, tag);
    } while (bucket);
    return NULL;
}

/* Finds the very entry in its chain, without reading its bytes. It must be there. */
static struct hashtab_place place_of_entry(const struct hashtab *tab, uint64_t hash,
                                           const void *entry) {
    struct hashtab_bucket *home = hashtab_home(tab, hash), *bucket = home;
    uint8_t tag = hashtab_tag(hash);
    do {
        for (uint64_t match = hashtab_match(bucket, tag); match; match &= match - 1) {
            unsigned slot = hashtab_first(match);
            if (hashtab_slot(bucket, slot) == entry) {
                return (struct hashtab_place){.home = home, .bucket = bucket, .slot = slot};
            }
        }
        bucket = hashtab_child_for(bucket, tag);
    } while (bucket);
    panic("hashtab: an entry is not in its table");
}

bool hashtab_add(struct hashtab *tab, uint64_t hash, void *entry) {
    struct hashtab_place place;
    if (hashtab_probe(tab, hash, tab->type->key(entry), &place)) return false;
    hashtab_place_add_inline(tab, hash, &place, entry);
    return true;
}

void hashtab_add_new(struct hashtab *tab, uint64_t hash, void *entry) {
    struct hashtab_place place;
    hashtab_place_for_new(hashtab_home(tab, hash), &place);
    hashtab_place_add_inline(tab, hash, &place, entry);
}

void *hashtab_take(struct hashtab *tab, uint64_t hash, struct bytes key) {
    struct hashtab_place place;
    if (!hashtab_probe(tab, hash, key, &place)) return NULL;
    return hashtab_place_take_inline(tab, hash, &place);
}

void hashtab_take_entry(struct hashtab *tab, uint64_t hash, const void *entry) {
    struct hashtab_place place = place_of_entry(tab, hash, entry);
    (void)hashtab_place_take_inline(tab, hash, &place);
}

void hashtab_replace(struct hashtab *tab, uint64_t hash, const void *old_entry, void *new_entry) {
    struct hashtab_place place = place_of_entry(tab, hash, old_entry);
    hashtab_place_replace_inline(&place, new_entry);
}

void hashtab_place_add(struct hashtab *tab, uint64_t hash, const struct hashtab_place *place,
                       void *entry) {
    hashtab_place_add_inline(tab, hash, place, entry);
}

void hashtab_place_replace(const struct hashtab_place *place, void *entry) {
    hashtab_place_replace_inline(place, entry);
}

void *hashtab_place_take(struct hashtab *tab, uint64_t hash, const struct hashtab_place *place) {
    return hashtab_place_take_inline(tab, hash, place);
}

void hashtab_prefetch_bucket(const struct hashtab *tab, uint64_t hash) {
    hashtab_prefetch_bucket_inline(tab, hash);
}

void hashtab_prefetch_entry(const struct hashtab *tab, uint64_t hash) {
    hashtab_prefetch_entry_inline(tab, hash);
}
