/* SPDX-License-Identifier: BSD-3-Clause */
/* LOLWUT -- a piece of computer art, new each time, and the version. Two pictures: rings of two
 * stones thrown into a pond where they meet (any version but 6), and what an elementary cellular
 * automaton (Wolfram, 1983) weaves from one row of chance (version 6). */
#include "base/buf.h"
#include "base/version.h"
#include "commands/server_internal.h"

#include <math.h>

enum {
    CANVAS_COLUMNS = 64,
    CANVAS_ROWS = 20,
    CANVAS_COLUMNS_MAX = 160,
    CANVAS_ROWS_MAX = 80,
    WEAVE_VERSION = 6,
};

struct canvas {
    int64_t columns, rows;
    struct rng *rng;
    struct buf *out;
};

/* ---- the pond ---- */

struct stone {
    double x, y;      /* 0..1 of the canvas */
    double wave_size; /* in columns */
};

static struct stone stone_throw(struct rng *rng) {
    return (struct stone){
        .x = rng_unit(rng), .y = rng_unit(rng), .wave_size = 3 + 6 * rng_unit(rng)};
}

/* Height of the water, -1..1. A character is about twice as high as it is wide. */
static double wave_at(const struct canvas *canvas, const struct stone *stone, double x, double y) {
    double dx = x - stone->x * (double)canvas->columns;
    double dy = (y - stone->y * (double)canvas->rows) * 2;
    double distance = sqrt(dx * dx + dy * dy);
    return cos(distance / stone->wave_size * 2 * 3.14159265358979) / (1 + distance / 40);
}

static void draw_pond(const struct canvas *canvas) {
    static const char shades[] = " .,-~:=+*#%@";
    const int top = (int)sizeof(shades) - 2;
    struct stone first = stone_throw(canvas->rng), second = stone_throw(canvas->rng);
    for (int64_t y = 0; y < canvas->rows; y++) {
        for (int64_t x = 0; x < canvas->columns; x++) {
            double height = wave_at(canvas, &first, (double)x, (double)y) +
                            wave_at(canvas, &second, (double)x, (double)y);
            int shade = (int)((height + 2) / 4 * (top + 1));
            buf_add_char(canvas->out, shades[shade < 0 ? 0 : shade > top ? top : shade]);
        }
        buf_add_char(canvas->out, '\n');
    }
}

/* ---- the loom ---- */

static void draw_weave(const struct canvas *canvas) {
    static const uint8_t rules[] = {18, 22, 30, 45, 54, 60, 90, 105, 110, 126, 150};
    uint8_t rule = rules[rng_below(canvas->rng, COUNT_OF(rules))];
    bool row[CANVAS_COLUMNS_MAX] = {0}, next[CANVAS_COLUMNS_MAX];
    row[rng_below(canvas->rng, (uint64_t)canvas->columns)] = true;
    row[rng_below(canvas->rng, (uint64_t)canvas->columns)] = true;
    for (int64_t y = 0; y < canvas->rows; y++) {
        for (int64_t x = 0; x < canvas->columns; x++) {
            buf_add_char(canvas->out, row[x] ? '#' : ' ');
            bool left = row[x ? x - 1 : canvas->columns - 1];
            bool right = row[x + 1 < canvas->columns ? x + 1 : 0];
            next[x] = rule >> (left * 4 + row[x] * 2 + right) & 1;
        }
        buf_add_char(canvas->out, '\n');
        memcpy(row, next, sizeof(row));
    }
    buf_addf(canvas->out, "\nRule %d, woven from two threads.", rule);
}

/* LOLWUT [VERSION version] [columns [rows]] */
void cmd_lolwut(struct call *call) {
    struct buf out = {0};
    struct canvas canvas = {
        .columns = CANVAS_COLUMNS, .rows = CANVAS_ROWS, .rng = &call->exec->rng, .out = &out};
    int64_t version = 0;
    uint32_t arg = 1;
    if (call->argc > 2 && call_is(call, 1, "version")) {
        if (!call_int(call, 2, &version)) return;
        arg = 3;
    }
    if (arg < call->argc && !call_int(call, arg, &canvas.columns)) return;
    if (arg + 1 < call->argc && !call_int(call, arg + 1, &canvas.rows)) return;
    canvas.columns = i64_min(i64_max(canvas.columns, 1), CANVAS_COLUMNS_MAX);
    canvas.rows = i64_min(i64_max(canvas.rows, 1), CANVAS_ROWS_MAX);
    if (version == WEAVE_VERSION) {
        draw_weave(&canvas);
    } else {
        draw_pond(&canvas);
    }
    buf_add_text(&out, "\nValkey ver. " VALKEY_VERSION "\n");
    reply_verbatim(call->reply, "txt", buf_bytes(&out));
    buf_deinit(&out);
}
