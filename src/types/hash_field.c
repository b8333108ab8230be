/* SPDX-License-Identifier: BSD-3-Clause */
/* Making and changing the fields of a table: see hash_internal.h for their layout. */
#include "base/hash.h"
#include "types/hash_internal.h"

static struct bytes table_key(const void *entry) { return field_name(entry); }
static uint64_t table_hash(const void *entry) { return hash_bytes(field_name(entry)); }

const struct hashtab_type hash__table_type = {
    .key = table_key, .hash = table_hash, .drop = field_destroy};

/* The parts of a field of this shape. */
static struct field_parts parts_for(size_t name_size, size_t value_size, int64_t at_ms) {
    bool apart = value_size > FIELD_EMBED_MAX;
    bool expires = at_ms >= 0;
    struct field_parts parts = {.name_size = name_size,
                                .value_size = apart ? sizeof(struct blob *) : value_size};
    bool wide = name_size >= FIELD_SHORT_LIMIT || parts.value_size >= FIELD_SHORT_LIMIT ||
                at_ms >= FIELD_SHORT_TIME_LIMIT;
    parts.flags = (unsigned)((wide ? FIELD_WIDE : 0) | (expires ? FIELD_EXPIRES : 0) |
                             (apart ? FIELD_APART : 0));
    parts.name_at = wide ? FIELD_WIDE_HEADER + (expires ? FIELD_WIDE_TIME : 0u)
                         : FIELD_SHORT_HEADER + (expires ? FIELD_SHORT_TIME : 0u);
    return parts;
}

static void write_header(struct field *f, const struct field_parts *parts, int64_t at_ms) {
    if (likely(!(parts->flags & FIELD_WIDE))) {
        field_set_word(
            f, parts->flags | (unsigned)parts->name_size << 4 | (unsigned)parts->value_size << 10);
        if (parts->flags & FIELD_EXPIRES)
            memcpy((char *)f + FIELD_SHORT_HEADER, &at_ms, FIELD_SHORT_TIME);
        return;
    }
    uint32_t name_size = (uint32_t)parts->name_size;
    field_set_word(f, parts->flags | (unsigned)parts->value_size << 4);
    memcpy((char *)f + FIELD_SHORT_HEADER, &name_size, sizeof(name_size));
    if (parts->flags & FIELD_EXPIRES)
        memcpy((char *)f + FIELD_WIDE_HEADER, &at_ms, FIELD_WIDE_TIME);
}

/* The value, where the parts say; owns a blob from now on if it is one. */
static void write_value(struct field *f, const struct field_parts *parts, struct bytes value,
                        struct blob *blob) {
    char *at = (char *)f + parts->name_at + parts->name_size;
    if (unlikely(parts->flags & FIELD_APART)) {
        memcpy(at, &blob, sizeof(blob));
    } else if (value.size) {
        memcpy(at, value.data, value.size);
    }
}

static struct blob *blob_for(const struct field_shape *shape) {
    if (shape->value.size <= FIELD_EMBED_MAX) return NULL;
    return shape->blob ? blob_retain(shape->blob) : blob_copy(shape->value);
}

struct field *field_create(const struct field_shape *shape) {
    struct field_parts parts = parts_for(shape->name.size, shape->value.size, shape->at_ms);
    check(shape->name.size <= UINT32_MAX);
    struct field *f = mem_alloc(field_parts_size(&parts));
    write_header(f, &parts, shape->at_ms);
    if (shape->name.size) memcpy((char *)f + parts.name_at, shape->name.data, shape->name.size);
    write_value(f, &parts, shape->value, blob_for(shape));
    return f;
}

void field_destroy(void *field) {
    struct field_parts parts = field_read(field);
    if (unlikely(parts.flags & FIELD_APART)) blob_release(field_blob(field, &parts));
    mem_free_sized(field, field_parts_size(&parts));
}

struct field *field_change(struct field *old, const struct field_shape *shape) {
    struct field_parts was = field_read(old);
    struct field_parts parts = parts_for(was.name_size, shape->value.size, shape->at_ms);
    size_t size = field_parts_size(&parts), old_size = field_parts_size(&was);
    struct blob *blob = blob_for(shape), *old_blob = NULL;
    if (unlikely(was.flags & FIELD_APART)) old_blob = field_blob(old, &was);

    struct field *f = old;
    parts.flags |= was.flags & FIELD_FILED;
    if (likely(size == old_size || mem_good_size(size) == mem_good_size(old_size))) {
        if (parts.name_at != was.name_at)
            memmove((char *)f + parts.name_at, (char *)old + was.name_at, was.name_size);
    } else {
        f = mem_alloc(size);
        if (was.name_size)
            memcpy((char *)f + parts.name_at, (char *)old + was.name_at, was.name_size);
        mem_free_sized(old, old_size);
    }
    write_header(f, &parts, shape->at_ms);
    write_value(f, &parts, shape->value, blob);
    blob_release(old_blob);
    return f;
}

struct field *field_change_expiry(struct field *old, int64_t at_ms) {
    struct field_parts was = field_read(old);
    struct field_parts parts = parts_for(was.name_size, was.value_size, at_ms);
    size_t size = field_parts_size(&parts), old_size = field_parts_size(&was);
    parts.flags |= was.flags & (FIELD_APART | FIELD_FILED);

    struct field *f = old;
    if (mem_good_size(size) != mem_good_size(old_size)) f = mem_alloc(size);
    memmove((char *)f + parts.name_at, (char *)old + was.name_at, was.name_size + was.value_size);
    write_header(f, &parts, at_ms);
    if (f != old) mem_free_sized(old, old_size);
    return f;
}

void field_describe(const struct field *f, struct hash_item *out) {
    struct field_parts parts = field_read(f);
    const char *name = (const char *)f + parts.name_at;
    out->name = (struct hash_text){.data = name, .size = parts.name_size};
    out->value = (struct hash_text){.data = name + parts.name_size, .size = parts.value_size};
    out->at_ms = field_expiry_ms(f);
    if (unlikely(parts.flags & FIELD_APART)) {
        struct blob *blob = field_blob(f, &parts);
        out->value = (struct hash_text){.data = blob->data, .size = blob->size, .blob = blob};
    }
}
