/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/stream.h"

#include "base/check.h"
#include "client/address.h"
#include "client/tls_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static enum err open_socket(const struct client_target *target,
                            const struct client_options *options, int *out, struct diag *diag) {
    int family = target->address.ss_family;
    int protocol = options->mptcp && family != AF_UNIX ? IPPROTO_MPTCP : 0;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd == -1 && protocol != 0) {
        return diag_errno(diag, ERR_UNSUPPORTED, "this system has no Multipath TCP");
    }
    if (fd == -1) return diag_errno(diag, ERR_IO, "no socket");
    if (family != AF_UNIX) { /* a refusal only costs speed */
        int on = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    }
    *out = fd;
    return ERR_NONE;
}

enum err client_stream_dial(struct client_stream *stream, const struct client_target *target,
                            const struct client_options *options, struct client_tls *tls,
                            struct diag *diag) {
    *stream = (struct client_stream){.fd = -1, .events = POLLOUT};
    int fd = -1;
    enum err err = open_socket(target, options, &fd, diag);
    if (err != ERR_NONE) return err;
    stream->fd = fd;
    int done = connect(fd, (const struct sockaddr *)&target->address, target->size);
    if (done == 0) {
        stream->connected = true;
    } else if (errno != EINPROGRESS && errno != EINTR) {
        err = diag_set(diag, ERR_IO, "%s", strerror(errno));
        client_stream_close(stream);
        return err;
    }
    if (tls) {
        err = client__tls_start(tls, fd, &stream->tls, diag);
        if (err != ERR_NONE) client_stream_close(stream);
    }
    return err;
}

/* The socket is writable: is it connected, or has it failed? */
static enum err finish_connect(struct client_stream *stream, struct diag *diag) {
    struct pollfd poller = {.fd = stream->fd, .events = POLLOUT};
    if (poll(&poller, 1, 0) != 1) {
        stream->events = POLLOUT;
        return ERR_AGAIN;
    }
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1) error = errno;
    if (error != 0) {
        return diag_set(diag, ERR_IO, "%s", strerror(error));
    }
    stream->connected = true;
    return ERR_NONE;
}

enum err client_stream_finish(struct client_stream *stream, struct diag *diag) {
    check(stream->fd != -1);
    if (!stream->connected) {
        enum err err = finish_connect(stream, diag);
        if (err != ERR_NONE) return err;
    }
    if (stream->tls && !stream->greeted) {
        enum err err = client__tls_handshake(stream->tls, &stream->events, diag);
        if (err != ERR_NONE) return err;
    }
    stream->greeted = true;
    stream->events = POLLIN;
    return ERR_NONE;
}

void client_stream_close(struct client_stream *stream) {
    client__tls_end(&stream->tls);
    if (stream->fd != -1) close(stream->fd);
    *stream = (struct client_stream){.fd = -1};
}

enum err client_stream_read(struct client_stream *stream, void *data, size_t size, size_t *got,
                            struct diag *diag) {
    check(stream->greeted && size > 0);
    if (stream->tls) {
        return client__tls_read(stream->tls, bytes_make(data, size), got, &stream->events, diag);
    }
    ssize_t n = recv(stream->fd, data, size, 0);
    if (n > 0) {
        *got = (size_t)n;
        return ERR_NONE;
    }
    if (n == 0) return diag_set(diag, ERR_CLOSED, "Server closed the connection");
    if (errno == EAGAIN || errno == EINTR) {
        stream->events = POLLIN;
        return ERR_AGAIN;
    }
    if (errno == ECONNRESET) return diag_errno(diag, ERR_CLOSED, "the connection is gone");
    return diag_errno(diag, ERR_IO, "cannot read");
}

enum err client_stream_write(struct client_stream *stream, const void *data, size_t size,
                             size_t *sent, struct diag *diag) {
    check(stream->greeted && size > 0);
    if (stream->tls) {
        return client__tls_write(stream->tls, bytes_make(data, size), sent, &stream->events, diag);
    }
    ssize_t n = send(stream->fd, data, size, MSG_NOSIGNAL);
    if (n >= 0) {
        *sent = (size_t)n;
        return ERR_NONE;
    }
    if (errno == EAGAIN || errno == EINTR) {
        stream->events = POLLOUT;
        return ERR_AGAIN;
    }
    if (errno == EPIPE || errno == ECONNRESET) {
        return diag_errno(diag, ERR_CLOSED, "the connection is gone");
    }
    return diag_errno(diag, ERR_IO, "cannot write");
}

bool client_stream_has_pending(const struct client_stream *stream) {
    return stream->tls && client__tls_has_pending(stream->tls);
}
