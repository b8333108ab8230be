/* SPDX-License-Identifier: BSD-3-Clause */
#include "ds/wheel.h"

#include "tests/unit/test.h"

enum { RECORDS_MAX = 4096 };

struct filed {
    uint64_t tick;
    bool present;
};

static uint64_t random_delay(struct rng *rng) {
    return rng_next(rng) >> (64 - 1 - rng_below(rng, 50)); /* all magnitudes alike */
}

/* Drains what is due; a record whose time has not come is filed again, as the owner does. */
static size_t drain(struct wheel *wheel, struct filed *filed) {
    uint32_t record;
    size_t fired = 0, steps = 0;
    while (wheel_load_due(wheel)) {
        while (wheel_pop(wheel, &record)) {
            struct filed *f = &filed[record];
            expect_true(f->present);
            expect_true(++steps < 100 * RECORDS_MAX);
            if (f->tick <= wheel_tick(wheel)) {
                f->present = false;
                fired++;
            } else {
                (void)wheel_add(wheel, record, f->tick);
            }
        }
    }
    return fired;
}

TEST(no_record_comes_out_late_whatever_the_leaps_of_time) {
    static struct filed filed[RECORDS_MAX];
    memset(filed, 0, sizeof(filed));
    uint64_t now = rng_below(t->rng, 1000000);
    struct wheel *wheel = wheel_create(now);
    size_t present = 0;
    for (int step = 0; step < 3000; step++) {
        for (int i = 0; i < 8; i++) {
            uint32_t id = (uint32_t)rng_below(t->rng, RECORDS_MAX);
            if (filed[id].present) continue;
            filed[id] = (struct filed){now + 1 + random_delay(t->rng), true};
            uint64_t out = wheel_add(wheel, id, filed[id].tick);
            expect_true(out <= filed[id].tick);
            present++;
        }
        expect_true(wheel_next_tick(wheel) != UINT64_MAX || present == 0);
        bool leap = rng_below(t->rng, 50) == 0;
        now += leap ? random_delay(t->rng) >> rng_below(t->rng, 20) : rng_below(t->rng, 90);
        wheel_advance(wheel, now);
        present -= drain(wheel, filed);
        expect_eq(wheel_count(wheel), present);
        for (size_t id = 0; step % 16 == 0 && id < RECORDS_MAX; id++)
            expect_false(filed[id].present && filed[id].tick <= now);
        if (step % 16 == 0) wheel_verify(wheel);
    }
    wheel_destroy(&wheel);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(next_tick_is_never_later_than_the_first_record) {
    uint64_t now = 12345, first = UINT64_MAX;
    struct wheel *wheel = wheel_create(now);
    expect_eq(wheel_next_tick(wheel), UINT64_MAX);
    for (uint32_t i = 0; i < 500; i++) {
        uint64_t tick = now + 1 + random_delay(t->rng);
        if (tick < first) first = tick;
        (void)wheel_add(wheel, i, tick);
        expect_true(wheel_next_tick(wheel) <= first);
    }
    wheel_destroy(&wheel);
}

TEST(load_next_gives_every_record_in_about_the_order_of_time) {
    enum { COUNT = 2000 };
    static uint64_t ticks[COUNT];
    struct wheel *wheel = wheel_create(777);
    for (uint32_t i = 0; i < COUNT; i++) {
        ticks[i] = 778 + random_delay(t->rng);
        (void)wheel_add(wheel, i, ticks[i]);
    }
    size_t got = 0;
    uint64_t latest = 0;
    uint32_t record;
    while (wheel_load_next(wheel)) {
        while (wheel_pop(wheel, &record)) {
            /* Inside a slot the order is lost: that is 1/64 of the time to it, or the unit. */
            expect_true(ticks[record] - 777 >= (latest - size_min(latest, 777)) / 2);
            latest = size_max(latest, ticks[record]);
            got++;
        }
    }
    expect_eq(got, COUNT);
    expect_eq(wheel_count(wheel), 0);
    wheel_destroy(&wheel);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(samples_are_records_that_are_there) {
    struct wheel *wheel = wheel_create(0);
    uint32_t out[64];
    expect_eq(wheel_sample(wheel, t->rng, out, 64), 0);
    for (uint32_t i = 0; i < 3000; i++)
        (void)wheel_add(wheel, i, 1 + random_delay(t->rng));
    static bool seen[3000];
    size_t different = 0;
    for (int i = 0; i < 20000; i++) {
        size_t count = wheel_sample(wheel, t->rng, out, 64);
        expect_true(count > 0 && count <= 64);
        for (size_t k = 0; k < count; k++) {
            expect_true(out[k] < 3000);
            different += !seen[out[k]];
            seen[out[k]] = true;
        }
    }
    expect_true(different > 2900);
    size_t taken = 0;
    while ((different = wheel_take_soonest(wheel, out, 10)) > 0)
        taken += different;
    expect_eq(taken, 3000);
    wheel_verify(wheel);
    wheel_destroy(&wheel);
}

/* Each record is filed twice, in one wheel or in two: the earlier time counts. */
TEST(listing_knows_what_is_filed_at_a_tick_or_before) {
    enum { COUNT = 500, FIRST = 1000 };
    struct wheel *wheel = wheel_create(FIRST), *other = wheel_create(FIRST);
    struct wheel_listing listing;
    wheel_listing_init(&listing, NULL, NULL);
    expect_true(!wheel_listing_has(&listing, 0, UINT64_MAX));
    wheel_listing_deinit(&listing);
    for (uint32_t i = 0; i < COUNT; i++) { /* within the reach of the lowest level: no tick early */
        (void)wheel_add(i % 2 ? wheel : other, i * 2, FIRST + 1 + i % 20);
        (void)wheel_add(wheel, i * 2, FIRST + 1 + i % 20 + i % 3);
    }
    wheel_listing_init(&listing, wheel, other);
    expect_eq(listing.count, 2 * COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        expect_true(!wheel_listing_has(&listing, i * 2, FIRST + i % 20));
        expect_true(wheel_listing_has(&listing, i * 2, FIRST + 1 + i % 20));
        expect_true(wheel_listing_has(&listing, i * 2, UINT64_MAX));
        expect_true(!wheel_listing_has(&listing, i * 2 + 1, UINT64_MAX));
    }
    wheel_listing_deinit(&listing);
    wheel_destroy(&wheel);
    wheel_destroy(&other);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(a_million_records_take_little_more_than_four_bytes_each) {
    enum { COUNT = 1000000 };
    struct wheel *wheel = wheel_create(1000);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint64_t delay = rng_below(t->rng, 225000); /* an hour */
        (void)wheel_add(wheel, i, 1001 + delay);
    }
    expect_true(wheel_memory_bytes(wheel) < COUNT * 9ul / 2);
    expect_true(mem_in_use() - t->mem_at_start < COUNT * 9ul / 2);
    wheel_destroy(&wheel);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
