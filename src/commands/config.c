/* SPDX-License-Identifier: BSD-3-Clause */
/* CONFIG -- the running server's options. What an option is, config/ knows. */
#include "config/config.h"
#include "base/log.h"
#include "base/mem.h"
#include "commands/server_internal.h"

struct emitted {
    struct reply *reply;
    size_t count;
};

static void emit(struct bytes name, struct bytes value, void *ctx) {
    struct emitted *emitted = ctx;
    reply_bulk(emitted->reply, name);
    reply_bulk(emitted->reply, value);
    emitted->count++;
}

/* CONFIG GET pattern [pattern ...] */
void cmd_config_get(struct call *call) {
    struct emitted emitted = {.reply = call->reply};
    struct reply_mark mark = reply_defer(call->reply);
    config_get(call->exec->config_engine, call->argv + 2, call->argc - 2, emit, &emitted);
    reply_defer_map(call->reply, mark, emitted.count);
}

static bool may_change_protected(const struct call *call) {
    switch (call->exec->config->enable_protected_configs) {
    case OPTION_YES: return true;
    case OPTION_LOCAL: return client_is_local(call->client);
    case OPTION_NO: break;
    }
    return false;
}

/* CONFIG SET name value [name value ...] -- all or nothing */
void cmd_config_set(struct call *call) {
    if (call->argc % 2) {
        call_error(call, ERROR_SYNTAX);
        return;
    }
    size_t count = (call->argc - 2) / 2;
    struct bytes *pairs = mem_alloc_array(count * 2, sizeof(*pairs));
    for (size_t i = 0; i < count; i++) {
        pairs[i] = call->argv[2 + 2 * i];
        pairs[count + i] = call->argv[3 + 2 * i];
    }
    const struct config_set_request request = {
        .names = pairs,
        .values = pairs + count,
        .count = count,
        .loading = call->exec->gates & GATE_LOADING,
        .protected_allowed = may_change_protected(call),
    };
    struct diag diag = {0};
    if (config_set_many(call->exec->config_engine, &request, &diag) == ERR_NONE) {
        reply_ok(call->reply);
    } else {
        call_error_text(call, "ERR %s", diag.text);
    }
    mem_free(pairs);
}

void config_rewrite_and_reply(struct call *call, bool all) {
    const char *path = call->exec->config_file;
    if (!path || !path[0]) {
        call_error(call, ERROR_NO_CONFIG_FILE);
        return;
    }
    struct diag diag = {0};
    if (config_rewrite(call->exec->config_engine, path, all, &diag) != ERR_NONE) {
        log_warning("CONFIG REWRITE failed: %s", diag.text);
        call_errorf(call, ERROR_CONFIG_REWRITE_FAILED, diag.text);
        return;
    }
    log_notice("CONFIG REWRITE executed with success.");
    reply_ok(call->reply);
}

/* CONFIG REWRITE */
void cmd_config_rewrite(struct call *call) { config_rewrite_and_reply(call, false); }

/* CONFIG RESETSTAT */
void cmd_config_resetstat(struct call *call) {
    exec_reset_stats(call->exec);
    reply_ok(call->reply);
}

/* CONFIG HELP */
void cmd_config_help(struct call *call) {
    static const char *const lines[] = {
        "GET <pattern>",
        "    Return parameters matching the glob-like <pattern> and their values.",
        "SET <directive> <value>",
        "    Set the configuration <directive> to <value>.",
        "RESETSTAT",
        "    Reset statistics reported by the INFO command.",
        "REWRITE",
        "    Rewrite the configuration file.",
        NULL,
    };
    call_help(call, lines);
}
