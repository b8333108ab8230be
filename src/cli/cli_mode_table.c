/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/cli_mode.h"

#include <string.h>

const struct cli_mode cli_modes[] = {
    {.option = "--pipe",
     .run = cli__run_pipe,
     .help = "Send standard input as it is, commands in the protocol or in lines, and count the "
             "replies."},
    {.option = "--scan",
     .run = cli__run_scan,
     .help = "List all keys, found with SCAN; --pattern, --count and -i apply."},
    {.option = "--bigkeys",
     .run = cli__run_bigkeys,
     .help = "Find the keys with most elements; --pattern, --count and -i apply."},
    {.option = "--memkeys",
     .run = cli__run_memkeys,
     .help = "Find the keys that take most memory; --pattern, --count and -i apply."},
    {.option = "--hotkeys",
     .run = cli__run_hotkeys,
     .help = "Find the keys that are used most; the server's maxmemory-policy must be one of the "
             "LFU ones."},
    {.option = "--keystats",
     .run = cli__run_keystats,
     .help = "Elements and memory of all keys: by type, the largest, how sizes are distributed."},
    {.option = "--stat",
     .run = cli__run_stat,
     .help = "Print figures about the server every second, or as -i says."},
    {.option = "--latency",
     .run = cli__run_latency,
     .help = "Measure how long PING takes: until Ctrl-C on a terminal, else once for a second, or "
             "as -i says."},
    {.option = "--latency-history",
     .run = cli__run_latency_history,
     .help = "The same, anew every 15 seconds, or as -i says."},
    {.option = "--latency-dist",
     .run = cli__run_latency_dist,
     .help = "How these times are distributed, in colours, every second, or as -i says."},
    {.option = "--intrinsic-latency",
     .argument = "seconds",
     .run = cli__run_intrinsic_latency,
     .help = "Measure how long this machine keeps programs waiting, without a server."},
    {.option = "--lru-test",
     .argument = "keys",
     .run = cli__run_lru_test,
     .help = "Play a cache with so many keys, used 80:20, and count the hits. Overwrites keys "
             "lru:*."},
    {.option = "--rdb",
     .argument = "file",
     .run = cli__run_rdb,
     .help = "Fetch a snapshot of the data set into the file; '-' is standard output."},
    {.option = "--functions-rdb",
     .argument = "file",
     .run = cli__run_functions_rdb,
     .help = "The same with the functions only, without the keys."},
    {.option = "--replica",
     .alias = "--slave",
     .run = cli__run_replica,
     .help = "Become a replica that prints the commands it gets."},
    {0},
};

const struct cli_mode *cli_mode_find(const char *option) {
    for (const struct cli_mode *mode = cli_modes; mode->option; mode++) {
        if (strcmp(mode->option, option) == 0) return mode;
        if (mode->alias && strcmp(mode->alias, option) == 0) return mode;
    }
    return NULL;
}
