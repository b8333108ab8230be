/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/worker.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "bench/connection.h"
#include "resp/reply_reader.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 256,
    DIALING_MAX = 128, /* connections under way: less than servers' backlogs */
    CLAIM_MIN = 4096,  /* requests claimed at once, unless there are few */
    CLAIM_SHARES = 16, /* what is left is claimed in so many parts a thread at least */
};
static const uint64_t WAKE_TOKEN = UINT64_MAX, FOREIGN_TOKEN = UINT64_MAX - 1;

/* ---- life ---- */

static enum err open_descriptors(struct worker *worker, struct diag *diag) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE_TOKEN};
    worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (worker->epoll_fd == -1 || worker->wake_fd == -1 ||
        epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, worker->wake_fd, &event) == -1) {
        return diag_errno(diag, ERR_IO, "no descriptors for a thread");
    }
    return ERR_NONE;
}

/* Each of the threads has its share of the rate, and they take turns. */
static void set_rate(struct worker *worker) {
    const struct bench_options *options = worker->run->options;
    if (options->rate == 0) return;
    double pipeline = (double)(worker->template.commands * worker->template.sequences);
    double seconds = pipeline * (double)options->clients /
                     ((double)options->rate * (double)worker->client_count);
    worker->interval = seconds * (double)clock_us_to_ticks(1000000);
}

enum err worker_init(struct worker *worker, struct bench_run *run, size_t first_client,
                     size_t client_count, uint64_t seed, struct diag *diag) {
    check(client_count > 0);
    *worker = (struct worker){
        .run = run,
        .first_client = first_client,
        .client_count = client_count,
        .epoll_fd = -1,
        .wake_fd = -1,
        /* Relaxed: nothing changes it before the threads run. */
        .map = atomic_load_explicit(&run->map, memory_order_relaxed),
    };
    worker->clients = mem_zalloc(client_count * sizeof(*worker->clients));
    for (size_t i = 0; i < client_count; i++) {
        worker->clients[i].stream.fd = -1;
    }
    worker->idle = mem_alloc_array(client_count, sizeof(*worker->idle));
    worker->input = mem_alloc(CONNECTION_INPUT);
    worker->latencies = hdr_create();
    series_init(&worker->series, run->keeps_series);
    worker->source = (struct template_source){
        .random = seed,
        .keys = (uint64_t)run->options->keys,
        .counters = run->options->sequential ? run->counters : NULL,
        .tags = run->tags,
    };
    if (run->template) {
        template_copy(&worker->template, run->template);
        set_rate(worker);
    }
    return open_descriptors(worker, diag);
}

void worker_deinit(struct worker *worker) {
    for (size_t i = 0; i < worker->client_count; i++) {
        connection_close(worker, &worker->clients[i]);
    }
    if (worker->spare) reply_reader_deinit(worker->spare);
    mem_free(worker->spare);
    mem_free(worker->clients);
    mem_free(worker->idle);
    mem_free(worker->input);
    template_deinit(&worker->template);
    series_deinit(&worker->series);
    hdr_destroy(&worker->latencies);
    if (worker->epoll_fd != -1) close(worker->epoll_fd);
    if (worker->wake_fd != -1) close(worker->wake_fd);
}

/* ---- signals between threads ---- */

static void add_one(int fd) {
    uint64_t one = 1;
    ssize_t wrote = write(fd, &one, sizeof(one));
    check(wrote == sizeof(one) || errno == EAGAIN); /* an eventfd that is full is readable */
}

void worker_wake(const struct worker *worker) {
    if (worker->wake_fd != -1) add_one(worker->wake_fd); /* else there were no descriptors for it */
}

void worker_notify(const struct bench_run *run) { add_one(run->main_fd); }

void worker_fail(struct worker *worker, enum err err) {
    check(err != ERR_NONE);
    if (worker->err == ERR_NONE) worker->err = err;
}

/* Takes over what the thread that runs the test has changed. */
static void look_at_run(struct worker *worker) {
    struct bench_run *run = worker->run;
    uint64_t drained;
    if (read(worker->wake_fd, &drained, sizeof(drained)) == -1) drained = 0;
    /* Acquire pairs with the releases in run.c: the start, and the map's contents. */
    uint32_t phase = atomic_load_explicit(&run->phase, memory_order_acquire);
    worker->map = atomic_load_explicit(&run->map, memory_order_acquire);
    if (phase == worker->phase) return;
    worker->phase = phase;
    worker->start_ticks = atomic_load_explicit(&run->start_ticks, memory_order_relaxed);
    /* The threads take turns. */
    worker->next_due =
        worker->interval * (double)worker->first_client / (double)run->options->clients;
}

/* ---- requests ---- */

static uint64_t claim_from_run(struct worker *worker, uint64_t pipeline) {
    struct bench_run *run = worker->run;
    uint64_t left = atomic_load_explicit(&run->left, memory_order_relaxed);
    uint64_t take;
    do {
        uint64_t share = left / ((uint64_t)run->options->threads * CLAIM_SHARES);
        take = share < CLAIM_MIN ? share : CLAIM_MIN;
        take = take > pipeline ? take / pipeline * pipeline : pipeline;
        if (take > left) take = left;
        /* Relaxed: only the number matters. */
    } while (!atomic_compare_exchange_weak_explicit(&run->left, &left, left - take,
                                                    memory_order_relaxed, memory_order_relaxed));
    return take;
}

bool worker_is_due(const struct worker *worker, uint64_t now, uint64_t *due) {
    *due = now;
    if (worker->interval == 0) return true;
    uint64_t next = worker->start_ticks + (uint64_t)worker->next_due;
    if (next > now) return false;
    *due = next;
    return true;
}

size_t worker_claim(struct worker *worker) {
    const struct template *template = &worker->template;
    uint64_t pipeline = template->commands * template->sequences;
    if (worker->phase == BENCH_WARMING || worker->run->options->duration_s > 0) {
        return template->sequences;
    }
    if (worker->quota < pipeline && !worker->exhausted) {
        uint64_t claimed = claim_from_run(worker, pipeline);
        worker->quota += claimed;
        worker->exhausted = claimed == 0;
    }
    uint64_t sequences = (worker->quota + template->commands - 1) / template->commands;
    if (sequences > template->sequences) sequences = template->sequences;
    uint64_t commands = sequences * template->commands;
    worker->quota -= commands < worker->quota ? commands : worker->quota;
    return sequences;
}

/* ---- the loop ---- */

/* Idle clients send, as far as they may; in turns, so that a low rate spreads over all. */
static void start_idle(struct worker *worker) {
    uint64_t now = clock_ticks(), due;
    for (size_t budget = worker->idle_count; budget > 0 && worker->err == ERR_NONE; budget--) {
        size_t before = worker->idle_count;
        if (!worker_is_due(worker, now, &due)) return;
        uint32_t index = worker->idle[worker->idle_first];
        worker->idle_first = (worker->idle_first + 1) % worker->client_count;
        worker->idle_count--;
        connection_next(worker, &worker->clients[index], now);
        if (worker->idle_count == before) return; /* none left: nor for the others */
    }
}

static void dial_more(struct worker *worker) {
    while (worker->dialled < worker->client_count && worker->err == ERR_NONE &&
           worker->dialled - worker->ready < DIALING_MAX) {
        connection_dial(worker, &worker->clients[worker->dialled++]);
    }
}

static void publish(struct worker *worker) {
    /* Relaxed: figures for the live line. */
    atomic_store_explicit(&worker->seen_completed, worker->completed, memory_order_relaxed);
    atomic_store_explicit(&worker->seen_latency_ns, worker->latencies->sum, memory_order_relaxed);
    if (worker->ready < worker->client_count ||
        atomic_load_explicit(&worker->is_ready, memory_order_relaxed)) {
        return;
    }
    atomic_store_explicit(&worker->is_ready, true, memory_order_release);
    worker_notify(worker->run);
}

/* Nanoseconds until a pipeline is due; -1: nothing is timed. */
static int64_t time_to_wait(const struct worker *worker) {
    bool sends = worker->phase == BENCH_WARMING || worker->phase == BENCH_MEASURING;
    if (worker->interval == 0 || !sends || worker->idle_count == 0 || worker->exhausted) return -1;
    uint64_t now = clock_ticks(), due = worker->start_ticks + (uint64_t)worker->next_due;
    return due > now ? (int64_t)clock_ticks_to_ns(due - now) : 0;
}

/* epoll_wait to the nanosecond, where the kernel (5.11) has it, else to the millisecond. */
static int wait_for_events(struct worker *worker, struct epoll_event *events, int64_t wait_ns) {
    if (wait_ns < 0) return epoll_wait(worker->epoll_fd, events, EVENTS_MAX, -1);
#ifdef SYS_epoll_pwait2
    struct timespec time = {.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
    long count = syscall(SYS_epoll_pwait2, worker->epoll_fd, events, EVENTS_MAX, &time, NULL, 0);
    if (count >= 0 || errno != ENOSYS) return (int)count;
#endif
    return epoll_wait(worker->epoll_fd, events, EVENTS_MAX, (int)((wait_ns + 999999) / 1000000));
}

static bool is_finished(const struct worker *worker) {
    if (worker->err != ERR_NONE || worker->phase == BENCH_ENDED) return true;
    return worker->phase == BENCH_MEASURING && worker->exhausted && worker->quota == 0 &&
           worker->busy == 0;
}

static void take_event(struct worker *worker, const struct epoll_event *event) {
    if (unlikely(event->data.u64 == WAKE_TOKEN)) {
        look_at_run(worker);
        start_idle(worker);
    } else if (unlikely(event->data.u64 == FOREIGN_TOKEN)) {
        worker->foreign_ready = true;
    } else {
        connection_event(worker, &worker->clients[event->data.u64], event->events);
    }
}

static void end(struct worker *worker) {
    /* Release pairs with the acquire in run.c: the outcome is whole. */
    atomic_store_explicit(&worker->is_ended, true, memory_order_release);
}

enum err worker_watch(struct worker *worker, int fd, struct diag *diag) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = FOREIGN_TOKEN};
    if (epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0) return ERR_NONE;
    return diag_errno(diag, ERR_IO, "epoll");
}

bool worker_turn(struct worker *worker, int64_t wait_ns) {
    struct epoll_event events[EVENTS_MAX];
    if (worker->dialled < worker->client_count) dial_more(worker);
    int64_t due_ns = worker->err == ERR_NONE ? time_to_wait(worker) : 0;
    if (due_ns >= 0 && (wait_ns < 0 || due_ns < wait_ns)) wait_ns = due_ns;
    int count = wait_for_events(worker, events, wait_ns);
    if (count == -1 && errno != EINTR) {
        worker_fail(worker, diag_errno(&worker->diag, ERR_IO, "epoll"));
    }
    for (int i = 0; i < count && worker->err == ERR_NONE && worker->phase != BENCH_ENDED; i++) {
        take_event(worker, &events[i]);
    }
    if (worker->interval > 0) start_idle(worker);
    publish(worker); /* before the next waiting, which readiness may end */
    if (!is_finished(worker)) return true;
    end(worker);
    return false;
}

void worker_main(void *ctx) {
    struct worker *worker = ctx;
    while (worker_turn(worker, -1)) {}
    worker_notify(worker->run);
}
