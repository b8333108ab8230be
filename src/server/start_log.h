/* SPDX-License-Identifier: BSD-3-Clause */
/* start_log -- what the server says in its log while it starts. Supervisors and test runners wait
 * for " PID: ", "Server initialized" and "Ready to accept", in this order. */
#pragma once

#include "server/cmdline.h"
#include "server/server.h"

/* Version, pid, where the configuration came from, and which of its lines have no effect yet. */
void start_log_version(const struct server *server, const struct cmdline *line);
/* The banner with the pid, if the option always-show-logo or a terminal asks for it. */
void start_log_banner(const struct server_config *config);
/* Where clients can connect. */
void start_log_ready(const struct server *server);
