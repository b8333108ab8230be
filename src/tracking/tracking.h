/* SPDX-License-Identifier: BSD-3-Clause */
/* tracking -- clients that keep what they have read are told when it changes: CLIENT TRACKING and
 * its kin. Executor only. */
#pragma once

#include "base/attr.h"
#include "config/config.h"
#include "spec/command.h"

struct exec;
struct tracking;

struct tracking_config {
    uint64_t max_keys; /* tracking-table-max-keys; 0: no limit */
};
/* Rows over struct tracking_config. */
extern const struct config_option tracking_options[];
/* Subcommands of CLIENT. */
extern const struct command_spec tracking_client_commands[];

/* Registers itself with exec: as a feature, an observer of keys, and with the figures of INFO's
 * clients and stats, whose sections must be there. config is borrowed. */
struct tracking *tracking_create(struct exec *exec, const struct tracking_config *config);
/* When exec's clients are gone. */
void tracking_destroy(struct tracking **tracking);
/* Checks every invariant. O(n); for tests. */
void tracking_verify(const struct tracking *tracking);
