/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of COMMAND. */
#include "commands/command_internal.h"
#include "commands/commands.h"

#define COMMAND_FLAGS (CMD_LOADING | CMD_STALE | CMD_SENTINEL)
#define COMMAND_ROW(word, function, count, version)                              \
    .name = (word), .handler = (function), .arity = (count), .since = (version), \
    .group = GROUP_SERVER, .flags = COMMAND_FLAGS, .acl = ACL_CONNECTION

static const struct arg_spec command_names[] = {
    {.name = "command-name", .type = ARG_STRING, .flags = ARG_OPTIONAL | ARG_MULTIPLE},
    {0},
};

static const struct arg_spec command_line[] = {
    {.name = "command", .type = ARG_STRING},
    {.name = "arg", .type = ARG_STRING, .flags = ARG_OPTIONAL | ARG_MULTIPLE},
    {0},
};

static const struct command_spec command_subs[] = {
    {
        COMMAND_ROW("count", cmd_command_count, 2, "2.8.13"),
        .complexity = "O(1)",
        .summary = "Say how many commands there are.",
    },
    {
        COMMAND_ROW("docs", cmd_command_docs, -2, "7.0.0"),
        .complexity = "O(N), N being the number of commands described.",
        .summary = "Describe commands and their arguments.",
        .tips = TIPS("nondeterministic_output_order"),
        .args = command_names,
    },
    {
        COMMAND_ROW("getkeys", cmd_command_getkeys, -3, "2.8.13"),
        .complexity = "O(N), N being the number of arguments.",
        .summary = "Find the keys in a command line.",
        .args = command_line,
    },
    {
        COMMAND_ROW("getkeysandflags", cmd_command_getkeysandflags, -3, "7.0.0"),
        .complexity = "O(N), N being the number of arguments.",
        .summary = "Find the keys in a command line, and what is done with them.",
        .args = command_line,
    },
    {
        COMMAND_ROW("help", cmd_command_help, 2, "5.0.0"),
        .complexity = "O(1)",
        .summary = "List the subcommands.",
    },
    {
        COMMAND_ROW("info", cmd_command_info, -2, "2.8.13"),
        .complexity = "O(N), N being the number of commands described.",
        .summary = "Show arity, flags, key positions and categories of commands.",
        .history = HISTORY({"7.0.0", "Without names it describes all commands."}),
        .tips = TIPS("nondeterministic_output_order"),
        .args = command_names,
    },
    {
        COMMAND_ROW("list", cmd_command_list, -2, "7.0.0"),
        .complexity = "O(N), N being the number of commands.",
        .summary = "List the names of commands.",
        .tips = TIPS("nondeterministic_output_order"),
        .args = ARGS({
            .name = "filterby",
            .type = ARG_ONEOF,
            .token = "FILTERBY",
            .flags = ARG_OPTIONAL,
            .args = ARGS({.name = "module-name", .type = ARG_STRING, .token = "MODULE"},
                         {.name = "category", .type = ARG_STRING, .token = "ACLCAT"},
                         {.name = "pattern", .type = ARG_PATTERN, .token = "PATTERN"}),
        }),
    },
    {0},
};

const struct command_spec command_commands[] = {
    {
        COMMAND_ROW("command", cmd_command, -1, "2.8.13"),
        .complexity = "O(N), N being the number of commands.",
        .summary = "Describe all commands.",
        .tips = TIPS("nondeterministic_output_order"),
        .subs = command_subs,
    },
    {0},
};
