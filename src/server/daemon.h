/* SPDX-License-Identifier: BSD-3-Clause */
/* daemon -- the process as the system sees it: background, pid file, supervisor. What the system
 * allows the process is in system.h, what it is called in title.h. */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "server/server_config.h"

#define DAEMON_PIDFILE_DEFAULT "/var/run/valkey.pid"

/* Forks into the background: the parent exits, the child goes on in a session of its own with
 * /dev/null as its standard streams. To be called before there are threads. */
must_use enum err daemon_detach(struct diag *diag);

/* Writes the pid and a newline. The file's absolute path is the caller's to free and to remove;
 * NULL after a failure, which is logged: a server without pid file serves as well. */
must_use char *daemon_write_pidfile(const char *path);
void daemon_remove_pidfile(const char *path);

/* What supervises the process: "auto" is resolved by the environment, a supervisor that has left no
 * trace there is none. */
enum supervised daemon_supervisor(enum supervised wanted);
const char *daemon_supervisor_name(enum supervised supervised); /* "no", "systemd", "upstart" */
/* Tells it that the server is ready; status is a sentence. For upstart this stops the process until
 * it is continued. */
void daemon_notify_ready(enum supervised supervised, const char *status);
void daemon_notify_stopping(enum supervised supervised);
