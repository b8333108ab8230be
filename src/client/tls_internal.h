/* SPDX-License-Identifier: BSD-3-Clause */
/* tls_internal -- one connection's TLS, as stream.c uses it. In a build without TLS no session
 * exists, and none of these is ever called. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

struct client_tls;
struct client_tls_session;

/* Borrows the socket. Certificates are checked up to an authority; which host they are for is not
 * looked at, as servers are often reached by addresses that no certificate names. */
must_use enum err client__tls_start(struct client_tls *tls, int fd, struct client_tls_session **out,
                                    struct diag *diag);
/* Says goodbye if that needs no waiting. */
void client__tls_end(struct client_tls_session **session);

/* ERR_AGAIN sets *events to what to poll for. */
must_use enum err client__tls_handshake(struct client_tls_session *session, short *events,
                                        struct diag *diag);
must_use enum err client__tls_read(struct client_tls_session *session, struct bytes room,
                                   size_t *got, short *events, struct diag *diag);
must_use enum err client__tls_write(struct client_tls_session *session, struct bytes data,
                                    size_t *sent, short *events, struct diag *diag);
bool client__tls_has_pending(const struct client_tls_session *session);
