/* SPDX-License-Identifier: BSD-3-Clause */
/* Bit fields against the same done bit by bit, and overflow against wide arithmetic. */
#include "types/bitfield.h"

#include "tests/unit/test.h"
#include "types/bitmap.h"

enum { ROUNDS = 20000 };

static const struct bitfield_type u8 = {8, false}, i8 = {8, true}, i64 = {64, true},
                                  u63 = {63, false}, i1 = {1, true};

static struct bitfield_type random_type(struct rng *rng) {
    bool is_signed = rng_below(rng, 2);
    uint64_t max = is_signed ? BITFIELD_SIGNED_BITS_MAX : BITFIELD_UNSIGNED_BITS_MAX;
    return (struct bitfield_type){(uint8_t)(1 + rng_below(rng, max)), is_signed};
}

TEST(types_are_a_letter_and_a_width) {
    struct bitfield_type type;
    expect_true(bitfield_parse_type(BYTES("u8"), &type));
    expect_eq(type.bits, 8);
    expect_false(type.is_signed);
    expect_true(bitfield_parse_type(BYTES("i64"), &type));
    expect_eq(type.bits, 64);
    expect_true(type.is_signed);
    const char *wrong[] = {"",    "u",   "i",   "u0",  "i0",
                           "u64", "i65", "U8",  "8",   "u08",
                           "u-1", "x8",  "u8 ", "i+8", "u99999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        expect_false(bitfield_parse_type(bytes_of(wrong[i]), &type));
}

TEST(get_and_set_agree_with_bit_by_bit) {
    for (int round = 0; round < ROUNDS; round++) {
        char data[24];
        for (size_t i = 0; i < sizeof(data); i++)
            data[i] = (char)rng_next(t->rng);
        struct bitfield_type type = random_type(t->rng);
        uint64_t offset = rng_below(t->rng, sizeof(data) * 8 - type.bits + 1);
        char before[sizeof(data)];
        memcpy(before, data, sizeof(data));

        int64_t value = (int64_t)rng_next(t->rng);
        bitfield_set(data, offset, type, value);
        struct bytes now = bytes_make(data, sizeof(data));
        for (uint64_t bit = 0; bit < sizeof(data) * 8; bit++) {
            bool inside = bit >= offset && bit < offset + type.bits;
            bool want = inside ? (uint64_t)value >> (offset + type.bits - 1 - bit) & 1
                               : bitmap_get(bytes_make(before, sizeof(before)), bit);
            expect_eq(bitmap_get(now, bit), want);
        }
        uint64_t mask = UINT64_MAX >> (64 - type.bits), low = (uint64_t)value & mask;
        if (type.is_signed && low >> (type.bits - 1)) low |= ~mask;
        expect_eq(bitfield_get(now, offset, type), (int64_t)low);
    }
}

TEST(bits_past_the_end_read_as_zero) {
    expect_eq(bitfield_get(BYTES("\xff"), 4, u8), 0xf0);
    expect_eq(bitfield_get(BYTES("\xff"), 8, u8), 0);
    expect_eq(bitfield_get(BYTES("\xff"), UINT64_MAX - 64, i64), 0);
    expect_eq(bitfield_get(bytes_make(NULL, 0), 3, i64), 0);
}

#ifdef __SIZEOF_INT128__
__extension__ typedef __int128 wide;

static void check_against_wide(struct bitfield_type type, wide exact, bool fits[3],
                               const int64_t results[3]) {
    wide one = 1;
    wide max = type.is_signed ? (one << (type.bits - 1)) - 1 : (one << type.bits) - 1;
    wide min = type.is_signed ? -max - 1 : 0;
    wide wrapped = exact & ((one << type.bits) - 1);
    if (type.is_signed && wrapped > max) wrapped -= one << type.bits;
    expect_true(fits[BITFIELD_WRAP]);
    expect_eq(results[BITFIELD_WRAP], (int64_t)wrapped);
    expect_true(fits[BITFIELD_SAT]);
    expect_eq(results[BITFIELD_SAT], (int64_t)(exact > max ? max : exact < min ? min : exact));
    expect_eq(fits[BITFIELD_FAIL], exact >= min && exact <= max);
    if (fits[BITFIELD_FAIL]) expect_eq(results[BITFIELD_FAIL], (int64_t)exact);
}

TEST(overflow_agrees_with_wide_arithmetic) {
    for (int round = 0; round < ROUNDS; round++) {
        struct bitfield_type type = random_type(t->rng);
        int64_t value = (int64_t)rng_next(t->rng) >> rng_below(t->rng, 64);
        int64_t increment = (int64_t)rng_next(t->rng) >> rng_below(t->rng, 64), held;
        bool fits[3];
        int64_t results[3] = {0};
        for (int mode = 0; mode < 3; mode++)
            fits[mode] = bitfield_fit(type, (enum bitfield_overflow)mode, value, &results[mode]);
        wide exact = type.is_signed ? (wide)value : (wide)(uint64_t)value;
        check_against_wide(type, exact, fits, results);

        expect_true(bitfield_fit(type, BITFIELD_WRAP, value, &held));
        for (int mode = 0; mode < 3; mode++) {
            fits[mode] =
                bitfield_add(type, (enum bitfield_overflow)mode, held, increment, &results[mode]);
        }
        check_against_wide(type, (wide)held + increment, fits, results);
    }
}
#endif

TEST(limits_of_the_widest_fields) {
    int64_t out = 7;
    expect_true(bitfield_add(i64, BITFIELD_WRAP, INT64_MAX, 1, &out));
    expect_eq(out, INT64_MIN);
    expect_true(bitfield_add(i64, BITFIELD_SAT, INT64_MIN, INT64_MIN, &out));
    expect_eq(out, INT64_MIN);
    expect_false(bitfield_add(i64, BITFIELD_FAIL, INT64_MAX, 1, &out));
    expect_eq(out, INT64_MIN); /* untouched */
    expect_true(bitfield_add(u63, BITFIELD_SAT, INT64_MAX, INT64_MAX, &out));
    expect_eq(out, INT64_MAX);
    expect_true(bitfield_fit(i1, BITFIELD_WRAP, 1, &out));
    expect_eq(out, -1);
    expect_true(bitfield_fit(i8, BITFIELD_SAT, 128, &out));
    expect_eq(out, 127);
}

TEST_MAIN()
