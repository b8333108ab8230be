/* SPDX-License-Identifier: BSD-3-Clause */
/* Structs that cross threads are grouped by owner. A job is a pointer with its kind in the low
 * three bits; connections and free jobs are aligned to 16 by the allocator. */
#include "io/io.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/reactor.h"
#include "sync/mpsc.h"
#include "sync/spin.h"
#include "sync/spmc.h"
#include "sync/spsc.h"
#include "sync/wake.h"

#include <stdatomic.h>
#include <stdio.h>

enum {
    IO_KIND_MASK = 7,
    IO_WEIGHT_BYTES = 4096, /* to send take about as long as a small job */
    IO_WEIGHT_LARGE = 4,    /* of reading into a large argument */
    IO_UNTOLD_MAX = 8,      /* completions that the executor may not be told of while awake */
};

struct io_free_job {
    void (*destroy)(void *object);
    void *object;
};

struct io_worker {
    /* constant while it runs */
    struct io *io;
    struct thread *thread;
    struct conn_reader reader;
    /* the worker's own */
    struct spin spin;
    unsigned untold; /* completions that the executor was not told of */
    void *found;     /* by worker_look */
    /* the executor writes, the worker reads */
    struct spsc inbox;
    _Atomic bool stop;
    /* the worker writes, the executor reads */
    alignas(CACHE_LINE) _Atomic uint64_t active_ticks;
    _Atomic uint64_t freed;
    struct wake wake;
};

struct io {
    /* executor only */
    struct io_options options;
    struct io_worker *workers[IO_THREADS_MAX];
    int worker_count;
    int active;           /* the first so many workers get jobs */
    int active_max;       /* a worker for each processor but the executor's */
    uint64_t counted_at;  /* ticks: active_max was worked out */
    uint64_t calm_since;  /* ticks: no job has waited since */
    unsigned next_inbox;  /* round-robin */
    unsigned uncommitted; /* jobs pushed since workers were last woken */
    uint64_t extra;       /* their weight beyond one for each */
    bool poll_in_flight;
    uint64_t in_flight;
    uint64_t freed_before; /* by workers that have been stopped */
    struct io_stats stats;
    /* shared */
    struct spmc jobs;
    struct mpsc done;
    struct wake executor; /* for io_wait */
};

static void *job_make(void *ptr, enum io_job kind) {
    dcheck(((uintptr_t)ptr & IO_KIND_MASK) == 0);
    return (void *)((uintptr_t)ptr | (uintptr_t)kind);
}
static enum io_job job_kind(const void *job) {
    return (enum io_job)((uintptr_t)job & IO_KIND_MASK);
}
static void *job_ptr(void *job) { return (void *)((uintptr_t)job & ~(uintptr_t)IO_KIND_MASK); }

/* ---- the worker ---- */

static void worker_tell(struct io_worker *worker) {
    if (!worker->untold) return;
    worker->untold = 0;
    reactor_wake(worker->io->options.reactor);
    (void)wake_signal(&worker->io->executor);
}

/* The executor is told at once if it seems to sleep, else before this worker looks for work in
 * vain: telling is a write to lines that the executor uses. */
static void worker_finish(struct io_worker *worker, void *completion) {
    struct io *io = worker->io;
    /* As many jobs are lent at a time as the queue holds: it is full for a moment at most, while
     * the executor's progress is not visible here. */
    while (!mpsc_push(&io->done, completion))
        thread_spin_hint();
    worker->untold++;
    if (worker->untold >= IO_UNTOLD_MAX || reactor_seems_asleep(io->options.reactor) ||
        wake_is_parked(&io->executor)) {
        worker_tell(worker);
    }
}

static void worker_run(struct io_worker *worker, void *job) {
    switch (job_kind(job)) {
    case IO_READ: conn_read(job_ptr(job), &worker->reader); break;
    case IO_WRITE: conn_write(job_ptr(job)); break;
    case IO_POLL: reactor_poll(worker->io->options.reactor, 0); break;
    case IO_FREE: {
        struct io_free_job *work = job_ptr(job);
        work->destroy(work->object);
        mem_free(work);
        /* Relaxed: a figure for INFO. */
        atomic_fetch_add_explicit(&worker->freed, 1, memory_order_relaxed);
        return; /* nobody waits for it */
    }
    }
    worker_finish(worker, job);
}

static void *worker_next(struct io_worker *worker) {
    void *job = spsc_pop(&worker->inbox);
    return job ? job : spmc_pop(&worker->io->jobs);
}

static bool worker_look(void *ctx) {
    struct io_worker *worker = ctx;
    worker->found = worker_next(worker);
    return worker->found != NULL;
}

/* Sleeps until there may be a job, and returns one if there is one. *stopped: there will never be
 * any again. */
static void *worker_park(struct io_worker *worker, bool *stopped) {
    wake_prepare(&worker->wake);
    /* Pairs with the fence in io_commit: either the job that it is about is seen here, or it sees
     * that this worker is parked. */
    atomic_thread_fence(memory_order_seq_cst);
    /* Acquire pairs with the release in worker_stop: all jobs were pushed before. So it is read
     * before the last look. */
    *stopped = atomic_load_explicit(&worker->stop, memory_order_acquire);
    void *job = worker_next(worker);
    if (job || *stopped) {
        wake_cancel(&worker->wake);
    } else {
        (void)wake_wait(&worker->wake, -1);
    }
    return job;
}

static void worker_main(void *ctx) {
    struct io_worker *worker = ctx;
    uint64_t since = clock_ticks();
    for (;;) {
        void *job = worker_next(worker);
        if (!job) {
            uint64_t idle_from = clock_ticks();
            /* Relaxed: only this thread writes it; a figure for INFO. */
            atomic_fetch_add_explicit(&worker->active_ticks, idle_from - since,
                                      memory_order_relaxed);
            bool stopped = false;
            worker_tell(worker);
            spin_earn(&worker->spin, idle_from - since);
            if (spin_until(&worker->spin, worker_look, worker)) job = worker->found;
            if (!job) job = worker_park(worker, &stopped);
            if (!job && stopped) return;
            since = clock_ticks();
        }
        if (job) worker_run(worker, job);
    }
}

static enum err worker_start(struct io *io, int index, struct diag *diag) {
    struct io_worker *worker = mem_alloc_aligned(CACHE_LINE, sizeof(*worker));
    memset(worker, 0, sizeof(*worker));
    worker->io = io;
    worker->reader.commands = io->options.commands;
    spsc_init(&worker->inbox, IO_INBOX_CAP);
    atomic_init(&worker->stop, false);
    atomic_init(&worker->active_ticks, 0);
    atomic_init(&worker->freed, 0);
    wake_init(&worker->wake);
    char name[THREAD_NAME_MAX + 1];
    snprintf(name, sizeof(name), "io_thd_%u", (unsigned)(index + 1) % 1000u);
    struct thread_options options = {
        .name = name, .cpus = io->options.cpus, .fn = worker_main, .ctx = worker};
    enum err err = thread_start(&options, &worker->thread, diag);
    if (err != ERR_NONE) {
        spsc_deinit(&worker->inbox);
        wake_deinit(&worker->wake);
        mem_free(worker);
        return err;
    }
    io->workers[index] = worker;
    return ERR_NONE;
}

static void worker_stop(struct io *io, int index) {
    struct io_worker *worker = io->workers[index];
    /* Release pairs with the acquire in worker_main: all jobs were pushed before. */
    atomic_store_explicit(&worker->stop, true, memory_order_release);
    (void)wake_signal(&worker->wake);
    thread_join(&worker->thread); /* its inbox and the shared queue are empty before it ends */
    io->freed_before += atomic_load_explicit(&worker->freed, memory_order_relaxed); /* joined */
    spsc_deinit(&worker->inbox);
    wake_deinit(&worker->wake);
    mem_free(worker);
    io->workers[index] = NULL;
}

/* ---- life ---- */

enum err io_create(const struct io_options *options, struct io **out, struct diag *diag) {
    struct io *io = mem_alloc_aligned(CACHE_LINE, sizeof(*io));
    memset(io, 0, sizeof(*io));
    io->options = *options;
    io->options.threads = 1;
    spmc_init(&io->jobs, IO_QUEUE_CAP);
    mpsc_init(&io->done, IO_LENT_MAX);
    wake_init(&io->executor);
    enum err err = io_set_threads(io, options->threads, diag);
    if (err != ERR_NONE) {
        io_destroy(&io);
        return err;
    }
    *out = io;
    return ERR_NONE;
}

void io_destroy(struct io **io_ref) {
    struct io *io = *io_ref;
    if (!io) return;
    while (io->worker_count)
        worker_stop(io, --io->worker_count);
    spmc_deinit(&io->jobs);
    mpsc_deinit(&io->done);
    wake_deinit(&io->executor);
    mem_free(io);
    *io_ref = NULL;
}

/* A worker that shares the executor's processor takes from it what it gives, and costs the
 * switching on top. */
static void io_count_processors(struct io *io) {
    const struct thread *worker = io->worker_count ? io->workers[0]->thread : NULL;
    int processors = io->options.processors ? io->options.processors : thread_processors(worker);
    io->counted_at = clock_ticks();
    io->active_max = io->worker_count < processors ? io->worker_count : processors - 1;
    if (!io->options.always_active && io->active > io->active_max) io->active = io->active_max;
}

enum err io_set_threads(struct io *io, int threads, struct diag *diag) {
    check(threads >= 1 && threads <= IO_THREADS_MAX);
    io_commit(io);
    while (io->worker_count > threads - 1) {
        /* A worker ends when the shared queue is empty: with the last one gone, nobody else would
         * look there. What it finishes finds room, whatever the executor has not collected yet. */
        worker_stop(io, io->worker_count - 1);
        io->worker_count--;
    }
    enum err err = ERR_NONE;
    while (err == ERR_NONE && io->worker_count < threads - 1) {
        err = worker_start(io, io->worker_count, diag);
        if (err == ERR_NONE) io->worker_count++;
    }
    io->options.threads = io->worker_count + 1;
    io_count_processors(io);
    if (io->options.always_active) io->active = io->worker_count;
    return err;
}

void io_set_always_active(struct io *io, bool always) {
    io->options.always_active = always;
    if (!always) return;
    io->active = io->worker_count;
    io->uncommitted += (unsigned)spmc_size(&io->jobs); /* those that were not worth waking for */
    io_commit(io);
}

int io_threads(const struct io *io) { return io->options.threads; }
int io_active_workers(const struct io *io) { return io->active; }
bool io_poll_in_flight(const struct io *io) { return io->poll_in_flight; }
uint64_t io_in_flight(const struct io *io) { return io->in_flight; }
bool io_has_completions(const struct io *io) { return mpsc_is_ready(&io->done); }
size_t io_completions(const struct io *io) { return mpsc_size(&io->done); }
bool io_is_always_active(const struct io *io) { return io->options.always_active; }

const struct io_stats *io_stats(const struct io *io) {
    struct io_stats *stats = (struct io_stats *)(uintptr_t)&io->stats;
    stats->freed_objects = io->freed_before;
    for (int i = 0; i < io->worker_count; i++) {
        stats->freed_objects +=
            atomic_load_explicit(&io->workers[i]->freed, memory_order_relaxed); /* a figure */
    }
    stats->pending = io->in_flight;
    return stats;
}

void io_reset_stats(struct io *io) {
    const struct io_stats now = *io_stats(io);
    io->freed_before -= now.freed_objects; /* what workers count on top goes round to 0 */
    io->stats =
        (struct io_stats){.reads_pending = now.reads_pending, .writes_pending = now.writes_pending};
}

uint64_t io_worker_active_us(const struct io *io, int index) {
    if (index >= io->worker_count) return 0;
    uint64_t ticks = atomic_load_explicit(&io->workers[index]->active_ticks,
                                          memory_order_relaxed); /* a figure for INFO */
    return clock_ticks_to_us(ticks);
}

/* ---- the executor's side ---- */

static bool io_submit(struct io *io, void *ptr, enum io_job kind) {
    if (!io->active || io->in_flight >= IO_LENT_MAX) return false;
    if (!spmc_push(&io->jobs, job_make(ptr, kind))) return false;
    io->in_flight++;
    io->uncommitted++;
    return true;
}

bool io_submit_read(struct io *io, struct conn *conn) {
    dcheck(conn->owner == CONN_EXECUTOR);
    uint64_t extra = conn->in_is_chunk || conn->uses_feed ? 0 : IO_WEIGHT_LARGE;
    conn->owner = CONN_WORKER;
    if (!io_submit(io, conn, IO_READ)) {
        conn->owner = CONN_EXECUTOR;
        return false;
    }
    io->stats.reads_pending++;
    io->extra += extra;
    return true;
}

bool io_submit_write(struct io *io, struct conn *conn) {
    dcheck(conn->owner == CONN_EXECUTOR && conn->sending);
    uint64_t extra = conn->sending_bytes / IO_WEIGHT_BYTES;
    conn->owner = CONN_WORKER;
    if (!io_submit(io, conn, IO_WRITE)) {
        conn->owner = CONN_EXECUTOR;
        return false;
    }
    io->stats.writes_pending++;
    io->extra += extra;
    return true;
}

/* Puts a job into the next worker's inbox. */
static bool io_submit_bound(struct io *io, void *ptr, enum io_job kind) {
    if (!io->active) return false;
    io->next_inbox = (io->next_inbox + 1) % (unsigned)io->active;
    struct io_worker *worker = io->workers[io->next_inbox];
    if (!spsc_push(&worker->inbox, job_make(ptr, kind))) return false;
    (void)wake_signal(&worker->wake);
    return true;
}

static int io_awake_workers(const struct io *io) {
    int awake = 0;
    for (int i = 0; i < io->active; i++)
        awake += !wake_is_parked(&io->workers[i]->wake);
    return awake;
}

bool io_is_awake(const struct io *io) { return io_awake_workers(io) > 0; }

bool io_submit_poll(struct io *io) {
    check(!io->poll_in_flight);
    bool bound = io->active > IO_POLL_BY_INBOX;
    if (io->in_flight >= IO_LENT_MAX) return false;
    if (!io->options.always_active && !io_is_awake(io)) return false;
    if (bound && !io_submit_bound(io, io, IO_POLL)) return false;
    if (bound) io->in_flight++;
    if (!bound && !io_submit(io, io, IO_POLL)) return false;
    io->poll_in_flight = true;
    return true;
}

bool io_submit_free(struct io *io, void (*destroy)(void *object), void *object) {
    if (!io->active) return false;
    struct io_free_job *work = mem_alloc(sizeof(*work));
    *work = (struct io_free_job){.destroy = destroy, .object = object};
    if (io_submit_bound(io, work, IO_FREE)) return true;
    mem_free(work);
    return false;
}

/* How many workers the jobs that wait should keep busy. */
static int io_workers_wanted(const struct io *io) {
    uint64_t jobs = spmc_size(&io->jobs);
    uint64_t wanted = io->uncommitted;
    if (!io->options.always_active) {
        wanted = (jobs + io->extra) / IO_WORTH_WAKING;
        if (wanted > jobs) wanted = jobs;
        if (!wanted && io->poll_in_flight) wanted = 1; /* the executor would wait for it */
    }
    return wanted < (uint64_t)io->active ? (int)wanted : io->active;
}

void io_commit(struct io *io) {
    if (!io->uncommitted) return;
    int wanted = io_workers_wanted(io);
    io->uncommitted = 0;
    io->extra = 0;
    if (!wanted) return;
    /* Workers that are awake find the jobs by themselves. The fence pairs with the one in
     * worker_park: a worker that seems awake looks for jobs once more before it sleeps. */
    atomic_thread_fence(memory_order_seq_cst);
    wanted -= io_awake_workers(io);
    for (int i = 0; i < io->active && wanted > 0; i++) {
        if (wake_signal(&io->workers[i]->wake)) wanted--;
    }
}

/* The connection of a job that has left the queues is the executor's again. NULL: a poll. */
static struct conn *io_returned(struct io *io, void *job) {
    enum io_job kind = job_kind(job);
    io->in_flight--;
    if (kind == IO_POLL) {
        io->poll_in_flight = false;
        return NULL;
    }
    struct conn *conn = job_ptr(job);
    check(conn->owner == CONN_WORKER);
    conn->owner = CONN_EXECUTOR;
    if (kind == IO_READ) {
        io->stats.reads_pending--;
    } else {
        io->stats.writes_pending--;
    }
    return conn;
}

bool io_take_back(struct io *io, struct conn **conn, enum io_job *kind) {
    void *job;
    while ((job = spmc_pop(&io->jobs)) != NULL) {
        struct conn *returned = io_returned(io, job);
        if (!returned) continue; /* who asks for it polls when it has nothing else to do */
        *conn = returned;
        *kind = job_kind(job);
        return true;
    }
    return false;
}

size_t io_collect(struct io *io, struct conn **conns, uint8_t *kinds, size_t max) {
    size_t count = 0;
    while (count < max) {
        void *job = mpsc_pop(&io->done);
        if (!job) break;
        enum io_job kind = job_kind(job);
        struct conn *conn = io_returned(io, job);
        if (!conn) {
            io->stats.polls++;
            continue;
        }
        if (kind == IO_READ) {
            io->stats.reads++;
        } else {
            io->stats.writes++;
        }
        conns[count] = conn;
        kinds[count++] = (uint8_t)kind;
    }
    return count;
}

void io_wait(struct io *io, int64_t timeout_ms) {
    wake_prepare(&io->executor);
    if (io_has_completions(io)) {
        wake_cancel(&io->executor);
        return;
    }
    (void)wake_wait(&io->executor, timeout_ms);
}

void io_adjust(struct io *io, int busy_percent) {
    if (io->options.always_active || !io->worker_count) return;
    uint64_t now = clock_ticks();
    /* Where the process may run can change at any time. */
    if (now - io->counted_at >= clock_us_to_ticks(IO_CALM_US)) io_count_processors(io);
    if (!io->active_max) return;
    if (!io->active) {
        if (busy_percent >= IO_IGNITION_PERCENT) io->active = 1;
        io->calm_since = now;
        return;
    }
    size_t waiting = spmc_size(&io->jobs);
    if (waiting > 0) {
        io->calm_since = now;
        bool many = waiting >= (size_t)io->active * IO_DEPTH_PER_WORKER;
        if (many && io->active < io->active_max) io->active++;
        return;
    }
    if (now - io->calm_since < clock_us_to_ticks(IO_CALM_US)) return;
    io->calm_since = now;
    if (io->active > 1 || busy_percent < IO_IGNITION_PERCENT / 2) io->active--;
}
