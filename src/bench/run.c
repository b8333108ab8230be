/* SPDX-License-Identifier: BSD-3-Clause */
/* One test: workers connect, warm up, are measured, and end; the thread that called watches them,
 * shows how it goes, and fetches the map of a cluster anew when it is old. */
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "bench/bench.h"
#include "bench/worker.h"
#include "sync/thread.h"

#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LIVE_INTERVAL_MS = 250, MAP_INTERVAL_MS = 100 };

struct runner {
    struct bench *bench;
    struct bench_run run;
    struct worker *workers; /* owned */
    struct thread **threads;
    size_t count;         /* workers that were made */
    size_t started_count; /* threads that run; none for a single worker, which runs in ours */
    const char *title;
    uint64_t start_ticks, end_ticks;
    struct rusage usage_at_start;
    uint64_t shown_completed, shown_latency_ns, shown_ticks;
    int64_t map_tried_ms;
    bool connected;
};

/* ---- workers ---- */

static enum err start_workers(struct runner *runner, struct diag *diag) {
    const struct bench_options *options = &runner->bench->options;
    size_t threads = (size_t)options->threads, clients = (size_t)options->clients;
    struct rng rng;
    rng_seed(&rng, options->seed);
    runner->workers = mem_alloc_aligned(CACHE_LINE, threads * sizeof(*runner->workers));
    runner->threads = mem_zalloc(threads * sizeof(*runner->threads));
    for (size_t i = 0; i < threads; i++) {
        size_t first = clients * i / threads, next = clients * (i + 1) / threads;
        runner->count++;
        enum err err = worker_init(&runner->workers[i], &runner->run, first, next - first,
                                   rng_next(&rng), diag);
        if (err != ERR_NONE) return err;
    }
    if (threads == 1) return worker_watch(&runner->workers[0], runner->bench->signal_fd, diag);
    for (size_t i = 0; i < threads; i++) {
        struct thread_options thread = {
            .name = "bench", .fn = worker_main, .ctx = &runner->workers[i]};
        enum err err = thread_start(&thread, &runner->threads[i], diag);
        if (err != ERR_NONE) return err;
        runner->started_count++;
    }
    return ERR_NONE;
}

static void enter_phase(struct runner *runner, enum bench_phase phase) {
    struct bench_run *run = &runner->run;
    runner->start_ticks = clock_ticks();
    atomic_store_explicit(&run->start_ticks, runner->start_ticks, memory_order_relaxed);
    /* Release pairs with the acquire in look_at_run. */
    atomic_store_explicit(&run->phase, phase, memory_order_release);
    for (size_t i = 0; i < runner->count; i++) {
        worker_wake(&runner->workers[i]);
    }
}

static void stop_workers(struct runner *runner) {
    enter_phase(runner, BENCH_ENDED);
    for (size_t i = 0; i < runner->started_count; i++) {
        thread_join(&runner->threads[i]);
    }
}

static void destroy_workers(struct runner *runner) {
    for (size_t i = 0; i < runner->count; i++) {
        worker_deinit(&runner->workers[i]);
    }
    mem_free(runner->workers);
    mem_free(runner->threads);
}

/* ---- watching ---- */

enum outlook { OUTLOOK_GOES_ON = 0, OUTLOOK_READY, OUTLOOK_ENDED };

/* Whether all workers are connected, and whether all, or one that failed, have ended. */
static enum outlook look_at_workers(const struct runner *runner) {
    size_t ready = 0, ended = 0;
    for (size_t i = 0; i < runner->count; i++) {
        struct worker *worker = &runner->workers[i];
        ready += atomic_load_explicit(&worker->is_ready, memory_order_acquire);
        /* Acquire pairs with the release at the end of worker_main. */
        if (!atomic_load_explicit(&worker->is_ended, memory_order_acquire)) continue;
        ended++;
        if (worker->err != ERR_NONE) return OUTLOOK_ENDED;
    }
    if (ended == runner->count) return OUTLOOK_ENDED;
    return ready == runner->count ? OUTLOOK_READY : OUTLOOK_GOES_ON;
}

static void show_progress(struct runner *runner) {
    uint64_t completed = 0, latency_ns = 0, now = clock_ticks();
    for (size_t i = 0; i < runner->count; i++) {
        struct worker *worker = &runner->workers[i];
        completed += atomic_load_explicit(&worker->seen_completed, memory_order_relaxed);
        latency_ns += atomic_load_explicit(&worker->seen_latency_ns, memory_order_relaxed);
    }
    double since = (double)clock_ticks_to_ns(now - runner->shown_ticks) / 1e9;
    double overall = (double)clock_ticks_to_ns(now - runner->start_ticks) / 1e9;
    uint64_t fresh = completed - runner->shown_completed;
    double fresh_ms =
        fresh ? (double)(latency_ns - runner->shown_latency_ns) / 1e6 / (double)fresh : 0;
    double all_ms = completed ? (double)latency_ns / 1e6 / (double)completed : 0;
    char line[256];
    snprintf(line, sizeof(line), "%s: rps=%.1f (overall: %.1f) avg_msec=%.3f (overall: %.3f)",
             runner->title, (double)fresh / since, (double)completed / overall, fresh_ms, all_ms);
    printf("\r%-79s\r", line);
    fflush(stdout);
    runner->shown_completed = completed;
    runner->shown_latency_ns = latency_ns;
    runner->shown_ticks = now;
}

/* A cluster has said MOVED: asks it anew, at most every MAP_INTERVAL_MS. A failure is tried again;
 * a cluster that is gone is noticed by the connections. */
static void renew_map(struct runner *runner) {
    struct bench *bench = runner->bench;
    struct bench_run *run = &runner->run;
    int64_t now_ms = clock_mono_ns() / 1000000;
    struct diag diag;
    if (!bench->map || !atomic_load_explicit(&run->map_is_old, memory_order_relaxed)) return;
    if (now_ms - runner->map_tried_ms < MAP_INTERVAL_MS) return;
    runner->map_tried_ms = now_ms;
    atomic_store_explicit(&run->map_is_old, false, memory_order_relaxed);
    const struct cluster_map *older = bench->map;
    if (cluster_map_fetch(&bench->options, bench->signal_fd, bench->map, &bench->map, &diag) !=
        ERR_NONE) {
        return;
    }
    if (bench->map == older) return;
    /* Release pairs with the acquire in look_at_run. */
    atomic_store_explicit(&run->map, bench->map, memory_order_release);
    for (size_t i = 0; i < runner->count; i++) {
        worker_wake(&runner->workers[i]);
    }
}

/* Waits until workers in threads of their own have news, for at most wait_ms (-1: without end). */
static void wait_for_threads(struct runner *runner, int64_t wait_ms) {
    struct bench *bench = runner->bench;
    struct pollfd fds[] = {{.fd = runner->run.main_fd, .events = POLLIN},
                           {.fd = bench->signal_fd, .events = POLLIN}};
    uint64_t drained;
    int count = poll(fds, COUNT_OF(fds), (int)wait_ms);
    if (count > 0 && read(runner->run.main_fd, &drained, sizeof(drained)) == -1) drained = 0;
    if (count > 0 && fds[1].revents) (void)bench_is_interrupted(bench);
}

/* The single worker's turn. */
static void take_turn(struct runner *runner, int64_t wait_ms) {
    struct worker *worker = &runner->workers[0];
    if (!worker_turn(worker, wait_ms < 0 ? -1 : wait_ms * 1000000)) return;
    if (worker->foreign_ready) (void)bench_is_interrupted(runner->bench);
    worker->foreign_ready = false;
}

static void wait_for_news(struct runner *runner, int64_t wait_ms) {
    bool maps = atomic_load_explicit(&runner->run.map_is_old, memory_order_relaxed);
    bool shows = runner->bench->live && runner->connected;
    if (shows && (wait_ms < 0 || wait_ms > LIVE_INTERVAL_MS)) wait_ms = LIVE_INTERVAL_MS;
    if (maps && (wait_ms < 0 || wait_ms > MAP_INTERVAL_MS)) wait_ms = MAP_INTERVAL_MS;
    if (runner->started_count > 0) {
        wait_for_threads(runner, wait_ms);
    } else {
        take_turn(runner, wait_ms);
    }
    renew_map(runner);
    if (!shows) return;
    uint64_t since_ns = clock_ticks_to_ns(clock_ticks() - runner->shown_ticks);
    if (since_ns >= LIVE_INTERVAL_MS * 900000ull) show_progress(runner);
}

/* Waits for the workers to reach what is wanted, a signal, or the end of the time (0: none). */
static enum outlook watch(struct runner *runner, enum outlook wanted, double seconds) {
    for (;;) {
        enum outlook outlook = look_at_workers(runner);
        int64_t passed_ns = (int64_t)clock_ticks_to_ns(clock_ticks() - runner->start_ticks);
        int64_t left_ms = seconds > 0 ? (int64_t)(seconds * 1e3) - passed_ns / 1000000 : -1;
        if (outlook == OUTLOOK_ENDED || outlook == wanted) return outlook;
        if (runner->bench->interrupted || (seconds > 0 && left_ms <= 0)) return outlook;
        wait_for_news(runner, left_ms);
    }
}

/* ---- a test ---- */

static void measure(struct runner *runner) {
    const struct bench_options *options = &runner->bench->options;
    if (options->warmup_s > 0) {
        enter_phase(runner, BENCH_WARMING);
        if (watch(runner, OUTLOOK_ENDED, options->warmup_s) == OUTLOOK_ENDED) return;
        if (runner->bench->interrupted) return;
    }
    getrusage(RUSAGE_SELF, &runner->usage_at_start);
    enter_phase(runner, BENCH_MEASURING);
    runner->shown_ticks = runner->start_ticks;
    runner->connected = true;
    watch(runner, OUTLOOK_ENDED, options->duration_s);
    runner->end_ticks = clock_ticks();
}

static double seconds_between(struct timeval from, struct timeval to) {
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_usec - from.tv_usec) / 1e6;
}

static void gather(struct runner *runner, uint64_t start_ticks, struct bench_result *out) {
    struct rusage usage;
    uint64_t end_ticks = 0;
    getrusage(RUSAGE_SELF, &usage);
    out->user_s = seconds_between(runner->usage_at_start.ru_utime, usage.ru_utime);
    out->system_s = seconds_between(runner->usage_at_start.ru_stime, usage.ru_stime);
    out->latencies = hdr_create();
    series_init(&out->series, runner->run.keeps_series);
    for (size_t i = 0; i < runner->count; i++) {
        struct worker *worker = &runner->workers[i];
        hdr_merge(out->latencies, worker->latencies);
        series_merge(&out->series, &worker->series);
        out->requests += worker->completed;
        out->errors += worker->errors;
        out->redirects += worker->redirects;
        if (worker->end_ticks > end_ticks) end_ticks = worker->end_ticks;
    }
    /* A test of a duration, or one that was stopped, ends with it; else with its last reply. */
    bool timed = runner->bench->options.duration_s > 0 || runner->bench->interrupted;
    if (timed || end_ticks == 0) end_ticks = runner->end_ticks;
    if (end_ticks > start_ticks) {
        out->seconds = (double)clock_ticks_to_ns(end_ticks - start_ticks) / 1e9;
    }
}

static enum err failure_of_workers(const struct runner *runner, struct diag *diag) {
    for (size_t i = 0; i < runner->count; i++) {
        const struct worker *worker = &runner->workers[i];
        if (worker->err != ERR_NONE) return diag_set(diag, worker->err, "%s", worker->diag.text);
    }
    return ERR_NONE;
}

static void init_run(struct runner *runner, const struct template *template) {
    struct bench *bench = runner->bench;
    struct bench_run *run = &runner->run;
    *run = (struct bench_run){
        .options = &bench->options,
        .target = bench->target,
        .tls = bench->tls,
        .tags = (const char(*)[3])bench->tags,
        .greeting = buf_bytes(&bench->greeting),
        .greeting_replies = bench->greeting_replies,
        .template = template,
        .keeps_series = bench->options.report || bench->options.output == BENCH_JSON,
        .main_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
    };
    atomic_store_explicit(&run->map, bench->map, memory_order_relaxed);
    atomic_store_explicit(&run->left, (uint64_t)bench->options.requests, memory_order_relaxed);
}

enum err bench_run_test(struct bench *bench, const struct template *template, const char *title,
                        struct bench_result *out, struct diag *diag) {
    struct runner runner = {.bench = bench, .title = title};
    uint64_t start_ticks = 0;
    init_run(&runner, template);
    if (runner.run.main_fd == -1) return diag_errno(diag, ERR_IO, "no descriptor");
    enum err err = start_workers(&runner, diag);
    if (err == ERR_NONE) {
        runner.start_ticks = clock_ticks();
        enum outlook outlook = watch(&runner, OUTLOOK_READY, 0);
        bool connected = outlook == OUTLOOK_READY && !bench->interrupted;
        if (connected && !template) watch(&runner, OUTLOOK_ENDED, 0);
        if (connected && template) measure(&runner);
        start_ticks = runner.start_ticks;
    }
    stop_workers(&runner);
    if (bench->live && runner.connected) printf("\r%79s\r", "");
    if (err == ERR_NONE) err = failure_of_workers(&runner, diag);
    if (err == ERR_NONE && template && runner.end_ticks > 0) gather(&runner, start_ticks, out);
    destroy_workers(&runner);
    close(runner.run.main_fd);
    return err;
}
