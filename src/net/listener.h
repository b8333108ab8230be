/* SPDX-License-Identifier: BSD-3-Clause */
/* listener -- the sockets on which clients arrive: TCP on several addresses, and a Unix socket. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

enum listener_kind { LISTENER_TCP = 0, LISTENER_UNIX, LISTENER_TLS };
enum { LISTENER_MAX = 40, LISTENER_ADDRESS_MAX = 16, ENDPOINT_TEXT_MAX = 128 };

struct listener {
    int fd;
    enum listener_kind kind;
    char address[ENDPOINT_TEXT_MAX]; /* as configured, without the '-'; or the path */
    int port;
};

struct listener_set {
    struct listener items[LISTENER_MAX];
    int count;
};

struct listen_tcp_options {
    const char *const *addresses; /* "127.0.0.1", "::1", "*", "-::1": a '-' means may be missing */
    int address_count;            /* 0: no TCP at all */
    int port;                     /* 0: no TCP at all */
    int backlog;
    uint32_t mark; /* option socket-mark-id, 0: none */
    bool mptcp;
};
/* Adds listening sockets (non-blocking, close-on-exec, SO_REUSEADDR, IPv6 ones only IPv6). All or
 * nothing, but: an address whose family this machine does not support is skipped, and one that no
 * interface has if it is "::*" or marked '-'. The diag then says why, with ERR_NONE; set->count
 * tells whether anything was opened. */
must_use enum err listener_open_tcp(struct listener_set *set,
                                    const struct listen_tcp_options *options, struct diag *diag);
/* The socket file gets perm (0: by umask) and group (name or number; NULL or "": own) before anyone
 * can connect. A stale socket is replaced; one that answers, or any other file, is an error. */
must_use enum err listener_open_unix(struct listener_set *set, const char *path, unsigned perm,
                                     const char *group, int backlog, struct diag *diag);
/* Closes those of a kind; unlink also removes the Unix socket's file. */
void listener_close(struct listener_set *set, enum listener_kind kind, bool unlink_file);

struct socket_options {
    int keepalive_s; /* option tcp-keepalive, 0: off */
    uint32_t mark;
    bool no_delay;
};
/* For an accepted TCP connection. Failures are of no consequence and ignored. */
void socket_configure(int fd, const struct socket_options *options);
/* "ip:port", "[ip6]:port" or "path:0" (for both ends of a Unix connection the listener's path);
 * "?:0" if unknown. */
void socket_endpoint(int fd, bool peer, char out[ENDPOINT_TEXT_MAX]);
/* True if the peer is on this machine (loopback or Unix). */
bool socket_peer_is_local(int fd);
