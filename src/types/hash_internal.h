/* SPDX-License-Identifier: BSD-3-Clause */
/* hash_internal -- the forms of a hash, and a field of a table: one allocation.
 *
 *   short form                               wide form (FIELD_WIDE)
 *   offset size                              offset size
 *   0      2   bits 0..3   flags             0      2   bits 0..3  flags
 *              bits 4..9   size of the name             bits 4..15 size of the value
 *              bits 10..15 size of the value 2      4   size of the name
 *   2      [6] expiry, if FIELD_EXPIRES      6      [8] expiry
 *   ..     name, then value                  ..     name, then value
 *
 * A value of more than FIELD_EMBED_MAX bytes is a struct blob, and the value here a pointer to it
 * (FIELD_APART). A name of 16 bytes and a value of 8 make 26 bytes, and 32 with an expiry: one size
 * class of the allocator.
 *
 * Invariants (hash_verify):
 * 1. Short form if and only if name and value are both shorter than FIELD_SHORT_LIMIT, and an
 *    expiry takes 48 bits at most.
 * 2. FIELD_APART if and only if the value is longer than FIELD_EMBED_MAX.
 * 3. In a listpack no name comes twice. No field of a plain table expires.
 * 4. times.count is the number of fields with an expiry; if it is 0 there is no index.
 * 5. Each of these has a record in the index that comes out at its expiry or before
 * (hash_expiry.c), or there is no index and next_ms is not later than any of them. A large table
 * some of whose fields expire has an index. */
#pragma once

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "ds/hashtab_inline.h"
#include "sync/blob.h"
#include "types/hash.h"

struct listpack;
struct wheel;

/* ---- forms ---- */

enum hash_form { HASH_LISTPACK = 0, HASH_TABLE, HASH_TIMED };
enum { HASH_FORM_MASK = 7 };

struct hash_timed {
    struct hashtab *fields;
    struct element_times times;
    int64_t now_ms;       /* the latest time it was told of, for a new wheel to begin with */
    struct wheel *wheel;  /* the index; NULL while the table is small */
    struct wheel *purged; /* the former one, being filed anew without its stale records; or NULL */
    bool mark;            /* FIELD_FILED has this value in fields that have a record in wheel */
};

static inline enum hash_form hash__form(const struct hash *hash) {
    return (enum hash_form)((uintptr_t)hash & HASH_FORM_MASK);
}
static inline void *hash__pointer(const struct hash *hash) {
    return (void *)((uintptr_t)hash & ~(uintptr_t)HASH_FORM_MASK);
}
static inline struct hash *hash__make(void *pointer, enum hash_form form) {
    dcheck(((uintptr_t)pointer & HASH_FORM_MASK) == 0);
    return (struct hash *)((uintptr_t)pointer | (uintptr_t)form);
}
static inline struct hash_timed *hash__timed(const struct hash *hash) {
    return hash__form(hash) == HASH_TIMED ? hash__pointer(hash) : NULL;
}
/* Not of a listpack. */
static inline struct hashtab *hash__table(const struct hash *hash) {
    void *pointer = hash__pointer(hash);
    return hash__form(hash) == HASH_TIMED ? ((struct hash_timed *)pointer)->fields : pointer;
}

/* ---- fields ---- */

enum field_flag {
    FIELD_WIDE = BIT(0),
    FIELD_EXPIRES = BIT(1),
    FIELD_APART = BIT(2),
    FIELD_FILED = BIT(3), /* the index's mark: see hash_expiry.c */
};
enum {
    FIELD_FLAGS = 15,
    FIELD_SHORT_LIMIT = 64,
    FIELD_EMBED_MAX = 4095,
    FIELD_SHORT_HEADER = 2,
    FIELD_WIDE_HEADER = 6,
    FIELD_SHORT_TIME = 6,
    FIELD_WIDE_TIME = 8,
};
#define FIELD_SHORT_TIME_LIMIT ((int64_t)1 << 48)

struct field {
    uint8_t bytes[FIELD_SHORT_HEADER]; /* at least; the address is all that counts */
};

static inline uint16_t field_word(const struct field *f) {
    uint16_t word;
    memcpy(&word, f->bytes, sizeof(word));
    return word;
}
static inline void field_set_word(struct field *f, unsigned word) {
    uint16_t word16 = (uint16_t)word;
    memcpy(f->bytes, &word16, sizeof(word16));
}
static inline bool field_expires(const struct field *f) { return field_word(f) & FIELD_EXPIRES; }

/* What a field is made of, read at once. */
struct field_parts {
    unsigned flags;
    size_t name_at; /* offset; the value follows the name */
    size_t name_size;
    size_t value_size; /* of what is in the field: 8 if apart */
};
always_inline_fn struct field_parts field_read(const struct field *f) {
    unsigned word = field_word(f);
    struct field_parts parts = {.flags = word & FIELD_FLAGS};
    if (likely(!(word & FIELD_WIDE))) {
        parts.name_at = FIELD_SHORT_HEADER + (word & FIELD_EXPIRES ? FIELD_SHORT_TIME : 0u);
        parts.name_size = word >> 4 & 63;
        parts.value_size = word >> 10;
    } else {
        uint32_t size;
        memcpy(&size, (const char *)f + FIELD_SHORT_HEADER, sizeof(size));
        parts.name_at = FIELD_WIDE_HEADER + (word & FIELD_EXPIRES ? FIELD_WIDE_TIME : 0u);
        parts.name_size = size;
        parts.value_size = word >> 4;
    }
    return parts;
}
static inline size_t field_parts_size(const struct field_parts *parts) {
    return parts->name_at + parts->name_size + parts->value_size;
}
static inline struct bytes field_name(const struct field *f) {
    struct field_parts parts = field_read(f);
    return bytes_make((const char *)f + parts.name_at, parts.name_size);
}
/* HASH_NO_TIME: none. */
static inline int64_t field_expiry_ms(const struct field *f) {
    unsigned word = field_word(f);
    if (likely(!(word & FIELD_EXPIRES))) return HASH_NO_TIME;
    int64_t at_ms = 0;
    if (word & FIELD_WIDE) {
        memcpy(&at_ms, (const char *)f + FIELD_WIDE_HEADER, FIELD_WIDE_TIME);
    } else {
        memcpy(&at_ms, (const char *)f + FIELD_SHORT_HEADER, FIELD_SHORT_TIME);
    }
    return at_ms;
}
static inline bool field_is_due(const struct field *f, int64_t now_ms) {
    return unlikely(field_expires(f)) && field_expiry_ms(f) <= now_ms;
}
static inline struct blob *field_blob(const struct field *f, const struct field_parts *parts) {
    struct blob *blob;
    memcpy(&blob, (const char *)f + parts->name_at + parts->name_size, sizeof(blob));
    return blob;
}
/* hashtab_equal_fn. */
always_inline_fn bool field_has_name(const void *entry, struct bytes name) {
    struct field_parts parts = field_read(entry);
    if (unlikely(parts.name_size != name.size)) return false;
    return bytes_run_equal((const char *)entry + parts.name_at, name.data, name.size);
}
static inline struct field *field_find(const struct hashtab *tab, struct bytes name,
                                       uint64_t code) {
    return hashtab_find_with(tab, code, name, field_has_name);
}

extern const struct hashtab_type hash__table_type;

/* What a field is to be. */
struct field_shape {
    struct bytes name, value;
    struct blob *blob; /* NULL, or what the value lies in; the reference is the caller's */
    int64_t at_ms;     /* or HASH_NO_TIME */
};
must_use struct field *field_create(const struct field_shape *shape);
void field_destroy(void *field); /* hashtab_type.drop */
/* Makes it that, in place where it fits; name and mark stay. If the address changes, old is gone
 * and the caller puts the new one into the table. */
must_use struct field *field_change(struct field *old, const struct field_shape *shape);
/* The same where only the expiry changes. */
must_use struct field *field_change_expiry(struct field *old, int64_t at_ms);
void field_describe(const struct field *f, struct hash_item *out);

/* ---- hash.c ---- */
/* The field whose name is at `at`. */
void hash__packed_item(const struct listpack *lp, size_t at, struct hash_item *out);

/* ---- hash_change.c ---- */
/* Makes a listpack a table. */
void hash__to_table(struct hash **hash);
/* Removes and frees a field. timed: NULL, or what the table belongs to. */
void hash__take_field(struct hash_timed *timed, struct hashtab *table, uint64_t code,
                      const struct hashtab_place *place);

/* ---- hash_expiry.c ---- */
/* Makes a table timed if it is not. now_ms: what time it is, or earlier. */
struct hash_timed *hash__to_timed(struct hash **hash, int64_t now_ms);
void hash__timed_destroy(struct hash_timed *timed); /* without the fields */
/* The field of this code, in the table, had the first expiry and has the second (HASH_NO_TIME:
 * none). NULL: it has left the table. */
void hash__expiry_changed(struct hash_timed *timed, struct field *field, uint64_t code,
                          int64_t old_ms, int64_t new_ms);
/* The number of fields has changed. */
void hash__timed_resized(struct hash_timed *timed);
size_t hash__timed_memory_bytes(const struct hash_timed *timed);
void hash__timed_verify(const struct hash_timed *timed);
