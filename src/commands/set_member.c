/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands on the members of one set, but for those that choose by chance. */
#include "base/mem.h"
#include "commands/collection.h"
#include "commands/scan_options.h"
#include "commands/set_internal.h"

void set_members_left(struct call *call, uint32_t arg, struct entry *entry, struct set *set,
                      const char *event) {
    entry_set_object(entry, set);
    collection_changed(call, call->argv[arg], entry, set_count(set), event);
}

/* Adds members to the set of the key at arg, which is made if entry is NULL. How many were new. */
static size_t add_members(struct call *call, uint32_t arg, struct entry *entry,
                          const struct bytes *members, size_t count) {
    const struct set_limits *limits = &call->exec->config->set_limits;
    struct bytes key = call->argv[arg];
    struct set *set = entry ? set_of(entry) : set_create(members[0], count, limits);
    size_t added = set_add_many(&set, members, count, limits);
    if (!entry) {
        (void)keyspace_add_object(call->db, key, call_hash(call, arg), TYPE_SET, set);
    } else if (added > 0) {
        entry_set_object(entry, set);
        keyspace_touched(call->db, key);
    }
    if (added > 0) keyspace_event(call->db, key, EVENT_SET, "sadd");
    return added;
}

void set_member_prefetch(const struct entry *entry, const struct bytes *argv, uint32_t argc,
                         struct command_prefetch *at) {
    if (entry_type(entry) != TYPE_SET || argc != 3) return;
    set_prefetch(set_of(entry), argv[2], at->step, &at->numbers[0]);
}

/* SADD key member [member ...] */
void cmd_sadd(struct call *call) {
    struct entry *entry;
    if (!call_find_write(call, 1, TYPE_SET, &entry)) return;
    size_t added = add_members(call, 1, entry, call->argv + 2, call->argc - 2);
    reply_integer(call->reply, (int64_t)added);
}

/* SREM key member [member ...] */
void cmd_srem(struct call *call) {
    struct entry *entry;
    if (!call_find_write(call, 1, TYPE_SET, &entry)) return;
    size_t removed = 0;
    if (entry) {
        struct set *set = set_of(entry);
        removed = set_remove_many(&set, call->argv + 2, call->argc - 2);
        if (removed > 0) set_members_left(call, 1, entry, set, "srem");
    }
    reply_integer(call->reply, (int64_t)removed);
}

/* SISMEMBER key member */
void cmd_sismember(struct call *call) {
    struct entry *entry;
    if (!call_find_or_null(call, 1, TYPE_SET, &entry)) return;
    reply_integer(call->reply, entry && set_has(set_of(entry), call->argv[2]));
}

/* SMISMEMBER key member [member ...] */
void cmd_smismember(struct call *call) {
    enum { BLOCK = 64 };
    struct entry *entry;
    if (!call_find_or_null(call, 1, TYPE_SET, &entry)) return;
    reply_array(call->reply, call->argc - 2);
    for (uint32_t arg = 2; arg < call->argc;) {
        bool found[BLOCK] = {false};
        size_t count = size_min(call->argc - arg, BLOCK);
        if (entry) set_has_many(set_of(entry), call->argv + arg, count, found);
        for (size_t i = 0; i < count; i++)
            reply_integer(call->reply, found[i]);
        arg += (uint32_t)count;
    }
}

/* SCARD key */
void cmd_scard(struct call *call) {
    struct entry *entry;
    if (!call_find_or_null(call, 1, TYPE_SET, &entry)) return;
    reply_integer(call->reply, entry ? (int64_t)set_count(set_of(entry)) : 0);
}

static bool reply_to_each(void *ctx, const struct set_member *member) {
    set_reply_member(ctx, member);
    return true;
}

/* SMEMBERS key */
void cmd_smembers(struct call *call) {
    struct entry *entry;
    if (!call_find_or_null(call, 1, TYPE_SET, &entry)) return;
    reply_set(call->reply, entry ? set_count(set_of(entry)) : 0);
    if (entry) set_each(set_of(entry), reply_to_each, call->reply);
}

/* SMOVE source destination member */
void cmd_smove(struct call *call) {
    struct entry *from, *to;
    struct bytes member = call->argv[3];
    if (!call_find_write(call, 1, TYPE_SET, &from)) return;
    if (!from) {
        reply_integer(call->reply, 0);
        return;
    }
    if (!call_find_write(call, 2, TYPE_SET, &to)) return;
    struct set *set = set_of(from);
    if (from == to) {
        reply_integer(call->reply, set_has(set, member));
        return;
    }
    bool moved = set_remove(&set, member);
    if (moved) {
        set_members_left(call, 1, from, set, "srem");
        (void)add_members(call, 2, to, &member, 1);
    }
    reply_integer(call->reply, moved);
}

/* ---- SSCAN ---- */

enum { SSCAN_BUCKETS_PER_COUNT = 10, SSCAN_FOUND_INLINE = 64 };

struct sscan {
    const struct scan_options *options;
    int64_t seen;             /* members looked at */
    struct set_member *found; /* those to reply with: inline_found, or allocated */
    size_t found_count, found_cap;
    struct set_member inline_found[SSCAN_FOUND_INLINE];
};

static void sscan_grow(struct sscan *scan) {
    size_t cap = scan->found_cap * 2;
    struct set_member *found = mem_alloc_array(cap, sizeof(*found));
    memcpy(found, scan->found, scan->found_count * sizeof(*found));
    if (scan->found != scan->inline_found) mem_free(scan->found);
    scan->found = found;
    scan->found_cap = cap;
}

static bool sscan_visit(void *ctx, const struct set_member *member) {
    struct sscan *scan = ctx;
    char scratch[NUM_I64_TEXT_MAX];
    scan->seen++;
    if (!scan_wants(scan->options, set_member_bytes(member, scratch))) return true;
    if (scan->found_count == scan->found_cap) sscan_grow(scan);
    scan->found[scan->found_count++] = *member;
    return true;
}

/* SSCAN key cursor [MATCH pattern] [COUNT count] */
void cmd_sscan(struct call *call) {
    struct entry *entry;
    struct scan_options options;
    uint64_t cursor;
    if (!scan_read_cursor(call, 2, &cursor)) return;
    if (!call_find_or_null(call, 1, TYPE_SET, &entry)) return;
    if (!entry) {
        scan_reply_nothing(call->reply);
        return;
    }
    if (!scan_options_read(call, 3, 0, &options)) return;

    struct sscan scan;
    scan.options = &options;
    scan.seen = 0;
    scan.found = scan.inline_found;
    scan.found_count = 0;
    scan.found_cap = SSCAN_FOUND_INLINE;
    int64_t steps = options.count;
    if (!num_mul_i64(steps, SSCAN_BUCKETS_PER_COUNT, &steps)) steps = INT64_MAX;
    do {
        cursor = set_scan(set_of(entry), cursor, sscan_visit, &scan);
        steps--;
    } while (cursor != 0 && steps > 0 && scan.seen < options.count);

    scan_reply_head(call->reply, cursor);
    reply_array(call->reply, scan.found_count);
    for (size_t i = 0; i < scan.found_count; i++)
        set_reply_member(call->reply, &scan.found[i]);
    if (scan.found != scan.inline_found) mem_free(scan.found);
}
