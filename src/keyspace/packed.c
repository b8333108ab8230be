/* SPDX-License-Identifier: BSD-3-Clause */
/* packed -- small collections live in their entries.
 *
 * A collection that is a listpack of up to ENTRY_PACKED_MAX bytes needs no allocation of its own:
 * the value field of its entry is
 *
 *      1 byte    how many elements
 *      ...       the elements, as in the listpack; its header and end are left out
 *
 * Whoever reads it has the listpack put together in a room on the stack. Whoever changes it gets a
 * listpack on the heap, whose elements then go back into the entry; once it has become too large,
 * or is no listpack any more, it stays where it is and the entry points to it. A collection goes
 * into an entry only when the key is added, so that one around the limit does not go to and fro. */
#include "base/check.h"
#include "ds/listpack.h"
#include "keyspace/keyspace_internal.h"
#include "keyspace/value_type.h"

enum { COUNT_SIZE = 1 };

/* The listpack of an object that can live in its entry; else NULL. */
static struct listpack *packable(uint8_t type, const void *object) {
    const struct value_ops *ops = value_ops_for(type, object);
    struct listpack *lp = ops->listpack ? ops->listpack(object) : NULL;
    return lp && listpack_size(lp) <= ENTRY_PACKED_MAX ? lp : NULL;
}

/* Bytes of the value field; lp: packable's. */
static size_t field_size(const struct listpack *lp) {
    return COUNT_SIZE + listpack_size(lp) - LISTPACK_EMPTY_SIZE;
}

/* ---- reading ---- */

/* Room for ENTRY_PACKED_MAX bytes. */
static struct listpack *assemble(const struct entry *e, void *room) {
    const char *field = entry_value_field(e);
    dcheck(entry_encoding(e) == ENCODING_PACKED);
    struct bytes elements = bytes_make(field + COUNT_SIZE, entry_value_size(e) - COUNT_SIZE);
    return listpack_assemble(room, elements, (uint8_t)field[0]);
}

const void *entry_expand(const struct entry *e, struct entry_room *room) {
    return assemble(e, room->bytes);
}

const char *entry_view_origin(const struct entry *e, const struct entry_room *room,
                              const char *data) {
    if (entry_encoding(e) != ENCODING_PACKED) return data;
    return entry_value_field(e) + COUNT_SIZE + (data - room->bytes - LISTPACK_HEADER);
}

/* ---- writing ---- */

/* Into a value field of field_size; the listpack is gone. */
static void store_elements(struct entry *e, struct listpack *lp) {
    struct bytes elements = listpack_elements(lp);
    char *field = entry_value_field(e);
    field[0] = (char)listpack_count(lp);
    memcpy(field + COUNT_SIZE, elements.data, elements.size);
    listpack_destroy(&lp);
}

struct entry *entry__create_with_object(const struct entry_shape *shape_in, void *object) {
    struct entry_shape shape = *shape_in;
    struct listpack *lp = packable(shape.type, object);
    shape.encoding = lp ? ENCODING_PACKED : ENCODING_OBJECT;
    shape.value_size = lp ? field_size(lp) : sizeof(uint64_t);
    struct entry *e = entry__create(&shape);
    if (lp) {
        store_elements(e, lp);
    } else {
        entry_set_object(e, object);
    }
    return e;
}

void *keyspace__unpack(const struct entry *entry) {
    return assemble(entry, mem_alloc(ENTRY_PACKED_MAX));
}

/* Whether a value field of that size fits the allocation, and would not fit a smaller one. */
static bool fits_in_place(const struct entry *e, size_t value_size) {
    size_t old_value_size = entry_value_size(e);
    if (value_size == old_value_size) return true;
    size_t size = entry__size(e);
    return mem_good_size(size) == mem_good_size(size - old_value_size + value_size);
}

static struct entry *replace(struct db *db, struct entry *entry, uint64_t hash, void *object) {
    const struct entry_shape shape = {
        .key = entry_key(entry),
        .type = entry_type(entry),
        .flags = entry->flags,
        .at_ms = entry__expiry_or_none(entry),
    };
    struct entry *moved = entry__create_with_object(&shape, object);
    entry_set_clock(moved, entry_clock(entry));
    hashtab_replace(db->table, hash, entry, moved);
    entry__free_shell(entry);
    return moved;
}

struct entry *keyspace__pack(struct db *db, struct entry *entry, uint64_t hash, void *object) {
    struct listpack *lp = packable(entry_type(entry), object);
    size_t size = lp ? field_size(lp) : 0;
    if (!lp || !fits_in_place(entry, size)) return replace(db, entry, hash, object);
    entry__set_value_size(entry, size);
    store_elements(entry, lp);
    return entry;
}

/* ---- checking ---- */

void entry__verify_packed(const struct entry *e) {
    size_t size = entry_value_size(e) - COUNT_SIZE + LISTPACK_EMPTY_SIZE;
    check(size > LISTPACK_EMPTY_SIZE && size <= ENTRY_PACKED_MAX);
    struct listpack *lp = assemble(e, mem_alloc(ENTRY_PACKED_MAX));
    const struct value_ops *ops = value_ops_for(entry_type(e), lp);
    check(ops->listpack && ops->listpack(lp) == lp);
    listpack_verify(lp);
    listpack_destroy(&lp);
}
