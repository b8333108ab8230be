/* SPDX-License-Identifier: BSD-3-Clause */
/* link -- a connection as a blocking program wants it: send a request, wait for the reply.
 *
 * Waiting ends early with ERR_AGAIN when the time is over, or when the wake descriptor (a signalfd,
 * the terminal...) has something to read; nothing is lost, and the caller may wait again. Every
 * other error closes the link: client_link_is_open is false from then on. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "client/options.h"
#include "client/stream.h"
#include "resp/reply_reader.h"

enum { CLIENT_LINK_INPUT = 64 * 1024, CLIENT_WAIT_FOREVER = -1 };

struct client_link {
    struct client_stream stream;
    struct client_tls *tls;
    struct reply_reader reader;
    struct bytes input; /* arrived and not yet read: in room */
    char *room;         /* CLIENT_LINK_INPUT bytes */
    int wake_fd;        /* readable: stop waiting; -1: none */
};

void client_link_init(struct client_link *link);
void client_link_deinit(struct client_link *link);

/* Connects as options say, trying each address of the host; no greeting. An open link is closed
 * first. */
must_use enum err client_link_open(struct client_link *link, const struct client_options *options,
                                   struct diag *diag);
/* Says who asks, in which database and protocol. ERR_DENIED: the server said no, in diag; the link
 * stays open. */
must_use enum err client_link_greet(struct client_link *link, const struct client_options *options,
                                    struct diag *diag);
void client_link_close(struct client_link *link);
static inline bool client_link_is_open(const struct client_link *link) {
    return link->stream.fd != -1;
}

/* Whether the server is still there, without waiting: takes what has arrived. ERR_CLOSED and the
 * like: it has gone, and the link is closed. */
must_use enum err client_link_probe(struct client_link *link, struct diag *diag);
/* True if there is something to receive without a look at the socket. */
static inline bool client_link_has_input(const struct client_link *link) {
    return link->input.size > 0 || client_stream_has_pending(&link->stream);
}

/* Sends bytes, all of them. A server that sends without end while we do does not block us: what
 * arrives meanwhile stays in the socket. A wait that ends early closes the link here too: half a
 * request is under way. */
must_use enum err client_link_send(struct client_link *link, struct bytes data, struct diag *diag);
must_use enum err client_link_request(struct client_link *link, size_t argc,
                                      const struct bytes *argv, struct diag *diag);
/* The next reply (or push); *out is the caller's. timeout_ms: CLIENT_WAIT_FOREVER, or 0 and more.
 */
must_use enum err client_link_receive(struct client_link *link, int timeout_ms,
                                      struct resp_value **out, struct diag *diag);
/* Request and reply; pushes that come before it are dropped. words: NULL after the last. A wait
 * that ends early closes the link here: nobody would take the reply that is still to come. */
must_use enum err client_link_call(struct client_link *link, const char *const *words,
                                   struct resp_value **out, struct diag *diag);
must_use enum err client_link_call_args(struct client_link *link, size_t argc,
                                        const struct bytes *argv, struct resp_value **out,
                                        struct diag *diag);
/* Bytes as they come, for what is no reply (an RDB file). Not in the middle of a reply. *got > 0.
 * A line: the same up to LF, which must come within cap bytes; without its CR LF, with a NUL. */
must_use enum err client_link_read_raw(struct client_link *link, void *data, size_t size,
                                       int timeout_ms, size_t *got, struct diag *diag);
must_use enum err client_link_read_line(struct client_link *link, char *line, size_t cap,
                                        struct diag *diag);
/* Puts the last bytes that read_raw gave out back: no more than its last call gave. */
void client_link_unread(struct client_link *link, size_t size);
