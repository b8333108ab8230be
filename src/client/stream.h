/* SPDX-License-Identifier: BSD-3-Clause */
/* stream -- a non-blocking connection to a server: a socket, with TLS over it or without.
 *
 *   client_stream_dial ──▶ CONNECTING ──client_stream_finish──▶ open ──▶ read, write ──▶ close
 *                              └──ERR_AGAIN: poll for client_stream_events, then again
 * Every call returns at once. After ERR_AGAIN the caller polls the descriptor for
 * client_stream_events (with TLS, reading may have to wait for writing) and calls again; a write is
 * then repeated with the same bytes. A stream is one thread's at a time; the TLS context may be
 * shared by the streams of several threads. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "client/options.h"

struct client_target;
struct client_tls;         /* what all TLS streams of a program share: certificates, ciphers */
struct client_tls_session; /* one connection's TLS */

struct client_stream {
    int fd;                         /* -1: closed */
    short events;                   /* POLLIN or POLLOUT: what the last ERR_AGAIN waits for */
    bool connected;                 /* the TCP connection stands */
    bool greeted;                   /* and so does TLS, if there is to be any */
    struct client_tls_session *tls; /* NULL: plain */
};

/* Reads the certificates. ERR_UNSUPPORTED in a build without TLS. *out is the caller's. */
must_use enum err client_tls_create(const struct client_tls_options *options,
                                    struct client_tls **out, struct diag *diag);
void client_tls_destroy(struct client_tls **tls);

/* Begins to connect to a target; tls NULL: plain. The stream is closed on failure. */
must_use enum err client_stream_dial(struct client_stream *stream,
                                     const struct client_target *target,
                                     const struct client_options *options, struct client_tls *tls,
                                     struct diag *diag);
/* Goes on connecting: ERR_NONE when the stream can be read and written. */
must_use enum err client_stream_finish(struct client_stream *stream, struct diag *diag);
void client_stream_close(
    struct client_stream *stream); /* a closed or zeroed one is fine if fd is -1 */

/* At most size bytes; *got > 0. ERR_CLOSED: the server has closed the connection. */
must_use enum err client_stream_read(struct client_stream *stream, void *data, size_t size,
                                     size_t *got, struct diag *diag);
/* At most size bytes; *sent > 0. */
must_use enum err client_stream_write(struct client_stream *stream, const void *data, size_t size,
                                      size_t *sent, struct diag *diag);
/* True if bytes that have arrived wait inside TLS, so that polling the descriptor says nothing. */
bool client_stream_has_pending(const struct client_stream *stream);
static inline short client_stream_events(const struct client_stream *stream) {
    return stream->events;
}
