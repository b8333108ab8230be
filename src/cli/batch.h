/* SPDX-License-Identifier: BSD-3-Clause */
/* batch -- commands without a person: one from the command line, or many from standard input. */
#pragma once

struct cli;

/* The words of the command line, with -x, -X, --eval and --quoted-input. Returns the exit status.
 */
int cli__run_once(struct cli *cli);
/* The lines of standard input, each a command. Returns the exit status. */
int cli__run_lines(struct cli *cli);
