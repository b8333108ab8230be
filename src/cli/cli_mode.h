/* SPDX-License-Identifier: BSD-3-Clause */
/* cli_mode -- the modes of valkey-cli that are no commands: --stat, --pipe, --bigkeys...
 *
 * A mode is a row of cli_modes (cli_mode_table.c) and a file of its own, whose run function is
 * declared here. main parses the row's option as it does all others, and calls run when nothing is
 * connected yet. Options that only change a mode are fields of struct cli_options. */
#pragma once

#include "base/attr.h"

struct cli;

struct cli_mode {
    const char *option;   /* "--stat" */
    const char *alias;    /* another name, or NULL */
    const char *argument; /* what --help calls it; NULL: the option takes none */
    const char *help;
    int (*run)(struct cli *cli); /* the exit status; cli->options.mode_argument has the argument */
};

/* All modes, in the order of --help; ends with a row without an option. */
extern const struct cli_mode cli_modes[];
/* The mode that an option names, or NULL. */
const struct cli_mode *cli_mode_find(const char *option);

/* Sends standard input and counts the replies. */
int cli__run_pipe(struct cli *cli);
/* Lists the keys that match --pattern, one a line, with SCAN. */
int cli__run_scan(struct cli *cli);
/* The biggest key of each type, by elements or by memory. */
int cli__run_bigkeys(struct cli *cli);
int cli__run_memkeys(struct cli *cli);
/* The keys that are used most. */
int cli__run_hotkeys(struct cli *cli);
/* Elements and memory of all keys. */
int cli__run_keystats(struct cli *cli);
/* A line of figures every second. */
int cli__run_stat(struct cli *cli);
/* How long PING takes. */
int cli__run_latency(struct cli *cli);
int cli__run_latency_history(struct cli *cli);
int cli__run_latency_dist(struct cli *cli);
/* How long the machine keeps programs waiting. */
int cli__run_intrinsic_latency(struct cli *cli);
/* Plays a cache. */
int cli__run_lru_test(struct cli *cli);
/* Fetches a snapshot into a file. */
int cli__run_rdb(struct cli *cli);
int cli__run_functions_rdb(struct cli *cli);
/* Prints what a replica gets. */
int cli__run_replica(struct cli *cli);
