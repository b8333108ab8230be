/* SPDX-License-Identifier: BSD-3-Clause */
/* DUMP, RESTORE, RESTORE-ASKING: values as bytes that another server takes. */
#include "commands/snapshot_internal.h"
#include "persist/persist.h"
#include "persist/rdb_value.h"

/* DUMP key */
void cmd_dump(struct call *call) {
    struct entry *entry;
    if (!call_find(call, 1, TYPE_ANY, &entry)) return;
    struct rdb_out out;
    rdb_out_init(&out, NULL, call->exec->persist->config->compress, true);
    rdb_dump(&out, entry);
    reply_bulk(call->reply, buf_bytes(&out.bytes));
    rdb_out_deinit(&out);
}

struct restore {
    int64_t ttl_ms; /* as given */
    bool replace, is_absolute;
    int64_t idle_s;  /* -1: not given */
    int64_t counter; /* the same */
};

/* An integer of 0 to max. False: it has replied. */
static bool number_up_to(struct call *call, uint32_t arg, int64_t max, enum error_id error,
                         int64_t *out) {
    return call_int(call, arg, out) && call_int_range(call, arg, 0, max, error, out);
}

/* IDLETIME and FREQ have a value, and exclude each other. */
static bool parse_valued(struct call *call, uint32_t arg, struct restore *out) {
    bool is_first = out->idle_s == -1 && out->counter == -1;
    bool has_value = arg + 1 < call->argc;
    if (is_first && has_value && call_is(call, arg, "idletime")) {
        return number_up_to(call, arg + 1, INT64_MAX, ERROR_RESTORE_IDLETIME, &out->idle_s);
    }
    if (is_first && has_value && call_is(call, arg, "freq")) {
        return number_up_to(call, arg + 1, UINT8_MAX, ERROR_RESTORE_FREQ, &out->counter);
    }
    call_error(call, ERROR_SYNTAX);
    return false;
}

static bool parse_options(struct call *call, struct restore *out) {
    *out = (struct restore){.idle_s = -1, .counter = -1};
    for (uint32_t arg = 4; arg < call->argc; arg++) {
        if (call_is(call, arg, "replace")) {
            out->replace = true;
        } else if (call_is(call, arg, "absttl")) {
            out->is_absolute = true;
        } else if (parse_valued(call, arg, out)) {
            arg++;
        } else {
            return false;
        }
    }
    return true;
}

/* When it expires; -1: never. False: it has replied. */
static bool expiry_of(struct call *call, struct restore *restore, int64_t *at_ms) {
    if (!number_up_to(call, 2, INT64_MAX, ERROR_RESTORE_TTL, &restore->ttl_ms)) return false;
    *at_ms = restore->ttl_ms ? restore->ttl_ms : -1;
    if (!restore->ttl_ms || restore->is_absolute) return true;
    if (num_add_i64(restore->ttl_ms, call->now_ms, at_ms)) return true;
    call_error(call, ERROR_RESTORE_TTL);
    return false;
}

/* Puts the value in place of what is there; one whose time is up only takes that away. */
static void put_value(struct call *call, const struct restore *restore, struct rdb_value *value,
                      int64_t at_ms) {
    struct bytes key = call->argv[1];
    struct entry *old = call_peek_write(call, 1);
    bool is_expired = at_ms >= 0 && at_ms <= call->now_ms;
    if (old) keyspace_remove(call->db, old, is_expired ? KEY_DELETED : KEY_OVERWRITTEN);
    if (is_expired) {
        if (old) keyspace_event(call->db, key, EVENT_GENERIC, "del");
        rdb_value_deinit(value);
        return;
    }
    struct entry *entry = rdb_value_add(call->db, key, call_hash(call, 1), value, at_ms);
    if (restore->idle_s >= 0) {
        keyspace_set_idle_seconds(call->keyspace, entry, (uint64_t)restore->idle_s);
    }
    if (restore->counter >= 0) {
        keyspace_set_lfu_counter(call->keyspace, entry, (uint8_t)restore->counter);
    }
    keyspace_event(call->db, key, EVENT_GENERIC, "restore");
}

/* RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds | FREQ counter] */
void cmd_restore(struct call *call) {
    struct restore restore;
    int64_t at_ms;
    if (!parse_options(call, &restore)) return;
    if (!restore.replace && call_peek_write(call, 1)) {
        call_error(call, ERROR_BUSY_KEY);
        return;
    }
    if (!expiry_of(call, &restore, &at_ms)) return;

    struct rdb_in in;
    struct rdb_value value;
    const struct persist *persist = call->exec->persist;
    unsigned flags = persist->config->version_check == 1 ? RDB_UNDUMP_RELAXED : 0;
    if (persist->skips_checksums) flags |= RDB_UNDUMP_UNCHECKED;
    switch (rdb_undump(&in, call->argv[3], flags, &persist->setup.limits, &value)) {
    case RDB_DUMP_WRONG_TAIL: call_error(call, ERROR_DUMP_TAIL); break;
    case RDB_DUMP_BAD_DATA: call_error(call, ERROR_DUMP_DATA); break;
    case RDB_DUMP_GOOD:
        put_value(call, &restore, &value, at_ms);
        reply_ok(call->reply);
        break;
    }
    keyspace_stats(call->exec->keyspace)->payload_checks += in.packed;
    rdb_in_deinit(&in);
}
