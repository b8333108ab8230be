/* SPDX-License-Identifier: BSD-3-Clause */
/* What an accepted connection's socket is set to, and what it says about its ends. */
#include "net/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { KEEPALIVE_PROBES = 3 }; /* unanswered ones that end a connection */

union socket_name {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_storage storage;
};

static void socket_set(int fd, int level, int name, int value) {
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

void socket_configure(int fd, const struct socket_options *options) {
    if (options->no_delay) socket_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (options->mark) socket_set(fd, SOL_SOCKET, SO_MARK, (int)options->mark);
    if (options->keepalive_s <= 0) return;
    int interval_s = options->keepalive_s / KEEPALIVE_PROBES;
    socket_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    socket_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, options->keepalive_s);
    socket_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval_s > 0 ? interval_s : 1);
    socket_set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

/* Zeroed beyond what the kernel fills in, so that a path ends in NUL. */
static bool socket_name_of(int fd, bool peer, union socket_name *name) {
    memset(name, 0, sizeof(*name));
    socklen_t size = sizeof(*name) - 1;
    return (peer ? getpeername(fd, &name->any, &size) : getsockname(fd, &name->any, &size)) == 0;
}

void socket_endpoint(int fd, bool peer, char out[ENDPOINT_TEXT_MAX]) {
    union socket_name name;
    char ip[INET6_ADDRSTRLEN];
    (void)snprintf(out, ENDPOINT_TEXT_MAX, "?:0");
    if (!socket_name_of(fd, peer, &name)) return;

    if (name.any.sa_family == AF_INET) {
        if (!inet_ntop(AF_INET, &name.in.sin_addr, ip, sizeof(ip))) return;
        (void)snprintf(out, ENDPOINT_TEXT_MAX, "%s:%d", ip, ntohs(name.in.sin_port));
    } else if (name.any.sa_family == AF_INET6) {
        if (!inet_ntop(AF_INET6, &name.in6.sin6_addr, ip, sizeof(ip))) return;
        (void)snprintf(out, ENDPOINT_TEXT_MAX, "[%s]:%d", ip, ntohs(name.in6.sin6_port));
    } else if (name.any.sa_family == AF_UNIX) {
        /* The peer of a listener's connection has no name of its own; both ends go by ours. */
        if (peer && name.un.sun_path[0] == '\0' && !socket_name_of(fd, false, &name)) return;
        (void)snprintf(out, ENDPOINT_TEXT_MAX, "%s:0", name.un.sun_path);
    }
}

bool socket_peer_is_local(int fd) {
    union socket_name name;
    if (!socket_name_of(fd, true, &name)) return false;
    switch (name.any.sa_family) {
    case AF_UNIX: return true;
    case AF_INET: return ntohl(name.in.sin_addr.s_addr) >> 24 == 127;
    case AF_INET6: {
        const struct in6_addr *ip = &name.in6.sin6_addr;
        if (IN6_IS_ADDR_LOOPBACK(ip)) return true;
        return IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 127;
    }
    }
    return false;
}
