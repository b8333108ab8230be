/* SPDX-License-Identifier: BSD-3-Clause */
/* exec -- the executor: takes windows of ready requests, runs them, sends the replies.
 *
 *   readiness ─▶ reading (here or on a worker) ─▶ ready list ─▶ window ─▶ write list ─▶ writing
 *
 * A window is up to EXEC_WINDOW requests, executed in three passes: the first prefetches the bucket
 * of each first key, the second its entry, the third goes through gates, handler and statistics,
 * one request after the other.
 *
 * Fields are public for the command handlers of commands/ and the wiring of server/; they belong to
 * the executor's thread. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/random.h"
#include "exec/client.h"
#include "exec/commandlog.h"
#include "exec/latency.h"
#include "keyspace/keyspace.h"
#include "resp/chunk.h"
#include "resp/reply.h"
#include "sync/spin.h"
#include "types/hash.h"
#include "types/set.h"
#include "types/zset.h"

struct config;
struct stats_registry;
struct command_table;
struct hashtab;
struct blocking;
struct persist;
struct call;
struct pubsub;
struct tracking;

enum { EXEC_WINDOW = 64 };

struct output_limit {
    uint64_t hard_bytes, soft_bytes;
    int64_t soft_seconds;
};
enum local_option {
    OPTION_NO = 0,
    OPTION_YES,
    OPTION_LOCAL
}; /* enable-debug-command and the like */

struct exec_config {         /* filled by the server from its options; read by the executor */
    const char *requirepass; /* NULL or "": none */
    uint32_t maxclients;
    int32_t timeout_s;
    int32_t tcp_keepalive_s;
    bool tcp_nodelay;
    bool protected_mode;
    int64_t bulk_max;   /* proto-max-bulk-len */
    size_t input_limit; /* client-query-buffer-limit */
    struct output_limit output_limits[CLASS_COUNT];
    int64_t maxmemory_clients; /* bytes; negative: percent of maxmemory; 0: no limit */
    int32_t hz;
    uint32_t prefetch_max; /* prefetch-batch-max-size; 0 and 1: no prefetch */
    bool latency_tracking;
    int64_t latency_threshold_ms;
    enum local_option enable_debug, enable_protected_configs;
    const char *availability_zone;
    bool import_mode;
    bool extended_redis_compatibility;
    bool hide_user_data;
    int64_t hll_sparse_bytes; /* hll-sparse-max-bytes */
    struct set_limits set_limits;
    int32_t list_max_listpack_size;
    int32_t list_compress_depth;
    struct zset_limits zset_limits;
    struct hash_limits hash_limits;
};

struct command_stats { /* by command id */
    uint64_t calls, ticks, rejected, failed;
    struct histogram *latency; /* NULL until first used; see latency.h */
};

struct exec_stats {
    uint64_t commands, connections, rejected_connections;
    uint64_t net_in, net_out;
    uint64_t reads, writes; /* total_reads_processed, total_writes_processed */
    uint64_t error_replies;
    uint64_t evicted_clients, input_limit_closed, output_limit_closed;
    uint64_t prefetch_batches, prefetch_entries;
    uint64_t auth_denied;
    uint64_t cycles, cycle_us_sum, command_us_sum, cron_us_sum, cycle_us_max,
        commands_per_cycle_max;
    uint64_t recent_max_input, recent_max_output;
    double ops_per_s, in_kbps, out_kbps, cycles_per_s, cycle_us; /* instantaneous_* */
};

enum {
    EXEC_RATE_MS = 100,     /* an interval of the instantaneous_* figures */
    EXEC_RATE_SAMPLES = 16, /* intervals in their mean */
    EXEC_RATE_COUNT = 5,
    EXEC_BUSY_US = 10000,        /* the executor's own load is measured over as long */
    EXEC_CHUNKS_KEPT = 16,       /* free chunks, and free batches, kept when idle */
    EXEC_REPLY_PERIOD_MS = 5000, /* replies' sizes are remembered as long */
};
struct exec_rates {
    int64_t at_ms;
    uint64_t last[EXEC_RATE_COUNT];
    double samples[EXEC_RATE_COUNT][EXEC_RATE_SAMPLES];
    int next;
};

enum pause_purpose { PAUSE_BY_COMMAND = 0 }; /* they overlap: each has its own end */
enum { PAUSE_PURPOSE_COUNT = 1 };
struct pause {
    int64_t until_ms; /* of mono_ms; 0: not paused */
    bool all;         /* all commands, or only those that write */
};

/* What the executor and its commands ask of the process. Filled in by server/. */
struct exec_hooks {
    void *ctx;
    /* SHUTDOWN. Returns only if it failed or was put off; *diag then says why. flags: enum
     * shutdown_flag. */
    enum err (*shutdown)(void *ctx, unsigned flags, struct diag *diag);
    enum err (*shutdown_abort)(void *ctx);
};
enum shutdown_flag {
    SHUTDOWN_SAVE = BIT(0),
    SHUTDOWN_NOSAVE = BIT(1),
    SHUTDOWN_NOW = BIT(2),
    SHUTDOWN_FORCE = BIT(3),
    SHUTDOWN_SAFE = BIT(4),
    SHUTDOWN_FAILOVER = BIT(5),
};

/* A feature that keeps something about clients; rows are added at start and live as long as exec.
 * Functions may be NULL. */
struct exec_feature {
    void *ctx;
    /* The client is closing: whatever the feature holds for it goes now. Its memory stays until the
     * window is over. */
    void (*closed)(void *ctx, struct client *client);
    /* RESET: the client is to be as new. */
    void (*reset)(void *ctx, struct client *client);
    /* Bytes that the feature holds for it, for its memory count. */
    size_t (*memory_bytes)(void *ctx, const struct client *client);
    /* A command has been executed that met GATE_TRACKING or GATE_CACHING; its arguments are still
     * there. met: which of them. */
    void (*executed)(void *ctx, struct call *call, uint32_t met);
    /* Before output is sent, if exec->flush_wanted. */
    void (*flush)(void *ctx);
    /* hz times a second. */
    void (*cron)(void *ctx);
};
enum { EXEC_FEATURES_MAX = 8 };

struct exec {
    /* hot: read for every request */
    uint32_t gates;
    bool push_held;      /* messages for the client whose command runs wait in held */
    bool block_ready;    /* keys that clients wait for have changed: see block_serve */
    uint32_t block_keys; /* keys that clients wait for */
    struct keyspace *keyspace;
    struct command_stats *command_stats;
    const struct exec_config *config;
    int64_t now_ms;       /* wall clock, sampled once a window */
    int64_t mono_ms;      /* sampled with it: for spans of time, as nobody sets it back */
    uint64_t slow_ticks;  /* a call that takes as long may be for the slow log or latency monitor */
    uint64_t large_bytes; /* the same for sizes of requests and replies */
    uint64_t sampled_ticks, sample_span; /* when now_ms was read, and how long it is right */
    uint64_t now_ticks;                  /* end of the previous command, start of the next */
    struct exec_stats stats;
    struct chunk_pool chunks;
    struct batch *free_batches;
    struct client *ready_head, *ready_tail;
    struct client *write_head, *write_tail;
    struct client *read_head, *read_tail;
    struct conn_reader reader;
    uint64_t idle_ticks; /* slept in the reactor, ever */
    bool dead_pending;   /* clients wait to be freed and none of them is lent */

    struct client *clients_head, *clients_tail;
    uint32_t client_count;
    uint64_t next_client_id;
    struct hashtab *clients_by_id;
    size_t clients_memory; /* of all clients, as last counted */
    struct client *dead;
    struct client *current; /* whose command runs, for the crash report */
    const struct command *current_command;

    struct command_table *commands;
    struct config *config_engine;
    struct stats_registry *registry;
    struct persist *persist; /* the data set in files; NULL in tests without any */
    struct commandlog commandlogs[COMMANDLOG_COUNT];
    struct latency_monitor latency;
    struct error_stats *errors;
    struct hashtab *watched; /* key in database -> clients, see watch.c */
    uint32_t watching_clients;
    struct blocking *blocking;
    struct exec_feature features[EXEC_FEATURES_MAX];
    int feature_count;
    struct reply held; /* see push.h */
    bool push_open, push_was_muted;
    bool flush_wanted;         /* a feature has messages to send before output is sent */
    struct pubsub *pubsub;     /* opaque here: for the handlers of pubsub/ */
    struct tracking *tracking; /* the same */
    struct client **monitors;
    uint32_t monitor_count, monitor_cap;
    struct pause pauses[PAUSE_PURPOSE_COUNT];
    struct exec_hooks hooks;
    int64_t next_cron_ms;
    int32_t hz;               /* in force: more than configured while there are many clients */
    size_t list_plain_bytes;  /* DEBUG QUICKLIST-PACKED-THRESHOLD; 0: none */
    bool cron_paused;         /* DEBUG PAUSE-CRON */
    bool evicting;            /* over maxmemory, and a step ran out of time */
    bool stopping;            /* leave the loop */
    uint64_t maxmemory_bytes; /* option maxmemory */
    struct exec_rates rates;
    uint64_t busy_from_ticks, busy_idle_ticks; /* see exec_busy_percent */
    struct spin spin;                          /* waiting for workers */
    int busy_percent;
    struct client *cron_cursor; /* where limits_cron goes on */
    struct reply_sizing {       /* how large a chunk clients' replies begin with: see limits_cron */
        int64_t period_ms;      /* each reply is reviewed as often; 0: never */
        int64_t period_ends_ms; /* of mono_ms */
        uint8_t period;
        bool off; /* DEBUG REPLYBUFFER RESIZING: all begin with whole ones */
    } reply_sizing;
    struct io *io; /* the workers */
    struct reactor *reactor;
    char run_id[41];
    char replication_id[41]; /* INFO's master_replid, until there is a history to name */
    const char *config_file; /* absolute path, NULL: none; the server's */
    size_t startup_bytes;    /* memory in use when the server was ready */
    int64_t started_mono_ms;
    uint64_t rng_seed;
    struct rng rng;
};

struct exec_setup {
    const struct exec_config *config;
    struct keyspace *keyspace;
    struct persist *persist;
    struct command_table *commands;
    struct config *config_engine;
    struct stats_registry *registry;
    struct reactor *reactor;
    struct io *io;
};
struct exec *exec_create(const struct exec_setup *setup);
void exec_destroy(struct exec **exec);
void exec_add_feature(struct exec *exec, const struct exec_feature *feature);
/* Calls the features' executed, and their flush. */
void exec_tell_executed(struct exec *exec, struct call *call, uint32_t met);
void exec_flush_features(struct exec *exec);
/* config changed: limits, gates, times. */
void exec_config_changed(struct exec *exec);

/* hz times a second: pauses that end, rates, limits of clients. */
void exec_cron(struct exec *exec);
void exec_end_pauses(struct exec *exec);
/* Once a turn: waits whose time is over, and keys that became ready outside of any command. */
void exec_end_waits(struct exec *exec);
/* When the loop must be awake at the latest. */
int64_t exec_next_deadline_ms(const struct exec *exec);
/* Share of recent time the executor did not sleep. */
int exec_busy_percent(struct exec *exec);
void exec_sample_rates(struct exec *exec);

/* Pauses clients of commands until a time of mono_ms; a later end wins. */
void exec_pause(struct exec *exec, enum pause_purpose purpose, int64_t until_ms, bool all);
void exec_unpause(struct exec *exec, enum pause_purpose purpose);
bool exec_is_paused(const struct exec *exec, bool *all, int64_t *until_ms,
                    enum pause_purpose *purpose);

/* Thresholds of the logs changed: what the hot path compares with. */
void exec_thresholds_changed(struct exec *exec);
/* CONFIG RESETSTAT. */
void exec_reset_stats(struct exec *exec);

/* Adds the arguments as MONITOR shows them, each quoted, secrets left out. */
void monitor_quote(const struct call *call, struct buf *out);
/* Feeds a line with these arguments to everyone in MONITOR. */
void monitor_feed(struct exec *exec, const struct client *client, struct bytes args);
void monitor_add(struct exec *exec, struct client *client);
void monitor_remove(struct exec *exec, struct client *client);

/* Counts an error reply by its code ("ERR", "WRONGTYPE"). */
void error_stats_count(struct exec *exec, struct bytes code);
void error_stats_reset(struct exec *exec);
/* Calls fn for each code, in order of code. */
void error_stats_each(struct exec *exec, void (*fn)(void *ctx, struct bytes code, uint64_t count),
                      void *ctx);
