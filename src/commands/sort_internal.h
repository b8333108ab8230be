/* SPDX-License-Identifier: BSD-3-Clause */
/* sort_internal -- the handlers of SORT and SORT_RO, and where their keys are. */
#pragma once

#include "spec/command.h"

bool sort_find_keys(const struct bytes *argv, uint32_t argc, struct command_keys *out);
bool sort_ro_find_keys(const struct bytes *argv, uint32_t argc, struct command_keys *out);
void cmd_sort(struct call *call);
void cmd_sort_ro(struct call *call);
