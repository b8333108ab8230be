/* SPDX-License-Identifier: BSD-3-Clause */
/* intrinsic_latency -- the mode --intrinsic-latency: how long this machine keeps a busy program
 * waiting, without any server: the gaps between readings of the clock. No server on it can be
 * faster than that. */
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/cli_mode.h"

#include <stdlib.h>

enum { LOOK_AROUND = 4096 }; /* readings between two looks at Ctrl-C */

int cli__run_intrinsic_latency(struct cli *cli) {
    struct diag diag = {0};
    double seconds;
    if (client_parse_seconds(cli->options.mode_argument, &seconds, &diag) != ERR_NONE) {
        cli_say("--intrinsic-latency: %s", diag.text);
        return EXIT_FAILURE;
    }
    cli_catch_interrupts(cli);
    int64_t started = clock_mono_ns(), last = started, worst = 0, runs = 0;
    int64_t end = started + (int64_t)(seconds * 1e9);
    bool interrupted = false;
    while (last < end && !interrupted) {
        int64_t now = clock_mono_ns();
        int64_t gap = now - last;
        runs++;
        if (gap > worst) {
            /* Told in whole microseconds: only when that changes. */
            if (worst == 0 || gap / 1000 > worst / 1000) {
                printf("Max latency so far: %lld microseconds.\n", (long long)(gap + 999) / 1000);
                (void)fflush(stdout);
                now = clock_mono_ns(); /* the printing is not the machine's fault */
            }
            worst = gap;
        }
        last = now;
        if (runs % LOOK_AROUND == 0) interrupted = cli_was_interrupted(cli);
    }
    if (runs == 0) return EXIT_SUCCESS;
    double average_ns = (double)(last - started) / (double)runs;
    printf("\n%lld total runs (avg latency: %.4f microseconds / %.2f nanoseconds per run).\n",
           (long long)runs, average_ns / 1000, average_ns);
    printf("Worst run took %.0fx longer than the average latency.\n", (double)worst / average_ns);
    return EXIT_SUCCESS;
}
