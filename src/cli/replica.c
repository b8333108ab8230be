/* SPDX-License-Identifier: BSD-3-Clause */
/* replica -- the mode --replica: becomes a replica for show. The snapshot is thrown away; the
 * commands behind it are printed as they come, a line of CSV each. */
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/cli_mode.h"
#include "cli/sync.h"

#include <stdlib.h>

enum { ACK_PAUSE_MS = 1000 };

static bool discard_snapshot(struct sync_source *source) {
    struct bytes data;
    do {
        if (!sync_next(source, &data)) return false;
    } while (!source->ended || data.size > 0);
    return true;
}

static bool print_command(const struct resp_value *command) {
    struct buf line = {0};
    for (size_t i = 0; i < command->count; i++) {
        if (i > 0) buf_add_char(&line, ',');
        buf_add_quoted(&line, command->items[i].text);
    }
    buf_add_char(&line, '\n');
    bool good = fwrite(line.data, 1, line.size, stdout) == line.size && fflush(stdout) == 0;
    buf_deinit(&line);
    return good;
}

/* Tells the server that we are still there; it drops a replica that is silent. */
static bool acknowledge(struct cli *cli) {
    static const struct bytes words[] = {BYTES("REPLCONF"), BYTES("ACK"), BYTES("0")};
    struct diag diag = {0};
    if (client_link_request(&cli->link, COUNT_OF(words), words, &diag) == ERR_NONE) return true;
    cli_say("Error: %s", diag.text);
    return false;
}

static int follow(struct cli *cli) {
    int64_t acknowledged = 0;
    for (;;) {
        struct resp_value *command = NULL;
        struct diag diag = {0};
        if (clock_mono_ns() - acknowledged >= (int64_t)ACK_PAUSE_MS * 1000000) {
            if (cli_was_interrupted(cli)) return EXIT_SUCCESS; /* however much there is to print */
            if (!acknowledge(cli)) return EXIT_FAILURE;
            acknowledged = clock_mono_ns();
        }
        enum err err = client_link_receive(&cli->link, ACK_PAUSE_MS, &command, &diag);
        if (err == ERR_AGAIN) {
            if (cli_was_interrupted(cli)) return EXIT_SUCCESS;
            continue;
        }
        if (err != ERR_NONE) {
            cli_say("Error: %s", diag.text);
            return EXIT_FAILURE;
        }
        bool good = command->kind != RESP_ARRAY || print_command(command);
        resp_value_destroy(&command);
        if (!good) return EXIT_FAILURE;
    }
}

int cli__run_replica(struct cli *cli) {
    struct sync_source source;
    bool good = sync_init(&source, cli, SYNC_REPLICA);
    if (good) {
        cli_say("Full resync with the primary: its snapshot is discarded.");
        good = discard_snapshot(&source);
    }
    sync_deinit(&source);
    if (!good) return EXIT_FAILURE;
    cli_say("Full resync done after %lld bytes. Logging commands from primary.",
            (long long)source.done);
    return follow(cli);
}
