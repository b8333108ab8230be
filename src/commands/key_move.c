/* SPDX-License-Identifier: BSD-3-Clause */
/* RENAME, RENAMENX, MOVE and COPY: a value gets, or also gets, another place. */
#include "commands/key_internal.h"

struct place { /* a key in a database */
    struct db *db;
    struct bytes key;
    uint64_t hash;
};

static struct entry *find_target(const struct place *place) {
    return keyspace_find(place->db, place->key, place->hash, LOOKUP_WRITE | LOOKUP_NO_TOUCH);
}

/* The database an argument names. False: it has replied. */
static bool read_db(struct call *call, uint32_t arg, struct db **out) {
    int64_t index;
    if (!call_int(call, arg, &index)) return false;
    if (index < INT32_MIN || index > INT32_MAX) {
        call_errorf(call, ERROR_RANGE_BETWEEN, (long long)INT32_MIN, (long long)INT32_MAX);
        return false;
    }
    struct db *db = keyspace_db(call->keyspace, (int32_t)index);
    if (!db) {
        call_error(call, ERROR_DB_RANGE);
        return false;
    }
    *out = db;
    return true;
}

/* ---- RENAME ---- */

static void rename_key(struct call *call, bool may_replace) {
    const struct place to = {.db = call->db, .key = call->argv[2], .hash = call_hash(call, 2)};
    struct entry *entry = call_peek_write(call, 1);
    if (!entry) {
        call_error(call, ERROR_NO_SUCH_KEY);
        return;
    }
    bool is_same = bytes_equal(call->argv[1], to.key);
    struct entry *target = is_same ? NULL : find_target(&to);
    if (!may_replace && (is_same || target)) {
        reply_integer(call->reply, 0);
        return;
    }
    if (!is_same) {
        if (target) keyspace_remove(call->db, target, KEY_OVERWRITTEN);
        (void)keyspace_move_entry(call->db, entry, to.db, to.key, to.hash);
        keyspace_event(call->db, call->argv[1], EVENT_GENERIC, "rename_from");
        keyspace_event(call->db, to.key, EVENT_GENERIC, "rename_to");
    }
    if (may_replace) {
        reply_ok(call->reply);
    } else {
        reply_integer(call->reply, 1);
    }
}

/* RENAME key newkey -- replaces what newkey was. */
void cmd_rename(struct call *call) { rename_key(call, true); }

/* RENAMENX key newkey -- only if newkey does not exist. */
void cmd_renamenx(struct call *call) { rename_key(call, false); }

/* ---- MOVE ---- */

/* MOVE key db */
void cmd_move(struct call *call) {
    struct place to = {.key = call->argv[1], .hash = call_hash(call, 1)};
    if (!read_db(call, 2, &to.db)) return;
    if (to.db == call->db) {
        call_error(call, ERROR_SAME_OBJECT);
        return;
    }
    struct entry *entry = call_peek_write(call, 1);
    if (!entry || find_target(&to)) {
        reply_integer(call->reply, 0);
        return;
    }
    (void)keyspace_move_entry(call->db, entry, to.db, to.key, to.hash);
    keyspace_event(call->db, to.key, EVENT_GENERIC, "move_from");
    keyspace_event(to.db, to.key, EVENT_GENERIC, "move_to");
    reply_integer(call->reply, 1);
}

/* ---- COPY ---- */

static bool copy_read_options(struct call *call, struct db **db, bool *replace) {
    for (uint32_t arg = 3; arg < call->argc; arg++) {
        if (call_is(call, arg, "REPLACE")) {
            *replace = true;
        } else if (call_is(call, arg, "DB") && arg + 1 < call->argc) {
            arg++;
            if (!read_db(call, arg, db)) return false;
        } else {
            call_error(call, ERROR_SYNTAX);
            return false;
        }
    }
    return true;
}

/* COPY source destination [DB db] [REPLACE] -- the copy has the source's time to live. */
void cmd_copy(struct call *call) {
    struct place to = {.db = call->db, .key = call->argv[2], .hash = call_hash(call, 2)};
    bool replace = false;
    if (!copy_read_options(call, &to.db, &replace)) return;
    if (to.db == call->db && bytes_equal(call->argv[1], to.key)) {
        call_error(call, ERROR_SAME_OBJECT);
        return;
    }
    const struct entry *source = call_peek(call, 1);
    struct entry *target = source ? find_target(&to) : NULL;
    if (!source || (target && !replace)) {
        reply_integer(call->reply, 0);
        return;
    }
    if (target) keyspace_remove(to.db, target, KEY_OVERWRITTEN);
    (void)keyspace_copy_entry(to.db, to.key, to.hash, source);
    keyspace_event(to.db, to.key, EVENT_GENERIC, "copy_to");
    reply_integer(call->reply, 1);
}
