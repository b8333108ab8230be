/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperLogLog values: bytes as other servers write them, both forms against an array of registers,
 * and values that lie. */
#include "types/hyperloglog.h"

#include "base/buf.h"
#include "tests/unit/test.h"

enum { NO_LIMIT = 1 << 20, DEFAULT_LIMIT = 3000 };

static struct hll_place place_of_text(const char *text) { return hll_place_of(bytes_of(text)); }

static void expect_registers(struct bytes value, const uint8_t want[HLL_REGISTERS]) {
    uint8_t got[HLL_REGISTERS] = {0};
    expect_true(hll_merge_into(got, value));
    expect_bytes_eq(bytes_make(got, sizeof(got)), bytes_make(want, HLL_REGISTERS));
}

/* One value with these runs. */
static void make_sparse(struct buf *out, struct bytes runs) {
    hll_init(out);
    out->size = HLL_HEADER_SIZE;
    buf_add(out, runs);
}

TEST(elements_go_where_other_servers_put_them) {
    /* PFDEBUG DECODE after PFADD h a b c: Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603 */
    struct buf value = {0}, text = {0};
    hll_init(&value);
    expect_eq(hll_raise(&value, place_of_text("a"), DEFAULT_LIMIT), HLL_RAISED);
    expect_eq(hll_raise(&value, place_of_text("b"), DEFAULT_LIMIT), HLL_RAISED);
    expect_eq(hll_raise(&value, place_of_text("c"), DEFAULT_LIMIT), HLL_RAISED);
    expect_eq(hll_raise(&value, place_of_text("a"), DEFAULT_LIMIT), HLL_SAME);
    expect_bytes_eq(bytes_from(buf_bytes(&value), HLL_HEADER_SIZE),
                    BYTES("\x60\xf3\x80\x50\xb1\x84\x4b\xfb\x80\x42\x5a"));
    expect_true(hll_describe_runs(buf_bytes(&value), &text));
    expect_bytes_eq(buf_bytes(&text), BYTES("Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603"));
    buf_deinit(&value);
    buf_deinit(&text);
}

TEST(estimates_are_those_of_other_servers) {
    struct buf value = {0};
    uint64_t estimate;
    hll_init(&value);
    expect_true(hll_estimate(buf_bytes(&value), &estimate));
    expect_eq(estimate, 0);
    for (int i = 1; i <= 20000; i++) {
        char text[16];
        int size = snprintf(text, sizeof(text), "e%d", i);
        (void)hll_raise(&value, hll_place_of(bytes_make(text, (size_t)size)), DEFAULT_LIMIT);
    }
    expect_eq(hll_form_of(buf_bytes(&value)), HLL_DENSE);
    expect_true(hll_estimate(buf_bytes(&value), &estimate));
    expect_eq(estimate, 19899);
    buf_deinit(&value);
}

TEST(both_forms_hold_what_an_array_holds) {
    for (int round = 0; round < 30; round++) {
        struct buf sparse = {0}, dense = {0};
        uint8_t registers[HLL_REGISTERS] = {0};
        uint32_t range = 1 + (uint32_t)rng_below(t->rng, HLL_REGISTERS); /* few: long runs */
        hll_init(&sparse);
        hll_init(&dense);
        expect_true(hll_make_dense(&dense));
        for (int i = 0; i < 600; i++) {
            struct hll_place place = {(uint16_t)rng_below(t->rng, range),
                                      (uint8_t)(1 + rng_below(t->rng, 1 + rng_below(t->rng, 32)))};
            bool raises = place.rank > registers[place.index];
            if (raises) registers[place.index] = place.rank;
            expect_eq(hll_raise(&sparse, place, NO_LIMIT), raises);
            expect_eq(hll_raise(&dense, place, NO_LIMIT), raises);
            expect_eq(hll_register(buf_bytes(&sparse), place.index), registers[place.index]);
            expect_eq(hll_register(buf_bytes(&dense), place.index), registers[place.index]);
        }
        uint64_t of_sparse, of_dense;
        expect_eq(hll_form_of(buf_bytes(&sparse)), HLL_SPARSE);
        expect_registers(buf_bytes(&sparse), registers);
        expect_registers(buf_bytes(&dense), registers);
        expect_true(hll_estimate(buf_bytes(&sparse), &of_sparse));
        expect_true(hll_estimate(buf_bytes(&dense), &of_dense));
        expect_eq(of_sparse, of_dense);
        expect_eq(hll_estimate_registers(registers), of_dense);
        buf_deinit(&sparse);
        buf_deinit(&dense);
    }
}

TEST(estimates_are_near_the_truth) {
    char dense[HLL_DENSE_SIZE] = "HYLL";
    uint64_t salt = rng_next(t->rng), estimate;
    for (uint64_t i = 1; i <= 300000; i++) {
        uint64_t element = salt + i;
        (void)hll_raise_dense(dense, hll_place_of(bytes_make(&element, sizeof(element))));
        if (i != 100 && i != 3000 && i != 40000 && i != 300000) continue;
        expect_true(hll_estimate(bytes_make(dense, sizeof(dense)), &estimate));
        expect_double_near((double)estimate, (double)i, 0.05 * (double)i);
    }
}

TEST(a_value_past_the_limit_becomes_dense) {
    struct buf value = {0};
    hll_init(&value);
    (void)hll_raise(&value, (struct hll_place){100, 3}, 21); /* 2 bytes of runs become 5 */
    expect_eq(hll_form_of(buf_bytes(&value)), HLL_SPARSE);
    expect_eq(value.size, 21);
    (void)hll_raise(&value, (struct hll_place){200, 3}, 21);
    expect_eq(hll_form_of(buf_bytes(&value)), HLL_DENSE);
    expect_eq(value.size, HLL_DENSE_SIZE);
    expect_eq(hll_register(buf_bytes(&value), 100), 3);
    expect_eq(hll_register(buf_bytes(&value), 200), 3);
    buf_deinit(&value);
}

TEST(a_rank_too_high_for_runs_makes_it_dense) {
    struct buf value = {0};
    hll_init(&value);
    expect_eq(hll_raise(&value, (struct hll_place){7, 33}, NO_LIMIT), HLL_RAISED);
    expect_eq(hll_form_of(buf_bytes(&value)), HLL_DENSE);
    expect_eq(hll_register(buf_bytes(&value), 7), 33);
    buf_deinit(&value);
}

TEST(neighbours_of_equal_value_join) {
    struct buf value = {0}, text = {0};
    hll_init(&value);
    for (uint16_t i = 0; i < 6; i++)
        expect_eq(hll_raise(&value, (struct hll_place){i, 2}, NO_LIMIT), HLL_RAISED);
    expect_true(hll_describe_runs(buf_bytes(&value), &text));
    expect_bytes_eq(buf_bytes(&text), BYTES("v:2,4 v:2,2 Z:16378"));
    buf_deinit(&value);
    buf_deinit(&text);
}

TEST(the_header_keeps_the_estimate_until_it_is_stale) {
    struct buf value = {0};
    uint64_t estimate = 99;
    hll_init(&value);
    expect_true(hll_cached_estimate(buf_bytes(&value), &estimate));
    expect_eq(estimate, 0);
    hll_store_estimate(value.data, 0x123456789abcdef);
    expect_true(hll_cached_estimate(buf_bytes(&value), &estimate));
    expect_eq(estimate, 0x123456789abcdef);
    hll_mark_stale(value.data);
    expect_false(hll_cached_estimate(buf_bytes(&value), &estimate));
    buf_deinit(&value);
}

TEST(what_is_no_hyperloglog_is_told) {
    char dense[HLL_DENSE_SIZE + 1] = "HYLL";
    expect_false(hll_is_valid(bytes_make(NULL, 0)));
    expect_false(hll_is_valid(BYTES("HYLL")));
    expect_false(hll_is_valid(BYTES("HYLL\1\0\0\0\0\0\0\0\0\0\0")));
    expect_true(hll_is_valid(BYTES("HYLL\1\0\0\0\0\0\0\0\0\0\0\0")));
    expect_false(hll_is_valid(BYTES("HYLX\1\0\0\0\0\0\0\0\0\0\0\0")));
    expect_false(hll_is_valid(BYTES("HYLL\2\0\0\0\0\0\0\0\0\0\0\0")));
    expect_true(hll_is_valid(bytes_make(dense, HLL_DENSE_SIZE)));
    expect_false(hll_is_valid(bytes_make(dense, HLL_DENSE_SIZE - 1)));
    expect_false(hll_is_valid(bytes_make(dense, HLL_DENSE_SIZE + 1)));
}

TEST(runs_that_lie_are_found_out) {
    const struct bytes lies[] = {
        BYTES(""),                 /* nothing is covered */
        BYTES("\x7f"),             /* cut inside a run */
        BYTES("\x7f\xfe"),         /* a register short */
        BYTES("\x7f\xff\x00"),     /* one too many */
        BYTES("\x7f\xff\x7f\xff"), /* twice */
        BYTES("\x7f\xfe\x81"),     /* the last run goes past the end */
        BYTES("\x7f\xfd\x7f\xff"), /* far past the end */
        BYTES("\x7f\xfe\x00\x7f"), /* whole, but something follows */
    };
    for (size_t i = 0; i < COUNT_OF(lies); i++) {
        struct buf value = {0}, text = {0};
        uint8_t registers[HLL_REGISTERS] = {0};
        uint64_t estimate;
        make_sparse(&value, lies[i]);
        expect_false(hll_estimate(buf_bytes(&value), &estimate));
        expect_false(hll_merge_into(registers, buf_bytes(&value)));
        expect_false(hll_describe_runs(buf_bytes(&value), &text));
        expect_false(hll_make_dense(&value));
        expect_eq(value.size, HLL_HEADER_SIZE + lies[i].size);
        buf_deinit(&value);
        buf_deinit(&text);
    }
}

TEST(a_register_behind_a_lie_is_not_reached) {
    struct buf value = {0};
    make_sparse(&value, BYTES("\x7f\xfe\x83")); /* 16383 zeros, then four registers */
    expect_eq(hll_register(buf_bytes(&value), 16382), 0);
    expect_eq(hll_register(buf_bytes(&value), 16383), -1);
    expect_eq(hll_raise(&value, (struct hll_place){16383, 1}, NO_LIMIT), HLL_CORRUPT);
    expect_eq(value.size, HLL_HEADER_SIZE + 3);
    buf_deinit(&value);
}

TEST(impossible_registers_have_a_bounded_estimate) {
    char dense[HLL_DENSE_SIZE] = "HYLL";
    uint8_t registers[HLL_REGISTERS];
    uint64_t estimate;
    for (int rank = 40; rank < 64; rank++) {
        memset(registers, rank, sizeof(registers));
        hll_set_registers(dense, registers);
        expect_true(hll_estimate(bytes_make(dense, sizeof(dense)), &estimate));
        expect_true(estimate <= INT64_MAX);
    }
}

TEST_MAIN()
