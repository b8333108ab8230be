/* SPDX-License-Identifier: BSD-3-Clause */
/* reactor_internal -- what the two engines share: the face, identities, and refusing connections.
 *
 * Both engines keep a table indexed by file descriptor. The number of an entry's life, its
 * generation, travels through the kernel beside the descriptor. An event whose generation is not
 * the entry's is about a life that reactor_forget ended, and is dropped: nothing is searched, and
 * a poll that another thread is just making cannot bring a forgotten handle back. */
#pragma once

#include "net/reactor.h"
#include "sync/wake.h"

enum {
    REACTOR_ACCEPT_PAUSE_MS = 100, /* rest after an accept that failed and may fail at once again */
    REACTOR_TABLE_MIN = 1024,      /* descriptors that fit before the table grows */
};

/* One engine. What an engine has no use for is NULL. */
struct reactor_ops {
    const char *name;
    enum reactor_engine engine;
    bool polled_elsewhere;
    void (*destroy)(struct reactor *reactor);
    enum err (*add_listener)(struct reactor *reactor, int fd, void *handle, struct diag *diag);
    void (*remove_listener)(struct reactor *reactor, int fd, void *handle);
    enum err (*add)(struct reactor *reactor, int fd, void *handle, struct diag *diag);
    void (*forget)(struct reactor *reactor, int fd, void *handle);
    void (*pause_receive)(struct reactor *reactor, int fd, void *handle, bool paused);
    void (*want_write)(struct reactor *reactor, int fd, void *handle, bool wanted);
    enum err (*send)(struct reactor *reactor, int fd, void *handle,
                     const struct reply_block *blocks, size_t offset);
    void (*flush)(struct reactor *reactor);
    int (*poll)(struct reactor *reactor, int64_t timeout_us);
    bool (*next)(struct reactor *reactor, struct reactor_event *out);
    void (*buffer_done)(struct reactor *reactor, uint32_t buffer);
};

/* The first member of each engine's struct. */
struct reactor {
    const struct reactor_ops *ops;
    struct wake_fd wake;
    bool sleep_announced; /* wake_fd_prepare was called and neither a poll nor a cancel followed */
    uint32_t accepts_per_poll;
    uint32_t accepts_left;   /* of those, in the current poll */
    bool accept_failed_told; /* in the current poll: one REACTOR_ACCEPT_FAILED is enough */
    int reserve_fd;          /* closed to make room for a connection that is to be refused, or -1 */
    int64_t accept_resume_ns; /* monotonic: accepting rests until then; 0: it does not rest */
};

/* Each allocates its engine; the part above is filled in by reactor__init. */
must_use enum err reactor__epoll_create(const struct reactor_options *options, struct reactor **out,
                                        struct diag *diag);
/* ERR_UNSUPPORTED if the kernel or the build has no io_uring or forbids it: the diag says why. */
must_use enum err reactor__uring_create(const struct reactor_options *options, struct reactor **out,
                                        struct diag *diag);

must_use enum err reactor__init(struct reactor *reactor, const struct reactor_ops *ops,
                                const struct reactor_options *options, struct diag *diag);
void reactor__deinit(struct reactor *reactor);

/* A poll begins: it may hand out accepts_per_poll connections. */
static inline void reactor__begin_poll(struct reactor *reactor) {
    reactor->accepts_left = reactor->accepts_per_poll;
    reactor->accept_failed_told = false;
}
/* timeout_us, or less if accepting is to be taken up again before. */
int64_t reactor__shorten(const struct reactor *reactor, int64_t timeout_us);
/* True once when the rest is over: accepting may be taken up again. */
bool reactor__accept_may_resume(struct reactor *reactor);

enum accept_failure {
    ACCEPT_RETRY = 0, /* that connection is gone, others may wait */
    ACCEPT_REFUSED,   /* no descriptors: one connection was accepted and closed */
    ACCEPT_EMPTY,     /* no descriptors, and nobody waits */
    ACCEPT_REST,      /* it would fail again at once: accept_resume_ns is set */
};
/* Decides what an accept on listener_fd that failed with error calls for. */
enum accept_failure reactor__accept_failed(struct reactor *reactor, int listener_fd, int error);
