/* SPDX-License-Identifier: BSD-3-Clause */
#include "ds/drawn.h"
#include "base/mem.h"
#include "tests/unit/test.h"

TEST(drawn_takes_each_number_once) {
    enum { NUMBERS = 2000, ROUNDS = 50 };
    bool *in = mem_alloc(NUMBERS);
    for (int round = 0; round < ROUNDS; round++) {
        /* Ranks, or addresses that are multiples of their size class. */
        uint64_t first = round % 2 ? 0x7f0000000000u : 0, step = round % 2 ? 16u << round % 8 : 1;
        struct drawn drawn;
        memset(in, 0, NUMBERS);
        drawn_init(&drawn, NUMBERS);
        for (int i = 0; i < NUMBERS * 3; i++) {
            uint64_t number = rng_below(t->rng, NUMBERS);
            expect_eq(drawn_add(&drawn, first + number * step), !in[number]);
            in[number] = true;
        }
        drawn_deinit(&drawn);
    }
    mem_free(in);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(drawn_for_none_is_empty) {
    struct drawn drawn;
    drawn_init(&drawn, 0);
    drawn_deinit(&drawn);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
