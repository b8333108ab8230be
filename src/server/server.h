/* SPDX-License-Identifier: BSD-3-Clause */
/* server -- the process: creates each subsystem, connects them, runs the loop, takes all down.
 *
 *   main ─▶ options loaded ─▶ server_create_commands ─▶ server_init ─▶ server_listen
 *                                  server_deinit ◀─ server_run (loop_turn, cron) ◀─┘
 * Only this folder sees all the others. */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "commands/info.h"
#include "exec/exec.h"
#include "server/listening.h"
#include "server/options_reference.h"
#include "server/server_config.h"
#include "server/system.h"
#include "server/title.h"
#include "sync/thread.h"

struct background;

struct server {
    struct server_config config;
    struct reference_config reference;
    struct config *engine;
    struct command_table *commands;
    struct keyspace *keyspace;
    struct persist *persist;
    struct stats_registry *registry;
    struct reactor *reactor;
    struct io *io;
    struct exec *exec;
    struct background *background;
    struct info *info;
    struct pubsub *pubsub;
    struct tracking *tracking;
    struct info_server about;
    struct listening listening;
    struct title_room title;
    struct oom_score oom;
    struct cpulist cpus; /* option server-cpulist */
    enum supervised supervised;
    bool background_process; /* daemonized */
    const char *program;     /* as it was called */
    char *executable;        /* absolute path; owned */
    char *config_file;       /* absolute path, owned; NULL: none */
    char *pidfile;           /* what was written, absolute, owned; NULL: none */
};

/* Adds all options, with their defaults, and what CONFIG SET calls. */
void server_create_options(struct server *server);
/* Builds the command table and renames as the options say; needs the hash key. The fault names the
 * line that asks for a renaming that cannot be. */
must_use enum err server_create_commands(struct server *server, struct config_fault *fault);
/* Creates the rest from the options that have been loaded. After a failure server_deinit is due. */
must_use enum err server_init(struct server *server, struct diag *diag);
/* Opens the sockets the options name; it is an error if they name none. */
must_use enum err server_listen(struct server *server, struct diag *diag);
/* Loads the snapshot, if there is one, and serves meanwhile: a shutdown may come. False: it cannot
 * be loaded, and the log says why. */
must_use bool server_load(struct server *server);
/* Serves until a shutdown. */
void server_run(struct server *server);
/* Flushes replies, removes what lies in the file system, ends all threads, frees everything. Needs
 * only server_create_options to have run. */
void server_deinit(struct server *server);

/* ---- hooks.c ---- */

/* Connects CONFIG SET with the parts it changes. */
void server_set_hooks(struct server *server);
/* Gives every part the values that were loaded. */
must_use enum err server_apply_config(struct server *server, struct diag *diag);
/* The option io-threads with "auto" resolved. */
int server_io_threads(const struct server *server);
void server_update_title(struct server *server);

/* ---- shutdown.c: for exec_hooks; ctx is the server ---- */

/* Ends the loop, unless data would be lost that was to be saved. flags: enum shutdown_flag. */
enum err server_shutdown(void *ctx, unsigned flags, struct diag *diag);
enum err server_shutdown_abort(void *ctx);
/* Deals with SIGTERM and SIGINT. */
void server_check_signals(struct server *server);

/* ---- crash_info.c ---- */

/* What the crash report says about the server: INFO, the current client and its command. */
void server_describe_crash(struct buf *out, void *ctx);
/* Removes the pid file of a process that crashes. */
void server_clean_after_crash(void *ctx);
