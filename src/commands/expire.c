/* SPDX-License-Identifier: BSD-3-Clause */
/* Times to live: the EXPIRE family sets them, the TTL family reads them, PERSIST removes them. */
#include "commands/expiry.h"
#include "commands/key_internal.h"

struct time_form { /* how a command of the family takes its time */
    bool in_seconds, is_absolute;
};

/* Unlike SET's, times here may be zero, negative or past: the key goes then. */
static bool read_time(struct call *call, struct time_form form, int64_t *at_ms) {
    int64_t ms;
    if (!call_int(call, 2, &ms)) return false;
    if ((form.in_seconds && !num_mul_i64(ms, 1000, &ms)) ||
        (!form.is_absolute && !num_add_i64(ms, call->now_ms, &ms))) {
        call_errorf(call, ERROR_INVALID_EXPIRE, call->command->full_name);
        return false;
    }
    *at_ms = ms;
    return true;
}

static void expire(struct call *call, struct time_form form) {
    unsigned conditions;
    int64_t at_ms;
    if (!expiry_read_conditions(call, 3, call->argc, &conditions)) return;
    if (!read_time(call, form, &at_ms)) return;

    struct entry *entry = call_peek_write(call, 1);
    int64_t old_ms = entry && entry_expires(entry) ? entry_expiry_ms(entry) : -1;
    if (!entry || !expiry_conditions_hold(conditions, old_ms, at_ms)) {
        reply_integer(call->reply, 0);
        return;
    }
    expiry_apply(call, entry, call->argv[1], at_ms);
    reply_integer(call->reply, 1);
}

/* EXPIRE key seconds [NX | XX | GT | LT] */
void cmd_expire(struct call *call) { expire(call, (struct time_form){.in_seconds = true}); }

/* PEXPIRE key milliseconds [NX | XX | GT | LT] */
void cmd_pexpire(struct call *call) { expire(call, (struct time_form){0}); }

/* EXPIREAT key unix-seconds [NX | XX | GT | LT] */
void cmd_expireat(struct call *call) {
    expire(call, (struct time_form){.in_seconds = true, .is_absolute = true});
}

/* PEXPIREAT key unix-milliseconds [NX | XX | GT | LT] */
void cmd_pexpireat(struct call *call) { expire(call, (struct time_form){.is_absolute = true}); }

/* PERSIST key */
void cmd_persist(struct call *call) {
    struct entry *entry = call_peek_write(call, 1);
    reply_integer(call->reply, entry && expiry_clear(call, entry, call->argv[1]) ? 1 : 0);
}

static void reply_time(struct call *call, struct time_form form) {
    const struct entry *entry =
        keyspace_find(call->db, call->argv[1], call_hash(call, 1),
                      LOOKUP_READ | LOOKUP_NO_TOUCH | call_lookup_flags(call));
    if (!entry || !entry_expires(entry)) {
        reply_integer(call->reply, entry ? -1 : -2);
        return;
    }
    int64_t ms = entry_expiry_ms(entry);
    if (!form.is_absolute) ms = i64_max(ms - call->now_ms, 0);
    if (form.in_seconds) ms = expiry_to_seconds(ms);
    reply_integer(call->reply, ms);
}

/* TTL key -- seconds left; -1 without expiry, -2 without key */
void cmd_ttl(struct call *call) { reply_time(call, (struct time_form){.in_seconds = true}); }

/* PTTL key -- milliseconds left */
void cmd_pttl(struct call *call) { reply_time(call, (struct time_form){0}); }

/* EXPIRETIME key -- seconds since the epoch */
void cmd_expiretime(struct call *call) {
    reply_time(call, (struct time_form){.in_seconds = true, .is_absolute = true});
}

/* PEXPIRETIME key -- milliseconds since the epoch */
void cmd_pexpiretime(struct call *call) {
    reply_time(call, (struct time_form){.is_absolute = true});
}
