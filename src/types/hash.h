/* SPDX-License-Identifier: BSD-3-Clause */
/* hash -- fields and their values, each perhaps with a time to live of its own.
 *
 *   listpack   field, value, field, value ... in the order of insertion: one allocation
 *   table      a hashtab of fields: one allocation each, with sizes, expiry, name and value
 *   timed      a table, and an index by time of the fields that expire
 *
 * A listpack becomes a table once it is too large (struct hash_limits), and a table timed when a
 * field gets its first time to live; there is no way back. A value is meant by a struct hash
 * pointer whose low bits say the form, so that a small hash is one allocation. Functions that
 * change it take the address of the caller's pointer, since it may move.
 *
 * Fields that have expired are there until hash_expire (or an overwrite) takes them, and no reader
 * sees them: whoever asks says what time it is. hash_count alone counts them. An empty hash is the
 * caller's to remove. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/num.h"
#include "ds/hashtab.h"
#include "types/element_times.h"

struct blob;
struct rng;
struct hash; /* never defined: a tagged pointer */

struct hash_limits { /* hash-max-listpack-entries and -value */
    int64_t entries; /* fields up to which it stays a listpack */
    int64_t value;   /* bytes of the longest name or value in one */
};

#define HASH_SEE_ALL INT64_MIN /* as the time: nothing has expired */
enum {
    HASH_NO_TIME = -1,   /* as an expiry: none */
    HASH_KEEP_TIME = -2, /* as an expiry: what it was */
};

struct hash_text {    /* a name or a value, borrowed until the next change */
    const char *data; /* NULL: it is the integer */
    size_t size;
    int64_t integer;
    struct blob *blob; /* what data lies in, if it may be pinned; or NULL */
};
struct hash_item { /* one field */
    struct hash_text name, value;
    int64_t at_ms; /* milliseconds since the epoch, or HASH_NO_TIME */
};

/* ---- life ---- */
/* Empty: a listpack with room for about so many bytes of names and values. */
must_use struct hash *hash_create(size_t cap_hint);
void hash_destroy(struct hash **hash); /* O(n) */
must_use struct hash *hash_copy(const struct hash *hash);

/* ---- reading ---- */
bool hash_is_listpack(const struct hash *hash);
/* What the forms of a table look names up by. It costs nothing for a listpack, where 0 will do. */
static inline uint64_t hash_code(const struct hash *hash, struct bytes name) {
    return hash_is_listpack(hash) ? 0 : hash_bytes(name);
}
size_t hash_count(const struct hash *hash); /* expired ones too; O(1) */
/* The field's value and expiry (not its name); false if there is none. O(1) in a table. */
must_use bool hash_find(const struct hash *hash, struct bytes name, uint64_t code, int64_t now_ms,
                        struct hash_item *out);
/* Before a look-up: brings the bucket, and then the field, into the cache. */
void hash_prefetch_bucket(const struct hash *hash, uint64_t code);
void hash_prefetch_field(const struct hash *hash, uint64_t code);
/* Text as bytes; an integer is formatted into scratch. */
struct bytes hash_text_bytes(const struct hash_text *text, char scratch[NUM_I64_TEXT_MAX]);
size_t hash_text_size(const struct hash_text *text);
const char *hash_encoding_name(const struct hash *hash);
size_t hash_memory_bytes(const struct hash *hash, size_t samples); /* samples 0: look at all */
struct hashtab *hash_table(const struct hash *hash);               /* NULL: a listpack */
/* A hash that is a listpack is its address, and the other way round. NULL: a table. */
struct listpack *hash_listpack(const struct hash *hash);

/* Walks over the fields: in the order of insertion in a listpack, and in a table that never had
 * more than HASHTAB_ORDERED. The hash must not change meanwhile. */
struct hash_iter {
    const struct hash *hash;
    int64_t now_ms;
    size_t at; /* in the listpack */
    struct hashtab_iter table;
};
void hash_iter_init(struct hash_iter *iter, const struct hash *hash, int64_t now_ms);
must_use bool hash_iter_next(struct hash_iter *iter, struct hash_item *out);
void hash_iter_deinit(struct hash_iter *iter);

typedef void (*hash_visit_fn)(void *ctx, const struct hash_item *item);
/* One step of HSCAN, see hashtab_scan; a listpack is visited whole. */
must_use uint64_t hash_scan(const struct hash *hash, uint64_t cursor, int64_t now_ms,
                            hash_visit_fn fn, void *ctx);

/* ---- random ---- */
/* One field, or none if all have expired. True if there was one. */
bool hash_random(const struct hash *hash, struct rng *rng, int64_t now_ms, hash_visit_fn fn,
                 void *ctx);
/* So many fields, each drawn from all. Returns how many: count, or 0 if all have expired. O(count),
 * plus O(n) in a listpack and where fields expire. */
uint64_t hash_random_repeating(const struct hash *hash, struct rng *rng, uint64_t count,
                               int64_t now_ms, hash_visit_fn fn, void *ctx);
/* As many different fields, or all there are. Returns how many. O(n), or O(count) if that is far
 * less and no field expires. */
uint64_t hash_random_distinct(const struct hash *hash, struct rng *rng, uint64_t count,
                              int64_t now_ms, hash_visit_fn fn, void *ctx);

/* ---- changing ---- */
/* Before several fields are set: makes it a table at once if they will not fit a listpack. argv:
 * name, value, name, value ... */
void hash_prepare(struct hash **hash, const struct hash_limits *limits, const struct bytes *argv,
                  size_t count);
struct hash_setting {
    struct bytes name, value;
    uint64_t code;
    struct blob *blob; /* NULL, or what holds value; the reference is the caller's */
    int64_t at_ms;     /* or HASH_NO_TIME, HASH_KEEP_TIME */
    int64_t now_ms;
};
/* True if the field is new, or had expired. In place where it fits. O(1) in a table. */
bool hash_set(struct hash **hash, const struct hash_limits *limits, const struct hash_setting *to);
/* False if there is none: one that has expired is left alone. */
bool hash_remove(struct hash **hash, struct bytes name, uint64_t code, int64_t now_ms);
/* Gives the field that hash_find has just found an expiry, or takes it away. */
void hash_set_expiry(struct hash **hash, struct bytes name, int64_t at_ms, int64_t now_ms);

/* ---- expiry ---- */
/* NULL if no field ever had a time to live. */
struct element_times *hash_times(const struct hash *hash);
/* Removes fields whose time has come, after looking at about max; returns how many. There is more
 * to do if next_ms is not later than now_ms. */
size_t hash_expire(struct hash **hash, int64_t now_ms, size_t max);

/* Checks every invariant in hash_internal.h. O(n); for tests. */
void hash_verify(const struct hash *hash);
