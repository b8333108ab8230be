/* SPDX-License-Identifier: BSD-3-Clause */
/* String commands that work on a part of a value: APPEND, GETRANGE (SUBSTR), SETRANGE. */
#include "commands/string_internal.h"

/* True if a string may have extra bytes after the first size ones; else it has replied. */
static bool check_size(struct call *call, uint64_t size, uint64_t extra) {
    uint64_t max = (uint64_t)call->exec->config->bulk_max;
    if (size <= max && extra <= max - size) return true;
    call_error(call, ERROR_STRING_TOO_LONG);
    return false;
}

/* keyspace_edit_string of the first key; NULL: no memory, and it has replied. */
static char *edit(struct call *call, struct entry *entry, size_t size) {
    char *data;
    if (keyspace_edit_string(call->db, call->argv[1], call_hash(call, 1), entry, size, &data)) {
        return data;
    }
    call_error(call, ERROR_NO_MEMORY_FOR_VALUE);
    return NULL;
}

/* APPEND key value */
void cmd_append(struct call *call) {
    struct bytes key = call->argv[1], value = call->argv[2];
    struct entry *entry;
    if (!call_find_write(call, 1, TYPE_STRING, &entry)) return;

    size_t size = 0;
    if (entry) {
        size = entry_string_size(entry);
        if (!check_size(call, size, value.size)) return;
        char *data = edit(call, entry, size + value.size);
        if (!data) return;
        if (value.size) memcpy(data + size, value.data, value.size);
    } else {
        (void)keyspace_set_string(call->db, key, call_hash(call, 1), NULL, value,
                                  string_take_blob(call, 2), -1, 0);
    }
    keyspace_event(call->db, key, EVENT_STRING, "append");
    reply_integer(call->reply, (int64_t)(size + value.size));
}

/* SETRANGE key offset value -- zero bytes fill a gap; an empty value changes nothing. */
void cmd_setrange(struct call *call) {
    struct bytes key = call->argv[1], value = call->argv[3];
    int64_t offset;
    struct entry *entry;
    if (!call_int(call, 2, &offset)) return;
    if (offset < 0) {
        call_error(call, ERROR_OFFSET_RANGE);
        return;
    }
    if (!call_find_write(call, 1, TYPE_STRING, &entry)) return;

    size_t size = entry ? entry_string_size(entry) : 0;
    if (value.size == 0) {
        reply_integer(call->reply, (int64_t)size);
        return;
    }
    if (!check_size(call, (uint64_t)offset, value.size)) return;
    size = size_max(size, (size_t)offset + value.size);
    char *data = edit(call, entry, size);
    if (!data) return;
    memcpy(data + offset, value.data, value.size);
    keyspace_event(call->db, key, EVENT_STRING, "setrange");
    reply_integer(call->reply, (int64_t)size);
}

/* The part of a string of size bytes that first..last mean, both included, negative ones counted
 * from the end. False if it is empty. */
static bool range_resolve(int64_t size, int64_t *first, int64_t *last) {
    if (*first < 0 && *last < 0 && *first > *last) return false;
    if (*first < 0) *first = i64_max(*first + size, 0);
    if (*last < 0) *last = i64_max(*last + size, 0);
    *last = i64_min(*last, size - 1);
    return *first <= *last;
}

/* GETRANGE key first last, and SUBSTR, its old name. */
void cmd_getrange(struct call *call) {
    char scratch[NUM_I64_TEXT_MAX];
    int64_t first, last;
    struct entry *entry;
    if (!call_int(call, 2, &first) || !call_int(call, 3, &last)) return;
    if (!call_find_or_null(call, 1, TYPE_STRING, &entry)) return;

    int64_t size = entry ? (int64_t)entry_string_size(entry) : 0;
    if (!range_resolve(size, &first, &last)) {
        reply_bulk(call->reply, bytes_make("", 0));
    } else if (last - first + 1 == size) {
        string_reply(call->reply, entry);
    } else {
        struct bytes text = entry_string(entry, scratch);
        reply_bulk(call->reply, bytes_make(text.data + first, (size_t)(last - first + 1)));
    }
}
