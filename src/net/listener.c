/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/listener.h"

#include "base/mem.h"
#include "base/num.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum { GROUP_RECORD_MAX = 64 * 1024 };

/* One entry of the option bind. */
struct address {
    const char *text; /* without the '-' */
    const char *host; /* for getaddrinfo; NULL: any */
    int family;
    bool may_lack; /* no error if this machine does not have it */
};

static struct address address_parse(const char *text) {
    struct address address = {.may_lack = *text == '-'};
    if (address.may_lack) text++;
    address.text = address.host = text;
    address.family = strchr(text, ':') ? AF_INET6 : AF_INET;
    if (strcmp(text, "*") == 0) address.host = NULL;
    if (strcmp(text, "::*") == 0) {
        address.host = NULL;
        address.may_lack = true; /* a wildcard is whatever there is */
    }
    return address;
}

/* Caller frees with freeaddrinfo; 0 or an EAI_ code. Names mean IPv4 if they have such an
 * address. */
static int address_resolve(const struct address *address, int port, struct addrinfo **out) {
    char service[8];
    snprintf(service, sizeof(service), "%d", port);
    struct addrinfo hints = {
        .ai_family = address->family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    int error = getaddrinfo(address->host, service, &hints, out);
    if (error == 0 || address->family == AF_INET6) return error;
    hints.ai_family = AF_INET6;
    return getaddrinfo(address->host, service, &hints, out) == 0 ? 0 : error;
}

static bool family_is_missing(int error) {
    return error == EAFNOSUPPORT || error == EPFNOSUPPORT || error == ESOCKTNOSUPPORT ||
           error == EPROTONOSUPPORT || error == ENOPROTOOPT;
}

static bool set_option(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/* -1, with *step the call that failed and errno its reason. */
static int tcp_open(const struct addrinfo *info, const struct listen_tcp_options *options,
                    const char **step) {
    *step = "socket";
    int protocol = options->mptcp ? IPPROTO_MPTCP : 0;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd == -1) return -1;

    if (options->mark) {
        *step = "setsockopt(SO_MARK)";
        if (!set_option(fd, SOL_SOCKET, SO_MARK, (int)options->mark)) goto fail;
    }
    *step = "setsockopt(IPV6_V6ONLY)";
    if (info->ai_family == AF_INET6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) goto fail;
    *step = "setsockopt(SO_REUSEADDR)";
    if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1)) goto fail;
    *step = "bind";
    if (bind(fd, info->ai_addr, info->ai_addrlen) == -1) goto fail;
    *step = "listen";
    if (listen(fd, options->backlog) == -1) goto fail;
    return fd;

fail:;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void set_put(struct listener_set *set, int fd, enum listener_kind kind, const char *address,
                    int port) {
    struct listener *listener = &set->items[set->count++];
    *listener = (struct listener){.fd = fd, .kind = kind, .port = port};
    snprintf(listener->address, sizeof(listener->address), "%s", address);
}

/* Adds the listener of one address, or none if it may be lacking and is. */
static enum err tcp_add(struct listener_set *set, const char *text,
                        const struct listen_tcp_options *options, struct diag *diag) {
    static const char what[] = "Could not create server TCP listening socket";
    struct address address = address_parse(text);
    if (set->count == LISTENER_MAX)
        return diag_set(diag, ERR_RANGE, "%s %s:%d: more than %d listeners", what, address.text,
                        options->port, LISTENER_MAX);

    struct addrinfo *infos = NULL;
    int error = address_resolve(&address, options->port, &infos);
    if (error != 0) {
        const char *reason = error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
        return diag_set(diag, ERR_IO, "%s %s:%d: %s", what, address.text, options->port, reason);
    }
    int fd = -1;
    const char *step = "";
    for (struct addrinfo *info = infos; info && fd == -1; info = info->ai_next)
        fd = tcp_open(info, options, &step);
    int saved = errno;
    freeaddrinfo(infos);
    if (fd != -1) {
        set_put(set, fd, LISTENER_TCP, address.text, options->port);
        return ERR_NONE;
    }
    errno = saved;
    diag_errno(diag, ERR_IO, "%s %s:%d: %s", what, address.text, options->port, step);
    bool skipped = !options->mptcp && family_is_missing(saved);
    skipped |= address.may_lack && saved == EADDRNOTAVAIL;
    return skipped ? ERR_NONE : ERR_IO;
}

enum err listener_open_tcp(struct listener_set *set, const struct listen_tcp_options *options,
                           struct diag *diag) {
    if (options->port == 0) return ERR_NONE;
    int count_before = set->count;
    for (int i = 0; i < options->address_count; i++) {
        enum err err = tcp_add(set, options->addresses[i], options, diag);
        if (err == ERR_NONE) continue;
        while (set->count > count_before)
            close(set->items[--set->count].fd);
        return err;
    }
    return ERR_NONE;
}

/* ---- Unix sockets ---- */

/* By name, or else by number. */
static enum err group_find(const char *name, gid_t *out, struct diag *diag) {
    struct group record, *found = NULL;
    char *memory = mem_alloc(GROUP_RECORD_MAX);
    int error = getgrnam_r(name, &record, memory, GROUP_RECORD_MAX, &found);
    if (error == 0 && found) *out = record.gr_gid;
    mem_free(memory);
    if (error == 0 && found) return ERR_NONE;

    int64_t number;
    if (num_parse_i64(bytes_of(name), &number) && number >= 0 && number < UINT32_MAX) {
        *out = (gid_t)number;
        return ERR_NONE;
    }
    return diag_set(diag, ERR_NOT_FOUND, "unknown group '%s'", name);
}

/* Removes the file of a server that is gone. Anything else at this path is an error. */
static enum err unix_make_way(const struct sockaddr_un *name, struct diag *diag) {
    struct stat status;
    if (lstat(name->sun_path, &status) == -1) {
        if (errno == ENOENT) return ERR_NONE;
        return diag_errno(diag, ERR_IO, "lstat");
    }
    if (!S_ISSOCK(status.st_mode))
        return diag_set(diag, ERR_EXISTS, "the path exists and is not a socket");

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1) return diag_errno(diag, ERR_IO, "socket");
    int connected = connect(fd, (const struct sockaddr *)name, sizeof(*name));
    int error = connected == -1 ? errno : 0;
    close(fd);
    if (error != ECONNREFUSED)
        return diag_set(diag, ERR_EXISTS, "bind: %s", strerror(EADDRINUSE)); /* someone answers */
    if (unlink(name->sun_path) == -1) return diag_errno(diag, ERR_IO, "unlink");
    return ERR_NONE;
}

/* Permissions and group come between bind and listen: until the latter nobody can connect. */
static enum err unix_bind(int fd, const struct sockaddr_un *name, unsigned perm, const gid_t *group,
                          struct diag *diag) {
    if (bind(fd, (const struct sockaddr *)name, sizeof(*name)) == -1)
        return diag_errno(diag, ERR_IO, "bind");
    enum err err = ERR_NONE;
    if (group && chown(name->sun_path, (uid_t)-1, *group) == -1) {
        err = diag_errno(diag, ERR_IO, "chown");
    } else if (perm && chmod(name->sun_path, (mode_t)perm) == -1) {
        err = diag_errno(diag, ERR_IO, "chmod");
    }
    if (err != ERR_NONE) (void)unlink(name->sun_path);
    return err;
}

static enum err unix_open(const struct sockaddr_un *name, unsigned perm, const char *group,
                          int backlog, int *out, struct diag *diag) {
    gid_t gid = 0;
    bool has_group = group && *group;
    enum err err = has_group ? group_find(group, &gid, diag) : ERR_NONE;
    if (err == ERR_NONE) err = unix_make_way(name, diag);
    if (err != ERR_NONE) return err;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1) return diag_errno(diag, ERR_IO, "socket");
    err = unix_bind(fd, name, perm, has_group ? &gid : NULL, diag);
    if (err == ERR_NONE && listen(fd, backlog) == -1) {
        err = diag_errno(diag, ERR_IO, "listen");
        (void)unlink(name->sun_path);
    }
    if (err == ERR_NONE) {
        *out = fd;
    } else {
        close(fd);
    }
    return err;
}

enum err listener_open_unix(struct listener_set *set, const char *path, unsigned perm,
                            const char *group, int backlog, struct diag *diag) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct diag reason = {""};
    enum err err = ERR_RANGE;
    int fd = -1;
    size_t size = strlen(path);
    if (size >= sizeof(name.sun_path)) {
        (void)diag_set(&reason, err, "the path is longer than %zu bytes",
                       sizeof(name.sun_path) - 1);
    } else if (set->count == LISTENER_MAX) {
        (void)diag_set(&reason, err, "more than %d listeners", LISTENER_MAX);
    } else {
        memcpy(name.sun_path, path, size + 1);
        err = unix_open(&name, perm, group, backlog, &fd, &reason);
    }
    if (err != ERR_NONE)
        return diag_set(diag, err, "Failed opening Unix socket %.200s: %.250s", path, reason.text);
    set_put(set, fd, LISTENER_UNIX, path, 0);
    return ERR_NONE;
}

void listener_close(struct listener_set *set, enum listener_kind kind, bool unlink_file) {
    int kept = 0;
    for (int i = 0; i < set->count; i++) {
        struct listener *listener = &set->items[i];
        if (listener->kind != kind) {
            set->items[kept++] = *listener;
            continue;
        }
        close(listener->fd);
        if (kind == LISTENER_UNIX && unlink_file) (void)unlink(listener->address);
    }
    set->count = kept;
}
