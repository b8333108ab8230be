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
