/* SPDX-License-Identifier: BSD-3-Clause */
/* repl -- replication's rows of the command table; the list ends with a row without a name. */
#pragma once

#include "spec/command.h"

extern const struct command_spec repl_commands[];
