/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the hash group share: the handlers that its table names, and small steps. */
#pragma once

#include "commands/expiry.h"
#include "exec/call.h"
#include "types/hash.h"

/* ---- hash_get.c ---- */
void cmd_hget(struct call *call);
void cmd_hmget(struct call *call);
void cmd_hgetall(struct call *call);
void cmd_hkeys(struct call *call);
void cmd_hvals(struct call *call);
void cmd_hlen(struct call *call);
void cmd_hstrlen(struct call *call);
void cmd_hexists(struct call *call);
void cmd_hscan(struct call *call);
void cmd_hrandfield(struct call *call);
/* command_prefetch_fn of commands whose field is argument 2. */
void hash_prefetch(const struct entry *entry, const struct bytes *argv, uint32_t argc,
                   struct command_prefetch *at);

/* ---- hash_set.c ---- */
void cmd_hset(struct call *call);
void cmd_hmset(struct call *call);
void cmd_hsetnx(struct call *call);
void cmd_hincrby(struct call *call);
void cmd_hincrbyfloat(struct call *call);
void cmd_hdel(struct call *call);

/* ---- hash_expire.c ---- */
void cmd_hexpire(struct call *call);
void cmd_hpexpire(struct call *call);
void cmd_hexpireat(struct call *call);
void cmd_hpexpireat(struct call *call);
void cmd_hpersist(struct call *call);
void cmd_httl(struct call *call);
void cmd_hpttl(struct call *call);
void cmd_hexpiretime(struct call *call);
void cmd_hpexpiretime(struct call *call);

/* ---- hash_getex.c ---- */
void cmd_hgetex(struct call *call);
void cmd_hsetex(struct call *call);
void cmd_hgetdel(struct call *call);

/* ---- hash_args.c ---- */
struct hash_fields { /* FIELDS count field [field ...], or with pairs: field value ... */
    uint32_t at;     /* position of the word FIELDS: options end here */
    uint32_t first;  /* position of the first field */
    uint32_t count;
};
/* Finds the word FIELDS from position `from` on, and reads what follows, up to the end of the
 * arguments; step: 1, or 2 for pairs. False: it has replied. */
must_use bool hash_read_fields(struct call *call, uint32_t from, uint32_t step,
                               struct hash_fields *out);
/* Reads a time that is not negative; one that has come is fine. Sets *at_ms to milliseconds since
 * the epoch. False: it has replied. */
must_use bool hash_read_time(struct call *call, const struct expiry_arg *when, int64_t *at_ms);

/* A few fields of a command that has many: codes and prefetches first, so that the waits for memory
 * overlap. */
enum { HASH_WINDOW = 16 };
struct hash_window {
    uint32_t count;
    bool packed; /* the hash was a listpack: there are no codes */
    uint64_t codes[HASH_WINDOW];
};
/* Loads the fields at first, first + step, ... before end. hash: not NULL. */
void hash_window_load(struct hash_window *window, const struct call *call, const struct hash *hash,
                      uint32_t first, uint32_t end, uint32_t step);
/* The code of a field in the window; the hash may have become a table since. */
static inline uint64_t hash_window_code(const struct hash_window *window, const struct hash *hash,
                                        uint32_t index, struct bytes name) {
    return unlikely(window->packed) ? hash_code(hash, name) : window->codes[index];
}

/* ---- steps ---- */
/* To be read; room is where a small one is put together. To be changed: hash_edit_begin. */
static inline const struct hash *hash_of(const struct entry *entry, struct entry_room *room) {
    return entry_view(entry, room);
}

/* The time that says which fields this client sees. */
static inline int64_t hash_now(const struct call *call) {
    return unlikely(call_lookup_flags(call) & LOOKUP_EXPIRED_TOO) ? HASH_SEE_ALL : call->now_ms;
}

/* A hash that is being changed: the key's, or a new one that gets its first fields.
 *
 *      begin ─▶ look, change fields ─▶ changed or removed, if any was ─▶ events ─▶ end */
struct hash_edit {
    struct entry *entry; /* NULL: there was no key */
    struct hash *hash;   /* NULL: there was no key and nothing was made, or it was put back */
    int64_t now_ms;      /* hash_now */
    bool is_copy;        /* hash is ours until it is put back: see keyspace_take_object */
    bool is_emptied;     /* its last field was removed */
};
/* Finds the key at argument 1. False: of another type, and it has replied; there is no end then. */
must_use bool hash_edit_begin(struct call *call, struct hash_edit *edit);
/* Makes an empty hash if there is none; cap: see hash_create. */
static inline void hash_edit_make(struct hash_edit *edit, size_t cap_hint) {
    if (unlikely(!edit->hash)) edit->hash = hash_create(cap_hint);
}
/* Fields were changed: puts the hash back or adds the key, and tells the observers. Events are the
 * caller's. */
void hash_edit_changed(struct call *call, struct hash_edit *edit);
/* The same where fields may have been removed; if none is left, hash_edit_end tells the observers.
 */
void hash_edit_removed(struct call *call, struct hash_edit *edit);
void hash__edit_clear(struct call *call, struct hash_edit *edit); /* a part of hash_edit_end */
/* After every beginning. Removes the key, with its event, if no field is left. */
static inline void hash_edit_end(struct call *call, struct hash_edit *edit) {
    if (unlikely(edit->is_copy || edit->is_emptied)) hash__edit_clear(call, edit);
}

static inline void hash_reply_text(struct reply *reply, const struct hash_text *text) {
    if (likely(text->data && !text->blob)) {
        reply_bulk(reply, bytes_make(text->data, text->size));
    } else if (text->blob) {
        reply_blob(reply, text->blob);
    } else {
        reply_bulk_i64(reply, text->integer);
    }
}
