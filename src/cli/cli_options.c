/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/cli_options.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/cli_mode.h"
#include "resp/parser.h"

enum {
    PIPE_TIMEOUT_S = 30,
    HOTKEYS_COUNT = 16,
    MODES_MAX = 64,
};

/* An option that turns something on: its apply function. */
#define SWITCH(function, statement)                                                \
    static enum err function(void *ctx, const char *argument, struct diag *diag) { \
        struct cli_options *options = ctx;                                         \
        (void)argument, (void)diag;                                                \
        statement;                                                                 \
        return ERR_NONE;                                                           \
    }

static void set_output(struct cli_options *options, enum cli_output output) {
    options->output = output;
    options->output_given = true;
}

SWITCH(set_stdin_last, options->stdin_last = true)
SWITCH(set_cluster, options->cluster = true)
SWITCH(set_fail_on_error, options->fail_on_error = true)
SWITCH(set_raw, set_output(options, CLI_OUTPUT_RAW))
SWITCH(set_no_raw, set_output(options, CLI_OUTPUT_TTY))
SWITCH(set_csv, set_output(options, CLI_OUTPUT_CSV))
SWITCH(set_json, set_output(options, CLI_OUTPUT_JSON))
SWITCH(set_quoted_json, set_output(options, CLI_OUTPUT_QUOTED_JSON))
SWITCH(set_quoted_input, options->quoted_input = true)
SWITCH(set_verbose, options->verbose = true)
SWITCH(set_no_auth_warning, options->no_auth_warning = true)
SWITCH(set_help, options->help = true)
SWITCH(set_version, options->version = true)

static enum err set_timeout(void *ctx, const char *argument, struct diag *diag) {
    struct cli_options *options = ctx;
    return client_parse_seconds(argument, &options->client.connect_timeout_s, diag);
}

static enum err set_repeat(void *ctx, const char *argument, struct diag *diag) {
    struct cli_options *options = ctx;
    return client_parse_i64(argument, -1, INT64_MAX, &options->repeat, diag);
}

static enum err set_interval(void *ctx, const char *argument, struct diag *diag) {
    struct cli_options *options = ctx;
    return client_parse_seconds(argument, &options->interval_s, diag);
}

static enum err set_db(void *ctx, const char *argument, struct diag *diag) {
    struct cli_options *options = ctx;
    return client_parse_i64(argument, 0, INT32_MAX, &options->client.db, diag);
}

static enum err set_show_pushes(void *ctx, const char *argument, struct diag *diag) {
    struct cli_options *options = ctx;
    bool yes = strcmp(argument, "yes") == 0 || strcmp(argument, "y") == 0;
    if (!yes && strcmp(argument, "no") != 0 && strcmp(argument, "n") != 0) {
        return diag_set(diag, ERR_SYNTAX, "'%.100s' is neither yes nor no", argument);
    }
    options->show_pushes = yes;
    options->show_pushes_given = true;
    return ERR_NONE;
}

static enum err refuse_debugger(void *ctx, const char *argument, struct diag *diag) {
    (void)ctx, (void)argument;
    return diag_set(diag, ERR_UNSUPPORTED, "the script debugger is not there yet");
}

static enum err refuse_cluster_manager(void *ctx, const char *argument, struct diag *diag) {
    (void)ctx, (void)argument;
    return diag_set(diag, ERR_UNSUPPORTED,
                    "the cluster manager is not there yet; -c follows a cluster's redirections");
}

/* ---- for the modes ---- */

static enum err set_pattern(void *ctx, const char *argument, struct diag *diag) {
    struct cli_options *options = ctx;
    (void)diag;
    client_option_set_text(&options->pattern, argument);
    options->pattern_size = strlen(argument);
    return ERR_NONE;
}

static enum err set_quoted_pattern(void *ctx, const char *argument, struct diag *diag) {
    struct cli_options *options = ctx;
    struct bytes *words = NULL;
    uint32_t count = 0;
    if (!split_args(bytes_of(argument), &words, &count) || count != 1) {
        mem_free(words);
        return diag_set(diag, ERR_SYNTAX, "not one string in quotes");
    }
    mem_free(options->pattern);
    options->pattern = mem_copy_bytes(words[0]);
    options->pattern_size = words[0].size;
    mem_free(words);
    return ERR_NONE;
}

static enum err set_count(void *ctx, const char *argument, struct diag *diag) {
    struct cli_options *options = ctx;
    return client_parse_i64(argument, 1, INT64_MAX, &options->count, diag);
}

static enum err set_pipe_timeout(void *ctx, const char *argument, struct diag *diag) {
    struct cli_options *options = ctx;
    return client_parse_i64(argument, 0, INT32_MAX, &options->pipe_timeout_s, diag);
}

static enum err set_memkeys_samples(void *ctx, const char *argument, struct diag *diag) {
    struct cli_options *options = ctx;
    if (!options->mode) options->mode = cli_mode_find("--memkeys"); /* asks for it, alone */
    return client_parse_i64(argument, 0, INT32_MAX, &options->memkeys_samples, diag);
}

static enum err set_hotkeys_count(void *ctx, const char *argument, struct diag *diag) {
    struct cli_options *options = ctx;
    return client_parse_i64(argument, 1, 1000000, &options->hotkeys_count, diag);
}

/* ---- the table ---- */

static const struct client_option option_rows[] = {
    {.name = "-t",
     .argument = "seconds",
     .apply = set_timeout,
     .help = "How long connecting may take; decimals are fine. Without it the system decides."},
    {.name = "-n", .argument = "db", .apply = set_db, .help = "Number of the database (0)."},
    {.name = "-r",
     .argument = "count",
     .apply = set_repeat,
     .help = "Repeat the command so many times; -1 means for ever."},
    {.name = "-i",
     .argument = "seconds",
     .apply = set_interval,
     .help = "Pause between repetitions, or between the steps of a mode; decimals are fine."},
    {.name = "-x",
     .apply = set_stdin_last,
     .help = "Take the last argument of the command from standard input."},
    {.name = "-X",
     .argument = "tag",
     .text = CLIENT_OPTION_TEXT(struct cli_options, stdin_tag),
     .help = "Take the argument that reads <tag> from standard input."},
    {.name = "-d",
     .argument = "delimiter",
     .text = CLIENT_OPTION_TEXT(struct cli_options, bulk_delimiter),
     .help = "What stands between the elements of a reply with --raw (a newline)."},
    {.name = "-D",
     .argument = "delimiter",
     .text = CLIENT_OPTION_TEXT(struct cli_options, reply_delimiter),
     .help = "What stands behind each reply with --raw (a newline)."},
    {.name = "-c",
     .apply = set_cluster,
     .help = "Cluster: go where MOVED and ASK redirections point to."},
    {.name = "-e",
     .apply = set_fail_on_error,
     .help = "Exit with status 1 when the reply is an error."},
    {.name = "--raw",
     .apply = set_raw,
     .help = "Replies as plain text: what is done when standard output is no terminal."},
    {.name = "--no-raw",
     .apply = set_no_raw,
     .help = "Replies as on a terminal, wherever they go."},
    {.name = "--quoted-input",
     .apply = set_quoted_input,
     .help = "Arguments may be in quotes, with escapes such as \\x00."},
    {.name = "--csv", .apply = set_csv, .help = "Replies as comma-separated values."},
    {.name = "--json",
     .apply = set_json,
     .help = "Replies as JSON; implies -3 (give -2 to stay with RESP2)."},
    {.name = "--quoted-json",
     .apply = set_quoted_json,
     .help = "Replies as JSON in pure ASCII: other bytes as \\xXX, as in quotes."},
    {.name = "--show-pushes",
     .argument = "yes|no",
     .apply = set_show_pushes,
     .help = "Whether to print pushed messages of RESP3: yes on a terminal, else no."},
    {.name = "--eval",
     .argument = "file",
     .text = CLIENT_OPTION_TEXT(struct cli_options, eval_file),
     .help = "Run the Lua script in the file; keys and arguments follow, with a ',' word between "
             "them."},
    {.name = "--ldb",
     .apply = refuse_debugger,
     .help = "Debug the script of --eval: not there yet."},
    {.name = "--ldb-sync-mode",
     .apply = refuse_debugger,
     .help = "The same, with the server waiting: not there yet."},
    {.name = "--cluster",
     .apply = refuse_cluster_manager,
     .help = "Cluster manager: not there yet."},
    {.name = "--pattern",
     .argument = "glob",
     .apply = set_pattern,
     .help = "Only keys that match, in the modes that look at keys."},
    {.name = "--quoted-pattern",
     .argument = "glob",
     .apply = set_quoted_pattern,
     .help = "The same in quotes, with escapes such as \\x00."},
    {.name = "--count",
     .argument = "n",
     .apply = set_count,
     .help = "COUNT of the SCAN commands in those modes (10)."},
    {.name = "--pipe-timeout",
     .argument = "seconds",
     .apply = set_pipe_timeout,
     .help = "How long --pipe waits for the last replies (30); 0 means for ever."},
    {.name = "--memkeys-samples",
     .argument = "n",
     .apply = set_memkeys_samples,
     .help = "--memkeys, or --keystats if that is given, looking at so many elements of a key; 0 "
             "means all."},
    {.name = "--hotkeys-count",
     .argument = "n",
     .apply = set_hotkeys_count,
     .help = "How many keys --hotkeys shows (16)."},
    {.name = "--verbose", .apply = set_verbose, .help = "Say more about what is done."},
    {.name = "--no-auth-warning",
     .apply = set_no_auth_warning,
     .help = "Do not warn of a password on the command line."},
    {.name = "--help", .apply = set_help, .help = "Show this."},
    {.name = "--version", .alias = "-v", .apply = set_version, .help = "Show the version."},
    {0},
};

/* The rows of the modes, as the parser wants them. */
static void mode_rows(struct client_option rows[MODES_MAX + 1]) {
    size_t count = 0;
    for (const struct cli_mode *mode = cli_modes; mode->option; mode++) {
        check(count < MODES_MAX);
        rows[count++] = (struct client_option){.name = mode->option,
                                               .alias = mode->alias,
                                               .argument = mode->argument,
                                               .help = mode->help};
    }
    rows[count] = (struct client_option){0};
}

static enum err take_mode(void *ctx, const char *name, const char *argument, struct diag *diag) {
    struct cli_options *options = ctx;
    (void)diag;
    options->mode = cli_mode_find(name);
    check(options->mode);
    client_option_set_text(&options->mode_argument, argument);
    return ERR_NONE;
}

void cli__options_init(struct cli *cli) {
    struct cli_options *options = &cli->options;
    *options = (struct cli_options){.repeat = 1,
                                    .pipe_timeout_s = PIPE_TIMEOUT_S,
                                    .memkeys_samples = -1,
                                    .hotkeys_count = HOTKEYS_COUNT,
                                    .hints = true};
    client_options_init(&options->client);
    options->bulk_delimiter = mem_strdup("\n");
    options->reply_delimiter = mem_strdup("\n");
}

void cli__options_deinit(struct cli *cli) {
    struct cli_options *options = &cli->options;
    client_options_deinit(&options->client);
    mem_free(options->stdin_tag);
    mem_free(options->bulk_delimiter);
    mem_free(options->reply_delimiter);
    mem_free(options->eval_file);
    mem_free(options->mode_argument);
    mem_free(options->pattern);
}

enum err cli__options_parse(struct cli *cli, int argc, char **argv, struct diag *diag) {
    struct client_option modes[MODES_MAX + 1];
    mode_rows(modes);
    struct cli_options *options = &cli->options;
    const struct client_option_table tables[] = {
        {.rows = option_rows, .ctx = options},
        {.rows = modes, .ctx = options, .take = take_mode},
        {.rows = client_option_rows, .ctx = &options->client},
        {0},
    };
    int rest;
    if (argc == 2 && strcmp(argv[1], "-h") == 0) { /* without a host it asks for help */
        options->help = true;
        return ERR_NONE;
    }
    enum err err = client_options_parse(tables, CLIENT_CLI, argc, argv, &rest, diag);
    if (err != ERR_NONE) return err;
    cli->argc = argc - rest;
    cli->argv = argv + rest;
    return ERR_NONE;
}

void cli__help(const char *program, struct buf *out) {
    struct client_option modes[MODES_MAX + 1];
    mode_rows(modes);
    buf_addf(out,
             "Usage: %s [options] [command [argument ...]]\n\n"
             "With a command: sends it, prints the reply. Without: reads commands, from the "
             "keyboard or\nfrom standard input.\n\nThe server\n",
             program);
    client_options_help(client_option_rows, CLIENT_CLI, out);
    buf_add_text(out, "\nCommands and replies\n");
    client_options_help(option_rows, CLIENT_CLI, out);
    buf_add_text(out, "\nInstead of commands\n");
    client_options_help(modes, CLIENT_CLI, out);
    buf_addf(out,
             "\nExamples\n"
             "  %1$s -u valkey://default:secret@127.0.0.1:6379/2 ping\n"
             "  %1$s -x set document < file\n"
             "  %1$s -D \"\" --raw dump key | %1$s -X data restore copy 0 data replace\n"
             "  %1$s -r 10 -i 0.5 info clients\n"
             "  %1$s --quoted-input set '\"a\\x00b\"' value\n"
             "  %1$s --eval script.lua key1 key2 , argument\n"
             "  %1$s --scan --pattern 'user:*'\n",
             program);
}
