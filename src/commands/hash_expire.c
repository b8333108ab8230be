/* SPDX-License-Identifier: BSD-3-Clause */
/* Times to live of fields: the HEXPIRE family sets them, the HTTL family reads them, HPERSIST
 * removes them. One reply for each field. */
#include "commands/hash_internal.h"

enum field_reply {
    FIELD_ABSENT = -2,
    FIELD_ENDLESS = -1, /* it has no time to live */
    FIELD_REFUSED = 0,  /* the condition does not hold */
    FIELD_DONE = 1,
    FIELD_DELETED = 2, /* the time has come already */
};

static void reply_absent(struct call *call, uint32_t count) {
    reply_array(call->reply, count);
    for (uint32_t i = 0; i < count; i++)
        reply_integer(call->reply, FIELD_ABSENT);
}

/* ---- setting ---- */

struct expiry { /* what is to be done */
    int64_t at_ms;
    unsigned conditions;
    bool is_past;
};

static enum field_reply expire_field(struct hash_edit *edit, struct bytes name, uint64_t code,
                                     const struct expiry *expiry) {
    struct hash_item item;
    if (!hash_find(edit->hash, name, code, edit->now_ms, &item)) return FIELD_ABSENT;
    if (!expiry_conditions_hold(expiry->conditions, item.at_ms, expiry->at_ms))
        return FIELD_REFUSED;
    if (expiry->is_past) {
        (void)hash_remove(&edit->hash, name, code, edit->now_ms);
        return FIELD_DELETED;
    }
    hash_set_expiry(&edit->hash, name, expiry->at_ms, edit->now_ms);
    return FIELD_DONE;
}

static void expire_fields(struct call *call, struct hash_edit *edit,
                          const struct hash_fields *fields, const struct expiry *expiry) {
    struct hash_window window;
    size_t changed = 0;
    reply_array(call->reply, fields->count);
    for (uint32_t arg = fields->first; arg < call->argc;) {
        hash_window_load(&window, call, edit->hash, arg, call->argc, 1);
        for (uint32_t i = 0; i < window.count; i++, arg++) {
            struct bytes name = call->argv[arg];
            uint64_t code = hash_window_code(&window, edit->hash, i, name);
            enum field_reply result = expire_field(edit, name, code, expiry);
            reply_integer(call->reply, result);
            changed += result > FIELD_REFUSED;
        }
    }
    if (!changed) return;
    hash_edit_removed(call, edit);
    if (expiry->is_past) keyspace_stats(call->keyspace)->expired_fields += changed;
    keyspace_event(call->db, call->argv[1], EVENT_HASH, expiry->is_past ? "hexpired" : "hexpire");
}

static void hexpire(struct call *call, struct expiry_arg when) {
    struct hash_fields fields;
    struct hash_edit edit;
    struct expiry expiry;
    when.arg = 2;
    if (!hash_read_fields(call, 3, 1, &fields)) return;
    if (!expiry_read_conditions(call, 3, fields.at, &expiry.conditions)) return;
    if (!hash_read_time(call, &when, &expiry.at_ms)) return;
    if (!hash_edit_begin(call, &edit)) return;
    expiry.is_past = expiry_is_past(call, expiry.at_ms);
    if (edit.hash) {
        expire_fields(call, &edit, &fields, &expiry);
    } else {
        reply_absent(call, fields.count);
    }
    hash_edit_end(call, &edit);
}

/* HEXPIRE key seconds [NX | XX | GT | LT] FIELDS count field [field ...] */
void cmd_hexpire(struct call *call) { hexpire(call, (struct expiry_arg){.in_seconds = true}); }

/* HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS count field [field ...] */
void cmd_hpexpire(struct call *call) { hexpire(call, (struct expiry_arg){0}); }

/* HEXPIREAT key unix-seconds [NX | XX | GT | LT] FIELDS count field [field ...] */
void cmd_hexpireat(struct call *call) {
    hexpire(call, (struct expiry_arg){.in_seconds = true, .is_absolute = true});
}

/* HPEXPIREAT key unix-milliseconds [NX | XX | GT | LT] FIELDS count field [field ...] */
void cmd_hpexpireat(struct call *call) { hexpire(call, (struct expiry_arg){.is_absolute = true}); }

/* ---- removing ---- */

static enum field_reply persist_field(struct hash_edit *edit, struct bytes name, uint64_t code) {
    struct hash_item item;
    if (!hash_find(edit->hash, name, code, edit->now_ms, &item)) return FIELD_ABSENT;
    if (item.at_ms < 0) return FIELD_ENDLESS;
    hash_set_expiry(&edit->hash, name, HASH_NO_TIME, edit->now_ms);
    return FIELD_DONE;
}

static void persist_fields(struct call *call, struct hash_edit *edit,
                           const struct hash_fields *fields) {
    struct hash_window window;
    bool changed = false;
    reply_array(call->reply, fields->count);
    for (uint32_t arg = fields->first; arg < call->argc;) {
        hash_window_load(&window, call, edit->hash, arg, call->argc, 1);
        for (uint32_t i = 0; i < window.count; i++, arg++) {
            enum field_reply result = persist_field(edit, call->argv[arg], window.codes[i]);
            reply_integer(call->reply, result);
            changed = changed || result == FIELD_DONE;
        }
    }
    if (!changed) return;
    hash_edit_changed(call, edit);
    keyspace_event(call->db, call->argv[1], EVENT_HASH, "hpersist");
}

/* HPERSIST key FIELDS count field [field ...] */
void cmd_hpersist(struct call *call) {
    struct hash_fields fields;
    struct hash_edit edit;
    if (!hash_read_fields(call, 2, 1, &fields)) return;
    if (!hash_edit_begin(call, &edit)) return;
    if (edit.hash) {
        persist_fields(call, &edit, &fields);
    } else {
        reply_absent(call, fields.count);
    }
    hash_edit_end(call, &edit);
}

/* ---- reading ---- */

static int64_t shown_time(const struct call *call, struct expiry_arg form, int64_t at_ms) {
    if (at_ms < 0) return FIELD_ENDLESS;
    int64_t ms = form.is_absolute ? at_ms : i64_max(at_ms - call->now_ms, 0);
    return form.in_seconds ? expiry_to_seconds(ms) : ms;
}

static void httl(struct call *call, struct expiry_arg form) {
    struct hash_fields fields;
    struct hash_window window;
    struct hash_item item;
    struct entry_room room;
    struct entry *entry;
    if (!hash_read_fields(call, 2, 1, &fields)) return;
    if (!call_find_or_null(call, 1, TYPE_HASH, &entry)) return;
    if (!entry) {
        reply_absent(call, fields.count);
        return;
    }
    const struct hash *hash = hash_of(entry, &room);
    int64_t now_ms = hash_now(call);
    reply_array(call->reply, fields.count);
    for (uint32_t arg = fields.first; arg < call->argc;) {
        hash_window_load(&window, call, hash, arg, call->argc, 1);
        for (uint32_t i = 0; i < window.count; i++, arg++) {
            bool found = hash_find(hash, call->argv[arg], window.codes[i], now_ms, &item);
            reply_integer(call->reply, found ? shown_time(call, form, item.at_ms) : FIELD_ABSENT);
        }
    }
}

/* HTTL key FIELDS count field [field ...] -- seconds left */
void cmd_httl(struct call *call) { httl(call, (struct expiry_arg){.in_seconds = true}); }

/* HPTTL key FIELDS count field [field ...] -- milliseconds left */
void cmd_hpttl(struct call *call) { httl(call, (struct expiry_arg){0}); }

/* HEXPIRETIME key FIELDS count field [field ...] -- seconds since the epoch */
void cmd_hexpiretime(struct call *call) {
    httl(call, (struct expiry_arg){.in_seconds = true, .is_absolute = true});
}

/* HPEXPIRETIME key FIELDS count field [field ...] -- milliseconds since the epoch */
void cmd_hpexpiretime(struct call *call) { httl(call, (struct expiry_arg){.is_absolute = true}); }
