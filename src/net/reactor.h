/* SPDX-License-Identifier: BSD-3-Clause */
/* reactor -- what is ready: connections, listeners, timers' deadline, wake-ups. Two engines behind
 * one face.
 *
 * epoll:    edge-triggered readiness; the owner of a connection calls recv and writev itself.
 * io_uring: multishot accept and receive into a ring of provided buffers, sends queued and
 *           submitted with one system call per turn.
 *
 * reactor_poll collects events (the one function another thread may call, and only with epoll, see
 * reactor_can_be_polled_elsewhere); reactor_next hands them out on the executor. A handle given to
 * reactor_forget never appears in an event again. */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "resp/reply.h"

struct reactor;

enum reactor_engine { REACTOR_AUTO = 0, REACTOR_EPOLL, REACTOR_URING };

enum reactor_event_kind {
    REACTOR_ACCEPTED =
        0, /* result: the new connection's fd, non-blocking; handle: the listener's */
    REACTOR_ACCEPT_FAILED, /* result: -errno */
    /* epoll: data, an end or an error waits. result: 1 if the peer has ended or failed (EPOLLRDHUP,
     * HUP, ERR), so that a short read must be followed by another; else 0. io_uring: only the
     * former, from a connection that reactor_pause_receive has stopped. */
    REACTOR_READABLE,
    REACTOR_RECEIVED, /* io_uring: result bytes at data; 0: the peer has ended; < 0: -errno */
    REACTOR_WRITABLE, /* after reactor_want_write */
    REACTOR_SENT,     /* io_uring: result bytes of reactor_send were taken, or -errno */
};

struct reactor_event {
    enum reactor_event_kind kind;
    int result;
    void *handle;
    const char *data;
    uint32_t buffer; /* REACTOR_RECEIVED: give it back with reactor_buffer_done */
};
/* The buffer of a REACTOR_RECEIVED without bytes; reactor_buffer_done ignores it. */
#define REACTOR_NO_BUFFER UINT32_MAX

struct reactor_options {
    enum reactor_engine engine;
    uint32_t max_fds;          /* connections expected at most */
    uint32_t accepts_per_poll; /* option max-new-connections-per-cycle */
};

/* With REACTOR_AUTO what measures better; io_uring falls back to epoll where the kernel lacks or
 * forbids it, with a note in diag. Fails only if epoll does. */
must_use enum err reactor_create(const struct reactor_options *options, struct reactor **out,
                                 struct diag *diag);
void reactor_destroy(struct reactor **reactor);
enum reactor_engine reactor_engine_in_use(const struct reactor *reactor);
const char *reactor_name(const struct reactor *reactor); /* "epoll" or "io_uring" */
bool reactor_can_be_polled_elsewhere(const struct reactor *reactor);
void reactor_set_accepts_per_poll(struct reactor *reactor, uint32_t count);

/* The handle comes back in events; it must not be NULL. */
must_use enum err reactor_add_listener(struct reactor *reactor, int fd, void *handle,
                                       struct diag *diag);
void reactor_remove_listener(struct reactor *reactor, int fd, void *handle);
must_use enum err reactor_add(struct reactor *reactor, int fd, void *handle, struct diag *diag);
/* Ends all interest; call before close(fd). Operations in flight are cancelled; the blocks of a
 * send are the caller's again. Nothing happens if the handle is not registered. */
void reactor_forget(struct reactor *reactor, int fd, void *handle);
/* io_uring only: stops and resumes receiving from a connection (its input is full, it is paused).
 * With epoll a no-op: the owner simply does not read. */
void reactor_pause_receive(struct reactor *reactor, int fd, void *handle, bool paused);
/* One REACTOR_WRITABLE when the socket takes data (again). Both engines. */
void reactor_want_write(struct reactor *reactor, int fd, void *handle, bool wanted);
/* io_uring: queues a send of the blocks from offset in the first one. They stay the caller's and
 * untouched until REACTOR_SENT. ERR_UNSUPPORTED with epoll. One send per handle at a time. */
must_use enum err reactor_send(struct reactor *reactor, int fd, void *handle,
                               const struct reply_block *blocks, size_t offset);
/* Submits what is queued (io_uring). */
void reactor_flush(struct reactor *reactor);

/* Executor, before a reactor_poll that may sleep: from here on reactor_wake makes that poll return,
 * and before here it costs nothing. The caller looks for work once more after this call, and polls
 * with 0 if it found some. Built on wake_fd_prepare of sync/wake.h; reactor_poll ends the
 * announcement. */
void reactor_prepare_sleep(struct reactor *reactor);
/* Collects events, waiting at most timeout_us for the first (0: not at all, < 0: for ever).
 * Returns how many are there, those that say nothing to the caller included: 0 means that
 * reactor_next has none. Also returns early after reactor_wake and after a signal. */
int reactor_poll(struct reactor *reactor, int64_t timeout_us);
/* Executor: the next collected event. False: all handed out. */
bool reactor_next(struct reactor *reactor, struct reactor_event *out);
void reactor_buffer_done(struct reactor *reactor, uint32_t buffer);
/* Any thread, and signal handlers: a sleeping reactor_poll returns. */
void reactor_wake(struct reactor *reactor);
/* Any thread: true if reactor_wake would have to wake it. A hint. */
bool reactor_seems_asleep(const struct reactor *reactor);
