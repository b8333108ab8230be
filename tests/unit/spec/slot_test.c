/* SPDX-License-Identifier: BSD-3-Clause */
#include "spec/slot.h"
#include "tests/unit/test.h"

TEST(a_slot_is_the_checksum_of_the_key_or_of_its_tag) {
    static const struct {
        const char *key;
        uint16_t slot;
    } rows[] = {
        {"", 0},         {"123456789", 12739},  {"k", 7629},    {"{user1}.a", 8106},
        {"user1", 8106}, {"x{user1}{y}", 8106}, {"foo", 12182},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_eq(slot_of(bytes_of(rows[i].key)), rows[i].slot);
}

TEST(an_empty_or_open_tag_is_none) {
    expect_eq(slot_of(BYTES("{}user1")), 6971);
    expect_eq(slot_of(BYTES("x{user1")), 3672);
    expect_eq(slot_of(BYTES("x{}{user1}")), 11300);
    expect_eq(slot_of(bytes_make("\x00\xff", 2)), 7920);
}

TEST(every_slot_is_in_range) {
    char key[24];
    for (int i = 0; i < 10000; i++) {
        size_t size = rng_below(t->rng, sizeof(key));
        for (size_t k = 0; k < size; k++)
            key[k] = (char)rng_below(t->rng, 256);
        expect_true(slot_of(bytes_make(key, size)) < SLOT_COUNT);
    }
}

TEST_MAIN()
