/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that walk a database: SCAN, KEYS, RANDOMKEY. Keys that have expired are passed over;
 * removing them is the work of the expiry index. */
#include "base/glob.h"
#include "base/mem.h"
#include "base/num.h"
#include "commands/key_internal.h"

/* ---- SCAN ---- */

enum { SCAN_COUNT_INITIAL = 10, SCAN_BUCKETS_PER_COUNT = 10, SCAN_FOUND_INLINE = 64 };

struct scan_options {
    bool filters_names;
    struct bytes pattern; /* if filters_names */
    uint8_t type;         /* TYPE_ANY: all */
    int64_t count;        /* how many keys to look at, about */
};

struct scan {
    const struct keyspace *keyspace;
    const struct scan_options *options;
    int64_t seen;         /* keys looked at */
    struct entry **found; /* those to reply with: inline_found, or allocated */
    size_t found_count, found_cap;
    struct entry *inline_found[SCAN_FOUND_INLINE];
};

static void scan_add(struct scan *scan, struct entry *entry) {
    if (scan->found_count == scan->found_cap) {
        size_t cap = scan->found_cap * 2;
        struct entry **found = mem_alloc_array(cap, sizeof(struct entry *));
        memcpy(found, scan->found, scan->found_count * sizeof(struct entry *));
        if (scan->found != scan->inline_found) mem_free(scan->found);
        scan->found = found;
        scan->found_cap = cap;
    }
    scan->found[scan->found_count++] = entry;
}

static void scan_visit(void *ctx, struct entry *entry) {
    struct scan *scan = ctx;
    const struct scan_options *options = scan->options;
    scan->seen++;
    if (options->type != TYPE_ANY && entry_type(entry) != options->type) return;
    if (options->filters_names && !glob_match(options->pattern, entry_key(entry))) return;
    if (keyspace_is_expired(scan->keyspace, entry)) return;
    scan_add(scan, entry);
}

/* A cursor: an unsigned number, where blanks, a plus and zeros may come first. */
static bool scan_read_cursor(struct call *call, uint32_t arg, uint64_t *out) {
    struct bytes text = call->argv[arg];
    while (text.size > 1 && char_is_space(text.data[0]))
        text = bytes_from(text, 1);
    if (text.size > 1 && text.data[0] == '+') text = bytes_from(text, 1);
    while (text.size > 1 && text.data[0] == '0')
        text = bytes_from(text, 1);
    if (num_parse_u64(text, out)) return true;
    call_error(call, ERROR_INVALID_CURSOR);
    return false;
}

static bool scan_read_type(struct call *call, uint32_t arg, uint8_t *out) {
    for (uint8_t type = 0; type < VALUE_TYPE_COUNT; type++) {
        if (type != TYPE_MODULE && call_is(call, arg, value_type_name(type))) {
            *out = type;
            return true;
        }
    }
    int shown = (int)size_min(call->argv[arg].size, INT32_MAX);
    call_errorf(call, ERROR_UNKNOWN_TYPE_NAME, shown, call->argv[arg].data);
    return false;
}

/* One option at arg; *used is how many arguments it took. False: it has replied. */
static bool scan_read_option(struct call *call, uint32_t arg, struct scan_options *options,
                             uint32_t *used) {
    bool has_value = arg + 1 < call->argc;
    *used = 2;
    if (has_value && call_is(call, arg, "COUNT")) {
        if (!call_int(call, arg + 1, &options->count)) return false;
        if (options->count >= 1) return true;
    } else if (has_value && call_is(call, arg, "MATCH")) {
        options->pattern = call->argv[arg + 1];
        options->filters_names = !bytes_equal(options->pattern, BYTES("*"));
        return true;
    } else if (has_value && call_is(call, arg, "TYPE")) {
        return scan_read_type(call, arg + 1, &options->type);
    } else if (call_is(call, arg, "NOVALUES")) {
        call_error(call, ERROR_NOVALUES_HSCAN);
        return false;
    } else if (call_is(call, arg, "NOSCORES")) {
        call_error(call, ERROR_NOSCORES_ZSCAN);
        return false;
    }
    call_error(call, ERROR_SYNTAX);
    return false;
}

/* SCAN cursor [MATCH pattern] [COUNT count] [TYPE type] -- whatever is there from the first call
 * to the one that returns cursor 0 is replied at least once. */
void cmd_scan(struct call *call) {
    struct scan_options options = {.type = TYPE_ANY, .count = SCAN_COUNT_INITIAL};
    uint64_t cursor;
    uint32_t used;
    if (!scan_read_cursor(call, 1, &cursor)) return;
    for (uint32_t arg = 2; arg < call->argc; arg += used) {
        if (!scan_read_option(call, arg, &options, &used)) return;
    }

    struct scan scan;
    scan.keyspace = call->keyspace;
    scan.options = &options;
    scan.seen = 0;
    scan.found = scan.inline_found;
    scan.found_count = 0;
    scan.found_cap = SCAN_FOUND_INLINE;
    int64_t buckets = options.count;
    if (!num_mul_i64(buckets, SCAN_BUCKETS_PER_COUNT, &buckets)) buckets = INT64_MAX;
    do {
        cursor = keyspace_scan(call->db, cursor, scan_visit, &scan);
        buckets--;
    } while (cursor != 0 && buckets > 0 && scan.seen < options.count);

    char text[NUM_I64_TEXT_MAX];
    reply_array(call->reply, 2);
    reply_bulk(call->reply, bytes_make(text, num_format_u64(text, cursor)));
    reply_array(call->reply, scan.found_count);
    for (size_t i = 0; i < scan.found_count; i++) {
        reply_bulk(call->reply, entry_key(scan.found[i]));
    }
    if (scan.found != scan.inline_found) mem_free(scan.found);
}

/* ---- KEYS ---- */

struct key_list {
    struct call *call;
    struct bytes pattern;
    bool all;
    size_t count;
};

static bool key_list_visit(void *ctx, struct entry *entry) {
    struct key_list *list = ctx;
    if (!list->all && !glob_match(list->pattern, entry_key(entry))) return true;
    if (keyspace_is_expired(list->call->keyspace, entry)) return true;
    reply_bulk(list->call->reply, entry_key(entry));
    list->count++;
    return true;
}

/* KEYS pattern -- O(keys), and everyone waits; a pattern without wildcards is a look-up. */
void cmd_keys(struct call *call) {
    struct key_list list = {.call = call, .pattern = call->argv[1]};
    if (glob_is_literal(list.pattern)) {
        bool found = keyspace_find(call->db, list.pattern, hash_bytes(list.pattern),
                                   LOOKUP_WRITE | LOOKUP_NO_TOUCH) != NULL;
        reply_array(call->reply, found);
        if (found) reply_bulk(call->reply, list.pattern);
        return;
    }
    list.all = bytes_equal(list.pattern, BYTES("*"));
    struct reply_mark mark = reply_defer(call->reply);
    keyspace_each(call->db, key_list_visit, &list);
    reply_defer_array(call->reply, mark, list.count);
}

/* RANDOMKEY */
void cmd_randomkey(struct call *call) {
    const struct entry *entry = keyspace_random(call->db);
    if (entry) {
        reply_bulk(call->reply, entry_key(entry));
    } else {
        reply_null(call->reply);
    }
}
