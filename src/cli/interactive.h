/* SPDX-License-Identifier: BSD-3-Clause */
/* interactive -- valkey-cli at a terminal: a prompt, a line, the reply.
 *
 *   prompt ──line──▶ console__run_line ──▶ prompt
 *      │                └── subscribed with RESP2, MONITOR: prints what comes ──Ctrl-C, a key──▶
 * prompt ├── a pushed message, or the end of the connection: printed above the prompt, at once └──
 * Ctrl-C: the line is dropped; with an empty line, or Ctrl-D: leave */
#pragma once

struct cli;

/* Returns the exit status. */
int cli__run_interactive(struct cli *cli);
