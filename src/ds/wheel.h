/* SPDX-License-Identifier: BSD-3-Clause */
/* wheel -- a hierarchical timing wheel (Varghese and Lauck, 1987) of four-byte records.
 *
 * Time is counted in ticks. A unit of level l is 64^l ticks; each level has 128 slots, one for each
 * unit from the current one to the end of the next unit of the level above:
 *
 *      level 1        | unit u         | unit u+1       | u+2 ...
 *      level 0        |................|................|
 *                          ^ now: both are cut up in slots of one tick
 *
 * So a slot of a level above 0 becomes due one unit of that level early: whoever drains it has that
 * much time to file its records again further down, and what is due meanwhile is not held up. A
 * record may be filed in a slot that is late, or come out early; it never comes out late:
 *
 * 1. A record lies in a slot whose unit begins no later than the record's tick, or no later than
 *    the tick after the one at which it was added.
 * 2. Slots fill with chunks of 64 bytes, then 256, then 1024: the waste is small for one record and
 *    for a million, and nothing is ever moved.
 * A record is any 32 bits of the owner's. It does not carry its time: the owner knows where to look
 * that up, and files it again if it came out early. That is what makes it small. */
#pragma once

#include "base/attr.h"

struct rng;
struct wheel;

/* Ticks of 16 ms since the epoch: what the users of wheels here count in. */
enum { WHEEL_TICK_MS_BITS = 4 };
/* The tick that is running; a time before the epoch counts as the epoch. */
static inline uint64_t wheel_tick_at(int64_t now_ms) {
    return (uint64_t)i64_max(now_ms, 0) >> WHEEL_TICK_MS_BITS;
}
/* The first tick at which what has this time is due. */
static inline uint64_t wheel_tick_due(int64_t at_ms) {
    return ((uint64_t)at_ms + (BIT(WHEEL_TICK_MS_BITS) - 1)) >> WHEEL_TICK_MS_BITS;
}
/* When a tick begins; INT64_MAX for one that never comes. */
static inline int64_t wheel_tick_ms(uint64_t tick) {
    if (tick > (uint64_t)INT64_MAX >> WHEEL_TICK_MS_BITS) return INT64_MAX;
    return (int64_t)(tick << WHEEL_TICK_MS_BITS);
}

struct wheel *wheel_create(uint64_t tick);
void wheel_destroy(struct wheel **wheel); /* O(records / 200) */

size_t wheel_count(const struct wheel *wheel);        /* records; O(1) */
size_t wheel_slot_count(const struct wheel *wheel);   /* slots that exist; O(1) */
size_t wheel_memory_bytes(const struct wheel *wheel); /* O(1) */
uint64_t wheel_tick(const struct wheel *wheel);
/* The first tick at which something is due; UINT64_MAX if there is nothing at all. */
uint64_t wheel_next_tick(const struct wheel *wheel);

/* Files a record; returns the tick at which it comes out. O(1). */
uint64_t wheel_add(struct wheel *wheel, uint32_t record, uint64_t tick);
/* Moves time forward; never back. */
void wheel_advance(struct wheel *wheel, uint64_t tick);

/* What has been loaded is drained with wheel_pop. Each returns false if there is nothing (more). */
must_use bool wheel_load_due(struct wheel *wheel);  /* the next slot whose time has come */
must_use bool wheel_load_next(struct wheel *wheel); /* the next slot in time, due or not */
must_use bool wheel_pop(struct wheel *wheel, uint32_t *out);
/* The record that `ahead` pops from now will give, if it is in this chunk or the next. */
must_use bool wheel_peek(const struct wheel *wheel, unsigned ahead, uint32_t *out);
/* Removes up to max records that come out first, more or less; returns how many. */
size_t wheel_take_soonest(struct wheel *wheel, uint32_t *out, size_t max);
/* Copies up to max records that lie together at a random place; returns how many. O(max). */
size_t wheel_sample(const struct wheel *wheel, struct rng *rng, uint32_t *out, size_t max);

/* All records, with the tick at which their slot begins (0 for what has been loaded). */
typedef void (*wheel_visit_fn)(void *ctx, uint32_t record, uint64_t tick);
void wheel_each(const struct wheel *wheel, wheel_visit_fn fn, void *ctx);
void wheel_verify(const struct wheel *wheel); /* O(n); for tests */

/* What lies in a wheel and in the one that is replacing it, for owners that check themselves. */
struct wheel_filed {
    uint32_t record;
    uint64_t tick; /* as wheel_each gives it */
};
struct wheel_listing { /* by record, and then by tick */
    struct wheel_filed *items;
    size_t count;
};
/* Verifies both, either of which may be NULL. O(n log n). */
void wheel_listing_init(struct wheel_listing *listing, const struct wheel *wheel,
                        const struct wheel *other);
void wheel_listing_deinit(struct wheel_listing *listing);
/* Whether it is filed at this tick or before. O(log n). */
bool wheel_listing_has(const struct wheel_listing *listing, uint32_t record, uint64_t tick);
