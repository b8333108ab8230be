/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading hashes. Fields that have expired are not seen, but for HLEN, which counts what is there.
 */
#include "base/mem.h"
#include "commands/hash_internal.h"
#include "commands/random_count.h"
#include "commands/scan_options.h"

/* ---- one field ---- */

/* HGET key field */
void cmd_hget(struct call *call) {
    struct entry_room room;
    struct entry *entry;
    struct hash_item item;
    if (!call_find(call, 1, TYPE_HASH, &entry)) return;
    const struct hash *hash = hash_of(entry, &room);
    uint64_t code = hash_code(hash, call->argv[2]);
    if (hash_find(hash, call->argv[2], code, hash_now(call), &item)) {
        hash_reply_text(call->reply, &item.value);
    } else {
        reply_null(call->reply);
    }
}

/* Whether there is the field of argument 2. False, too, if the key is of another type: *failed.
 * room: where the item may lie. */
static bool find_field(struct call *call, struct entry_room *room, struct hash_item *item,
                       bool *failed) {
    struct entry *entry;
    *failed = !call_find_or_null(call, 1, TYPE_HASH, &entry);
    if (*failed || !entry) return false;
    const struct hash *hash = hash_of(entry, room);
    return hash_find(hash, call->argv[2], hash_code(hash, call->argv[2]), hash_now(call), item);
}

/* HSTRLEN key field */
void cmd_hstrlen(struct call *call) {
    struct entry_room room;
    struct hash_item item;
    bool failed, found = find_field(call, &room, &item, &failed);
    if (!failed) reply_integer(call->reply, found ? (int64_t)hash_text_size(&item.value) : 0);
}

/* HEXISTS key field */
void cmd_hexists(struct call *call) {
    struct entry_room room;
    struct hash_item item;
    bool failed, found = find_field(call, &room, &item, &failed);
    if (!failed) reply_integer(call->reply, found);
}

/* HMGET key field [field ...] */
void cmd_hmget(struct call *call) {
    struct entry_room room;
    struct entry *entry;
    struct hash_item item;
    if (!call_find_or_null(call, 1, TYPE_HASH, &entry)) return;
    reply_array(call->reply, call->argc - 2);
    if (!entry) {
        for (uint32_t arg = 2; arg < call->argc; arg++)
            reply_null(call->reply);
        return;
    }
    const struct hash *hash = hash_of(entry, &room);
    int64_t now_ms = hash_now(call);
    struct hash_window window;
    for (uint32_t arg = 2; arg < call->argc;) {
        hash_window_load(&window, call, hash, arg, call->argc, 1);
        for (uint32_t i = 0; i < window.count; i++, arg++) {
            if (hash_find(hash, call->argv[arg], window.codes[i], now_ms, &item)) {
                hash_reply_text(call->reply, &item.value);
            } else {
                reply_null(call->reply);
            }
        }
    }
}

/* ---- all fields ---- */

/* HLEN key -- with fields that have expired and were not removed yet */
void cmd_hlen(struct call *call) {
    struct entry_room room;
    struct entry *entry;
    if (!call_find_or_null(call, 1, TYPE_HASH, &entry)) return;
    reply_integer(call->reply, entry ? (int64_t)hash_count(hash_of(entry, &room)) : 0);
}

enum part { NAMES = BIT(0), VALUES = BIT(1) };

static size_t reply_items(struct call *call, const struct hash *hash, unsigned parts) {
    struct hash_iter iter;
    struct hash_item item;
    size_t count = 0;
    hash_iter_init(&iter, hash, hash_now(call));
    while (hash_iter_next(&iter, &item)) {
        if (parts & NAMES) hash_reply_text(call->reply, &item.name);
        if (parts & VALUES) hash_reply_text(call->reply, &item.value);
        count++;
    }
    hash_iter_deinit(&iter);
    return count;
}

static void reply_all(struct call *call, unsigned parts) {
    struct reply *reply = call->reply;
    struct entry_room room;
    struct entry *entry;
    bool is_map = parts == (NAMES | VALUES);
    if (!call_find_or_null(call, 1, TYPE_HASH, &entry)) return;

    const struct hash *hash = entry ? hash_of(entry, &room) : NULL;
    const struct element_times *times = hash ? hash_times(hash) : NULL;
    if (times && times->count) { /* how many there are to see is known at the end */
        struct reply_mark mark = reply_defer(reply);
        size_t count = reply_items(call, hash, parts);
        if (is_map) {
            reply_defer_map(reply, mark, count);
        } else {
            reply_defer_array(reply, mark, count);
        }
        return;
    }
    size_t count = hash ? hash_count(hash) : 0;
    if (is_map) {
        reply_map(reply, count);
    } else {
        reply_array(reply, count);
    }
    if (hash) (void)reply_items(call, hash, parts);
}

/* HGETALL key */
void cmd_hgetall(struct call *call) { reply_all(call, NAMES | VALUES); }

/* HKEYS key */
void cmd_hkeys(struct call *call) { reply_all(call, NAMES); }

/* HVALS key */
void cmd_hvals(struct call *call) { reply_all(call, VALUES); }

/* ---- HSCAN ---- */

enum { SCAN_BUCKETS_PER_COUNT = 10, SCAN_FOUND_INLINE = 32 };

struct scan {
    const struct scan_options *options;
    int64_t seen;            /* fields looked at */
    struct hash_item *found; /* those to reply with: inline_found, or allocated */
    size_t count, cap;
    struct hash_item inline_found[SCAN_FOUND_INLINE];
};

static void scan_visit(void *ctx, const struct hash_item *item) {
    struct scan *scan = ctx;
    char scratch[NUM_I64_TEXT_MAX];
    scan->seen++;
    if (!scan_wants(scan->options, hash_text_bytes(&item->name, scratch))) return;
    if (scan->count == scan->cap) {
        size_t cap = scan->cap * 2;
        struct hash_item *found = mem_alloc_array(cap, sizeof(*found));
        memcpy(found, scan->found, scan->count * sizeof(*found));
        if (scan->found != scan->inline_found) mem_free(scan->found);
        scan->found = found;
        scan->cap = cap;
    }
    scan->found[scan->count++] = *item;
}

static void scan_reply(struct reply *reply, const struct scan *scan, uint64_t cursor) {
    bool with_values = !(scan->options->given & SCAN_NOVALUES);
    scan_reply_head(reply, cursor);
    reply_array(reply, with_values ? scan->count * 2 : scan->count);
    for (size_t i = 0; i < scan->count; i++) {
        hash_reply_text(reply, &scan->found[i].name);
        if (with_values) hash_reply_text(reply, &scan->found[i].value);
    }
}

/* HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES] */
void cmd_hscan(struct call *call) {
    struct scan_options options;
    struct entry_room room;
    struct entry *entry;
    uint64_t cursor;
    if (!scan_read_cursor(call, 2, &cursor)) return;
    if (!call_find_or_null(call, 1, TYPE_HASH, &entry)) return;
    if (!entry) {
        scan_reply_nothing(call->reply);
        return;
    }
    if (!scan_options_read(call, 3, SCAN_NOVALUES, &options)) return;

    const struct hash *hash = hash_of(entry, &room);
    struct scan scan;
    scan.options = &options;
    scan.seen = 0;
    scan.found = scan.inline_found;
    scan.count = 0;
    scan.cap = SCAN_FOUND_INLINE;
    int64_t buckets = options.count;
    if (!num_mul_i64(buckets, SCAN_BUCKETS_PER_COUNT, &buckets)) buckets = INT64_MAX;
    do {
        cursor = hash_scan(hash, cursor, hash_now(call), scan_visit, &scan);
        buckets--;
    } while (cursor != 0 && buckets > 0 && scan.seen < options.count);
    scan_reply(call->reply, &scan, cursor);
    if (scan.found != scan.inline_found) mem_free(scan.found);
}

/* ---- HRANDFIELD ---- */

struct drawing {
    struct reply *reply;
    bool with_values;
};

static void reply_drawn(void *ctx, const struct hash_item *item) {
    const struct drawing *drawing = ctx;
    if (drawing->with_values && drawing->reply->resp == 3) reply_array(drawing->reply, 2);
    hash_reply_text(drawing->reply, &item->name);
    if (drawing->with_values) hash_reply_text(drawing->reply, &item->value);
}

/* Reads count and WITHVALUES. False: it has replied. */
static bool read_drawing(struct call *call, int64_t *count, bool *with_values) {
    *with_values = call->argc == 4 && call_is(call, 3, "WITHVALUES");
    if (*with_values && random_count_is_too_many_pairs(call->argv[2])) {
        call_error(call, ERROR_OUT_OF_RANGE);
        return false;
    }
    if (!random_count_read(call, 2, count)) return false;
    if (call->argc > 3 && !*with_values) {
        call_error(call, ERROR_SYNTAX);
        return false;
    }
    return true;
}

static void draw_many(struct call *call) {
    struct drawing drawing = {.reply = call->reply};
    struct rng *rng = &call->exec->rng;
    struct entry_room room;
    struct entry *entry;
    int64_t wanted;
    if (!read_drawing(call, &wanted, &drawing.with_values)) return;
    if (!call_find_or_null(call, 1, TYPE_HASH, &entry)) return;
    if (!entry || wanted == 0) {
        reply_array(call->reply, 0);
        return;
    }
    const struct hash *hash = hash_of(entry, &room);
    int64_t now_ms = hash_now(call);
    struct reply_mark mark = reply_defer(call->reply);
    uint64_t count =
        wanted > 0
            ? hash_random_distinct(hash, rng, (uint64_t)wanted, now_ms, reply_drawn, &drawing)
            : hash_random_repeating(hash, rng, (uint64_t)-wanted, now_ms, reply_drawn, &drawing);
    if (drawing.with_values && call->reply->resp == 2) count *= 2;
    reply_defer_array(call->reply, mark, count);
}

/* HRANDFIELD key [count [WITHVALUES]] -- a negative count may give a field more than once. */
void cmd_hrandfield(struct call *call) {
    if (call->argc > 2) {
        draw_many(call);
        return;
    }
    struct drawing drawing = {.reply = call->reply};
    struct entry_room room;
    struct entry *entry;
    if (!call_find(call, 1, TYPE_HASH, &entry)) return;
    const struct hash *hash = hash_of(entry, &room);
    if (!hash_random(hash, &call->exec->rng, hash_now(call), reply_drawn, &drawing)) {
        reply_null(call->reply);
    }
}
