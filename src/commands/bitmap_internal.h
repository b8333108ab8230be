/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the bitmap group share: the handlers that its table names, and small steps. */
#pragma once

#include "exec/call.h"

/* ---- bitmap.c ---- */
void cmd_bitcount(struct call *call);
void cmd_bitop(struct call *call);
void cmd_bitpos(struct call *call);
void cmd_getbit(struct call *call);
void cmd_setbit(struct call *call);
/* Whether the position of a bit is one a string may have: its byte is below proto-max-bulk-len. */
static inline bool bit_offset_is_valid(const struct call *call, int64_t offset) {
    return offset >= 0 && offset >> 3 < call->exec->config->bulk_max;
}

/* ---- bitfield.c ---- */
void cmd_bitfield(struct call *call);
void cmd_bitfield_ro(struct call *call);
/* Keys of BITFIELD: only read, if all it does is to read. */
bool bitfield_find_keys(const struct bytes *argv, uint32_t argc, struct command_keys *out);
