/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of replication. */
#include "repl/repl.h"
#include "repl/repl_internal.h"

#define PRIMARY_ARGS                                                                        \
    ARGS({.name = "args",                                                                   \
          .type = ARG_ONEOF,                                                                \
          .args = ARGS({.name = "host-port",                                                \
                        .type = ARG_BLOCK,                                                  \
                        .args = ARGS({.name = "host", .type = ARG_STRING},                  \
                                     {.name = "port", .type = ARG_INTEGER})},               \
                       {.name = "no-one",                                                   \
                        .type = ARG_BLOCK,                                                  \
                        .args = ARGS({.name = "no", .type = ARG_PURE_TOKEN, .token = "NO"}, \
                                     {.name = "one", .type = ARG_PURE_TOKEN, .token = "ONE"})})})

#define WAIT_TIPS TIPS("request_policy:all_shards", "response_policy:agg_min")

const struct command_spec repl_commands[] = {
    {
        .name = "wait",
        .handler = cmd_wait,
        .arity = 3,
        .group = GROUP_GENERIC,
        .flags = CMD_BLOCKING,
        .acl = ACL_CONNECTION,
        .since = "3.0.0",
        .complexity = "O(1)",
        .summary = "Wait until enough replicas have this connection's writes, or a time is over.",
        .tips = WAIT_TIPS,
        .args = ARGS({.name = "numreplicas", .type = ARG_INTEGER},
                     {.name = "timeout", .type = ARG_INTEGER}),
    },
    {
        .name = "waitaof",
        .handler = cmd_waitaof,
        .arity = 4,
        .group = GROUP_GENERIC,
        .flags = CMD_BLOCKING,
        .acl = ACL_CONNECTION,
        .since = "7.2.0",
        .complexity = "O(1)",
        .summary = "Wait until this connection's writes are on disk, here and on replicas.",
        .tips = WAIT_TIPS,
        .args = ARGS({.name = "numlocal", .type = ARG_INTEGER},
                     {.name = "numreplicas", .type = ARG_INTEGER},
                     {.name = "timeout", .type = ARG_INTEGER}),
    },
    {
        .name = "role",
        .handler = cmd_role,
        .arity = 1,
        .group = GROUP_SERVER,
        .flags = CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_FAST | CMD_SENTINEL,
        .acl = ACL_ADMIN | ACL_DANGEROUS,
        .since = "2.8.12",
        .complexity = "O(1)",
        .summary = "Tell what part this server plays in replication.",
    },
    {
        .name = "replicaof",
        .handler = cmd_replicaof,
        .arity = 3,
        .group = GROUP_SERVER,
        .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_STALE | CMD_NO_ASYNC_LOADING,
        .since = "5.0.0",
        .complexity = "O(1)",
        .summary = "Make the server a replica of another, or a primary.",
        .args = PRIMARY_ARGS,
    },
    {
        .name = "slaveof",
        .handler = cmd_replicaof,
        .arity = 3,
        .group = GROUP_SERVER,
        .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_STALE | CMD_NO_ASYNC_LOADING,
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "The old name of REPLICAOF.",
        .deprecated_since = "5.0.0",
        .replaced_by = "`REPLICAOF`",
        .doc_flags = DOC_DEPRECATED,
        .args = PRIMARY_ARGS,
    },
    {
        .name = "failover",
        .handler = cmd_failover,
        .arity = -1,
        .group = GROUP_SERVER,
        .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_STALE,
        .since = "6.2.0",
        .complexity = "O(1)",
        .summary = "Hand the part of the primary over to a replica.",
        .args =
            ARGS({.name = "target",
                  .type = ARG_BLOCK,
                  .flags = ARG_OPTIONAL,
                  .token = "TO",
                  .args = ARGS({.name = "host", .type = ARG_STRING},
                               {.name = "port", .type = ARG_INTEGER},
                               {.name = "force",
                                .type = ARG_PURE_TOKEN,
                                .flags = ARG_OPTIONAL,
                                .token = "FORCE"})},
                 {.name = "abort", .type = ARG_PURE_TOKEN, .flags = ARG_OPTIONAL, .token = "ABORT"},
                 {.name = "milliseconds",
                  .type = ARG_INTEGER,
                  .flags = ARG_OPTIONAL,
                  .token = "TIMEOUT"}),
    },
    {0},
};
