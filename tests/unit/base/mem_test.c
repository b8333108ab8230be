/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/mem.h"

#include <sys/wait.h>

#include "base/check.h"
#include "tests/unit/test.h"

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
enum { SANITIZED = 1 }; /* then an absurd size ends the process */
#else
enum { SANITIZED = 0 };
#endif

enum { BLOCKS = 500 };

static size_t random_size(struct rng *rng) {
    return rng_below(rng, (uint64_t)2 << rng_below(rng, 18));
}

TEST(what_is_in_use_is_the_sum_of_the_blocks) {
    void *blocks[BLOCKS] = {0};
    size_t sum = 0;
    size_t start = mem_in_use();
    for (int i = 0; i < 20000; i++) {
        void **block = &blocks[rng_below(t->rng, BLOCKS)];
        size_t size = random_size(t->rng);
        sum -= mem_usable_size(*block);
        switch (rng_below(t->rng, 5)) {
        case 0:
            mem_free(*block);
            *block = mem_alloc(size);
            break;
        case 1:
            mem_free(*block);
            *block = mem_zalloc(size);
            break;
        case 2: *block = mem_realloc(*block, size); break;
        case 3:
            mem_free(*block);
            *block = mem_alloc_aligned(CACHE_LINE, size);
            expect_eq((uintptr_t)*block % CACHE_LINE, 0);
            break;
        case 4:
            mem_free(*block);
            *block = NULL;
            break;
        }
        if (*block) expect_true(mem_usable_size(*block) >= 1);
        sum += mem_usable_size(*block);
        if (i % 16 == 0) {
            expect_eq(mem_in_use(), start + sum);
            expect_eq(mem_in_use_recent(), start + sum); /* nobody else allocates */
        }
    }
    for (size_t i = 0; i < BLOCKS; i++)
        mem_free(blocks[i]);
    expect_eq(mem_in_use(), start);
}

TEST(zero_filled_memory_is_zero_and_sizes_of_zero_can_be_freed) {
    char *zeros = mem_zalloc(10000);
    for (size_t i = 0; i < 10000; i++)
        expect_eq(zeros[i], 0);
    mem_free(zeros);
    void *nothing = mem_alloc(0);
    expect_not_null(nothing);
    nothing = mem_realloc(nothing, 0);
    expect_not_null(nothing);
    mem_free_sized(nothing, 0);
    void *none = mem_zalloc(0);
    expect_not_null(none);
    mem_free(none);
    mem_free(NULL);
    mem_free_sized(NULL, 10);
    expect_eq(mem_usable_size(NULL), 0);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(realloc_keeps_the_bytes) {
    char *text = mem_alloc(10);
    memcpy(text, "012345678", 10);
    for (size_t size = 16; size < 200000; size = size * 3 / 2) {
        text = mem_realloc(text, size);
        expect_str_eq(text, "012345678");
    }
    text = mem_realloc(text, 10);
    expect_str_eq(text, "012345678");
    mem_free(text);
    char *fresh = mem_realloc(NULL, 5);
    mem_free(fresh);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(freeing_with_the_size_counts_the_same) {
    for (size_t size = 0; size < 70000; size += 1 + size / 7) {
        void *block = mem_alloc(size);
        mem_free_sized(block, size);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(good_sizes_are_what_blocks_have) {
    for (size_t size = 0; size < 100000; size += 1 + size / 9) {
        void *block = mem_alloc(size);
        size_t good = mem_good_size(size);
        expect_true(good >= size);
        /* glibc gives a little more if the rest would be too small to keep. */
        expect_true(mem_usable_size(block) >= good && mem_usable_size(block) <= good + 16);
        mem_free(block);
        block = mem_alloc(good);
        memset(block, 1, good); /* all of it may be used */
        mem_free(block);
    }
}

TEST(copies_end_in_nul) {
    char *a = mem_strdup("abc"), *b = mem_copy_bytes(bytes_make("x\0y", 3));
    char *empty = mem_copy_bytes(bytes_make(NULL, 0));
    expect_str_eq(a, "abc");
    expect_eq(memcmp(b, "x\0y\0", 4), 0);
    expect_str_eq(empty, "");
    expect_null(mem_strdup(NULL));
    mem_free(a);
    mem_free(b);
    mem_free(empty);
    expect_eq(mem_in_use(), t->mem_at_start);
}

struct lender {
    void *blocks[BLOCKS];
    bool stops; /* by itself; else its end has to be noticed */
};

static void *lend(void *arg) {
    struct lender *lender = arg;
    mem_thread_start();
    for (size_t i = 0; i < BLOCKS; i++)
        lender->blocks[i] = mem_alloc(i * 10);
    if (lender->stops) mem_thread_stop();
    return NULL;
}

TEST(blocks_that_change_threads_are_counted_once) {
    enum { THREADS = 4 };
    static struct lender lenders[THREADS];
    for (int round = 0; round < 3; round++) {
        pthread_t threads[THREADS];
        size_t sum = 0, before = mem_in_use();
        for (size_t i = 0; i < THREADS; i++) {
            lenders[i].stops = i % 2;
            expect_eq(pthread_create(&threads[i], NULL, lend, &lenders[i]), 0);
        }
        for (size_t i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        for (size_t i = 0; i < THREADS * BLOCKS; i++)
            sum += mem_usable_size(lenders[i / BLOCKS].blocks[i % BLOCKS]);
        /* jemalloc also counts what the C library allocates for a thread. */
        expect_double_near((double)mem_in_use(), (double)(before + sum), 4096);
        for (size_t i = 0; i < THREADS * BLOCKS; i++)
            mem_free(lenders[i / BLOCKS].blocks[i % BLOCKS]);
        expect_double_near((double)mem_in_use(), (double)before, 4096);
    }
}

TEST(the_recent_value_follows_other_threads_soon) {
    static struct lender lender = {.stops = true};
    pthread_t thread;
    size_t before = mem_in_use_recent(), sum = 0;
    expect_eq(pthread_create(&thread, NULL, lend, &lender), 0);
    pthread_join(thread, NULL);
    for (size_t i = 0; i < BLOCKS; i++)
        sum += mem_usable_size(lender.blocks[i]);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    expect_double_near((double)mem_in_use_recent(), (double)(before + sum), 4096);
    for (size_t i = 0; i < BLOCKS; i++)
        mem_free(lender.blocks[i]);
    expect_eq(mem_in_use_recent(), mem_in_use());
}

TEST(the_peak_stays) {
    void *large = mem_alloc(5000000);
    size_t high = mem_peak_sample();
    expect_eq(high, mem_in_use());
    mem_free(large);
    expect_true(mem_peak_sample() < high);
    expect_true(mem_in_use_peak() >= high);
}

TEST(the_system_s_numbers_are_sensible) {
    size_t size = 20 << 20;
    size_t before = mem_rss();
    char *block = mem_alloc(size);
    memset(block, 1, size);
    size_t touched = mem_rss();
    expect_true(block[size / 2] == 1 && touched > before + size / 2);
    mem_free(block);
    mem_purge();
    expect_true(mem_rss() > 0 && mem_rss() < mem_system_total());

    char *report = mem_allocator_report();
    expect_not_null(strstr(report, "alloc"));
    mem_free(report);
    struct mem_allocator_stats stats;
    mem_allocator_stats(&stats);
#ifdef USE_JEMALLOC
    expect_true(strncmp(mem_allocator_name(), "jemalloc-5.", 11) == 0);
    expect_true(stats.allocated > 0 && stats.allocated <= stats.active);
    expect_true(stats.active <= stats.resident);
#else
    expect_str_eq(mem_allocator_name(), "libc");
    expect_eq(stats.allocated + stats.active + stats.resident, 0);
#endif
}

static bool is_filled(const char *block, size_t size, char with) {
    for (size_t i = 0; i < size; i++) {
        if (block[i] != with) return false;
    }
    return true;
}

TEST(pages_go_back_in_pieces_and_those_of_others_stay) {
    enum { COUNT = 24, SIZE = 3 * 1024 * 1024 + 12345 };
    char *blocks[COUNT];
    mem_cut_purges();
    mem_cut_purges(); /* is done already */
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = mem_alloc(SIZE);
        memset(blocks[i], 'a' + i, SIZE);
    }
    size_t full = mem_rss();
    for (int i = 0; i < COUNT; i++) {
        if (i % 4 != 0) mem_free(blocks[i]);
    }
    mem_purge();
    if (!SANITIZED) expect_true(mem_rss() + (size_t)SIZE * COUNT / 2 < full);
    for (int i = 0; i < COUNT; i += 4) {
        expect_true(is_filled(blocks[i], SIZE, (char)('a' + i)));
        mem_free(blocks[i]);
    }
    char *zeroes = mem_zalloc((size_t)SIZE * 4);
    expect_true(is_filled(zeroes, (size_t)SIZE * 4, 0));
    mem_free(zeroes);
    expect_eq(mem_in_use(), t->mem_at_start);
}

static void leave_on_oom(size_t size) { _exit(size == SIZE_MAX / 4 ? 7 : 8); }

TEST(without_memory_the_handler_decides) {
    if (SANITIZED) return;
    volatile size_t absurd = SIZE_MAX / 4;
    expect_null(mem_try_alloc(absurd));
    expect_null(mem_try_zalloc(absurd));
    char *kept = mem_alloc(10);
    expect_null(mem_try_realloc(kept, absurd));
    mem_free(kept);
    expect_eq(mem_in_use(), t->mem_at_start);

    pid_t child = fork();
    if (child == 0) {
        mem_set_oom_handler(leave_on_oom);
        kept = mem_alloc(absurd);
        _exit(kept ? 1 : 2);
    }
    int status;
    expect_eq(waitpid(child, &status, 0), child);
    expect_true(WIFEXITED(status));
    expect_eq(WEXITSTATUS(status), 7);
}

TEST_MAIN()
