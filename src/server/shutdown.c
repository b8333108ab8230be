/* SPDX-License-Identifier: BSD-3-Clause */
/* What SHUTDOWN and SIGTERM do. There is no data set on disk yet, so there is nothing to save: an
 * explicit wish to save is refused, unless it is forced. There are no replicas to wait for either,
 * so a shutdown is never under way while commands run. */
#include "base/log.h"
#include "server/server.h"
#include "server/signals.h"

#include <signal.h>

static size_t count_keys(struct keyspace *keyspace) {
    size_t count = 0;
    for (int32_t i = 0; i < keyspace_db_count(keyspace); i++)
        count += db_key_count(keyspace_db(keyspace, i));
    return count;
}

enum err server_shutdown(void *ctx, unsigned flags, struct diag *diag) {
    struct server *server = ctx;
    log_notice("User requested shutdown...");
    if ((flags & SHUTDOWN_SAVE) && !(flags & SHUTDOWN_FORCE)) {
        log_warning(
            "Error trying to save the DB, can't exit: this server does not write snapshots yet");
        log_warning("Errors trying to shut down the server. Check the logs for more information.");
        return diag_set(diag, ERR_UNSUPPORTED, "Errors trying to SHUTDOWN. Check logs.");
    }
    bool wants_save = server->reference.save.count > 0 && !(flags & SHUTDOWN_NOSAVE);
    if (wants_save && count_keys(server->keyspace) > 0) {
        log_warning("The data set is not saved: this server does not write snapshots yet");
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
