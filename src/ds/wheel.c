/* SPDX-License-Identifier: BSD-3-Clause */
#include "ds/wheel.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/random.h"

#include <stdlib.h>

enum {
    LEVEL_BITS = 6,       /* a unit is 2^6 units of the level below */
    SLOT_COUNT = 128,     /* two units of the level above */
    LEVEL_COUNT = 10,     /* 2^60 ticks: more than any int64_t of milliseconds */
    CHUNK_BYTES_MIN = 64, /* then four times as much ... */
    CHUNK_BYTES_MAX = 1024,
    SAMPLE_CHUNKS_MAX = 64, /* chunks a sample goes into a slot, at most */
};

struct chunk {
    struct chunk *next;
    uint16_t count, cap; /* records */
    uint32_t records[];
};

struct slot {
    struct chunk *head; /* the one that is being filled; all others are full */
    uint64_t count;     /* records */
};

struct level {
    uint64_t done;  /* the last unit whose slot was loaded or is not used any more */
    uint64_t count; /* records in slots */
    uint64_t bits[SLOT_COUNT / 64]; /* the slots that are not empty */
    struct slot loaded;             /* taken out to be popped; lower levels go first */
    struct slot slots[SLOT_COUNT];
};

struct wheel {
    uint64_t tick;
    struct level *levels[LEVEL_COUNT]; /* NULL until first used */
    struct slot *from;                 /* what wheel_pop takes from: loaded of a level, or NULL */
    size_t count;                      /* records, loaded ones too */
    size_t bytes;
};

static uint64_t unit_of(uint64_t tick, unsigned level) { return tick >> (level * LEVEL_BITS); }

/* The last unit of a level that is due now. */
static uint64_t due_unit(const struct wheel *wheel, unsigned level) {
    return unit_of(wheel->tick, level) + (level > 0);
}

/* The tick at which a unit becomes due. */
static uint64_t due_tick(uint64_t unit, unsigned level) {
    if (level == 0) return unit;
    return unit == 0 ? 0 : (unit - 1) << (level * LEVEL_BITS);
}

static size_t chunk_bytes(const struct chunk *chunk) {
    size_t used = sizeof(*chunk) + chunk->cap * sizeof(uint32_t);
    size_t bytes = CHUNK_BYTES_MIN;
    while (bytes < used)
        bytes *= 4;
    return bytes;
}

static struct chunk *chunk_create(struct wheel *wheel, struct chunk *next) {
    size_t bytes = next ? size_min(chunk_bytes(next) * 4, CHUNK_BYTES_MAX) : CHUNK_BYTES_MIN;
    struct chunk *chunk = mem_alloc(bytes);
    chunk->next = next;
    chunk->count = 0;
    chunk->cap = (uint16_t)((bytes - sizeof(*chunk)) / sizeof(uint32_t));
    wheel->bytes += bytes;
    return chunk;
}

static void chunk_free(struct wheel *wheel, struct chunk *chunk) {
    size_t bytes = chunk_bytes(chunk);
    wheel->bytes -= bytes;
    mem_free_sized(chunk, bytes);
}

static void slot_push(struct wheel *wheel, struct slot *slot, uint32_t record) {
    struct chunk *chunk = slot->head;
    if (unlikely(!chunk || chunk->count == chunk->cap)) {
        chunk = slot->head = chunk_create(wheel, chunk);
    }
    chunk->records[chunk->count++] = record;
    slot->count++;
}

static bool slot_pop(struct wheel *wheel, struct slot *slot, uint32_t *out) {
    struct chunk *chunk = slot->head;
    if (!chunk) return false;

    *out = chunk->records[--chunk->count];
    slot->count--;
    if (chunk->count == 0) {
        slot->head = chunk->next;
        chunk_free(wheel, chunk);
    }
    return true;
}

static void slot_clear(struct wheel *wheel, struct slot *slot) {
    while (slot->head) {
        struct chunk *chunk = slot->head;
        slot->head = chunk->next;
        chunk_free(wheel, chunk);
    }
}

/* ---- life ---- */

struct wheel *wheel_create(uint64_t tick) {
    struct wheel *wheel = mem_zalloc(sizeof(*wheel));
    wheel->tick = tick;
    wheel->bytes = mem_good_size(sizeof(*wheel));
    return wheel;
}

void wheel_destroy(struct wheel **wheel_in) {
    struct wheel *wheel = *wheel_in;
    *wheel_in = NULL;
    if (!wheel) return;

    for (unsigned l = 0; l < LEVEL_COUNT; l++) {
        if (!wheel->levels[l]) continue;
        slot_clear(wheel, &wheel->levels[l]->loaded);
        for (unsigned s = 0; s < SLOT_COUNT; s++)
            slot_clear(wheel, &wheel->levels[l]->slots[s]);
        mem_free(wheel->levels[l]);
    }
    mem_free(wheel);
}

static struct level *level_create(struct wheel *wheel, unsigned l) {
    struct level *level = wheel->levels[l] = mem_zalloc(sizeof(*level));
    level->done = due_unit(wheel, l);
    wheel->bytes += mem_good_size(sizeof(*level));
    return level;
}

/* ---- reading ---- */

size_t wheel_count(const struct wheel *wheel) { return wheel->count; }
size_t wheel_memory_bytes(const struct wheel *wheel) { return wheel->bytes; }
uint64_t wheel_tick(const struct wheel *wheel) { return wheel->tick; }

size_t wheel_slot_count(const struct wheel *wheel) {
    size_t levels = 0;
    for (unsigned l = 0; l < LEVEL_COUNT; l++)
        levels += wheel->levels[l] != NULL;
    return levels * SLOT_COUNT;
}

/* The first unit after `after` whose slot is not empty; the level has records. */
static uint64_t next_unit(const struct level *level, uint64_t after) {
    for (uint64_t unit = after + 1; unit <= after + SLOT_COUNT; unit++) {
        unsigned slot = unit % SLOT_COUNT;
        uint64_t rest = level->bits[slot / 64] >> (slot % 64);
        if (rest) return unit + (unsigned)__builtin_ctzll(rest);
        unit += 63 - slot % 64; /* the rest of this word is empty */
    }
    panic("wheel: a level with records has no slot with any");
}

uint64_t wheel_next_tick(const struct wheel *wheel) {
    uint64_t next = UINT64_MAX;
    for (unsigned l = 0; l < LEVEL_COUNT; l++) {
        const struct level *level = wheel->levels[l];
        if (level && level->loaded.head) return wheel->tick;
        if (!level || level->count == 0) continue;
        uint64_t tick = due_tick(next_unit(level, level->done), l);
        if (tick < next) next = tick;
    }
    return next;
}

/* ---- changing ---- */

uint64_t wheel_add(struct wheel *wheel, uint32_t record, uint64_t tick) {
    unsigned l = 0;
    if (tick <= wheel->tick) tick = wheel->tick + 1;
    while (unit_of(tick, l + 1) > unit_of(wheel->tick, l + 1) + 1)
        l++;
    check(l < LEVEL_COUNT);

    struct level *level = wheel->levels[l];
    if (unlikely(!level)) level = level_create(wheel, l);
    uint64_t unit = unit_of(tick, l);
    unsigned slot = unit % SLOT_COUNT;
    slot_push(wheel, &level->slots[slot], record);
    level->bits[slot / 64] |= BIT(slot % 64);
    level->count++;
    wheel->count++;
    return due_tick(unit, l);
}

void wheel_advance(struct wheel *wheel, uint64_t tick) {
    if (tick > wheel->tick) wheel->tick = tick;
}

static void load(struct wheel *wheel, struct level *level, unsigned slot) {
    dcheck(!level->loaded.head);
    wheel->from = &level->loaded;
    level->loaded = level->slots[slot];
    level->count -= level->loaded.count;
    level->slots[slot] = (struct slot){0};
    level->bits[slot / 64] &= ~BIT(slot % 64);
}

bool wheel_load_due(struct wheel *wheel) {
    for (unsigned l = 0; l < LEVEL_COUNT; l++) {
        struct level *level = wheel->levels[l];
        if (!level) continue;
        if (level->loaded.head) {
            wheel->from = &level->loaded;
            return true;
        }
        uint64_t due = due_unit(wheel, l);
        if (level->count == 0) level->done = size_max(level->done, due);
        if (level->done >= due) continue;
        /* After a leap in time all slots are due; each must come out once, not once a round. */
        if (due - level->done > SLOT_COUNT) level->done = due - SLOT_COUNT;

        uint64_t unit = next_unit(level, level->done);
        level->done = size_min(unit, due);
        if (unit > due) continue;
        load(wheel, level, unit % SLOT_COUNT);
        return true;
    }
    return false;
}

/* Points from at what has been loaded already; false if there is nothing. */
static bool select_loaded(struct wheel *wheel) {
    for (unsigned l = 0; l < LEVEL_COUNT; l++) {
        if (!wheel->levels[l] || !wheel->levels[l]->loaded.head) continue;
        wheel->from = &wheel->levels[l]->loaded;
        return true;
    }
    return false;
}

/* The level whose next slot comes first, or NULL. */
static struct level *soonest_level(const struct wheel *wheel, uint64_t *unit_out) {
    struct level *soonest = NULL;
    uint64_t first = UINT64_MAX;
    for (unsigned l = 0; l < LEVEL_COUNT; l++) {
        struct level *level = wheel->levels[l];
        if (!level || level->count == 0) continue;
        uint64_t unit = next_unit(level, level->done);
        uint64_t begin = unit << (l * LEVEL_BITS);
        if (soonest && begin >= first) continue;
        first = begin;
        soonest = level;
        *unit_out = unit;
    }
    return soonest;
}

bool wheel_load_next(struct wheel *wheel) {
    uint64_t unit;
    if (select_loaded(wheel)) return true;
    struct level *level = soonest_level(wheel, &unit);
    if (!level) return false;

    load(wheel, level, unit % SLOT_COUNT);
    return true;
}

bool wheel_pop(struct wheel *wheel, uint32_t *out) {
    if (!wheel->from || !slot_pop(wheel, wheel->from, out)) return false;
    wheel->count--;
    return true;
}

bool wheel_peek(const struct wheel *wheel, unsigned ahead, uint32_t *out) {
    const struct chunk *chunk = wheel->from ? wheel->from->head : NULL;
    if (chunk && ahead >= chunk->count) {
        ahead -= chunk->count;
        chunk = chunk->next;
    }
    if (!chunk || ahead >= chunk->count) return false;
    *out = chunk->records[chunk->count - 1u - ahead];
    return true;
}

size_t wheel_take_soonest(struct wheel *wheel, uint32_t *out, size_t max) {
    size_t taken = 0;
    uint64_t unit = 0;
    if (select_loaded(wheel)) {
        while (taken < max && wheel_pop(wheel, &out[taken]))
            taken++;
        return taken;
    }

    struct level *level = soonest_level(wheel, &unit);
    if (!level) return 0;
    struct slot *slot = &level->slots[unit % SLOT_COUNT];
    while (taken < max && slot_pop(wheel, slot, &out[taken]))
        taken++;
    level->count -= taken;
    wheel->count -= taken;
    if (slot->count == 0) level->bits[unit % SLOT_COUNT / 64] &= ~BIT(unit % 64);
    return taken;
}

/* The slot in which record number `index` lies, in any fixed order. */
static const struct slot *slot_of(const struct wheel *wheel, uint64_t index) {
    for (unsigned l = 0; l < LEVEL_COUNT; l++) {
        const struct level *level = wheel->levels[l];
        if (!level) continue;
        if (index < level->loaded.count) return &level->loaded;
        index -= level->loaded.count;
        if (index >= level->count) {
            index -= level->count;
            continue;
        }
        for (unsigned s = 0; s < SLOT_COUNT; s++) {
            if (index < level->slots[s].count) return &level->slots[s];
            index -= level->slots[s].count;
        }
    }
    panic("wheel: it has fewer records than it counts");
}

size_t wheel_sample(const struct wheel *wheel, struct rng *rng, uint32_t *out, size_t max) {
    if (wheel->count == 0) return 0;
    const struct slot *slot = slot_of(wheel, rng_below(rng, wheel->count));
    const struct chunk *chunk = slot->head;
    uint64_t chunks = slot->count / chunk->cap + 3; /* the first two are smaller */
    uint64_t skip = rng_below(rng, chunks < SAMPLE_CHUNKS_MAX ? chunks : SAMPLE_CHUNKS_MAX);
    while (skip-- > 0 && chunk->next)
        chunk = chunk->next;

    size_t count = size_min(max, chunk->count);
    size_t first = rng_below(rng, chunk->count);
    for (size_t i = 0; i < count; i++)
        out[i] = chunk->records[(first + i) % chunk->count];
    return count;
}

/* ---- checking ---- */

static void each_in_slot(const struct slot *slot, uint64_t tick, wheel_visit_fn fn, void *ctx) {
    for (const struct chunk *chunk = slot->head; chunk; chunk = chunk->next) {
        for (size_t i = 0; i < chunk->count; i++)
            fn(ctx, chunk->records[i], tick);
    }
}

void wheel_each(const struct wheel *wheel, wheel_visit_fn fn, void *ctx) {
    for (unsigned l = 0; l < LEVEL_COUNT; l++) {
        const struct level *level = wheel->levels[l];
        if (level) each_in_slot(&level->loaded, 0, fn, ctx);
        for (uint64_t i = 1; level && i <= SLOT_COUNT; i++) {
            uint64_t unit = level->done + i;
            each_in_slot(&level->slots[unit % SLOT_COUNT], unit << (l * LEVEL_BITS), fn, ctx);
        }
    }
}

static size_t verify_slot(const struct slot *slot, size_t *bytes) {
    size_t count = 0;
    for (const struct chunk *chunk = slot->head; chunk; chunk = chunk->next) {
        check(chunk->count > 0 && chunk->count <= chunk->cap);
        count += chunk->count;
        *bytes += chunk_bytes(chunk);
    }
    check(count == slot->count);
    return count;
}

void wheel_verify(const struct wheel *wheel) {
    size_t bytes = mem_good_size(sizeof(*wheel));
    size_t total = 0;
    for (unsigned l = 0; l < LEVEL_COUNT; l++) {
        const struct level *level = wheel->levels[l];
        if (!level) continue;
        size_t count = 0;
        total += verify_slot(&level->loaded, &bytes);
        for (unsigned s = 0; s < SLOT_COUNT; s++) {
            size_t in_slot = verify_slot(&level->slots[s], &bytes);
            check((in_slot > 0) == ((level->bits[s / 64] >> (s % 64) & 1) != 0));
            count += in_slot;
        }
        check(count == level->count);
        bytes += mem_good_size(sizeof(*level));
        total += count;
    }
    check(total == wheel->count);
    check(bytes == wheel->bytes);
}

static void listing_add(void *ctx, uint32_t record, uint64_t tick) {
    struct wheel_listing *listing = ctx;
    listing->items[listing->count++] = (struct wheel_filed){record, tick};
}

static int compare_filed(const void *a, const void *b) {
    const struct wheel_filed *x = a, *y = b;
    if (x->record != y->record) return x->record < y->record ? -1 : 1;
    return x->tick < y->tick ? -1 : x->tick > y->tick;
}

void wheel_listing_init(struct wheel_listing *listing, const struct wheel *wheel,
                        const struct wheel *other) {
    const struct wheel *wheels[] = {wheel, other};
    size_t records = (wheel ? wheel->count : 0) + (other ? other->count : 0);
    *listing = (struct wheel_listing){
        .items = mem_alloc_array(records + 1, sizeof(*listing->items)),
    };
    for (size_t i = 0; i < COUNT_OF(wheels); i++) {
        if (!wheels[i]) continue;
        wheel_verify(wheels[i]);
        wheel_each(wheels[i], listing_add, listing);
    }
    check(listing->count == records);
    qsort(listing->items, records, sizeof(*listing->items), compare_filed);
}

void wheel_listing_deinit(struct wheel_listing *listing) {
    mem_free(listing->items);
    *listing = (struct wheel_listing){0};
}

bool wheel_listing_has(const struct wheel_listing *listing, uint32_t record, uint64_t tick) {
    size_t low = 0, high = listing->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (listing->items[middle].record < record) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    /* Of the records that are equal, the first is the one that comes out first. */
    return low < listing->count && listing->items[low].record == record &&
           listing->items[low].tick <= tick;
}
