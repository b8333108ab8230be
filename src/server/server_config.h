/* SPDX-License-Identifier: BSD-3-Clause */
/* server_config -- the values of all options whose feature exists, and what to call when CONFIG SET
 * changes them. The structs of lower folders are members, so that those folders read the options
 * without a copy. Rows: options_server.c, those of persist/ in persist_options.c. Options of
 * features to come: options_reference.h.
 *
 * Text fields belong to the option engine; NULL where the comment says so, else never NULL. */
#pragma once

#include "base/err.h"
#include "base/log.h"
#include "exec/exec.h"
#include "keyspace/keyspace.h"
#include "net/reactor.h"
#include "persist/persist.h"
#include "pubsub/pubsub.h"
#include "server/option_kinds.h"
#include "tracking/tracking.h"

enum supervised { SUPERVISED_NO = 0, SUPERVISED_AUTO, SUPERVISED_SYSTEMD, SUPERVISED_UPSTART };
enum oom_mode { OOM_NO = 0, OOM_RELATIVE, OOM_ABSOLUTE };

struct server_net {
    int32_t port;            /* 0: no TCP */
    struct text_list bind;   /* addresses, '-' in front: may be missing; none: no TCP */
    char *unixsocket;        /* path, NULL: none */
    uint32_t unixsocketperm; /* mode, 0: by umask */
    char *unixsocketgroup;   /* NULL: own */
    int32_t tcp_backlog;
    uint32_t socket_mark_id; /* 0: none */
    bool mptcp;
    uint32_t accepts_per_cycle; /* max-new-connections-per-cycle */
    enum reactor_engine engine;
};

struct server_threads {
    int32_t io_threads; /* with the executor; 0: as many as suit the machine */
    bool always_active;
    char *server_cpulist, *bio_cpulist; /* NULL: any CPU */
};

struct server_keys {
    int32_t expire_effort; /* 1..10 */
    bool rehashing;        /* activerehashing: the cron helps */
    char *hash_seed;       /* NULL: random */
};

struct server_monitoring {
    int64_t slow_us, slow_max_len; /* commandlog; -1: off */
    int64_t request_bytes, request_max_len;
    int64_t reply_bytes, reply_max_len;
    struct double_list percentiles; /* latency-tracking-info-percentiles */
    int32_t watchdog_ms;
    bool crash_log, exit_on_panic;
};

struct server_daemon {
    bool daemonize, always_show_logo, set_proc_title, disable_thp, jemalloc_bg_thread;
    enum supervised supervised;
    char *pidfile; /* NULL: none, unless daemonized */
    char *proc_title_template;
    char *dir; /* absolute */
    char *locale_collate;
    enum oom_mode oom_mode;
    struct oom_values oom_values;
    unsigned on_sigint, on_sigterm; /* enum shutdown_flag bits */
    struct word_lists renamed;      /* rename-command: each line is two words */
};

/* CONFIG SET calls these after all its values are in place; a failure rolls the SET back and the
 * hook is called again with the old values. Any may be NULL. Filled in once, at start. */
struct server_config_hooks {
    void *ctx;
    enum err (*listen_changed)(void *ctx, struct diag *diag); /* port, bind */
    enum err (*maxclients_changed)(void *ctx, struct diag *diag);
    enum err (*exec_changed)(void *ctx, struct diag *diag);   /* anything in exec but maxclients */
    enum err (*memory_changed)(void *ctx, struct diag *diag); /* maxmemory, its policy and kin */
    enum err (*io_threads_changed)(void *ctx, struct diag *diag); /* io-threads, always-active */
    enum err (*accepts_changed)(void *ctx, struct diag *diag); /* max-new-connections-per-cycle */
    enum err (*log_changed)(void *ctx, struct diag *diag);     /* level, format, time stamp */
    enum err (*hz_changed)(void *ctx, struct diag *diag);
    enum err (*commandlog_changed)(void *ctx, struct diag *diag);
    enum err (*latency_changed)(void *ctx, struct diag *diag); /* tracking, monitor threshold */
    enum err (*crash_changed)(void *ctx, struct diag *diag);   /* log, exit on panic */
    enum err (*dir_changed)(void *ctx, struct diag *diag);     /* change into daemon.dir */
    enum err (*proc_title_changed)(void *ctx, struct diag *diag);
    enum err (*oom_score_changed)(void *ctx, struct diag *diag);
    enum err (*locale_changed)(void *ctx, struct diag *diag);
    enum err (*watchdog_changed)(void *ctx, struct diag *diag);
    enum err (*allocator_changed)(void *ctx, struct diag *diag); /* jemalloc-bg-thread */
};

struct server_config {
    struct exec_config exec;
    struct keyspace_config keyspace;
    struct persist_config persist;
    struct log_settings log;
    struct server_net net;
    struct server_threads threads;
    struct server_keys keys;
    struct server_monitoring monitoring;
    struct server_daemon daemon;
    struct pubsub_config pubsub;
    struct tracking_config tracking;
    struct server_config_hooks hooks;
};

/* The rows over struct server_config. Their table's ctx is the struct server_config too. */
extern const struct config_option server_options[];

/* Fills a text from a proc-title-template; false if the template names an unknown variable or its
 * braces do not match. find gives a variable's text, NULL if unknown. */
bool proc_title_expand(struct bytes template, const char *(*find)(struct bytes name, void *ctx),
                       void *ctx, struct buf *out);
