/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/print.h"

#include "base/check.h"
#include "bench/bench.h"

#include <stdio.h>

static const double NS_PER_MS = 1e6;

static double ms(uint64_t ns) { return (double)ns / NS_PER_MS; }

static double percentile_ms(const struct bench_result *result, double percent) {
    return ms(hdr_percentile(result->latencies, percent));
}

static int decimals(const struct bench *bench) {
    return bench->options.precision > 0 ? (int)bench->options.precision : 3;
}

static double min_ms(const struct bench_result *result) {
    return result->latencies->count ? ms(result->latencies->min) : 0;
}

/* ---- text ---- */

static void print_settings(const struct bench *bench, const struct bench_result *result) {
    const struct bench_options *options = &bench->options;
    printf("====== %s ======\n", result->title);
    printf("  %llu requests completed in %.2f seconds\n", (unsigned long long)result->requests,
           result->seconds);
    printf("  %lld parallel clients\n", (long long)options->clients);
    printf("  %lld bytes payload\n", (long long)options->data_size);
    printf("  keep alive: %d\n", options->keep_alive);
    if (bench->map) {
        printf("  cluster mode: yes (%zu nodes)\n", bench->map->node_count);
    } else {
        if (bench->server_save) printf("  host configuration \"save\": %s\n", bench->server_save);
        if (bench->server_appendonly) {
            printf("  host configuration \"appendonly\": %s\n", bench->server_appendonly);
        }
    }
    printf("  multi-thread: %s\n", options->threads > 1 ? "yes" : "no");
    if (options->threads > 1) printf("  threads: %lld\n", (long long)options->threads);
    if (options->rate > 0) {
        printf("  rate: %lld requests per second; latencies count from when a request was due\n",
               (long long)options->rate);
    }
    if (result->errors > 0) printf("  errors: %llu\n", (unsigned long long)result->errors);
    if (result->redirects > 0) {
        printf("  redirections: %llu\n", (unsigned long long)result->redirects);
    }
    printf("\n");
}

/* Each line halves what is left, until one value at most is. */
static void print_percentiles(const struct bench *bench, const struct bench_result *result) {
    const struct hdr *hdr = result->latencies;
    double left = 100;
    printf("Latency by percentile distribution:\n");
    for (double percent = 0; hdr->count > 0; percent = 100 - left) {
        uint64_t value = hdr_percentile(hdr, percent);
        uint64_t count = hdr_count_to(hdr, value);
        printf("%.3f%% <= %.*f milliseconds (cumulative count %llu)\n", percent, decimals(bench),
               ms(value), (unsigned long long)count);
        if (count == hdr->count && percent > 0) break;
        left /= 2;
    }
    printf("100.000%% <= %.*f milliseconds (cumulative count %llu)\n\n", decimals(bench),
           ms(hdr->max), (unsigned long long)hdr->count);
}

/* Steps of 0.1 ms up to 2 ms, of 1 ms up to 100, of 100 from there. */
static void print_cumulative(const struct bench *bench, const struct bench_result *result) {
    const struct hdr *hdr = result->latencies;
    const uint64_t step_first = 100000;
    uint64_t level = step_first, seen = 0;
    printf("Cumulative distribution of latencies:\n");
    while (hdr->count > 0 && seen < hdr->count) {
        uint64_t count = level >= hdr->max ? hdr->count : hdr_count_to(hdr, level);
        if (count > seen || level == step_first) {
            printf("%.3f%% <= %.*f milliseconds (cumulative count %llu)\n",
                   100.0 * (double)count / (double)hdr->count, decimals(bench), ms(level),
                   (unsigned long long)count);
        }
        seen = count;
        level += level < 20 * step_first ? step_first
                                         : (level < 1000 * step_first ? 10 : 1000) * step_first;
    }
    printf("\n");
}

static void print_summary(const struct bench *bench, const struct bench_result *result) {
    const double percents[] = {50, 95, 99, 100};
    printf("Summary:\n");
    printf("  throughput summary: %.2f requests per second\n", bench_result_rate(result));
    printf("  latency summary (msec):\n");
    printf("    %9s %9s %9s %9s %9s %9s\n", "avg", "min", "p50", "p95", "p99", "max");
    printf("    %9.*f %9.*f", decimals(bench), hdr_mean(result->latencies) / NS_PER_MS,
           decimals(bench), min_ms(result));
    for (size_t i = 0; i < COUNT_OF(percents); i++) {
        printf(" %9.*f", decimals(bench), percentile_ms(result, percents[i]));
    }
    printf("\n\n");
}

/* ---- one line ---- */

static void print_line(const struct bench *bench, const struct bench_result *result) {
    printf("%s: %.2f requests per second, p50=%.*f msec\n", result->title,
           bench_result_rate(result), decimals(bench), percentile_ms(result, 50));
}

static void print_csv(const struct bench *bench, const struct bench_result *result) {
    const double percents[] = {50, 95, 99, 100};
    putchar('"');
    for (const char *c = result->title; *c; c++) {
        if (*c == '"') putchar('"');
        putchar(*c);
    }
    printf("\",\"%.2f\",\"%.*f\",\"%.*f\"", bench_result_rate(result), decimals(bench),
           hdr_mean(result->latencies) / NS_PER_MS, decimals(bench), min_ms(result));
    for (size_t i = 0; i < COUNT_OF(percents); i++) {
        printf(",\"%.*f\"", decimals(bench), percentile_ms(result, percents[i]));
    }
    printf("\n");
}

/* ---- JSON ---- */

/* How many bytes the UTF-8 sequence at text has; 0: it is none. */
static size_t utf8_size(const unsigned char *text) {
    size_t size = text[0] < 0x80                      ? 1
                  : text[0] >= 0xc2 && text[0] < 0xe0 ? 2
                  : (text[0] & 0xf0) == 0xe0          ? 3
                  : text[0] >= 0xf0 && text[0] < 0xf5 ? 4
                                                      : 0;
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80) return 0;
    }
    return size;
}

void print_json_text(struct buf *out, const char *text) {
    buf_add_char(out, '"');
    while (*text) {
        size_t size = utf8_size((const unsigned char *)text);
        if (*text == '"' || *text == '\\') {
            buf_addf(out, "\\%c", *text);
        } else if ((unsigned char)*text < ' ') {
            buf_addf(out, "\\u%04x", (unsigned)*text);
        } else if (size == 0) {
            buf_add_text(out, "\\ufffd");
        } else {
            buf_add(out, bytes_make(text, size));
        }
        text += size ? size : 1;
    }
    buf_add_char(out, '"');
}

static void add_json_settings(const struct bench *bench, struct buf *out) {
    const struct bench_options *options = &bench->options;
    buf_add_text(out, "  \"server\": ");
    struct buf name = {0};
    client_describe(&options->client, &name);
    print_json_text(out, name.data ? name.data : "");
    buf_deinit(&name);
    if (bench->server_version) {
        buf_add_text(out, ",\n  \"server_version\": ");
        print_json_text(out, bench->server_version);
    }
    buf_addf(out,
             ",\n  \"clients\": %lld, \"threads\": %lld, \"pipeline\": %lld, \"data_size\": %lld, "
             "\"keys\": %lld,\n  \"keep_alive\": %s, \"sequential\": %s, \"cluster\": %s, "
             "\"tls\": %s, \"resp\": %d, \"rps\": %lld, \"seed\": %llu,\n",
             (long long)options->clients, (long long)options->threads, (long long)options->pipeline,
             (long long)options->data_size, (long long)options->keys,
             options->keep_alive ? "true" : "false", options->sequential ? "true" : "false",
             options->cluster ? "true" : "false", options->client.tls.enabled ? "true" : "false",
             options->client.resp == 3 ? 3 : 2, (long long)options->rate,
             (unsigned long long)options->seed);
}

static void add_json_series(const struct series *series, double seconds, struct buf *out) {
    double interval_s = (double)series->interval_ns / 1e9;
    buf_addf(out, ",\n     \"interval_s\": %.1f, \"series\": [", interval_s);
    for (size_t i = 0; series->samples && i < series->used; i++) {
        const struct series_sample *sample = &series->samples[i];
        double size = series_interval_s(series, i, seconds);
        buf_addf(out, "%s{\"rps\": %.1f, \"p50\": %.6f, \"p99\": %.6f, \"max\": %.6f}",
                 i ? ", " : "", size > 0 ? (double)sample->count / size : 0,
                 ms(series_percentile(sample, 50)), ms(series_percentile(sample, 99)),
                 ms(sample->max_ns));
    }
    buf_add_char(out, ']');
}

static void add_json_result(const struct bench_result *result, struct buf *out) {
    static const struct {
        const char *name;
        double percent;
    } percents[] = {{"p50", 50},     {"p90", 90},       {"p95", 95}, {"p99", 99},
                    {"p99_9", 99.9}, {"p99_99", 99.99}, {"max", 100}};
    buf_add_text(out, "    {\"test\": ");
    print_json_text(out, result->name);
    buf_add_text(out, ", \"title\": ");
    print_json_text(out, result->title);
    buf_addf(out,
             ",\n     \"requests\": %llu, \"seconds\": %.6f, \"rps\": %.2f, \"errors\": %llu, "
             "\"redirections\": %llu,\n     \"client_user_s\": %.6f, \"client_system_s\": %.6f,\n"
             "     \"latency_ms\": {\"avg\": %.6f, \"min\": %.6f",
             (unsigned long long)result->requests, result->seconds, bench_result_rate(result),
             (unsigned long long)result->errors, (unsigned long long)result->redirects,
             result->user_s, result->system_s, hdr_mean(result->latencies) / NS_PER_MS,
             min_ms(result));
    for (size_t i = 0; i < COUNT_OF(percents); i++) {
        buf_addf(out, ", \"%s\": %.6f", percents[i].name,
                 percentile_ms(result, percents[i].percent));
    }
    buf_add_char(out, '}');
    add_json_series(&result->series, result->seconds, out);
    buf_add_char(out, '}');
}

void print_json(const struct bench *bench, const struct bench_result *results, size_t count,
                struct buf *out) {
    buf_add_text(out, "{\n");
    add_json_settings(bench, out);
    buf_add_text(out, "  \"tests\": [\n");
    for (size_t i = 0; i < count; i++) {
        add_json_result(&results[i], out);
        buf_add_text(out, i + 1 < count ? ",\n" : "\n");
    }
    buf_add_text(out, "  ]\n}\n");
}

/* ---- all of them ---- */

void print_begin(const struct bench *bench) {
    if (bench->options.output != BENCH_CSV) return;
    printf(
        "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\","
        "\"p95_latency_ms\",\"p99_latency_ms\",\"max_latency_ms\"\n");
}

void print_result(const struct bench *bench, const struct bench_result *result) {
    check(result->latencies != NULL);
    switch (bench->options.output) {
    case BENCH_TEXT:
        print_settings(bench, result);
        print_percentiles(bench, result);
        print_cumulative(bench, result);
        print_summary(bench, result);
        break;
    case BENCH_QUIET: print_line(bench, result); break;
    case BENCH_CSV: print_csv(bench, result); break;
    case BENCH_JSON: /* all at the end */ break;
    }
}

void print_end(const struct bench *bench, const struct bench_result *results, size_t count) {
    if (bench->options.output == BENCH_QUIET) printf("\n");
    if (bench->options.output != BENCH_JSON) return;
    struct buf out = {0};
    print_json(bench, results, count, &out);
    fwrite(out.data, 1, out.size, stdout);
    buf_deinit(&out);
}
