/* SPDX-License-Identifier: BSD-3-Clause */
/* valkey-cli: commands for a server, from the command line, from standard input, from the keyboard;
 * and a few tools that look at a server. */
#include "base/clock.h"
#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/cli_mode.h"
#include "cli/cli_options.h"
#include "cli/docs.h"
#include "cli/interactive.h"
#include "client/auth.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* Help or the version, if they were asked for. */
static bool print_about(const struct cli_options *options, const char *program) {
    const struct client_about about = {
        .help = options->help, .version = options->version, .add_help = cli__help};
    return client_print_about(&about, program);
}

/* What depends on the terminal, the environment and each other. */
static bool settle_options(struct cli *cli) {
    struct cli_options *options = &cli->options;
    struct diag diag = {0};
    cli->stdin_tty = isatty(STDIN_FILENO) == 1;
    cli->stdout_tty = isatty(STDOUT_FILENO) == 1 || getenv("FAKETTY") != NULL;
    if (!options->output_given && !cli->stdout_tty) options->output = CLI_OUTPUT_RAW;
    if (!options->show_pushes_given) options->show_pushes = cli->stdout_tty;
    /* JSON is about the types of RESP3. */
    bool is_json = options->output == CLI_OUTPUT_JSON || options->output == CLI_OUTPUT_QUOTED_JSON;
    if (is_json && options->client.resp == 0) options->client.resp = 3;
    if (options->client.ask_password) {
        if (client_ask_password(&options->client, "Please input password: ", &diag) == ERR_NONE) {
            return true;
        }
        cli_say("%s", diag.text);
        return false;
    }
    if (options->client.password_on_command_line && !options->no_auth_warning) {
        cli_say(
            "Warning: Using a password with '-a' or '-u' option on the command line interface "
            "may not be safe.");
    }
    client_auth_environment(&options->client);
    return true;
}

static int run(struct cli *cli) {
    const struct cli_options *options = &cli->options;
    if (!settle_options(cli)) return EXIT_FAILURE;
    if (options->mode) return options->mode->run(cli);
    if (cli->argc > 0 || options->eval_file || options->stdin_last) return cli__run_once(cli);
    return cli->stdin_tty ? cli__run_interactive(cli) : cli__run_lines(cli);
}

int main(int argc, char **argv) {
    struct cli cli = {.signal_fd = -1};
    struct diag diag = {0};
    const char *program = client_program_name(argv[0]);
    int status = EXIT_SUCCESS;
    clock_init();
    signal(SIGPIPE, SIG_IGN); /* a failed write says so */
    cli__options_init(&cli);
    client_link_init(&cli.link);
    if (cli__options_parse(&cli, argc, argv, &diag) != ERR_NONE) {
        cli_say("%s: %s\nTry '%s --help'.", program, diag.text, program);
        status = EXIT_FAILURE;
    } else if (!print_about(&cli.options, program)) {
        status = run(&cli);
    }
    if (fflush(stdout) != 0) status = EXIT_FAILURE;
    docs__destroy(&cli.docs);
    client_link_deinit(&cli.link);
    cli__options_deinit(&cli);
    return status;
}
