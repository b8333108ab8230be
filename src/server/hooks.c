/* SPDX-License-Identifier: BSD-3-Clause */
/* What happens when CONFIG SET has changed an option: the part that uses it is told. */
#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "exec/limits.h"
#include "io/io.h"
#include "net/reactor.h"
#include "server/server.h"
#include "server/signals.h"
#include "sync/thread.h"

#include <locale.h>
#include <stdio.h>
#include <unistd.h>

enum { AUTO_THREADS_MAX = 9 };

int server_io_threads(const struct server *server) {
    int32_t threads = server->config.threads.io_threads;
    if (threads > 0) return threads;
    /* auto: a core for each thread, and one left for the rest of the machine. */
    int cores = thread_processors(NULL);
    if (cores < 4) return 1;
    return cores - 1 < AUTO_THREADS_MAX ? cores - 1 : AUTO_THREADS_MAX;
}

static enum err on_exec(void *ctx, struct diag *diag) {
    struct server *server = ctx;
    (void)diag;
    if (server->exec) exec_config_changed(server->exec);
    return ERR_NONE;
}

/* The next cron begins the new rhythm, and raises hz if there are many clients. */
static enum err on_hz(void *ctx, struct diag *diag) {
    struct server *server = ctx;
    (void)diag;
    server->exec->hz = server->config.exec.hz;
    server->exec->next_cron_ms = server->exec->now_ms;
    return ERR_NONE;
}

static enum err on_memory(void *ctx, struct diag *diag) {
    struct server *server = ctx;
    struct exec *exec = server->exec;
    uint64_t limit = server->config.keyspace.maxmemory_bytes;
    bool is_new = limit != exec->maxmemory_bytes;
    (void)diag;
    exec->maxmemory_bytes = limit;
    exec_config_changed(exec);
    if (is_new && limit && mem_in_use() > limit) {
        log_warning(
            "WARNING: the new maxmemory value set via CONFIG SET (%llu) is smaller than "
            "the current memory usage (%zu). This will result in key eviction and/or the "
            "inability to accept new write commands depending on the maxmemory-policy.",
            (unsigned long long)limit, mem_in_use());
    }
    return ERR_NONE;
}

static enum err on_maxclients(void *ctx, struct diag *diag) {
    struct server *server = ctx;
    uint32_t wanted = server->config.exec.maxclients;
    uint32_t fits = system_raise_open_files(wanted);
    if (fits == wanted) return ERR_NONE;
    return diag_set(diag, ERR_RANGE,
                    "The operating system is not able to handle the specified number of clients, "
                    "try with %u",
                    fits);
}

static enum err on_io_threads(void *ctx, struct diag *diag) {
    struct server *server = ctx;
    if (!server->io) return ERR_NONE;
    io_set_always_active(server->io, server->config.threads.always_active);
    return io_set_threads(server->io, server_io_threads(server), diag);
}

static enum err on_accepts(void *ctx, struct diag *diag) {
    struct server *server = ctx;
    (void)diag;
    if (server->reactor) {
        reactor_set_accepts_per_poll(server->reactor, server->config.net.accepts_per_cycle);
    }
    return ERR_NONE;
}

static enum err on_listen(void *ctx, struct diag *diag) {
    struct server *server = ctx;
    if (!server->reactor) return ERR_NONE;
    enum err err =
        listening_set_tcp(&server->listening, server->reactor, &server->config.net, diag);
    server_update_title(server);
    return err;
}

static enum err on_log(void *ctx, struct diag *diag) {
    struct server *server = ctx;
    (void)diag;
    log_set_level(server->config.log.level);
    log_set_format(server->config.log.format, server->config.log.time);
    return ERR_NONE;
}

static enum err on_commandlog(void *ctx, struct diag *diag) {
    struct server *server = ctx;
    const struct server_monitoring *m = &server->config.monitoring;
    (void)diag;
    if (!server->exec) return ERR_NONE;
    struct commandlog *logs = server->exec->commandlogs;
    commandlog_set(&logs[COMMANDLOG_SLOW], COMMANDLOG_SLOW, m->slow_us, (uint64_t)m->slow_max_len);
    commandlog_set(&logs[COMMANDLOG_LARGE_REQUEST], COMMANDLOG_LARGE_REQUEST, m->request_bytes,
                   (uint64_t)m->request_max_len);
    commandlog_set(&logs[COMMANDLOG_LARGE_REPLY], COMMANDLOG_LARGE_REPLY, m->reply_bytes,
                   (uint64_t)m->reply_max_len);
    exec_thresholds_changed(server->exec);
    return ERR_NONE;
}

static enum err on_crash(void *ctx, struct diag *diag) {
    struct server *server = ctx;
    (void)diag;
    crash_set_enabled(server->config.monitoring.crash_log);
    crash_set_exit_on_panic(server->config.monitoring.exit_on_panic);
    return ERR_NONE;
}

static enum err on_dir(void *ctx, struct diag *diag) {
    struct server *server = ctx;
    const char *dir = server->config.daemon.dir;
    if (dir && dir[0] && chdir(dir) == -1) {
        return diag_errno(diag, ERR_IO, "Can't chdir to '%s'", dir);
    }
    return ERR_NONE;
}

/* What the title calls the place where clients arrive. */
static void listen_address(const struct server_net *net, char *out, size_t cap) {
    if (net->port && net->bind.count) {
        const char *first = net->bind.at[0];
        snprintf(out, cap, "%s:%d", first[0] == '-' ? first + 1 : first, (int)net->port);
    } else {
        snprintf(out, cap, "unixsocket:%s", net->unixsocket ? net->unixsocket : "");
    }
}

void server_update_title(struct server *server) {
    const struct server_daemon *daemon = &server->config.daemon;
    const struct server_net *net = &server->config.net;
    if (!daemon->set_proc_title) return;
    char address[ENDPOINT_TEXT_MAX + 16];
    listen_address(net, address, sizeof(address));
    const struct title_values values = {
        .program = server->program,
        .listen_addr = address,
        .server_mode = "",
        .port = net->port,
        .tls_port = server->reference.tls_port,
        .unixsocket = net->unixsocket,
        .config_file = server->config_file,
    };
    title_show(&server->title, daemon->proc_title_template, &values);
}

static enum err on_title(void *ctx, struct diag *diag) {
    (void)diag;
    server_update_title(ctx);
    return ERR_NONE;
}

static enum err on_oom_score(void *ctx, struct diag *diag) {
    struct server *server = ctx;
    const struct server_daemon *daemon = &server->config.daemon;
    return oom_score_apply(&server->oom, daemon->oom_mode, &daemon->oom_values, diag);
}

static enum err on_locale(void *ctx, struct diag *diag) {
    struct server *server = ctx;
    const char *name = server->config.daemon.locale_collate;
    if (setlocale(LC_COLLATE, name ? name : "")) return ERR_NONE;
    return diag_set(diag, ERR_RANGE, "Invalid locale name");
}

/* A period shorter than two turns of cron would end before cron can feed the watchdog. */
static enum err on_watchdog(void *ctx, struct diag *diag) {
    struct server *server = ctx;
    int32_t *period_ms = &server->config.monitoring.watchdog_ms;
    int32_t period_ms_min = 2 * 1000 / server->config.exec.hz;
    (void)diag;
    if (*period_ms && *period_ms < period_ms_min) *period_ms = period_ms_min;
    signals_set_watchdog(*period_ms);
    return ERR_NONE;
}

struct purge_wish {
    bool wanted, heard;
};

/* The allocator's threads have the priority of the one that asks for them. */
static void ask_for_purge(void *ctx) {
    struct purge_wish *wish = ctx;
    thread_self_step_back();
    wish->heard = mem_set_background_purge(wish->wanted);
}

/* What an allocator without such threads is told goes unheard, as in the reference. */
static enum err on_allocator(void *ctx, struct diag *diag) {
    const struct server *server = ctx;
    struct purge_wish wish = {.wanted = server->config.daemon.jemalloc_bg_thread};
    struct thread_options options = {.name = "purge_wish", .fn = ask_for_purge, .ctx = &wish};
    struct thread *thread;
    enum err err = thread_start(&options, &thread, diag);
    if (err != ERR_NONE) return err;
    thread_join(&thread);
    mem_cut_purges();
    if (!wish.heard) log_verbose("jemalloc-bg-thread has no effect here");
    return ERR_NONE;
}

void server_set_hooks(struct server *server) {
    server->config.hooks = (struct server_config_hooks){
        .ctx = server,
        .listen_changed = on_listen,
        .maxclients_changed = on_maxclients,
        .exec_changed = on_exec,
        .memory_changed = on_memory,
        .io_threads_changed = on_io_threads,
        .accepts_changed = on_accepts,
        .log_changed = on_log,
        .hz_changed = on_hz,
        .commandlog_changed = on_commandlog,
        .latency_changed = on_exec,
        .crash_changed = on_crash,
        .dir_changed = on_dir,
        .proc_title_changed = on_title,
        .oom_score_changed = on_oom_score,
        .locale_changed = on_locale,
        .watchdog_changed = on_watchdog,
        .allocator_changed = on_allocator,
    };
}

enum err server_apply_config(struct server *server, struct diag *diag) {
    static enum err (*const needed[])(void *, struct diag *) = {
        on_exec,    on_hz,    on_memory,   on_commandlog, on_crash,
        on_accepts, on_title, on_watchdog, on_allocator,
    };
    /* Containers often forbid the score, and lack the locale their environment names. */
    static enum err (*const wished[])(void *, struct diag *) = {on_oom_score, on_locale};
    for (size_t i = 0; i < COUNT_OF(needed); i++) {
        enum err err = needed[i](server, diag);
        if (err != ERR_NONE) return err;
    }
    for (size_t i = 0; i < COUNT_OF(wished); i++) {
        if (wished[i](server, diag) != ERR_NONE) log_warning("%s", diag->text);
    }
    return ERR_NONE;
}
