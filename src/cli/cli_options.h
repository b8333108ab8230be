/* SPDX-License-Identifier: BSD-3-Clause */
/* cli_options -- the command line of valkey-cli. */
#pragma once

#include "base/attr.h"
#include "base/err.h"

struct buf;
struct cli;

void cli__options_init(struct cli *cli);
void cli__options_deinit(struct cli *cli);
/* Fills cli->options, argc and argv. */
must_use enum err cli__options_parse(struct cli *cli, int argc, char **argv, struct diag *diag);
void cli__help(const char *program, struct buf *out);
