/* SPDX-License-Identifier: BSD-3-Clause */
/* SAVE and LASTSAVE. */
#include "commands/snapshot_internal.h"
#include "persist/persist.h"

/* SAVE -- writes the snapshot here and now. */
void cmd_save(struct call *call) {
    struct diag diag = {0};
    if (persist_save(call->exec->persist, &diag) != ERR_NONE) {
        call_error(call, ERROR_SAVE_FAILED);
        return;
    }
    reply_ok(call->reply);
}

/* LASTSAVE */
void cmd_lastsave(struct call *call) {
    reply_integer(call->reply, call->exec->persist->last_save_s);
}
