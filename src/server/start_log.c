/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/start_log.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "server/version.h"

#include <stdio.h>
#include <unistd.h>

/* Whoever wrote such a line counts on it. */
static void warn_of_reference(const struct reference_config *reference) {
    if (reference->users.count) {
        log_warning(
            "WARNING: %zu 'user' line(s) in the configuration have NO EFFECT: this server does not "
            "have users yet, and whoever can connect has all permissions. Use requirepass.",
            reference->users.count);
    }
    if (reference->modules.count) {
        log_warning(
            "WARNING: %zu 'loadmodule' line(s) in the configuration have no effect: this server "
            "does not load modules yet.",
            reference->modules.count);
    }
    if (reference->tls_port) {
        log_warning("WARNING: tls-port has no effect: this server does not speak TLS yet.");
    }
    if (reference->aclfile && reference->aclfile[0]) {
        log_warning("WARNING: aclfile has NO EFFECT: this server does not have users yet.");
    }
    if (reference->appendonly) {
        log_warning(
            "WARNING: appendonly has no effect: this server does not keep such a file yet. Use "
            "SAVE.");
    }
    if (reference->replicaof.host || reference->cluster_enabled) {
        log_warning(
            "WARNING: this server has neither replication nor a cluster yet: it runs alone.");
    }
}

void start_log_version(const struct server *server, const struct cmdline *line) {
    log_notice("oO0OoO0OoO0Oo Valkey is starting oO0OoO0OoO0Oo");
    log_notice("Valkey version=" VALKEY_VERSION
               ", bits=%d, commit=%s, modified=%d, pid=%d, just started",
               (int)sizeof(void *) * 8, version_git_sha1(), version_git_dirty(), (int)getpid());
    if (line->file || line->option_count || line->from_stdin) {
        log_notice("Configuration loaded");
    } else {
        log_warning(
            "Warning: no config file specified, using the default config. In order to specify a "
            "config file use %s /path/to/valkey.conf",
            server->program);
    }
    log_notice("monotonic clock: %s", clock_describe());
    warn_of_reference(&server->reference);
}

void start_log_banner(const struct server_config *config) {
    bool to_stdout = !config->log.file || !config->log.file[0];
    bool terminal = to_stdout && !config->log.syslog_enabled && isatty(STDOUT_FILENO);
    if (!config->daemon.always_show_logo && !terminal) {
        log_notice("Running mode=standalone, port=%d.", (int)config->net.port);
        return;
    }
    char text[1024];
    int size =
        snprintf(text, sizeof(text),
                 "\n"
                 "        _______\n"
                 "     .-'   |   '-.        Valkey " VALKEY_VERSION
                 " (%s) %d bit\n"
                 "   .'  \\   |   /  '.\n"
                 "  |  ---  (o)  ---  |     Running in standalone mode\n"
                 "   '.  /   |   \\  .'      Port: %d\n"
                 "     '-.___|___.-'        PID: %d\n"
                 "           |\n"
                 "           |==\n"
                 "           |=\n\n",
                 version_git_sha1(), (int)sizeof(void *) * 8, (int)config->net.port, (int)getpid());
    log_raw(text, (size_t)size);
}

void start_log_ready(const struct server *server) {
    bool tcp = false;
    for (int i = 0; i < server->listening.count; i++) {
        const struct listener *listener = server->listening.open[i];
        if (listener->kind == LISTENER_UNIX) {
            log_notice("The server is now ready to accept connections at %s", listener->address);
        }
        tcp |= listener->kind == LISTENER_TCP;
    }
    log_notice("Ready to accept connections %s", tcp ? "tcp" : "unix");
}
