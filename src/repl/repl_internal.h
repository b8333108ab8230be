/* SPDX-License-Identifier: BSD-3-Clause */
/* The handlers that repl_table.c names. */
#pragma once

#include "exec/call.h"

/* ---- role.c ---- */
void cmd_role(struct call *call);
void cmd_replicaof(struct call *call);
void cmd_failover(struct call *call);

/* ---- wait.c ---- */
void cmd_wait(struct call *call);
void cmd_waitaof(struct call *call);
