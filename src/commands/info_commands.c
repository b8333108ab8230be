/* SPDX-License-Identifier: BSD-3-Clause */
/* INFO commandstats, errorstats and latencystats: a line for each command or error code. */
#include "base/clock.h"
#include "base/num.h"
#include "commands/info_internal.h"

enum { PERCENTILES_MAX = 64 };

/* A name in a line of its own must not break the line. */
static void add_name(struct buf *out, struct bytes name) {
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool breaks = c == '#' || c == ':' || c == '\n' || c == '\r';
        buf_add_char(out, breaks ? '_' : c);
    }
}

/* ---- commandstats ---- */

static void print_commands(struct buf *out, void *ctx) {
    const struct exec *exec = ((struct info *)ctx)->exec;
    for (size_t id = 0; id < command_table_id_count(exec->commands); id++) {
        const struct command_stats *stats = &exec->command_stats[id];
        if (!stats->calls && !stats->rejected && !stats->failed) continue;
        uint64_t us = clock_ticks_to_us(stats->ticks);
        buf_add_text(out, "cmdstat_");
        add_name(out, bytes_of(command_table_at_id(exec->commands, id)->full_name));
        buf_addf(out, ":calls=%llu,usec=%llu,usec_per_call=%.2f", (unsigned long long)stats->calls,
                 (unsigned long long)us, stats->calls ? (double)us / (double)stats->calls : 0);
        buf_addf(out, ",rejected_calls=%llu,failed_calls=%llu\r\n",
                 (unsigned long long)stats->rejected, (unsigned long long)stats->failed);
    }
}

/* ---- errorstats ---- */

static void print_error(void *ctx, struct bytes code, uint64_t count) {
    struct buf *out = ctx;
    buf_add_text(out, "errorstat_");
    add_name(out, code);
    buf_addf(out, ":count=%llu\r\n", (unsigned long long)count);
}
static void print_errors(struct buf *out, void *ctx) {
    error_stats_each(((struct info *)ctx)->exec, print_error, out);
}

/* ---- latencystats ---- */

struct percentiles {
    struct buf text; /* the option's words */
    struct bytes names[PERCENTILES_MAX];
    double values[PERCENTILES_MAX];
    size_t count;
};

static void percentiles_read(const struct info *info, struct percentiles *out) {
    *out = (struct percentiles){0};
    info__print_option(info, "latency-tracking-info-percentiles", &out->text);
    struct bytes left = buf_bytes(&out->text);
    while (left.size && out->count < PERCENTILES_MAX) {
        struct bytes word = bytes_make(left.data, bytes_find_byte(left, ' '));
        double value;
        if (num_parse_double(word, &value)) {
            out->names[out->count] = word;
            out->values[out->count++] = value;
        }
        left = bytes_from(left, word.size + 1);
    }
}

static void print_latency(struct buf *out, const char *name, const struct histogram *histogram,
                          const struct percentiles *percentiles) {
    buf_add_text(out, "latency_percentiles_usec_");
    add_name(out, bytes_of(name));
    for (size_t i = 0; i < percentiles->count; i++) {
        uint64_t ns = histogram_percentile_ns(histogram, percentiles->values[i]);
        buf_add_text(out, i ? ",p" : ":p");
        buf_add(out, percentiles->names[i]);
        buf_addf(out, "=%.3f", (double)ns / 1000);
    }
    buf_add_text(out, "\r\n");
}

static bool when_tracking(void *ctx) {
    return ((struct info *)ctx)->exec->config->latency_tracking;
}
static void print_latencies(struct buf *out, void *ctx) {
    const struct exec *exec = ((struct info *)ctx)->exec;
    struct percentiles percentiles;
    percentiles_read(ctx, &percentiles);
    for (size_t id = 0; percentiles.count && id < command_table_id_count(exec->commands); id++) {
        const struct histogram *histogram = exec->command_stats[id].latency;
        if (!histogram || !histogram->total) continue;
        const char *name = command_table_at_id(exec->commands, id)->full_name;
        print_latency(out, name, histogram, &percentiles);
    }
    buf_deinit(&percentiles.text);
}

static const struct stats_field command_fields[] = {
    {.kind = STATS_LINES, .print = print_commands},
    {0},
};
static const struct stats_field error_fields[] = {
    {.kind = STATS_LINES, .print = print_errors},
    {0},
};
static const struct stats_field latency_fields[] = {
    {.kind = STATS_LINES, .print = print_latencies, .when = when_tracking},
    {0},
};

void info__register_commands(struct stats_registry *registry, struct info *info) {
    stats_add_fields(registry, "commandstats", command_fields, info);
    stats_add_fields(registry, "errorstats", error_fields, info);
    stats_add_fields(registry, "latencystats", latency_fields, info);
}
