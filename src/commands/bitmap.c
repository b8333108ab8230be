/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands on strings as bits: GETBIT, SETBIT, BITCOUNT, BITPOS, BITOP. */
#include "types/bitmap.h"
#include "base/mem.h"
#include "commands/bitmap_internal.h"

/* The position of a bit at argument 2; else it has replied. */
static bool read_offset(struct call *call, uint64_t *out) {
    int64_t offset;
    if (!num_parse_i64(call->argv[2], &offset) || !bit_offset_is_valid(call, offset)) {
        call_error(call, ERROR_BIT_OFFSET);
        return false;
    }
    *out = (uint64_t)offset;
    return true;
}

/* GETBIT key offset */
void cmd_getbit(struct call *call) {
    char scratch[NUM_I64_TEXT_MAX];
    uint64_t offset;
    struct entry *entry;
    if (!read_offset(call, &offset)) return;
    if (!call_find_or_null(call, 1, TYPE_STRING, &entry)) return;
    reply_integer(call->reply, entry && bitmap_get(entry_string(entry, scratch), offset));
}

/* SETBIT key offset 0|1 -- replies with the old bit. A bit that is as wanted is no change. */
void cmd_setbit(struct call *call) {
    struct bytes key = call->argv[1];
    uint64_t offset;
    int64_t on;
    struct entry *entry;
    if (!read_offset(call, &offset)) return;
    if (!call_int_range(call, 3, 0, 1, ERROR_BIT_VALUE, &on)) return;
    if (!call_find_write(call, 1, TYPE_STRING, &entry)) return;

    size_t size = (size_t)bitmap_size_for(offset);
    size_t old_size = entry ? entry_string_size(entry) : 0;
    if (size <= old_size) {
        char scratch[NUM_I64_TEXT_MAX];
        bool old = bitmap_get(entry_string(entry, scratch), offset);
        if (old == (bool)on) {
            (void)keyspace_unpack_string(call->db, key, call_hash(call, 1), entry);
            reply_integer(call->reply, old);
            return;
        }
    }
    char *data;
    size = size_max(size, old_size);
    if (!keyspace_edit_string(call->db, key, call_hash(call, 1), entry, size, &data)) {
        call_error(call, ERROR_NO_MEMORY_FOR_VALUE);
        return;
    }
    bool old = bitmap_get(bytes_make(data, size), offset);
    bitmap_put(data, offset, on);
    if (size > old_size || old != (bool)on) {
        keyspace_event(call->db, key, EVENT_STRING, "setbit");
    }
    reply_integer(call->reply, old);
}

/* ---- ranges ---- */

struct bit_range { /* as the arguments say: from 0, negative from the end, both included */
    int64_t first, last;
    bool in_bits;
    bool is_open; /* no last was given */
};

/* The word BYTE or BIT at arg, or it has replied. */
static bool read_unit(struct call *call, uint32_t arg, struct bit_range *out) {
    out->in_bits = call_is(call, arg, "BIT");
    if (out->in_bits || call_is(call, arg, "BYTE")) return true;
    call_error(call, ERROR_SYNTAX);
    return false;
}

/* Turns the range into bits of a string of size bytes; false: there are none in it. */
static bool range_resolve(const struct bit_range *range, size_t size, uint64_t *first,
                          uint64_t *last) {
    int64_t units = (int64_t)size * (range->in_bits ? 8 : 1);
    int64_t from = range->first, to = range->last;
    if (from < 0) from = i64_max(from + units, 0);
    if (to < 0) to = i64_max(to + units, 0);
    to = i64_min(to, units - 1);
    if (from > to) return false;
    *first = range->in_bits ? (uint64_t)from : (uint64_t)from * 8;
    *last = range->in_bits ? (uint64_t)to : (uint64_t)to * 8 + 7;
    return true;
}

/* BITCOUNT key [first [last [BYTE | BIT]]] */
void cmd_bitcount(struct call *call) {
    struct bit_range range = {.last = -1};
    char scratch[NUM_I64_TEXT_MAX];
    uint64_t first, last;
    struct entry *entry;
    if (call->argc > 5) {
        call_error(call, ERROR_SYNTAX);
        return;
    }
    if (call->argc > 2 && !call_int(call, 2, &range.first)) return;
    if (call->argc > 3 && !call_int(call, 3, &range.last)) return;
    if (call->argc > 4 && !read_unit(call, 4, &range)) return;
    if (!call_find_or_null(call, 1, TYPE_STRING, &entry)) return;

    struct bytes bitmap = entry ? entry_string(entry, scratch) : bytes_make(NULL, 0);
    bool is_backwards = range.first < 0 && range.last < 0 && range.first > range.last;
    if (is_backwards || !range_resolve(&range, bitmap.size, &first, &last)) {
        reply_integer(call->reply, 0);
        return;
    }
    reply_integer(call->reply, (int64_t)bitmap_count_range(bitmap, first, last));
}

static bool read_bitpos(struct call *call, int64_t *bit, struct bit_range *range) {
    *range = (struct bit_range){.last = -1, .is_open = call->argc < 5};
    if (!call_int(call, 2, bit)) return false;
    if (*bit != 0 && *bit != 1) {
        call_error(call, ERROR_BITPOS_BIT);
        return false;
    }
    if (call->argc > 6) {
        call_error(call, ERROR_SYNTAX);
        return false;
    }
    if (call->argc > 3 && !call_int(call, 3, &range->first)) return false;
    if (call->argc > 5 && !read_unit(call, 5, range)) return false;
    return call->argc <= 4 || call_int(call, 4, &range->last);
}

/* BITPOS key 0|1 [first [last [BYTE | BIT]]] -- without a last, zeros go on behind the string. */
void cmd_bitpos(struct call *call) {
    struct bit_range range;
    char scratch[NUM_I64_TEXT_MAX];
    int64_t bit;
    uint64_t first, last;
    struct entry *entry;
    if (!read_bitpos(call, &bit, &range)) return;
    if (!call_find_or_null(call, 1, TYPE_STRING, &entry)) return;

    int64_t found = -1;
    if (!entry) {
        found = bit ? -1 : 0;
    } else {
        struct bytes bitmap = entry_string(entry, scratch);
        if (range_resolve(&range, bitmap.size, &first, &last)) {
            found = bitmap_find(bitmap, bit, first, last);
            if (found < 0 && !bit && range.is_open) found = (int64_t)bitmap.size * 8;
        }
    }
    reply_integer(call->reply, found);
}

/* ---- BITOP ---- */

struct bitop_sources {
    struct bytes *values;
    char (*scratch)[NUM_I64_TEXT_MAX]; /* of each, for integers */
    uint32_t count;
    size_t size; /* of the longest */
};

static bool read_operation(struct call *call, enum bitmap_operation *out) {
    static const char *const names[] = {
        [BITMAP_AND] = "AND", [BITMAP_OR] = "OR", [BITMAP_XOR] = "XOR", [BITMAP_NOT] = "NOT"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!call_is(call, 1, names[i])) continue;
        *out = (enum bitmap_operation)i;
        if (*out != BITMAP_NOT || call->argc == 4) return true;
        call_error(call, ERROR_BITOP_NOT);
        return false;
    }
    call_error(call, ERROR_SYNTAX);
    return false;
}

/* Borrows the strings of all sources: looking up another key leaves them where they are. */
static bool find_sources(struct call *call, struct bitop_sources *out) {
    for (uint32_t i = 0; i < out->count; i++) {
        struct entry *entry;
        if (!call_find_or_null(call, 3 + i, TYPE_STRING, &entry)) return false;
        out->values[i] = entry ? entry_string(entry, out->scratch[i]) : bytes_make(NULL, 0);
        out->size = size_max(out->size, out->values[i].size);
    }
    return true;
}

static void bitop_store(struct call *call, enum bitmap_operation operation,
                        const struct bitop_sources *sources) {
    struct bytes key = call->argv[2];
    if (sources->size == 0) {
        struct entry *old = call_peek_write(call, 2);
        if (old) {
            keyspace_remove(call->db, old, KEY_DELETED);
            keyspace_event(call->db, key, EVENT_GENERIC, "del");
        }
        reply_integer(call->reply, 0);
        return;
    }
    struct blob *blob = blob_try_create(sources->size);
    if (!blob) {
        call_error(call, ERROR_NO_MEMORY_FOR_VALUE);
        return;
    }
    bitmap_combine(operation, sources->values, sources->count, blob->data, sources->size);
    struct entry *old = call_peek_write(call, 2); /* the destination may be a source */
    struct entry *entry = keyspace_set_string(call->db, key, call_hash(call, 2), old,
                                              blob_bytes(blob), blob, -1, SET_AS_TEXT);
    entry->flags |= ENTRY_RAW;
    keyspace_event(call->db, key, EVENT_STRING, "set");
    reply_integer(call->reply, (int64_t)sources->size);
}

/* BITOP AND|OR|XOR|NOT destination key [key ...] */
void cmd_bitop(struct call *call) {
    enum bitmap_operation operation;
    if (!read_operation(call, &operation)) return;

    struct bitop_sources sources = {.count = call->argc - 3};
    sources.values = mem_alloc_array(sources.count, sizeof(*sources.values));
    sources.scratch = mem_alloc_array(sources.count, sizeof(*sources.scratch));
    if (find_sources(call, &sources)) bitop_store(call, operation, &sources);
    mem_free(sources.values);
    mem_free(sources.scratch);
}
