/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/random.h"

#include "tests/unit/test.h"

TEST(the_same_seed_gives_the_same_numbers) {
    struct rng a, b, c;
    rng_seed(&a, 7);
    rng_seed(&b, 7);
    rng_seed(&c, 8);
    size_t same = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t value = rng_next(&a);
        expect_eq(value, rng_next(&b));
        same += value == rng_next(&c);
    }
    expect_eq(same, 0);
}

TEST(the_generator_is_xoshiro256_starstar) {
    /* What follows the state 1, 2, 3, 4, as published for other implementations. */
    struct rng rng = {{1, 2, 3, 4}};
    expect_eq(rng_next(&rng), 11520);
    expect_eq(rng_next(&rng), 0);
    expect_eq(rng_next(&rng), 1509978240);
    expect_eq(rng_next(&rng), 1215971899390074240);
}

TEST(numbers_below_a_bound_are_even_and_in_range) {
    enum { BOUND = 7, DRAWS = 70000 };
    size_t counts[BOUND] = {0};
    for (int i = 0; i < DRAWS; i++)
        counts[rng_below(t->rng, BOUND)]++;
    for (size_t i = 0; i < BOUND; i++)
        expect_double_near((double)counts[i], DRAWS / BOUND, 600); /* six standard deviations */

    uint64_t bound = (1ull << 63) + 1; /* about half of all draws must be rejected */
    for (int i = 0; i < 1000; i++)
        expect_true(rng_below(t->rng, bound) < bound);
    expect_eq(rng_below(t->rng, 1), 0);
}

TEST(unit_numbers_fill_the_interval) {
    double sum = 0, least = 1, most = 0;
    for (int i = 0; i < 100000; i++) {
        double x = rng_unit(t->rng);
        expect_true(x >= 0 && x < 1);
        sum += x;
        least = x < least ? x : least;
        most = x > most ? x : most;
    }
    expect_double_near(sum / 100000, 0.5, 0.01);
    expect_true(least < 0.001 && most > 0.999);
}

TEST(the_system_gives_different_bytes_each_time) {
    char a[1000] = {0}, b[1000] = {0};
    random_os(a, sizeof(a));
    random_os(b, sizeof(b));
    expect_false(memcmp(a, b, sizeof(a)) == 0);
    expect_false(memcmp(a + 900, (char[100]){0}, 100) == 0); /* the last ones too */
}

TEST(hex_digits_are_lower_case_and_not_one_more) {
    char text[102];
    for (size_t digits = 0; digits <= 100; digits++) {
        memset(text, '!', sizeof(text));
        random_hex(text, digits);
        expect_eq(strspn(text, "0123456789abcdef"), digits);
        expect_eq(text[digits], '!');
    }
}

TEST_MAIN()
