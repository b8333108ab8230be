/* SPDX-License-Identifier: BSD-3-Clause */
/* console -- lines as the interactive mode and standard input take them: commands for the server,
 * with a number before them to repeat them, and our own words (help, connect, clear, exit...). */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

struct cli;

/* Runs a line; *status becomes EXIT_FAILURE when the connection failed, and EXIT_SUCCESS when a
 * command was answered. False: the line asks to leave. */
bool console__run_line(struct cli *cli, struct bytes line, int *status);
/* True if the line says a password, so that it must not be remembered. */
bool console__is_secret(struct bytes line);
