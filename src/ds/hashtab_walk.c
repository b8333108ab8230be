/* SPDX-License-Identifier: BSD-3-Clause */
/* hashtab_walk -- going over the entries of a hashtab: scan, iterators, random choice, statistics,
 * verification.
 *
 * Scan. Think of the bits of a hash reversed, as a fraction between 0 and 1: the bucket that goes
 * by the d low bits covers an interval of length 2^-d. At any moment the buckets together cover the
 * whole line once; a split halves an interval, a merge joins two. A cursor is a point on that line
 * (its bits reversed too): a call visits the bucket whose interval the point is in, and moves to
 * the end of it. So the points visited never leave a gap, however the table was cut up in between.
 * The idea of counting with reversed bits is Pieter Noordhuis's. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/random.h"
#include "ds/hashtab.h"
#include "ds/hashtab_inline.h"

enum {
    RANDOM_SLOTS_MAX = HASHTAB_SLOTS * 3, /* chain length up to which hashtab_random is exact */
    STATS_CHAIN_MAX = 8,                  /* longer chains are counted together */
};

static uint64_t reverse_bits(uint64_t x) {
    x = (x >> 1 & 0x5555555555555555ull) | (x & 0x5555555555555555ull) << 1;
    x = (x >> 2 & 0x3333333333333333ull) | (x & 0x3333333333333333ull) << 2;
    x = (x >> 4 & 0x0f0f0f0f0f0f0f0full) | (x & 0x0f0f0f0f0f0f0f0full) << 4;
    return __builtin_bswap64(x);
}

/* The bits of the hash by which the bucket goes that a hash with these low bits belongs to. */
static uint64_t mask_of(const struct hashtab *tab, uint64_t hash) {
    uint64_t half = BIT(63 - __builtin_clzll(tab->bucket_count)); /* 2^k of hashtab.c */
    uint64_t split = tab->bucket_count - half;
    return (hash & (half - 1)) < split ? half * 2 - 1 : half - 1;
}

/* Gives a copy of the bucket's entries to fn, so that fn may take them. */
static void visit_bucket(const struct hashtab_bucket *bucket, hashtab_visit_fn fn, void *ctx) {
    void *entries[HASHTAB_SLOTS];
    unsigned count = hashtab__entries(bucket, entries);
    for (unsigned i = 0; i < count; i++)
        fn(entries[i], ctx);
}

uint64_t hashtab_scan(struct hashtab *tab, uint64_t cursor, hashtab_visit_fn fn, void *ctx) {
    uint64_t mask = mask_of(tab, cursor);
    struct hashtab_bucket *bucket = hashtab_bucket_at(tab, cursor & mask);
    tab->held++; /* fn may take entries: no bucket is, and only emptied children are freed */
    while (bucket) {
        struct hashtab_bucket *child = hashtab_child(bucket);
        visit_bucket(bucket, fn, ctx);
        bucket = child;
    }
    tab->held--;
    /* All ones above the mask: adding 1 to the reversed cursor carries into the mask's bits. */
    return reverse_bits(reverse_bits(cursor | ~mask) + 1);
}

static unsigned chain_length(const struct hashtab_bucket *bucket) {
    unsigned length = 0;
    for (; bucket; bucket = hashtab_child(bucket)) {
        length += (unsigned)__builtin_popcountll(hashtab_used(bucket));
    }
    return length;
}

/* The entry with this rank in its chain; rank is below chain_length. */
static void *chain_entry(const struct hashtab_bucket *bucket, unsigned rank) {
    for (; bucket; bucket = hashtab_child(bucket)) {
        for (uint64_t used = hashtab_used(bucket); used; used &= used - 1) {
            if (rank-- == 0) return hashtab_slot(bucket, hashtab_first(used));
        }
    }
    return NULL;
}

void *hashtab_random(const struct hashtab *tab, struct rng *rng) {
    if (tab->count == 0) return NULL;
    /* A chain is drawn and then a slot among RANDOM_SLOTS_MAX, most of which do not exist: then
     * both are drawn again, or entries in short chains would come up more often. */
    for (int i = 0; i < HASHTAB_RANDOM_TRIES; i++) {
        const struct hashtab_bucket *bucket =
            hashtab_bucket_at(tab, rng_below(rng, tab->bucket_count));
        unsigned rank = (unsigned)rng_below(rng, RANDOM_SLOTS_MAX);
        unsigned length = chain_length(bucket);
        if (rank < length) {
            if (length > RANDOM_SLOTS_MAX) rank = (unsigned)rng_below(rng, length);
            return chain_entry(bucket, rank);
        }
    }
    uint64_t index = rng_below(rng, tab->bucket_count);
    for (;; index = index + 1 == tab->bucket_count ? 0 : index + 1) { /* ends: count > 0 */
        const struct hashtab_bucket *bucket = hashtab_bucket_at(tab, index);
        unsigned length = chain_length(bucket);
        if (length) return chain_entry(bucket, (unsigned)rng_below(rng, length));
    }
}

static uint64_t sample_index(const struct hashtab *tab, uint64_t where) {
    return (uint64_t)((unsigned __int128)where * tab->bucket_count >> 64);
}

void hashtab_sample_prefetch(const struct hashtab *tab, uint64_t where) {
    prefetch_line(hashtab_bucket_at(tab, sample_index(tab, where)));
}

size_t hashtab_sample(const struct hashtab *tab, uint64_t where, void **out, size_t max) {
    size_t count = 0;
    uint64_t index = sample_index(tab, where);
    uint64_t buckets = size_min(tab->bucket_count, HASHTAB_SAMPLE_BUCKETS);
    for (uint64_t i = 0; i < buckets; i++) {
        const struct hashtab_bucket *bucket = hashtab_bucket_at(tab, index);
        for (; bucket; bucket = hashtab_child(bucket)) {
            for (uint64_t used = hashtab_used(bucket); used; used &= used - 1) {
                if (count == max) return count;
                out[count++] = hashtab_slot(bucket, hashtab_first(used));
            }
        }
        index = index + 1 == tab->bucket_count ? 0 : index + 1;
    }
    return count;
}

void hashtab_iter_init(struct hashtab_iter *iter, struct hashtab *tab) {
    *iter = (struct hashtab_iter){.tab = tab};
    tab->held++;
}

void hashtab_iter_deinit(struct hashtab_iter *iter) {
    if (!iter->tab) return;
    check(iter->tab->held > 0);
    iter->tab->held--;
    iter->tab = NULL;
}

void *hashtab_iter_next(struct hashtab_iter *iter) {
    const struct hashtab *tab = iter->tab;
    while (iter->at == iter->count) {
        struct hashtab_bucket *bucket = iter->next;
        if (!bucket) {
            if (iter->index == tab->bucket_count) return NULL;
            bucket = hashtab_bucket_at(tab, iter->index++);
            if (iter->index < tab->bucket_count) {
                prefetch_line(hashtab_bucket_at(tab, iter->index));
            }
        }
        iter->next = hashtab_child(bucket);
        iter->count = hashtab__entries(bucket, iter->entries);
        iter->at = 0;
    }
    return iter->entries[iter->at++];
}

size_t hashtab_bucket_count(const struct hashtab *tab) { return tab->bucket_count; }

size_t hashtab_memory_bytes(const struct hashtab *tab) {
    size_t buckets = tab->segment0_cap + tab->segment_buckets + tab->child_count - tab->half_count;
    return sizeof(*tab) + buckets * sizeof(struct hashtab_bucket) +
           tab->half_count * HASHTAB_HALF_BYTES + tab->directory_cap * sizeof(void *);
}

void hashtab_stats(const struct hashtab *tab, bool full, struct buf *out) {
    buf_addf(out, " buckets: %llu\n", (unsigned long long)tab->bucket_count);
    buf_addf(out, " child buckets: %zu, of half size: %zu\n", tab->child_count, tab->half_count);
    buf_addf(out, " entries: %zu\n", tab->count);
    buf_addf(out, " entries per bucket: %.2f\n", (double)tab->count / (double)tab->bucket_count);
    buf_addf(out, " memory: %zu bytes\n", hashtab_memory_bytes(tab));
    buf_addf(out, " resizing: %s\n",
             tab->paused                ? "paused"
             : hashtab_is_resizing(tab) ? (tab->shrinking ? "shrinking" : "growing")
                                        : "no");
    if (!full) return;

    uint64_t chains[STATS_CHAIN_MAX + 1] = {0}; /* by their length in buckets */
    unsigned longest = 0;
    for (uint64_t i = 0; i < tab->bucket_count; i++) {
        unsigned length = 0;
        const struct hashtab_bucket *bucket = hashtab_bucket_at(tab, i);
        for (; bucket; bucket = hashtab_child(bucket))
            length++;
        chains[length < STATS_CHAIN_MAX ? length : STATS_CHAIN_MAX]++;
        if (length > longest) longest = length;
    }
    buf_addf(out, " longest chain: %u buckets\n", longest);
    buf_add_text(out, " chains by length:\n");
    for (unsigned i = 1; i <= STATS_CHAIN_MAX; i++) {
        if (!chains[i]) continue;
        buf_addf(out, "   %s%u: %llu (%.2f%%)\n", i == STATS_CHAIN_MAX ? ">= " : "", i,
                 (unsigned long long)chains[i],
                 100.0 * (double)chains[i] / (double)tab->bucket_count);
    }
}

/* Checks one entry: its home, its tag, and that no later entry of the chain has its key. */
static void verify_entry(const struct hashtab *tab, const struct hashtab_bucket *home,
                         const struct hashtab_bucket *bucket, unsigned slot) {
    const void *entry = hashtab_slot(bucket, slot);
    uint64_t hash = tab->type->hash(entry);
    uint8_t tag = hashtab_tag(hash);
    check(entry != NULL);
    check(tag >= HASHTAB_TAG_MIN);
    check(hashtab_home(tab, hash) == home);
    check(bucket->tags[slot] == tag);
    for (; home != bucket; home = hashtab_child(home))
        check(home->below & BIT(tag % 8));
    struct bytes key = tab->type->key(entry);
    for (unsigned from = slot + 1; bucket; bucket = hashtab_child(bucket), from = 0) {
        for (unsigned i = from; i < HASHTAB_SLOTS; i++) {
            if (bucket->tags[i] != tag) continue;
            check(!bytes_equal(tab->type->key(hashtab_slot(bucket, i)), key));
        }
    }
}

/* Checks the tags that are no entry's, and counts the bucket's entries. */
static size_t verify_bucket(const struct hashtab_bucket *bucket, bool half) {
    uint64_t used = hashtab_used(bucket), room = hashtab_room(bucket);
    size_t count = 0;
    check(((uintptr_t)bucket & ((half ? HASHTAB_HALF_BYTES : CACHE_LINE) - 1)) == 0);
    check(!half || !bucket->below); /* has no slot for a link */
    for (unsigned i = 0; i < HASHTAB_SLOTS; i++) {
        uint8_t tag = bucket->tags[i];
        bool is_link = bucket->below && i == HASHTAB_LINK;
        check((tag == HASHTAB_TAG_NONE) == (is_link || (half && i >= HASHTAB_HALF_SLOTS)));
        if (used && hashtab_first(used) == i) {
            check(tag >= HASHTAB_TAG_MIN);
            used &= used - 1;
            count++;
        } else if (room && hashtab_first(room) == i) {
            check(tag == HASHTAB_TAG_FREE);
            room &= room - 1;
        } else {
            check(tag == HASHTAB_TAG_NONE);
        }
    }
    return count;
}

/* Checks a chain, and adds what it has to *sum. */
static void verify_chain(const struct hashtab *tab, const struct hashtab_bucket *home,
                         struct hashtab *sum) {
    for (const struct hashtab_bucket *bucket = home; bucket; bucket = hashtab_child(bucket)) {
        bool half = bucket != home && bucket->tags[HASHTAB_HALF_SLOTS] == HASHTAB_TAG_NONE;
        size_t count = verify_bucket(bucket, half);
        check(bucket == home || count > 0);
        sum->count += count;
        sum->child_count += bucket != home;
        sum->half_count += half;
        for (uint64_t used = hashtab_used(bucket); used; used &= used - 1)
            verify_entry(tab, home, bucket, hashtab_first(used));
    }
}

void hashtab_verify(const struct hashtab *tab) {
    struct hashtab sum = {0}; /* its counts only */
    check(tab->bucket_count >= 1);
    check(((tab->mask + 1) & tab->mask) == 0);
    check(tab->bucket_count <= tab->mask + 1);
    check(tab->bucket_count > (tab->mask + 1) / 2);
    check(tab->segment0_cap >= size_min(tab->bucket_count, BIT(HASHTAB_SEGMENT_BITS)));
    check(tab->segment_count == hashtab__segments_for(tab->bucket_count));
    check(tab->segment_count <= tab->directory_cap);
    check((tab->directory == NULL) == (tab->directory_cap == 0));
    for (uint64_t i = 0; i < tab->bucket_count; i++)
        verify_chain(tab, hashtab_bucket_at(tab, i), &sum);
    check(sum.count == tab->count);
    check(sum.child_count == tab->child_count);
    check(sum.half_count == tab->half_count);
}
