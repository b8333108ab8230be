/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands/expiry.h"

#include "base/num.h"

bool expiry_read(struct call *call, const struct expiry_arg *when, int64_t *at_ms) {
    if (!when->arg) {
        *at_ms = -1;
        return true;
    }
    int64_t value;
    if (!call_int(call, when->arg, &value)) return false;

    int64_t ms = value;
    bool fits = value > 0 && (!when->in_seconds || num_mul_i64(value, 1000, &ms)) &&
                (when->is_absolute || num_add_i64(ms, call->now_ms, &ms));
    if (!fits) {
        call_errorf(call, ERROR_INVALID_EXPIRE, call->command->full_name);
        return false;
    }
    *at_ms = ms;
    return true;
}

bool expiry_read_conditions(struct call *call, uint32_t first, uint32_t end, unsigned *out) {
    unsigned conditions = 0;
    for (uint32_t arg = first; arg < end; arg++) {
        if (call_is(call, arg, "NX")) {
            conditions |= EXPIRE_NX;
        } else if (call_is(call, arg, "XX")) {
            conditions |= EXPIRE_XX;
        } else if (call_is(call, arg, "GT")) {
            conditions |= EXPIRE_GT;
        } else if (call_is(call, arg, "LT")) {
            conditions |= EXPIRE_LT;
        } else {
            int shown = (int)size_min(call->argv[arg].size, INT32_MAX);
            call_errorf(call, ERROR_UNSUPPORTED_OPTION, shown, call->argv[arg].data);
            return false;
        }
    }
    if (conditions & EXPIRE_NX && conditions & ~(unsigned)EXPIRE_NX) {
        call_error(call, ERROR_EXPIRE_NX);
        return false;
    }
    if (conditions & EXPIRE_GT && conditions & EXPIRE_LT) {
        call_error(call, ERROR_EXPIRE_GT_LT);
        return false;
    }
    *out = conditions;
    return true;
}

bool expiry_conditions_hold(unsigned conditions, int64_t old_ms, int64_t at_ms) {
    bool expires = old_ms >= 0;
    if (conditions & EXPIRE_NX && expires) return false;
    if (conditions & EXPIRE_XX && !expires) return false;
    if (conditions & EXPIRE_GT && (!expires || at_ms <= old_ms)) return false;
    if (conditions & EXPIRE_LT && expires && at_ms >= old_ms) return false;
    return true;
}

bool expiry_is_past(const struct call *call, int64_t at_ms) {
    return at_ms <= call->now_ms && !call->exec->config->import_mode;
}

void expiry_remove(struct call *call, struct entry *entry) {
    keyspace_remove(call->db, entry, KEY_EXPIRED);
    keyspace_stats(call->keyspace)->changes++; /* keys that expire by themselves do not count */
}

void expiry_apply(struct call *call, struct entry *entry, struct bytes key, int64_t at_ms) {
    if (expiry_is_past(call, at_ms)) {
        expiry_remove(call, entry);
        return;
    }
    /* A negative time would mean no expiry; import mode lets times in the past through. */
    (void)keyspace_set_expiry(call->db, entry, i64_max(at_ms, 0));
    keyspace_touched(call->db, key);
    keyspace_event(call->db, key, EVENT_GENERIC, "expire");
}

bool expiry_clear(struct call *call, struct entry *entry, struct bytes key) {
    if (!entry_expires(entry)) return false;
    (void)keyspace_set_expiry(call->db, entry, -1);
    keyspace_touched(call->db, key);
    keyspace_event(call->db, key, EVENT_GENERIC, "persist");
    return true;
}
