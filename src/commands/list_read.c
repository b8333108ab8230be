/* SPDX-License-Identifier: BSD-3-Clause */
/* List commands that only read. */
#include "commands/list_internal.h"
#include "ds/listpack_inline.h"

/* LLEN key */
void cmd_llen(struct call *call) {
    struct entry *entry;
    if (!call_find_or_null(call, 1, TYPE_LIST, &entry)) return;
    reply_integer(call->reply, entry ? (int64_t)list_count(entry_object(entry)) : 0);
}

/* LINDEX key index */
void cmd_lindex(struct call *call) {
    int64_t index;
    struct entry *entry;
    struct list_item item;
    struct listpack *scratch = NULL;
    if (!call_find(call, 1, TYPE_LIST, &entry)) return;
    if (!call_int(call, 2, &index)) return;
    if (list_at(entry_object(entry), index, &item, &scratch)) {
        lists__reply_item(call->reply, &item);
    } else {
        reply_null(call->reply);
    }
    if (unlikely(scratch != NULL)) listpack_destroy(&scratch);
}

/* ---- LRANGE ---- */

/* The elements at p, up to count of them, straight from the packed bytes. */
static size_t reply_packed(struct reply *reply, const uint8_t *p, size_t count) {
    size_t written = 0;
    while (written < count && *p != LISTPACK_END_BYTE) {
        if (likely(*p >= LISTPACK_STRING6 && *p < LISTPACK_INT13)) {
            size_t size = *p & LISTPACK_STRING6_MAX;
            reply_bulk(reply, bytes_make(p + 1, size));
            p += size + 2;
        } else {
            const struct list_item item = {.value = listpack_element_value(p)};
            lists__reply_item(reply, &item);
            p += listpack_element_span(p);
        }
        written++;
    }
    return written;
}

static void reply_range(struct reply *reply, const void *list, size_t first, size_t count) {
    struct list_iter iter;
    struct list_span span;
    reply_array(reply, count);
    if (count == 0) return;
    list_iter_init(&iter, list, first, LIST_HEAD);
    while (count > 0 && list_iter_next_span(&iter, &span)) {
        if (span.blob) {
            reply_blob(reply, span.blob);
            count--;
        } else {
            count -= reply_packed(reply, listpack_element(span.lp, span.at), count);
        }
    }
    list_iter_deinit(&iter);
}

/* LRANGE key start stop */
void cmd_lrange(struct call *call) {
    int64_t start, stop;
    struct entry *entry;
    if (!call_int(call, 2, &start) || !call_int(call, 3, &stop)) return;
    if (!call_find_or_null(call, 1, TYPE_LIST, &entry)) return;
    struct list_window window = {0};
    const void *list = entry ? entry_object(entry) : NULL;
    if (entry) window = lists__window(list_count(list), start, stop);
    reply_range(call->reply, list, window.first, window.count);
}

/* ---- LPOS ---- */

struct search {
    int64_t rank;  /* of the first match to tell; negative: from the tail */
    int64_t count; /* matches to tell; 0: all */
    int64_t maxlen;
    bool many; /* COUNT was given: an array */
};

static bool read_search(struct call *call, struct search *out) {
    *out = (struct search){.rank = 1, .count = 1};
    for (uint32_t arg = 3; arg < call->argc; arg += 2) {
        bool more = arg + 1 < call->argc;
        if (more && call_is(call, arg, "RANK")) {
            if (!call_int(call, arg + 1, &out->rank)) return false;
            if (out->rank == INT64_MIN) {
                call_errorf(call, ERROR_RANGE_BETWEEN, (long long)-INT64_MAX, (long long)INT64_MAX);
                return false;
            }
            if (out->rank == 0) {
                call_error(call, ERROR_RANK_ZERO);
                return false;
            }
        } else if (more && call_is(call, arg, "COUNT")) {
            out->many = true;
            if (!call_int_range(call, arg + 1, 0, INT64_MAX, ERROR_COUNT_NEGATIVE, &out->count)) {
                return false;
            }
        } else if (more && call_is(call, arg, "MAXLEN")) {
            if (!call_int_range(call, arg + 1, 0, INT64_MAX, ERROR_MAXLEN_NEGATIVE, &out->maxlen)) {
                return false;
            }
        } else {
            call_error(call, ERROR_SYNTAX);
            return false;
        }
    }
    return true;
}

/* What elements are compared with: bytes, and the integer they are if they are one. */
struct wanted {
    struct bytes bytes;
    bool is_int;
    int64_t integer;
};

static inline bool equals(const struct list_item *item, const struct wanted *wanted) {
    if (!item->value.data) return wanted->is_int && item->value.integer == wanted->integer;
    return bytes_equal(bytes_make(item->value.data, item->value.size), wanted->bytes);
}

/* Replies with each index found; returns how many. */
static size_t search_list(struct call *call, const void *list, const struct search *search) {
    struct wanted wanted = {.bytes = call->argv[2]};
    wanted.is_int = num_parse_i64(wanted.bytes, &wanted.integer);
    bool forward = search->rank > 0;
    int64_t skip = (forward ? search->rank : -search->rank) - 1, total = (int64_t)list_count(list);
    int64_t looks = search->maxlen > 0 ? i64_min(search->maxlen, total) : total;
    size_t found = 0;
    struct list_iter iter;
    struct list_item item;
    list_iter_init(&iter, list, forward ? 0 : (size_t)total - 1, forward ? LIST_HEAD : LIST_TAIL);
    for (int64_t i = 0; i < looks && list_iter_next(&iter, &item); i++) {
        if (!equals(&item, &wanted) || skip-- > 0) continue;
        reply_integer(call->reply, forward ? i : total - 1 - i);
        found++;
        if (!search->many || (int64_t)found == search->count) break;
    }
    list_iter_deinit(&iter);
    return found;
}

/* LPOS key element [RANK rank] [COUNT count] [MAXLEN length] */
void cmd_lpos(struct call *call) {
    struct search search;
    struct entry *entry;
    if (!read_search(call, &search)) return;
    if (!call_find_or_null(call, 1, TYPE_LIST, &entry)) return;
    if (!search.many) {
        if (!entry || search_list(call, entry_object(entry), &search) == 0) reply_null(call->reply);
        return;
    }
    struct reply_mark mark = reply_defer(call->reply);
    size_t found = entry ? search_list(call, entry_object(entry), &search) : 0;
    reply_defer_array(call->reply, mark, found);
}
