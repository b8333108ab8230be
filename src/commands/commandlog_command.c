/* SPDX-License-Identifier: BSD-3-Clause */
/* COMMANDLOG, and SLOWLOG: the log of slow commands under its former name. */
#include "commands/server_internal.h"
#include "exec/commandlog.h"

enum { SLOWLOG_COUNT_DEFAULT = 10 };

/* The log that an argument names; NULL: it has replied. */
static struct commandlog *log_of(struct call *call, uint32_t arg) {
    static const char *const names[COMMANDLOG_COUNT] = {
        [COMMANDLOG_SLOW] = "slow",
        [COMMANDLOG_LARGE_REQUEST] = "large-request",
        [COMMANDLOG_LARGE_REPLY] = "large-reply",
    };
    for (int i = 0; i < COMMANDLOG_COUNT; i++) {
        if (call_is(call, arg, names[i])) return &call->exec->commandlogs[i];
    }
    call_error(call, ERROR_COMMANDLOG_TYPE);
    return NULL;
}

/* How many entries an argument asks for; -1: all. False: it has replied. */
static bool count_of(struct call *call, uint32_t arg, int64_t *out) {
    return call_int_range(call, arg, -1, INT64_MAX, ERROR_COMMANDLOG_COUNT, out);
}

static void reply_entry(struct reply *reply, const struct commandlog_entry *entry) {
    reply_array(reply, 6);
    reply_integer(reply, (int64_t)entry->id);
    reply_integer(reply, entry->time_s);
    reply_integer(reply, entry->value);
    reply_array(reply, entry->argc);
    for (uint32_t i = 0; i < entry->argc; i++)
        reply_bulk(reply, entry->argv[i]);
    reply_bulk_text(reply, entry->address);
    reply_bulk_text(reply, entry->client_name);
}

/* The newest count entries; -1: all. */
static void reply_entries(struct call *call, const struct commandlog *log, int64_t count) {
    uint64_t left = count < 0 || (uint64_t)count > log->len ? log->len : (uint64_t)count;
    reply_array(call->reply, left);
    for (const struct commandlog_entry *entry = log->head; left; entry = entry->next, left--)
        reply_entry(call->reply, entry);
}

/* ---- COMMANDLOG ---- */

/* COMMANDLOG GET count type */
void cmd_commandlog_get(struct call *call) {
    struct commandlog *log = log_of(call, 3);
    int64_t count;
    if (log && count_of(call, 2, &count)) reply_entries(call, log, count);
}

/* COMMANDLOG LEN type */
void cmd_commandlog_len(struct call *call) {
    const struct commandlog *log = log_of(call, 2);
    if (log) reply_integer(call->reply, (int64_t)log->len);
}

/* COMMANDLOG RESET type */
void cmd_commandlog_reset(struct call *call) {
    struct commandlog *log = log_of(call, 2);
    if (!log) return;
    commandlog_reset(log);
    reply_ok(call->reply);
}

/* COMMANDLOG HELP */
void cmd_commandlog_help(struct call *call) {
    static const char *const lines[] = {
        "GET <count> <type>",
        "    Return top <count> entries of the specified <type> from the commandlog (-1 mean all).",
        "    Entries are made of:",
        "    id, timestamp,",
        "        time in microseconds for type of slow,",
        "        or size in bytes for type of large-request,",
        "        or size in bytes for type of large-reply",
        "    arguments array, client IP and port,",
        "    client name",
        "LEN <type>",
        "    Return the length of the specified type of commandlog.",
        "RESET <type>",
        "    Reset the specified type of commandlog.",
        NULL,
    };
    call_help(call, lines);
}

/* ---- SLOWLOG ---- */

static struct commandlog *slow_log(struct call *call) {
    return &call->exec->commandlogs[COMMANDLOG_SLOW];
}

/* SLOWLOG GET [count] */
void cmd_slowlog_get(struct call *call) {
    int64_t count = SLOWLOG_COUNT_DEFAULT;
    if (call->argc > 3) {
        call_errorf(call, ERROR_UNKNOWN_FORM, (int)size_min(call->argv[1].size, 128),
                    call->argv[1].data, "SLOWLOG");
        return;
    }
    if (call->argc == 3 && !count_of(call, 2, &count)) return;
    reply_entries(call, slow_log(call), count);
}

/* SLOWLOG LEN */
void cmd_slowlog_len(struct call *call) {
    reply_integer(call->reply, (int64_t)slow_log(call)->len);
}

/* SLOWLOG RESET */
void cmd_slowlog_reset(struct call *call) {
    commandlog_reset(slow_log(call));
    reply_ok(call->reply);
}

/* SLOWLOG HELP */
void cmd_slowlog_help(struct call *call) {
    static const char *const lines[] = {
        "GET [<count>]",
        "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
        "    Entries are made of:",
        "    id, timestamp, time in microseconds, arguments array, client IP and port,",
        "    client name",
        "LEN",
        "    Return the length of the slowlog.",
        "RESET",
        "    Reset the slowlog.",
        NULL,
    };
    call_help(call, lines);
}
