/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/lzf.h"
#include "tests/unit/test.h"

enum { SIZE_MAX_TRIED = 20000, HOSTILE_SIZE = 64, HOSTILE_ROOM = 512 };

/* Text that repeats itself more or less: letters of a small alphabet, and copies of what was. */
static size_t fill(struct rng *rng, char *out, size_t size) {
    uint64_t letters = 1 + rng_below(rng, 200), copies = rng_below(rng, 100);
    size_t used = 0;
    while (used < size) {
        if (used > 0 && rng_below(rng, 100) < copies) {
            size_t run = 1 + rng_below(rng, 400), from = rng_below(rng, used);
            for (size_t i = 0; i < run && used < size; i++)
                out[used++] = out[from + i];
        } else {
            out[used++] = (char)rng_below(rng, letters);
        }
    }
    return used;
}

TEST(what_was_compressed_comes_back) {
    struct lzf lzf = {0};
    char *text = mem_alloc(SIZE_MAX_TRIED), *packed = mem_alloc(SIZE_MAX_TRIED + 1024);
    size_t smaller = 0;
    for (int round = 0; round < 3000; round++) {
        size_t size = fill(t->rng, text, rng_below(t->rng, round % 10 ? 600 : SIZE_MAX_TRIED));
        size_t cap = size + size / 32 + 2;
        size_t got = lzf_compress(&lzf, bytes_make(text, size), packed, cap);
        if (got == 0) continue;
        expect_true(got <= cap);
        smaller += got < size;
        char *back = mem_alloc(size); /* exactly: a sanitizer sees a byte too many */
        expect_true(lzf_decompress(bytes_make(packed, got), back, size));
        expect_bytes_eq(bytes_make(back, size), bytes_make(text, size));
        expect_false(lzf_decompress(bytes_make(packed, got), back, size - 1));
        mem_free(back);
    }
    expect_true(smaller > 500);
    mem_free(text);
    mem_free(packed);
    lzf_deinit(&lzf);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(repetitions_have_the_form_that_other_servers_give_them) {
    static const char expected[] = "\x01\x61\x61\xe0\x3b\x00\x01\x61\x61";
    struct lzf lzf = {0};
    char text[72], packed[72];
    memset(text, 'a', sizeof(text));
    size_t size = lzf_compress(&lzf, bytes_make(text, sizeof(text)), packed, sizeof(packed));
    expect_bytes_eq(bytes_make(packed, size), bytes_make(expected, sizeof(expected) - 1));
    lzf_deinit(&lzf);
}

TEST(too_little_room_is_never_exceeded) {
    struct lzf lzf = {0};
    char text[1000];
    for (int round = 0; round < 2000; round++) {
        size_t size = fill(t->rng, text, rng_below(t->rng, sizeof(text)));
        size_t cap = rng_below(t->rng, size + 1);
        char *packed = mem_alloc(cap);
        expect_true(lzf_compress(&lzf, bytes_make(text, size), packed, cap) <= cap);
        mem_free(packed);
    }
    lzf_deinit(&lzf);
}

TEST(any_bytes_are_unpacked_or_refused) {
    for (int round = 0; round < 50000; round++) {
        size_t size = rng_below(t->rng, HOSTILE_SIZE), room = rng_below(t->rng, HOSTILE_ROOM);
        char *in = mem_alloc(size), *out = mem_alloc(room);
        for (size_t i = 0; i < size; i++)
            in[i] = (char)rng_next(t->rng);
        (void)!lzf_decompress(bytes_make(in, size), out, room);
        mem_free(in);
        mem_free(out);
    }
}

TEST(empty_input_makes_nothing) {
    char out[8];
    expect_true(lzf_decompress(bytes_make("", 0), out, 0));
    expect_false(lzf_decompress(bytes_make("", 0), out, 1));
}

TEST_MAIN()
