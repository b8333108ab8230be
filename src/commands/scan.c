/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that walk a database: SCAN, KEYS, RANDOMKEY. Keys that have expired are passed over;
 * removing them is the work of the expiry index. */
#include "base/glob.h"
#include "base/mem.h"
#include "commands/key_internal.h"
#include "commands/scan_options.h"

/* ---- SCAN ---- */

enum { SCAN_BUCKETS_PER_COUNT = 10, SCAN_FOUND_INLINE = 64 };

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
    if (!scan_wants(options, entry_key(entry))) return;
    if (keyspace_is_expired(scan->keyspace, entry)) return;
    scan_add(scan, entry);
}

/* SCAN cursor [MATCH pattern] [COUNT count] [TYPE type] -- whatever is there from the first call
 * to the one that returns cursor 0 is replied at least once. */
void cmd_scan(struct call *call) {
    struct scan_options options;
    uint64_t cursor;
    if (!scan_read_cursor(call, 1, &cursor)) return;
    if (!scan_options_read(call, 2, SCAN_TYPE, &options)) return;

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

    scan_reply_head(call->reply, cursor);
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
