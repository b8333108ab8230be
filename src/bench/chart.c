/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/chart.h"

#include <math.h>

enum { WIDTH = 640, HEIGHT = 240, LEFT = 64, RIGHT = 12, TOP = 28, BOTTOM = 28, GRID_LINES = 5 };

double chart_round_up(double value) {
    if (!(value > 0)) return 1;
    double power = pow(10, floor(log10(value)));
    const double steps[] = {1, 2, 5, 10};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        if (steps[i] * power >= value * (1 - 1e-9)) return steps[i] * power;
    }
    return 10 * power;
}

struct frame {
    double x_first, x_last, y_last;
};

static double place_x(const struct frame *frame, double x) {
    double range = frame->x_last - frame->x_first;
    double part = range > 0 ? (x - frame->x_first) / range : 0.5;
    return LEFT + part * (WIDTH - LEFT - RIGHT);
}

static double place_y(const struct frame *frame, double y) {
    return HEIGHT - BOTTOM - y / frame->y_last * (HEIGHT - TOP - BOTTOM);
}

/* "1.5M", "20k", "0.25" */
static void add_number(struct buf *out, double value) {
    if (value >= 1e6) {
        buf_addf(out, "%gM", value / 1e6);
    } else if (value >= 1e4) {
        buf_addf(out, "%gk", value / 1e3);
    } else {
        buf_addf(out, "%.4g", value);
    }
}

static void draw_grid(const struct chart *chart, const struct frame *frame, double step,
                      struct buf *out) {
    for (double y = 0; y <= frame->y_last * (1 + 1e-9); y += step) {
        double at = place_y(frame, y);
        buf_addf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT,
                 WIDTH - RIGHT, at, at);
        buf_addf(out, "<text class=\"y\" x=\"%d\" y=\"%.1f\">", LEFT - 6, at + 4);
        add_number(out, y);
        buf_add_text(out, "</text>\n");
    }
    for (size_t i = 0; i < chart->tick_count; i++) {
        buf_addf(out, "<text class=\"x\" x=\"%.1f\" y=\"%d\">%s</text>",
                 place_x(frame, chart->ticks[i].x), HEIGHT - 8, chart->ticks[i].label);
    }
}

static void draw_line(const struct chart *chart, const struct frame *frame, size_t index,
                      struct buf *out) {
    const struct chart_line *line = &chart->lines[index];
    buf_addf(out, "<polyline class=\"s%zu\" points=\"", index);
    for (size_t i = 0; i < chart->count; i++) {
        buf_addf(out, "%.1f,%.1f ", place_x(frame, chart->xs[i]), place_y(frame, line->ys[i]));
    }
    buf_add_text(out, "\"/>\n");
    if (chart->count == 1) {
        buf_addf(out, "<circle class=\"s%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", index,
                 place_x(frame, chart->xs[0]), place_y(frame, line->ys[0]));
    }
    buf_addf(out, "<text class=\"l%zu\" x=\"%zu\" y=\"18\">%s</text>\n", index,
             WIDTH - RIGHT - 50 - 60 * (chart->line_count - 1 - index), line->name);
}

void chart_draw(const struct chart *chart, struct buf *out) {
    double top = 0;
    if (chart->count == 0) return;
    for (size_t i = 0; i < chart->line_count; i++) {
        for (size_t j = 0; j < chart->count; j++) {
            if (chart->lines[i].ys[j] > top) top = chart->lines[i].ys[j];
        }
    }
    double step = chart_round_up(top / GRID_LINES);
    struct frame frame = {.x_first = chart->xs[0],
                          .x_last = chart->xs[chart->count - 1],
                          .y_last = step * ceil(top / step - 1e-9)};
    if (!(frame.y_last > 0)) frame.y_last = step;
    buf_addf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", WIDTH, HEIGHT,
             chart->title);
    buf_addf(out, "<text class=\"t\" x=\"%d\" y=\"18\">%s, %s</text>\n", LEFT, chart->title,
             chart->unit);
    draw_grid(chart, &frame, step, out);
    for (size_t i = 0; i < chart->line_count; i++) {
        draw_line(chart, &frame, i, out);
    }
    buf_add_text(out, "</svg>\n");
}
