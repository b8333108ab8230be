/* SPDX-License-Identifier: BSD-3-Clause */
/* commands -- the tables of rows of this folder, one for each group. The server adds each to the
 * command table at start; each list ends with a row without a name. */
#pragma once

#include "spec/command.h"

extern const struct command_spec string_commands[];
extern const struct command_spec generic_commands[];
extern const struct command_spec hash_commands[];
extern const struct command_spec list_commands[];
extern const struct command_spec sort_commands[];
extern const struct command_spec bitmap_commands[];
extern const struct command_spec set_commands[];
extern const struct command_spec geo_commands[];
extern const struct command_spec hyperloglog_commands[];
extern const struct command_spec zset_commands[];
extern const struct command_spec transaction_commands[];
extern const struct command_spec connection_commands[];
extern const struct command_spec server_commands[];
extern const struct command_spec client_commands[];
extern const struct command_spec command_commands[];
extern const struct command_spec snapshot_commands[];
