/* SPDX-License-Identifier: BSD-3-Clause */
/* info_internal -- the context of all rows of INFO, and where its files register them.
 *
 * Most rows read struct info at an offset: a section's refresh function copies or gathers the
 * figures into it, once each time the section is shown. */
#pragma once

#include <sys/utsname.h>

#include "commands/info.h"
#include "commands/memory_overview.h"
#include "exec/call.h"
#include "io/io.h"
#include "stats/registry.h"

struct info {
    struct exec *exec;
    const struct info_server *server;
    struct utsname system;
    struct exec_stats work; /* copies, for the sections clients, stats and debug */
    struct keyspace_stats keys;
    struct io_stats io;
    struct memory_overview memory; /* section memory */
    uint64_t active_workers;
};

#define INFO_AT(member) .offset = offsetof(struct info, member)

/* Copies what several sections show; ctx: struct info. */
void info__refresh_work(void *ctx);
/* Adds the option's text; nothing if there is no such option. */
void info__print_option(const struct info *info, const char *name, struct buf *out);

void info__register_server(struct stats_registry *registry, struct info *info);
void info__register_clients(struct stats_registry *registry, struct info *info);
void info__register_memory(struct stats_registry *registry, struct info *info);
void info__register_stats(struct stats_registry *registry, struct info *info);
void info__register_commands(struct stats_registry *registry, struct info *info);
void info__register_persistence(struct stats_registry *registry, struct info *info);
void info__register_unused(struct stats_registry *registry, struct info *info);
