/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of DEBUG share. Its forms have no rows of their own in the command table: the
 * table in debug.c knows them, with the counts of arguments they take. */
#pragma once

#include "exec/call.h"

/* ---- debug_data.c: keys, values, tables ---- */
void debug_object(struct call *call);
void debug_string_sizes(struct call *call);
void debug_populate(struct call *call);
void debug_table_stats(struct call *call);
void debug_table_stats_key(struct call *call);
void debug_struct_sizes(struct call *call);
void debug_listpack(struct call *call);
void debug_list_threshold(struct call *call);

/* ---- debug_digest.c ---- */
void debug_digest(struct call *call);
void debug_digest_value(struct call *call);

/* ---- debug_reload.c ---- */
void debug_reload(struct call *call);

/* ---- debug_protocol.c ---- */
void debug_protocol(struct call *call);

/* ---- debug_crash.c ---- */
void debug_assert(struct call *call);
void debug_panic(struct call *call);
void debug_segfault(struct call *call);
void debug_out_of_memory(struct call *call);
