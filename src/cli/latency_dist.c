/* SPDX-License-Identifier: BSD-3-Clause */
/* latency_dist -- the mode --latency-dist: how the times of PINGs are distributed, a row of
 * coloured signs for each interval. The brighter a sign's background, the more PINGs took that
 * long. */
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/cli_mode.h"
#include "cli/latency.h"

#include <stdlib.h>

/* Times up to max_us that fit in no band before. */
struct band {
    int64_t max_us;
    char sign;
    const char *name;
};

static const struct band bands[] = {
    {10, '.', "10us"},          {125, '-', "125us"},    {250, '*', "250us"},
    {500, '#', "500us"},        {1000, '1', "1ms"},     {2000, '2', "2ms"},
    {3000, '3', "3ms"},         {4000, '4', "4ms"},     {5000, '5', "5ms"},
    {6000, '6', "6ms"},         {7000, '7', "7ms"},     {8000, '8', "8ms"},
    {9000, '9', "9ms"},         {10000, 'A', "10ms"},   {20000, 'B', "20ms"},
    {30000, 'C', "30ms"},       {40000, 'D', "40ms"},   {50000, 'E', "50ms"},
    {100000, 'F', "100ms"},     {200000, 'G', "200ms"}, {300000, 'H', "300ms"},
    {400000, 'I', "400ms"},     {500000, 'J', "500ms"}, {1000000, 'K', "1s"},
    {2000000, 'L', "2s"},       {4000000, 'M', "4s"},   {8000000, 'N', "8s"},
    {16000000, 'O', "16s"},     {30000000, 'P', "30s"}, {60000000, 'Q', "60s"},
    {INT64_MAX, '?', "longer"},
};

/* Colours of xterm's 256, from none to all: black, blue, green, yellow, red. */
static const uint8_t palette[] = {0,  17,  18,  19,  24,  23,  29,  28, 34,
                                  70, 106, 142, 178, 172, 166, 160, 196};

static size_t band_of(int64_t us) {
    size_t i = 0;
    while (us > bands[i].max_us) {
        i++;
    }
    return i;
}

static void print_legend(void) {
    printf(
        "\nEach sign is a range of times that PINGs took, up to:\n"
        "  . - * #        10, 125, 250, 500 microseconds\n"
        "  1 ... 9        1 to 9 milliseconds\n"
        "  A B C D E      10, 20, 30, 40, 50 milliseconds\n"
        "  F G H I J      100, 200, 300, 400, 500 milliseconds\n"
        "  K L M N O P Q  1, 2, 4, 8, 16, 30, 60 seconds; ? longer\n"
        "From 0 to 100%% of the PINGs: ");
    for (size_t i = 0; i < COUNT_OF(palette); i++) {
        printf("\033[48;5;%um ", palette[i]);
    }
    printf("\033[0m\n\n");
}

static void print_row(const int64_t counts[], int64_t samples) {
    for (size_t i = 0; i < COUNT_OF(bands); i++) {
        size_t last = COUNT_OF(palette) - 1;
        size_t shade = 0;
        if (counts[i] > 0) shade = 1 + (size_t)(counts[i] * (int64_t)(last - 1) / samples);
        printf("\033[38;5;%u;48;5;%um%c", counts[i] > 0 ? 15 : 238, palette[shade], bands[i].sign);
    }
    printf("\033[0m\n");
}

/* Where colours are of no use: the bands that have something. */
static void print_words(const int64_t counts[], int64_t samples) {
    const char *between = "";
    for (size_t i = 0; i < COUNT_OF(bands); i++) {
        if (counts[i] == 0) continue;
        printf("%s%s %.1f%%", between, bands[i].name, 100.0 * (double)counts[i] / (double)samples);
        between = ", ";
    }
    putchar('\n');
}

int cli__run_latency_dist(struct cli *cli) {
    double seconds = cli->options.interval_s > 0 ? cli->options.interval_s : 1;
    bool coloured = cli->stdout_tty;
    cli_catch_interrupts(cli);
    if (!cli_connect(cli)) return EXIT_FAILURE;
    if (coloured) print_legend();
    for (;;) {
        int64_t counts[COUNT_OF(bands)] = {0}, samples = 0;
        int64_t end = clock_mono_ns() + (int64_t)(seconds * 1e9);
        do {
            int64_t us;
            if (latency_ping(cli, &us)) {
                counts[band_of(us)]++;
                samples++;
                if (!cli_sleep(cli, LATENCY_PAUSE_MS / 1000.0)) return EXIT_SUCCESS;
            } else if (!latency_recover(cli)) {
                return EXIT_SUCCESS;
            }
        } while (clock_mono_ns() < end);
        if (samples == 0) continue;
        (coloured ? print_row : print_words)(counts, samples);
        if (fflush(stdout) != 0) return EXIT_FAILURE;
    }
}
