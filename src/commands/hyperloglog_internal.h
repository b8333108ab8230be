/* SPDX-License-Identifier: BSD-3-Clause */
/* The handlers that the table of the hyperloglog group names. */
#pragma once

struct call;

/* ---- hyperloglog.c ---- */
void cmd_pfadd(struct call *call);
void cmd_pfcount(struct call *call);
void cmd_pfmerge(struct call *call);

/* ---- hyperloglog_debug.c ---- */
void cmd_pfdebug(struct call *call);
void cmd_pfselftest(struct call *call);
