/* SPDX-License-Identifier: BSD-3-Clause */
/* scan -- the mode --scan: all keys, with SCAN commands, one a line. */
#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/cli_mode.h"

#include <stdlib.h>

static bool print_keys(const struct cli *cli, const struct resp_value *keys) {
    struct buf out = {0};
    for (size_t i = 0; i < keys->count; i++) {
        struct bytes key = keys->items[i].text;
        if (cli->options.output == CLI_OUTPUT_TTY) {
            buf_add_quoted(&out, key);
        } else {
            buf_add(&out, key);
        }
        buf_add_char(&out, '\n');
    }
    bool good = fwrite(buf_bytes(&out).data, 1, out.size, stdout) == out.size;
    buf_deinit(&out);
    return good && fflush(stdout) == 0;
}

/* One step; the cursor is "0" when all keys were seen. */
static bool scan_step(struct cli *cli, char **cursor) {
    const struct cli_options *options = &cli->options;
    struct bytes argv[6] = {BYTES("SCAN"), bytes_of(*cursor)};
    size_t argc = 2;
    char count[NUM_I64_TEXT_MAX];
    if (options->pattern) {
        argv[argc++] = BYTES("MATCH");
        argv[argc++] = bytes_make(options->pattern, options->pattern_size);
    }
    if (options->count) {
        argv[argc++] = BYTES("COUNT");
        argv[argc++] = bytes_make(count, num_format_i64(count, options->count));
    }
    struct resp_value *reply = NULL;
    if (!cli_call_args(cli, argc, argv, &reply)) return false;
    bool good = reply->kind == RESP_ARRAY && reply->count == 2 &&
                resp_is_aggregate(&reply->items[1]) && reply->items[0].text.data;
    if (good) {
        client_option_set_text(cursor, reply->items[0].text.data);
        good = print_keys(cli, &reply->items[1]);
    } else {
        cli_say("SCAN failed: %s", resp_is_error(reply) ? reply->text.data : "not a SCAN reply");
    }
    resp_value_destroy(&reply);
    return good;
}

int cli__run_scan(struct cli *cli) {
    char *cursor = mem_strdup("0");
    bool good;
    do {
        good = scan_step(cli, &cursor);
        if (good && cli->options.interval_s > 0) cli_sleep(cli, cli->options.interval_s);
    } while (good && strcmp(cursor, "0") != 0);
    mem_free(cursor);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
