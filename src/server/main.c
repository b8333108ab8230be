/* SPDX-License-Identifier: BSD-3-Clause */
/* valkey-server: the daemon. Reads its configuration, starts the server, runs it until it ends. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/version.h"
#include "config/config.h"
#include "server/cmdline.h"
#include "server/daemon.h"
#include "server/server.h"
#include "server/signals.h"
#include "server/start_log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- instead of a running server ---- */

static void seed_hash(const struct server *server) {
    struct hash_key key;
    const char *seed = server->config.keys.hash_seed;
    if (seed && seed[0]) {
        hash_key_from_text(&key, bytes_of(seed));
    } else {
        random_os(&key, sizeof(key));
    }
    hash_init(&key);
}

/* Options are checked by loading them, renamed commands by renaming them. */
static bool check_config(const struct cmdline *line, struct server *server, struct buf *out) {
    struct config_fault fault = {0};
    server_create_options(server);
    bool good = cmdline_check_config(line, server->engine, out);
    seed_hash(server);
    if (good && server_create_commands(server, &fault) != ERR_NONE) {
        buf_clear(out);
        config_fault_brief(&fault, out);
        buf_add_char(out, '\n');
        good = false;
    }
    server_deinit(server);
    return good;
}

static int run_other_action(const struct cmdline *line, struct server *server) {
    struct buf text = {0};
    bool good = true;
    switch (line->action) {
    case CMDLINE_RUN: break;
    case CMDLINE_VERSION: cmdline_version(&text); break;
    case CMDLINE_HELP: cmdline_help(server->program, &text); break;
    case CMDLINE_TEST_MEMORY: good = cmdline_test_memory(line->test_megabytes, stdout); break;
    case CMDLINE_CHECK_CONFIG: good = check_config(line, server, &text); break;
    }
    if (text.size && fwrite(text.data, 1, text.size, stdout) != text.size) good = false;
    if (fflush(stdout) != 0) good = false; /* a full disk, a reader that has gone */
    buf_deinit(&text);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- the start ---- */

static char *absolute_path(const char *path) {
    char real[PATH_MAX];
    return realpath(path, real) ? mem_strdup(real) : NULL;
}

static void describe_fault(const struct config_fault *fault) {
    struct buf text = {0};
    config_fault_describe(fault, "Valkey " VALKEY_VERSION, &text);
    (void)fwrite(text.data, 1, text.size, stderr);
    buf_deinit(&text);
}

/* Options and renamed commands. False: said why. */
static bool load_config(struct server *server, const struct cmdline *line) {
    struct config_fault fault = {0};
    server->executable = absolute_path("/proc/self/exe");
    if (!server->executable) server->executable = mem_strdup(server->program);
    if (line->file) server->config_file = absolute_path(line->file);
    enum err err = cmdline_load(line, server->engine, &fault);
    if (err == ERR_NONE) {
        seed_hash(server);
        err = server_create_commands(server, &fault);
    }
    if (err != ERR_NONE) describe_fault(&fault);
    return err == ERR_NONE;
}

/* The process around the server: directory, log, background. False: said why. */
static bool become_daemon(struct server *server) {
    const struct server_daemon *options = &server->config.daemon;
    struct diag diag = {0};
    if (options->dir && options->dir[0] && chdir(options->dir) == -1) {
        fprintf(stderr, "Can't chdir to '%s': %s\n", options->dir, strerror(errno));
        return false;
    }
    if (log_configure(&server->config.log, &diag) != ERR_NONE) {
        fprintf(stderr, "%s\n", diag.text);
        return false;
    }
    signals_ignore();
    server->supervised = daemon_supervisor(options->supervised);
    /* A supervisor wants its child, and no grandchild. */
    server->background_process = options->daemonize && server->supervised == SUPERVISED_NO;
    if (server->background_process && daemon_detach(&diag) != ERR_NONE) {
        fprintf(stderr, "Can't become a daemon: %s\n", diag.text);
        return false;
    }
    return true;
}

static void write_pidfile(struct server *server) {
    const char *path = server->config.daemon.pidfile;
    if (!path && server->background_process) path = DAEMON_PIDFILE_DEFAULT;
    if (path) server->pidfile = daemon_write_pidfile(path);
}

static bool start(struct server *server, const struct cmdline *line) {
    struct diag diag = {0};
    const struct crash_hooks hooks = {
        .describe = server_describe_crash, .before_exit = server_clean_after_crash, .ctx = server};
    crash_install(&hooks); /* before the threads, so that each gets a stack for its report */
    start_log_version(server, line);
    enum err err = server_init(server, &diag);
    if (err == ERR_NONE) {
        start_log_banner(&server->config);
        err = server_listen(server, &diag);
    }
    if (err != ERR_NONE) {
        log_warning("%s", diag.text);
        return false;
    }
    signals_install(server->reactor);
    write_pidfile(server);
    log_notice("Server initialized");
    system_warn(&server->config);
    if (!server_load(server)) return false;
    if (server->exec->stopping) return true;
    start_log_ready(server);
    daemon_notify_ready(server->supervised, "Ready to accept connections");
    return true;
}

static int run_server(struct server *server, const struct cmdline *line) {
    server_create_options(server);
    bool good = load_config(server, line) && become_daemon(server) && start(server, line);
    if (good) server_run(server);
    server_deinit(server);
    if (good) log_notice("Valkey is now ready to exit, bye bye...");
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
    struct cmdline line;
    struct diag diag = {0};
    clock_init();
    mem_thread_start();
    struct server *server = mem_zalloc(sizeof(*server));
    title_room_init(&server->title, argc, argv);
    server->program = argc > 0 ? argv[0] : "valkey-server";
    int status = EXIT_FAILURE;
    if (cmdline_init(&line, argc, argv, &diag) != ERR_NONE) {
        fprintf(stderr, "%s\n", diag.text);
    } else {
        bool runs = line.action == CMDLINE_RUN;
        status = runs ? run_server(server, &line) : run_other_action(&line, server);
        cmdline_deinit(&line);
    }
    mem_free(server);
    return status;
}
