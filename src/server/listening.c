/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/listening.h"

#include "base/log.h"
#include "base/mem.h"
#include "net/reactor.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void show(struct listening *listening) {
    for (int i = 0; i < listening->count; i++)
        listening->shown.items[i] = *listening->open[i];
    listening->shown.count = listening->count;
}

/* Closes the listener at index. */
static void drop(struct listening *listening, struct reactor *reactor, int index) {
    struct listener *listener = listening->open[index];
    reactor_remove_listener(reactor, listener->fd, listener);
    close(listener->fd);
    mem_free(listener);
    listening->count--;
    for (int i = index; i < listening->count; i++)
        listening->open[i] = listening->open[i + 1];
}

/* Takes over the sockets of set, the first one at index 0 of it. On failure those that were not
 * taken are closed, those that were stay. */
static enum err adopt(struct listening *listening, struct reactor *reactor,
                      struct listener_set *set, struct diag *diag) {
    enum err err = ERR_NONE;
    for (int i = 0; i < set->count; i++) {
        struct listener *listener = mem_alloc(sizeof(*listener));
        *listener = set->items[i];
        if (err == ERR_NONE && listening->count == LISTENER_MAX)
            err = diag_set(diag, ERR_RANGE, "more than %d listeners", LISTENER_MAX);
        if (err == ERR_NONE) err = reactor_add_listener(reactor, listener->fd, listener, diag);
        if (err == ERR_NONE) {
            listening->open[listening->count++] = listener;
        } else {
            close(listener->fd);
            mem_free(listener);
        }
    }
    set->count = 0;
    return err;
}

/* ---- Unix ---- */

enum err listening_open_unix(struct listening *listening, struct reactor *reactor,
                             const struct server_net *net, struct diag *diag) {
    if (!net->unixsocket || !net->unixsocket[0]) return ERR_NONE;
    struct listener_set fresh = {.count = 0};
    enum err err = listener_open_unix(&fresh, net->unixsocket, net->unixsocketperm,
                                      net->unixsocketgroup, net->tcp_backlog, diag);
    if (err != ERR_NONE) return err;
    char real[PATH_MAX];
    if (realpath(net->unixsocket, real)) listening->unix_path = mem_strdup(real);
    err = adopt(listening, reactor, &fresh, diag);
    show(listening);
    return err;
}

/* ---- TCP ---- */

static const char *address_name(const char *bind) { return bind[0] == '-' ? bind + 1 : bind; }

static bool is_wanted(const struct listener *listener, const struct server_net *net) {
    if (listener->kind != LISTENER_TCP) return true;
    if (listener->port != net->port) return false;
    for (size_t i = 0; i < net->bind.count; i++) {
        if (strcmp(listener->address, address_name(net->bind.at[i])) == 0) return true;
    }
    return false;
}

static bool is_open(const struct listening *listening, const char *address, int port) {
    for (int i = 0; i < listening->count; i++) {
        const struct listener *listener = listening->open[i];
        if (listener->kind == LISTENER_TCP && listener->port == port &&
            strcmp(listener->address, address) == 0)
            return true;
    }
    return false;
}

/* Closes what is no longer wanted: all of it, or what is on this port. True if there was any. */
static bool drop_unwanted(struct listening *listening, struct reactor *reactor,
                          const struct server_net *net, bool same_port_only) {
    bool any = false;
    for (int i = listening->count; i-- > 0;) {
        if (is_wanted(listening->open[i], net)) continue;
        if (same_port_only && listening->open[i]->port != net->port) continue;
        drop(listening, reactor, i);
        any = true;
    }
    return any;
}

/* Opens the addresses that are wanted and not open yet; all or nothing. */
static enum err open_missing(const struct listening *listening, const struct server_net *net,
                             struct listener_set *fresh, struct diag *diag) {
    const char *missing[TEXT_LIST_MAX];
    struct listen_tcp_options options = {
        .addresses = missing,
        .port = net->port,
        .backlog = net->tcp_backlog,
        .mark = net->socket_mark_id,
        .mptcp = net->mptcp,
    };
    for (size_t i = 0; i < net->bind.count; i++) {
        if (is_open(listening, address_name(net->bind.at[i]), net->port)) continue;
        missing[options.address_count++] = net->bind.at[i];
    }
    return listener_open_tcp(fresh, &options, diag);
}

enum err listening_set_tcp(struct listening *listening, struct reactor *reactor,
                           const struct server_net *net, struct diag *diag) {
    struct listener_set fresh = {.count = 0};
    struct diag reason = {0};
    bool port_is_new = true;
    for (int i = 0; i < listening->count; i++)
        port_is_new &= listening->open[i]->port != net->port;

    enum err err = open_missing(listening, net, &fresh, &reason);
    if (err != ERR_NONE && drop_unwanted(listening, reactor, net, true)) {
        reason = (struct diag){0};
        err = open_missing(listening, net, &fresh, &reason);
    }
    if (err == ERR_NONE) {
        /* Not an error, but somebody may miss an address that was to be left out if lacking. */
        if (reason.text[0]) log_verbose("%s", reason.text);
        err = adopt(listening, reactor, &fresh, &reason);
    }
    if (err == ERR_NONE) {
        (void)drop_unwanted(listening, reactor, net, false);
    } else {
        log_warning("%s", reason.text);
        log_warning("Failed listening on port %d (tcp), aborting.", (int)net->port);
        (void)diag_set(diag, err, "%s",
                       port_is_new ? "Unable to listen on this port. Check server logs."
                                   : "Failed to bind to specified addresses.");
    }
    show(listening);
    return err;
}

void listening_close(struct listening *listening, struct reactor *reactor) {
    while (listening->count)
        drop(listening, reactor, listening->count - 1);
    listening->shown.count = 0;
    if (!listening->unix_path) return;
    log_notice("Removing the unix socket file.");
    (void)unlink(listening->unix_path); /* somebody else may have removed it */
    mem_free(listening->unix_path);
    listening->unix_path = NULL;
}
