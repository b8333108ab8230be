/* SPDX-License-Identifier: BSD-3-Clause */
/* entry -- a key with its value: one allocation.
 *
 *   short form                               wide form (ENTRY_WIDE)
 *   offset size                              offset size
 *   0      1   type (low 4 bits), encoding   0      1   the same
 *   1      1   flags                         1      1   flags
 *   2      3   LRU or LFU clock              2      3   clock
 *   5      1   key size                      5      4   key size
 *   6      1   value size                    9      4   value size
 *   7      [8] expiry, if ENTRY_EXPIRES      13     [8] expiry
 *   ..     key, then value                   ..     key, then value
 *
 * The value is: ENCODING_EMBEDDED the bytes of a string; ENCODING_INT an int64_t (8 bytes,
 * unaligned); ENCODING_BLOB a struct blob pointer; of collections, ENCODING_OBJECT a pointer to the
 * type's own struct, ENCODING_PACKED the elements of a listpack (packed.c). A 16-byte key with an
 * 8-byte value takes 31 bytes: jemalloc's class of 32.
 *
 * 1. An entry belongs to one database's table, or to whoever took it out.
 * 2. Short form if and only if key and embedded value are both shorter than 256 bytes.
 * 3. The address changes when the value outgrows the size class, or the expiry comes or goes;
 *    keyspace functions that may move it return the new address.
 * Fields are visible for inlining only; use the functions. */
#pragma once

#include <assert.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/num.h"
#include "sync/blob.h"

enum value_type { /* the numbers are those of the RDB format where it has them */
                  TYPE_STRING = 0,
                  TYPE_LIST,
                  TYPE_SET,
                  TYPE_ZSET,
                  TYPE_HASH,
                  TYPE_MODULE,
                  TYPE_STREAM,
};
enum { VALUE_TYPE_COUNT = 7, TYPE_ANY = 255 };

enum encoding {
    ENCODING_EMBEDDED = 0, /* string bytes in the entry */
    ENCODING_INT,
    ENCODING_BLOB,
    ENCODING_OBJECT, /* a collection; its own struct knows more */
    ENCODING_PACKED, /* a small collection: a listpack's elements in the entry */
};

enum entry_flag {
    ENTRY_EXPIRES = BIT(0), /* has an expiry field */
    ENTRY_WIDE = BIT(1),
    ENTRY_RAW = BIT(2),   /* string changed in place once: OBJECT ENCODING says raw */
    ENTRY_FILED = BIT(3), /* the expiry index's mark: see expire.c */
    ENTRY_TIMED = BIT(4), /* its value has elements that expire: see elements.c */
};

enum {
    ENTRY_SHORT_HEADER = 7,
    ENTRY_WIDE_HEADER = 13,
    ENTRY_EMBED_MAX = 4096, /* longer strings live in a blob */
    ENTRY_EMBSTR_MAX = 44,  /* longer strings are called raw by OBJECT ENCODING */
    ENTRY_PACKED_MAX = 128, /* bytes of a listpack whose elements may live in the entry */
};

struct entry {
    uint8_t kind;
    uint8_t flags;
    uint8_t clock[3];
    uint8_t rest[];
};
static_assert(sizeof(struct entry) == 5, "the header has no padding");

static inline uint8_t entry_type(const struct entry *e) { return e->kind & 15; }
static inline uint8_t entry_encoding(const struct entry *e) { return e->kind >> 4; }
static inline bool entry_is_string(const struct entry *e) { return entry_type(e) == TYPE_STRING; }
static inline bool entry_expires(const struct entry *e) { return e->flags & ENTRY_EXPIRES; }
static inline uint32_t entry_load32(const void *p) {
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}
static inline size_t entry_header_size(const struct entry *e) {
    return (e->flags & ENTRY_WIDE ? ENTRY_WIDE_HEADER : ENTRY_SHORT_HEADER) +
           (e->flags & ENTRY_EXPIRES ? 8u : 0u);
}
static inline size_t entry_key_size(const struct entry *e) {
    return likely(!(e->flags & ENTRY_WIDE)) ? e->rest[0] : entry_load32(e->rest);
}
/* Bytes of the value field: of an embedded string, of packed elements, or 8. */
static inline size_t entry_value_size(const struct entry *e) {
    return likely(!(e->flags & ENTRY_WIDE)) ? e->rest[1] : entry_load32(e->rest + 4);
}
static inline struct bytes entry_key(const struct entry *e) {
    return bytes_make((const char *)e + entry_header_size(e), entry_key_size(e));
}
static inline char *entry_value_field(const struct entry *e) {
    return (char *)e + entry_header_size(e) + entry_key_size(e);
}
/* Milliseconds since the epoch; only if entry_expires. */
static inline int64_t entry_expiry_ms(const struct entry *e) {
    int64_t at_ms;
    memcpy(&at_ms, (const char *)e + entry_header_size(e) - 8, sizeof(at_ms));
    return at_ms;
}
static inline void entry_set_expiry_field(struct entry *e, int64_t at_ms) {
    memcpy((char *)e + entry_header_size(e) - 8, &at_ms, sizeof(at_ms));
}
static inline int64_t entry_int(const struct entry *e) { /* ENCODING_INT */
    int64_t v;
    memcpy(&v, entry_value_field(e), sizeof(v));
    return v;
}
static inline void *entry_object(const struct entry *e) { /* ENCODING_BLOB and _OBJECT */
    void *p;
    memcpy(&p, entry_value_field(e), sizeof(p));
    return p;
}
/* ENCODING_BLOB and _OBJECT: it moved, or became another form of the same type. */
static inline void entry_set_object(struct entry *e, const void *object) {
    uint64_t word = (uintptr_t)object;
    memcpy(entry_value_field(e), &word, sizeof(word));
}
static inline struct blob *entry_blob(const struct entry *e) { return entry_object(e); }

/* ---- collections ---- */
/* Where a packed collection is put together for its reader. */
struct entry_room {
    alignas(8) char bytes[ENTRY_PACKED_MAX];
};
/* ENCODING_PACKED: its object, made in room. */
const void *entry_expand(const struct entry *e, struct entry_room *room);
/* The object of any collection, to be read: valid until the entry changes or room is gone. To be
 * changed: keyspace_take_object. */
static inline const void *entry_view(const struct entry *e, struct entry_room *room) {
    return likely(entry_encoding(e) == ENCODING_OBJECT) ? entry_object(e) : entry_expand(e, room);
}
/* Of bytes that were found in an entry_view: where they stay until the entry changes, however long
 * room lives. */
const char *entry_view_origin(const struct entry *e, const struct entry_room *room,
                              const char *data);

/* ---- strings ---- */

/* The string's bytes; an integer is formatted into scratch. Valid until the entry changes. */
static inline struct bytes entry_string(const struct entry *e, char scratch[NUM_I64_TEXT_MAX]) {
    uint8_t encoding = entry_encoding(e);
    if (likely(encoding == ENCODING_EMBEDDED)) {
        return bytes_make(entry_value_field(e), entry_value_size(e));
    }
    if (encoding == ENCODING_INT) return bytes_make(scratch, num_format_i64(scratch, entry_int(e)));
    return blob_bytes(entry_blob(e));
}
/* Size of the string in bytes, without touching a blob's bytes. */
size_t entry_string_size(const struct entry *e);

static inline uint32_t entry_clock(const struct entry *e) {
    return (uint32_t)e->clock[0] | (uint32_t)e->clock[1] << 8 | (uint32_t)e->clock[2] << 16;
}
static inline void entry_set_clock(struct entry *e, uint32_t clock) {
    e->clock[0] = (uint8_t)clock;
    e->clock[1] = (uint8_t)(clock >> 8);
    e->clock[2] = (uint8_t)(clock >> 16);
}

/* "int", "embstr", "raw", "hashtable", ...: what OBJECT ENCODING says. */
const char *entry_encoding_name(const struct entry *e);
const char *value_type_name(uint8_t type); /* "string", ... */
/* Memory of the entry and all that hangs off it, in bytes. samples: elements of a collection to
 * look at, 0 for all. */
size_t entry_memory_bytes(const struct entry *e, size_t samples);
/* What freeing it costs, in elements: 1 for strings. */
size_t entry_free_effort(const struct entry *e);
