/* SPDX-License-Identifier: BSD-3-Clause */
/* hashtab -- unordered table of entries, looked up by their bytes.
 *
 * Linear hashing (Litwin, 1980) over buckets of one cache line: nine entry pointers of 48 bits, a
 * tag of one byte for each, and a byte about the children. A hit costs the bucket's line and the
 * entry's line.
 *
 *      tag 0 .. tag 8 | below | slot 0 .. slot 8          64 bytes, aligned
 *          9 bytes    |   1   |      9 x 6 bytes
 *
 *      tag 0       the slot is free          tag 1       no entry can be there
 *      tag 2..255  an entry, and the top byte of its hash
 *      below       0: no child. Else slot 8 points to one, because the bucket was full once, and
 *                  bit t % 8 is set for each tag t in the buckets further down: a look-up goes on
 *                  only if its own bit is set
 *
 * A child is a bucket too, or the first half of one: 32 bytes with three slots, for most chains are
 * over by one or two entries.
 *
 * The table grows one bucket at a time: bucket i of 2^k is split into i and i + 2^k, in order of i.
 * So there is never a second table to look into, no moment when the memory doubles, and the load is
 * the same at every size. How this was chosen, and the directory of segments: hashtab.c, README.md.
 *
 * Ownership: an entry is the table's from add to take. It is never copied or moved, and freed only
 * through type->drop. Its address has 48 bits at most, which is what systems give unless they are
 * asked for more. The caller computes hashes (an I/O thread does so ahead of time); the table uses
 * the low bits as the index and the top byte as the tag. Threads: one writer, or many readers;
 * nothing inside is bound to a thread. A change resizes by at most HASHTAB_STEP buckets, so every
 * O(1) below holds in the worst case, up to the length of a chain. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

struct buf;
struct rng;
struct hashtab;
struct hashtab_bucket;

enum {
    HASHTAB_STEP = 4,            /* buckets split or merged by one change, at most */
    HASHTAB_SLOTS = 9,           /* entries in a bucket */
    HASHTAB_ORDERED = 7,         /* entries that have one bucket, and keep their order in it */
    HASHTAB_RANDOM_TRIES = 100,  /* buckets hashtab_random draws before it searches onwards */
    HASHTAB_SAMPLE_BUCKETS = 64, /* buckets hashtab_sample looks into, at most */
};

struct hashtab_type {
    struct bytes (*key)(const void *entry); /* borrowed, lives as long as the entry */
    uint64_t (*hash)(const void *entry);    /* of the key; the same as callers pass */
    void (*drop)(void *entry); /* frees an entry left at destroy; NULL: nothing to do */
};

/* Where a key is, or would be put; valid until the table's next change. Fields are private. */
struct hashtab_place {
    struct hashtab_bucket *home;   /* first of the chain */
    struct hashtab_bucket *bucket; /* of an entry that is there; else home */
    unsigned slot;                 /* HASHTAB_SLOTS: a new entry has no room in home */
};

typedef void (*hashtab_visit_fn)(void *entry, void *ctx);

struct hashtab *hashtab_create(const struct hashtab_type *type); /* never NULL */
/* Drops every entry. O(n). */
void hashtab_destroy(struct hashtab **tab);
/* Moves all entries into a new table of the caller's, and leaves this one empty. O(1): the way to
 * hand a large table to another thread, which destroys it there. */
must_use struct hashtab *hashtab_detach(struct hashtab *tab);
/* Drops every entry; the table stays usable. O(n). */
void hashtab_clear(struct hashtab *tab);
/* Removes the entries of up to budget_buckets buckets and gives each to fn (NULL: type->drop). True
 * while entries are left: clears a table in bounded steps. */
bool hashtab_drain(struct hashtab *tab, size_t budget_buckets, hashtab_visit_fn fn, void *ctx);

size_t hashtab_count(const struct hashtab *tab); /* O(1) */
/* Borrowed, or NULL. O(1). */
void *hashtab_find(const struct hashtab *tab, uint64_t hash, struct bytes key);
/* Like find, and *place is where the key is or belongs, for the hashtab_place_* calls. O(1). */
void *hashtab_probe(const struct hashtab *tab, uint64_t hash, struct bytes key,
                    struct hashtab_place *place);

/* Owns entry from now on; false if its key is present, and then entry stays the caller's. O(1). */
must_use bool hashtab_add(struct hashtab *tab, uint64_t hash, void *entry);
/* The same for a caller who knows that the key is absent. O(1). */
void hashtab_add_new(struct hashtab *tab, uint64_t hash, void *entry);
/* Removes the entry and hands it to the caller; NULL if absent. O(1). */
must_use void *hashtab_take(struct hashtab *tab, uint64_t hash, struct bytes key);
/* Removes this very entry, which must be in the table; its bytes are not read. O(1). */
void hashtab_take_entry(struct hashtab *tab, uint64_t hash, const void *entry);
/* new_entry takes the place of old_entry, which must be in the table and is the caller's (or gone:
 * its bytes are not read, so it may have been reallocated). Both have the same key. O(1). */
void hashtab_replace(struct hashtab *tab, uint64_t hash, const void *old_entry, void *new_entry);

/* After a probe that found nothing: puts the entry there. O(1). */
void hashtab_place_add(struct hashtab *tab, uint64_t hash, const struct hashtab_place *place,
                       void *entry);
/* After a probe that found an entry: another with the same key takes its place; the old one is the
 * caller's. O(1). */
void hashtab_place_replace(const struct hashtab_place *place, void *entry);
/* After a probe that found an entry: removes it and hands it to the caller. O(1). */
must_use void *hashtab_place_take(struct hashtab *tab, uint64_t hash,
                                  const struct hashtab_place *place);

/* Hide cache misses over a window of requests. First pass: the bucket. Second pass, when the bucket
 * has had time to arrive: the first two lines of each entry whose tag matches. */
void hashtab_prefetch_bucket(const struct hashtab *tab, uint64_t hash);
void hashtab_prefetch_entry(const struct hashtab *tab, uint64_t hash);

/* Visits one bucket's entries and returns the next cursor; start with 0, 0 comes back at the end.
 * Every entry that is present from the first call to the last is visited at least once, whatever
 * was added, removed or resized in between; some may be visited twice. fn may take the entry it is
 * given, and must make no other change. A cursor is below 2^40. O(1) a call. */
must_use uint64_t hashtab_scan(struct hashtab *tab, uint64_t cursor, hashtab_visit_fn fn,
                               void *ctx);

/* Any entry, each with the same chance (bar the rare chains over 27 entries);
 * NULL if the table is empty. O(1) unless the table is very sparse, then O(buckets). */
void *hashtab_random(const struct hashtab *tab, struct rng *rng);
/* Puts up to max entries into out, from the bucket that `where`, a random number of 64 bits, stands
 * for and those that follow it, and returns how many: cheap, and not independent of each other. 0
 * may come back from a sparse table. O(max). */
size_t hashtab_sample(const struct hashtab *tab, uint64_t where, void **out, size_t max);
/* Asks for the memory that a sample from there reads. */
void hashtab_sample_prefetch(const struct hashtab *tab, uint64_t where);

/* Walks over all entries; like a scan, in the order of their addition if there were never more than
 * HASHTAB_ORDERED, nor a hint of more. Between init and deinit the table does not resize; the entry
 * that next gave may be taken (or replaced), nothing else may change. Fields are private. */
struct hashtab_iter {
    struct hashtab *tab;
    struct hashtab_bucket *next; /* bucket to load when the current one is done, or NULL */
    uint64_t index;              /* of the next chain */
    void *entries[HASHTAB_SLOTS];
    unsigned count, at; /* of these, and of the next to give */
};
void hashtab_iter_init(struct hashtab_iter *iter, struct hashtab *tab);
void *hashtab_iter_next(struct hashtab_iter *iter); /* borrowed; NULL at the end */
void hashtab_iter_deinit(struct hashtab_iter *iter);

/* Goes on resizing by up to budget_buckets buckets, for cron. True if more is to be done. */
bool hashtab_step(struct hashtab *tab, size_t budget_buckets);
bool hashtab_is_resizing(const struct hashtab *tab);
/* While paused (counted) nothing is moved, for the sake of a forked child's shared pages; chains
 * grow instead, and only at four times the full load does the table grow nonetheless. */
void hashtab_pause_resize(struct hashtab *tab);
void hashtab_resume_resize(struct hashtab *tab);
/* Announces that the table will hold about count entries: additions then grow it ahead of need, by
 * HASHTAB_STEP buckets each, so a wrong hint costs little. 0 takes the announcement back. O(1). */
void hashtab_expand_hint(struct hashtab *tab, size_t count);

size_t hashtab_bucket_count(const struct hashtab *tab); /* without children; O(1) */
size_t hashtab_memory_bytes(const struct hashtab *tab); /* without the entries; O(1) */
/* Adds text for people: size, load, chain lengths. O(n) with full, else O(1). */
void hashtab_stats(const struct hashtab *tab, bool full, struct buf *out);
/* Checks every invariant in hashtab.c. O(n); for tests. */
void hashtab_verify(const struct hashtab *tab);
