/* SPDX-License-Identifier: BSD-3-Clause */
/* intset -- see intset.h for the layout. Invariants (intset_verify):
 * 1. The width is 2, 4 or 8, and every element fits it.
 * 2. Elements ascend strictly.
 * 3. The allocation has room for header and elements, and is less than four times as large. */
#include "ds/intset.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "elements are read as they lie");

enum {
    WIDTH_OFFSET = 0,
    COUNT_OFFSET = 4,
    SHRINK_MIN_BYTES = 64, /* smaller allocations are left as they are */
};

static uint32_t load32(const void *at) {
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static void store32(void *at, uint32_t value) { memcpy(at, &value, sizeof(value)); }

static char *bytes_at(const struct intset *set, size_t offset) { return (char *)set + offset; }

static uint32_t width_of(const struct intset *set) { return load32(bytes_at(set, WIDTH_OFFSET)); }

static void set_width(struct intset *set, uint32_t width) {
    store32(bytes_at(set, WIDTH_OFFSET), width);
}

static void set_count(struct intset *set, size_t count) {
    check(count <= INTSET_COUNT_MAX);
    store32(bytes_at(set, COUNT_OFFSET), (uint32_t)count);
}

static uint32_t width_for(int64_t value) {
    if (value >= INT16_MIN && value <= INT16_MAX) return 2;
    if (value >= INT32_MIN && value <= INT32_MAX) return 4;
    return 8;
}

/* The element at an address, of a width that is known to be one of the three. */
static int64_t load(const char *at, uint32_t width) {
    int16_t small;
    int32_t medium;
    int64_t large;
    switch (width) {
    case 2: memcpy(&small, at, sizeof(small)); return small;
    case 4: memcpy(&medium, at, sizeof(medium)); return medium;
    default: memcpy(&large, at, sizeof(large)); return large;
    }
}

static char *element(const struct intset *set, size_t index) {
    return bytes_at(set, INTSET_HEADER + index * width_of(set));
}

static void store(struct intset *set, size_t index, int64_t value) {
    memcpy(element(set, index), &value, width_of(set)); /* the low bytes come first */
}

struct intset *intset_create(void) {
    struct intset *set = mem_alloc(INTSET_HEADER + 2);
    set_width(set, 2);
    set_count(set, 0);
    return set;
}

struct intset *intset_create_from(const void *data, size_t size) {
    check(size >= INTSET_HEADER);
    struct intset *set = mem_alloc(size);
    memcpy(set, data, size);
    check(intset_size(set) == size);
    return set;
}

void intset_destroy(struct intset **set) {
    mem_free(*set);
    *set = NULL;
}

struct intset *intset_copy(const struct intset *set) {
    return intset_create_from(set, intset_size(set));
}

size_t intset_count(const struct intset *set) { return load32(bytes_at(set, COUNT_OFFSET)); }

size_t intset_size(const struct intset *set) {
    return INTSET_HEADER + intset_count(set) * width_of(set);
}

size_t intset_memory_bytes(const struct intset *set) { return mem_usable_size(set); }

int64_t intset_at(const struct intset *set, size_t index) {
    dcheck(index < intset_count(set));
    return load(element(set, index), width_of(set));
}

/* The index of the first element that is not below value. */
static size_t lower_bound(const struct intset *set, int64_t value) {
    uint32_t width = width_of(set);
    const char *elements = bytes_at(set, INTSET_HEADER);
    size_t low = 0, count = intset_count(set);
    if (count > 0 && load(elements + (count - 1) * width, width) < value) return count;
    while (count > 0) { /* halves each time */
        size_t half = count / 2;
        if (load(elements + (low + half) * width, width) < value) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

static bool is_at(const struct intset *set, size_t index, int64_t value) {
    return index < intset_count(set) && intset_at(set, index) == value;
}

bool intset_has(const struct intset *set, int64_t value) {
    if (width_for(value) > width_of(set)) return false;
    return is_at(set, lower_bound(set, value), value);
}

static void reserve(struct intset **set, size_t size) {
    if (size > mem_usable_size(*set)) *set = mem_realloc(*set, size);
}

/* Gives memory back once three quarters of it are unused. */
static void trim(struct intset **set) {
    size_t size = intset_size(*set), room = mem_usable_size(*set);
    if (room > SHRINK_MIN_BYTES && room / 4 >= size) *set = mem_realloc(*set, size);
}

/* Spreads the elements to a greater width, from the last to the first, so that none is overwritten
 * before it has been read. There is room. */
static void widen(struct intset *set, uint32_t width) {
    uint32_t old_width = width_of(set);
    check(width > old_width);
    char *elements = bytes_at(set, INTSET_HEADER);
    for (size_t i = intset_count(set); i-- > 0;) {
        int64_t value = load(elements + i * old_width, old_width);
        memcpy(elements + i * width, &value, width);
    }
    set_width(set, width);
}

bool intset_add(struct intset **set, int64_t value) {
    size_t count = intset_count(*set), index = lower_bound(*set, value);
    if (is_at(*set, index, value)) return false;

    uint32_t width = width_for(value);
    if (width < width_of(*set)) width = width_of(*set);
    reserve(set, INTSET_HEADER + (count + 1) * width);
    if (width > width_of(*set)) widen(*set, width);
    memmove(element(*set, index + 1), element(*set, index), (count - index) * width);
    set_count(*set, count + 1);
    store(*set, index, value);
    return true;
}

bool intset_remove(struct intset **set, int64_t value) {
    if (width_for(value) > width_of(*set)) return false;
    size_t count = intset_count(*set), index = lower_bound(*set, value);
    if (!is_at(*set, index, value)) return false;

    memmove(element(*set, index), element(*set, index + 1), (count - index - 1) * width_of(*set));
    set_count(*set, count - 1);
    trim(set);
    return true;
}

void intset_filter(struct intset **set, bool (*keep)(void *ctx, int64_t value), void *ctx) {
    size_t count = intset_count(*set), kept = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t value = intset_at(*set, i);
        if (keep(ctx, value)) store(*set, kept++, value);
    }
    set_count(*set, kept);
    trim(set);
}

bool intset_validate(const void *data, size_t size) {
    if (size < INTSET_HEADER) return false;
    const char *bytes = data;
    uint32_t width = load32(bytes + WIDTH_OFFSET);
    size_t count = load32(bytes + COUNT_OFFSET);
    if (width != 2 && width != 4 && width != 8) return false;
    if (count > INTSET_COUNT_MAX || size != INTSET_HEADER + count * width) return false;

    const char *elements = bytes + INTSET_HEADER;
    for (size_t i = 1; i < count; i++) {
        if (load(elements + (i - 1) * width, width) >= load(elements + i * width, width)) {
            return false;
        }
    }
    return true;
}

void intset_verify(const struct intset *set) {
    size_t room = mem_usable_size(set);
    check(intset_validate(set, intset_size(set)));
    check(room >= intset_size(set));
    check(room <= SHRINK_MIN_BYTES || room / 4 < intset_size(set));
}
