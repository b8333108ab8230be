/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/reactor.h"

#include "base/check.h"
#include "base/clock.h"
#include "net/reactor_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What REACTOR_AUTO means, until the engines are measured against each other in the whole server:
 * with readiness, I/O threads read and write on their own, and polls can be made elsewhere. */
static const enum reactor_engine reactor_auto_engine = REACTOR_EPOLL;

enum err reactor_create(const struct reactor_options *options, struct reactor **out,
                        struct diag *diag) {
    enum reactor_engine engine = options->engine;
    if (engine == REACTOR_AUTO) engine = reactor_auto_engine;
    if (engine == REACTOR_EPOLL) return reactor__epoll_create(options, out, diag);

    struct diag reason = {""};
    enum err err = reactor__uring_create(options, out, &reason);
    if (err == ERR_NONE) return ERR_NONE;
    err = reactor__epoll_create(options, out, diag);
    if (err != ERR_NONE) return err;
    return diag_set(diag, ERR_NONE, "io_uring is not available (%.400s); using epoll", reason.text);
}

void reactor_destroy(struct reactor **reactor) {
    if (!*reactor) return;
    (*reactor)->ops->destroy(*reactor);
    *reactor = NULL;
}

enum reactor_engine reactor_engine_in_use(const struct reactor *reactor) {
    return reactor->ops->engine;
}
const char *reactor_name(const struct reactor *reactor) { return reactor->ops->name; }
bool reactor_can_be_polled_elsewhere(const struct reactor *reactor) {
    return reactor->ops->polled_elsewhere;
}
void reactor_set_accepts_per_poll(struct reactor *reactor, uint32_t count) {
    reactor->accepts_per_poll = count ? count : 1;
}

enum err reactor_add_listener(struct reactor *reactor, int fd, void *handle, struct diag *diag) {
    check(fd >= 0);
    check(handle != NULL);
    return reactor->ops->add_listener(reactor, fd, handle, diag);
}
void reactor_remove_listener(struct reactor *reactor, int fd, void *handle) {
    reactor->ops->remove_listener(reactor, fd, handle);
}
enum err reactor_add(struct reactor *reactor, int fd, void *handle, struct diag *diag) {
    check(fd >= 0);
    check(handle != NULL);
    return reactor->ops->add(reactor, fd, handle, diag);
}
void reactor_forget(struct reactor *reactor, int fd, void *handle) {
    reactor->ops->forget(reactor, fd, handle);
}
void reactor_pause_receive(struct reactor *reactor, int fd, void *handle, bool paused) {
    if (reactor->ops->pause_receive) reactor->ops->pause_receive(reactor, fd, handle, paused);
}
void reactor_want_write(struct reactor *reactor, int fd, void *handle, bool wanted) {
    reactor->ops->want_write(reactor, fd, handle, wanted);
}
enum err reactor_send(struct reactor *reactor, int fd, void *handle,
                      const struct reply_block *blocks, size_t offset) {
    if (!reactor->ops->send) return ERR_UNSUPPORTED;
    check(blocks != NULL);
    return reactor->ops->send(reactor, fd, handle, blocks, offset);
}
void reactor_flush(struct reactor *reactor) {
    if (reactor->ops->flush) reactor->ops->flush(reactor);
}

void reactor_prepare_sleep(struct reactor *reactor) {
    wake_fd_prepare(&reactor->wake);
    reactor->sleep_announced = true;
}

int reactor_poll(struct reactor *reactor, int64_t timeout_us) {
    if (timeout_us != 0 && !reactor->sleep_announced) reactor_prepare_sleep(reactor);
    int count = reactor->ops->poll(reactor, timeout_us);
    if (reactor->sleep_announced) {
        wake_fd_cancel(&reactor->wake);
        reactor->sleep_announced = false;
    }
    return count;
}

bool reactor_next(struct reactor *reactor, struct reactor_event *out) {
    return reactor->ops->next(reactor, out);
}
void reactor_buffer_done(struct reactor *reactor, uint32_t buffer) {
    check(reactor->ops->buffer_done != NULL);
    reactor->ops->buffer_done(reactor, buffer);
}
void reactor_wake(struct reactor *reactor) { (void)wake_fd_signal(&reactor->wake); }
bool reactor_seems_asleep(const struct reactor *reactor) {
    return wake_fd_is_parked(&reactor->wake);
}

/* ---- for the engines ---- */

static int reserve_open(void) { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

enum err reactor__init(struct reactor *reactor, const struct reactor_ops *ops,
                       const struct reactor_options *options, struct diag *diag) {
    enum err err = wake_fd_init(&reactor->wake, diag);
    if (err != ERR_NONE) return err;
    reactor->ops = ops;
    reactor->sleep_announced = false;
    reactor->accepts_per_poll = options->accepts_per_poll ? options->accepts_per_poll : 1;
    reactor__begin_poll(reactor);
    reactor->reserve_fd = reserve_open(); /* without one, accepting rests instead of refusing */
    reactor->accept_resume_ns = 0;
    return ERR_NONE;
}

void reactor__deinit(struct reactor *reactor) {
    wake_fd_deinit(&reactor->wake);
    if (reactor->reserve_fd != -1) close(reactor->reserve_fd);
    reactor->reserve_fd = -1;
}

int64_t reactor__shorten(const struct reactor *reactor, int64_t timeout_us) {
    if (!reactor->accept_resume_ns || timeout_us == 0) return timeout_us;
    int64_t rest_us = (reactor->accept_resume_ns - clock_mono_ns()) / 1000 + 1;
    rest_us = i64_max(rest_us, 0);
    return timeout_us < 0 ? rest_us : i64_min(timeout_us, rest_us);
}

bool reactor__accept_may_resume(struct reactor *reactor) {
    if (likely(!reactor->accept_resume_ns)) return false;
    if (clock_mono_ns() < reactor->accept_resume_ns) return false;
    reactor->accept_resume_ns = 0;
    return true;
}

/* Accepts one connection in place of the reserve descriptor and closes it, so that its client
 * learns at once that there is no room. */
static enum accept_failure accept_refuse(struct reactor *reactor, int listener_fd) {
    if (reactor->reserve_fd == -1) reactor->reserve_fd = reserve_open();
    if (reactor->reserve_fd == -1) return ACCEPT_REST;
    close(reactor->reserve_fd);
    int fd = accept4(listener_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int error = fd == -1 ? errno : 0;
    if (fd != -1) close(fd);
    reactor->reserve_fd = reserve_open();
    if (error == EAGAIN) return ACCEPT_EMPTY;
    return error == 0 ? ACCEPT_REFUSED : ACCEPT_REST;
}

enum accept_failure reactor__accept_failed(struct reactor *reactor, int listener_fd, int error) {
    enum accept_failure failure = ACCEPT_REST;
    switch (error) {
    case EINTR:
    case ECONNABORTED: /* the peer, or the way to it, has gone since: see accept(2) */
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETUNREACH: return ACCEPT_RETRY;
    case EMFILE:
    case ENFILE: failure = accept_refuse(reactor, listener_fd); break;
    }
    if (failure == ACCEPT_REST)
        reactor->accept_resume_ns = clock_mono_ns() + REACTOR_ACCEPT_PAUSE_MS * 1000000ll;
    return failure;
}
