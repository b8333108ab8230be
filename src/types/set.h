/* SPDX-License-Identifier: BSD-3-Clause */
/* set -- a set of byte strings in one of three forms.
 *
 *   form      what the pointer leads to                      OBJECT ENCODING
 *   table     struct hashtab of members, one allocation each hashtable
 *   intset    ds/intset.h, while all members are integers    intset
 *   listpack  ds/listpack.h, while they are few and short    listpack
 *
 * The lowest bits of the pointer say the form, so a small set is one allocation. Additions change
 * the form when the limits ask for it, and nothing changes it back. A function that changes a set
 * takes the address of the pointer, since that may become another.
 *
 * An empty set is allowed here; that no key holds one is the callers' business. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/num.h"

struct buf;
struct hashtab;
struct intset;
struct listpack;
struct rng;

struct set; /* never defined: a pointer with a form in its low bits */

struct set_limits { /* options set-max-*: up to which a set keeps a packed form */
    int64_t intset_entries;
    int64_t listpack_entries;
    int64_t listpack_value; /* bytes of a member */
};

struct set_member {   /* borrowed until the set's next change */
    const char *data; /* NULL: it is the integer */
    size_t size;
    int64_t integer;
};

/* Is given a member; false stops. */
typedef bool (*set_member_fn)(void *ctx, const struct set_member *member);

enum set_form { SET_TABLE = 0, SET_INTSET = 1, SET_LISTPACK = 2 };
enum { SET_FORM_MASK = 3 };

/* ---- life ---- */
/* An empty set of the form that suits a first member and about so many in all. */
must_use struct set *set_create(struct bytes first, size_t count_hint,
                                const struct set_limits *limits);
/* From what is in an allocation of its own already; ownership moves in. For loading: the caller has
 * validated it, has seen to it that members of a listpack are different, and goes on with
 * set_apply_limits. */
must_use struct set *set_from_intset(struct intset *ints);
must_use struct set *set_from_listpack(struct listpack *lp);
/* An empty table with room for about so many members. */
must_use struct set *set_create_table(size_t count_hint);
/* Makes it a table if a packed form is over the limits. */
void set_apply_limits(struct set **set, const struct set_limits *limits);
/* Makes it a table in any case. O(n) if it was none. */
void set_make_table(struct set **set);
/* Whether the members of a set, put into a new one, would make that a table. O(n). */
must_use bool set_needs_table(const struct set *set, const struct set_limits *limits);
void set_destroy(void *set);              /* a struct set *; any thread. O(n) */
must_use void *set_copy(const void *set); /* a deep one. O(n) */

/* ---- reading ---- */
static inline enum set_form set_form_of(const struct set *set) {
    return (enum set_form)((uintptr_t)set & SET_FORM_MASK);
}
/* What is behind the pointer, of the form that it has. */
static inline void *set_object(const struct set *set) {
    return (void *)((uintptr_t)set & ~(uintptr_t)SET_FORM_MASK);
}
size_t set_count(const struct set *set); /* O(1), but see listpack_count */
bool set_has(const struct set *set, struct bytes member);
/* found[i] says whether members[i] is there; cache misses overlap. */
void set_has_many(const struct set *set, const struct bytes *members, size_t count, bool *found);
struct bytes set_member_bytes(const struct set_member *member, char scratch[NUM_I64_TEXT_MAX]);
/* Before set_has, set_add or set_remove of this member: see command_prefetch_fn. *hash is kept
 * between the steps. */
void set_prefetch(const struct set *set, struct bytes member, unsigned step, uint64_t *hash);

/* ---- changing ---- */
/* False if it was there. */
bool set_add(struct set **set, struct bytes member, const struct set_limits *limits);
bool set_add_member(struct set **set, const struct set_member *member,
                    const struct set_limits *limits);
/* False if it was not there. */
bool set_remove(struct set **set, struct bytes member);
/* The same for many, one after the other; cache misses overlap. Returns how many were added or
 * removed. */
size_t set_add_many(struct set **set, const struct bytes *members, size_t count,
                    const struct set_limits *limits);
size_t set_remove_many(struct set **set, const struct bytes *members, size_t count);

/* ---- walking ---- */
/* All members to fn, until it returns false. fn must not change the set. O(n). */
void set_each(const struct set *set, set_member_fn fn, void *ctx);
/* A step of SSCAN, with the promise of hashtab_scan; a packed set is given whole. fn's result does
 * not matter. Returns the next cursor. */
uint64_t set_scan(struct set *set, uint64_t cursor, set_member_fn fn, void *ctx);

/* ---- chance: each member as likely as any other ---- */
/* Any member of a set that is not empty. O(1) for tables and intsets. */
void set_random(const struct set *set, struct rng *rng, struct set_member *out);
/* `count` members, each chosen on its own, so that they may repeat. */
void set_random_repeating(const struct set *set, struct rng *rng, uint64_t count, set_member_fn fn,
                          void *ctx);
/* `count` different members, or all if there are no more; fn must return true. O(count) when they
 * are few of a table, else O(n). */
void set_random_distinct(const struct set *set, struct rng *rng, size_t count, set_member_fn fn,
                         void *ctx);
/* The same of fewer members than there are, and removes them; fn sees each before it is gone. */
void set_pop(struct set **set, struct rng *rng, size_t count, set_member_fn fn, void *ctx);

/* ---- algebra: each member of the result to fn, once, until it returns false ---- */
/* Of one set or more; reorders the array. O(n * count) for the smallest set's n. */
void set_intersect(const struct set **sets, size_t count, set_member_fn fn, void *ctx);
/* Of one set or more. O(all members), if no set is a long listpack. */
void set_unite(const struct set *const *sets, size_t count, set_member_fn fn, void *ctx);
/* The first without the others; reorders the others. O(min(n * count, all members)). */
void set_subtract(const struct set **sets, size_t count, set_member_fn fn, void *ctx);

/* ---- for the keyspace ---- */
const char *set_encoding_name(const void *set);
/* Of the set and its members, in bytes; samples: members of a table to look at, 0: all. */
size_t set_memory_bytes(const void *set, size_t samples);
/* Members if freeing it means freeing each, else 1. */
size_t set_free_effort(const void *set);
/* Adds what DEBUG HTSTATS-KEY says; false if it is no table. */
must_use bool set_table_stats(const void *set, bool full, struct buf *out);

void set_verify(const struct set *set, const struct set_limits *limits); /* for tests */
