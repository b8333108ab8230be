/* SPDX-License-Identifier: BSD-3-Clause */
/* wake -- sleep until another thread has work, without ever losing a wake-up.
 *
 *      sleeper                              signaller
 *      wake_prepare                         publish the work (push)
 *      look for work once more              wake_signal
 *        found: wake_cancel
 *        none:  wake_wait
 *
 *              prepare            wait returns
 *      AWAKE ───────────▶ PARKED ──────────────▶ AWAKE
 *        ▲                 │  │ signal
 *        └─────cancel──────┘  └──────▶ SIGNALLED ── wait returns at once ──▶ AWAKE
 *
 * Both prepare and signal are read-modify-write operations on state, so one comes first. If signal
 * does, prepare reads what it wrote and the work is visible to the second look. If prepare does,
 * signal sees PARKED and wakes. A signal to a thread that is awake costs no system call, and one to
 * a thread that has been signalled already none either.
 *
 * struct wake parks a worker on a futex (a condition variable where there is none). struct wake_fd
 * is the same for a thread that sleeps in epoll or io_uring: signal makes a descriptor readable. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/attr.h"
#include "base/err.h"

#if !defined(__linux__) && !defined(WAKE_CONDVAR)
#define WAKE_CONDVAR 1
#endif

enum wake_state { WAKE_AWAKE = 0, WAKE_PARKED, WAKE_SIGNALLED };

struct wake {
    alignas(CACHE_LINE) _Atomic uint32_t state; /* enum wake_state */
#ifdef WAKE_CONDVAR
    pthread_mutex_t mutex;
    pthread_cond_t changed;
#endif
};

void wake_init(struct wake *wake);
void wake_deinit(struct wake *wake); /* when no thread can signal it any more */

/* Sleeper: announces that it may sleep. It must look for work again after this. */
void wake_prepare(struct wake *wake);
/* Sleeper: it found something after all. */
void wake_cancel(struct wake *wake);
/* Sleeper, after prepare: sleeps until a signal, or for timeout_ms (-1: without end). True if
 * signalled since prepare, false if the time is over. */
bool wake_wait(struct wake *wake, int64_t timeout_ms);
/* Any other thread, after publishing work. True if it had to wake the sleeper. */
bool wake_signal(struct wake *wake);
/* Any thread: true if the sleeper is parked. A hint. */
bool wake_is_parked(const struct wake *wake);

struct wake_fd {
    alignas(CACHE_LINE) _Atomic uint32_t state; /* enum wake_state */
    int fd;                                     /* constant: what the sleeper polls for reading */
    int write_fd; /* constant: the same with eventfd, else the pipe's other end */
};

must_use enum err wake_fd_init(struct wake_fd *wake, struct diag *diag);
void wake_fd_deinit(struct wake_fd *wake);

/* Sleeper: announces that it may sleep; look for work again, then poll fd and others. */
void wake_fd_prepare(struct wake_fd *wake);
/* Sleeper, when it is back from polling or does not poll after all. */
void wake_fd_cancel(struct wake_fd *wake);
/* Sleeper, when fd is readable: makes it unreadable. Call it before looking for work. */
void wake_fd_drain(struct wake_fd *wake);
/* Any other thread, after publishing work. True if it wrote to the descriptor. */
bool wake_fd_signal(struct wake_fd *wake);
/* Any thread: true if the sleeper is parked. A hint. */
bool wake_fd_is_parked(const struct wake_fd *wake);
