/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the string group share: the handlers that its table names, and small steps. */
#pragma once

#include "commands/string_options.h"
#include "exec/call.h"

/* ---- string_get.c ---- */
void cmd_get(struct call *call);
void cmd_getdel(struct call *call);
void cmd_getex(struct call *call);
void cmd_mget(struct call *call);
void cmd_strlen(struct call *call);
void cmd_delifeq(struct call *call);

/* ---- string_set.c ---- */
void cmd_set(struct call *call);
void cmd_setnx(struct call *call);
void cmd_setex(struct call *call);
void cmd_psetex(struct call *call);
void cmd_getset(struct call *call);
void cmd_mset(struct call *call);
void cmd_msetnx(struct call *call);
void cmd_msetex(struct call *call);
/* Keys of SET: reads the old value or not, as the options say. */
bool set_find_keys(const struct bytes *argv, uint32_t argc, struct command_keys *out);

/* ---- string_edit.c ---- */
void cmd_append(struct call *call);
void cmd_getrange(struct call *call);
void cmd_setrange(struct call *call);

/* ---- counter.c ---- */
void cmd_incr(struct call *call);
void cmd_decr(struct call *call);
void cmd_incrby(struct call *call);
void cmd_decrby(struct call *call);
void cmd_incrbyfloat(struct call *call);

/* ---- string_lcs.c ---- */
void cmd_lcs(struct call *call);

/* ---- steps ---- */
/* Replies with the value of a string. */
static inline void string_reply(struct reply *reply, const struct entry *entry) {
    uint8_t encoding = entry_encoding(entry);
    if (likely(encoding == ENCODING_EMBEDDED)) {
        reply_bulk(reply, bytes_make(entry_value_field(entry), entry_value_size(entry)));
    } else if (encoding == ENCODING_INT) {
        reply_bulk_i64(reply, entry_int(entry));
    } else {
        reply_blob(reply, entry_blob(entry));
    }
}

/* The blob that a large argument came in, for values that may be kept without copying; or NULL.
 * The arguments point into it until the call ends: whoever takes it sees to it that the value stays
 * in the keyspace that long. */
must_use static inline struct blob *string_take_blob(struct call *call, uint32_t arg) {
    return unlikely(call->argv[arg].size >= REQUEST_BIG_ARG) ? call_take_blob(call, arg) : NULL;
}
