/* SPDX-License-Identifier: BSD-3-Clause */
/* Bitmaps against the same done bit by bit. */
#include "types/bitmap.h"

#include "tests/unit/test.h"

enum { SIZE_MAX_HERE = 700, ROUNDS = 4000 };

static void fill(struct rng *rng, char *out, size_t size) {
    unsigned style = (unsigned)rng_below(rng, 4); /* long runs of equal bits are worth seeing */
    for (size_t i = 0; i < size; i++) {
        bool rare = rng_below(rng, 200) == 0;
        if (style == 0) out[i] = rare ? (char)rng_next(rng) : 0;
        if (style == 1) out[i] = rare ? (char)rng_next(rng) : (char)0xff;
        if (style >= 2) out[i] = (char)rng_next(rng);
    }
}

/* A copy that ends where the allocation ends, so that a sanitizer sees a read too far. */
static struct bytes random_bitmap(struct rng *rng, size_t max) {
    size_t size = (size_t)rng_below(rng, max + 1);
    char *data = mem_alloc(size);
    fill(rng, data, size);
    return bytes_make(data, size);
}

static void drop(struct bytes bitmap) { mem_free((void *)(uintptr_t)bitmap.data); }

static uint64_t naive_count(struct bytes bitmap, uint64_t first, uint64_t last) {
    uint64_t count = 0;
    for (uint64_t bit = first; bit <= last; bit++)
        count += bitmap_get(bitmap, bit);
    return count;
}

static int64_t naive_find(struct bytes bitmap, bool on, uint64_t first, uint64_t last) {
    for (uint64_t bit = first; bit <= last; bit++) {
        if (bitmap_get(bitmap, bit) == on) return (int64_t)bit;
    }
    return -1;
}

TEST(the_first_bit_is_the_highest_of_the_first_byte) {
    expect_true(bitmap_get(BYTES("\x80"), 0));
    expect_false(bitmap_get(BYTES("\x80"), 1));
    expect_true(bitmap_get(BYTES("\x00\x01"), 15));
}

TEST(bits_past_the_end_are_zero) {
    expect_false(bitmap_get(BYTES("\xff"), 8));
    expect_false(bitmap_get(BYTES("\xff"), UINT64_MAX));
    expect_false(bitmap_get(bytes_make(NULL, 0), 0));
}

TEST(put_changes_one_bit_only) {
    for (int round = 0; round < ROUNDS; round++) {
        char data[9], before[9];
        fill(t->rng, data, sizeof(data));
        memcpy(before, data, sizeof(data));
        uint64_t bit = rng_below(t->rng, sizeof(data) * 8);
        bool on = rng_below(t->rng, 2);
        bitmap_put(data, bit, on);
        for (uint64_t i = 0; i < sizeof(data) * 8; i++) {
            bool want = i == bit ? on : bitmap_get(bytes_make(before, sizeof(before)), i);
            expect_eq(bitmap_get(bytes_make(data, sizeof(data)), i), want);
        }
    }
}

TEST(counting_agrees_with_bit_by_bit) {
    for (int round = 0; round < ROUNDS; round++) {
        struct bytes bitmap = random_bitmap(t->rng, SIZE_MAX_HERE);
        uint64_t want = bitmap.size ? naive_count(bitmap, 0, bitmap.size * 8 - 1) : 0;
        expect_eq(bitmap_count(bitmap), want);
        drop(bitmap);
    }
}

TEST(ranges_agree_with_bit_by_bit) {
    for (int round = 0; round < ROUNDS; round++) {
        struct bytes bitmap = random_bitmap(t->rng, 100);
        if (bitmap.size) {
            uint64_t first = rng_below(t->rng, bitmap.size * 8);
            uint64_t last = first + rng_below(t->rng, bitmap.size * 8 - first);
            expect_eq(bitmap_count_range(bitmap, first, last), naive_count(bitmap, first, last));
            for (int on = 0; on < 2; on++) {
                expect_eq(bitmap_find(bitmap, on, first, last),
                          naive_find(bitmap, on, first, last));
            }
        }
        drop(bitmap);
    }
}

static bool naive_combine(enum bitmap_operation operation, const struct bytes *sources,
                          size_t count, uint64_t bit) {
    bool result = bitmap_get(sources[0], bit);
    for (size_t i = 1; i < count; i++) {
        bool other = bitmap_get(sources[i], bit);
        if (operation == BITMAP_AND) result = result && other;
        if (operation == BITMAP_OR) result = result || other;
        if (operation == BITMAP_XOR) result = result != other;
    }
    return operation == BITMAP_NOT ? !result : result;
}

TEST(combining_agrees_with_bit_by_bit) {
    for (int round = 0; round < 500; round++) {
        struct bytes sources[5];
        enum bitmap_operation operation = (enum bitmap_operation)rng_below(t->rng, 4);
        size_t count = operation == BITMAP_NOT ? 1 : 1 + (size_t)rng_below(t->rng, 5), size = 0;
        for (size_t i = 0; i < count; i++) {
            sources[i] = random_bitmap(t->rng, 80);
            size = size_max(size, sources[i].size);
        }
        char *out = mem_alloc(size);
        bitmap_combine(operation, sources, count, out, size);
        for (uint64_t bit = 0; bit < size * 8; bit++) {
            expect_eq(bitmap_get(bytes_make(out, size), bit),
                      naive_combine(operation, sources, count, bit));
        }
        for (size_t i = 0; i < count; i++)
            drop(sources[i]);
        mem_free(out);
    }
}

TEST_MAIN()
