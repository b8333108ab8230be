/* SPDX-License-Identifier: BSD-3-Clause */
/* cluster -- the cluster's rows of the command table; the list ends with a row without a name. */
#pragma once

#include "spec/command.h"

extern const struct command_spec cluster_commands[];
