/* SPDX-License-Identifier: BSD-3-Clause */
/* SPOP and SRANDMEMBER: members by chance, each as likely as any other. */
#include "commands/collection.h"
#include "commands/random_count.h"
#include "commands/set_internal.h"

static bool reply_to_each(void *ctx, const struct set_member *member) {
    set_reply_member(ctx, member);
    return true;
}

/* ---- SPOP ---- */

/* The key goes with its members. */
static void pop_all(struct call *call, struct entry *entry) {
    set_each(set_of(entry), reply_to_each, call->reply);
    collection_changed(call, call->argv[1], entry, 0, "spop");
}

static void pop_some(struct call *call, struct entry *entry, size_t count) {
    struct set *set = set_of(entry);
    set_pop(&set, &call->exec->rng, count, reply_to_each, call->reply);
    set_members_left(call, 1, entry, set, "spop");
}

static void pop(struct call *call, struct entry *entry, size_t count) {
    if (count >= set_count(set_of(entry))) {
        pop_all(call, entry);
    } else if (count > 0) {
        pop_some(call, entry, count);
    }
}

static void pop_counted(struct call *call) {
    struct entry *entry;
    int64_t count;
    if (!call_int_range(call, 2, 0, INT64_MAX, ERROR_MUST_BE_POSITIVE, &count)) return;
    if (!call_find_write(call, 1, TYPE_SET, &entry)) return;
    size_t size = entry ? set_count(set_of(entry)) : 0;
    size_t wanted = (uint64_t)count < size ? (size_t)count : size;
    reply_set(call->reply, wanted);
    if (wanted > 0) pop(call, entry, wanted);
}

/* SPOP key [count] */
void cmd_spop(struct call *call) {
    struct entry *entry;
    if (call->argc > 3) {
        call_error(call, ERROR_SYNTAX);
        return;
    }
    if (call->argc == 3) {
        pop_counted(call);
        return;
    }
    if (!call_find_write(call, 1, TYPE_SET, &entry)) return;
    if (entry) {
        pop(call, entry, 1);
    } else {
        reply_null(call->reply);
    }
}

/* ---- SRANDMEMBER ---- */

static void random_counted(struct call *call) {
    struct entry *entry;
    int64_t count;
    if (!random_count_read(call, 2, &count)) return;
    if (!call_find_or_null(call, 1, TYPE_SET, &entry)) return;
    if (!entry || count == 0) {
        reply_array(call->reply, 0);
        return;
    }
    const struct set *set = set_of(entry);
    struct rng *rng = &call->exec->rng;
    if (count < 0) {
        reply_array(call->reply, (size_t)-count);
        set_random_repeating(set, rng, (uint64_t)-count, reply_to_each, call->reply);
        return;
    }
    size_t size = set_count(set), wanted = (uint64_t)count < size ? (size_t)count : size;
    reply_array(call->reply, wanted);
    if (wanted == size) {
        set_each(set, reply_to_each, call->reply);
    } else {
        set_random_distinct(set, rng, wanted, reply_to_each, call->reply);
    }
}

/* SRANDMEMBER key [count] */
void cmd_srandmember(struct call *call) {
    struct entry *entry;
    if (call->argc > 3) {
        call_error(call, ERROR_SYNTAX);
        return;
    }
    if (call->argc == 3) {
        random_counted(call);
        return;
    }
    if (!call_find(call, 1, TYPE_SET, &entry)) return;
    struct set_member member;
    set_random(set_of(entry), &call->exec->rng, &member);
    set_reply_member(call->reply, &member);
}
