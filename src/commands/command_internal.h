/* SPDX-License-Identifier: BSD-3-Clause */
/* The handlers of COMMAND that command_table.c names. */
#pragma once

#include "exec/call.h"

void cmd_command(struct call *call);
void cmd_command_count(struct call *call);
void cmd_command_docs(struct call *call);
void cmd_command_getkeys(struct call *call);
void cmd_command_getkeysandflags(struct call *call);
void cmd_command_help(struct call *call);
void cmd_command_info(struct call *call);
void cmd_command_list(struct call *call);
