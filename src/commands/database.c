/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands on whole databases: count, empty, swap, choose. */
#include "commands/server_internal.h"

/* DBSIZE -- expired keys that have not been removed yet count. */
void cmd_dbsize(struct call *call) { reply_integer(call->reply, (int64_t)db_key_count(call->db)); }

/* [ASYNC | SYNC] at the end of FLUSHDB and FLUSHALL. False: it has replied. */
static bool flush_mode(struct call *call, bool *background) {
    *background = keyspace_config_of(call->keyspace)->lazy_user_flush;
    if (call->argc == 1) return true;
    if (call->argc == 2 && call_is(call, 1, "async")) {
        *background = true;
    } else if (call->argc == 2 && call_is(call, 1, "sync")) {
        *background = false;
    } else {
        call_error(call, ERROR_SYNTAX);
        return false;
    }
    return true;
}

/* FLUSHDB [ASYNC | SYNC] */
void cmd_flushdb(struct call *call) {
    bool background;
    if (!flush_mode(call, &background)) return;
    keyspace_flush(call->db, background);
    reply_ok(call->reply);
}

/* FLUSHALL [ASYNC | SYNC] */
void cmd_flushall(struct call *call) {
    bool background;
    if (!flush_mode(call, &background)) return;
    int32_t count = keyspace_db_count(call->keyspace);
    for (int32_t i = 0; i < count; i++)
        keyspace_flush(keyspace_db(call->keyspace, i), background);
    reply_ok(call->reply);
}

/* The database of that index; NULL: there is none, and it has replied. */
static struct db *database_at(struct call *call, int64_t index) {
    struct db *db = keyspace_db(call->keyspace, (int32_t)index);
    if (!db) call_error(call, ERROR_DB_RANGE);
    return db;
}

/* SWAPDB index1 index2 -- clients see the other's keys at once. */
void cmd_swapdb(struct call *call) {
    struct db *first, *second;
    int64_t a, b;
    if (!call_int_range(call, 1, INT32_MIN, INT32_MAX, ERROR_SWAPDB_FIRST, &a)) return;
    if (!call_int_range(call, 2, INT32_MIN, INT32_MAX, ERROR_SWAPDB_SECOND, &b)) return;
    if (!(first = database_at(call, a))) return;
    if (!(second = database_at(call, b))) return;
    if (first != second) keyspace_swap(first, second);
    reply_ok(call->reply);
}

/* SELECT index */
void cmd_select(struct call *call) {
    int64_t index;
    if (!call_int(call, 1, &index)) return;
    if (index < INT32_MIN || index > INT32_MAX) {
        call_errorf(call, ERROR_RANGE_BETWEEN, (long long)INT32_MIN, (long long)INT32_MAX);
        return;
    }
    struct db *db = database_at(call, index);
    if (!db) return;
    call->client->db = db;
    reply_ok(call->reply);
}
