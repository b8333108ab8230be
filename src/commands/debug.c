/* SPDX-License-Identifier: BSD-3-Clause */
/* DEBUG -- for tests, and for those who look for a fault. Refused unless enable-debug-command says
 * otherwise (CMD_PROTECTED). */
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "commands/debug_internal.h"
#include "commands/server_internal.h"
#include "persist/persist.h"

#include <time.h>

enum {
    ANY_COUNT = 255,
    CONTROL_NAME_MAX = 256,
    SLEEP_MAX_S = 24 * 3600,
};

/* ---- time ---- */

/* DEBUG SLEEP seconds -- the whole server stands still. */
static void debug_sleep(struct call *call) {
    double seconds;
    if (!call_double(call, 2, &seconds)) return;
    if (seconds < 0) seconds = 0;
    if (seconds > SLEEP_MAX_S) seconds = SLEEP_MAX_S;
    struct timespec left = {.tv_sec = (time_t)seconds};
    left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) == -1) {}
    reply_ok(call->reply);
}

/* 0 or 1 as the argument; any other number counts as 1. False: it has replied. */
static bool switch_of(struct call *call, bool *out) {
    int64_t value;
    if (!call_int(call, 2, &value)) return false;
    *out = value != 0;
    return true;
}

/* DEBUG SET-ACTIVE-EXPIRE 0|1 */
static void debug_set_active_expire(struct call *call) {
    bool enabled;
    if (!switch_of(call, &enabled)) return;
    keyspace_set_active_expire(call->keyspace, enabled);
    reply_ok(call->reply);
}

/* DEBUG SET-SKIP-CHECKSUM-VALIDATION 0|1 -- of files that are loaded and of what RESTORE is given
 */
static void debug_skip_checksums(struct call *call) {
    bool skipped;
    if (!switch_of(call, &skipped)) return;
    call->exec->persist->skips_checksums = skipped;
    reply_ok(call->reply);
}

/* DEBUG PAUSE-CRON 0|1 */
static void debug_pause_cron(struct call *call) {
    bool paused;
    if (!switch_of(call, &paused)) return;
    call->exec->cron_paused = paused;
    reply_ok(call->reply);
}

/* DEBUG DICT-RESIZING 0|1 */
static void debug_dict_resizing(struct call *call) {
    bool allowed;
    if (!switch_of(call, &allowed)) return;
    keyspace_set_resize_allowed(call->keyspace, allowed);
    reply_ok(call->reply);
}

/* ---- replies and log ---- */

/* DEBUG ERROR text */
static void debug_error(struct call *call) {
    call_error_text(call, "%.*s", (int)size_min(call->argv[2].size, INT32_MAX), call->argv[2].data);
}

/* DEBUG LOG message */
static void debug_log(struct call *call) {
    log_warning("DEBUG LOG: %.*s", (int)size_min(call->argv[2].size, INT32_MAX),
                call->argv[2].data);
    reply_ok(call->reply);
}

static void unknown_form(struct call *call) {
    call_errorf(call, ERROR_UNKNOWN_FORM, (int)size_min(call->argv[1].size, 128),
                call->argv[1].data, "DEBUG");
}

/* NEVER, RESET or milliseconds. False: it has replied. */
static bool reply_period(struct call *call, int64_t *out_ms) {
    *out_ms = 0;
    if (call_is(call, 3, "never")) return true;
    *out_ms = EXEC_REPLY_PERIOD_MS;
    if (call_is(call, 3, "reset")) return true;
    if (!call_int(call, 3, out_ms)) return false;
    if (*out_ms > 0 && *out_ms <= INT32_MAX) return true;
    call_error(call, ERROR_NOT_INTEGER);
    return false;
}

/* DEBUG REPLYBUFFER PEAK-RESET-TIME NEVER|RESET|ms and RESIZING 0|1 */
static void debug_replybuffer(struct call *call) {
    struct exec *exec = call->exec;
    int64_t number;
    if (call_is(call, 2, "peak-reset-time")) {
        if (!reply_period(call, &number)) return;
        exec->reply_sizing.period_ms = number;
        exec->reply_sizing.period_ends_ms = 0;
    } else if (call_is(call, 2, "resizing")) {
        if (!call_int(call, 3, &number)) return;
        exec->reply_sizing.off = number == 0;
        for (struct client *client = exec->clients_head; client && !number; client = client->next)
            reply_expect(&client->conn.out, SIZE_MAX);
    } else {
        unknown_form(call);
        return;
    }
    reply_ok(call->reply);
}

/* ---- configuration and identity ---- */

/* DEBUG CONFIG-REWRITE-FORCE-ALL */
static void debug_config_rewrite(struct call *call) { config_rewrite_and_reply(call, true); }

/* DEBUG CHANGE-REPL-ID */
static void debug_change_repl_id(struct call *call) {
    random_hex(call->exec->replication_id, sizeof(call->exec->replication_id) - 1);
    log_notice("Changing replication IDs after receiving change-repl-id");
    reply_ok(call->reply);
}

/* ---- the allocator ---- */

/* The control's name as a C string; false: it has replied. */
static bool control_name(struct call *call, char out[CONTROL_NAME_MAX]) {
    struct bytes name = call->argv[2];
    if (name.size >= CONTROL_NAME_MAX || memchr(name.data, 0, name.size)) {
        call_error(call, ERROR_DEBUG_MALLCTL);
        return false;
    }
    memcpy(out, name.data, name.size);
    out[name.size] = 0;
    return true;
}

/* DEBUG MALLCTL name [number] */
static void debug_mallctl(struct call *call) {
    char name[CONTROL_NAME_MAX];
    int64_t set, value;
    if (!control_name(call, name)) return;
    if (call->argc == 4 && !call_int(call, 3, &set)) return;
    if (!mem_control_int(name, call->argc == 4 ? &set : NULL, &value)) {
        call_error(call, ERROR_DEBUG_MALLCTL);
        return;
    }
    reply_integer(call->reply, value);
}

/* DEBUG MALLCTL-STR name [text] -- VOID runs a control that has no value. */
static void debug_mallctl_str(struct call *call) {
    char name[CONTROL_NAME_MAX];
    if (!control_name(call, name)) return;
    if (call->argc == 4 && call_is(call, 3, "void")) {
        if (mem_control_run(name)) {
            reply_ok(call->reply);
        } else {
            call_error(call, ERROR_DEBUG_MALLCTL);
        }
        return;
    }
    char *set = call->argc == 4 ? mem_copy_bytes(call->argv[3]) : NULL;
    const char *value = NULL;
    if (!mem_control_text(name, set, &value)) {
        call_error(call, ERROR_DEBUG_MALLCTL);
    } else if (value) {
        reply_bulk_text(call->reply, value);
    } else {
        reply_null(call->reply);
    }
    mem_free(set);
}

/* ---- dispatch ---- */

static void debug_help(struct call *call) {
    static const char *const lines[] = {
        "ASSERT",
        "    Let a check fail: the server ends with a crash report.",
        "CHANGE-REPL-ID",
        "    Give the data set a new replication ID.",
        "CONFIG-REWRITE-FORCE-ALL",
        "    Like CONFIG REWRITE, with a line for every option.",
        "DICT-RESIZING <0|1>",
        "    Forbid or allow the tables of keys to grow and shrink.",
        "DIGEST",
        "    Return 40 hexadecimal digits that depend on the content of all databases.",
        "DIGEST-VALUE <key> [<key> ...]",
        "    Return the same for each of the values alone.",
        "ERROR <text>",
        "    Reply with <text> as an error.",
        "HTSTATS <dbid>",
        "    Describe the table of keys and the expiry index of a database.",
        "HTSTATS-KEY <key>",
        "    Describe the hash table that is the value of <key>.",
        "LISTPACK <key>",
        "    Show the elements of a list that is packed, and where they lie.",
        "LOG <message>",
        "    Write <message> to the log.",
        "MALLCTL <name> [<number>]",
        "    Read or set a number that controls the allocator.",
        "MALLCTL-STR <name> [<text>]",
        "    The same for a text. VOID as <text> runs a control without a value.",
        "OBJECT <key>",
        "    Describe the value of <key>.",
        "OOM",
        "    Run out of memory: the server ends with a crash report.",
        "PANIC",
        "    Let the server end with a crash report.",
        "PAUSE-CRON <0|1>",
        "    Suspend or resume the periodic work.",
        "POPULATE <count> [<prefix>] [<size>]",
        "    Make <count> keys \"<prefix>:<n>\" with values \"value:<n>\", cut or filled up to",
        "    <size> bytes. Keys that are there stay as they are.",
        "PROTOCOL <type>",
        "    Reply with a value of a type: string, integer, double, bignum, null, array, set, map,",
        "    attrib, push, verbatim, true, false.",
        "QUICKLIST-PACKED-THRESHOLD <size>",
        "    Give elements of lists that are as large a block of their own. 0: as usual.",
        "RELOAD [NOSAVE] [NOFLUSH] [MERGE]",
        "    Write the snapshot, empty all databases, and load it again. NOSAVE: load what the",
        "    file has. NOFLUSH: keep what is there. MERGE: what the file has replaces it.",
        "REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|ms>, REPLYBUFFER RESIZING <0|1>",
        "    For how long replies' sizes are remembered, and whether they choose the first chunk.",
        "SDSLEN <key>",
        "    Tell the sizes of the key and of its string.",
        "SEGFAULT",
        "    Touch memory that is not there: the server ends with a crash report.",
        "SET-ACTIVE-EXPIRE <0|1>",
        "    Stop or resume the removal of expired keys that nobody asks for.",
        "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
        "    Load files and restore values whatever their checksums say.",
        "SLEEP <seconds>",
        "    Let the whole server stand still.",
        "STRUCTSIZE",
        "    Tell the sizes of the main structures.",
        NULL,
    };
    call_help(call, lines);
}

static const struct debug_form {
    const char *name;
    uint8_t argc_min, argc_max; /* DEBUG and the name included */
    void (*run)(struct call *call);
} debug_forms[] = {
    {"assert", 2, 2, debug_assert},
    {"change-repl-id", 2, 2, debug_change_repl_id},
    {"config-rewrite-force-all", 2, 2, debug_config_rewrite},
    {"dict-resizing", 3, 3, debug_dict_resizing},
    {"digest", 2, 2, debug_digest},
    {"digest-value", 2, ANY_COUNT, debug_digest_value},
    {"error", 3, 3, debug_error},
    {"help", 2, 2, debug_help},
    {"htstats", 3, 4, debug_table_stats},
    {"htstats-key", 3, 4, debug_table_stats_key},
    {"listpack", 3, 3, debug_listpack},
    {"log", 3, 3, debug_log},
    {"mallctl", 3, 4, debug_mallctl},
    {"mallctl-str", 3, 4, debug_mallctl_str},
    {"object", 3, 4, debug_object},
    {"oom", 2, 2, debug_out_of_memory},
    {"panic", 2, 2, debug_panic},
    {"pause-cron", 3, 3, debug_pause_cron},
    {"populate", 3, 5, debug_populate},
    {"protocol", 3, 3, debug_protocol},
    {"quicklist-packed-threshold", 3, 3, debug_list_threshold},
    {"reload", 2, ANY_COUNT, debug_reload},
    {"replybuffer", 4, 4, debug_replybuffer},
    {"sdslen", 3, 3, debug_string_sizes},
    {"segfault", 2, 2, debug_segfault},
    {"set-active-expire", 3, 3, debug_set_active_expire},
    {"set-skip-checksum-validation", 3, 3, debug_skip_checksums},
    {"sleep", 3, 3, debug_sleep},
    {"structsize", 2, 2, debug_struct_sizes},
};

/* DEBUG form [argument ...] */
void cmd_debug(struct call *call) {
    for (size_t i = 0; i < COUNT_OF(debug_forms); i++) {
        const struct debug_form *form = &debug_forms[i];
        if (!call_is(call, 1, form->name)) continue;
        if (call->argc < form->argc_min) break;
        if (call->argc > form->argc_max && form->argc_max != ANY_COUNT) break;
        form->run(call);
        return;
    }
    unknown_form(call);
}
