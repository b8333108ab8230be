/* SPDX-License-Identifier: BSD-3-Clause */
/* INFO server and cpu: the process. */
#include "base/clock.h"
#include "base/version.h"
#include "commands/info_internal.h"
#include "net/listener.h"
#include "net/reactor.h"

#include <sys/resource.h>
#include <unistd.h>

enum { DAY_S = 24 * 3600, US_PER_S = 1000000 };

static const struct info_server *server_of(void *ctx) { return ((struct info *)ctx)->server; }
static const struct exec *exec_of(void *ctx) { return ((struct info *)ctx)->exec; }

/* ---- server ---- */

static void print_git_sha1(struct buf *out, void *ctx) {
    buf_add_text(out, server_of(ctx)->git_sha1);
}
static void print_git_dirty(struct buf *out, void *ctx) {
    buf_add_char(out, server_of(ctx)->git_dirty ? '1' : '0');
}
static void print_build_id(struct buf *out, void *ctx) {
    buf_add_text(out, server_of(ctx)->build_id);
}
/* The mode has another name for clients that know the former server only. */
static void print_mode(struct buf *out, void *ctx) {
    bool former = exec_of(ctx)->config->extended_redis_compatibility;
    buf_addf(out, "%s:standalone\r\n", former ? "redis_mode" : "server_mode");
}
static void print_os(struct buf *out, void *ctx) {
    const struct utsname *system = &((struct info *)ctx)->system;
    buf_addf(out, "%s %s %s", system->sysname, system->release, system->machine);
}
static void print_arch_bits(struct buf *out, void *ctx) {
    (void)ctx;
    buf_add_i64(out, (int64_t)sizeof(void *) * 8);
}
static void print_clock(struct buf *out, void *ctx) {
    (void)ctx;
    buf_add_text(out, clock_describe());
}
static void print_multiplexing(struct buf *out, void *ctx) {
    bool uring = reactor_engine_in_use(exec_of(ctx)->reactor) == REACTOR_URING;
    buf_add_text(out, uring ? "io_uring" : "epoll");
}
static void print_compiler(struct buf *out, void *ctx) {
    (void)ctx;
    buf_addf(out, "%d.%d.%d", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
}
static void print_pid(struct buf *out, void *ctx) {
    (void)ctx;
    buf_add_i64(out, getpid());
}
static void print_supervised(struct buf *out, void *ctx) {
    buf_add_text(out, server_of(ctx)->supervised);
}
static void print_run_id(struct buf *out, void *ctx) { buf_add_text(out, exec_of(ctx)->run_id); }
static void print_port(struct buf *out, void *ctx) { info__print_option(ctx, "port", out); }
static void print_time_us(struct buf *out, void *ctx) {
    (void)ctx;
    buf_add_i64(out, clock_wall_us());
}
static int64_t uptime_s(void *ctx) {
    return (exec_of(ctx)->mono_ms - exec_of(ctx)->started_mono_ms) / 1000;
}
static void print_uptime_s(struct buf *out, void *ctx) { buf_add_i64(out, uptime_s(ctx)); }
static void print_uptime_days(struct buf *out, void *ctx) {
    buf_add_i64(out, uptime_s(ctx) / DAY_S);
}
static void print_hz(struct buf *out, void *ctx) { buf_add_i64(out, exec_of(ctx)->hz); }
static void print_configured_hz(struct buf *out, void *ctx) {
    buf_add_i64(out, exec_of(ctx)->config->hz);
}
static void print_lru_clock(struct buf *out, void *ctx) {
    buf_add_i64(out, keyspace_lru_clock(exec_of(ctx)->keyspace));
}
static void print_executable(struct buf *out, void *ctx) {
    buf_add_text(out, server_of(ctx)->executable);
}
static void print_config_file(struct buf *out, void *ctx) {
    buf_add(out, bytes_of(exec_of(ctx)->config_file));
}
static void print_io_active(struct buf *out, void *ctx) {
    const struct io *io = exec_of(ctx)->io;
    buf_add_char(out, io && io_active_workers(io) > 0 ? '1' : '0');
}
static void print_zone(struct buf *out, void *ctx) {
    buf_add(out, bytes_of(exec_of(ctx)->config->availability_zone));
}

/* listener0:name=tcp,bind=127.0.0.1,bind=::1,port=6379 -- one line for each kind */
static void print_listeners(struct buf *out, void *ctx) {
    static const char *const names[] = {
        [LISTENER_TCP] = "tcp", [LISTENER_UNIX] = "unix", [LISTENER_TLS] = "tls"};
    const struct listener_set *set = server_of(ctx)->listeners;
    int line = 0;
    for (unsigned kind = 0; kind < COUNT_OF(names); kind++) {
        int port = -1;
        for (int i = 0; i < set->count; i++) {
            const struct listener *listener = &set->items[i];
            if (listener->kind != (enum listener_kind)kind) continue;
            if (port == -1) buf_addf(out, "listener%d:name=%s", line++, names[kind]);
            port = listener->port;
            buf_addf(out, ",bind=%s", listener->address);
        }
        if (port == -1) continue;
        if (kind != LISTENER_UNIX) buf_addf(out, ",port=%d", port);
        buf_add_text(out, "\r\n");
    }
}

static const struct stats_field server_fields[] = {
    {.name = "redis_version", .kind = STATS_FIXED, .text = REDIS_VERSION},
    {.name = "server_name", .kind = STATS_FIXED, .text = "valkey"},
    {.name = "valkey_version", .kind = STATS_FIXED, .text = VALKEY_VERSION},
    {.name = "valkey_release_stage", .kind = STATS_FIXED, .text = "ga"},
    {.name = "redis_git_sha1", .kind = STATS_PRINT, .print = print_git_sha1},
    {.name = "redis_git_dirty", .kind = STATS_PRINT, .print = print_git_dirty},
    {.name = "redis_build_id", .kind = STATS_PRINT, .print = print_build_id},
    {.kind = STATS_LINES, .print = print_mode},
    {.name = "os", .kind = STATS_PRINT, .print = print_os},
    {.name = "arch_bits", .kind = STATS_PRINT, .print = print_arch_bits},
    {.name = "monotonic_clock", .kind = STATS_PRINT, .print = print_clock},
    {.name = "multiplexing_api", .kind = STATS_PRINT, .print = print_multiplexing},
    {.name = "gcc_version", .kind = STATS_PRINT, .print = print_compiler},
    {.name = "process_id", .kind = STATS_PRINT, .print = print_pid},
    {.name = "process_supervised", .kind = STATS_PRINT, .print = print_supervised},
    {.name = "run_id", .kind = STATS_PRINT, .print = print_run_id},
    {.name = "tcp_port", .kind = STATS_PRINT, .print = print_port},
    {.name = "server_time_usec", .kind = STATS_PRINT, .print = print_time_us},
    {.name = "uptime_in_seconds", .kind = STATS_PRINT, .print = print_uptime_s},
    {.name = "uptime_in_days", .kind = STATS_PRINT, .print = print_uptime_days},
    {.name = "hz", .kind = STATS_PRINT, .print = print_hz},
    {.name = "configured_hz", .kind = STATS_PRINT, .print = print_configured_hz},
    {.name = "clients_hz", .kind = STATS_PRINT, .print = print_hz},
    {.name = "lru_clock", .kind = STATS_PRINT, .print = print_lru_clock},
    {.name = "executable", .kind = STATS_PRINT, .print = print_executable},
    {.name = "config_file", .kind = STATS_PRINT, .print = print_config_file},
    {.name = "io_threads_active", .kind = STATS_PRINT, .print = print_io_active},
    {.name = "availability_zone", .kind = STATS_PRINT, .print = print_zone},
    {.kind = STATS_LINES, .print = print_listeners},
    {0},
};

/* ---- cpu ---- */

static void add_seconds(struct buf *out, const char *name, struct timeval time) {
    buf_addf(out, "used_cpu_%s:%lld.%06ld\r\n", name, (long long)time.tv_sec, (long)time.tv_usec);
}

static void print_cpu(struct buf *out, void *ctx) {
    (void)ctx;
    struct rusage self = {0}, children = {0}, thread = {0};
    (void)getrusage(RUSAGE_SELF, &self); /* cannot fail with a known first argument */
    (void)getrusage(RUSAGE_CHILDREN, &children);
    (void)getrusage(RUSAGE_THREAD, &thread);
    add_seconds(out, "sys", self.ru_stime);
    add_seconds(out, "user", self.ru_utime);
    add_seconds(out, "sys_children", children.ru_stime);
    add_seconds(out, "user_children", children.ru_utime);
    add_seconds(out, "sys_main_thread", thread.ru_stime);
    add_seconds(out, "user_main_thread", thread.ru_utime);
}

static void add_active_time(struct buf *out, const char *thread, int number, uint64_t us) {
    buf_addf(out, "used_active_time_%s", thread);
    if (number) buf_add_i64(out, number);
    buf_addf(out, ":%llu.%06llu\r\n", (unsigned long long)(us / US_PER_S),
             (unsigned long long)(us % US_PER_S));
}

/* Time the threads did not spend waiting: of the executor, what it did not sleep. */
static void print_active_times(struct buf *out, void *ctx) {
    const struct exec *exec = exec_of(ctx);
    uint64_t alive_us = (uint64_t)(exec->mono_ms - exec->started_mono_ms) * 1000;
    uint64_t idle_us = clock_ticks_to_us(exec->idle_ticks);
    add_active_time(out, "main_thread", 0, alive_us > idle_us ? alive_us - idle_us : 0);
    int workers = exec->io ? io_threads(exec->io) - 1 : 0;
    for (int i = 0; i < workers; i++)
        add_active_time(out, "io_thread_", i + 1, io_worker_active_us(exec->io, i));
}

static const struct stats_field cpu_fields[] = {
    {.kind = STATS_LINES, .print = print_cpu},
    {.kind = STATS_LINES, .print = print_active_times},
    {0},
};

void info__register_server(struct stats_registry *registry, struct info *info) {
    stats_add_fields(registry, "server", server_fields, info);
    stats_add_fields(registry, "cpu", cpu_fields, info);
}
