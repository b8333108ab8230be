/* SPDX-License-Identifier: BSD-3-Clause */
/* LATENCY LATEST, HISTORY, RESET, HISTOGRAM, HELP: the figures. GRAPH and DOCTOR, for people, are
 * in latency_report.c. */
#include "commands/server_internal.h"
#include "exec/latency.h"

enum {
    CURVE_FIRST_NS = 1024, /* the first bucket of HISTOGRAM; each further one is twice as wide */
    CURVE_BUCKETS = 40,
};

/* The sample before the next one: the latest. */
static uint32_t latest_sample(const struct latency_event *event) {
    return (event->next + LATENCY_SAMPLES - 1) % LATENCY_SAMPLES;
}

/* LATENCY LATEST */
void cmd_latency_latest(struct call *call) {
    const struct latency_monitor *monitor = &call->exec->latency;
    reply_array(call->reply, monitor->count);
    for (uint32_t i = 0; i < monitor->count; i++) {
        const struct latency_event *event = monitor->events[i];
        uint32_t last = latest_sample(event);
        reply_array(call->reply, 6);
        reply_bulk_text(call->reply, event->name);
        reply_integer(call->reply, event->samples[last].time_s);
        reply_integer(call->reply, event->samples[last].ms);
        reply_integer(call->reply, event->max_ms);
        reply_integer(call->reply, (int64_t)event->sum_ms);
        reply_integer(call->reply, (int64_t)event->count);
    }
}

/* LATENCY HISTORY event -- oldest first */
void cmd_latency_history(struct call *call) {
    const struct latency_event *event = latency_find(&call->exec->latency, call->argv[2]);
    if (!event) {
        reply_array(call->reply, 0);
        return;
    }
    size_t count = 0;
    struct reply_mark mark = reply_defer(call->reply);
    for (uint32_t i = 0; i < LATENCY_SAMPLES; i++) {
        uint32_t at = (event->next + i) % LATENCY_SAMPLES;
        if (!event->samples[at].time_s) continue;
        reply_array(call->reply, 2);
        reply_integer(call->reply, event->samples[at].time_s);
        reply_integer(call->reply, event->samples[at].ms);
        count++;
    }
    reply_defer_array(call->reply, mark, count);
}

/* LATENCY RESET [event ...] */
void cmd_latency_reset(struct call *call) {
    struct latency_monitor *monitor = &call->exec->latency;
    size_t removed = 0;
    if (call->argc == 2) removed = latency_reset(monitor, BYTES(""));
    for (uint32_t arg = 2; arg < call->argc; arg++) {
        if (call->argv[arg].size) removed += latency_reset(monitor, call->argv[arg]);
    }
    reply_integer(call->reply, (int64_t)removed);
}

/* ---- HISTOGRAM ---- */

/* name -> {calls, histogram_usec: {upper bound in us: how many up to it, ...}}; a bound is named
 * only if there is something between it and the one before. */
static void reply_histogram(struct reply *reply, const char *name,
                            const struct histogram *histogram) {
    reply_bulk_text(reply, name);
    reply_map(reply, 2);
    reply_bulk_text(reply, "calls");
    reply_integer(reply, (int64_t)histogram->total);
    reply_bulk_text(reply, "histogram_usec");
    struct reply_mark mark = reply_defer(reply);
    size_t pairs = 0;
    uint64_t before = 0, bound_ns = CURVE_FIRST_NS;
    for (int i = 0; i < CURVE_BUCKETS && before < histogram->total; i++, bound_ns *= 2) {
        bool last = i == CURVE_BUCKETS - 1;
        uint64_t count = last ? histogram->total : histogram_count_to(histogram, bound_ns);
        if (count == before) continue;
        reply_integer(reply, (int64_t)(bound_ns / 1000));
        reply_integer(reply, (int64_t)count);
        before = count;
        pairs++;
    }
    reply_defer_map(reply, mark, pairs);
}

static size_t reply_command(struct call *call, const struct command *command) {
    const struct histogram *histogram = call->exec->command_stats[command->id].latency;
    if (!histogram || !histogram->total) return 0;
    reply_histogram(call->reply, command->full_name, histogram);
    return 1;
}

/* The command and its subcommands, as far as they have been called. */
static size_t reply_family(struct call *call, const struct command *command) {
    size_t count = reply_command(call, command);
    for (unsigned i = 0; i < command->sub_count; i++)
        count += reply_command(call, command->subs[i]);
    return count;
}

/* LATENCY HISTOGRAM [command ...] */
void cmd_latency_histogram(struct call *call) {
    const struct command_table *commands = call->exec->commands;
    size_t count = 0;
    struct reply_mark mark = reply_defer(call->reply);
    if (call->argc == 2) {
        for (size_t id = 0; id < command_table_id_count(commands); id++)
            count += reply_command(call, command_table_at_id(commands, id));
    }
    for (uint32_t arg = 2; arg < call->argc; arg++) {
        const struct command *command = command_find_full(commands, call->argv[arg]);
        if (command) count += reply_family(call, command);
    }
    reply_defer_map(call->reply, mark, count);
}

/* LATENCY HELP */
void cmd_latency_help(struct call *call) {
    static const char *const lines[] = {
        "DOCTOR",
        "    Return a human readable latency analysis report.",
        "GRAPH <event>",
        "    Return an ASCII latency graph for the <event> class.",
        "HISTORY <event>",
        "    Return time-latency samples for the <event> class.",
        "LATEST",
        "    Return the latest latency samples for all events.",
        "RESET [<event> ...]",
        "    Reset latency data of one or more <event> classes.",
        "    (default: reset all data for all event classes)",
        "HISTOGRAM [COMMAND ...]",
        "    Return a cumulative distribution of latencies in the format of a histogram for the "
        "specified command names.",
        "    If no commands are specified then all histograms are replied.",
        NULL,
    };
    call_help(call, lines);
}
