/* SPDX-License-Identifier: BSD-3-Clause */
/* listening -- the sockets on which clients arrive, as the options say, while they change.
 *
 * New sockets are opened before old ones close, and an address that stays keeps its socket: no
 * client is refused because of CONFIG SET, and a failure leaves what was there. Only where old and
 * new addresses overlap (* and 127.0.0.1 on one port) the old ones have to go first. */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "net/listener.h"
#include "server/server_config.h"

struct reactor;

struct listening {
    struct listener *open[LISTENER_MAX]; /* owned; each is its own handle in the reactor */
    int count;
    struct listener_set shown; /* copies of them, for INFO and the log */
    char *unix_path;           /* absolute, since dir may change; NULL: no Unix socket */
};

/* Opens the Unix socket, if there is one. */
must_use enum err listening_open_unix(struct listening *listening, struct reactor *reactor,
                                      const struct server_net *net, struct diag *diag);
/* Brings the TCP sockets in line with port and bind. What went wrong is logged; diag has a sentence
 * for CONFIG SET. After a failure the old sockets are there, but for those that had to go first:
 * calling this again with the old options opens them. */
must_use enum err listening_set_tcp(struct listening *listening, struct reactor *reactor,
                                    const struct server_net *net, struct diag *diag);
/* Closes all, and removes the Unix socket's file. */
void listening_close(struct listening *listening, struct reactor *reactor);
