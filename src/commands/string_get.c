/* SPDX-License-Identifier: BSD-3-Clause */
/* String commands that reply with a value or a fact about it, and may then drop the key. */
#include "commands/key_window.h"
#include "commands/string_internal.h"

/* GET key */
void cmd_get(struct call *call) {
    struct entry *entry;
    if (!call_find(call, 1, TYPE_STRING, &entry)) return;
    string_reply(call->reply, entry);
}

/* GETDEL key -- replies with the value, then removes the key. */
void cmd_getdel(struct call *call) {
    struct entry *entry;
    if (!call_find(call, 1, TYPE_STRING, &entry)) return;
    string_reply(call->reply, entry);
    keyspace_remove(call->db, entry, KEY_DELETED);
    keyspace_event(call->db, call->argv[1], EVENT_GENERIC, "del");
}

/* GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] -- replies with the value and changes the
 * time to live. */
void cmd_getex(struct call *call) {
    struct string_options options;
    int64_t at_ms;
    struct entry *entry;
    if (!string_options_read(call, 2, call->argc, STRING_TIMES | STRING_PERSIST, &options)) return;
    if (!expiry_read(call, &options.expiry, &at_ms)) return;
    if (!call_find(call, 1, TYPE_STRING, &entry)) return;

    string_reply(call->reply, entry);
    if (options.expiry.arg) {
        expiry_apply(call, entry, call->argv[1], at_ms);
    } else if (options.given & STRING_PERSIST) {
        expiry_clear(call, entry, call->argv[1]);
    }
}

/* MGET key [key ...] -- null for what is absent or no string. */
void cmd_mget(struct call *call) {
    unsigned flags = LOOKUP_READ | call_lookup_flags(call);
    struct key_window window;

    reply_array(call->reply, call->argc - 1);
    for (uint32_t arg = 1; arg < call->argc;) {
        key_window_load(&window, call, arg, call->argc, 1);
        for (uint32_t i = 0; i < window.count; i++, arg++) {
            const struct entry *entry =
                keyspace_find(call->db, call->argv[arg], window.hashes[i], flags);
            if (entry && entry_is_string(entry)) {
                string_reply(call->reply, entry);
            } else {
                reply_null(call->reply);
            }
        }
    }
}

/* STRLEN key */
void cmd_strlen(struct call *call) {
    struct entry *entry;
    if (!call_find_or_null(call, 1, TYPE_STRING, &entry)) return;
    reply_integer(call->reply, entry ? (int64_t)entry_string_size(entry) : 0);
}

/* DELIFEQ key value -- removes the key if it holds these bytes. */
void cmd_delifeq(struct call *call) {
    char scratch[NUM_I64_TEXT_MAX];
    struct entry *entry;
    if (!call_find_write(call, 1, TYPE_STRING, &entry)) return;
    if (!entry || !bytes_equal(entry_string(entry, scratch), call->argv[2])) {
        reply_integer(call->reply, 0);
        return;
    }
    keyspace_remove(call->db, entry, KEY_DELETED);
    keyspace_event(call->db, call->argv[1], EVENT_GENERIC, "del");
    reply_integer(call->reply, 1);
}
