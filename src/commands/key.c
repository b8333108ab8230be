/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands on keys of any type: remove, count, touch, name the type. */
#include "commands/key_internal.h"
#include "commands/key_window.h"

static inline bool remove_key(struct call *call, uint32_t arg, uint64_t hash,
                              enum remove_reason reason) {
    if (!keyspace_remove_key(call->db, call->argv[arg], hash, reason)) return false;
    keyspace_event(call->db, call->argv[arg], EVENT_GENERIC, "del");
    return true;
}

static never_inline void remove_many(struct call *call, enum remove_reason reason) {
    struct key_window window;
    int64_t removed = 0;
    for (uint32_t arg = 1; arg < call->argc;) {
        key_window_load(&window, call, arg, call->argc, 1);
        for (uint32_t i = 0; i < window.count; i++, arg++)
            removed += remove_key(call, arg, window.hashes[i], reason);
    }
    reply_integer(call->reply, removed);
}

static inline void remove_keys(struct call *call, enum remove_reason reason) {
    if (likely(call->argc == 2)) {
        reply_integer(call->reply, remove_key(call, 1, call_hash(call, 1), reason));
    } else {
        remove_many(call, reason);
    }
}

/* DEL key [key ...] */
void cmd_del(struct call *call) { remove_keys(call, KEY_DELETED); }

/* UNLINK key [key ...] -- DEL that never waits for memory to be freed. */
void cmd_unlink(struct call *call) { remove_keys(call, KEY_UNLINKED); }

static void count_keys(struct call *call, unsigned flags) {
    struct key_window window;
    int64_t found = 0;
    for (uint32_t arg = 1; arg < call->argc;) {
        key_window_load(&window, call, arg, call->argc, 1);
        for (uint32_t i = 0; i < window.count; i++, arg++) {
            if (keyspace_find(call->db, call->argv[arg], window.hashes[i], flags)) found++;
        }
    }
    reply_integer(call->reply, found);
}

/* EXISTS key [key ...] -- a key named twice counts twice. No access for LRU and LFU. */
void cmd_exists(struct call *call) {
    count_keys(call, LOOKUP_READ | LOOKUP_NO_TOUCH | call_lookup_flags(call));
}

/* TOUCH key [key ...] -- an access for LRU and LFU, even for a client with NO-TOUCH. */
void cmd_touch(struct call *call) { count_keys(call, LOOKUP_READ); }

/* TYPE key */
void cmd_type(struct call *call) {
    const struct entry *entry =
        keyspace_find(call->db, call->argv[1], call_hash(call, 1),
                      LOOKUP_READ | LOOKUP_NO_TOUCH | call_lookup_flags(call));
    reply_simple(call->reply, bytes_of(entry ? value_type_name(entry_type(entry)) : "none"));
}
