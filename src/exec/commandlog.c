/* SPDX-License-Identifier: BSD-3-Clause */
#include "exec/commandlog.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/config.h"
#include "exec/call.h"
#include "net/listener.h"

#include <stdio.h>

enum { NOTE_MAX = 64 }; /* "... (38 more bytes)" */

static const char redacted[] = "(redacted)";

static void entry_destroy(struct commandlog_entry **entry) {
    mem_free((*entry)->argv);
    mem_free((*entry)->address);
    mem_free((*entry)->client_name);
    mem_free(*entry);
    *entry = NULL;
}

/* Drops the oldest entries until there are at most max_len. */
static void commandlog_cut(struct commandlog *log, uint64_t max_len) {
    while (log->len > max_len) {
        struct commandlog_entry *oldest = log->tail;
        log->tail = oldest->prev;
        if (log->tail) {
            log->tail->next = NULL;
        } else {
            log->head = NULL;
        }
        entry_destroy(&oldest);
        log->len--;
    }
}

void commandlog_set(struct commandlog *log, enum commandlog_kind kind, int64_t threshold,
                    uint64_t max_len) {
    log->threshold = threshold;
    bool is_on = kind == COMMANDLOG_SLOW && threshold >= 0;
    log->threshold_ticks = is_on ? clock_us_to_ticks((uint64_t)threshold) : UINT64_MAX;
    log->max_len = max_len;
    commandlog_cut(log, max_len);
}

void commandlog_reset(struct commandlog *log) { commandlog_cut(log, 0); }

/* ---- secrets ---- */

static bool hello_arg_is_secret(const struct call *call, uint32_t arg) {
    for (uint32_t i = 2; i < arg; i++) {
        if (call_is(call, i, "auth") && arg <= i + 2) return true;
    }
    return false;
}

/* CONFIG SET name value [name value ...] */
static bool config_arg_is_secret(const struct call *call, uint32_t arg) {
    if (arg < 3 || arg % 2 == 0 || !call->exec->config_engine) return false;
    const struct config_option *option =
        config_find(call->exec->config_engine, call->argv[arg - 1]);
    return option && (option->flags & CONFIG_SENSITIVE);
}

bool commandlog_is_secret(const struct call *call, uint32_t arg) {
    if (!arg) return false;
    const char *name = call->command->full_name;
    if (strcmp(name, "auth") == 0) return true;
    if (strcmp(name, "hello") == 0) return hello_arg_is_secret(call, arg);
    if (strcmp(name, "config|set") == 0) return config_arg_is_secret(call, arg);
    return false;
}

/* ---- entries ---- */

/* What the log keeps of an argument: its first bytes, and a note of what was cut. */
struct kept_arg {
    struct bytes text;
    size_t note_size;
    char note[NOTE_MAX];
};

static void kept_arg_init(struct kept_arg *kept, const struct call *call, uint32_t arg) {
    *kept = (struct kept_arg){.text = call->argv[arg]};
    if (commandlog_is_secret(call, arg)) {
        kept->text = bytes_of(redacted);
    } else if (call->argc > COMMANDLOG_ARGS_MAX && arg == COMMANDLOG_ARGS_MAX - 1) {
        kept->text.size = 0;
        kept->note_size = (size_t)snprintf(kept->note, NOTE_MAX, "... (%u more arguments)",
                                           call->argc - COMMANDLOG_ARGS_MAX + 1);
    } else if (kept->text.size > COMMANDLOG_ARG_BYTES_MAX) {
        size_t more = kept->text.size - COMMANDLOG_ARG_BYTES_MAX;
        kept->text.size = COMMANDLOG_ARG_BYTES_MAX;
        kept->note_size = (size_t)snprintf(kept->note, NOTE_MAX, "... (%zu more bytes)", more);
    }
}

static void entry_copy_args(struct commandlog_entry *entry, const struct call *call) {
    struct kept_arg kept[COMMANDLOG_ARGS_MAX];
    uint32_t argc = call->argc < COMMANDLOG_ARGS_MAX ? call->argc : COMMANDLOG_ARGS_MAX;
    size_t size = argc * sizeof(entry->argv[0]);
    for (uint32_t i = 0; i < argc; i++) {
        kept_arg_init(&kept[i], call, i);
        size += kept[i].text.size + kept[i].note_size;
    }
    entry->argc = argc;
    entry->argv = mem_alloc(size);
    char *at = (char *)(entry->argv + argc);
    for (uint32_t i = 0; i < argc; i++) {
        entry->argv[i] = bytes_make(at, kept[i].text.size + kept[i].note_size);
        if (kept[i].text.size) memcpy(at, kept[i].text.data, kept[i].text.size);
        at += kept[i].text.size;
        memcpy(at, kept[i].note, kept[i].note_size);
        at += kept[i].note_size;
    }
}

void commandlog_add(struct commandlog *log, const struct call *call, int64_t value) {
    if (log->threshold < 0 || value < log->threshold || !log->max_len) return;
    char address[ENDPOINT_TEXT_MAX];
    client_address(call->client, true, address);
    struct commandlog_entry *entry = mem_alloc(sizeof(*entry));
    *entry = (struct commandlog_entry){
        .id = log->next_id++,
        .time_s = call->now_ms / 1000,
        .value = value,
        .address = mem_strdup(address),
        .client_name = mem_strdup(call->client->name ? call->client->name : ""),
        .next = log->head,
    };
    entry_copy_args(entry, call);
    if (log->head) {
        log->head->prev = entry;
    } else {
        log->tail = entry;
    }
    log->head = entry;
    log->len++;
    commandlog_cut(log, log->max_len);
}
