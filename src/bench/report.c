/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/report.h"

#include "base/mem.h"
#include "base/version.h"
#include "bench/bench.h"
#include "bench/chart.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char page_head[] =
    "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<title>valkey-benchmark</title>\n"
    "<style>\n"
    ":root{--ink:#1c2430;--soft:#667085;--line:#e3e6ec;--back:#fff;--a:#2f6fde;--b:#d9822b;"
    "--c:#b3403a}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#98a2b3;--line:#323a48;"
    "--back:#151a22;--a:#7aa7ff;--b:#f0a95b;--c:#ef7d76}}\n"
    "body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);"
    "max-width:1320px;margin:2rem auto;padding:0 1rem}\n"
    "h1{font-size:1.4rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{color:var(--soft)}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n"
    "th,td{text-align:right;padding:.3rem .6rem;border-bottom:1px solid var(--line)}\n"
    "th:first-child,td:first-child{text-align:left}\n"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(400px,1fr));gap:1rem}\n"
    "svg{width:100%;height:auto;font-size:12px}svg text{fill:var(--soft)}svg .t{fill:var(--ink);"
    "font-weight:600}svg .y{text-anchor:end}svg .x{text-anchor:middle}\n"
    ".grid{stroke:var(--line)}polyline{fill:none;stroke-width:1.6;stroke-linejoin:round}\n"
    "polyline.s0{stroke:var(--a)}polyline.s1{stroke:var(--b)}polyline.s2{stroke:var(--c)}\n"
    "circle.s0,svg .l0{fill:var(--a)}circle.s1,svg .l1{fill:var(--b)}"
    "circle.s2,svg .l2{fill:var(--c)}\n"
    ".bar{fill:var(--a)}\n</style>\n<h1>valkey-benchmark</h1>\n";

static void add_html(struct buf *out, const char *text) {
    for (; *text; text++) {
        switch (*text) {
        case '<': buf_add_text(out, "&lt;"); break;
        case '>': buf_add_text(out, "&gt;"); break;
        case '&': buf_add_text(out, "&amp;"); break;
        case '"': buf_add_text(out, "&quot;"); break;
        default: buf_add_char(out, *text);
        }
    }
}

static double percentile_ms(const struct bench_result *result, double percent) {
    return (double)hdr_percentile(result->latencies, percent) / 1e6;
}

/* ---- what was asked for ---- */

static void add_settings(const struct bench *bench, struct buf *out) {
    const struct bench_options *options = &bench->options;
    struct buf server = {0};
    char when[64] = "";
    time_t now = time(NULL);
    struct tm parts;
    if (localtime_r(&now, &parts)) strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &parts);
    client_describe(&options->client, &server);
    buf_add_text(out, "<p>");
    add_html(out, server.data ? server.data : "");
    if (bench->server_version) {
        buf_add_text(out, " (version ");
        add_html(out, bench->server_version);
        buf_add_char(out, ')');
    }
    buf_addf(out,
             ", %s. %lld clients on %lld thread%s, pipeline %lld, values of %lld bytes, "
             "RESP%d%s%s. ",
             when, (long long)options->clients, (long long)options->threads,
             options->threads == 1 ? "" : "s", (long long)options->pipeline,
             (long long)options->data_size, options->client.resp == 3 ? 3 : 2,
             options->client.tls.enabled ? ", TLS" : "", options->cluster ? ", cluster" : "");
    if (options->keys > 0) {
        buf_addf(out, "%lld keys, %s. ", (long long)options->keys,
                 options->sequential ? "in order" : "at random");
    }
    if (options->rate > 0) {
        buf_addf(out, "%lld requests a second were due; latencies count from then. ",
                 (long long)options->rate);
    }
    buf_addf(out, "valkey-benchmark %s.</p>\n", VALKEY_VERSION);
    buf_deinit(&server);
}

static void add_table(const struct bench_result *results, size_t count, struct buf *out) {
    const double percents[] = {50, 95, 99, 99.9, 100};
    buf_add_text(out,
                 "<table><tr><th>test<th>requests/s<th>requests<th>avg ms<th>p50<th>p95"
                 "<th>p99<th>p99.9<th>max<th>client CPU &micro;s/request</tr>\n");
    for (size_t i = 0; i < count; i++) {
        const struct bench_result *result = &results[i];
        double requests = result->requests ? (double)result->requests : 1;
        buf_add_text(out, "<tr><td>");
        add_html(out, result->title);
        buf_addf(out, "<td>%.0f<td>%llu<td>%.3f", bench_result_rate(result),
                 (unsigned long long)result->requests, hdr_mean(result->latencies) / 1e6);
        for (size_t j = 0; j < COUNT_OF(percents); j++) {
            buf_addf(out, "<td>%.3f", percentile_ms(result, percents[j]));
        }
        buf_addf(out, "<td>%.2f</tr>\n", (result->user_s + result->system_s) * 1e6 / requests);
    }
    buf_add_text(out, "</table>\n");
}

/* All tests side by side. */
static void add_bars(const struct bench_result *results, size_t count, struct buf *out) {
    enum { ROW = 24, WIDTH = 900, LEFT = 300, ROOM = 480 };
    double top = 0;
    for (size_t i = 0; i < count; i++) {
        top = fmax(top, bench_result_rate(&results[i]));
    }
    if (count < 2 || !(top > 0)) return;
    buf_addf(out, "<h2>Throughput</h2><svg viewBox=\"0 0 %d %zu\">\n", WIDTH, count * ROW);
    for (size_t i = 0; i < count; i++) {
        double rate = bench_result_rate(&results[i]), width = rate / top * ROOM;
        size_t y = i * ROW;
        buf_addf(out, "<text class=\"y\" x=\"%d\" y=\"%zu\">", LEFT - 8, y + 16);
        add_html(out, results[i].title);
        buf_addf(out,
                 "</text><rect class=\"bar\" x=\"%d\" y=\"%zu\" width=\"%.1f\" height=\"16\"/>"
                 "<text x=\"%.1f\" y=\"%zu\">%.0f</text>\n",
                 LEFT, y + 3, width, LEFT + width + 6, y + 16, rate);
    }
    buf_add_text(out, "</svg>\n");
}

/* ---- charts of one test ---- */

struct points {
    double xs[SERIES_SAMPLES], rates[SERIES_SAMPLES];
    double p50[SERIES_SAMPLES], p99[SERIES_SAMPLES], max[SERIES_SAMPLES];
    size_t count;
};

static void fill_points(struct points *points, const struct series *series, double seconds) {
    double interval_s = (double)series->interval_ns / 1e9;
    points->count = 0;
    for (size_t i = 0; series->samples && i < series->used; i++) {
        const struct series_sample *sample = &series->samples[i];
        double size = series_interval_s(series, i, seconds);
        if (i > 0 && size < interval_s / 4) break; /* it hardly began: its rate says nothing */
        points->xs[i] = ((double)i + 0.5) * interval_s;
        points->rates[i] = size > 0 ? (double)sample->count / size : 0;
        points->p50[i] = (double)series_percentile(sample, 50) / 1e6;
        points->p99[i] = (double)series_percentile(sample, 99) / 1e6;
        points->max[i] = (double)sample->max_ns / 1e6;
        points->count++;
    }
}

static void add_time_ticks(struct chart *chart) {
    double first = chart->xs[0], last = chart->xs[chart->count - 1];
    double step = chart_round_up((last - first) / 6);
    for (double x = ceil(first / step) * step; x <= last && chart->tick_count < CHART_TICKS_MAX;
         x += step) {
        struct chart_tick *tick = &chart->ticks[chart->tick_count++];
        tick->x = x;
        snprintf(tick->label, sizeof(tick->label), "%g s", x);
    }
}

static void add_time_charts(const struct bench_result *result, struct buf *out) {
    struct points *points = mem_alloc(sizeof(*points));
    fill_points(points, &result->series, result->seconds);
    struct chart rates = {.title = "Throughput",
                          .unit = "requests/s",
                          .xs = points->xs,
                          .count = points->count,
                          .lines = {{"", points->rates}},
                          .line_count = 1};
    struct chart latencies = {
        .title = "Latency over time",
        .unit = "ms",
        .xs = points->xs,
        .count = points->count,
        .line_count = 3,
        .lines = {{"p50", points->p50}, {"p99", points->p99}, {"max", points->max}}};
    if (points->count > 0) {
        add_time_ticks(&rates);
        add_time_ticks(&latencies);
        chart_draw(&rates, out);
        chart_draw(&latencies, out);
    }
    mem_free(points);
}

/* Latency by percentile, with as much room for 90..99 % as for 99..99.9 %. */
static void add_percentile_chart(const struct bench_result *result, struct buf *out) {
    enum { STEPS_PER_NINE = 16, NINES = 5, POINTS = STEPS_PER_NINE * NINES + 1 };
    double xs[POINTS], ys[POINTS];
    struct chart chart = {.title = "Latency by percentile",
                          .unit = "ms",
                          .xs = xs,
                          .lines = {{"", ys}},
                          .line_count = 1};
    for (size_t i = 0; i < POINTS; i++) {
        double nines = (double)i / STEPS_PER_NINE, left = pow(10, -nines);
        if (i > 0 && left * (double)result->latencies->count < 1) break;
        xs[i] = nines;
        ys[i] = percentile_ms(result, 100 * (1 - left));
        chart.count++;
        if (i % STEPS_PER_NINE > 0) continue;
        struct chart_tick *tick = &chart.ticks[chart.tick_count++];
        tick->x = nines;
        snprintf(tick->label, sizeof(tick->label), "%g%%", 100 * (1 - left));
    }
    chart_draw(&chart, out);
}

void report_page(const struct bench *bench, const struct bench_result *results, size_t count,
                 struct buf *out) {
    buf_add_text(out, page_head);
    add_settings(bench, out);
    add_table(results, count, out);
    add_bars(results, count, out);
    for (size_t i = 0; i < count; i++) {
        buf_add_text(out, "<h2>");
        add_html(out, results[i].title);
        buf_add_text(out, "</h2>\n<div class=\"charts\">\n");
        add_time_charts(&results[i], out);
        add_percentile_chart(&results[i], out);
        buf_add_text(out, "</div>\n");
    }
    buf_add_text(out, "</html>\n");
}

/* ---- the file ---- */

static enum err write_all(int fd, struct bytes data, const char *path, struct diag *diag) {
    while (data.size > 0) {
        ssize_t wrote = write(fd, data.data, data.size);
        if (wrote == -1 && errno == EINTR) continue;
        if (wrote == -1) return diag_errno(diag, ERR_IO, "cannot write %s", path);
        data = bytes_from(data, (size_t)wrote);
    }
    return ERR_NONE;
}

enum err report_write(const struct bench *bench, const struct bench_result *results, size_t count,
                      struct diag *diag) {
    const char *path = bench->options.report;
    struct buf page = {0}, temporary = {0};
    report_page(bench, results, count, &page);
    buf_addf(&temporary, "%s.%ld", path, (long)getpid());
    int fd = open(temporary.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    enum err err = fd == -1 ? diag_errno(diag, ERR_IO, "cannot open %s", temporary.data)
                            : write_all(fd, buf_bytes(&page), path, diag);
    if (fd != -1 && close(fd) == -1 && err == ERR_NONE) {
        err = diag_errno(diag, ERR_IO, "cannot write %s", path);
    }
    if (err == ERR_NONE && rename(temporary.data, path) == -1) {
        err = diag_errno(diag, ERR_IO, "cannot make %s", path);
    }
    if (err != ERR_NONE && fd != -1) (void)unlink(temporary.data);
    buf_deinit(&page);
    buf_deinit(&temporary);
    return err;
}
