/* SPDX-License-Identifier: BSD-3-Clause */
/* string -- storing and editing strings.
 *
 * An overwrite writes into the entry's own allocation as long as the size class stays the same,
 * which is the common case; else a new entry takes the old one's place in the table. */
#include "base/hash.h"
#include "keyspace/keyspace_internal.h"

/* A value on its way into an entry. */
struct value {
    struct bytes text; /* ENCODING_EMBEDDED */
    struct blob *blob; /* ENCODING_BLOB: one reference, ours */
    int64_t integer;   /* ENCODING_INT */
    size_t field_size; /* bytes of the value field */
    uint8_t encoding;
};

/* Which key, and what is there now. */
struct target {
    struct db *db;
    struct bytes key;
    uint64_t hash;
    struct entry *old; /* NULL: absent */
    int64_t at_ms;     /* the expiry to be; < 0: none */
};

static inline bool is_integer(struct bytes text, int64_t *out) {
    if (text.size == 0 || text.size > NUM_I64_TEXT_MAX) return false;
    if ((unsigned char)(text.data[0] - '0') > 9 && text.data[0] != '-') return false;
    return num_parse_i64(text, out);
}

/* A blob for a long value: the old value's own, if nobody else reads it and its class fits. */
static struct blob *blob_for(struct entry *old, struct bytes text) {
    struct blob *blob = NULL;
    if (old && entry_encoding(old) == ENCODING_BLOB) blob = entry_blob(old);
    size_t overhead = sizeof(*blob) + BLOB_TAIL;
    if (!blob || !blob_is_sole(blob) ||
        mem_good_size(blob->size + overhead) != mem_good_size(text.size + overhead)) {
        return blob_copy(text);
    }
    memmove(blob->data, text.data, text.size); /* text may be part of the old value */
    blob->size = text.size;
    return blob_retain(blob);
}

static inline void write_value(struct entry *e, const struct value *v) {
    entry__set_kind(e, TYPE_STRING, v->encoding);
    entry__set_value_size(e, v->field_size);
    switch ((enum encoding)v->encoding) {
    case ENCODING_EMBEDDED:
        if (v->text.size) memmove(entry_value_field(e), v->text.data, v->text.size);
        break;
    case ENCODING_INT: entry__set_int(e, v->integer); break;
    case ENCODING_BLOB: entry_set_object(e, v->blob); break;
    case ENCODING_OBJECT:
    case ENCODING_PACKED: panic("string: not an encoding of strings");
    }
}

/* The old entry's allocation has the form that the new value needs. */
static inline bool fits_in_place(const struct target *t, const struct value *v) {
    uint8_t form = entry__form(t->key.size, v->field_size, t->at_ms);
    if ((t->old->flags & (ENTRY_WIDE | ENTRY_EXPIRES)) != form) return false;
    if (entry_encoding(t->old) == ENCODING_OBJECT) return false;
    if (entry_value_size(t->old) == v->field_size) return true;
    return mem_good_size(entry__size(t->old)) ==
           mem_good_size(entry__size_for(form, t->key.size, v->field_size));
}

static struct entry *create(const struct target *t, const struct value *v, uint32_t clock) {
    const struct entry_shape shape = {
        .key = t->key,
        .type = TYPE_STRING,
        .encoding = v->encoding,
        .flags = t->old ? t->old->flags & ENTRY_FILED : 0,
        .value_size = v->field_size,
        .at_ms = t->at_ms,
    };
    struct entry *e = entry__create(&shape);
    entry_set_clock(e, clock);
    write_value(e, v);
    return e;
}

never_inline static struct entry *store_new(const struct target *t, const struct value *v) {
    struct entry *e = create(t, v, keyspace__new_clock(t->db->ks));
    keyspace__add(t->db, t->hash, e);
    return e;
}

/* Puts a new entry into the old one's place, without telling the observers. */
static struct entry *replace(const struct target *t, const struct value *v) {
    struct entry *e = create(t, v, entry_clock(t->old)); /* look-up has touched it */
    hashtab_replace(t->db->table, t->hash, t->old, e);
    if (unlikely(t->old->flags & ENTRY_TIMED)) elements__left(t->db, t->old);
    expire__changed(t->db, e, t->hash, entry__expiry_or_none(t->old), t->at_ms);
    keyspace__free_value(t->db->ks, t->old, KEY_OVERWRITTEN);
    entry__free_shell(t->old);
    return e;
}

never_inline static struct entry *store_replacing(const struct target *t, const struct value *v) {
    struct entry *e = replace(t, v);
    keyspace__touched(t->db, entry_key(e)); /* t->key may be the old entry's */
    return e;
}

static inline struct entry *store(const struct target *t, const struct value *v) {
    struct entry *e = t->old;
    if (!e) return store_new(t, v);
    if (unlikely(!fits_in_place(t, v))) return store_replacing(t, v);

    if (unlikely(entry_encoding(e) == ENCODING_BLOB)) {
        keyspace__free_value(t->db->ks, e, KEY_OVERWRITTEN);
    }
    write_value(e, v);
    e->flags &= (uint8_t)~ENTRY_RAW;
    if (unlikely(t->at_ms >= 0)) {
        int64_t old_ms = entry_expiry_ms(e);
        entry_set_expiry_field(e, t->at_ms);
        expire__changed(t->db, e, t->hash, old_ms, t->at_ms);
    }
    keyspace__touched(t->db, t->key);
    return e;
}

static inline int64_t expiry_to_be(const struct entry *old, int64_t at_ms, unsigned flags) {
    if (flags & SET_KEEP_TTL && at_ms < 0 && old && entry_expires(old)) return entry_expiry_ms(old);
    return at_ms;
}

/* tidy: what a SET has at hand, in registers. */
struct entry *keyspace_set_string(struct db *db, struct bytes key, uint64_t hash, struct entry *old,
                                  struct bytes value, struct blob *blob, int64_t at_ms,
                                  unsigned flags) {
    struct target t = {db, key, hash, old, expiry_to_be(old, at_ms, flags)};
    struct value v = {.text = blob ? blob_bytes(blob) : value};
    if (is_integer(v.text, &v.integer) && !(flags & SET_AS_TEXT)) {
        v.encoding = ENCODING_INT;
        v.field_size = sizeof(v.integer);
    } else if (likely(v.text.size <= ENTRY_EMBED_MAX)) {
        v.encoding = ENCODING_EMBEDDED;
        v.field_size = v.text.size;
    } else {
        v.encoding = ENCODING_BLOB;
        v.field_size = 8;
        v.blob = blob ? blob_retain(blob) : blob_for(old, v.text);
    }
    struct entry *e = store(&t, &v);
    if (unlikely(blob != NULL)) blob_release(blob);
    return e;
}

/* tidy: what a SET has at hand, in registers. */
struct entry *keyspace_set_int(struct db *db, struct bytes key, uint64_t hash, struct entry *old,
                               int64_t value, int64_t at_ms, unsigned flags) {
    struct target t = {db, key, hash, old, expiry_to_be(old, at_ms, flags)};
    struct value v = {.integer = value, .encoding = ENCODING_INT, .field_size = sizeof(value)};
    return store(&t, &v);
}

/* ---- editing ---- */

/* An entry like t->old (or new) with an embedded string of that size; NULL without memory. The
 * bytes up to the old size are kept. */
static struct entry *edit_embedded(const struct target *t, size_t size) {
    char scratch[NUM_I64_TEXT_MAX];
    struct bytes was = t->old ? entry_string(t->old, scratch) : bytes_make(NULL, 0);
    struct value v = {.encoding = ENCODING_EMBEDDED, .field_size = size};
    v.text = bytes_make(was.data, size_min(was.size, size));
    bool is_text = t->old && entry_encoding(t->old) == ENCODING_EMBEDDED;

    struct entry *e;
    if (is_text && fits_in_place(t, &v)) {
        e = t->old;
        entry__set_value_size(e, size);
        keyspace__touched(t->db, t->key);
    } else {
        e = t->old ? store_replacing(t, &v) : store_new(t, &v);
    }
    if (size > was.size) memset(entry_value_field(e) + was.size, 0, size - was.size);
    e->flags |= ENTRY_RAW;
    return e;
}

/* A blob of that size with the old bytes, which only we hold; NULL without memory. */
static struct blob *edit_blob(struct entry *old, size_t size) {
    char scratch[NUM_I64_TEXT_MAX];
    struct bytes was = old ? entry_string(old, scratch) : bytes_make(NULL, 0);
    struct blob *blob;
    if (size > SIZE_MAX - sizeof(*blob) - BLOB_TAIL) return NULL;

    if (old && entry_encoding(old) == ENCODING_BLOB && blob_is_sole(entry_blob(old))) {
        blob = entry_blob(old);
        size_t bytes = sizeof(*blob) + size + BLOB_TAIL;
        if (mem_good_size(bytes) != mem_good_size(sizeof(*blob) + was.size + BLOB_TAIL)) {
            blob = mem_try_realloc(blob, bytes);
            if (!blob) return NULL;
        }
        entry_set_object(old, blob);
        blob->size = size;
    } else {
        blob = blob_try_create(size);
        if (!blob) return NULL;
        if (was.size) memcpy(blob->data, was.data, size_min(was.size, size));
    }
    if (size > was.size) memset(blob->data + was.size, 0, size - was.size);
    return blob;
}

struct entry *keyspace_edit_string(struct db *db, struct bytes key, uint64_t hash,
                                   struct entry *entry, size_t size, char **data) {
    struct target t = {db, key, hash, entry, entry ? entry__expiry_or_none(entry) : -1};
    if (size <= ENTRY_EMBED_MAX) {
        entry = edit_embedded(&t, size);
        *data = entry_value_field(entry);
        return entry;
    }
    struct blob *blob = edit_blob(entry, size);
    if (!blob) return NULL;

    if (entry && entry_encoding(entry) == ENCODING_BLOB && entry_blob(entry) == blob) {
        keyspace__touched(db, key);
    } else {
        struct value v = {.encoding = ENCODING_BLOB, .field_size = 8, .blob = blob};
        entry = store(&t, &v);
    }
    entry->flags |= ENTRY_RAW;
    *data = blob->data;
    return entry;
}

struct entry *keyspace_unpack_string(struct db *db, struct bytes key, uint64_t hash,
                                     struct entry *entry) {
    if (entry_encoding(entry) == ENCODING_INT) {
        char scratch[NUM_I64_TEXT_MAX];
        struct target t = {db, key, hash, entry, entry__expiry_or_none(entry)};
        struct value v = {.encoding = ENCODING_EMBEDDED, .text = entry_string(entry, scratch)};
        v.field_size = v.text.size;
        entry = replace(&t, &v);
    }
    entry->flags |= ENTRY_RAW;
    return entry;
}
