/* SPDX-License-Identifier: BSD-3-Clause */
/* zset -- sorted sets: members with a score each, ordered by score and then by bytes.
 *
 *   listpack   member, score, member, score ... in order; as RDB files carry it
 *   table      elements (score and member in one allocation) in a hash table by member and in a
 *              B+tree by order
 *
 * A set begins as a listpack and becomes a table when it grows past its limits, for good. A struct
 * zset is never defined: the pointer says in its low bits which of the two it points to. Functions
 * that change a set take the address of the caller's pointer, since it may move or change form.
 *
 * Scores are any double but NaN. In the order, -0 equals 0. Ranks begin at 0. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/num.h"
#include "ds/btree.h"

struct buf;
struct listpack;
struct rng;
struct zset;
struct zset_element;

struct zset_limits {     /* of the listpack form */
    int64_t entries;     /* members */
    int64_t value_bytes; /* of a member */
};

/* ---- life ---- */
/* Empty, in the form that suits count members of up to longest bytes. */
must_use struct zset *zset_create(const struct zset_limits *limits, size_t count, size_t longest);
/* Empty, a table whatever the limits say. */
must_use struct zset *zset_create_table(void);
void zset_destroy(void *zset); /* a struct zset *; any thread. O(n) */
must_use void *zset_copy(const void *zset);
/* Makes a set of a listpack that zset_listpack_is_valid, in the form that suits it. Takes lp. */
must_use struct zset *zset_of_listpack(struct listpack *lp, const struct zset_limits *limits);
/* True if bytes from outside are a listpack of members and scores, in order, no member twice. */
must_use bool zset_listpack_is_valid(const void *data, size_t size);

/* ---- reading ---- */
size_t zset_count(const struct zset *zset); /* O(1) */
/* The listpack, or NULL if it is a table. */
const struct listpack *zset_listpack(const struct zset *zset);
/* False if there is no such member. O(1); O(n) in a listpack, as all that follows. */
must_use bool zset_score(const struct zset *zset, struct bytes member, double *score);
/* The same with its rank. O(log n). */
must_use bool zset_rank(const struct zset *zset, struct bytes member, size_t *rank, double *score);

struct zset_item {
    struct bytes member; /* borrowed until the next change, or the iterator's next step */
    double score;
};
/* Of this rank, which must be below the count; the member may be written into scratch. O(log n). */
void zset_at(const struct zset *zset, size_t rank, char scratch[NUM_I64_TEXT_MAX],
             struct zset_item *out);

/* Walks in order or backwards. The set must not change meanwhile. Fields are private. */
struct zset_iter {
    const struct zset *zset;
    bool backwards;
    size_t at;              /* listpack: offset of the next member */
    struct btree_iter tree; /* table */
    char scratch[NUM_I64_TEXT_MAX];
};
/* Begins with the item of this rank. O(log n). */
void zset_iter_init(struct zset_iter *iter, const struct zset *zset, size_t rank, bool backwards);
/* False at the end. O(1). */
must_use bool zset_iter_next(struct zset_iter *iter, struct zset_item *out);

/* ---- ranges ---- */
struct zset_score_range {
    double min, max;
    bool without_min, without_max; /* the bound itself is outside */
};
enum zset_lex_kind { ZSET_LEX_LOWEST = 0, ZSET_LEX_BYTES, ZSET_LEX_HIGHEST };
struct zset_lex_bound {
    enum zset_lex_kind kind;
    bool is_outside; /* the bytes themselves are */
    struct bytes bytes;
};
struct zset_lex_range {
    struct zset_lex_bound min, max;
};
struct zset_span { /* ranks: first .. first + count - 1 */
    size_t first, count;
};
/* Which ranks the range means. O(log n). */
struct zset_span zset_span_of_scores(const struct zset *zset, const struct zset_score_range *range);
/* The same; where scores differ, the order of the set is taken for that of the members. */
struct zset_span zset_span_of_lex(const struct zset *zset, const struct zset_lex_range *range);
bool zset_score_is_within(const struct zset_score_range *range, double score);

/* ---- changing ---- */
enum zset_add_flag {
    ZSET_ADD_INCREMENT = BIT(0), /* the score is added to what is there */
    ZSET_ADD_NX = BIT(1),        /* only if the member is absent */
    ZSET_ADD_XX = BIT(2),        /* only if it is there */
    ZSET_ADD_GT = BIT(3),        /* an existing score only becomes greater */
    ZSET_ADD_LT = BIT(4),        /* ... or less */
};
enum zset_added {
    ZSET_NOT_DONE = 0, /* a flag did not let it */
    ZSET_UNCHANGED,    /* the member had this score */
    ZSET_UPDATED,
    ZSET_NEW,
    ZSET_NAN, /* the sum is not a number: nothing changed */
};
/* Adds a member or changes its score; *score is what it is to be (or to be raised by) before, and
 * what it is afterwards unless ZSET_NOT_DONE or ZSET_NAN. It must not be NaN. O(log n). */
enum zset_added zset_add(struct zset **zset, const struct zset_limits *limits, struct bytes member,
                         unsigned flags, double *score);
/* Becomes a table now if count members of up to longest bytes would make it one. */
void zset_expect(struct zset **zset, const struct zset_limits *limits, size_t count,
                 size_t longest);
/* Becomes a listpack if it fits the limits: for results that were made as tables. O(n) then. */
void zset_pack(struct zset **zset, const struct zset_limits *limits);
/* False if there is no such member. O(log n). */
bool zset_remove(struct zset **zset, struct bytes member);
/* *former: NULL, or, where nearly all of a large set goes and what stays was copied, the set as it
 * was, only for zset_destroy, which may take long. O(log n + count), or O(what stays). */
void zset_remove_span(struct zset **zset, struct zset_span span, struct zset **former);

/* ---- random choice, scan ---- */
/* Any rank, each with the same chance. The set must not be empty. */
size_t zset_random_rank(const struct zset *zset, struct rng *rng);
typedef void (*zset_visit_fn)(void *ctx, const struct zset_item *item);
/* One step: visits some members and returns the next cursor; 0 begins and ends. A member that is
 * there from the first call to the last is visited. O(1), a listpack at once. */
must_use uint64_t zset_scan(struct zset *zset, uint64_t cursor, zset_visit_fn fn, void *ctx);

/* ---- for the keyspace and the request window ---- */
size_t zset_memory_bytes(const void *zset, size_t samples);
size_t zset_free_effort(const void *zset);
const char *zset_encoding_name(const void *zset);
/* Adds what DEBUG HTSTATS-KEY says; false if it is no table. */
must_use bool zset_table_stats(const void *zset, bool full, struct buf *out);
struct zset_prefetched { /* what the steps have found, 0 at first; nothing changes meanwhile */
    uint64_t hash;       /* of the member */
    uint64_t key;        /* of the score */
    const struct zset_element *element;
    const struct btree_leaf *leaf;  /* where the element is */
    const struct btree_leaf *place; /* where the score belongs */
};
/* Step 0: the member's bucket; step 1: its element; step 2: its leaf of the tree; step 3: its place
 * there. */
void zset_prefetch(const struct zset *zset, struct bytes member, unsigned step,
                   struct zset_prefetched *found);
/* Beside it, where a score will go. First its leaf; in steps 1 and 2 what is at its place there. */
void zset_prefetch_place(const struct zset *zset, double score, struct zset_prefetched *found);
void zset_prefetch_at_place(unsigned step, const struct zset_prefetched *found);

void zset_verify(const struct zset *zset); /* every invariant in zset.c; for tests */
