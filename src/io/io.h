/* SPDX-License-Identifier: BSD-3-Clause */
/* io -- the workers that read, parse and write so that the executor does not have to.
 *
 *                    spmc: any worker takes the next job
 *    executor ─────────────────────────────────────────────▶ worker 0..n-1
 *       ▲  └──── spsc inbox per worker: jobs bound to one ────────▲ │
 *       └───────────────── mpsc: completions ◀──────────────────────┘
 *
 * A connection is lent to a worker inside a job and comes back inside the completion. That pair is
 * the only synchronisation: buffers and parser need no lock because they always have one owner.
 *
 * 1. At any time a connection is in one queue, or held by one thread, and never both.
 * 2. A worker never touches the keyspace. It reads shared tables only while they cannot change.
 * 3. The executor never blocks here: with the queue full, it does the job itself. And rather than
 *    wait, it takes back jobs that no worker has begun (io_take_back).
 * 4. Replies leave a connection in the order its commands arrived.
 *
 * How many workers are active follows the load (io_adjust): the first starts when the executor's
 * own CPU passes IO_IGNITION_PERCENT, one more when jobs queue up, one fewer when they do not. A
 * worker that finds nothing spins for a moment that it has earned (sync/spin.h) and parks; a parked
 * worker costs nothing, and is woken when there is work for IO_WORTH_WAKING. What is less stays in
 * the queue, for a worker that is awake or for the executor's next turn. */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "io/conn.h"
#include "sync/thread.h"

struct io;
struct reactor;

enum {
    IO_THREADS_MAX = 256, /* the executor counts as one */
    IO_IGNITION_PERCENT = 30,
    IO_QUEUE_CAP = 1024, /* jobs that wait */
    IO_LENT_MAX = 4096,  /* jobs lent and not collected: what the completion queue holds */
    IO_INBOX_CAP = 256,
    IO_POLL_BY_INBOX = 9,    /* more active workers than this: polls go round-robin to inboxes */
    IO_DEPTH_PER_WORKER = 4, /* jobs waiting for each active worker that call for one more */
    IO_WORTH_WAKING = 8,     /* small jobs that are worth a sleep and a wake-up */
    IO_CALM_US = 50 * 1000,  /* without waiting jobs before a worker is let go */
};

enum io_job {
    IO_READ = 0,
    IO_WRITE,
    IO_POLL,
    IO_FREE
}; /* the low bits of a job and a completion */

struct io_options {
    int threads; /* with the executor: 1 means no workers */
    bool always_active;
    const struct command_table *commands;
    struct reactor *reactor;
    const struct cpulist *cpus; /* NULL: not bound */
    int processors;             /* to reckon with; 0: those that it and workers may run on */
};

/* Counted by the executor, but for freed and polls done. */
struct io_stats {
    uint64_t reads, writes, polls, accepts; /* done by workers */
    uint64_t freed_objects;
    uint64_t reads_pending, writes_pending, pending; /* lent now */
};

must_use enum err io_create(const struct io_options *options, struct io **out, struct diag *diag);
void io_destroy(struct io **io); /* no connection is lent any more */
/* Starts or stops workers so that there are threads - 1. Waits until lent connections are back in
 * the completion queue. */
must_use enum err io_set_threads(struct io *io, int threads, struct diag *diag);
void io_set_always_active(struct io *io, bool always);
int io_threads(const struct io *io);        /* configured, the executor included */
int io_active_workers(const struct io *io); /* that get jobs now */
const struct io_stats *io_stats(const struct io *io);
void io_reset_stats(struct io *io); /* counts from 0 again, but for what is lent now */
/* Time worker index (0..) has spent on jobs, microseconds. Any time. */
uint64_t io_worker_active_us(const struct io *io, int index);

/* Executor: lends the connection. False: no worker is active or the queue is full; it stays here.
 */
must_use bool io_submit_read(struct io *io, struct conn *conn);
must_use bool io_submit_write(struct io *io, struct conn *conn);
/* Lends the reactor for one poll that does not wait. Also false if all workers sleep: to wake one
 * takes longer than a poll. */
must_use bool io_submit_poll(struct io *io);
/* Executor: a job that no worker has begun; the connection is its own again, and nothing has been
 * done. False: there is none. With workers always active they do all jobs: do not call it then. */
must_use bool io_take_back(struct io *io, struct conn **conn, enum io_job *kind);
bool io_is_always_active(const struct io *io);
/* False: a job that waits is begun by nobody before workers are woken for more, or it is taken
 * back. A hint. */
bool io_is_awake(const struct io *io);
bool io_poll_in_flight(const struct io *io);
/* Sends an object to be destroyed by a worker, round-robin. */
must_use bool io_submit_free(struct io *io, void (*destroy)(void *object), void *object);
/* Shows the batch of jobs submitted since the last call to the workers. */
void io_commit(struct io *io);

/* Executor: takes up to max connections that came back; kinds[i] says IO_READ or IO_WRITE. The
 * poll's completion is taken care of inside. */
size_t io_collect(struct io *io, struct conn **conns, uint8_t *kinds, size_t max);
bool io_has_completions(const struct io *io);
size_t io_completions(const struct io *io); /* how many wait, about */
/* Jobs lent and not back: while there are any, somebody will wake the executor. */
uint64_t io_in_flight(const struct io *io);
/* Executor, once a turn: how many workers should be active. busy_percent: the executor's own CPU.
 */
void io_adjust(struct io *io, int busy_percent);
/* Executor, instead of reactor_poll while the reactor is lent: sleeps until a completion, or for
 * timeout_ms. */
void io_wait(struct io *io, int64_t timeout_ms);
