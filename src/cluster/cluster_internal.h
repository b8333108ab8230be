/* SPDX-License-Identifier: BSD-3-Clause */
/* The handlers that cluster_table.c names. */
#pragma once

#include "exec/call.h"

/* ---- cluster_command.c ---- */
void cmd_cluster_disabled(struct call *call);
void cmd_cluster_keyslot(struct call *call);
void cmd_readonly(struct call *call);
void cmd_readwrite(struct call *call);
