/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of the geo group. */
#include "commands/commands.h"
#include "commands/geo_internal.h"

/* ---- grammar that several have in common ---- */

static const struct arg_spec unit_words[] = {
    {.name = "m", .type = ARG_PURE_TOKEN, .token = "M"},
    {.name = "km", .type = ARG_PURE_TOKEN, .token = "KM"},
    {.name = "ft", .type = ARG_PURE_TOKEN, .token = "FT"},
    {.name = "mi", .type = ARG_PURE_TOKEN, .token = "MI"},
    {0},
};

static const struct arg_spec order_words[] = {
    {.name = "asc", .type = ARG_PURE_TOKEN, .token = "ASC"},
    {.name = "desc", .type = ARG_PURE_TOKEN, .token = "DESC"},
    {0},
};

static const struct arg_spec point_args[] = {
    {.name = "longitude", .type = ARG_DOUBLE},
    {.name = "latitude", .type = ARG_DOUBLE},
    {0},
};

static const struct arg_spec count_args[] = {
    {.name = "count", .type = ARG_INTEGER, .token = "COUNT"},
    {.name = "any", .type = ARG_PURE_TOKEN, .flags = ARG_OPTIONAL, .token = "ANY"},
    {0},
};

static const struct arg_spec count_args_since_6_2[] = {
    {.name = "count", .type = ARG_INTEGER, .token = "COUNT"},
    {.name = "any",
     .type = ARG_PURE_TOKEN,
     .flags = ARG_OPTIONAL,
     .token = "ANY",
     .since = "6.2.0"},
    {0},
};

static const struct arg_spec centre_args[] = {
    {.name = "member", .type = ARG_STRING, .token = "FROMMEMBER"},
    {.name = "fromlonlat", .type = ARG_BLOCK, .token = "FROMLONLAT", .args = point_args},
    {0},
};

static const struct arg_spec shape_args[] = {
    {.name = "circle",
     .type = ARG_BLOCK,
     .args = ARGS({.name = "radius", .type = ARG_DOUBLE, .token = "BYRADIUS"},
                  {.name = "unit", .type = ARG_ONEOF, .args = unit_words})},
    {.name = "box",
     .type = ARG_BLOCK,
     .args = ARGS({.name = "width", .type = ARG_DOUBLE, .token = "BYBOX"},
                  {.name = "height", .type = ARG_DOUBLE},
                  {.name = "unit", .type = ARG_ONEOF, .args = unit_words})},
    {.name = "polygon",
     .type = ARG_BLOCK,
     .since = "9.0.0",
     .args =
         ARGS({.name = "num-vertices", .type = ARG_INTEGER, .token = "BYPOLYGON"},
              {.name = "vertices", .type = ARG_BLOCK, .flags = ARG_MULTIPLE, .args = point_args})},
    {0},
};

static const struct arg_spec store_words[] = {
    {.name = "storekey", .type = ARG_KEY, .key_spec_index = 1, .token = "STORE", .display = "key"},
    {.name = "storedistkey",
     .type = ARG_KEY,
     .key_spec_index = 2,
     .token = "STOREDIST",
     .display = "key"},
    {0},
};

/* The source at 1, the destination behind STORE or STOREDIST from a position on. */
#define RADIUS_KEYS(from)               \
    KEYS({.flags = KEY_RO | KEY_ACCESS, \
          .begin = KEY_BEGIN_INDEX,     \
          .index = 1,                   \
          .find = KEY_FIND_RANGE,       \
          .step = 1},                   \
         {.flags = KEY_OW | KEY_UPDATE, \
          .begin = KEY_BEGIN_KEYWORD,   \
          .keyword = "STORE",           \
          .start_from = (from),         \
          .find = KEY_FIND_RANGE,       \
          .step = 1},                   \
         {.flags = KEY_OW | KEY_UPDATE, \
          .begin = KEY_BEGIN_KEYWORD,   \
          .keyword = "STOREDIST",       \
          .start_from = (from),         \
          .find = KEY_FIND_RANGE,       \
          .step = 1})

/* ---- rows ---- */

const struct command_spec geo_commands[] = {
    {
        .name = "geoadd",
        .handler = cmd_geoadd,
        .arity = -5,
        .group = GROUP_GEO,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = KEY_AT(1, KEY_RW | KEY_UPDATE),
        .since = "3.2.0",
        .complexity = "O(log(N)) for each member of a set of N.",
        .summary = "Add members with their places, or move them.",
        .history = HISTORY({"6.2.0", "Options CH, NX and XX."}),
        .args = ARGS({.name = "key", .type = ARG_KEY},
                     {.name = "condition",
                      .type = ARG_ONEOF,
                      .flags = ARG_OPTIONAL,
                      .since = "6.2.0",
                      .args = ARGS({.name = "nx", .type = ARG_PURE_TOKEN, .token = "NX"},
                                   {.name = "xx", .type = ARG_PURE_TOKEN, .token = "XX"})},
                     {.name = "change",
                      .type = ARG_PURE_TOKEN,
                      .flags = ARG_OPTIONAL,
                      .token = "CH",
                      .since = "6.2.0"},
                     {.name = "data",
                      .type = ARG_BLOCK,
                      .flags = ARG_MULTIPLE,
                      .args = ARGS({.name = "longitude", .type = ARG_DOUBLE},
                                   {.name = "latitude", .type = ARG_DOUBLE},
                                   {.name = "member", .type = ARG_STRING})}),
    },
    {
        .name = "geodist",
        .handler = cmd_geodist,
        .arity = -4,
        .group = GROUP_GEO,
        .flags = CMD_READONLY,
        .keys = KEY_AT(1, KEY_RO | KEY_ACCESS),
        .since = "3.2.0",
        .complexity = "O(1)",
        .summary = "Return how far apart two members are.",
        .args =
            ARGS({.name = "key", .type = ARG_KEY}, {.name = "member1", .type = ARG_STRING},
                 {.name = "member2", .type = ARG_STRING},
                 {.name = "unit", .type = ARG_ONEOF, .flags = ARG_OPTIONAL, .args = unit_words}),
    },
    {
        .name = "geohash",
        .handler = cmd_geohash,
        .arity = -2,
        .group = GROUP_GEO,
        .flags = CMD_READONLY,
        .keys = KEY_AT(1, KEY_RO | KEY_ACCESS),
        .since = "3.2.0",
        .complexity = "O(1) for each member.",
        .summary = "Return the geohash text of members.",
        .args = ARGS({.name = "key", .type = ARG_KEY},
                     {.name = "member", .type = ARG_STRING, .flags = ARG_OPTIONAL | ARG_MULTIPLE}),
    },
    {
        .name = "geopos",
        .handler = cmd_geopos,
        .arity = -2,
        .group = GROUP_GEO,
        .flags = CMD_READONLY,
        .keys = KEY_AT(1, KEY_RO | KEY_ACCESS),
        .since = "3.2.0",
        .complexity = "O(1) for each member.",
        .summary = "Return longitude and latitude of members.",
        .args = ARGS({.name = "key", .type = ARG_KEY},
                     {.name = "member", .type = ARG_STRING, .flags = ARG_OPTIONAL | ARG_MULTIPLE}),
    },
    {
        .name = "georadius",
        .handler = cmd_georadius,
        .arity = -6,
        .group = GROUP_GEO,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = RADIUS_KEYS(6),
        .find_keys = georadius_find_keys,
        .since = "3.2.0",
        .complexity = "O(N+log(M)) for N members in the cells around the shape, of M in all.",
        .summary = "Find, and perhaps store, the members around a point.",
        .history = HISTORY({"6.2.0", "Option ANY of COUNT."}, {"7.0.0", "Units in any case."}),
        .args =
            ARGS({.name = "key", .type = ARG_KEY}, {.name = "longitude", .type = ARG_DOUBLE},
                 {.name = "latitude", .type = ARG_DOUBLE}, {.name = "radius", .type = ARG_DOUBLE},
                 {.name = "unit", .type = ARG_ONEOF, .args = unit_words},
                 {.name = "withcoord",
                  .type = ARG_PURE_TOKEN,
                  .flags = ARG_OPTIONAL,
                  .token = "WITHCOORD"},
                 {.name = "withdist",
                  .type = ARG_PURE_TOKEN,
                  .flags = ARG_OPTIONAL,
                  .token = "WITHDIST"},
                 {.name = "withhash",
                  .type = ARG_PURE_TOKEN,
                  .flags = ARG_OPTIONAL,
                  .token = "WITHHASH"},
                 {.name = "count-block",
                  .type = ARG_BLOCK,
                  .flags = ARG_OPTIONAL,
                  .args = count_args_since_6_2},
                 {.name = "order", .type = ARG_ONEOF, .flags = ARG_OPTIONAL, .args = order_words},
                 {.name = "store", .type = ARG_ONEOF, .flags = ARG_OPTIONAL, .args = store_words}),
    },
    {
        .name = "georadius_ro",
        .handler = cmd_georadius_ro,
        .arity = -6,
        .group = GROUP_GEO,
        .flags = CMD_READONLY,
        .keys = KEY_AT(1, KEY_RO | KEY_ACCESS),
        .since = "3.2.10",
        .complexity = "O(N+log(M)) for N members in the cells around the shape, of M in all.",
        .summary = "Find the members around a point.",
        .history = HISTORY({"6.2.0", "Option ANY of COUNT."}, {"7.0.0", "Units in any case."}),
        .args =
            ARGS({.name = "key", .type = ARG_KEY}, {.name = "longitude", .type = ARG_DOUBLE},
                 {.name = "latitude", .type = ARG_DOUBLE}, {.name = "radius", .type = ARG_DOUBLE},
                 {.name = "unit", .type = ARG_ONEOF, .args = unit_words},
                 {.name = "withcoord",
                  .type = ARG_PURE_TOKEN,
                  .flags = ARG_OPTIONAL,
                  .token = "WITHCOORD"},
                 {.name = "withdist",
                  .type = ARG_PURE_TOKEN,
                  .flags = ARG_OPTIONAL,
                  .token = "WITHDIST"},
                 {.name = "withhash",
                  .type = ARG_PURE_TOKEN,
                  .flags = ARG_OPTIONAL,
                  .token = "WITHHASH"},
                 {.name = "count-block",
                  .type = ARG_BLOCK,
                  .flags = ARG_OPTIONAL,
                  .args = count_args_since_6_2},
                 {.name = "order", .type = ARG_ONEOF, .flags = ARG_OPTIONAL, .args = order_words}),
    },
    {
        .name = "georadiusbymember",
        .handler = cmd_georadiusbymember,
        .arity = -5,
        .group = GROUP_GEO,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = RADIUS_KEYS(5),
        .find_keys = georadiusbymember_find_keys,
        .since = "3.2.0",
        .complexity = "O(N+log(M)) for N members in the cells around the shape, of M in all.",
        .summary = "Find, and perhaps store, the members around one of them.",
        .history = HISTORY({"6.2.0", "Option ANY of COUNT."}, {"7.0.0", "Units in any case."}),
        .args = ARGS(
            {.name = "key", .type = ARG_KEY}, {.name = "member", .type = ARG_STRING},
            {.name = "radius", .type = ARG_DOUBLE},
            {.name = "unit", .type = ARG_ONEOF, .args = unit_words},
            {.name = "withcoord",
             .type = ARG_PURE_TOKEN,
             .flags = ARG_OPTIONAL,
             .token = "WITHCOORD"},
            {.name = "withdist",
             .type = ARG_PURE_TOKEN,
             .flags = ARG_OPTIONAL,
             .token = "WITHDIST"},
            {.name = "withhash",
             .type = ARG_PURE_TOKEN,
             .flags = ARG_OPTIONAL,
             .token = "WITHHASH"},
            {.name = "count-block", .type = ARG_BLOCK, .flags = ARG_OPTIONAL, .args = count_args},
            {.name = "order", .type = ARG_ONEOF, .flags = ARG_OPTIONAL, .args = order_words},
            {.name = "store", .type = ARG_ONEOF, .flags = ARG_OPTIONAL, .args = store_words}),
    },
    {
        .name = "georadiusbymember_ro",
        .handler = cmd_georadiusbymember_ro,
        .arity = -5,
        .group = GROUP_GEO,
        .flags = CMD_READONLY,
        .keys = KEY_AT(1, KEY_RO | KEY_ACCESS),
        .since = "3.2.10",
        .complexity = "O(N+log(M)) for N members in the cells around the shape, of M in all.",
        .summary = "Find the members around one of them.",
        .history = HISTORY({"6.2.0", "Option ANY of COUNT."}, {"7.0.0", "Units in any case."}),
        .args = ARGS(
            {.name = "key", .type = ARG_KEY}, {.name = "member", .type = ARG_STRING},
            {.name = "radius", .type = ARG_DOUBLE},
            {.name = "unit", .type = ARG_ONEOF, .args = unit_words},
            {.name = "withcoord",
             .type = ARG_PURE_TOKEN,
             .flags = ARG_OPTIONAL,
             .token = "WITHCOORD"},
            {.name = "withdist",
             .type = ARG_PURE_TOKEN,
             .flags = ARG_OPTIONAL,
             .token = "WITHDIST"},
            {.name = "withhash",
             .type = ARG_PURE_TOKEN,
             .flags = ARG_OPTIONAL,
             .token = "WITHHASH"},
            {.name = "count-block", .type = ARG_BLOCK, .flags = ARG_OPTIONAL, .args = count_args},
            {.name = "order", .type = ARG_ONEOF, .flags = ARG_OPTIONAL, .args = order_words}),
    },
    {
        .name = "geosearch",
        .handler = cmd_geosearch,
        .arity = -7,
        .group = GROUP_GEO,
        .flags = CMD_READONLY,
        .keys = KEY_AT(1, KEY_RO | KEY_ACCESS),
        .since = "6.2.0",
        .complexity = "O(N+log(M)) for N members in the cells around the shape, of M in all.",
        .summary = "Find the members inside a circle, a box or a polygon.",
        .history = HISTORY({"7.0.0", "Units in any case."}, {"9.0.0", "Option BYPOLYGON."}),
        .args = ARGS(
            {.name = "key", .type = ARG_KEY},
            {.name = "from", .type = ARG_ONEOF, .flags = ARG_OPTIONAL, .args = centre_args},
            {.name = "by", .type = ARG_ONEOF, .args = shape_args},
            {.name = "order", .type = ARG_ONEOF, .flags = ARG_OPTIONAL, .args = order_words},
            {.name = "count-block", .type = ARG_BLOCK, .flags = ARG_OPTIONAL, .args = count_args},
            {.name = "withcoord",
             .type = ARG_PURE_TOKEN,
             .flags = ARG_OPTIONAL,
             .token = "WITHCOORD"},
            {.name = "withdist",
             .type = ARG_PURE_TOKEN,
             .flags = ARG_OPTIONAL,
             .token = "WITHDIST"},
            {.name = "withhash",
             .type = ARG_PURE_TOKEN,
             .flags = ARG_OPTIONAL,
             .token = "WITHHASH"}),
    },
    {
        .name = "geosearchstore",
        .handler = cmd_geosearchstore,
        .arity = -8,
        .group = GROUP_GEO,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = KEYS({.flags = KEY_OW | KEY_UPDATE,
                      .begin = KEY_BEGIN_INDEX,
                      .index = 1,
                      .find = KEY_FIND_RANGE,
                      .step = 1},
                     {.flags = KEY_RO | KEY_ACCESS,
                      .begin = KEY_BEGIN_INDEX,
                      .index = 2,
                      .find = KEY_FIND_RANGE,
                      .step = 1}),
        .since = "6.2.0",
        .complexity = "O(N+log(M)) for N members in the cells around the shape, of M in all.",
        .summary = "Store the members inside a circle, a box or a polygon.",
        .history = HISTORY({"7.0.0", "Units in any case."}, {"9.0.0", "Option BYPOLYGON."}),
        .args = ARGS(
            {.name = "destination", .type = ARG_KEY},
            {.name = "source", .type = ARG_KEY, .key_spec_index = 1},
            {.name = "from", .type = ARG_ONEOF, .flags = ARG_OPTIONAL, .args = centre_args},
            {.name = "by", .type = ARG_ONEOF, .args = shape_args},
            {.name = "order", .type = ARG_ONEOF, .flags = ARG_OPTIONAL, .args = order_words},
            {.name = "count-block", .type = ARG_BLOCK, .flags = ARG_OPTIONAL, .args = count_args},
            {.name = "storedist",
             .type = ARG_PURE_TOKEN,
             .flags = ARG_OPTIONAL,
             .token = "STOREDIST"}),
    },
    {0},
};
