/* SPDX-License-Identifier: BSD-3-Clause */
/* No wake-up is lost, and none is paid for that is not needed. Waits have an end, so that a lost
 * wake-up fails the test rather than hanging it. */
#include "sync/wake.h"

#include "base/check.h"
#include "sync/mpsc.h"
#include "sync/spsc.h"
#include "sync/thread.h"
#include "tests/unit/test.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>

enum { ROUNDS = 20000, PRODUCERS = 3, LONG_MS = 20000 };

TEST(wake_signal_is_remembered_from_prepare_on) {
    struct wake wake;
    wake_init(&wake);
    expect_false(wake_signal(&wake)); /* awake: no system call */
    wake_prepare(&wake);
    expect_true(wake_is_parked(&wake));
    expect_true(wake_signal(&wake));
    expect_false(wake_signal(&wake)); /* signalled already */
    expect_true(wake_wait(&wake, LONG_MS));
    expect_false(wake_is_parked(&wake));

    wake_prepare(&wake); /* what came before does not count */
    expect_false(wake_wait(&wake, 0));
    wake_prepare(&wake);
    wake_cancel(&wake);
    expect_false(wake_signal(&wake));
    wake_deinit(&wake);
}

TEST(wake_wait_ends_with_its_time) {
    struct wake wake;
    wake_init(&wake);
    wake_prepare(&wake);
    int64_t start_ns = clock_mono_ns();
    expect_false(wake_wait(&wake, 30));
    expect_true(clock_mono_ns() - start_ns >= 30 * 1000000);
    wake_deinit(&wake);
}

/* Two threads that hand one item to and fro, each parked while the other has it. */
struct player {
    struct spsc inbox;
    struct wake wake;
    struct player *other;
    uint64_t timeouts;
};

static void *player_receive(struct player *player) {
    for (;;) {
        void *item = spsc_pop(&player->inbox);
        if (item) return item;
        wake_prepare(&player->wake);
        item = spsc_pop(&player->inbox);
        if (item) {
            wake_cancel(&player->wake);
            return item;
        }
        if (!wake_wait(&player->wake, LONG_MS)) player->timeouts++;
    }
}

static void player_send(struct player *player, void *item) {
    check(spsc_push(&player->other->inbox, item));
    (void)wake_signal(&player->other->wake);
}

static void play(void *ctx) {
    struct player *player = ctx;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t *ball = player_receive(player);
        ++*ball;
        player_send(player, ball);
    }
}

TEST(wake_is_never_lost_between_two_threads) {
    struct player players[2] = {0};
    struct thread *thread = NULL;
    uint64_t ball = 0;
    for (int i = 0; i < 2; i++) {
        spsc_init(&players[i].inbox, 1);
        wake_init(&players[i].wake);
        players[i].other = &players[1 - i];
    }
    struct thread_options options = {.name = "player", .fn = play, .ctx = &players[1]};
    expect_eq(thread_start(&options, &thread, NULL), ERR_NONE);
    player_send(&players[0], &ball);
    for (int i = 0; i < ROUNDS; i++) {
        expect_ptr_eq(player_receive(&players[0]), &ball);
        ball++;
        if (i + 1 < ROUNDS) player_send(&players[0], &ball);
    }
    thread_join(&thread);
    expect_eq(ball, 2 * ROUNDS);
    for (int i = 0; i < 2; i++) {
        expect_eq(players[i].timeouts, 0);
        wake_deinit(&players[i].wake);
        spsc_deinit(&players[i].inbox);
    }
}

/* Several producers that wake one sleeper, which polls a descriptor. */
struct many {
    struct mpsc q;
    struct wake_fd wake;
    _Atomic uint64_t write_count; /* how often a signal had to write */
};

static void many_produce(void *ctx) {
    struct many *many = ctx;
    for (int i = 0; i < ROUNDS; i++) {
        while (!mpsc_push(&many->q, many))
            sched_yield();
        if (wake_fd_signal(&many->wake)) {
            atomic_fetch_add_explicit(&many->write_count, 1, memory_order_relaxed);
        }
        if (i % 64 == 0) sched_yield(); /* lets the sleeper fall asleep now and then */
    }
}

/* What the executor does: prepare, look again, poll. Returns the number of items. */
static size_t many_receive(struct many *many, uint64_t *timeouts) {
    void *items[64];
    size_t count = mpsc_pop_batch(&many->q, items, COUNT_OF(items));
    if (count > 0) return count;
    wake_fd_prepare(&many->wake);
    count = mpsc_pop_batch(&many->q, items, COUNT_OF(items));
    if (count == 0) {
        struct pollfd pollfd = {.fd = many->wake.fd, .events = POLLIN};
        int ready = poll(&pollfd, 1, LONG_MS);
        *timeouts += ready == 0;
        wake_fd_cancel(&many->wake);
        if (ready == 1) wake_fd_drain(&many->wake);
        return mpsc_pop_batch(&many->q, items, COUNT_OF(items));
    }
    wake_fd_cancel(&many->wake);
    return count;
}

TEST(wake_fd_is_never_lost_with_many_signallers) {
    struct many many = {0};
    struct thread *threads[PRODUCERS];
    uint64_t timeouts = 0;
    mpsc_init(&many.q, 256);
    expect_eq(wake_fd_init(&many.wake, NULL), ERR_NONE);
    for (int i = 0; i < PRODUCERS; i++) {
        struct thread_options options = {.name = "producer", .fn = many_produce, .ctx = &many};
        expect_eq(thread_start(&options, &threads[i], NULL), ERR_NONE);
    }
    for (size_t left = (size_t)PRODUCERS * ROUNDS; left > 0;) {
        left -= many_receive(&many, &timeouts);
    }
    for (int i = 0; i < PRODUCERS; i++)
        thread_join(&threads[i]);
    expect_eq(timeouts, 0);
    expect_true(many.write_count <= (uint64_t)PRODUCERS * ROUNDS);
    wake_fd_deinit(&many.wake);
    mpsc_deinit(&many.q);
}

static bool is_readable(int fd) {
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    return poll(&pollfd, 1, 0) == 1;
}

TEST(wake_fd_writes_once_for_each_sleep) {
    struct wake_fd wake;
    expect_eq(wake_fd_init(&wake, NULL), ERR_NONE);
    expect_true(fcntl(wake.fd, F_GETFD) & FD_CLOEXEC);
    expect_false(wake_fd_signal(&wake)); /* awake */
    expect_false(is_readable(wake.fd));
    wake_fd_prepare(&wake);
    expect_true(wake_fd_signal(&wake));
    expect_false(wake_fd_signal(&wake));
    expect_true(is_readable(wake.fd));
    wake_fd_cancel(&wake);
    wake_fd_drain(&wake);
    expect_false(is_readable(wake.fd));
    wake_fd_drain(&wake); /* harmless */
    wake_fd_prepare(&wake);
    wake_fd_cancel(&wake);
    expect_false(wake_fd_signal(&wake));
    expect_false(is_readable(wake.fd));
    wake_fd_deinit(&wake);
}

TEST_MAIN()
