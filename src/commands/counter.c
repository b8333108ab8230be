/* SPDX-License-Identifier: BSD-3-Clause */
/* Strings that are numbers: INCR and its relatives. An absent key counts as 0; the time to live
 * stays. */
#include "base/num.h"
#include "commands/string_internal.h"

#include <math.h>

static bool counter_value(const struct entry *entry, int64_t *out) {
    if (likely(entry_encoding(entry) == ENCODING_INT)) {
        *out = entry_int(entry);
        return true;
    }
    char scratch[NUM_I64_TEXT_MAX];
    return num_parse_i64(entry_string(entry, scratch), out);
}

static void counter_add(struct call *call, int64_t delta) {
    struct bytes key = call->argv[1];
    struct entry *entry;
    int64_t value = 0;
    if (!call_find_write(call, 1, TYPE_STRING, &entry)) return;
    if (entry && !counter_value(entry, &value)) {
        call_error(call, ERROR_NOT_INTEGER);
        return;
    }
    if (!num_add_i64(value, delta, &value)) {
        call_error(call, ERROR_OVERFLOW);
        return;
    }
    (void)keyspace_set_int(call->db, key, call_hash(call, 1), entry, value, -1, SET_KEEP_TTL);
    keyspace_event(call->db, key, EVENT_STRING, "incrby");
    reply_integer(call->reply, value);
}

/* INCR key */
void cmd_incr(struct call *call) { counter_add(call, 1); }

/* DECR key */
void cmd_decr(struct call *call) { counter_add(call, -1); }

/* INCRBY key increment */
void cmd_incrby(struct call *call) {
    int64_t delta;
    if (call_int(call, 2, &delta)) counter_add(call, delta);
}

/* DECRBY key decrement */
void cmd_decrby(struct call *call) {
    int64_t delta;
    if (!call_int(call, 2, &delta)) return;
    if (delta == INT64_MIN) { /* has no opposite */
        call_error(call, ERROR_DECREMENT_OVERFLOW);
        return;
    }
    counter_add(call, -delta);
}

/* INCRBYFLOAT key increment -- in long double, so that decimal fractions come out as they look. */
void cmd_incrbyfloat(struct call *call) {
    struct bytes key = call->argv[1];
    char text[NUM_LDOUBLE_TEXT_MAX], scratch[NUM_I64_TEXT_MAX];
    struct entry *entry;
    long double value = 0, delta;
    if (!call_find_write(call, 1, TYPE_STRING, &entry)) return;
    if (entry && !num_parse_ldouble(entry_string(entry, scratch), &value)) {
        call_error(call, ERROR_NOT_FLOAT);
        return;
    }
    if (!call_ldouble(call, 2, &delta)) return;
    value += delta;
    if (isnan(value) || isinf(value)) {
        call_error(call, ERROR_NAN_OR_INFINITY);
        return;
    }
    struct bytes result = bytes_make(text, num_format_ldouble(text, sizeof(text), value));
    (void)keyspace_set_string(call->db, key, call_hash(call, 1), entry, result, NULL, -1,
                              SET_KEEP_TTL | SET_AS_TEXT);
    keyspace_event(call->db, key, EVENT_STRING, "incrbyfloat");
    reply_bulk(call->reply, result);
}
