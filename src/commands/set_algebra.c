/* SPDX-License-Identifier: BSD-3-Clause */
/* SINTER, SUNION, SDIFF, their STORE forms, and SINTERCARD. */
#include "base/mem.h"
#include "commands/collection.h"
#include "commands/key_window.h"
#include "commands/set_internal.h"

enum operation { INTERSECT, UNITE, SUBTRACT };

/* ---- the sets that a command names ---- */

enum { OPERANDS_INLINE = 16 };
struct operands {
    const struct set **sets; /* those that exist: inline_sets, or allocated */
    size_t count;
    bool has_first, has_all;
    const struct set *inline_sets[OPERANDS_INLINE];
};

static void operands_deinit(struct operands *operands) {
    if (operands->sets != operands->inline_sets) mem_free(operands->sets);
}

/* Looks the keys first .. end - 1 up. False: WRONGTYPE has been replied, and nothing is to be
 * freed. */
static bool operands_load(struct call *call, uint32_t first, uint32_t end,
                          struct operands *operands) {
    uint32_t given = end - first;
    operands->sets = operands->inline_sets;
    if (given > OPERANDS_INLINE) operands->sets = mem_alloc_array(given, sizeof(struct set *));
    operands->count = 0;
    operands->has_first = false;

    struct key_window window;
    for (uint32_t arg = first; arg < end;) {
        key_window_load(&window, call, arg, end, 1);
        for (uint32_t i = 0; i < window.count; i++, arg++) {
            const struct entry *entry =
                keyspace_find(call->db, call->argv[arg], window.hashes[i], call_lookup_flags(call));
            if (!entry) continue;
            if (entry_type(entry) != TYPE_SET) {
                operands_deinit(operands);
                call_error(call, ERROR_WRONG_TYPE);
                return false;
            }
            if (arg == first) operands->has_first = true;
            operands->sets[operands->count++] = set_of(entry);
        }
    }
    operands->has_all = operands->count == given;
    return true;
}

static void operate(enum operation operation, struct operands *operands, set_member_fn fn,
                    void *ctx) {
    switch (operation) {
    case INTERSECT:
        if (operands->has_all) set_intersect(operands->sets, operands->count, fn, ctx);
        break;
    case UNITE:
        if (operands->count > 0) set_unite(operands->sets, operands->count, fn, ctx);
        break;
    case SUBTRACT:
        if (operands->has_first) set_subtract(operands->sets, operands->count, fn, ctx);
        break;
    }
}

/* ---- to the client ---- */

struct listing {
    struct reply *reply;
    size_t count;
};

static bool list_member(void *ctx, const struct set_member *member) {
    struct listing *listing = ctx;
    set_reply_member(listing->reply, member);
    listing->count++;
    return true;
}

static void reply_with(struct call *call, enum operation operation) {
    struct operands operands;
    if (!operands_load(call, 1, call->argc, &operands)) return;
    struct listing listing = {.reply = call->reply};
    struct reply_mark mark = reply_defer(call->reply);
    operate(operation, &operands, list_member, &listing);
    reply_defer_set(call->reply, mark, listing.count);
    operands_deinit(&operands);
}

/* SINTER key [key ...] */
void cmd_sinter(struct call *call) { reply_with(call, INTERSECT); }
/* SUNION key [key ...] */
void cmd_sunion(struct call *call) { reply_with(call, UNITE); }
/* SDIFF key [key ...] -- the first without the others. */
void cmd_sdiff(struct call *call) { reply_with(call, SUBTRACT); }

/* ---- to a key ---- */

struct result {
    const struct set_limits *limits;
    struct set *set; /* NULL while empty */
};

static bool store_member(void *ctx, const struct set_member *member) {
    struct result *result = ctx;
    if (!result->set) {
        char scratch[NUM_I64_TEXT_MAX];
        result->set = set_create(set_member_bytes(member, scratch), 1, result->limits);
    }
    (void)set_add_member(&result->set, member, result->limits);
    return true;
}

/* A union needs no look-ups beforehand: adding finds what is there. */
static void unite_into(const struct operands *operands, struct result *result) {
    for (size_t i = 0; i < operands->count; i++)
        set_each(operands->sets[i], store_member, result);
}

/* Other servers subtract many members from a large set by taking them out of a copy, which stays a
 * table though few members are left, and clients can see that. */
static bool difference_stays_table(const struct operands *operands,
                                   const struct set_limits *limits) {
    if (!operands->has_first) return false;
    uint64_t first = set_count(operands->sets[0]), all = 0;
    for (size_t i = 0; i < operands->count; i++)
        all += set_count(operands->sets[i]);
    return first * operands->count / 2 > all && set_needs_table(operands->sets[0], limits);
}

static void store_result(struct call *call, enum operation operation, const char *event) {
    struct operands operands;
    if (!operands_load(call, 2, call->argc, &operands)) return;
    struct result result = {.limits = &call->exec->config->set_limits};
    bool table = operation == SUBTRACT && difference_stays_table(&operands, result.limits);
    if (operation == UNITE) {
        unite_into(&operands, &result);
    } else {
        operate(operation, &operands, store_member, &result);
    }
    if (table && result.set) set_make_table(&result.set);
    operands_deinit(&operands);
    size_t count = result.set ? set_count(result.set) : 0;
    collection_store(call, 1, TYPE_SET, result.set, event);
    reply_integer(call->reply, (int64_t)count);
}

/* SINTERSTORE destination key [key ...] */
void cmd_sinterstore(struct call *call) { store_result(call, INTERSECT, "sinterstore"); }
/* SUNIONSTORE destination key [key ...] */
void cmd_sunionstore(struct call *call) { store_result(call, UNITE, "sunionstore"); }
/* SDIFFSTORE destination key [key ...] */
void cmd_sdiffstore(struct call *call) { store_result(call, SUBTRACT, "sdiffstore"); }

/* ---- SINTERCARD ---- */

struct tally {
    uint64_t count, limit; /* limit 0: none */
};

static bool count_member(void *ctx, const struct set_member *member) {
    struct tally *tally = ctx;
    (void)member;
    tally->count++;
    return tally->count != tally->limit;
}

/* The end of the keys. False: it has replied. */
static bool read_key_count(struct call *call, uint32_t *end) {
    int64_t count;
    if (!call_int_range(call, 1, 1, INT64_MAX, ERROR_NUMKEYS_POSITIVE, &count)) return false;
    if (count > call->argc - 2) {
        call_error(call, ERROR_NUMKEYS_OVER_ARGS);
        return false;
    }
    *end = 2 + (uint32_t)count;
    return true;
}

static bool read_limit(struct call *call, uint32_t first, uint64_t *out) {
    for (uint32_t arg = first; arg < call->argc; arg += 2) {
        int64_t limit;
        if (!call_is(call, arg, "LIMIT") || arg + 1 == call->argc) {
            call_error(call, ERROR_SYNTAX);
            return false;
        }
        if (!call_int_range(call, arg + 1, 0, INT64_MAX, ERROR_LIMIT_NEGATIVE, &limit)) {
            return false;
        }
        *out = (uint64_t)limit;
    }
    return true;
}

/* SINTERCARD numkeys key [key ...] [LIMIT limit] */
void cmd_sintercard(struct call *call) {
    struct operands operands;
    struct tally tally = {0};
    uint32_t end;
    if (!read_key_count(call, &end) || !read_limit(call, end, &tally.limit)) return;
    if (!operands_load(call, 2, end, &operands)) return;
    operate(INTERSECT, &operands, count_member, &tally);
    operands_deinit(&operands);
    reply_integer(call->reply, (int64_t)tally.count);
}
