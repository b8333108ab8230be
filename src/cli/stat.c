/* SPDX-License-Identifier: BSD-3-Clause */
/* stat -- the mode --stat: a line of figures about the server every second, out of INFO. It goes on
 * when the server was away for a while. */
#include "base/num.h"
#include "cli/cli.h"
#include "cli/cli_mode.h"

#include <stdlib.h>

enum { HEADER_LINES = 20, RECONNECT_PAUSE_S = 1 };

/* The value of "name:value" at the start of a line; empty if there is none. */
static struct bytes field_find(struct bytes info, const char *name) {
    struct bytes wanted = bytes_of(name);
    while (info.size > 0) {
        size_t end = bytes_find_byte(info, '\n');
        struct bytes line = bytes_make(info.data, end);
        if (bytes_starts_with(line, wanted) && line.size > wanted.size &&
            line.data[wanted.size] == ':') {
            return bytes_trim(bytes_from(line, wanted.size + 1));
        }
        info = bytes_from(info, end + 1);
    }
    return bytes_make("", 0);
}

/* 0 if it is not there. */
static int64_t number_find(struct bytes info, const char *name) {
    int64_t value = 0;
    return num_parse_i64(field_find(info, name), &value) ? value : 0;
}

/* "dbN:keys=3,expires=0..." of all databases. */
static int64_t count_keys(struct bytes info) {
    int64_t sum = 0;
    while (info.size > 0) {
        size_t end = bytes_find_byte(info, '\n');
        struct bytes line = bytes_make(info.data, end);
        size_t colon = bytes_find_byte(line, ':');
        struct bytes rest = bytes_from(line, colon + 1);
        if (bytes_starts_with(line, BYTES("db")) && bytes_starts_with(rest, BYTES("keys="))) {
            int64_t keys;
            rest = bytes_from(rest, strlen("keys="));
            if (num_parse_i64(bytes_make(rest.data, bytes_find_byte(rest, ',')), &keys))
                sum += keys;
        }
        info = bytes_from(info, end + 1);
    }
    return sum;
}

static const char *child_of(struct bytes info) {
    bool saves = number_find(info, "rdb_bgsave_in_progress") != 0;
    bool rewrites = number_find(info, "aof_rewrite_in_progress") != 0;
    if (number_find(info, "loading") != 0) return "LOAD";
    if (saves) return rewrites ? "SAVE+AOF" : "SAVE";
    return rewrites ? "AOF" : "";
}

/* *requests: those of the line before; -1: this is the first. */
static void print_line(struct bytes info, int64_t *requests) {
    char memory[32], load[64];
    int64_t now = number_find(info, "total_commands_processed");
    num_format_human(memory, (uint64_t)number_find(info, "used_memory"));
    snprintf(load, sizeof(load), "%lld (+%lld)", (long long)now,
             (long long)(*requests < 0 || now < *requests ? 0 : now - *requests));
    *requests = now;
    printf("%-10lld %-8s %-7lld %-7lld %-19s %-11lld %s\n", (long long)count_keys(info), memory,
           (long long)number_find(info, "connected_clients"),
           (long long)number_find(info, "blocked_clients"), load,
           (long long)number_find(info, "total_connections_received"), child_of(info));
    (void)fflush(stdout);
}

/* One sample; false: not connected any more. */
static bool sample(struct cli *cli, int64_t *requests, int64_t *lines, bool *refused) {
    struct resp_value *reply = NULL;
    if (!cli_call(cli, (const char *[]){"INFO", NULL}, &reply)) return false;
    if (resp_is_error(reply)) {
        cli_say("INFO failed: %s", reply->text.data);
        *refused = !bytes_starts_with(reply->text, BYTES("LOADING"));
    } else {
        if ((*lines)++ % HEADER_LINES == 0) {
            puts(
                "------- data ------ --------------------- load -------------------- - child -\n"
                "keys       mem      clients blocked requests            connections");
        }
        print_line(reply->text, requests);
    }
    resp_value_destroy(&reply);
    return true;
}

int cli__run_stat(struct cli *cli) {
    double pause = cli->options.interval_s > 0 ? cli->options.interval_s : 1;
    int64_t requests = -1, lines = 0;
    bool refused = false;
    cli_catch_interrupts(cli);
    if (!cli_connect(cli)) return EXIT_FAILURE;
    for (;;) {
        bool good = sample(cli, &requests, &lines, &refused);
        if (refused || ferror(stdout)) return EXIT_FAILURE;
        if (!good) requests = -1;
        if (!cli_sleep(cli, good ? pause : RECONNECT_PAUSE_S)) return EXIT_SUCCESS;
    }
}
