/* SPDX-License-Identifier: BSD-3-Clause */
/* LATENCY GRAPH and DOCTOR: the latency monitor's samples for people. */
#include "base/check.h"
#include "commands/server_internal.h"
#include "exec/latency.h"

#include <math.h>
#include <stdio.h>

enum { GRAPH_ROWS = 4, GRAPH_RULE = 80, AGE_TEXT_MAX = 8 };

/* The samples of an event, oldest first. */
struct samples {
    struct {
        int64_t time_s;
        uint32_t ms;
    } at[LATENCY_SAMPLES];
    uint32_t count;
    uint32_t low_ms, high_ms;
};

static void samples_of(const struct latency_event *event, struct samples *out) {
    *out = (struct samples){.low_ms = UINT32_MAX};
    for (uint32_t i = 0; i < LATENCY_SAMPLES; i++) {
        uint32_t at = (event->next + i) % LATENCY_SAMPLES;
        if (!event->samples[at].time_s) continue;
        uint32_t ms = event->samples[at].ms;
        out->at[out->count].time_s = event->samples[at].time_s;
        out->at[out->count++].ms = ms;
        if (ms < out->low_ms) out->low_ms = ms;
        if (ms > out->high_ms) out->high_ms = ms;
    }
    check(out->count > 0); /* an event exists because it had a sample */
}

/* ---- GRAPH ---- */

/* "5s", "12m", "3h", "9d", written downwards below its column. */
static void age_text(int64_t age_s, char out[AGE_TEXT_MAX]) {
    static const struct {
        int64_t seconds;
        char unit;
    } units[] = {{24 * 3600, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    size_t i = 0;
    while (i + 1 < COUNT_OF(units) && age_s < units[i].seconds)
        i++;
    snprintf(out, AGE_TEXT_MAX, "%u%c", (unsigned)(age_s / units[i].seconds) % 100000,
             units[i].unit);
}

/* A column per sample; a row holds three heights: '_' 'o' '#'. Row 0 is the top. */
static char graph_cell(const struct samples *samples, uint32_t column, int row) {
    uint32_t range = samples->high_ms - samples->low_ms;
    double share = range ? (double)(samples->at[column].ms - samples->low_ms) / range : 0;
    int height = 1 + (int)(share * (GRAPH_ROWS * 3 - 1) + 0.5);
    int below = (GRAPH_ROWS - 1 - row) * 3; /* heights that end under this row */
    if (height <= below) return ' ';
    return height - below >= 3 ? '#' : height - below == 2 ? 'o' : '_';
}

static void draw_ages(const struct samples *samples, int64_t now_s, struct buf *out) {
    bool more = true;
    for (size_t line = 0; more; line++) {
        more = false;
        for (uint32_t i = 0; i < samples->count; i++) {
            char text[AGE_TEXT_MAX];
            age_text(i64_max(now_s - samples->at[i].time_s, 0), text);
            size_t size = strlen(text);
            buf_add_char(out, line < size ? text[line] : ' ');
            more |= line + 1 < size;
        }
        buf_add_char(out, '\n');
    }
}

/* LATENCY GRAPH event */
void cmd_latency_graph(struct call *call) {
    const struct latency_event *event = latency_find(&call->exec->latency, call->argv[2]);
    if (!event) {
        call_errorf(call, ERROR_LATENCY_NO_SAMPLES, (int)size_min(call->argv[2].size, 128),
                    call->argv[2].data);
        return;
    }
    struct samples samples;
    samples_of(event, &samples);
    struct buf out = {0};
    buf_addf(&out, "%s - high %u ms, low %u ms (all time high %u ms)\n", event->name,
             samples.high_ms, samples.low_ms, event->max_ms);
    for (int i = 0; i < GRAPH_RULE; i++)
        buf_add_char(&out, '-');
    buf_add_char(&out, '\n');
    for (int row = 0; row < GRAPH_ROWS; row++) {
        for (uint32_t i = 0; i < samples.count; i++)
            buf_add_char(&out, graph_cell(&samples, i, row));
        buf_add_char(&out, '\n');
    }
    buf_add_char(&out, '\n');
    draw_ages(&samples, call->now_ms / 1000, &out);
    reply_verbatim(call->reply, "txt", buf_bytes(&out));
    buf_deinit(&out);
}

/* ---- DOCTOR ---- */

enum advice {
    ADVICE_SLOWLOG = BIT(0),  /* look at slow commands */
    ADVICE_EXPIRY = BIT(1),   /* many keys expire at once */
    ADVICE_EVICTION = BIT(2), /* memory is at its limit */
    ADVICE_SYSTEM = BIT(3),   /* the machine itself */
};

static unsigned advice_for(const char *event) {
    if (strcmp(event, "command") == 0) return ADVICE_SLOWLOG;
    if (strcmp(event, "fast-command") == 0) return ADVICE_SYSTEM;
    if (strncmp(event, "expire", strlen("expire")) == 0) return ADVICE_EXPIRY;
    if (strncmp(event, "eviction", strlen("eviction")) == 0) return ADVICE_EVICTION;
    return ADVICE_SYSTEM;
}

static void describe_event(const struct latency_event *event, unsigned number, struct buf *out) {
    struct samples samples;
    samples_of(event, &samples);
    double mean = 0, deviation = 0;
    for (uint32_t i = 0; i < samples.count; i++)
        mean += (double)samples.at[i].ms / samples.count;
    for (uint32_t i = 0; i < samples.count; i++)
        deviation += fabs((double)samples.at[i].ms - mean) / samples.count;
    int64_t span_s = samples.at[samples.count - 1].time_s - samples.at[0].time_s;
    double period_s = (double)i64_max(span_s, 1) / samples.count;
    buf_addf(out,
             "%u. %s: %u latency spikes (average %.0f ms, mean deviation %.0f ms, one in %.2f s). "
             "Worst of all time: %u ms.\n",
             number, event->name, samples.count, mean, deviation, period_s, event->max_ms);
}

static void advise(const struct call *call, unsigned advice, struct buf *out) {
    int64_t slow_us = call->exec->commandlogs[COMMANDLOG_SLOW].threshold;
    int64_t threshold_us = call->exec->latency.threshold_ms * 1000;
    if (advice & ADVICE_SLOWLOG) {
        if (slow_us < 0 || slow_us > threshold_us) {
            buf_addf(out,
                     "- The log of slow commands misses some of them. CONFIG SET "
                     "commandlog-execution-slower-than %lld lets it see all.\n",
                     (long long)threshold_us);
        }
        buf_add_text(
            out,
            "- COMMANDLOG GET 10 slow shows which commands took so long. Commands on whole "
            "collections or all keys are the usual ones.\n"
            "- Removing a large value takes its time: UNLINK, and the lazyfree options, do "
            "it in the background.\n");
    }
    if (advice & ADVICE_EXPIRY) {
        buf_add_text(out,
                     "- Many keys expire together. Some seconds of chance in each time to live "
                     "spread them.\n");
    }
    if (advice & ADVICE_EVICTION) {
        buf_add_text(
            out,
            "- Memory is at maxmemory, and making room delays commands. Raise maxmemory, or lower "
            "maxmemory-eviction-tenacity.\n");
    }
    if (advice & ADVICE_SYSTEM) {
        buf_add_text(
            out,
            "- Even simple commands were late: other processes may use the CPU, the machine "
            "may swap, or a virtual machine may wait for its host.\n");
    }
}

/* LATENCY DOCTOR */
void cmd_latency_doctor(struct call *call) {
    const struct latency_monitor *monitor = &call->exec->latency;
    struct buf out = {0};
    if (!monitor->count && monitor->threshold_ms == 0) {
        buf_add_text(&out,
                     "The latency monitor is off, so there is nothing to diagnose. \"CONFIG SET "
                     "latency-monitor-threshold <milliseconds>\" turns it on.\n");
    } else if (!monitor->count) {
        buf_add_text(&out, "No latency spike has been seen. This server is in good health.\n");
    } else {
        unsigned advice = 0;
        buf_add_text(&out, "These latency spikes were seen:\n\n");
        for (uint32_t i = 0; i < monitor->count; i++) {
            describe_event(monitor->events[i], i + 1, &out);
            advice |= advice_for(monitor->events[i]->name);
        }
        buf_add_text(&out, "\nWhat may help:\n\n");
        advise(call, advice, &out);
    }
    reply_verbatim(call->reply, "txt", buf_bytes(&out));
    buf_deinit(&out);
}
