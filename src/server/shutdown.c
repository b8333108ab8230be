/* SPDX-License-Identifier: BSD-3-Clause */
/* What SHUTDOWN and SIGTERM do: they save, if asked to or if the options ask for snapshots, and
 * then the loop ends. There are no replicas to wait for, so a shutdown is never under way while
 * commands run. */
#include "base/log.h"
#include "server/server.h"
#include "server/signals.h"

#include <signal.h>

/* A data set that is half loaded is never saved: the file has all of it. */
static bool wants_save(const struct server *server, unsigned flags) {
    if (server->persist->loading || (flags & SHUTDOWN_NOSAVE)) return false;
    return (flags & SHUTDOWN_SAVE) || persist_has_save_points(server->persist);
}

static bool save(struct server *server) {
    struct diag diag = {0};
    log_notice("Saving the final RDB snapshot before exiting.");
    return persist_save(server->persist, &diag) == ERR_NONE;
}

enum err server_shutdown(void *ctx, unsigned flags, struct diag *diag) {
    struct server *server = ctx;
    log_notice("User requested shutdown...");
    if (wants_save(server, flags) && !save(server) && !(flags & SHUTDOWN_FORCE)) {
        log_warning("Error trying to save the DB, can't exit.");
        log_warning("Errors trying to shut down the server. Check the logs for more information.");
        return diag_set(diag, ERR_IO, "Errors trying to SHUTDOWN. Check logs.");
    }
    server->exec->stopping = true;
    return ERR_NONE;
}

enum err server_shutdown_abort(void *ctx) {
    (void)ctx;
    return ERR_NOT_FOUND;
}

void server_check_signals(struct server *server) {
    int signal_number = signals_take();
    if (!signal_number) return;
    const struct server_daemon *daemon = &server->config.daemon;
    bool interrupted = signal_number == SIGINT;
    const char *name = interrupted ? "SIGINT" : "SIGTERM";
    struct diag diag;
    log_warning("Received %s scheduling shutdown...", name);
    unsigned flags = interrupted ? daemon->on_sigint : daemon->on_sigterm;
    if (server_shutdown(server, flags, &diag) == ERR_NONE) return;
    log_warning("%s received but errors trying to shut down the server, check the logs", name);
    signals_forget();
}
