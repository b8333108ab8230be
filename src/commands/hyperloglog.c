/* SPDX-License-Identifier: BSD-3-Clause */
/* PFADD, PFCOUNT, PFMERGE. The value is a string that other commands may have written: each use
 * checks it first. */
#include "types/hyperloglog.h"
#include "base/mem.h"
#include "commands/hyperloglog_internal.h"
#include "exec/call.h"

/* The string of an entry, if it is a HyperLogLog; else it has replied. */
static bool value_of(struct call *call, const struct entry *entry, struct bytes *out) {
    char scratch[NUM_I64_TEXT_MAX];
    *out = entry_string(entry, scratch);
    if (entry_encoding(entry) != ENCODING_INT && hll_is_valid(*out)) return true;
    call_error(call, ERROR_HLL_TYPE);
    return false;
}

/* Makes value the first key's, with its estimate stale. False: no memory, and it has replied. */
static bool store(struct call *call, struct entry *entry, struct buf *value) {
    char *data;
    if (!keyspace_edit_string(call->db, call->argv[1], call_hash(call, 1), entry, value->size,
                              &data)) {
        call_error(call, ERROR_NO_MEMORY_FOR_VALUE);
        return false;
    }
    memcpy(data, value->data, value->size);
    hll_mark_stale(data);
    return true;
}

/* ---- PFADD ---- */

/* The first argument at or after arg that raises a register, or argc. False: corrupt. */
static bool find_news(const struct call *call, struct bytes value, uint32_t *arg) {
    for (; *arg < call->argc; ++*arg) {
        struct hll_place place = hll_place_of(call->argv[*arg]);
        int rank = hll_register(value, place.index);
        if (rank < 0) return false;
        if (rank < place.rank) return true;
    }
    return true;
}

static bool raise_all(const struct call *call, uint32_t arg, struct buf *value) {
    int64_t sparse_max = call->exec->config->hll_sparse_bytes;
    for (; arg < call->argc; arg++) {
        enum hll_change change = hll_raise(value, hll_place_of(call->argv[arg]), sparse_max);
        if (change == HLL_CORRUPT) return false;
    }
    return true;
}

/* Adds the elements from arg on to a dense value, where it is. */
static bool add_dense(struct call *call, struct entry *entry, uint32_t arg) {
    char *data;
    if (!keyspace_edit_string(call->db, call->argv[1], call_hash(call, 1), entry, HLL_DENSE_SIZE,
                              &data)) {
        call_error(call, ERROR_NO_MEMORY_FOR_VALUE);
        return false;
    }
    for (; arg < call->argc; arg++)
        (void)hll_raise_dense(data, hll_place_of(call->argv[arg]));
    hll_mark_stale(data);
    return true;
}

/* Adds the elements from arg on to a sparse value (entry NULL: to a new one). */
static bool add_sparse(struct call *call, struct entry *entry, struct bytes value, uint32_t arg) {
    struct buf edited = {0};
    if (entry) {
        buf_add(&edited, value);
    } else {
        hll_init(&edited);
    }
    bool ok = raise_all(call, arg, &edited);
    if (!ok) call_error(call, ERROR_HLL_CORRUPT);
    ok = ok && store(call, entry, &edited);
    buf_deinit(&edited);
    return ok;
}

/* PFADD key [element ...] -- replies whether the estimate may have changed. */
void cmd_pfadd(struct call *call) {
    struct bytes value = {0};
    uint32_t arg = 2;
    struct entry *entry;
    bool ok;
    if (!call_find_write(call, 1, TYPE_STRING, &entry)) return;
    if (entry) {
        if (!value_of(call, entry, &value)) return;
        if (!find_news(call, value, &arg)) {
            call_error(call, ERROR_HLL_CORRUPT);
            return;
        }
        if (arg == call->argc) {
            reply_integer(call->reply, 0);
            return;
        }
    }
    if (entry && hll_form_of(value) == HLL_DENSE) {
        ok = add_dense(call, entry, arg);
    } else {
        ok = add_sparse(call, entry, value, arg);
    }
    if (!ok) return;
    keyspace_event(call->db, call->argv[1], EVENT_STRING, "pfadd");
    reply_integer(call->reply, 1);
}

/* ---- PFCOUNT ---- */

/* The estimate of one key, kept in its value for the next time. */
static void count_one(struct call *call) {
    struct bytes value;
    uint64_t estimate = 0;
    struct entry *entry;
    if (!call_find_or_null(call, 1, TYPE_STRING, &entry)) return;
    if (entry) {
        char *data;
        if (!value_of(call, entry, &value)) return;
        if (!hll_cached_estimate(value, &estimate)) {
            if (!hll_estimate(value, &estimate)) {
                call_error(call, ERROR_HLL_CORRUPT);
                return;
            }
            if (keyspace_edit_string(call->db, call->argv[1], call_hash(call, 1), entry, value.size,
                                     &data)) {
                hll_store_estimate(data, estimate);
            }
        }
    }
    reply_integer(call->reply, (int64_t)estimate);
}

/* Merges the keys from arg 1 on into registers. *any_dense is set if one is dense. */
static bool merge_keys(struct call *call, uint8_t registers[HLL_REGISTERS], bool *any_dense) {
    for (uint32_t arg = 1; arg < call->argc; arg++) {
        struct bytes value;
        struct entry *entry;
        if (!call_find_or_null(call, arg, TYPE_STRING, &entry)) return false;
        if (!entry) continue;
        if (!value_of(call, entry, &value)) return false;
        if (!hll_merge_into(registers, value)) {
            call_error(call, ERROR_HLL_CORRUPT);
            return false;
        }
        *any_dense |= hll_form_of(value) == HLL_DENSE;
    }
    return true;
}

/* PFCOUNT key [key ...] -- of several: how many different elements there were in all. */
void cmd_pfcount(struct call *call) {
    uint8_t registers[HLL_REGISTERS] = {0};
    bool any_dense = false;
    if (call->argc == 2) {
        count_one(call);
    } else if (merge_keys(call, registers, &any_dense)) {
        reply_integer(call->reply, (int64_t)hll_estimate_registers(registers));
    }
}

/* ---- PFMERGE ---- */

/* Raises the value, whose registers are none of them higher, to these registers. */
static bool raise_to(struct buf *value, const uint8_t registers[HLL_REGISTERS], bool dense,
                     int64_t sparse_max) {
    if (dense && !hll_make_dense(value)) return false;
    for (uint32_t i = 0; i < HLL_REGISTERS; i++) {
        if (hll_form_of(buf_bytes(value)) == HLL_DENSE) {
            hll_set_registers(value->data, registers);
            return true;
        }
        struct hll_place place = {.index = (uint16_t)i, .rank = registers[i]};
        if (place.rank && hll_raise(value, place, sparse_max) == HLL_CORRUPT) return false;
    }
    return true;
}

/* PFMERGE destination [source ...] -- the destination is one of the sources. */
void cmd_pfmerge(struct call *call) {
    uint8_t registers[HLL_REGISTERS] = {0};
    struct buf value = {0};
    bool any_dense = false;
    if (!merge_keys(call, registers, &any_dense)) return;

    struct entry *entry = call_peek_write(call, 1);
    if (entry) {
        struct bytes old;
        if (!value_of(call, entry, &old)) return;
        buf_add(&value, old);
    } else {
        hll_init(&value);
    }
    if (!raise_to(&value, registers, any_dense, call->exec->config->hll_sparse_bytes)) {
        call_error(call, ERROR_HLL_CORRUPT);
    } else if (store(call, entry, &value)) {
        keyspace_event(call->db, call->argv[1], EVENT_STRING, "pfadd");
        reply_ok(call->reply);
    }
    buf_deinit(&value);
}
