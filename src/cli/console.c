/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/console.h"

#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/docs.h"
#include "cli/help.h"
#include "cli/session.h"
#include "resp/parser.h"

#include <stdlib.h>

struct words {
    struct bytes *argv;
    uint32_t argc;
};

static bool is_word(const struct words *words, uint32_t index, const char *word) {
    return index < words->argc && bytes_equal_nocase(words->argv[index], bytes_of(word));
}

/* ---- our own words ---- */

static void run_connect(struct cli *cli, const struct words *words) {
    struct client_options *client = &cli->options.client;
    int64_t port;
    if (words->argc != 3 || !num_parse_i64(words->argv[2], &port) || port < 1 ||
        port > UINT16_MAX) {
        cli_say("connect wants a host and a port");
        return;
    }
    char *host = mem_copy_bytes(words->argv[1]);
    client_option_set_text(&client->host, host);
    client_option_set_text(&client->socket_path, NULL);
    mem_free(host);
    client->port = (uint16_t)port;
    client_link_close(&cli->link);
    if (cli_connect(cli)) docs__ensure(cli);
}

static void run_setting(struct cli *cli, const struct words *words) {
    if (is_word(words, 1, "hints")) {
        cli->options.hints = true;
    } else if (is_word(words, 1, "nohints")) {
        cli->options.hints = false;
    } else {
        cli_say(":set knows hints and nohints");
    }
}

static bool run_own(struct cli *cli, const struct words *words, bool *leave) {
    if (words->argc == 1 && (is_word(words, 0, "exit") || is_word(words, 0, "quit"))) {
        *leave = true;
    } else if (is_word(words, 0, "help") || is_word(words, 0, "?")) {
        cli__help_words(cli, words->argv + 1, words->argc - 1);
    } else if (words->argc == 1 && is_word(words, 0, "clear")) {
        fputs("\x1b[H\x1b[2J", stdout);
        (void)fflush(stdout);
    } else if (words->argc == 3 && is_word(words, 0, "connect")) {
        run_connect(cli, words);
    } else if (words->argc == 1 && is_word(words, 0, "restart")) {
        cli_say("restart is a word of the script debugger, which is not there yet");
    } else if (is_word(words, 0, ":set")) {
        run_setting(cli, words);
    } else {
        return false;
    }
    return true;
}

/* ---- commands ---- */

static void run_command(struct cli *cli, const struct words *words, int *status) {
    int64_t repeat = cli->options.repeat;
    uint32_t first = 0;
    int64_t count;
    if (words->argc > 1 && num_parse_i64(words->argv[0], &count)) {
        if (count <= 0) {
            cli_say("Invalid repeat count: it is at least 1");
            return;
        }
        repeat = count;
        first = 1;
    }
    enum session_result result =
        session__repeat(cli, repeat, words->argc - first, words->argv + first);
    bool logs_in = is_word(words, first, "auth") || is_word(words, first, "hello");
    if (logs_in && result == SESSION_DONE && cli->stdin_tty) docs__ensure(cli);
    bool failed =
        result == SESSION_FAILED || (result == SESSION_ERROR_REPLY && cli->options.fail_on_error);
    *status = failed ? EXIT_FAILURE : EXIT_SUCCESS;
    if (result == SESSION_INTERRUPTED) {
        printf("\n");
        if (!cli_connect(cli)) *status = EXIT_FAILURE;
    }
    if (result == SESSION_DONE && session__is_listening(cli) && !cli->stdin_tty) {
        result = session__listen(cli);
        *status = result == SESSION_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
    }
}

bool console__run_line(struct cli *cli, struct bytes line, int *status) {
    struct words words = {0};
    bool leave = false;
    if (line.size == 0 || line.data[0] == '#') return true; /* a comment of a script */
    if (!split_args(line, &words.argv, &words.argc)) {
        printf("Invalid argument(s)\n");
        return true;
    }
    if (words.argc > 0 && !run_own(cli, &words, &leave)) run_command(cli, &words, status);
    mem_free(words.argv);
    return !leave;
}

/* ---- what is not remembered ---- */

static bool has_word(const struct words *words, uint32_t from, const char *word) {
    for (uint32_t i = from; i < words->argc; i++) {
        if (is_word(words, i, word)) return true;
    }
    return false;
}

static bool is_secret_command(const struct words *words) {
    if (is_word(words, 0, "auth")) return true;
    if (is_word(words, 0, "acl")) return is_word(words, 1, "setuser");
    if (is_word(words, 0, "hello")) return has_word(words, 1, "auth");
    if (is_word(words, 0, "migrate")) {
        return has_word(words, 1, "auth") || has_word(words, 1, "auth2");
    }
    if (is_word(words, 0, "config") && is_word(words, 1, "set")) {
        static const char *const options[] = {"requirepass",
                                              "masterauth",
                                              "primaryauth",
                                              "masteruser",
                                              "primaryuser",
                                              "tls-key-file-pass",
                                              "tls-client-key-file-pass"};
        for (size_t i = 0; i < COUNT_OF(options); i++) {
            if (has_word(words, 2, options[i])) return true;
        }
    }
    if (is_word(words, 0, "sentinel") && is_word(words, 1, "config")) {
        return has_word(words, 2, "sentinel-pass");
    }
    return is_word(words, 0, "sentinel") && is_word(words, 1, "set") &&
           has_word(words, 2, "auth-pass");
}

bool console__is_secret(struct bytes line) {
    struct words words = {0};
    if (!split_args(line, &words.argv, &words.argc)) return true; /* who knows what it is */
    struct words rest = words;
    int64_t count;
    if (rest.argc > 1 && num_parse_i64(rest.argv[0], &count)) {
        rest.argv++;
        rest.argc--;
    }
    bool is_secret = rest.argc > 0 && is_secret_command(&rest);
    mem_free(words.argv);
    return is_secret;
}
