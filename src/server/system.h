/* SPDX-License-Identifier: BSD-3-Clause */
/* system -- what the operating system allows this process, and what in its settings will hurt. */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "server/server_config.h"

/* Raises the limit of open files so that maxclients fit beside the descriptors the server needs for
 * itself; returns how many clients fit. */
uint32_t system_raise_open_files(uint32_t maxclients);
/* The same at the start: fewer than wanted are logged, and become *maxclients. */
void system_fit_maxclients(uint32_t *maxclients);

/* The process's oom_score_adj. A zeroed struct: never touched. */
struct oom_score {
    int base; /* what the process was started with */
    bool base_is_known;
    bool changed; /* going back to OOM_NO restores base */
};
/* Writes the score of a primary. On failure the score stays what it was. */
must_use enum err oom_score_apply(struct oom_score *oom, enum oom_mode mode,
                                  const struct oom_values *values, struct diag *diag);

/* Logs what in the system's settings will hurt: overcommit, transparent huge pages, somaxconn, a
 * slow clock. With the option disable-thp the kernel is told not to use huge pages here. */
void system_warn(const struct server_config *config);
