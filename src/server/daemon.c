/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef USE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "base/log.h"
#include "base/mem.h"

/* ---- background and pid file ---- */

enum err daemon_detach(struct diag *diag) {
    pid_t pid = fork();
    if (pid == -1) return diag_errno(diag, ERR_IO, "fork");
    if (pid != 0) _exit(0); /* the parent: its streams are the child's now */
    if (setsid() == -1) return diag_errno(diag, ERR_IO, "setsid");

    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd == -1) return diag_errno(diag, ERR_IO, "/dev/null");
    enum err err = ERR_NONE;
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO && err == ERR_NONE; stream++) {
        if (dup2(fd, stream) == -1) err = diag_errno(diag, ERR_IO, "dup2");
    }
    if (fd > STDERR_FILENO) close(fd);
    return err;
}

char *daemon_write_pidfile(const char *path) {
    char real[PATH_MAX];
    FILE *file = fopen(path, "we");
    bool good = file != NULL;
    if (file) {
        good = fprintf(file, "%d\n", (int)getpid()) > 0;
        good &= fclose(file) == 0;
    }
    /* Absolute, since CONFIG SET dir may change what a relative path means. */
    if (good && realpath(path, real)) return mem_strdup(real);
    log_warning("Failed to write PID file: %s: %s", path, strerror(errno));
    return NULL;
}

void daemon_remove_pidfile(const char *path) {
    log_notice("Removing the pid file.");
    if (unlink(path) == -1 && errno != ENOENT) {
        log_warning("Failed to remove the pid file %s: %s", path, strerror(errno));
    }
}

/* ---- supervisors ---- */

static const char *variable_of(enum supervised supervised) {
    return supervised == SUPERVISED_UPSTART ? "UPSTART_JOB" : "NOTIFY_SOCKET";
}

static bool has_supervisor(enum supervised supervised) {
    return getenv(variable_of(supervised)) != NULL;
}

enum supervised daemon_supervisor(enum supervised wanted) {
    enum supervised found = wanted;
    if (wanted == SUPERVISED_AUTO) {
        found = SUPERVISED_NO;
        if (has_supervisor(SUPERVISED_SYSTEMD)) found = SUPERVISED_SYSTEMD;
        if (has_supervisor(SUPERVISED_UPSTART)) found = SUPERVISED_UPSTART;
    } else if (wanted != SUPERVISED_NO && !has_supervisor(wanted)) {
        log_warning("%s supervision requested, but %s not found!", daemon_supervisor_name(wanted),
                    variable_of(wanted));
        found = SUPERVISED_NO;
    }
    if (found == SUPERVISED_SYSTEMD) {
        log_notice(
            "Supervised by systemd. Please make sure you set appropriate values for "
            "TimeoutStartSec and TimeoutStopSec in your service unit.");
    }
    return found;
}

const char *daemon_supervisor_name(enum supervised supervised) {
    switch (supervised) {
    case SUPERVISED_NO: return "no";
    case SUPERVISED_SYSTEMD: return "systemd";
    case SUPERVISED_UPSTART: return "upstart";
    case SUPERVISED_AUTO: break;
    }
    return "unknown";
}

static void systemd_notify(const char *state) {
#ifdef USE_SYSTEMD
    if (sd_notify(0, state) < 0) log_warning("Could not notify systemd");
#else
    log_warning("systemd supervision requested, but this build does not know systemd (%s)", state);
#endif
}

void daemon_notify_ready(enum supervised supervised, const char *status) {
    if (supervised == SUPERVISED_SYSTEMD) {
        char state[256];
        snprintf(state, sizeof(state), "READY=1\nSTATUS=%s\n", status);
        systemd_notify(state);
    } else if (supervised == SUPERVISED_UPSTART) {
        /* Upstart counts the process as ready when it stops itself, and continues it. */
        log_notice("Supervised by upstart, will stop to signal readiness.");
        if (raise(SIGSTOP) != 0) log_warning("Could not stop: %s", strerror(errno));
    }
}

void daemon_notify_stopping(enum supervised supervised) {
    if (supervised == SUPERVISED_SYSTEMD) systemd_notify("STOPPING=1\n");
}
