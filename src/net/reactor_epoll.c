/* SPDX-License-Identifier: BSD-3-Clause */
/* The epoll engine.
 *
 *      epoll ──┬── connections   edge-triggered, registered once: IN, RDHUP (and OUT once wanted)
 *              ├── the wake-up   level-triggered
 *              └── epoll ──┬──   level-triggered: some listener has a connection to accept
 *                          └── listeners
 *
 * The listeners have an epoll of their own so that a poll, which may run in another thread, touches
 * nothing but descriptors that never change, and so that accepting rests by a single call.
 *
 * 1. poll writes events[], count and next; it never touches the table. The executor reads events[],
 *    and may add, forget and want_write while a poll runs elsewhere.
 * 2. OUT stays registered after it was wanted once: the kernel makes an edge of it only after a
 *    write that found no room, and the flag in the table drops what nobody waits for. Each
 *    want_write registers anew, which reports room that has come since the write failed.
 * 3. Descriptors are in the table before the kernel knows them, and leave it after. */
#include "base/check.h"
#include "base/mem.h"
#include "base/syscall.h"
#include "net/listener.h"
#include "net/reactor_internal.h"

#include <errno.h>
#include <linux/time_types.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EPOLL_EVENTS_CAP = 1024 };

/* In place of a descriptor in an event's data. */
#define EPOLL_ID_WAKE UINT64_MAX
#define EPOLL_ID_LISTENERS (UINT64_MAX - 1)

static const uint32_t epoll_mask = EPOLLIN | EPOLLRDHUP | EPOLLET;
static const uint32_t epoll_ended = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

struct epoll_entry {
    void *handle; /* NULL: not registered */
    uint32_t generation;
    bool wants_write;
};

struct epoll_listener {
    int fd;
    void *handle;
};

struct reactor_epoll {
    struct reactor base;
    int fd;           /* constant */
    int listeners_fd; /* constant */

    /* whoever polls, then the executor */
    struct epoll_event events[EPOLL_EVENTS_CAP];
    int count, next; /* events[next, count) have not been handed out */
    bool coarse;     /* the kernel has no epoll_pwait2: milliseconds, rounded up */

    /* executor */
    struct epoll_entry *entries; /* by descriptor */
    size_t entry_count;
    struct epoll_listener listeners[LISTENER_MAX];
    int listener_count;
    int ready[LISTENER_MAX]; /* descriptors of listeners that had a connection in this poll */
    int ready_count;
};

static struct reactor_epoll *epoll_of(struct reactor *reactor) {
    return CONTAINER_OF(reactor, struct reactor_epoll, base);
}

static uint64_t epoll_id(const struct reactor_epoll *r, int fd) {
    return (uint64_t)r->entries[fd].generation << 32 | (uint32_t)fd;
}

static struct epoll_entry *epoll_entry_at(struct reactor_epoll *r, int fd, const void *handle) {
    if (fd < 0 || (size_t)fd >= r->entry_count || r->entries[fd].handle != handle) return NULL;
    return &r->entries[fd];
}

/* ---- life ---- */

static void epoll_destroy(struct reactor *reactor) {
    struct reactor_epoll *r = epoll_of(reactor);
    if (r->listeners_fd != -1) close(r->listeners_fd);
    if (r->fd != -1) close(r->fd);
    reactor__deinit(reactor);
    mem_free(r->entries);
    mem_free(r);
}

static enum err epoll_watch(int epoll_fd, int fd, uint32_t mask, uint64_t id, struct diag *diag) {
    struct epoll_event event = {.events = mask, .data.u64 = id};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0) return ERR_NONE;
    return diag_errno(diag, ERR_IO, "epoll_ctl");
}

static enum err epoll_open(struct reactor_epoll *r, struct diag *diag) {
    r->fd = epoll_create1(EPOLL_CLOEXEC);
    if (r->fd == -1) return diag_errno(diag, ERR_IO, "epoll_create");
    r->listeners_fd = epoll_create1(EPOLL_CLOEXEC);
    if (r->listeners_fd == -1) return diag_errno(diag, ERR_IO, "epoll_create");
    enum err err = epoll_watch(r->fd, r->base.wake.fd, EPOLLIN, EPOLL_ID_WAKE, diag);
    if (err != ERR_NONE) return err;
    return epoll_watch(r->fd, r->listeners_fd, EPOLLIN, EPOLL_ID_LISTENERS, diag);
}

/* ---- what is watched ---- */

static void epoll_fit(struct reactor_epoll *r, int fd) {
    if (likely((size_t)fd < r->entry_count)) return;
    size_t count = size_max(r->entry_count * 2, (size_t)fd + 1);
    r->entries = mem_realloc(r->entries, count * sizeof(*r->entries));
    memset(r->entries + r->entry_count, 0, (count - r->entry_count) * sizeof(*r->entries));
    r->entry_count = count;
}

static enum err epoll_add(struct reactor *reactor, int fd, void *handle, struct diag *diag) {
    struct reactor_epoll *r = epoll_of(reactor);
    epoll_fit(r, fd);
    struct epoll_entry *entry = &r->entries[fd];
    check(!entry->handle);
    entry->generation++;
    entry->wants_write = false;
    entry->handle = handle;
    enum err err = epoll_watch(r->fd, fd, epoll_mask, epoll_id(r, fd), diag);
    if (err != ERR_NONE) entry->handle = NULL;
    return err;
}

static void epoll_forget(struct reactor *reactor, int fd, void *handle) {
    struct reactor_epoll *r = epoll_of(reactor);
    struct epoll_entry *entry = epoll_entry_at(r, fd, handle);
    if (!entry) return;
    /* A child made by fork may hold the descriptor open: closing alone would not end the events. */
    check(epoll_ctl(r->fd, EPOLL_CTL_DEL, fd, NULL) == 0);
    entry->handle = NULL;
    entry->generation++;
}

static void epoll_want_write(struct reactor *reactor, int fd, void *handle, bool wanted) {
    struct reactor_epoll *r = epoll_of(reactor);
    struct epoll_entry *entry = epoll_entry_at(r, fd, handle);
    check(entry != NULL);
    entry->wants_write = wanted;
    if (!wanted) return;
    struct epoll_event event = {.events = epoll_mask | EPOLLOUT, .data.u64 = epoll_id(r, fd)};
    check(epoll_ctl(r->fd, EPOLL_CTL_MOD, fd, &event) == 0);
}

static enum err epoll_add_listener(struct reactor *reactor, int fd, void *handle,
                                   struct diag *diag) {
    struct reactor_epoll *r = epoll_of(reactor);
    if (r->listener_count == LISTENER_MAX)
        return diag_set(diag, ERR_RANGE, "more than %d listeners", LISTENER_MAX);
    enum err err = epoll_watch(r->listeners_fd, fd, EPOLLIN, (uint64_t)fd, diag);
    if (err != ERR_NONE) return err;
    r->listeners[r->listener_count++] = (struct epoll_listener){.fd = fd, .handle = handle};
    return ERR_NONE;
}

static void epoll_remove_listener(struct reactor *reactor, int fd, void *handle) {
    struct reactor_epoll *r = epoll_of(reactor);
    for (int i = 0; i < r->listener_count; i++) {
        if (r->listeners[i].fd != fd || r->listeners[i].handle != handle) continue;
        check(epoll_ctl(r->listeners_fd, EPOLL_CTL_DEL, fd, NULL) == 0);
        r->listeners[i] = r->listeners[--r->listener_count];
        return;
    }
}

/* ---- polling ---- */

static void epoll_listeners_rest(struct reactor_epoll *r, bool rest) {
    struct epoll_event event = {.events = rest ? 0 : EPOLLIN, .data.u64 = EPOLL_ID_LISTENERS};
    check(epoll_ctl(r->fd, EPOLL_CTL_MOD, r->listeners_fd, &event) == 0);
}

/* How many events there are, or -errno. */
always_inline_fn long epoll_sleep(struct reactor_epoll *r, int64_t timeout_us) {
#if defined(SYS_epoll_pwait2)
    if (likely(timeout_us >= 0 && !r->coarse)) {
        struct __kernel_timespec timeout = {.tv_sec = timeout_us / 1000000,
                                            .tv_nsec = timeout_us % 1000000 * 1000};
#if SYSCALL_INLINE
        long count = syscall_inline(SYS_epoll_pwait2, r->fd, (long)(uintptr_t)r->events,
                                    EPOLL_EVENTS_CAP, (long)(uintptr_t)&timeout, 0);
#else
        long count =
            syscall(SYS_epoll_pwait2, r->fd, r->events, EPOLL_EVENTS_CAP, &timeout, NULL, 0);
        if (count == -1) count = -errno;
#endif
        if (count != -ENOSYS && count != -EPERM) return count;
        r->coarse = true;
    }
#endif
    int64_t timeout_ms = timeout_us < 0 ? -1 : i64_min((timeout_us + 999) / 1000, INT32_MAX);
    int count = epoll_wait(r->fd, r->events, EPOLL_EVENTS_CAP, (int)timeout_ms);
    return count == -1 ? -errno : count;
}

static int epoll_poll(struct reactor *reactor, int64_t timeout_us) {
    struct reactor_epoll *r = epoll_of(reactor);
    if (r->next < r->count) return r->count - r->next;

    if (reactor__accept_may_resume(reactor)) epoll_listeners_rest(r, false);
    r->next = 0;
    long count = epoll_sleep(r, reactor__shorten(reactor, timeout_us));
    check(count >= 0 || count == -EINTR);
    r->count = count > 0 ? (int)count : 0;
    for (int i = 0; i < r->count; i++) {
        if (r->events[i].data.u64 != EPOLL_ID_WAKE) continue;
        wake_fd_drain(&reactor->wake);
        r->events[i] = r->events[--r->count];
        break;
    }
    return r->count;
}

/* Fills ready with the listeners that have connections. */
static never_inline void epoll_find_ready(struct reactor_epoll *r) {
    struct epoll_event events[LISTENER_MAX];
    int count = epoll_wait(r->listeners_fd, events, LISTENER_MAX, 0);
    r->ready_count = 0;
    for (int i = 0; i < count; i++)
        r->ready[r->ready_count++] = (int)events[i].data.u64;
}

static struct epoll_listener *epoll_find_listener(struct reactor_epoll *r, int fd) {
    for (int i = 0; i < r->listener_count; i++) {
        if (r->listeners[i].fd == fd) return &r->listeners[i];
    }
    return NULL; /* removed since */
}

/* The last ready listener's next connection, or its failure. False: nothing to tell about it; it
 * may have left ready. */
static bool epoll_accept_one(struct reactor_epoll *r, struct reactor_event *out) {
    struct epoll_listener *listener = epoll_find_listener(r, r->ready[r->ready_count - 1]);
    if (!listener) {
        r->ready_count--;
        return false;
    }
    r->base.accepts_left--;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (likely(fd != -1)) {
        *out = (struct reactor_event){
            .kind = REACTOR_ACCEPTED, .result = fd, .handle = listener->handle};
        return true;
    }
    int error = errno;
    enum accept_failure failure = ACCEPT_EMPTY;
    if (error != EAGAIN) failure = reactor__accept_failed(&r->base, listener->fd, error);
    if (failure == ACCEPT_RETRY) return false;
    if (failure == ACCEPT_EMPTY) r->ready_count--;
    if (failure == ACCEPT_REST) {
        r->ready_count = 0;
        epoll_listeners_rest(r, true);
    }
    if (failure == ACCEPT_EMPTY || r->base.accept_failed_told) return false;
    r->base.accept_failed_told = true;
    *out = (struct reactor_event){
        .kind = REACTOR_ACCEPT_FAILED, .result = -error, .handle = listener->handle};
    return true;
}

static never_inline bool epoll_accept(struct reactor_epoll *r, struct reactor_event *out) {
    while (r->ready_count > 0 && r->base.accepts_left > 0) {
        if (epoll_accept_one(r, out)) return true;
    }
    r->ready_count = 0; /* level-triggered: the next poll tells what is left */
    return false;
}

/* What one event of a connection says; its mask keeps what is still to be told. */
always_inline_fn bool epoll_tell(struct reactor_epoll *r, struct epoll_event *event,
                                 struct reactor_event *out) {
    struct epoll_entry *entry = &r->entries[(uint32_t)event->data.u64];
    if (!entry->handle || entry->generation != event->data.u64 >> 32) return false;
    *out = (struct reactor_event){.kind = REACTOR_READABLE, .handle = entry->handle};
    uint32_t mask = event->events;
    if (mask & (EPOLLIN | epoll_ended)) {
        out->result = (mask & epoll_ended) != 0;
        /* A writer learns of the end too, by the call that fails. */
        event->events = mask & (EPOLLOUT | EPOLLHUP | EPOLLERR) ? EPOLLOUT : 0;
        return true;
    }
    event->events = 0;
    if (!(mask & EPOLLOUT) || !entry->wants_write) return false;
    entry->wants_write = false;
    out->kind = REACTOR_WRITABLE;
    return true;
}

static bool epoll_next(struct reactor *reactor, struct reactor_event *out) {
    struct reactor_epoll *r = epoll_of(reactor);
    if (r->ready_count > 0 && epoll_accept(r, out)) return true;
    while (r->next < r->count) {
        struct epoll_event *event = &r->events[r->next];
        if (unlikely(event->data.u64 == EPOLL_ID_LISTENERS)) {
            r->next++;
            reactor__begin_poll(&r->base); /* here and not in poll: the limit is the executor's */
            epoll_find_ready(r);
            if (epoll_accept(r, out)) return true;
        } else if (event->events != 0 && epoll_tell(r, event, out)) {
            if (event->events == 0) r->next++;
            return true;
        } else {
            r->next++;
        }
    }
    return false;
}

static const struct reactor_ops epoll_ops = {
    .name = "epoll",
    .engine = REACTOR_EPOLL,
    .polled_elsewhere = true,
    .destroy = epoll_destroy,
    .add_listener = epoll_add_listener,
    .remove_listener = epoll_remove_listener,
    .add = epoll_add,
    .forget = epoll_forget,
    .want_write = epoll_want_write,
    .poll = epoll_poll,
    .next = epoll_next,
};

enum err reactor__epoll_create(const struct reactor_options *options, struct reactor **out,
                               struct diag *diag) {
    struct reactor_epoll *r = mem_alloc_aligned(alignof(struct reactor_epoll), sizeof(*r));
    memset(r, 0, sizeof(*r));
    enum err err = reactor__init(&r->base, &epoll_ops, options, diag);
    if (err != ERR_NONE) {
        mem_free(r);
        return err;
    }
    r->fd = r->listeners_fd = -1;
    r->entry_count = size_max(options->max_fds, REACTOR_TABLE_MIN);
    r->entries = mem_zalloc_array(r->entry_count, sizeof(*r->entries));
    err = epoll_open(r, diag);
    if (err != ERR_NONE) {
        epoll_destroy(&r->base);
        return err;
    }
    *out = &r->base;
    return ERR_NONE;
}
