/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/batch.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/session.h"
#include "resp/parser.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_STEP = 64 * 1024 };

/* The words to send. Each is borrowed, or in owned. */
struct command {
    struct bytes *argv;
    size_t argc;
    struct bytes **owned; /* results of split_args */
    size_t owned_count;
    struct buf from_stdin;
    struct buf script;
    char key_count[NUM_I64_TEXT_MAX];
};

static void command_deinit(struct command *command) {
    for (size_t i = 0; i < command->owned_count; i++) {
        mem_free(command->owned[i]);
    }
    mem_free(command->owned);
    mem_free(command->argv);
    buf_deinit(&command->from_stdin);
    buf_deinit(&command->script);
}

/* All of a file until its end. False: errno says why. */
static bool read_all(int fd, struct buf *out) {
    for (;;) {
        char *room = buf_reserve(out, READ_STEP);
        ssize_t got = read(fd, room, READ_STEP);
        if (got == -1 && errno == EINTR) continue;
        if (got == -1) return false;
        if (got == 0) return true;
        out->size += (size_t)got;
        out->data[out->size] = '\0';
    }
}

static bool add_word(struct command *command, const struct cli_options *options, const char *word) {
    struct bytes *words = NULL;
    uint32_t count = 0;
    if (!options->quoted_input) {
        command->argv[command->argc++] = bytes_of(word);
        return true;
    }
    if (!split_args(bytes_of(word), &words, &count) || count != 1) {
        mem_free(words);
        cli_say("Invalid quoted string");
        return false;
    }
    command->owned[command->owned_count++] = words;
    command->argv[command->argc++] = words[0];
    return true;
}

/* EVAL script number-of-keys key... argument...: a ',' word ends the keys. */
static bool add_script(struct command *command, const struct cli *cli) {
    const char *path = cli->options.eval_file;
    FILE *file = fopen(path, "re");
    bool good = file && read_all(fileno(file), &command->script);
    if (!good) cli_say("Can't open file '%s': %s", path, strerror(errno));
    if (file) fclose(file);
    if (!good) return false;
    int keys = 0;
    while (keys < cli->argc && strcmp(cli->argv[keys], ",") != 0) {
        keys++;
    }
    size_t digits = num_format_i64(command->key_count, keys);
    command->argv[command->argc++] = BYTES("EVAL");
    command->argv[command->argc++] = buf_bytes(&command->script);
    command->argv[command->argc++] = bytes_make(command->key_count, digits);
    for (int i = 0; i < cli->argc; i++) {
        if (i != keys && !add_word(command, &cli->options, cli->argv[i])) return false;
    }
    return true;
}

static bool add_stdin(struct command *command, const struct cli_options *options) {
    if (!options->stdin_last && !options->stdin_tag) return true;
    if (options->stdin_last && options->stdin_tag) {
        cli_say("Options -x and -X are mutually exclusive.");
        return false;
    }
    if (!read_all(STDIN_FILENO, &command->from_stdin)) {
        cli_say("Cannot read standard input: %s", strerror(errno));
        return false;
    }
    struct bytes text = bytes_make(buf_bytes(&command->from_stdin).data, command->from_stdin.size);
    if (options->stdin_last) {
        command->argv[command->argc++] = text;
        return true;
    }
    bool found = false;
    for (size_t i = 0; i < command->argc; i++) {
        if (!bytes_equal(command->argv[i], bytes_of(options->stdin_tag))) continue;
        command->argv[i] = text;
        found = true;
    }
    if (!found) cli_say("No argument is '%s', the tag of -X.", options->stdin_tag);
    return found;
}

static bool command_init(struct command *command, const struct cli *cli) {
    size_t cap = (size_t)cli->argc + 4; /* EVAL, script, count; or standard input */
    *command = (struct command){0};
    command->argv = mem_alloc_array(cap, sizeof(*command->argv));
    command->owned = mem_alloc_array(cap, sizeof(*command->owned));
    if (cli->options.eval_file) {
        if (!add_script(command, cli)) return false;
    } else {
        for (int i = 0; i < cli->argc; i++) {
            if (!add_word(command, &cli->options, cli->argv[i])) return false;
        }
    }
    return add_stdin(command, &cli->options);
}

int cli__run_once(struct cli *cli) {
    struct command command;
    int status = EXIT_FAILURE;
    if (command_init(&command, cli)) {
        enum session_result result =
            session__repeat(cli, cli->options.repeat, command.argc, command.argv);
        if (result == SESSION_DONE && session__is_listening(cli)) result = session__listen(cli);
        /* With RESP3 what was subscribed to comes as pushes. */
        if (result == SESSION_DONE && session__is_subscribed(cli)) result = session__listen(cli);
        bool error_counts = cli->options.fail_on_error;
        status = result == SESSION_DONE || (result == SESSION_ERROR_REPLY && !error_counts)
                     ? EXIT_SUCCESS
                     : EXIT_FAILURE;
    }
    command_deinit(&command);
    return status;
}

int cli__run_lines(struct cli *cli) {
    char *line = NULL;
    size_t cap = 0;
    int status = EXIT_SUCCESS;
    for (;;) {
        int line_status = EXIT_SUCCESS;
        ssize_t size = getline(&line, &cap, stdin);
        if (size == -1) break;
        struct bytes text = bytes_trim(bytes_make(line, (size_t)size));
        bool goes_on = console__run_line(cli, text, &line_status);
        if (line_status != EXIT_SUCCESS) status = line_status; /* whatever comes behind it */
        if (!goes_on || ferror(stdout)) break;
    }
    free(line); /* tidy: what getline allocated */
    return status;
}
