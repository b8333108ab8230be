/* SPDX-License-Identifier: BSD-3-Clause */
/* worker -- a thread that drives its share of the connections with one epoll loop.
 *
 *                 ┌────────────────── worker_fail: the whole run ends ──────────────────┐
 *   CLOSED ─dial─▶ DIALING ─finish─▶ GREETING ─replies─▶ IDLE ─send─▶ BUSY ─replies─▶ IDLE
 *      ▲                                                                 │
 *      └───────────────── -k 0, or the node has lost its slots ──────────┘
 *
 * A request costs one send and one receive, and its share of an epoll_wait: descriptors are
 * registered once, edge-triggered for both directions. (README.md has the figures of io_uring.) A
 * pipeline is patched in place (template.h) in a buffer that all clients of the thread share, and
 * sent from there with one call; only what the socket did not take is copied.
 *
 * The thread that runs the test and the workers share struct bench_run: phase, requests left,
 * counters, and the map of a cluster. All else in a worker is its own until it is joined. */
#pragma once

#include <stdatomic.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "bench/cluster.h"
#include "bench/options.h"
#include "bench/series.h"
#include "bench/template.h"
#include "client/stream.h"
#include "stats/hdr.h"

enum bench_phase { BENCH_CONNECTING = 0, BENCH_WARMING, BENCH_MEASURING, BENCH_ENDED };

/* What all threads of a test share. Constant, but for the atomics: with those at the end of struct
 * worker they are all that passes between threads. */
struct bench_run {
    const struct bench_options *options;
    struct client_target target; /* without a cluster */
    struct client_tls *tls;
    const char (*tags)[3];
    struct bytes greeting; /* what a connection says first */
    size_t greeting_replies;
    const struct template *template; /* NULL: idle connections */
    bool keeps_series;
    int main_fd;                       /* an eventfd: workers have news */
    _Atomic(struct cluster_map *) map; /* NULL without a cluster */
    _Atomic(uint32_t) phase;           /* enum bench_phase */
    _Atomic(uint64_t) start_ticks;     /* when BENCH_MEASURING began */
    _Atomic(uint64_t) left;            /* requests nobody has claimed */
    _Atomic(uint64_t) counters[TEMPLATE_NUMBERS];
    _Atomic(uint64_t) error_shown_ms;
    atomic_bool map_is_old;
};

enum bench_client_state {
    BENCH_CLIENT_CLOSED = 0,
    BENCH_CLIENT_DIALING,
    BENCH_CLIENT_GREETING,
    BENCH_CLIENT_IDLE,
    BENCH_CLIENT_BUSY,
};

struct reply_reader;

struct bench_client {
    struct client_stream stream;
    uint64_t due;                /* ticks: when its pipeline was sent, or had to be sent */
    struct reply_reader *reader; /* owned; in the middle of a reply, else NULL */
    char *unsent;                /* owned; what the socket did not take, else NULL */
    size_t unsent_size, unsent_at;
    uint32_t pending;  /* replies to come */
    uint32_t commands; /* of the pipeline under way */
    uint16_t node;     /* in the cluster's map */
    uint8_t state;     /* enum bench_client_state */
    bool counted;      /* the pipeline was sent in BENCH_MEASURING */
};

struct worker {
    struct bench_run *run;
    struct bench_client *clients; /* owned */
    size_t client_count;
    size_t first_client; /* number of clients of the workers before */
    size_t dialled;      /* clients that were dialled at least once */
    size_t ready;        /* of these, how many have been greeted */
    int epoll_fd;
    int wake_fd;        /* an eventfd: the phase has changed */
    bool foreign_ready; /* the descriptor of worker_watch has something */
    uint32_t phase;
    uint64_t start_ticks;
    const struct cluster_map *map;
    struct template template;
    struct template_source source;
    char *input;
    uint64_t quota; /* requests claimed and not sent */
    size_t busy;    /* clients with replies to come */
    bool exhausted; /* no requests are left */
    uint32_t *idle; /* owned: numbers of idle clients, a ring: the longest idle is the next */
    size_t idle_first, idle_count;
    double interval;            /* ticks between pipelines with --rps; else 0 */
    double next_due;            /* ticks since the start */
    struct reply_reader *spare; /* owned: for the next client that needs one */

    /* The outcome. */
    struct hdr *latencies;
    struct series series;
    uint64_t completed;
    uint64_t errors, redirects;
    uint64_t end_ticks; /* of the last pipeline */
    struct diag diag;
    enum err err;

    /* For the thread that watches, a moment old. */
    alignas(CACHE_LINE) _Atomic(uint64_t) seen_completed;
    _Atomic(uint64_t) seen_latency_ns; /* sum */
    atomic_bool is_ready;              /* all clients are connected */
    atomic_bool is_ended;
};

/* client_count > 0; seed: the worker's own. */
must_use enum err worker_init(struct worker *worker, struct bench_run *run, size_t first_client,
                              size_t client_count, uint64_t seed, struct diag *diag);
void worker_deinit(struct worker *worker);
/* The thread: connects, waits for phases, ends with the run or after a failure. ctx: the worker. */
void worker_main(void *ctx);
/* Without a thread: the same in steps, for one worker that runs in the thread that watches (a
 * process of one thread has cheaper system calls). A turn waits for at most wait_ns (-1: without
 * end). False: the worker has ended. worker_watch: a descriptor that ends the waiting, and sets
 * foreign_ready. */
must_use enum err worker_watch(struct worker *worker, int fd, struct diag *diag);
must_use bool worker_turn(struct worker *worker, int64_t wait_ns);
/* Any thread: the phase or the map has changed. */
void worker_wake(const struct worker *worker);

/* A worker: there is news for the thread that runs the test. */
void worker_notify(const struct bench_run *run);
/* For connection.c: ends the run, with worker->diag as the reason. */
void worker_fail(struct worker *worker, enum err err);
/* True and *due set (ticks) if the rate allows a pipeline now. */
must_use bool worker_is_due(const struct worker *worker, uint64_t now, uint64_t *due);
/* How many sequences may be sent now; 0: none are left, or the phase has none. */
must_use size_t worker_claim(struct worker *worker);
