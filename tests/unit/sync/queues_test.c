/* SPDX-License-Identifier: BSD-3-Clause */
/* The three queues under contention: every item arrives exactly once, and in its producer's order.
 * Made to be run under ThreadSanitizer as well. Items are numbers, 1 and up.
 * Where threads start, mem_in_use says little: libc keeps their stacks and what belongs to them. */
#include "base/check.h"
#include "sync/mpsc.h"
#include "sync/spmc.h"
#include "sync/spsc.h"
#include "sync/thread.h"
#include "tests/unit/test.h"

#include <sched.h>

enum { THREADS = 4, ITEMS = 40000, BATCH_MAX = 16 };

static void *item_of(uint64_t number) { return (void *)(uintptr_t)number; }
static uint64_t number_of(const void *item) { return (uint64_t)(uintptr_t)item; }

static struct thread *run(const char *name, thread_fn fn, void *ctx) {
    struct thread *thread = NULL;
    struct thread_options options = {.name = name, .fn = fn, .ctx = ctx};
    check(thread_start(&options, &thread, NULL) == ERR_NONE);
    return thread;
}

TEST(spmc_is_first_in_first_out_and_knows_full_and_empty_at_every_lap) {
    struct spmc q;
    for (size_t cap = 2; cap <= 8; cap *= 2) {
        uint64_t in = 0, out = 0;
        spmc_init(&q, cap);
        expect_eq(spmc_cap(&q), cap);
        expect_null(spmc_pop(&q));
        for (int i = 0; i < 2000; i++) {
            if (rng_below(t->rng, 2)) {
                bool pushed = spmc_push(&q, item_of(in + 1));
                expect_eq(pushed, in - out < cap);
                in += pushed;
            } else {
                void *item = spmc_pop(&q);
                expect_eq(number_of(item), in == out ? 0 : out + 1);
                out += item != NULL;
            }
            expect_eq(spmc_size(&q), in - out);
        }
        spmc_deinit(&q);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(mpsc_is_first_in_first_out_and_knows_full_and_empty_at_every_lap) {
    struct mpsc q;
    for (size_t cap = 1; cap <= 8; cap *= 2) {
        uint64_t in = 0, out = 0;
        mpsc_init(&q, cap);
        expect_eq(mpsc_cap(&q), cap);
        for (int i = 0; i < 3000; i++) {
            void *items[BATCH_MAX];
            size_t count = 1 + rng_below(t->rng, 5);
            if (rng_below(t->rng, 2)) {
                for (size_t k = 0; k < count; k++)
                    items[k] = item_of(in + 1 + k);
                bool pushed = mpsc_push_batch(&q, items, count);
                expect_eq(pushed, in - out + count <= cap); /* all or nothing */
                if (pushed) in += count;
            } else {
                size_t popped = mpsc_pop_batch(&q, items, count);
                expect_eq(popped, size_min(count, in - out));
                for (size_t k = 0; k < popped; k++)
                    expect_eq(number_of(items[k]), ++out);
            }
            expect_eq(mpsc_size(&q), in - out);
            expect_eq(mpsc_is_ready(&q), in != out);
        }
        while (mpsc_pop(&q))
            out++;
        expect_eq(out, in);
        mpsc_deinit(&q);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(spsc_shows_items_at_commit_and_knows_full_and_empty_at_every_lap) {
    struct spsc q;
    for (size_t cap = 1; cap <= 8; cap *= 2) {
        uint64_t in = 0, shown = 0, out = 0;
        spsc_init(&q, cap);
        expect_eq(spsc_cap(&q), cap);
        for (int i = 0; i < 3000; i++) {
            void *items[BATCH_MAX];
            uint64_t choice = rng_below(t->rng, 4);
            if (choice < 2) {
                bool put = spsc_put(&q, item_of(in + 1));
                expect_eq(put, in - out < cap);
                in += put;
            } else if (choice == 2) {
                expect_eq(spsc_commit(&q), shown != in);
                shown = in;
            } else {
                expect_eq(spsc_is_ready(&q), shown != out);
                size_t popped = spsc_pop_batch(&q, items, 1 + rng_below(t->rng, 5));
                expect_true(popped > 0 || shown == out);
                for (size_t k = 0; k < popped; k++)
                    expect_eq(number_of(items[k]), ++out);
                expect_true(out <= shown);
            }
            expect_eq(spsc_size(&q), in - out);
        }
        spsc_deinit(&q);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* One producer, THREADS consumers. */
struct spmc_run {
    struct spmc q;
    _Atomic uint64_t taken;          /* by all consumers */
    _Atomic uint8_t seen[ITEMS + 1]; /* how often each number came out */
    uint64_t boxes[ITEMS + 1];       /* plain memory that an item's push must make visible */
};

static void spmc_consume(void *ctx) {
    struct spmc_run *run_state = ctx;
    uint64_t last = 0;
    while (atomic_load_explicit(&run_state->taken, memory_order_relaxed) < ITEMS) {
        uint64_t *box = spmc_pop(&run_state->q);
        if (!box) {
            sched_yield();
            continue;
        }
        check(*box > last); /* tickets go up, so each consumer sees its items in order */
        last = *box;
        atomic_fetch_add_explicit(&run_state->seen[*box], 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&run_state->taken, 1, memory_order_relaxed);
        *box = 0; /* ours now */
    }
}

TEST(spmc_gives_each_item_to_one_of_many_consumers) {
    static const size_t caps[] = {2, 4, 64, 1024};
    for (size_t c = 0; c < COUNT_OF(caps); c++) {
        struct spmc_run *state = mem_alloc_aligned(CACHE_LINE, sizeof(*state));
        memset(state, 0, sizeof(*state));
        struct thread *threads[THREADS];
        spmc_init(&state->q, caps[c]);
        for (int i = 0; i < THREADS; i++)
            threads[i] = run("consumer", spmc_consume, state);
        for (uint64_t number = 1; number <= ITEMS; number++) {
            state->boxes[number] = number;
            while (!spmc_push(&state->q, &state->boxes[number]))
                sched_yield();
        }
        for (int i = 0; i < THREADS; i++)
            thread_join(&threads[i]);
        for (uint64_t number = 1; number <= ITEMS; number++) {
            expect_eq(state->seen[number], 1);
            expect_eq(state->boxes[number], 0);
        }
        expect_null(spmc_pop(&state->q));
        spmc_deinit(&state->q);
        mem_free(state);
    }
}

/* THREADS producers, one consumer. A number is producer * ITEMS + count. */
struct mpsc_producer {
    struct mpsc *q;
    uint64_t base;
    uint64_t boxes[ITEMS];
    size_t batch_max;
};

static void mpsc_produce(void *ctx) {
    struct mpsc_producer *producer = ctx;
    struct rng rng;
    rng_seed(&rng, producer->base);
    for (size_t i = 0; i < ITEMS;) {
        void *items[BATCH_MAX];
        size_t count = size_min(ITEMS - i, 1 + rng_below(&rng, producer->batch_max));
        for (size_t k = 0; k < count; k++) {
            producer->boxes[i + k] = producer->base + i + k;
            items[k] = &producer->boxes[i + k];
        }
        if (mpsc_push_batch(producer->q, items, count)) {
            i += count;
        } else {
            sched_yield();
        }
    }
}

TEST(mpsc_delivers_every_producers_items_once_and_in_order) {
    static const size_t caps[] = {1, 2, 16, 1024};
    for (size_t c = 0; c < COUNT_OF(caps); c++) {
        struct mpsc q;
        struct mpsc_producer *producers[THREADS];
        struct thread *threads[THREADS];
        uint64_t next[THREADS] = {0};
        mpsc_init(&q, caps[c]);
        for (uint64_t i = 0; i < THREADS; i++) {
            producers[i] = mem_zalloc(sizeof(*producers[i]));
            producers[i]->q = &q;
            producers[i]->base = i * ITEMS;
            producers[i]->batch_max = size_min(caps[c], BATCH_MAX);
            threads[i] = run("producer", mpsc_produce, producers[i]);
        }
        for (size_t left = (size_t)THREADS * ITEMS; left > 0;) {
            void *items[BATCH_MAX];
            size_t count = mpsc_pop_batch(&q, items, BATCH_MAX);
            if (count == 0) sched_yield();
            for (size_t i = 0; i < count; i++) {
                uint64_t *box = items[i];
                uint64_t producer = *box / ITEMS;
                expect_eq(*box % ITEMS, next[producer]);
                next[producer]++;
                *box = UINT64_MAX; /* ours now */
            }
            left -= count;
        }
        expect_null(mpsc_pop(&q));
        for (int i = 0; i < THREADS; i++) {
            thread_join(&threads[i]);
            expect_eq(next[i], ITEMS);
            mem_free(producers[i]);
        }
        mpsc_deinit(&q);
    }
}

struct spsc_run {
    struct spsc q;
    uint64_t boxes[ITEMS];
};

static void spsc_produce(void *ctx) {
    struct spsc_run *state = ctx;
    struct rng rng;
    rng_seed(&rng, 1);
    for (size_t i = 0; i < ITEMS;) {
        state->boxes[i] = i + 1;
        if (spsc_put(&state->q, &state->boxes[i])) {
            i++;
            if (rng_below(&rng, 4) > 0) continue;
        } else {
            sched_yield();
        }
        (void)spsc_commit(&state->q);
    }
    (void)spsc_commit(&state->q);
}

TEST(spsc_delivers_every_item_once_and_in_order) {
    static const size_t caps[] = {1, 2, 16, 1024};
    for (size_t c = 0; c < COUNT_OF(caps); c++) {
        struct spsc_run *state = mem_alloc_aligned(CACHE_LINE, sizeof(*state));
        spsc_init(&state->q, caps[c]);
        struct thread *producer = run("producer", spsc_produce, state);
        for (uint64_t out = 0; out < ITEMS;) {
            void *items[BATCH_MAX];
            size_t count = spsc_pop_batch(&state->q, items, 1 + rng_below(t->rng, BATCH_MAX));
            if (count == 0) sched_yield();
            for (size_t i = 0; i < count; i++)
                expect_eq(*(uint64_t *)items[i], ++out);
        }
        expect_null(spsc_pop(&state->q));
        thread_join(&producer);
        spsc_deinit(&state->q);
        mem_free(state);
    }
}

TEST_MAIN()
