/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of the bitmap group. */
#include "commands/bitmap_internal.h"
#include "commands/commands.h"

#define UNIT_ARG                                                                    \
    {                                                                               \
        .name = "unit", .type = ARG_ONEOF, .flags = ARG_OPTIONAL, .since = "7.0.0", \
        .args = ARGS({.name = "byte", .type = ARG_PURE_TOKEN, .token = "BYTE"},     \
                     {.name = "bit", .type = ARG_PURE_TOKEN, .token = "BIT"}),      \
    }

/* [start [end [BYTE | BIT]]] */
#define RANGE_ARG                                                                     \
    {                                                                                 \
        .name = "range", .type = ARG_BLOCK, .flags = ARG_OPTIONAL,                    \
        .args = ARGS({.name = "start", .type = ARG_INTEGER},                          \
                     {.name = "end-unit-block",                                       \
                      .type = ARG_BLOCK,                                              \
                      .flags = ARG_OPTIONAL,                                          \
                      .args = ARGS({.name = "end", .type = ARG_INTEGER}, UNIT_ARG)}), \
    }

#define FIELD_ARGS \
    {.name = "encoding", .type = ARG_STRING}, { .name = "offset", .type = ARG_INTEGER }

const struct command_spec bitmap_commands[] = {
    {
        .name = "bitcount",
        .handler = cmd_bitcount,
        .arity = -2,
        .group = GROUP_BITMAP,
        .flags = CMD_READONLY,
        .keys = KEY_AT(1, KEY_RO | KEY_ACCESS),
        .since = "2.6.0",
        .complexity = "O(N) in the size of the range.",
        .summary = "Count the bits that are set in a string.",
        .history = HISTORY({"7.0.0", "Added the `BYTE|BIT` option."},
                           {"8.0.0", "The end of the range may be left out."}),
        .args = ARGS({.name = "key", .type = ARG_KEY}, RANGE_ARG),
    },
    {
        .name = "bitfield",
        .handler = cmd_bitfield,
        .arity = -2,
        .group = GROUP_BITMAP,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = KEYS({.flags = KEY_RW | KEY_UPDATE | KEY_ACCESS | KEY_VARIABLE_FLAGS,
                      .begin = KEY_BEGIN_INDEX,
                      .index = 1,
                      .find = KEY_FIND_RANGE,
                      .step = 1,
                      .notes = "Read-only if all operations are GET"}),
        .find_keys = bitfield_find_keys,
        .since = "3.2.0",
        .complexity = "O(1) for each operation.",
        .summary = "Read and change integers of any width inside a string.",
        .args = ARGS(
            {.name = "key", .type = ARG_KEY},
            {.name = "operation",
             .type = ARG_ONEOF,
             .flags = ARG_OPTIONAL | ARG_MULTIPLE,
             .args = ARGS(
                 {.name = "get-block", .type = ARG_BLOCK, .token = "GET", .args = ARGS(FIELD_ARGS)},
                 {.name = "write",
                  .type = ARG_BLOCK,
                  .args = ARGS(
                      {.name = "overflow-block",
                       .type = ARG_ONEOF,
                       .flags = ARG_OPTIONAL,
                       .token = "OVERFLOW",
                       .args = ARGS({.name = "wrap", .type = ARG_PURE_TOKEN, .token = "WRAP"},
                                    {.name = "sat", .type = ARG_PURE_TOKEN, .token = "SAT"},
                                    {.name = "fail", .type = ARG_PURE_TOKEN, .token = "FAIL"})},
                      {.name = "write-operation",
                       .type = ARG_ONEOF,
                       .args =
                           ARGS({.name = "set-block",
                                 .type = ARG_BLOCK,
                                 .token = "SET",
                                 .args = ARGS(FIELD_ARGS, {.name = "value", .type = ARG_INTEGER})},
                                {.name = "incrby-block",
                                 .type = ARG_BLOCK,
                                 .token = "INCRBY",
                                 .args = ARGS(FIELD_ARGS,
                                              {.name = "increment", .type = ARG_INTEGER})})})})}),
    },
    {
        .name = "bitfield_ro",
        .handler = cmd_bitfield_ro,
        .arity = -2,
        .group = GROUP_BITMAP,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = KEY_AT(1, KEY_RO | KEY_ACCESS),
        .since = "6.0.0",
        .complexity = "O(1) for each operation.",
        .summary = "Read integers of any width inside a string.",
        .args = ARGS({.name = "key", .type = ARG_KEY},
                     {.name = "get-block",
                      .type = ARG_BLOCK,
                      .flags = ARG_OPTIONAL | ARG_MULTIPLE | ARG_MULTIPLE_TOKEN,
                      .token = "GET",
                      .args = ARGS(FIELD_ARGS)}),
    },
    {
        .name = "bitop",
        .handler = cmd_bitop,
        .arity = -4,
        .group = GROUP_BITMAP,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = KEYS({.flags = KEY_OW | KEY_UPDATE,
                      .begin = KEY_BEGIN_INDEX,
                      .index = 2,
                      .find = KEY_FIND_RANGE,
                      .step = 1},
                     {.flags = KEY_RO | KEY_ACCESS,
                      .begin = KEY_BEGIN_INDEX,
                      .index = 3,
                      .find = KEY_FIND_RANGE,
                      .last_key = -1,
                      .step = 1}),
        .since = "2.6.0",
        .complexity = "O(N) in the size of all strings.",
        .summary = "Combine strings bit by bit and store the result.",
        .args = ARGS({.name = "operation",
                      .type = ARG_ONEOF,
                      .args = ARGS({.name = "and", .type = ARG_PURE_TOKEN, .token = "AND"},
                                   {.name = "or", .type = ARG_PURE_TOKEN, .token = "OR"},
                                   {.name = "xor", .type = ARG_PURE_TOKEN, .token = "XOR"},
                                   {.name = "not", .type = ARG_PURE_TOKEN, .token = "NOT"})},
                     {.name = "destkey", .type = ARG_KEY},
                     {.name = "key", .type = ARG_KEY, .flags = ARG_MULTIPLE, .key_spec_index = 1}),
    },
    {
        .name = "bitpos",
        .handler = cmd_bitpos,
        .arity = -3,
        .group = GROUP_BITMAP,
        .flags = CMD_READONLY,
        .keys = KEY_AT(1, KEY_RO | KEY_ACCESS),
        .since = "2.8.7",
        .complexity = "O(N) in the size of the range.",
        .summary = "Find the first bit of a string that is set, or that is clear.",
        .history = HISTORY({"7.0.0", "Added the `BYTE|BIT` option."}),
        .args =
            ARGS({.name = "key", .type = ARG_KEY}, {.name = "bit", .type = ARG_INTEGER}, RANGE_ARG),
    },
    {
        .name = "getbit",
        .handler = cmd_getbit,
        .arity = 3,
        .group = GROUP_BITMAP,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = KEY_AT(1, KEY_RO | KEY_ACCESS),
        .since = "2.2.0",
        .complexity = "O(1)",
        .summary = "Return one bit of a string.",
        .args = ARGS({.name = "key", .type = ARG_KEY}, {.name = "offset", .type = ARG_INTEGER}),
    },
    {
        .name = "setbit",
        .handler = cmd_setbit,
        .arity = 4,
        .group = GROUP_BITMAP,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE),
        .since = "2.2.0",
        .complexity = "O(1)",
        .summary = "Set or clear one bit of a string, which grows as needed.",
        .args = ARGS({.name = "key", .type = ARG_KEY}, {.name = "offset", .type = ARG_INTEGER},
                     {.name = "value", .type = ARG_INTEGER}),
    },
    {0},
};
