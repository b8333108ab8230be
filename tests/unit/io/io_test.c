/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/io.h"
#include "base/clock.h"

#include "net/reactor.h"
#include "sync/thread.h"
#include "tests/unit/io/io_fixture.h"

enum {
    WIRES = 64,
    PROCESSORS = 16, /* as if there were so many */
    WAIT_MS = 10000,
    LIBRARY_BYTES = 16 * 1024, /* what the C library may keep of threads that have ended */
};

/* Leaks of a few bytes are the address sanitizer's to find. */
static void expect_given_back(const struct test *t) {
    expect_true(mem_in_use() <= t->mem_at_start + LIBRARY_BYTES);
}

struct crew { /* io with its reactor */
    struct io *io;
    struct reactor *reactor;
    struct command_table *commands;
};

static void crew_start_on(struct crew *crew, int threads, bool always_active, int processors) {
    struct diag diag = {0};
    struct reactor_options reactor = {
        .engine = REACTOR_EPOLL, .max_fds = 64, .accepts_per_poll = 1};
    expect_eq(reactor_create(&reactor, &crew->reactor, &diag), ERR_NONE);
    crew->commands = command_table_create();
    command_table_add(crew->commands, fixture_rows);
    struct io_options options = {.threads = threads,
                                 .always_active = always_active,
                                 .commands = crew->commands,
                                 .reactor = crew->reactor,
                                 .processors = processors};
    expect_eq(io_create(&options, &crew->io, &diag), ERR_NONE);
}

static void crew_start(struct crew *crew, int threads, bool always_active) {
    crew_start_on(crew, threads, always_active, PROCESSORS);
}

static void crew_stop(struct crew *crew) {
    io_destroy(&crew->io);
    reactor_destroy(&crew->reactor);
    command_table_destroy(&crew->commands);
}

static struct wire *wires_open(size_t count) {
    struct wire *wires = mem_alloc_array(count, sizeof(*wires));
    for (size_t i = 0; i < count; i++)
        wire_open(&wires[i], false);
    return wires;
}

static void wires_close(struct wire *wires, size_t count) {
    for (size_t i = 0; i < count; i++)
        wire_close(&wires[i]);
    mem_free(wires);
}

/* Takes one connection back, with patience. */
static struct wire *wait_for_one(struct io *io, uint8_t *kind) {
    struct conn *conn;
    for (int waited = 0; waited < WAIT_MS; waited++) {
        if (io_collect(io, &conn, kind, 1)) return (struct wire *)conn;
        io_wait(io, 1);
    }
    test_fail(__FILE__, __LINE__, "a connection did not come back");
}

static bool lend_read(struct io *io, struct wire *wire) {
    conn_lend_memory(&wire->conn, &wire->pool, &wire->free_batches);
    return io_submit_read(io, &wire->conn);
}

TEST(without_workers_nothing_can_be_lent) {
    struct crew crew;
    struct wire wire;
    crew_start(&crew, 1, true);
    wire_open(&wire, false);
    expect_false(lend_read(crew.io, &wire));
    expect_eq(wire.conn.owner, CONN_EXECUTOR);
    expect_false(io_submit_poll(crew.io));
    expect_eq(io_in_flight(crew.io), 0);
    wire_finish_read(&wire);
    wire_close(&wire);
    crew_stop(&crew);
    expect_given_back(t);
}

/* Each connection echoes its requests: lent for reading, then for writing, over and over. */
static void play(struct test *t, struct crew *crew, struct wire *wires, int rounds,
                 void (*disturb)(struct test *t, struct crew *crew)) {
    size_t got[WIRES] = {0}, want[WIRES] = {0};
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < WIRES; i++) {
            char text[64];
            int size = snprintf(text, sizeof(text), "ping %d\r\n", round);
            expect_eq(send(wires[i].peer, text, (size_t)size, 0), size);
            if (!lend_read(crew->io, &wires[i])) {
                conn_read(&wires[i].conn, &wires[i].reader);
                wires[i].conn.owner = CONN_EXECUTOR;
                wire_finish_read(&wires[i]);
                got[i]++;
            }
            want[i]++;
        }
        io_commit(crew->io);
        if (disturb) disturb(t, crew);
        while (io_in_flight(crew->io)) {
            uint8_t kind;
            struct wire *wire = wait_for_one(crew->io, &kind);
            expect_eq(wire->conn.owner, CONN_EXECUTOR);
            if (kind == IO_WRITE) {
                expect_eq(wire->conn.write_status, CONN_FINE);
                conn_sent(&wire->conn, &wire->pool);
                continue;
            }
            expect_eq(kind, IO_READ);
            expect_eq(wire->conn.batch->count, 1);
            wire_finish_read(wire);
            got[wire - wires]++;
            reply_integer(&wire->conn.out, round);
            expect_true(conn_take_output(&wire->conn));
            if (io_submit_write(crew->io, &wire->conn)) {
                io_commit(crew->io);
            } else {
                conn_write(&wire->conn);
                conn_sent(&wire->conn, &wire->pool);
            }
        }
    }
    for (size_t i = 0; i < WIRES; i++)
        expect_eq(got[i], want[i]);
}

TEST(what_is_lent_comes_back_done) {
    static const int threads[] = {2, 3, 5, 12};
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        struct crew crew;
        crew_start(&crew, threads[i], true);
        expect_eq(io_active_workers(crew.io), threads[i] - 1);
        struct wire *wires = wires_open(WIRES);
        play(t, &crew, wires, 100, NULL);
        expect_eq(io_stats(crew.io)->reads, 100 * WIRES);
        expect_eq(io_stats(crew.io)->writes, 100 * WIRES);
        expect_eq(io_stats(crew.io)->pending, 0);
        wires_close(wires, WIRES);
        crew_stop(&crew);
    }
    expect_given_back(t);
}

static void change_threads(struct test *t, struct crew *crew) {
    struct diag diag;
    int threads = 1 + (int)rng_below(t->rng, 8);
    expect_eq(io_set_threads(crew->io, threads, &diag), ERR_NONE);
    expect_eq(io_threads(crew->io), threads);
    io_set_always_active(crew->io, true);
}

TEST(no_job_is_lost_when_the_number_of_threads_changes) {
    struct crew crew;
    crew_start(&crew, 4, true);
    struct wire *wires = wires_open(WIRES);
    play(t, &crew, wires, 300, change_threads);
    wires_close(wires, WIRES);
    crew_stop(&crew);
    expect_given_back(t);
}

TEST(all_that_was_lent_is_in_the_queue_when_the_workers_have_stopped) {
    struct crew crew;
    struct diag diag;
    struct conn *conns[WIRES];
    uint8_t kinds[WIRES];
    struct wire *wires = wires_open(WIRES);
    crew_start(&crew, 5, true);
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < WIRES; i++)
            expect_true(lend_read(crew.io, &wires[i]));
        expect_eq(io_set_threads(crew.io, 1, &diag), ERR_NONE);
        expect_eq(io_collect(crew.io, conns, kinds, WIRES), WIRES);
        expect_eq(io_in_flight(crew.io), 0);
        for (size_t i = 0; i < WIRES; i++)
            wire_finish_read(&wires[i]);
        expect_eq(io_set_threads(crew.io, 2 + (int)rng_below(t->rng, 4), &diag), ERR_NONE);
    }
    wires_close(wires, WIRES);
    crew_stop(&crew);
    expect_given_back(t);
}

/* More jobs than the queues hold, while nothing is collected: some are refused, none is lost, and
 * the workers can still be stopped. */
TEST(a_full_queue_refuses_and_the_workers_never_wait_for_the_executor) {
    enum { MANY = IO_LENT_MAX + 500 };
    struct crew crew;
    struct diag diag;
    crew_start(&crew, 3, true);
    /* No sockets: reading from -1 fails at once, which is as good as any end of a job. */
    struct conn *conns = mem_alloc_array(MANY, sizeof(*conns));
    struct chunk_pool pool;
    struct batch *free_batches = NULL;
    chunk_pool_init(&pool);
    size_t lent = 0;
    for (size_t i = 0; i < MANY; i++) {
        conn_init(&conns[i], -1, &pool, 1 << 20, 2);
        conns[i].input_limit = 1 << 20;
        conn_lend_memory(&conns[i], &pool, &free_batches);
    }
    for (int pass = 0; pass < 1000 && lent < IO_LENT_MAX; pass++) {
        for (size_t i = 0; i < MANY; i++) {
            if (conns[i].owner == CONN_EXECUTOR) lent += io_submit_read(crew.io, &conns[i]);
        }
        io_commit(crew.io);
    }
    expect_eq(lent, IO_LENT_MAX);
    expect_eq(io_in_flight(crew.io), IO_LENT_MAX);
    expect_false(io_submit_poll(crew.io));
    expect_eq(io_set_threads(crew.io, 1, &diag), ERR_NONE);

    struct conn *back[64];
    uint8_t kinds[64];
    size_t count, total = 0;
    while ((count = io_collect(crew.io, back, kinds, 64)) > 0) {
        for (size_t i = 0; i < count; i++) {
            expect_eq(back[i]->read_status, CONN_FAILED);
            expect_eq(back[i]->error_number, EBADF);
        }
        total += count;
    }
    expect_eq(total, lent);
    for (size_t i = 0; i < MANY; i++)
        conn_deinit(&conns[i], &pool);
    chunk_pool_deinit(&pool);
    mem_free(conns);
    crew_stop(&crew);
    expect_given_back(t);
}

/* One job at a time, with pauses in which workers park: a lost wake-up would be waited for. */
TEST(a_parked_worker_is_woken_for_a_single_job) {
    struct crew crew;
    struct wire wire;
    crew_start(&crew, 3, true);
    wire_open(&wire, false);
    for (int round = 0; round < 5000; round++) {
        uint64_t pause = clock_ticks() + clock_us_to_ticks(rng_below(t->rng, 15));
        while (clock_ticks() < pause)
            thread_spin_hint();
        expect_true(lend_read(crew.io, &wire));
        io_commit(crew.io);
        uint8_t kind;
        expect_ptr_eq(wait_for_one(crew.io, &kind), &wire);
        expect_eq(wire.conn.read_status, CONN_AGAIN);
        wire_finish_read(&wire);
    }
    wire_close(&wire);
    crew_stop(&crew);
    expect_given_back(t);
}

/* Few jobs wake nobody: each is done once all the same, by whoever takes it first. */
TEST(a_job_is_done_by_a_worker_or_taken_back_and_never_both) {
    enum { SEVERAL = 3 * IO_WORTH_WAKING };
    struct crew crew;
    crew_start(&crew, 4, false);
    io_adjust(crew.io, 100);
    struct wire *wires = wires_open(SEVERAL);
    uint64_t taken_back = 0, lent = 0;
    for (int round = 0; round < 3000; round++) {
        size_t count = 1 + rng_below(t->rng, SEVERAL);
        for (size_t i = 0; i < count; i++) {
            expect_eq(send(wires[i].peer, "ping\r\n", 6, 0), 6);
            expect_true(lend_read(crew.io, &wires[i]));
        }
        io_commit(crew.io);
        lent += count;
        while (io_in_flight(crew.io)) {
            struct conn *conn;
            enum io_job kind;
            uint8_t done;
            struct wire *wire;
            if (rng_below(t->rng, 2) && io_take_back(crew.io, &conn, &kind)) {
                expect_eq(kind, IO_READ);
                expect_eq(conn->batch->count, 0); /* undone */
                conn_read(conn, &wires[0].reader);
                wire = (struct wire *)conn;
                taken_back++;
            } else if (io_collect(crew.io, &conn, &done, 1)) {
                wire = (struct wire *)conn;
            } else {
                continue;
            }
            expect_eq(wire->conn.owner, CONN_EXECUTOR);
            expect_eq(wire->conn.batch->count, 1);
            wire_finish_read(wire);
        }
        expect_eq(io_stats(crew.io)->reads_pending, 0);
    }
    expect_eq(io_stats(crew.io)->reads + taken_back, lent);
    wires_close(wires, SEVERAL);
    crew_stop(&crew);
    expect_given_back(t);
}

TEST(jobs_that_woke_nobody_are_done_when_workers_become_always_active) {
    struct crew crew;
    struct wire *wires = wires_open(2);
    crew_start(&crew, 3, false);
    io_adjust(crew.io, 100);
    for (int round = 0; round < 200; round++) {
        io_set_always_active(crew.io, false);
        const struct timespec pause = {.tv_nsec = round % 4 == 0 ? 200000 : 0};
        nanosleep(&pause, NULL); /* sometimes the workers sleep */
        for (size_t i = 0; i < 2; i++)
            expect_true(lend_read(crew.io, &wires[i]));
        io_commit(crew.io);
        io_set_always_active(crew.io, true);
        for (size_t i = 0; i < 2; i++) {
            uint8_t kind;
            wire_finish_read(wait_for_one(crew.io, &kind));
        }
    }
    wires_close(wires, 2);
    crew_stop(&crew);
    expect_given_back(t);
}

TEST(a_poll_is_lent_and_its_events_come_out_here) {
    static const int threads[] = {2, 4, IO_POLL_BY_INBOX + 3};
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        struct crew crew;
        struct wire wire;
        struct diag diag;
        struct conn *conn;
        struct reactor_event event;
        uint8_t kind;
        crew_start(&crew, threads[i], true);
        wire_open(&wire, false);
        expect_eq(reactor_add(crew.reactor, wire.conn.fd, &wire, &diag), ERR_NONE);
        expect_eq(send(wire.peer, "x", 1, 0), 1);
        expect_true(io_submit_poll(crew.io));
        expect_true(io_poll_in_flight(crew.io));
        io_commit(crew.io);
        for (int waited = 0; io_poll_in_flight(crew.io) && waited < WAIT_MS; waited++) {
            expect_eq(io_collect(crew.io, &conn, &kind, 1), 0);
            io_wait(crew.io, 1);
        }
        expect_false(io_poll_in_flight(crew.io));
        expect_eq(io_in_flight(crew.io), 0);
        expect_true(reactor_next(crew.reactor, &event));
        expect_eq(event.kind, REACTOR_READABLE);
        expect_ptr_eq(event.handle, &wire);
        expect_false(reactor_next(crew.reactor, &event));
        expect_eq(io_stats(crew.io)->polls, 1);
        reactor_forget(crew.reactor, wire.conn.fd, &wire);
        wire_close(&wire);
        crew_stop(&crew);
    }
    expect_given_back(t);
}

TEST(objects_are_freed_by_workers_and_all_of_them_before_the_end) {
    struct crew crew;
    crew_start(&crew, 4, true);
    for (int i = 0; i < 2000; i++) {
        void *object = mem_alloc(100);
        if (!io_submit_free(crew.io, mem_free, object)) mem_free(object);
    }
    crew_stop(&crew);
    expect_given_back(t);
}

TEST(the_number_of_active_workers_follows_the_load) {
    struct crew crew;
    crew_start(&crew, 4, false);
    expect_eq(io_active_workers(crew.io), 0);
    io_adjust(crew.io, IO_IGNITION_PERCENT - 1);
    expect_eq(io_active_workers(crew.io), 0);
    io_adjust(crew.io, IO_IGNITION_PERCENT);
    expect_eq(io_active_workers(crew.io), 1);
    uint64_t began = clock_ticks(); /* an idle worker is let go, and not before its time */
    while (io_active_workers(crew.io) > 0)
        io_adjust(crew.io, 0);
    expect_true(clock_ticks_to_us(clock_ticks() - began) + 1 >= IO_CALM_US);
    expect_eq(io_active_workers(crew.io), 0);
    io_set_always_active(crew.io, true);
    expect_eq(io_active_workers(crew.io), 3);
    crew_stop(&crew);
    expect_given_back(t);
}

TEST(a_worker_that_would_share_the_executor_s_processor_gets_no_jobs) {
    static const struct {
        int threads, processors, active;
    } cases[] = {{4, 1, 0}, {4, 2, 1}, {2, 2, 1}, {2, 8, 1}, {1, 4, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct crew crew;
        crew_start_on(&crew, cases[i].threads, false, cases[i].processors);
        io_adjust(crew.io, 100);
        expect_eq(io_active_workers(crew.io), cases[i].active);
        if (!cases[i].active) expect_false(io_submit_poll(crew.io));
        crew_stop(&crew);
    }
    expect_given_back(t);
}

TEST_MAIN()
