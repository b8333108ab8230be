/* SPDX-License-Identifier: BSD-3-Clause */
/* scan -- the mode --scan: all keys, with SCAN commands, one a line. */
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/cli_mode.h"
#include "cli/walk.h"

#include <stdlib.h>

static bool print_keys(const struct cli *cli, const struct resp_value *keys, size_t count) {
    struct buf out = {0};
    for (size_t i = 0; i < count; i++) {
        if (cli->options.output == CLI_OUTPUT_TTY) {
            buf_add_quoted(&out, keys[i].text);
        } else {
            buf_add(&out, keys[i].text);
        }
        buf_add_char(&out, '\n');
    }
    bool good = fwrite(buf_bytes(&out).data, 1, out.size, stdout) == out.size;
    buf_deinit(&out);
    return good && fflush(stdout) == 0;
}

int cli__run_scan(struct cli *cli) {
    struct walk walk;
    bool good = walk_init(&walk, cli);
    if (good) {
        walk.pause_steps = 1;
        walk.progress.enabled = false; /* the keys are progress enough */
        const struct resp_value *keys;
        size_t count;
        while (good && walk_next(&walk, &keys, &count)) {
            good = print_keys(cli, keys, count);
        }
    }
    good = good && !walk.failed && !walk.interrupted;
    walk_deinit(&walk);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
