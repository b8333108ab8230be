/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands/info.h"

#include "base/mem.h"
#include "commands/info_internal.h"
#include "commands/server_internal.h"
#include "config/config.h"

/* INFO [section ...] */
void cmd_info(struct call *call) {
    struct buf out = {0};
    stats_print(call->exec->registry, call->argv + 1, call->argc - 1, &out);
    reply_verbatim(call->reply, "txt", buf_bytes(&out));
    buf_deinit(&out);
}

void info__refresh_work(void *ctx) {
    struct info *info = ctx;
    const struct exec *exec = info->exec;
    info->work = exec->stats;
    info->keys = *keyspace_stats(exec->keyspace);
    if (exec->io) {
        info->io = *io_stats(exec->io);
        info->active_workers = (uint64_t)io_active_workers(exec->io);
    }
}

void info__print_option(const struct info *info, const char *name, struct buf *out) {
    if (info->exec->config_engine) {
        (void)config_format(info->exec->config_engine, bytes_of(name), out);
    }
}

static void declare_sections(struct stats_registry *registry) {
    static const struct {
        const char *name, *title;
        unsigned flags;
    } sections[] = {
        {"server", "Server", STATS_IN_DEFAULT | STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"tls", "TLS", STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"clients", "Clients", STATS_IN_DEFAULT | STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"memory", "Memory", STATS_IN_DEFAULT | STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"persistence", "Persistence", STATS_IN_DEFAULT | STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"stats", "Stats", STATS_IN_DEFAULT | STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"replication", "Replication", STATS_IN_DEFAULT | STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"cpu", "CPU", STATS_IN_DEFAULT | STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"module_list|modules", "Modules", STATS_IN_DEFAULT | STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"commandstats", "Commandstats", STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"errorstats", "Errorstats", STATS_IN_DEFAULT | STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"latencystats", "Latencystats", STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"cluster", "Cluster", STATS_IN_DEFAULT | STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"cluster_info", "Cluster Info", STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"scriptingengines", "Scripting Engines", STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"keyspace", "Keyspace", STATS_IN_DEFAULT | STATS_IN_ALL | STATS_IN_EVERYTHING},
        {"debug", "Debug", 0},
    };
    for (size_t i = 0; i < COUNT_OF(sections); i++)
        stats_add_section(registry, sections[i].name, sections[i].title, sections[i].flags);
}

struct info *info_create(struct exec *exec, const struct info_server *server) {
    struct info *info = mem_zalloc(sizeof(*info));
    info->exec = exec;
    info->server = server;
    (void)uname(&info->system); /* leaves empty texts if it fails */
    random_hex(exec->replication_id, sizeof(exec->replication_id) - 1);
    exec->startup_bytes = mem_in_use();
    struct stats_registry *registry = exec->registry;
    declare_sections(registry);
    info__register_server(registry, info);
    info__register_clients(registry, info);
    info__register_memory(registry, info);
    info__register_stats(registry, info);
    info__register_commands(registry, info);
    info__register_persistence(registry, info);
    info__register_unused(registry, info);
    return info;
}

void info_destroy(struct info **info) {
    mem_free(*info);
    *info = NULL;
}
