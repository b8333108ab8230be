/* SPDX-License-Identifier: BSD-3-Clause */
/* wake -- see wake.h for the protocol. */
#include "sync/wake.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#endif

/* The step from one state to another that decides who wakes whom. Acquire and release, on both
 * sides: whichever exchange comes second sees everything the other thread did before the first. */
static uint32_t state_exchange(_Atomic uint32_t *state, enum wake_state to) {
    return atomic_exchange_explicit(state, (uint32_t)to, memory_order_acq_rel);
}

static struct timespec timespec_from_ms(int64_t ms) {
    return (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
}

/* When a wait that begins now ends. */
static struct timespec deadline_after(int64_t timeout_ms) {
    struct timespec now, span = timespec_from_ms(timeout_ms);
    check(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    now.tv_sec += span.tv_sec;
    now.tv_nsec += span.tv_nsec;
    if (now.tv_nsec >= 1000000000) {
        now.tv_sec++;
        now.tv_nsec -= 1000000000;
    }
    return now;
}

#ifdef WAKE_CONDVAR

void wake_init(struct wake *wake) {
    pthread_condattr_t attr;
    atomic_init(&wake->state, WAKE_AWAKE);
    check(pthread_mutex_init(&wake->mutex, NULL) == 0);
    check(pthread_condattr_init(&attr) == 0);
#ifndef __APPLE__
    check(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
#endif
    check(pthread_cond_init(&wake->changed, &attr) == 0);
    check(pthread_condattr_destroy(&attr) == 0);
}

void wake_deinit(struct wake *wake) {
    check(pthread_cond_destroy(&wake->changed) == 0);
    check(pthread_mutex_destroy(&wake->mutex) == 0);
}

/* Sleeps while the state is PARKED; false if the time is over. */
static bool park(struct wake *wake, const struct timespec *deadline) {
    int rc = 0;
    check(pthread_mutex_lock(&wake->mutex) == 0);
    /* Relaxed: the exchange that follows in wake_wait acquires. */
    while (atomic_load_explicit(&wake->state, memory_order_relaxed) == WAKE_PARKED &&
           rc != ETIMEDOUT) {
        rc = deadline ? pthread_cond_timedwait(&wake->changed, &wake->mutex, deadline)
                      : pthread_cond_wait(&wake->changed, &wake->mutex);
        check(rc == 0 || rc == ETIMEDOUT);
    }
    check(pthread_mutex_unlock(&wake->mutex) == 0);
    return rc == 0;
}

static void unpark(struct wake *wake) {
    /* The lock: the sleeper is either before its look at the state or inside the wait. */
    check(pthread_mutex_lock(&wake->mutex) == 0);
    check(pthread_cond_signal(&wake->changed) == 0);
    check(pthread_mutex_unlock(&wake->mutex) == 0);
}

#else

static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "a futex is a plain 32-bit word");

void wake_init(struct wake *wake) { atomic_init(&wake->state, WAKE_AWAKE); }

void wake_deinit(struct wake *wake) {
    check(atomic_load_explicit(&wake->state, memory_order_relaxed) != WAKE_PARKED);
}

/* Sleeps while the state is PARKED; false if the time is over. */
static bool park(struct wake *wake, const struct timespec *deadline) {
    /* Relaxed: the exchange that follows in wake_wait acquires. */
    while (atomic_load_explicit(&wake->state, memory_order_relaxed) == WAKE_PARKED) {
        /* With FUTEX_WAIT_BITSET the time is absolute, and of CLOCK_MONOTONIC. */
        long rc = syscall(SYS_futex, &wake->state, FUTEX_WAIT_BITSET_PRIVATE, WAKE_PARKED, deadline,
                          NULL, FUTEX_BITSET_MATCH_ANY);
        if (rc == -1 && errno == ETIMEDOUT) return false;
        check(rc == 0 || errno == EAGAIN || errno == EINTR);
    }
    return true;
}

static void unpark(struct wake *wake) {
    long rc = syscall(SYS_futex, &wake->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    check(rc != -1);
}

#endif

void wake_prepare(struct wake *wake) { (void)state_exchange(&wake->state, WAKE_PARKED); }

void wake_cancel(struct wake *wake) { (void)state_exchange(&wake->state, WAKE_AWAKE); }

bool wake_wait(struct wake *wake, int64_t timeout_ms) {
    struct timespec deadline;
    if (timeout_ms >= 0) deadline = deadline_after(timeout_ms);
    (void)park(wake, timeout_ms >= 0 ? &deadline : NULL);
    /* A signal may have come just after the time was over. */
    return state_exchange(&wake->state, WAKE_AWAKE) == WAKE_SIGNALLED;
}

bool wake_signal(struct wake *wake) {
    if (state_exchange(&wake->state, WAKE_SIGNALLED) != WAKE_PARKED) return false;
    unpark(wake);
    return true;
}

bool wake_is_parked(const struct wake *wake) {
    /* Relaxed: a hint. */
    return atomic_load_explicit(&wake->state, memory_order_relaxed) == WAKE_PARKED;
}

enum err wake_fd_init(struct wake_fd *wake, struct diag *diag) {
    int fds[2];
#ifdef __linux__
    fds[0] = fds[1] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fds[0] == -1) return diag_errno(diag, ERR_IO, "cannot create an eventfd");
#else
    if (pipe(fds) == -1) return diag_errno(diag, ERR_IO, "cannot create a pipe");
    for (int i = 0; i < 2; i++) {
        int flags = fcntl(fds[i], F_GETFL);
        check(flags != -1 && fcntl(fds[i], F_SETFL, flags | O_NONBLOCK) != -1);
        check(fcntl(fds[i], F_SETFD, FD_CLOEXEC) != -1);
    }
#endif
    atomic_init(&wake->state, WAKE_AWAKE);
    wake->fd = fds[0];
    wake->write_fd = fds[1];
    return ERR_NONE;
}

void wake_fd_deinit(struct wake_fd *wake) {
    (void)close(wake->fd);
    if (wake->write_fd != wake->fd) (void)close(wake->write_fd);
    wake->fd = wake->write_fd = -1;
}

void wake_fd_prepare(struct wake_fd *wake) { (void)state_exchange(&wake->state, WAKE_PARKED); }

void wake_fd_cancel(struct wake_fd *wake) { (void)state_exchange(&wake->state, WAKE_AWAKE); }

void wake_fd_drain(struct wake_fd *wake) {
    uint64_t dropped; /* one read empties an eventfd; a pipe gets a byte for each sleep, no more */
    ssize_t size = read(wake->fd, &dropped, sizeof(dropped));
    check(size != -1 || errno == EAGAIN || errno == EINTR);
}

bool wake_fd_signal(struct wake_fd *wake) {
    const uint64_t one = 1;
    if (state_exchange(&wake->state, WAKE_SIGNALLED) != WAKE_PARKED) return false;

    ssize_t size;
    do {
        size = write(wake->write_fd, &one, sizeof(one));
    } while (size == -1 && errno == EINTR);
    check(size > 0 || errno == EAGAIN); /* EAGAIN: it is full, hence readable */
    return true;
}

bool wake_fd_is_parked(const struct wake_fd *wake) {
    /* Relaxed: a hint. */
    return atomic_load_explicit(&wake->state, memory_order_relaxed) == WAKE_PARKED;
}
