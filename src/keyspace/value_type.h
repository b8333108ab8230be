/* SPDX-License-Identifier: BSD-3-Clause */
/* value_type -- what the keyspace must be able to do with an object of any type: one row per type,
 * in value_type.c.
 *
 * Strings have no row: entry.c knows them. A value of TYPE_MODULE begins with a pointer to the row
 * of its own module type, so rows can come at run time. */
#pragma once

#include "keyspace/entry.h"

struct buf;
struct listpack;
struct element_times; /* types/element_times.h */

struct value_ops {
    void (*destroy)(void *object);                              /* frees it; in any thread */
    void *(*copy)(const void *object);                          /* a deep copy, the caller's */
    size_t (*memory_bytes)(const void *object, size_t samples); /* samples 0: look at all */
    size_t (*free_effort)(const void *object);                  /* elements to free */
    const char *(*encoding_name)(const void *object);           /* what OBJECT ENCODING says */
    /* Adds what DEBUG HTSTATS-KEY says; false if it is not in a hash table now. NULL: it never is.
     */
    bool (*table_stats)(const void *object, bool full, struct buf *out);
    /* The listpack that the object is, at the same address; NULL if it is none. A type that has
     * this lives in its entry while it is small: see packed.c. NULL: it never does. */
    struct listpack *(*listpack)(const void *object);
    /* Of a type whose elements may expire on their own; else both are NULL. */
    struct element_times *(*times)(const void *object); /* NULL: none of this one ever did */
    /* Removes elements that are due, after looking at about max; returns how many, and whether that
     * was all there were. */
    size_t (*expire)(void **object, int64_t now_ms, size_t max, bool *is_empty);
};

extern const struct value_ops hash_ops;

/* What an object of TYPE_MODULE begins with. */
struct module_object {
    const struct value_ops *type;
};

/* The row for an object of this type; never NULL. */
const struct value_ops *value_ops_for(uint8_t type, const void *object);
/* The row for an entry of ENCODING_OBJECT. */
const struct value_ops *value_ops_of(const struct entry *e);
