/* SPDX-License-Identifier: BSD-3-Clause */
#include "keyspace/entry.h"

#include "keyspace/entry_internal.h"
#include "keyspace/value_type.h"

size_t entry_string_size(const struct entry *e) {
    char scratch[NUM_I64_TEXT_MAX];
    switch ((enum encoding)entry_encoding(e)) {
    case ENCODING_EMBEDDED: return entry_value_size(e);
    case ENCODING_INT: return num_format_i64(scratch, entry_int(e));
    case ENCODING_BLOB: return entry_blob(e)->size;
    case ENCODING_OBJECT:
    case ENCODING_PACKED: break;
    }
    panic("entry: a %s has no string size", value_type_name(entry_type(e)));
}

const char *entry_encoding_name(const struct entry *e) {
    switch ((enum encoding)entry_encoding(e)) {
    case ENCODING_INT: return "int";
    case ENCODING_OBJECT: return value_ops_of(e)->encoding_name(entry_object(e));
    case ENCODING_PACKED: return "listpack";
    case ENCODING_EMBEDDED:
    case ENCODING_BLOB: break;
    }
    if (e->flags & ENTRY_RAW || entry_string_size(e) > ENTRY_EMBSTR_MAX) return "raw";
    return "embstr";
}

size_t entry_memory_bytes(const struct entry *e, size_t samples) {
    size_t bytes = mem_usable_size(e);
    switch ((enum encoding)entry_encoding(e)) {
    case ENCODING_EMBEDDED:
    case ENCODING_INT:
    case ENCODING_PACKED: return bytes;
    case ENCODING_BLOB: return bytes + blob_memory_bytes(entry_blob(e));
    case ENCODING_OBJECT: break;
    }
    return bytes + value_ops_of(e)->memory_bytes(entry_object(e), samples);
}

size_t entry_free_effort(const struct entry *e) {
    if (entry_encoding(e) != ENCODING_OBJECT) return 1;
    return value_ops_of(e)->free_effort(entry_object(e));
}

struct entry *entry__reshape(const struct entry *e, struct bytes key, int64_t at_ms) {
    const struct entry_shape shape = {
        .key = key,
        .type = entry_type(e),
        .encoding = entry_encoding(e),
        .flags = e->flags,
        .value_size = entry_value_size(e),
        .at_ms = at_ms,
    };
    struct entry *copy = entry__create(&shape);
    entry_set_clock(copy, entry_clock(e));
    if (shape.value_size) memcpy(entry_value_field(copy), entry_value_field(e), shape.value_size);
    return copy;
}

void entry__destroy(void *entry) {
    struct entry *e = entry;
    if (entry_encoding(e) == ENCODING_BLOB) {
        blob_release(entry_blob(e));
    } else if (entry_encoding(e) == ENCODING_OBJECT) {
        value_ops_of(e)->destroy(entry_object(e));
    }
    entry__free_shell(e);
}
