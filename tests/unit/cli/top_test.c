/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/top.h"
#include "base/mem.h"
#include "tests/unit/test.h"

enum { OFFERS = 400, SCORES = 40 };

/* The best of all offers so far, found the slow way: how many are better than this one, or as good
 * and earlier. */
static int rank_of(const int64_t scores[], int count, int index) {
    int rank = 0;
    for (int i = 0; i < count; i++) {
        if (scores[i] > scores[index] || (scores[i] == scores[index] && i < index)) rank++;
    }
    return rank;
}

TEST(top_keeps_the_best_in_order) {
    for (size_t cap = 1; cap <= 64; cap *= 4) {
        int64_t scores[OFFERS];
        struct top top;
        top_init(&top, cap);
        for (int i = 0; i < OFFERS; i++) {
            char key[16];
            int size = snprintf(key, sizeof(key), "key%d", i);
            scores[i] = (int64_t)rng_below(t->rng, SCORES); /* many are equal */
            struct top_entry entry = {
                .key = bytes_make(key, (size_t)size), .score = scores[i], .detail = i};
            expect_eq(top_offer(&top, &entry), rank_of(scores, i + 1, i) < (int)cap);
        }
        expect_eq(top.count, cap);
        for (size_t place = 0; place < top.count; place++) {
            int index = (int)top.entries[place].detail;
            expect_eq(rank_of(scores, OFFERS, index), place);
            expect_eq(top.entries[place].score, scores[index]);
        }
        top_deinit(&top);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(top_takes_a_key_that_is_seen_twice_once) {
    struct top top;
    top_init(&top, 4);
    struct top_entry first = {.key = BYTES("a"), .score = 7},
                     second = {.key = BYTES("b"), .score = 7};
    expect_true(top_offer(&top, &first));
    expect_true(top_offer(&top, &second));
    expect_false(top_offer(&top, &first));
    expect_eq(top.count, 2);
    top_deinit(&top);
}

TEST_MAIN()
