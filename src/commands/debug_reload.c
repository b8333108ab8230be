/* SPDX-License-Identifier: BSD-3-Clause */
/* DEBUG RELOAD: the data set goes to the file and comes back. */
#include "base/log.h"
#include "commands/debug_internal.h"
#include "persist/persist.h"

struct reload {
    bool saves, flushes, merges;
};

static bool parse(struct call *call, struct reload *out) {
    *out = (struct reload){.saves = true, .flushes = true};
    for (uint32_t arg = 2; arg < call->argc; arg++) {
        if (call_is(call, arg, "merge")) {
            out->merges = true;
        } else if (call_is(call, arg, "noflush")) {
            out->flushes = false;
        } else if (call_is(call, arg, "nosave")) {
            out->saves = false;
        } else {
            call_error(call, ERROR_DEBUG_RELOAD_OPTION);
            return false;
        }
    }
    return true;
}

/* DEBUG RELOAD [NOSAVE] [NOFLUSH] [MERGE] */
void debug_reload(struct call *call) {
    struct persist *persist = call->exec->persist;
    struct reload reload;
    struct diag diag = {0};
    if (!parse(call, &reload)) return;
    if (persist->loading) {
        call_error(call, ERROR_LOADING);
        return;
    }
    if (reload.saves && persist_save(persist, &diag) != ERR_NONE) {
        call_error(call, ERROR_SAVE_FAILED);
        return;
    }
    for (int32_t i = 0; reload.flushes && i < keyspace_db_count(call->keyspace); i++)
        (void)keyspace_flush(keyspace_db(call->keyspace, i), false);
    const struct persist_load_options options = {.merges = reload.merges};
    if (persist_load(persist, &options, &diag) != ERR_NONE) {
        log_warning("%s", diag.text);
        call_error(call, ERROR_DEBUG_RELOAD);
        return;
    }
    log_warning("DB reloaded by DEBUG RELOAD");
    reply_ok(call->reply);
}
