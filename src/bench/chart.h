/* SPDX-License-Identifier: BSD-3-Clause */
/* chart -- lines over two axes as SVG, with grid, labels and a legend. Colours are the page's:
 * classes s0, s1... for the lines, axis and grid. */
#pragma once

#include "base/buf.h"

enum { CHART_LINES_MAX = 4, CHART_TICKS_MAX = 10 };

struct chart_line {
    const char *name;
    const double *ys; /* count of the chart */
};

struct chart_tick {
    double x;
    char label[24];
};

struct chart {
    const char *title;
    const char *unit; /* of the values */
    const double *xs; /* ascending */
    size_t count;     /* points */
    struct chart_line lines[CHART_LINES_MAX];
    size_t line_count;
    struct chart_tick ticks[CHART_TICKS_MAX]; /* of the x axis */
    size_t tick_count;
};

void chart_draw(const struct chart *chart, struct buf *out);
/* The least of 1, 2, 5 times a power of ten that is at least value; 1 for values not above 0. */
double chart_round_up(double value);
