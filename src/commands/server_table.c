/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of the server group, and SELECT. */
#include "commands/commands.h"
#include "commands/server_internal.h"

#define ADMIN_FLAGS (CMD_ADMIN | CMD_LOADING | CMD_STALE)
#define HELP_ROW(version, fn)                                                       \
    {                                                                               \
        .name = "help", .handler = (fn), .arity = 2, .group = GROUP_SERVER,         \
        .flags = CMD_LOADING | CMD_STALE, .since = (version), .complexity = "O(1)", \
        .summary = "Explain the subcommands.",                                      \
    }
#define ALL_NODES TIPS("request_policy:all_nodes", "response_policy:all_succeeded")
#define ALL_NODES_SUM TIPS("request_policy:all_nodes", "response_policy:agg_sum")
#define ALL_NODES_LEN \
    TIPS("request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output")
#define ALL_NODES_GET TIPS("request_policy:all_nodes", "nondeterministic_output")
#define ALL_NODES_REPORT \
    TIPS("nondeterministic_output", "request_policy:all_nodes", "response_policy:special")
#define ALL_SHARDS TIPS("request_policy:all_shards", "response_policy:all_succeeded")
#define ALL_SHARDS_REPORT \
    TIPS("nondeterministic_output", "request_policy:all_shards", "response_policy:special")

/* ---- CONFIG ---- */

static const struct command_spec config_subs[] = {
    {
        .name = "get",
        .handler = cmd_config_get,
        .arity = -3,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS | CMD_NOSCRIPT,
        .since = "2.0.0",
        .complexity = "O(N), N being the number of options named.",
        .summary = "Return the values of options.",
        .history = HISTORY({"7.0.0", "Several names or patterns in one call."}),
        .args = ARGS({.name = "parameter", .type = ARG_STRING, .flags = ARG_MULTIPLE}),
    },
    {
        .name = "set",
        .handler = cmd_config_set,
        .arity = -4,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS | CMD_NOSCRIPT,
        .since = "2.0.0",
        .complexity = "O(N), N being the number of options named.",
        .summary = "Change options of the running server, all or none.",
        .history = HISTORY({"7.0.0", "Several options in one call."}),
        .tips = ALL_NODES,
        .args = ARGS({.name = "data",
                      .type = ARG_BLOCK,
                      .flags = ARG_MULTIPLE,
                      .args = ARGS({.name = "parameter", .type = ARG_STRING},
                                   {.name = "value", .type = ARG_STRING})}),
    },
    {
        .name = "rewrite",
        .handler = cmd_config_rewrite,
        .arity = 2,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS | CMD_NOSCRIPT,
        .since = "2.8.0",
        .complexity = "O(1)",
        .summary = "Bring the configuration file in line with the values in force.",
        .tips = ALL_NODES,
    },
    {
        .name = "resetstat",
        .handler = cmd_config_resetstat,
        .arity = 2,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS | CMD_NOSCRIPT,
        .since = "2.0.0",
        .complexity = "O(1)",
        .summary = "Set the server's counters back to zero.",
        .tips = ALL_NODES,
    },
    HELP_ROW("5.0.0", cmd_config_help),
    {0},
};

/* ---- MEMORY ---- */

static const struct command_spec memory_subs[] = {
    {
        .name = "usage",
        .handler = cmd_memory_usage,
        .arity = -3,
        .group = GROUP_SERVER,
        .flags = CMD_READONLY,
        .keys = KEY_AT(2, KEY_RO),
        .since = "4.0.0",
        .complexity = "O(N), N being the number of elements looked at.",
        .summary = "Estimate the memory that a key and its value take.",
        .args =
            ARGS({.name = "key", .type = ARG_KEY},
                 {.name = "count", .type = ARG_INTEGER, .token = "SAMPLES", .flags = ARG_OPTIONAL}),
    },
    {
        .name = "stats",
        .handler = cmd_memory_stats,
        .arity = 2,
        .group = GROUP_SERVER,
        .since = "4.0.0",
        .complexity = "O(1)",
        .summary = "Tell where the server's memory is.",
        .tips = ALL_SHARDS_REPORT,
    },
    {
        .name = "doctor",
        .handler = cmd_memory_doctor,
        .arity = 2,
        .group = GROUP_SERVER,
        .since = "4.0.0",
        .complexity = "O(1)",
        .summary = "Report what looks wrong with the memory.",
        .tips = ALL_SHARDS_REPORT,
    },
    {
        .name = "purge",
        .handler = cmd_memory_purge,
        .arity = 2,
        .group = GROUP_SERVER,
        .flags = CMD_LOADING,
        .since = "4.0.0",
        .summary = "Let the allocator give unused memory back to the system.",
        .tips = ALL_SHARDS,
    },
    {
        .name = "malloc-stats",
        .handler = cmd_memory_malloc_stats,
        .arity = 2,
        .group = GROUP_SERVER,
        .flags = CMD_LOADING,
        .since = "4.0.0",
        .summary = "Return the allocator's own report.",
        .tips = ALL_SHARDS_REPORT,
    },
    HELP_ROW("4.0.0", cmd_memory_help),
    {0},
};

/* ---- LATENCY ---- */

static const struct command_spec latency_subs[] = {
    {
        .name = "latest",
        .handler = cmd_latency_latest,
        .arity = 2,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS | CMD_NOSCRIPT,
        .since = "2.8.13",
        .complexity = "O(1)",
        .summary = "Return the latest sample of each latency event.",
        .tips = ALL_NODES_REPORT,
    },
    {
        .name = "history",
        .handler = cmd_latency_history,
        .arity = 3,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS | CMD_NOSCRIPT,
        .since = "2.8.13",
        .complexity = "O(1)",
        .summary = "Return the samples of a latency event.",
        .tips = ALL_NODES_REPORT,
        .args = ARGS({.name = "event", .type = ARG_STRING}),
    },
    {
        .name = "graph",
        .handler = cmd_latency_graph,
        .arity = 3,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS | CMD_NOSCRIPT,
        .since = "2.8.13",
        .complexity = "O(1)",
        .summary = "Draw the samples of a latency event.",
        .tips = ALL_NODES_REPORT,
        .args = ARGS({.name = "event", .type = ARG_STRING}),
    },
    {
        .name = "doctor",
        .handler = cmd_latency_doctor,
        .arity = 2,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS | CMD_NOSCRIPT,
        .since = "2.8.13",
        .complexity = "O(1)",
        .summary = "Report on latency, with advice.",
        .tips = ALL_NODES_REPORT,
    },
    {
        .name = "histogram",
        .handler = cmd_latency_histogram,
        .arity = -2,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS | CMD_NOSCRIPT,
        .since = "7.0.0",
        .complexity = "O(N), N being the number of commands with data.",
        .summary = "Return how long calls of commands took, as a cumulative distribution.",
        .tips = ALL_NODES_REPORT,
        .args = ARGS({.name = "command", .type = ARG_STRING, .flags = ARG_OPTIONAL | ARG_MULTIPLE}),
    },
    {
        .name = "reset",
        .handler = cmd_latency_reset,
        .arity = -2,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS | CMD_NOSCRIPT,
        .since = "2.8.13",
        .complexity = "O(1)",
        .summary = "Forget the samples of some or all latency events.",
        .tips = ALL_NODES_SUM,
        .args = ARGS({.name = "event", .type = ARG_STRING, .flags = ARG_OPTIONAL | ARG_MULTIPLE}),
    },
    HELP_ROW("2.8.13", cmd_latency_help),
    {0},
};

/* ---- COMMANDLOG and SLOWLOG ---- */

#define COMMANDLOG_TYPE_ARG                                                                       \
    {                                                                                             \
        .name = "type", .type = ARG_ONEOF,                                                        \
        .args = ARGS({.name = "slow", .type = ARG_PURE_TOKEN, .token = "SLOW"},                   \
                     {.name = "large-request", .type = ARG_PURE_TOKEN, .token = "LARGE-REQUEST"}, \
                     {.name = "large-reply", .type = ARG_PURE_TOKEN, .token = "LARGE-REPLY"}),    \
    }

static const struct command_spec commandlog_subs[] = {
    {
        .name = "get",
        .handler = cmd_commandlog_get,
        .arity = 4,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS,
        .since = "8.1.0",
        .complexity = "O(N), N being the number of entries returned.",
        .summary = "Return the newest entries of a log of commands.",
        .tips = ALL_NODES_GET,
        .args = ARGS({.name = "count", .type = ARG_INTEGER}, COMMANDLOG_TYPE_ARG),
    },
    {
        .name = "len",
        .handler = cmd_commandlog_len,
        .arity = 3,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS,
        .since = "8.1.0",
        .complexity = "O(1)",
        .summary = "Return how many entries a log of commands has.",
        .tips = ALL_NODES_LEN,
        .args = ARGS(COMMANDLOG_TYPE_ARG),
    },
    {
        .name = "reset",
        .handler = cmd_commandlog_reset,
        .arity = 3,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS,
        .since = "8.1.0",
        .complexity = "O(N), N being the number of entries.",
        .summary = "Empty a log of commands.",
        .tips = ALL_NODES,
        .args = ARGS(COMMANDLOG_TYPE_ARG),
    },
    HELP_ROW("8.1.0", cmd_commandlog_help),
    {0},
};

static const struct command_spec slowlog_subs[] = {
    {
        .name = "get",
        .handler = cmd_slowlog_get,
        .arity = -2,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS,
        .since = "2.2.12",
        .complexity = "O(N), N being the number of entries returned.",
        .summary = "Return the newest entries of the log of slow commands.",
        .history = HISTORY({"4.0.0", "Entries have the client's address and name."}),
        .tips = ALL_NODES_GET,
        .args = ARGS({.name = "count", .type = ARG_INTEGER, .flags = ARG_OPTIONAL}),
    },
    {
        .name = "len",
        .handler = cmd_slowlog_len,
        .arity = 2,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS,
        .since = "2.2.12",
        .complexity = "O(1)",
        .summary = "Return how many entries the log of slow commands has.",
        .tips = ALL_NODES_LEN,
    },
    {
        .name = "reset",
        .handler = cmd_slowlog_reset,
        .arity = 2,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS,
        .since = "2.2.12",
        .complexity = "O(N), N being the number of entries.",
        .summary = "Empty the log of slow commands.",
        .tips = ALL_NODES,
    },
    HELP_ROW("6.2.0", cmd_slowlog_help),
    {0},
};

/* ---- all ---- */

#define FLUSH_ARGS                                                                              \
    ARGS({                                                                                      \
        .name = "flush-type",                                                                   \
        .type = ARG_ONEOF,                                                                      \
        .flags = ARG_OPTIONAL,                                                                  \
        .args =                                                                                 \
            ARGS({.name = "async", .type = ARG_PURE_TOKEN, .token = "ASYNC", .since = "4.0.0"}, \
                 {.name = "sync", .type = ARG_PURE_TOKEN, .token = "SYNC", .since = "6.2.0"}),  \
    })
#define FLUSH_HISTORY HISTORY({"4.0.0", "Option ASYNC."}, {"6.2.0", "Option SYNC."})

static const struct arg_spec shutdown_args[] = {
    {
        .name = "abort-selector",
        .type = ARG_ONEOF,
        .flags = ARG_OPTIONAL,
        .args =
            ARGS({.name = "save-selector-block",
                  .type = ARG_BLOCK,
                  .args = ARGS(
                      {.name = "save-selector",
                       .type = ARG_ONEOF,
                       .flags = ARG_OPTIONAL,
                       .args = ARGS({.name = "nosave", .type = ARG_PURE_TOKEN, .token = "NOSAVE"},
                                    {.name = "save", .type = ARG_PURE_TOKEN, .token = "SAVE"})},
                      {.name = "now",
                       .type = ARG_PURE_TOKEN,
                       .token = "NOW",
                       .since = "7.0.0",
                       .flags = ARG_OPTIONAL},
                      {.name = "force",
                       .type = ARG_PURE_TOKEN,
                       .token = "FORCE",
                       .since = "7.0.0",
                       .flags = ARG_OPTIONAL},
                      {.name = "safe",
                       .type = ARG_PURE_TOKEN,
                       .token = "SAFE",
                       .since = "9.0.0",
                       .flags = ARG_OPTIONAL},
                      {.name = "failover",
                       .type = ARG_PURE_TOKEN,
                       .token = "FAILOVER",
                       .since = "9.0.0",
                       .flags = ARG_OPTIONAL})},
                 {.name = "abort", .type = ARG_PURE_TOKEN, .token = "ABORT", .since = "7.0.0"}),
    },
    {0},
};

const struct command_spec server_commands[] = {
    {
        .name = "select",
        .handler = cmd_select,
        .arity = 2,
        .group = GROUP_CONNECTION,
        .flags = CMD_LOADING | CMD_STALE | CMD_FAST | CMD_ALLOW_BUSY,
        .acl = ACL_CONNECTION,
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Choose the database of this connection.",
        .args = ARGS({.name = "index", .type = ARG_INTEGER}),
    },
    {
        .name = "dbsize",
        .handler = cmd_dbsize,
        .arity = 1,
        .group = GROUP_SERVER,
        .flags = CMD_READONLY | CMD_FAST,
        .acl = ACL_KEYSPACE,
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Return how many keys the database has.",
        .tips = TIPS("request_policy:all_shards", "response_policy:agg_sum"),
    },
    {
        .name = "flushdb",
        .handler = cmd_flushdb,
        .arity = -1,
        .group = GROUP_SERVER,
        .flags = CMD_WRITE,
        .acl = ACL_KEYSPACE | ACL_DANGEROUS,
        .since = "1.0.0",
        .complexity = "O(N), N being the number of keys in the database.",
        .summary = "Delete all keys of the database.",
        .history = FLUSH_HISTORY,
        .tips = ALL_SHARDS,
        .args = FLUSH_ARGS,
    },
    {
        .name = "flushall",
        .handler = cmd_flushall,
        .arity = -1,
        .group = GROUP_SERVER,
        .flags = CMD_WRITE | CMD_ALL_DBS,
        .acl = ACL_KEYSPACE | ACL_DANGEROUS,
        .since = "1.0.0",
        .complexity = "O(N), N being the number of keys in all databases.",
        .summary = "Delete all keys of all databases.",
        .history = FLUSH_HISTORY,
        .tips = ALL_SHARDS,
        .args = FLUSH_ARGS,
    },
    {
        .name = "swapdb",
        .handler = cmd_swapdb,
        .arity = 3,
        .group = GROUP_SERVER,
        .flags = CMD_WRITE | CMD_FAST,
        .acl = ACL_KEYSPACE | ACL_DANGEROUS,
        .since = "4.0.0",
        .complexity = "O(N), N being the number of clients that watch or wait for keys of both.",
        .summary = "Swap the contents of two databases.",
        .args =
            ARGS({.name = "index1", .type = ARG_INTEGER}, {.name = "index2", .type = ARG_INTEGER}),
    },
    {
        .name = "time",
        .handler = cmd_time,
        .arity = 1,
        .group = GROUP_SERVER,
        .flags = CMD_LOADING | CMD_STALE | CMD_FAST,
        .since = "2.6.0",
        .complexity = "O(1)",
        .summary = "Return the server's time.",
        .tips = TIPS("nondeterministic_output"),
    },
    {
        .name = "lolwut",
        .handler = cmd_lolwut,
        .arity = -1,
        .group = GROUP_SERVER,
        .flags = CMD_READONLY | CMD_FAST,
        .since = "5.0.0",
        .summary = "Show a piece of computer art and the server's version.",
        .args = ARGS(
            {.name = "version", .type = ARG_INTEGER, .token = "VERSION", .flags = ARG_OPTIONAL}),
    },
    {
        .name = "shutdown",
        .handler = cmd_shutdown,
        .arity = -1,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS | CMD_NOSCRIPT | CMD_NO_MULTI | CMD_ALLOW_BUSY | CMD_SENTINEL,
        .since = "1.0.0",
        .complexity = "O(N) when saving, N being the number of keys; otherwise O(1).",
        .summary = "Save the data set if that is wanted, and end the server.",
        .history = HISTORY({"7.0.0", "Options NOW, FORCE and ABORT."},
                           {"9.0.0", "Options SAFE and FAILOVER."}),
        .args = shutdown_args,
    },
    {
        .name = "info",
        .handler = cmd_info,
        .arity = -1,
        .group = GROUP_SERVER,
        .flags = CMD_LOADING | CMD_STALE | CMD_SENTINEL,
        .acl = ACL_DANGEROUS,
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Return figures and facts about the server.",
        .history = HISTORY({"7.0.0", "Several sections in one call."}),
        .tips = ALL_SHARDS_REPORT,
        .args = ARGS({.name = "section", .type = ARG_STRING, .flags = ARG_OPTIONAL | ARG_MULTIPLE}),
    },
    {
        .name = "debug",
        .handler = cmd_debug,
        .arity = -2,
        .group = GROUP_SERVER,
        .flags = ADMIN_FLAGS | CMD_NOSCRIPT | CMD_PROTECTED,
        .since = "1.0.0",
        .summary = "Forms for tests and for finding faults.",
        .doc_flags = DOC_SYSCMD,
    },
    {
        .name = "config",
        .arity = -2,
        .group = GROUP_SERVER,
        .since = "2.0.0",
        .summary = "Read and change the server's options.",
        .subs = config_subs,
    },
    {
        .name = "memory",
        .arity = -2,
        .group = GROUP_SERVER,
        .since = "4.0.0",
        .summary = "Tell about the use of memory.",
        .subs = memory_subs,
    },
    {
        .name = "latency",
        .arity = -2,
        .group = GROUP_SERVER,
        .since = "2.8.13",
        .summary = "Tell about latency.",
        .subs = latency_subs,
    },
    {
        .name = "commandlog",
        .arity = -2,
        .group = GROUP_SERVER,
        .since = "8.1.0",
        .summary = "Logs of commands that were slow or had large requests or replies.",
        .subs = commandlog_subs,
    },
    {
        .name = "slowlog",
        .arity = -2,
        .group = GROUP_SERVER,
        .since = "2.2.12",
        .summary = "The log of slow commands.",
        .subs = slowlog_subs,
    },
    {0},
};
