/* SPDX-License-Identifier: BSD-3-Clause */
/* What commands on hashes have in common: finding the hash and putting it back, lists of fields,
 * and the prefetch of many. */
#include "commands/hash_internal.h"

/* ---- arguments ---- */

/* The error for a count that is not that of the fields; readers of times know a shorter one. */
static enum error_id count_error(const struct call *call) {
    return call->command->flags & CMD_WRITE ? ERROR_NUMFIELDS : ERROR_SYNTAX;
}

bool hash_read_fields(struct call *call, uint32_t from, uint32_t step, struct hash_fields *out) {
    uint32_t at = from;
    while (at + 1 < call->argc && !call_is(call, at, "FIELDS"))
        at++;
    if (at + 1 >= call->argc) {
        call_error(call, count_error(call));
        return false;
    }
    int64_t count;
    if (!call_int(call, at + 1, &count)) return false;
    uint32_t given = call->argc - at - 2;
    if (count < 1 || count > UINT32_MAX || (uint64_t)count * step != given) {
        call_error(call, count_error(call));
        return false;
    }
    *out = (struct hash_fields){.at = at, .first = at + 2, .count = (uint32_t)count};
    return true;
}

bool hash_read_time(struct call *call, const struct expiry_arg *when, int64_t *at_ms) {
    int64_t value;
    if (!call_int(call, when->arg, &value)) return false;
    int64_t ms = value;
    bool fits = value >= 0 && (!when->in_seconds || num_mul_i64(value, 1000, &ms)) &&
                (when->is_absolute || num_add_i64(ms, call->now_ms, &ms));
    if (!fits) {
        call_errorf(call, ERROR_INVALID_EXPIRE, call->command->full_name);
        return false;
    }
    *at_ms = ms;
    return true;
}

/* ---- prefetch ---- */

void hash_window_load(struct hash_window *window, const struct call *call, const struct hash *hash,
                      uint32_t first, uint32_t end, uint32_t step) {
    uint32_t count = 0;
    window->packed = hash_is_listpack(hash);
    for (uint32_t arg = first; arg < end && count < HASH_WINDOW; arg += step) {
        window->codes[count] = hash_code(hash, call->argv[arg]);
        count++;
    }
    window->count = count;
    if (window->packed || count == 1) return; /* nothing to overlap */
    for (uint32_t i = 0; i < count; i++)
        hash_prefetch_bucket(hash, window->codes[i]);
    for (uint32_t i = 0; i < count; i++)
        hash_prefetch_field(hash, window->codes[i]);
}

void hash_prefetch(const struct entry *entry, const struct bytes *argv, uint32_t argc,
                   struct command_prefetch *at) {
    if (entry_type(entry) != TYPE_HASH || argc < 3) return;
    if (entry_encoding(entry) == ENCODING_PACKED) { /* it may lie in two lines */
        if (at->step == 0) prefetch_line(entry_value_field(entry) + entry_value_size(entry) - 1);
        return;
    }
    const struct hash *hash = entry_object(entry);
    if (at->step == 0) {
        at->numbers[0] = hash_code(hash, argv[2]);
        hash_prefetch_bucket(hash, at->numbers[0]);
    } else {
        hash_prefetch_field(hash, at->numbers[0]);
    }
}

/* ---- changing ---- */

bool hash_edit_begin(struct call *call, struct hash_edit *edit) {
    if (!call_find_write(call, 1, TYPE_HASH, &edit->entry)) return false;
    edit->is_copy = edit->is_emptied = false;
    edit->hash = edit->entry ? keyspace_take_object(edit->entry, &edit->is_copy) : NULL;
    edit->now_ms = hash_now(call);
    return true;
}

void hash_edit_changed(struct call *call, struct hash_edit *edit) {
    struct bytes key = call->argv[1];
    struct hash *hash = edit->hash;
    edit->hash = NULL;
    edit->is_copy = false;
    if (!edit->entry) {
        edit->entry = keyspace_add_object(call->db, key, call_hash(call, 1), TYPE_HASH, hash);
        return;
    }
    bool is_timed = hash_times(hash) != NULL;
    edit->entry = keyspace_put_object(call->db, edit->entry, call_hash(call, 1), hash);
    if (unlikely(is_timed)) keyspace_elements_changed(call->db, edit->entry, call_hash(call, 1));
    keyspace_touched(call->db, key);
}

void hash_edit_removed(struct call *call, struct hash_edit *edit) {
    if (hash_count(edit->hash) > 0) {
        hash_edit_changed(call, edit);
        return;
    }
    edit->is_emptied = true; /* a copy is not put back: its entry is about to go */
    if (!edit->is_copy) entry_set_object(edit->entry, edit->hash);
}

void hash__edit_clear(struct call *call, struct hash_edit *edit) {
    if (edit->is_copy) hash_destroy(&edit->hash);
    if (!edit->is_emptied) return;
    keyspace_remove(call->db, edit->entry, KEY_DELETED);
    keyspace_event(call->db, call->argv[1], EVENT_GENERIC, "del");
}
