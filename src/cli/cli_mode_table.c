/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/cli_mode.h"

#include <string.h>

const struct cli_mode cli_modes[] = {
    {.option = "--scan",
     .run = cli__run_scan,
     .help = "List all keys, found with SCAN; --pattern, --count and -i apply."},
    {0},
};

const struct cli_mode *cli_mode_find(const char *option) {
    for (const struct cli_mode *mode = cli_modes; mode->option; mode++) {
        if (strcmp(mode->option, option) == 0) return mode;
        if (mode->alias && strcmp(mode->alias, option) == 0) return mode;
    }
    return NULL;
}
