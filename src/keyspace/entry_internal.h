/* SPDX-License-Identifier: BSD-3-Clause */
/* entry_internal -- making and freeing entries, and comparing their keys. */
#pragma once

#include "base/check.h"
#include "base/mem.h"
#include "keyspace/entry.h"

enum { ENTRY_SHORT_LIMIT = 256 }; /* key and embedded value of a short entry are shorter */

/* What an entry is to be; the clock and the value are written by whoever creates it. */
struct entry_shape {
    struct bytes key;
    uint8_t type, encoding;
    uint8_t flags;     /* ENTRY_RAW, _FILED, _TIMED: the other two follow from the shape */
    size_t value_size; /* bytes of the value field */
    int64_t at_ms;     /* expiry; < 0: none */
};

/* The two flags that follow from a shape. */
static inline uint8_t entry__form(size_t key_size, size_t value_size, int64_t at_ms) {
    bool wide = key_size >= ENTRY_SHORT_LIMIT || value_size >= ENTRY_SHORT_LIMIT;
    return (uint8_t)((wide ? ENTRY_WIDE : 0) | (at_ms >= 0 ? ENTRY_EXPIRES : 0));
}
/* Bytes of an allocation of this form. */
static inline size_t entry__size_for(uint8_t form, size_t key_size, size_t value_size) {
    return (form & ENTRY_WIDE ? ENTRY_WIDE_HEADER : ENTRY_SHORT_HEADER) +
           (form & ENTRY_EXPIRES ? 8u : 0u) + key_size + value_size;
}
/* Bytes asked for, up to the size class: what mem_free_sized wants. */
static inline size_t entry__size(const struct entry *e) {
    return entry_header_size(e) + entry_key_size(e) + entry_value_size(e);
}
/* Form and key size stay. */
static inline void entry__set_value_size(struct entry *e, size_t size) {
    if (likely(!(e->flags & ENTRY_WIDE))) {
        e->rest[1] = (uint8_t)size;
    } else {
        uint32_t size32 = (uint32_t)size;
        memcpy(e->rest + 4, &size32, sizeof(size32));
    }
}
static inline void entry__set_kind(struct entry *e, uint8_t type, uint8_t encoding) {
    e->kind = (uint8_t)(type | encoding << 4);
}
static inline void entry__set_int(struct entry *e, int64_t value) {
    memcpy(entry_value_field(e), &value, sizeof(value));
}

/* Header and key are written, clock and value are not. */
static inline struct entry *entry__create(const struct entry_shape *shape) {
    size_t key_size = shape->key.size;
    uint8_t form = entry__form(key_size, shape->value_size, shape->at_ms);
    check(key_size <= UINT32_MAX);
    struct entry *e = mem_alloc(entry__size_for(form, key_size, shape->value_size));
    entry__set_kind(e, shape->type, shape->encoding);
    e->flags = (uint8_t)((shape->flags & (ENTRY_RAW | ENTRY_FILED | ENTRY_TIMED)) | form);
    if (likely(!(form & ENTRY_WIDE))) {
        e->rest[0] = (uint8_t)key_size;
    } else {
        uint32_t size32 = (uint32_t)key_size;
        memcpy(e->rest, &size32, sizeof(size32));
    }
    entry__set_value_size(e, shape->value_size);
    if (form & ENTRY_EXPIRES) entry_set_expiry_field(e, shape->at_ms);
    if (key_size) memcpy((char *)e + entry_header_size(e), shape->key.data, key_size);
    return e;
}
/* Frees the entry but not what its value points to. */
static inline void entry__free_shell(struct entry *e) { mem_free_sized(e, entry__size(e)); }

/* A copy of the entry, clock and value field included, under this key and expiry. The value field
 * is copied as it is: the two then share what it points to, and the caller frees one shell. */
struct entry *entry__reshape(const struct entry *e, struct bytes key, int64_t at_ms);
/* Frees the entry and its value; a reference of a blob. Any thread. */
void entry__destroy(void *entry);

/* ---- packed.c ---- */
/* An entry of this shape with the object, which is its own from now on, for a value: encoding and
 * value_size of the shape follow from the object. The clock is the caller's. */
struct entry *entry__create_with_object(const struct entry_shape *shape, void *object);
void entry__verify_packed(const struct entry *e);

/* hashtab_equal_fn. */
always_inline_fn bool entry__has_key(const void *entry, struct bytes key) {
    const struct entry *e = entry;
    if (unlikely(entry_key_size(e) != key.size)) return false;
    return bytes_run_equal((const char *)e + entry_header_size(e), key.data, key.size);
}
