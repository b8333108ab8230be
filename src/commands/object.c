/* SPDX-License-Identifier: BSD-3-Clause */
/* OBJECT -- how a value is kept. Looking is no access for LRU and LFU. */
#include "commands/key_internal.h"

/* The entry of the key, or NULL: it has replied null. */
static const struct entry *object_find(struct call *call) {
    const struct entry *entry =
        keyspace_find(call->db, call->argv[2], call_hash(call, 2), LOOKUP_READ | LOOKUP_NO_TOUCH);
    if (!entry) reply_null(call->reply);
    return entry;
}

static bool policy_is_lfu(const struct call *call) {
    uint8_t policy = keyspace_config_of(call->keyspace)->policy;
    return policy == EVICT_ALLKEYS_LFU || policy == EVICT_VOLATILE_LFU;
}

/* OBJECT ENCODING key */
void cmd_object_encoding(struct call *call) {
    const struct entry *entry = object_find(call);
    if (entry) reply_bulk_text(call->reply, entry_encoding_name(entry));
}

/* OBJECT REFCOUNT key -- always 1: values are not shared between keys. */
void cmd_object_refcount(struct call *call) {
    const struct entry *entry = object_find(call);
    if (entry) reply_integer(call->reply, 1);
}

/* OBJECT IDLETIME key -- seconds since the last access */
void cmd_object_idletime(struct call *call) {
    const struct entry *entry = object_find(call);
    if (!entry) return;
    if (policy_is_lfu(call)) {
        call_error(call, ERROR_IDLETIME_WITH_LFU);
        return;
    }
    reply_integer(call->reply, (int64_t)entry_idle_seconds(call->keyspace, entry));
}

/* OBJECT FREQ key -- logarithmic counter of accesses */
void cmd_object_freq(struct call *call) {
    const struct entry *entry = object_find(call);
    if (!entry) return;
    if (!policy_is_lfu(call)) {
        call_error(call, ERROR_FREQ_WITHOUT_LFU);
        return;
    }
    reply_integer(call->reply, entry_lfu_counter(call->keyspace, entry));
}

/* OBJECT HELP */
void cmd_object_help(struct call *call) {
    static const char *const lines[] = {
        "ENCODING <key>",
        "    Name the form in which the value of <key> is kept in memory.",
        "FREQ <key>",
        "    Tell how often <key> was used lately, on a logarithmic scale. Needs an LFU",
        "    maxmemory-policy.",
        "IDLETIME <key>",
        "    Tell for about how many seconds <key> has not been used. Needs a",
        "    maxmemory-policy that is not LFU.",
        "REFCOUNT <key>",
        "    Tell how many references there are to the value of <key>.",
        NULL,
    };
    call_help(call, lines);
}
