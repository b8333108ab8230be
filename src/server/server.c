/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/server.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/version.h"
#include "cluster/cluster.h"
#include "commands/commands.h"
#include "config/config.h"
#include "exec/gate.h"
#include "exec/loop.h"
#include "io/background.h"
#include "io/io.h"
#include "net/reactor.h"
#include "pubsub/pubsub.h"
#include "repl/repl.h"
#include "server/daemon.h"
#include "server/signals.h"
#include "server/version.h"
#include "spec/command.h"
#include "stats/registry.h"
#include "tracking/tracking.h"

enum {
    EXPIRE_BUDGET_US = 500,     /* expiry between windows, at most, with the lowest effort */
    EXPIRE_BUDGET_STEP_US = 50, /* more for each step of active-expire-effort */
    RESIZE_BUDGET_US = 500,     /* resizing of tables by cron, at most */
    LOAD_STEP_US = 10000,       /* of loading, before clients are looked at */
    HZ_MAX = 500,
    CLIENTS_PER_HZ = 200,         /* more clients than this for each turn of cron raise hz */
    FREE_BY_WORKER_EFFORT = 4096, /* larger objects go to the background thread */
};

/* ---- options and commands ---- */

void server_create_options(struct server *server) {
    server->engine = config_create();
    server_set_hooks(server);
    const struct config_table own = {
        .options = server_options, .base = &server->config, .ctx = &server->config};
    const struct config_table later = {
        .options = reference_options, .base = &server->reference, .ctx = &server->reference};
    const struct config_table pubsub = {
        .options = pubsub_options, .base = &server->config.pubsub, .ctx = &server->config.pubsub};
    const struct config_table persist = {.options = persist_options,
                                         .base = &server->config.persist};
    const struct config_table tracking = {.options = tracking_options,
                                          .base = &server->config.tracking};
    config_add_table(server->engine, &own);
    config_add_table(server->engine, &pubsub);
    config_add_table(server->engine, &persist);
    config_add_table(server->engine, &tracking);
    config_add_table(server->engine, &later);
}

static const struct command_spec *const command_lists[] = {
    snapshot_commands,   string_commands,      set_commands,    generic_commands,
    bitmap_commands,     hyperloglog_commands, geo_commands,    zset_commands,
    connection_commands, transaction_commands, server_commands, client_commands,
    command_commands,    pubsub_commands,      repl_commands,   cluster_commands,
    hash_commands,       list_commands,        sort_commands,
};

static enum err renaming_fault(const struct word_list *line, struct config_fault *fault) {
    struct diag reason = {0};
    struct buf text = {0};
    buf_add_text(&text, "rename-command ");
    word_list_add_text(line, &text);
    enum err err =
        diag_set(&reason, ERR_NOT_FOUND, "there is no such command, or the new name is taken");
    config_fault_set(fault, (struct config_place){line->file, line->line}, buf_bytes(&text),
                     &reason);
    buf_deinit(&text);
    return err;
}

enum err server_create_commands(struct server *server, struct config_fault *fault) {
    server->commands = command_table_create();
    for (size_t i = 0; i < COUNT_OF(command_lists); i++)
        command_table_add(server->commands, command_lists[i]);
    command_table_add_subs(server->commands, "client", tracking_client_commands);
    command_table_set_needs(server->commands, gate_needs_of);
    const struct word_lists *renamed = &server->config.daemon.renamed;
    for (size_t i = 0; i < renamed->count; i++) {
        const struct word_list *line = &renamed->at[i];
        struct bytes from = bytes_of(line->words[0]), to = bytes_of(line->words[1]);
        if (!command_table_rename(server->commands, from, to)) return renaming_fault(line, fault);
    }
    return ERR_NONE;
}

/* ---- start ---- */

/* Where keys and values go that are costly to free: to a worker while one is awake and the work is
 * small, else to the background thread. */
static void dispose(void *ctx, void (*destroy)(void *object), void *object, size_t effort) {
    struct server *server = ctx;
    if (effort <= FREE_BY_WORKER_EFFORT && io_submit_free(server->io, destroy, object)) {
        keyspace_dispose_done(server->keyspace, destroy, effort);
        return;
    }
    bool urgent = keyspace_memory_excess(server->keyspace, 0) > 0;
    background_dispose(server->background, destroy, object, effort, urgent);
}

static void disposed(void *keyspace, void (*destroy)(void *object), size_t effort) {
    keyspace_dispose_done(keyspace, destroy, effort);
}

static enum err create_threads(struct server *server, struct diag *diag) {
    const struct server_threads *threads = &server->config.threads;
    struct cpulist background_cpus = {0};
    enum err err = cpulist_parse(bytes_of(threads->server_cpulist), &server->cpus, diag);
    if (err != ERR_NONE) return err;
    err = cpulist_parse(bytes_of(threads->bio_cpulist), &background_cpus, diag);
    if (err != ERR_NONE) return err;
    /* First, since threads inherit where this one may run. */
    err = background_create(&background_cpus, &server->background, diag);
    if (err != ERR_NONE) return err;
    if (thread_self_bind(&server->cpus, diag) != ERR_NONE) {
        log_warning("server-cpulist: %s", diag->text);
    }
    thread_self_be_prompt();
    const struct io_options options = {
        .threads = server_io_threads(server),
        .always_active = threads->always_active,
        .commands = server->commands,
        .reactor = server->reactor,
        .cpus = &server->cpus,
    };
    return io_create(&options, &server->io, diag);
}

static enum err create_reactor(struct server *server, struct diag *diag) {
    const struct reactor_options options = {
        .engine = server->config.net.engine,
        .max_fds = server->config.exec.maxclients,
        .accepts_per_poll = server->config.net.accepts_per_cycle,
    };
    diag->text[0] = 0;
    enum err err = reactor_create(&options, &server->reactor, diag);
    if (err == ERR_NONE && diag->text[0]) log_notice("%s", diag->text);
    return err;
}

static void create_keyspace(struct server *server) {
    uint64_t seed;
    random_os(&seed, sizeof(seed));
    server->keyspace = keyspace_create(&server->config.keyspace, seed);
    const struct keyspace_disposer disposer = {.ctx = server, .dispose = dispose};
    keyspace_set_disposer(server->keyspace, &disposer);
    const struct persist_setup persist = {
        .config = &server->config.persist,
        .keyspace = server->keyspace,
        .server_version = VALKEY_VERSION,
        .limits = {.set = &server->config.exec.set_limits,
                   .zset = &server->config.exec.zset_limits,
                   .hash = &server->config.exec.hash_limits,
                   .list_block_size = &server->config.exec.list_max_listpack_size,
                   .list_compress_depth = &server->config.exec.list_compress_depth},
    };
    server->persist = persist_create(&persist);
}

static void create_exec(struct server *server) {
    const struct exec_setup setup = {
        .config = &server->config.exec,
        .keyspace = server->keyspace,
        .persist = server->persist,
        .commands = server->commands,
        .config_engine = server->engine,
        .registry = server->registry,
        .reactor = server->reactor,
        .io = server->io,
    };
    server->exec = exec_create(&setup);
    server->exec->config_file = server->config_file;
    server->exec->hooks = (struct exec_hooks){
        .ctx = server, .shutdown = server_shutdown, .shutdown_abort = server_shutdown_abort};
}

static void create_info(struct server *server) {
    server->about = (struct info_server){
        .executable = server->executable,
        .git_sha1 = version_git_sha1(),
        .build_id = version_build_id(),
        .git_dirty = version_git_dirty(),
        .supervised = daemon_supervisor_name(server->supervised),
        .listeners = &server->listening.shown,
    };
    server->info = info_create(server->exec, &server->about);
}

/* After INFO, in whose sections they have figures. */
static void create_features(struct server *server) {
    server->pubsub = pubsub_create(server->exec, &server->config.pubsub);
    server->tracking = tracking_create(server->exec, &server->config.tracking);
}

enum err server_init(struct server *server, struct diag *diag) {
    system_fit_maxclients(&server->config.exec.maxclients);
    enum err err = create_reactor(server, diag);
    if (err == ERR_NONE) err = create_threads(server, diag);
    if (err != ERR_NONE) return err;
    create_keyspace(server);
    server->registry = stats_registry_create();
    create_exec(server);
    err = server_apply_config(server, diag);
    if (err != ERR_NONE) return err;
    create_info(server);
    create_features(server);
    return ERR_NONE;
}

enum err server_listen(struct server *server, struct diag *diag) {
    const struct server_net *net = &server->config.net;
    enum err err = listening_set_tcp(&server->listening, server->reactor, net, diag);
    if (err == ERR_NONE) {
        err = listening_open_unix(&server->listening, server->reactor, net, diag);
    }
    if (err == ERR_NONE && server->listening.count == 0) {
        err = diag_set(diag, ERR_RANGE, "Configured to not listen anywhere, exiting.");
    }
    return err;
}

/* ---- the loop ---- */

static int32_t effective_hz(const struct server *server) {
    int32_t hz = server->config.exec.hz;
    if (hz < 1) hz = 1;
    while (hz < HZ_MAX && server->exec->client_count / (uint32_t)hz > CLIENTS_PER_HZ)
        hz *= 2;
    return hz < HZ_MAX ? hz : HZ_MAX;
}

static void server_cron(struct server *server) {
    struct exec *exec = server->exec;
    uint64_t began = clock_ticks();
    exec_cron(exec);
    (void)mem_peak_sample();
    background_collect(server->background, disposed, server->keyspace);
    if (server->config.keys.rehashing) (void)keyspace_step(server->keyspace, RESIZE_BUDGET_US);
    if (server->config.monitoring.watchdog_ms) {
        signals_set_watchdog(server->config.monitoring.watchdog_ms);
    }
    exec->hz = effective_hz(server);
    exec->stats.cron_us_sum += clock_ticks_to_us(clock_ticks() - began);
}

/* When the loop has to be awake again: for cron, the end of a pause, or the next expiry. */
static int64_t server_deadline_ms(const struct server *server) {
    int64_t deadline = exec_next_deadline_ms(server->exec);
    int64_t expiry = keyspace_next_expiry_ms(server->keyspace);
    return expiry < deadline ? expiry : deadline;
}

static uint64_t expire_budget_us(const struct server *server) {
    uint64_t steps = (uint64_t)server->config.keys.expire_effort - 1;
    return EXPIRE_BUDGET_US + steps * EXPIRE_BUDGET_STEP_US;
}

/* Removes what is due, within the budget. True if there is more. */
static bool expire_keys(struct server *server) {
    if (likely(server->exec->now_ms < keyspace_next_expiry_ms(server->keyspace))) return false;
    const struct keyspace_stats *stats = keyspace_stats(server->keyspace);
    uint64_t before_us = stats->expire_cycle_us;
    bool more = keyspace_expire_due(server->keyspace, expire_budget_us(server));
    latency_note(&server->exec->latency, "expire-cycle", stats->expire_cycle_us - before_us,
                 server->exec->now_ms / 1000);
    return more;
}

/* Also if the next time is further away than ever: the clock has been set back. */
static bool cron_is_due(const struct exec *exec) {
    int64_t wait_ms = exec->next_cron_ms - exec->now_ms;
    return wait_ms <= 0 || wait_ms > 1000 / exec->hz;
}

/* What is due beside the clients. */
static void do_periodic_work(struct server *server) {
    struct exec *exec = server->exec;
    if (cron_is_due(exec)) {
        if (!exec->cron_paused) server_cron(server);
        exec->next_cron_ms = exec->now_ms + 1000 / exec->hz;
    }
    exec_end_pauses(exec);
    exec_end_waits(exec);
    if (io_threads(server->io) > 1) io_adjust(server->io, exec_busy_percent(exec));
    server_check_signals(server);
}

void server_run(struct server *server) {
    struct exec *exec = server->exec;
    bool more_due = false;
    while (!exec->stopping) {
        loop_turn(exec, more_due ? 0 : server_deadline_ms(server));
        more_due = expire_keys(server);
        do_periodic_work(server);
    }
}

/* Damaged bytes, or a file that cannot be loaded for another reason. */
static void log_load_failure(enum err err, const struct diag *diag) {
    if (err == ERR_SYNTAX || err == ERR_CLOSED) {
        log_warning("Internal error in RDB: %s", diag->text);
        log_warning("Terminating server after rdb file reading failure.");
    } else {
        log_warning("Fatal error loading the DB: %s. Exiting.", diag->text);
    }
}

/* Clients are served between two steps; what they may do, GATE_LOADING decides. */
static enum rdb_load_result load_in_steps(struct server *server) {
    enum rdb_load_result result;
    server->exec->gates |= GATE_LOADING;
    do {
        result = persist_load_step(server->persist, LOAD_STEP_US);
        loop_turn(server->exec, 0);
        do_periodic_work(server);
    } while (result == RDB_LOAD_MORE && !server->exec->stopping);
    server->exec->gates &= ~(uint32_t)GATE_LOADING;
    return result;
}

bool server_load(struct server *server) {
    const struct persist_load_options options = {0};
    struct diag diag = {0};
    enum err err = persist_load_begin(server->persist, &options, &diag);
    if (err == ERR_NOT_FOUND) return true;
    if (err == ERR_NONE) {
        if (load_in_steps(server) == RDB_LOAD_FAILED)
            err = persist_load_error(server->persist, &diag);
        persist_load_end(server->persist);
    }
    if (err != ERR_NONE) log_load_failure(err, &diag);
    return err == ERR_NONE;
}

/* ---- the end ---- */

/* Connections that workers hold come back before anything is taken down. */
static void take_back_connections(struct server *server) {
    while (io_in_flight(server->io)) {
        io_commit(server->io);
        loop_take_back(server->exec);
    }
}

void server_deinit(struct server *server) {
    signals_detach();
    if (server->exec) {
        daemon_notify_stopping(server->supervised);
        take_back_connections(server);
        loop_flush_output(server->exec);
    }
    listening_close(&server->listening, server->reactor);
    if (server->pidfile) daemon_remove_pidfile(server->pidfile);
    io_destroy(&server->io);
    info_destroy(&server->info);
    exec_destroy(&server->exec);
    tracking_destroy(&server->tracking);
    pubsub_destroy(&server->pubsub);
    persist_destroy(&server->persist);
    keyspace_destroy(&server->keyspace);
    background_destroy(&server->background);
    reactor_destroy(&server->reactor);
    stats_registry_destroy(&server->registry);
    command_table_destroy(&server->commands);
    config_destroy(&server->engine);
    mem_free(server->config_file);
    mem_free(server->executable);
    mem_free(server->pidfile);
}
