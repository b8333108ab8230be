/* SPDX-License-Identifier: BSD-3-Clause */
/* address -- names of servers: URIs, and the socket addresses that a host name has. */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "client/options.h"

#include <sys/socket.h>

struct buf;

enum { CLIENT_TARGETS_MAX = 16 };

/* One place where a server may be reached. */
struct client_target {
    struct sockaddr_storage address;
    socklen_t size;
};

/* scheme://[[user]:password@]host[:port][/db] into options; parts that are not there stay as they
 * were. Schemes valkey and redis; valkeys and rediss turn TLS on. %XX stands for a byte; an IPv6
 * host is in brackets. options are untouched on failure. */
must_use enum err client_parse_uri(const char *uri, struct client_options *options,
                                   struct diag *diag);

/* The addresses of options' socket, or of its host and port, those of the preferred family first.
 * May ask name servers. *count is 1..CLIENT_TARGETS_MAX. */
must_use enum err client_resolve(const struct client_options *options,
                                 struct client_target targets[CLIENT_TARGETS_MAX], size_t *count,
                                 struct diag *diag);
/* "host:port", "[v6]:port" or the socket's path: how prompts and messages name the server. */
void client_describe(const struct client_options *options, struct buf *out);
