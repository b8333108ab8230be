/* SPDX-License-Identifier: BSD-3-Clause */
/* BITFIELD and BITFIELD_RO: a list of operations on integers inside a string.
 *
 * All are read and checked before anything happens. A call that leaves every bit as it was does not
 * open the string for writing, so it is no change to those who watch the key. */
#include "types/bitfield.h"
#include "base/mem.h"
#include "commands/bitmap_internal.h"
#include "types/bitmap.h"

enum field_verb { FIELD_GET = 0, FIELD_SET, FIELD_INCRBY };

struct field_op {
    enum field_verb verb;
    enum bitfield_overflow overflow;
    struct bitfield_type type;
    uint64_t offset;
    int64_t value; /* of SET and INCRBY */
};

/* ---- arguments ---- */

/* Width and place of a field: "u8", then an offset in bits or, as "#n", in fields. */
static bool read_field(struct call *call, uint32_t arg, struct field_op *op) {
    struct bytes text = call->argv[arg + 1];
    int64_t offset;
    if (!bitfield_parse_type(call->argv[arg], &op->type)) {
        call_error(call, ERROR_BITFIELD_TYPE);
        return false;
    }
    bool in_fields = text.size > 0 && text.data[0] == '#';
    if (!num_parse_i64(in_fields ? bytes_from(text, 1) : text, &offset) ||
        (in_fields && !num_mul_i64(offset, op->type.bits, &offset)) ||
        !bit_offset_is_valid(call, offset)) {
        call_error(call, ERROR_BIT_OFFSET);
        return false;
    }
    op->offset = (uint64_t)offset;
    return true;
}

static bool read_overflow(struct call *call, uint32_t arg, enum bitfield_overflow *out) {
    if (call_is(call, arg, "WRAP")) {
        *out = BITFIELD_WRAP;
    } else if (call_is(call, arg, "SAT")) {
        *out = BITFIELD_SAT;
    } else if (call_is(call, arg, "FAIL")) {
        *out = BITFIELD_FAIL;
    } else {
        call_error(call, ERROR_BITFIELD_OVERFLOW);
        return false;
    }
    return true;
}

/* The verb at arg, and how many arguments the operation has with it; 0: none. */
static uint32_t read_verb(struct call *call, uint32_t arg, enum field_verb *out) {
    uint32_t left = call->argc - arg;
    if (call_is(call, arg, "GET") && left >= 3) {
        *out = FIELD_GET;
        return 3;
    }
    if (call_is(call, arg, "SET") && left >= 4) {
        *out = FIELD_SET;
        return 4;
    }
    if (call_is(call, arg, "INCRBY") && left >= 4) {
        *out = FIELD_INCRBY;
        return 4;
    }
    return 0;
}

enum { FIELD_OPS_INLINE = 8 };
struct field_ops {
    uint32_t count;
    size_t size; /* bytes that those which write need, or 0 */
    struct field_op *at;
    struct field_op inline_ops[FIELD_OPS_INLINE];
};

static void ops_deinit(struct field_ops *ops) {
    if (ops->at != ops->inline_ops) mem_free(ops->at);
}

static bool ops_read_all(struct call *call, struct field_ops *ops) {
    enum bitfield_overflow overflow = BITFIELD_WRAP;
    for (uint32_t arg = 2; arg < call->argc;) {
        if (call_is(call, arg, "OVERFLOW") && arg + 1 < call->argc) {
            if (!read_overflow(call, arg + 1, &overflow)) return false;
            arg += 2;
            continue;
        }
        struct field_op *op = &ops->at[ops->count];
        uint32_t used = read_verb(call, arg, &op->verb);
        if (!used) {
            call_error(call, ERROR_SYNTAX);
            return false;
        }
        op->overflow = overflow;
        if (!read_field(call, arg + 1, op)) return false;
        if (op->verb != FIELD_GET) {
            if (!call_int(call, arg + 3, &op->value)) return false;
            uint64_t last = op->offset + op->type.bits - 1;
            ops->size = size_max(ops->size, (size_t)bitmap_size_for(last));
        }
        ops->count++;
        arg += used;
    }
    return true;
}

/* Reads all operations; false: it has replied. Either way the caller calls ops_deinit. */
static bool ops_read(struct call *call, struct field_ops *ops) {
    uint32_t max = call->argc / 3; /* each has three words or more */
    *ops = (struct field_ops){.at = ops->inline_ops};
    if (max > FIELD_OPS_INLINE) ops->at = mem_alloc_array(max, sizeof(*ops->at));
    return ops_read_all(call, ops);
}

bool bitfield_find_keys(const struct bytes *argv, uint32_t argc, struct command_keys *out) {
    if (argc < 2) return false;
    uint32_t flags = KEY_RO | KEY_ACCESS;
    uint32_t arg = 2;
    while (arg < argc && flags & KEY_RO) {
        uint32_t count = 0;
        if (bytes_equal_nocase(argv[arg], BYTES("GET"))) count = 3;
        if (bytes_equal_nocase(argv[arg], BYTES("OVERFLOW"))) count = 2;
        if (count == 0 || count > argc - arg) flags = KEY_RW | KEY_ACCESS | KEY_UPDATE;
        arg += count;
    }
    command_keys_add(out, 1, flags);
    return true;
}

/* ---- running ---- */

/* The field before and after an operation that writes; false: it overflows and is to fail. */
static bool op_result(const struct field_op *op, struct bytes value, int64_t *old, int64_t *new) {
    *old = bitfield_get(value, op->offset, op->type);
    return op->verb == FIELD_SET ? bitfield_fit(op->type, op->overflow, op->value, new)
                                 : bitfield_add(op->type, op->overflow, *old, op->value, new);
}

/* Whether any operation changes a bit of the string. */
static bool ops_change(const struct field_ops *ops, struct bytes value) {
    int64_t old, new;
    for (uint32_t i = 0; i < ops->count; i++) {
        if (ops->at[i].verb == FIELD_GET) continue;
        if (op_result(&ops->at[i], value, &old, &new) && old != new) return true;
    }
    return false;
}

/* Runs the operations and replies. data: the bytes of value if they may be written. Returns how
 * many wrote. */
static uint32_t ops_run(const struct field_ops *ops, struct reply *reply, struct bytes value,
                        char *data) {
    uint32_t written = 0;
    reply_array(reply, ops->count);
    for (uint32_t i = 0; i < ops->count; i++) {
        const struct field_op *op = &ops->at[i];
        int64_t old, new;
        if (op->verb == FIELD_GET) {
            reply_integer(reply, bitfield_get(value, op->offset, op->type));
        } else if (op_result(op, value, &old, &new)) {
            if (data) bitfield_set(data, op->offset, op->type, new);
            reply_integer(reply, op->verb == FIELD_SET ? old : new);
            written++;
        } else {
            reply_null(reply);
        }
    }
    return written;
}

static void run_writing(struct call *call, const struct field_ops *ops) {
    char scratch[NUM_I64_TEXT_MAX];
    struct bytes key = call->argv[1];
    struct entry *entry;
    if (!call_find_write(call, 1, TYPE_STRING, &entry)) return;

    struct bytes value = entry ? entry_string(entry, scratch) : bytes_make(NULL, 0);
    if (ops->size <= value.size && !ops_change(ops, value)) {
        (void)ops_run(ops, call->reply, value, NULL);
        (void)keyspace_unpack_string(call->db, key, call_hash(call, 1), entry);
        return;
    }
    char *data;
    size_t size = size_max(ops->size, value.size);
    if (!keyspace_edit_string(call->db, key, call_hash(call, 1), entry, size, &data)) {
        call_error(call, ERROR_NO_MEMORY_FOR_VALUE);
        return;
    }
    uint32_t written = ops_run(ops, call->reply, bytes_make(data, size), data);
    if (written) keyspace_event(call->db, key, EVENT_STRING, "setbit");
}

static void run_reading(struct call *call, const struct field_ops *ops) {
    char scratch[NUM_I64_TEXT_MAX];
    struct entry *entry;
    if (!call_find_or_null(call, 1, TYPE_STRING, &entry)) return;
    struct bytes value = entry ? entry_string(entry, scratch) : bytes_make(NULL, 0);
    (void)ops_run(ops, call->reply, value, NULL);
}

/* BITFIELD key [GET type offset | [OVERFLOW WRAP|SAT|FAIL] SET type offset value |
 * INCRBY type offset increment ...] */
void cmd_bitfield(struct call *call) {
    struct field_ops ops;
    if (ops_read(call, &ops)) {
        if (ops.size) {
            run_writing(call, &ops);
        } else {
            run_reading(call, &ops);
        }
    }
    ops_deinit(&ops);
}

/* BITFIELD_RO key [GET type offset ...] */
void cmd_bitfield_ro(struct call *call) {
    struct field_ops ops;
    if (ops_read(call, &ops)) {
        if (ops.size) {
            call_error(call, ERROR_BITFIELD_RO);
        } else {
            run_reading(call, &ops);
        }
    }
    ops_deinit(&ops);
}
