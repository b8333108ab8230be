/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/progress.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/num.h"

#include <stdio.h>
#include <unistd.h>

static const int64_t redraw_ns = 100 * 1000 * 1000;

void progress_init(struct progress *progress, enum progress_unit unit) {
    int64_t now = clock_mono_ns();
    *progress = (struct progress){.unit = unit,
                                  .enabled = isatty(STDERR_FILENO) == 1,
                                  .started_ns = now,
                                  .drawn_ns = now}; /* what is done at once needs no line */
}

static void add_amount(struct buf *line, enum progress_unit unit, int64_t amount) {
    if (unit == PROGRESS_BYTES) {
        char human[32];
        num_format_human(human, (uint64_t)amount);
        buf_add_text(line, human);
    } else {
        buf_add_i64(line, amount);
    }
}

static void add_duration(struct buf *line, double seconds) {
    if (seconds < 90) {
        buf_addf(line, "%.0f s", seconds);
    } else if (seconds < 90 * 60) {
        buf_addf(line, "%.0f min", seconds / 60);
    } else {
        buf_addf(line, "%.1f h", seconds / 3600);
    }
}

void progress_show(struct progress *progress, int64_t done, int64_t total, const char *note) {
    if (!progress->enabled) return;
    int64_t now = clock_mono_ns();
    if (now - progress->drawn_ns < redraw_ns) return;

    struct buf line = {0};
    double seconds = (double)(now - progress->started_ns) / 1e9;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    buf_add_text(&line, "\r\033[K");
    add_amount(&line, progress->unit, done);
    buf_add_text(&line, progress->unit == PROGRESS_KEYS ? " keys" : "");
    if (total > 0)
        buf_addf(&line, " (%.1f%%)", 100.0 * (double)i64_min(done, total) / (double)total);
    buf_add_text(&line, ", ");
    add_amount(&line, progress->unit, (int64_t)rate);
    buf_add_text(&line, "/s");
    if (total > done && rate > 0) {
        buf_add_text(&line, ", ");
        add_duration(&line, (double)(total - done) / rate);
        buf_add_text(&line, " left");
    }
    if (note) buf_addf(&line, ", %s", note);
    fwrite(line.data, 1, line.size, stderr);
    (void)fflush(stderr);
    buf_deinit(&line);
    progress->drawn = true;
    progress->drawn_ns = now;
}

void progress_clear(struct progress *progress) {
    if (!progress->drawn) return;
    (void)fflush(stdout); /* if both are the same terminal: in order */
    fputs("\r\033[K", stderr);
    (void)fflush(stderr);
    progress->drawn = false;
}
