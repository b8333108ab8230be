/* SPDX-License-Identifier: BSD-3-Clause */
/* The test of --test-memory: finds bits that do not hold what was written to them.
 *
 * Each round writes the whole area and only then reads it back, so that caches smaller than the
 * area do not answer for the memory. Four kinds of rounds, after the usual faults of RAM:
 * addresses (a line stuck between two places), solid and checkered words with their complements
 * (stuck and leaking bits), one moving bit (neighbours that couple), random words (all the rest).
 */
#include "base/mem.h"
#include "base/random.h"
#include "server/cmdline.h"

#include <inttypes.h>
#include <stdio.h>

struct area {
    uint64_t *words;
    size_t count;
    FILE *out;
};

typedef uint64_t (*word_fn)(const uint64_t *at, size_t index, uint64_t seed);

static uint64_t word_address(const uint64_t *at, size_t index, uint64_t seed) {
    (void)index;
    return (uint64_t)(uintptr_t)at ^ seed;
}

static uint64_t word_solid(const uint64_t *at, size_t index, uint64_t seed) {
    (void)at;
    (void)index;
    return seed;
}

static uint64_t word_moving_bit(const uint64_t *at, size_t index, uint64_t seed) {
    (void)at;
    return BIT((index + seed) % 64);
}

/* SplitMix64 (Steele, Lea, Flood): any word of the sequence without those before it. */
static uint64_t word_random(const uint64_t *at, size_t index, uint64_t seed) {
    (void)at;
    uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static bool run_round(const struct area *area, word_fn word, uint64_t seed) {
    volatile uint64_t *words = area->words; /* volatile: the reads must not be foreseen */
    for (size_t i = 0; i < area->count; i++)
        words[i] = word(&area->words[i], i, seed);
    for (size_t i = 0; i < area->count; i++) {
        uint64_t expected = word(&area->words[i], i, seed);
        uint64_t found = words[i];
        if (found == expected) continue;
        fprintf(area->out,
                "\nMEMORY ERROR at %p: wrote %016" PRIx64 ", read %016" PRIx64 " (bits %016" PRIx64
                ")\nReplace or reseat the memory of this machine and test again.\n",
                (void *)&area->words[i], expected, found, expected ^ found);
        return false;
    }
    fputc('.', area->out);
    fflush(area->out);
    return true;
}

static bool run_pass(const struct area *area, uint64_t random_seed) {
    static const uint64_t solid[] = {0x0000000000000000, 0xffffffffffffffff, 0x5555555555555555,
                                     0xaaaaaaaaaaaaaaaa, 0x3333333333333333, 0xcccccccccccccccc,
                                     0x00ff00ff00ff00ff, 0xff00ff00ff00ff00};
    bool ok = run_round(area, word_address, 0) && run_round(area, word_address, UINT64_MAX);
    for (size_t i = 0; ok && i < COUNT_OF(solid); i++)
        ok = run_round(area, word_solid, solid[i]);
    for (uint64_t shift = 0; ok && shift < 64; shift += 13) {
        ok = run_round(area, word_moving_bit, shift);
    }
    return ok && run_round(area, word_random, random_seed) &&
           run_round(area, word_random, ~random_seed);
}

bool cmdline_test_memory(size_t megabytes, FILE *out) {
    enum { PASSES = 3 };
    size_t size = megabytes * 1024 * 1024;
    struct area area = {.words = mem_try_alloc(size), .count = size / sizeof(uint64_t), .out = out};
    if (!area.words) {
        fprintf(out, "%zu megabytes of memory are not to be had\n", megabytes);
        return false;
    }

    bool ok = true;
    for (int pass = 1; ok && pass <= PASSES; pass++) {
        uint64_t seed;
        random_os(&seed, sizeof(seed));
        fprintf(out, "Testing %zu megabytes, pass %d of %d: ", megabytes, pass, PASSES);
        ok = run_pass(&area, seed);
        if (ok) fprintf(out, " ok\n");
    }
    mem_free(area.words);
    if (ok) fprintf(out, "The memory held everything written to it.\n");
    return ok;
}
