/* SPDX-License-Identifier: BSD-3-Clause */
/* latency -- the modes --latency and --latency-history: the shortest, longest and average time of
 * PINGs. */
#include "cli/latency.h"

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/cli_mode.h"

#include <stdlib.h>

enum { HISTORY_S = 15, ONCE_S = 1, RECONNECT_PAUSE_S = 1 };

struct latency {
    int64_t min_us, max_us, sum_us;
    int64_t count;
    int64_t started_ns;
};

bool latency_ping(struct cli *cli, int64_t *us) {
    struct resp_value *reply = NULL;
    if (!cli_connect(cli)) return false;
    int64_t started = clock_mono_ns();
    if (!cli_call(cli, (const char *[]){"PING", NULL}, &reply)) return false;
    *us = (clock_mono_ns() - started) / 1000;
    resp_value_destroy(&reply);
    return true;
}

bool latency_recover(struct cli *cli) {
    return !client_link_is_open(&cli->link) && cli_sleep(cli, RECONNECT_PAUSE_S);
}

static void latency_start(struct latency *latency) {
    *latency = (struct latency){.min_us = INT64_MAX, .started_ns = clock_mono_ns()};
}

static void latency_add(struct latency *latency, int64_t us) {
    latency->min_us = i64_min(latency->min_us, us);
    latency->max_us = i64_max(latency->max_us, us);
    latency->sum_us += us;
    latency->count++;
}

static double elapsed_s(const struct latency *latency) {
    return (double)(clock_mono_ns() - latency->started_ns) / 1e9;
}

/* The figures in whole milliseconds, the average with a fraction; no newline. */
static void latency_print(const struct latency *latency, enum cli_output output) {
    long long min = latency->count ? latency->min_us / 1000 : 0, max = latency->max_us / 1000;
    long long count = latency->count;
    double average = count ? (double)latency->sum_us / (double)count / 1000 : 0;
    switch (output) {
    case CLI_OUTPUT_TTY:
        printf("min: %lld, max: %lld, avg: %.2f (%lld samples)", min, max, average, count);
        break;
    case CLI_OUTPUT_RAW: printf("%lld %lld %.2f %lld", min, max, average, count); break;
    case CLI_OUTPUT_CSV: printf("%lld,%lld,%.2f,%lld", min, max, average, count); break;
    case CLI_OUTPUT_JSON:
    case CLI_OUTPUT_QUOTED_JSON:
        printf("{\"min\":%lld,\"max\":%lld,\"avg\":%.2f,\"count\":%lld}", min, max, average, count);
        break;
    }
}

/* The line that is drawn over itself while the figures change. */
static void latency_draw(const struct latency *latency) {
    fputs("\r\033[K", stdout);
    latency_print(latency, CLI_OUTPUT_TTY);
    (void)fflush(stdout);
}

/* Samples for a while. False: interrupted, or failed for good. */
static bool sample(struct cli *cli, struct latency *latency, double seconds, bool live) {
    latency_start(latency);
    for (;;) {
        int64_t us;
        if (latency_ping(cli, &us)) {
            latency_add(latency, us);
            if (live) latency_draw(latency);
            if (!cli_sleep(cli, LATENCY_PAUSE_MS / 1000.0)) return false;
        } else if (!latency_recover(cli)) {
            return false;
        }
        if (seconds > 0 && elapsed_s(latency) >= seconds) return true;
    }
}

/* On a terminal until Ctrl-C, elsewhere once for the time that -i says. */
int cli__run_latency(struct cli *cli) {
    const struct cli_options *options = &cli->options;
    bool live = options->output == CLI_OUTPUT_TTY;
    double seconds = options->interval_s > 0 ? options->interval_s : ONCE_S;
    struct latency latency;
    cli_catch_interrupts(cli);
    if (!cli_connect(cli)) return EXIT_FAILURE;
    bool whole = sample(cli, &latency, live ? 0 : seconds, live);
    if (!live && latency.count > 0) latency_print(&latency, options->output);
    if (latency.count > 0) putchar('\n');
    return whole || latency.count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cli__run_latency_history(struct cli *cli) {
    const struct cli_options *options = &cli->options;
    bool live = options->output == CLI_OUTPUT_TTY;
    double seconds = options->interval_s > 0 ? options->interval_s : HISTORY_S;
    struct latency latency;
    cli_catch_interrupts(cli);
    if (!cli_connect(cli)) return EXIT_FAILURE;
    while (sample(cli, &latency, seconds, live)) {
        if (live) {
            printf(" -- %.2f seconds range\n", elapsed_s(&latency));
        } else {
            latency_print(&latency, options->output);
            putchar('\n');
        }
        if (fflush(stdout) != 0) return EXIT_FAILURE;
    }
    if (live) putchar('\n');
    return EXIT_SUCCESS;
}
