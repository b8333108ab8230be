/* SPDX-License-Identifier: BSD-3-Clause */
/* String commands that store whole values: SET and its older relatives, for one key or many. */
#include "commands/key_window.h"
#include "commands/string_internal.h"

struct store { /* one key and what it is to hold */
    uint32_t key_arg, value_arg;
    uint64_t hash;
    struct entry *old;
    bool takes_blob; /* nothing can drop the value before the call ends: see string_take_blob */
    bool keeps_past; /* a past time is kept like any other, and the key expires a moment later */
    int64_t at_ms;   /* -1: no expiry */
    unsigned flags;  /* enum set_flag */
};

/* Stores the value, or, where its time is past, removes what was there (unless keeps_past). */
static void store(struct call *call, const struct store *what) {
    struct bytes key = call->argv[what->key_arg];

    if (what->at_ms >= 0 && unlikely(expiry_is_past(call, what->at_ms)) && !what->keeps_past) {
        if (what->old) expiry_remove(call, what->old);
        return;
    }
    struct blob *blob = what->takes_blob ? string_take_blob(call, what->value_arg) : NULL;
    (void)keyspace_set_string(call->db, key, what->hash, what->old, call->argv[what->value_arg],
                              blob, what->at_ms, what->flags);
    keyspace_event(call->db, key, EVENT_STRING, "set");
    if (what->at_ms >= 0) keyspace_event(call->db, key, EVENT_GENERIC, "expire");
}

/* The plain case of one key, its old entry and its value. */
static void store_plain(struct call *call, struct entry *old, uint32_t value_arg) {
    struct bytes key = call->argv[1];
    (void)keyspace_set_string(call->db, key, call_hash(call, 1), old, call->argv[value_arg],
                              string_take_blob(call, value_arg), -1, 0);
    keyspace_event(call->db, key, EVENT_STRING, "set");
}

/* Whether NX, XX or IFEQ let SET go on. */
static bool set_condition_holds(const struct call *call, const struct string_options *options,
                                const struct entry *old) {
    if (options->given & STRING_NX) return !old;
    if (options->given & STRING_XX) return old != NULL;
    if (options->given & STRING_IFEQ) {
        char scratch[NUM_I64_TEXT_MAX];
        return old && bytes_equal(entry_string(old, scratch), call->argv[options->compare_arg]);
    }
    return true;
}

/* The old entry or NULL. GET makes it a read; GET and IFEQ want a string. False: has replied. */
static bool set_find_old(struct call *call, const struct string_options *options,
                         struct entry **out) {
    if (options->given & STRING_GET) return call_find_or_null(call, 1, TYPE_STRING, out);
    if (options->given & STRING_IFEQ) return call_find_write(call, 1, TYPE_STRING, out);
    *out = call_peek_write(call, 1);
    return true;
}

static never_inline void set_with_options(struct call *call) {
    const uint32_t allowed =
        STRING_NX | STRING_XX | STRING_IFEQ | STRING_GET | STRING_KEEPTTL | STRING_TIMES;
    struct string_options options;
    int64_t at_ms;
    struct entry *old;
    if (!string_options_read(call, 3, call->argc, allowed, &options)) return;
    if (!expiry_read(call, &options.expiry, &at_ms)) return;
    if (!set_find_old(call, &options, &old)) return;

    bool want_old = options.given & STRING_GET;
    bool stores = set_condition_holds(call, &options, old);
    if (want_old && old) {
        string_reply(call->reply, old);
    } else if (want_old || !stores) {
        reply_null(call->reply);
    } else {
        reply_ok(call->reply);
    }
    if (!stores) return;
    store(call, &(struct store){
                    .key_arg = 1,
                    .value_arg = 2,
                    .hash = call_hash(call, 1),
                    .old = old,
                    .takes_blob = true,
                    .at_ms = at_ms,
                    .flags = options.given & STRING_KEEPTTL ? SET_KEEP_TTL : 0,
                });
}

/* SET key value [NX | XX | IFEQ old] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] */
void cmd_set(struct call *call) {
    if (unlikely(call->argc != 3)) {
        set_with_options(call);
        return;
    }
    store_plain(call, call_peek_write(call, 1), 2);
    reply_ok(call->reply);
}

bool set_find_keys(const struct bytes *argv, uint32_t argc, struct command_keys *out) {
    if (argc < 2) return false;
    uint32_t flags = KEY_OW | KEY_UPDATE;
    for (uint32_t arg = 3; arg < argc; arg++) {
        if (bytes_equal_nocase(argv[arg], BYTES("GET")) ||
            bytes_equal_nocase(argv[arg], BYTES("IFEQ"))) {
            flags = KEY_RW | KEY_ACCESS | KEY_UPDATE;
        }
    }
    command_keys_add(out, 1, flags);
    return true;
}

/* SETNX key value */
void cmd_setnx(struct call *call) {
    if (call_peek_write(call, 1)) {
        reply_integer(call->reply, 0);
        return;
    }
    store_plain(call, NULL, 2);
    reply_integer(call->reply, 1);
}

static void set_with_time(struct call *call, bool in_seconds) {
    const struct expiry_arg when = {.arg = 2, .in_seconds = in_seconds};
    int64_t at_ms;
    if (!expiry_read(call, &when, &at_ms)) return;
    store(call, &(struct store){
                    .key_arg = 1,
                    .value_arg = 3,
                    .hash = call_hash(call, 1),
                    .old = call_peek_write(call, 1),
                    .takes_blob = true,
                    .at_ms = at_ms,
                });
    reply_ok(call->reply);
}

/* SETEX key seconds value */
void cmd_setex(struct call *call) { set_with_time(call, true); }

/* PSETEX key milliseconds value */
void cmd_psetex(struct call *call) { set_with_time(call, false); }

/* GETSET key value -- replies with the old value. */
void cmd_getset(struct call *call) {
    struct entry *old;
    if (!call_find_or_null(call, 1, TYPE_STRING, &old)) return;
    if (old) {
        string_reply(call->reply, old);
    } else {
        reply_null(call->reply);
    }
    store_plain(call, old, 2);
}

/* ---- many keys ---- */

struct pairs { /* key value key value ... */
    uint32_t first, end;
    int64_t at_ms;
    unsigned flags; /* enum set_flag */
};

static void store_pairs(struct call *call, const struct pairs *pairs) {
    struct key_window window;
    for (uint32_t arg = pairs->first; arg < pairs->end;) {
        key_window_load(&window, call, arg, pairs->end, 2);
        for (uint32_t i = 0; i < window.count; i++, arg += 2) {
            /* Looked up only now: an earlier pair may have been the same key. A blob is kept only
             * from the last pair, which no later one can replace while argv still points into it.
             */
            struct entry *old = keyspace_find(call->db, call->argv[arg], window.hashes[i],
                                              LOOKUP_WRITE | call_lookup_flags(call));
            store(call, &(struct store){
                            .key_arg = arg,
                            .value_arg = arg + 1,
                            .hash = window.hashes[i],
                            .old = old,
                            .takes_blob = arg + 2 == pairs->end,
                            .keeps_past = true,
                            .at_ms = pairs->at_ms,
                            .flags = pairs->flags,
                        });
        }
    }
}

/* Whether any of the keys exists, or, with exists false, whether any is missing. */
static bool any_key(struct call *call, const struct pairs *pairs, bool exists) {
    struct key_window window;
    for (uint32_t arg = pairs->first; arg < pairs->end;) {
        key_window_load(&window, call, arg, pairs->end, 2);
        for (uint32_t i = 0; i < window.count; i++, arg += 2) {
            bool found = keyspace_find(call->db, call->argv[arg], window.hashes[i],
                                       LOOKUP_WRITE | call_lookup_flags(call)) != NULL;
            if (found == exists) return true;
        }
    }
    return false;
}

/* MSET key value [key value ...] */
void cmd_mset(struct call *call) {
    if (call->argc % 2 == 0) {
        call_error_arity(call);
        return;
    }
    store_pairs(call, &(struct pairs){.first = 1, .end = call->argc, .at_ms = -1});
    reply_ok(call->reply);
}

/* MSETNX key value [key value ...] -- all, or none if one of the keys exists. */
void cmd_msetnx(struct call *call) {
    const struct pairs pairs = {.first = 1, .end = call->argc, .at_ms = -1};
    if (call->argc % 2 == 0) {
        call_error_arity(call);
        return;
    }
    if (any_key(call, &pairs, true)) {
        reply_integer(call->reply, 0);
        return;
    }
    store_pairs(call, &pairs);
    reply_integer(call->reply, 1);
}

/* MSETEX numkeys key value [key value ...] [NX | XX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] */
void cmd_msetex(struct call *call) {
    const uint32_t allowed = STRING_NX | STRING_XX | STRING_KEEPTTL | STRING_TIMES;
    int64_t count;
    if (!call_int_range(call, 1, 1, INT32_MAX, ERROR_NUMKEYS, &count)) return;
    if (count > (call->argc - 2) / 2) {
        call_error(call, ERROR_SYNTAX);
        return;
    }
    struct pairs pairs = {.first = 2, .end = 2 + 2 * (uint32_t)count};
    struct string_options options;
    if (!string_options_read(call, pairs.end, call->argc, allowed, &options)) return;
    if (!expiry_read(call, &options.expiry, &pairs.at_ms)) return;

    if ((options.given & STRING_NX && any_key(call, &pairs, true)) ||
        (options.given & STRING_XX && any_key(call, &pairs, false))) {
        reply_integer(call->reply, 0);
        return;
    }
    if (options.given & STRING_KEEPTTL) pairs.flags = SET_KEEP_TTL;
    store_pairs(call, &pairs);
    reply_integer(call->reply, 1);
}
