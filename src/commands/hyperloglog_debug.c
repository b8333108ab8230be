/* SPDX-License-Identifier: BSD-3-Clause */
/* PFDEBUG and PFSELFTEST: for whoever wants to see inside. */
#include "base/mem.h"
#include "base/random.h"
#include "commands/hyperloglog_internal.h"
#include "exec/call.h"
#include "types/hyperloglog.h"

/* ---- PFDEBUG ---- */

enum debug_verb { DEBUG_ENCODING = 0, DEBUG_DECODE, DEBUG_TODENSE, DEBUG_GETREG };

static bool read_debug_verb(struct call *call, enum debug_verb *out) {
    static const char *const names[] = {[DEBUG_ENCODING] = "ENCODING",
                                        [DEBUG_DECODE] = "DECODE",
                                        [DEBUG_TODENSE] = "TODENSE",
                                        [DEBUG_GETREG] = "GETREG"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!call_is(call, 1, names[i])) continue;
        *out = (enum debug_verb)i;
        return true;
    }
    call_errorf(call, ERROR_PFDEBUG_UNKNOWN, (int)size_min(call->argv[1].size, INT32_MAX),
                call->argv[1].data);
    return false;
}

/* Makes the value dense, in the keyspace too. False: it has replied. */
static bool make_dense(struct call *call, struct entry *entry, struct bytes value, char **data) {
    struct buf dense = {0};
    buf_add(&dense, value);
    bool ok = hll_make_dense(&dense);
    if (!ok) {
        call_error(call, ERROR_HLL_CORRUPT);
    } else if (keyspace_edit_string(call->db, call->argv[2], call_hash(call, 2), entry, dense.size,
                                    data)) {
        memcpy(*data, dense.data, dense.size);
    } else {
        call_error(call, ERROR_NO_MEMORY_FOR_VALUE);
        ok = false;
    }
    buf_deinit(&dense);
    return ok;
}

static void debug_decode(struct call *call, struct bytes value) {
    struct buf text = {0};
    if (hll_form_of(value) != HLL_SPARSE) {
        call_error(call, ERROR_HLL_NOT_SPARSE);
    } else if (hll_describe_runs(value, &text)) {
        reply_bulk(call->reply, buf_bytes(&text));
    } else {
        call_error(call, ERROR_HLL_CORRUPT);
    }
    buf_deinit(&text);
}

static void debug_getreg(struct call *call, struct entry *entry, struct bytes value) {
    if (hll_form_of(value) == HLL_SPARSE) {
        char *data;
        if (!make_dense(call, entry, value, &data)) return;
        value = bytes_make(data, HLL_DENSE_SIZE);
    }
    reply_array(call->reply, HLL_REGISTERS);
    for (uint32_t i = 0; i < HLL_REGISTERS; i++)
        reply_integer(call->reply, hll_register(value, (uint16_t)i));
}

static void debug_todense(struct call *call, struct entry *entry, struct bytes value) {
    bool is_sparse = hll_form_of(value) == HLL_SPARSE;
    char *data;
    if (is_sparse && !make_dense(call, entry, value, &data)) return;
    reply_integer(call->reply, is_sparse);
}

/* PFDEBUG ENCODING|DECODE|TODENSE|GETREG key */
void cmd_pfdebug(struct call *call) {
    char scratch[NUM_I64_TEXT_MAX];
    enum debug_verb verb;
    struct entry *entry;
    if (!call_find_or_null(call, 2, TYPE_STRING, &entry)) return;
    if (!entry) {
        call_error(call, ERROR_HLL_NO_KEY);
        return;
    }
    struct bytes value = entry_string(entry, scratch);
    if (!hll_is_valid(value)) {
        call_error(call, ERROR_HLL_TYPE);
        return;
    }
    if (!read_debug_verb(call, &verb)) return;
    switch (verb) {
    case DEBUG_ENCODING:
        reply_simple(call->reply,
                     hll_form_of(value) == HLL_SPARSE ? BYTES("sparse") : BYTES("dense"));
        break;
    case DEBUG_DECODE: debug_decode(call, value); break;
    case DEBUG_TODENSE: debug_todense(call, entry, value); break;
    case DEBUG_GETREG: debug_getreg(call, entry, value); break;
    }
}

/* ---- PFSELFTEST ---- */

enum {
    TEST_ROUNDS = 20,          /* of random registers */
    TEST_ELEMENTS = 1000000,   /* counted */
    TEST_SPARSE_UNTIL = 2000,  /* elements the sparse form is compared for */
    TEST_SPARSE_MAX = 1 << 16, /* bytes: it never becomes dense by size */
};

static bool test_registers(struct call *call, struct rng *rng) {
    char dense[HLL_DENSE_SIZE] = "HYLL";
    uint8_t registers[HLL_REGISTERS];
    for (int round = 0; round < TEST_ROUNDS; round++) {
        for (size_t i = 0; i < HLL_REGISTERS; i++)
            registers[i] = (uint8_t)rng_below(rng, HLL_RANK_MAX + 1);
        hll_set_registers(dense, registers);
        for (uint32_t i = 0; i < HLL_REGISTERS; i++) {
            int got = hll_register(bytes_make(dense, sizeof(dense)), (uint16_t)i);
            if (got == registers[i]) continue;
            call_error_text(call, "TESTFAILED Register %u should be %d but is %d", i, registers[i],
                            got);
            return false;
        }
    }
    return true;
}

/* The estimate is within six standard errors, and the sparse form agrees with the dense. */
static bool test_estimate(struct call *call, struct bytes dense, struct bytes sparse,
                          uint64_t count) {
    const double error_max = 6 * 1.04 / 128; /* 128 is the root of HLL_REGISTERS */
    uint64_t estimate, other;
    bool ok = hll_estimate(dense, &estimate);
    double allowed = (double)count * error_max + 1;
    double error = (double)estimate - (double)count;
    if (!ok || error > allowed || error < -allowed) {
        call_error_text(call, "TESTFAILED Too big error. card:%llu abserr:%g",
                        (unsigned long long)count, error);
        return false;
    }
    if (sparse.size && (!hll_estimate(sparse, &other) || other != estimate)) {
        call_error_text(call, "TESTFAILED dense/sparse disagree");
        return false;
    }
    return true;
}

static bool test_estimates(struct call *call, struct rng *rng) {
    char dense[HLL_DENSE_SIZE] = "HYLL";
    struct buf sparse = {0};
    uint64_t seed = rng_next(rng), checkpoint = 1;
    bool ok = true;
    hll_init(&sparse);
    for (uint64_t i = 1; i <= TEST_ELEMENTS && ok; i++) {
        uint64_t element = seed ^ i;
        struct hll_place place = hll_place_of(bytes_make(&element, sizeof(element)));
        (void)hll_raise_dense(dense, place);
        if (i <= TEST_SPARSE_UNTIL) ok = hll_raise(&sparse, place, TEST_SPARSE_MAX) >= HLL_SAME;
        if (!ok || i != checkpoint) continue;
        bool with_sparse = i <= TEST_SPARSE_UNTIL;
        ok = test_estimate(call, bytes_make(dense, sizeof(dense)),
                           with_sparse ? buf_bytes(&sparse) : bytes_make(NULL, 0), i);
        checkpoint *= 10;
    }
    buf_deinit(&sparse);
    return ok;
}

/* PFSELFTEST -- the code against itself, on random data. */
void cmd_pfselftest(struct call *call) {
    struct rng *rng = &call->exec->rng;
    if (test_registers(call, rng) && test_estimates(call, rng)) reply_ok(call->reply);
}
