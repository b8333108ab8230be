/* SPDX-License-Identifier: BSD-3-Clause */
/* valkey-benchmark: how many requests a second a server answers, and how fast. */
#include "base/clock.h"
#include "bench/bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_INTERRUPTED = 130 };

/* Help or the version, if they were asked for. */
static bool print_about(const struct bench_options *options, const char *program) {
    const struct client_about about = {
        .help = options->help, .version = options->version, .add_help = bench_options_help};
    return client_print_about(&about, program);
}

static enum err work(struct bench *bench, struct diag *diag) {
    const struct bench_options *options = &bench->options;
    enum err err = bench_prepare(bench, diag);
    if (err != ERR_NONE) return err;
    bench->live = isatty(STDOUT_FILENO) == 1 &&
                  (options->output == BENCH_TEXT || options->output == BENCH_QUIET);
    if (options->fuzz) return bench_fuzz(bench, diag);
    if (options->idle) {
        printf("Opening %lld idle connections; Ctrl-C ends\n", (long long)options->clients);
        fflush(stdout);
        return bench_run_test(bench, NULL, "idle", NULL, diag);
    }
    return bench_run_all(bench, diag);
}

int main(int argc, char **argv) {
    struct bench bench = {.signal_fd = -1};
    struct diag diag = {0};
    const char *program = client_program_name(argv[0]);
    int status = EXIT_SUCCESS;
    clock_init();
    signal(SIGPIPE, SIG_IGN); /* a failed write says so */
    bench_options_init(&bench.options);
    client_link_init(&bench.link);
    if (bench_options_parse(&bench.options, argc, argv, &diag) != ERR_NONE) {
        fprintf(stderr, "%s: %s\nTry '%s --help'.\n", program, diag.text, program);
        status = EXIT_FAILURE;
    } else if (!print_about(&bench.options, program)) {
        enum err err = work(&bench, &diag);
        if (err != ERR_NONE) (void)bench_is_interrupted(&bench); /* perhaps that is why */
        if (err != ERR_NONE && !bench.interrupted) fprintf(stderr, "%s\n", diag.text);
        status = bench.interrupted ? EXIT_INTERRUPTED : err != ERR_NONE ? EXIT_FAILURE : status;
    }
    bench_deinit(&bench);
    if (fflush(stdout) != 0 && status == EXIT_SUCCESS) status = EXIT_FAILURE;
    return status;
}
