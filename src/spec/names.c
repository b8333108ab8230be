/* SPDX-License-Identifier: BSD-3-Clause */
/* The words by which the protocol and users name flags, categories, groups and types. */
#include "base/check.h"
#include "spec/command.h"

static const char *const command_flag_names[] = {
    "write",
    "readonly",
    "denyoom",
    "module",
    "admin",
    "pubsub",
    "noscript",
    "blocking",
    "loading",
    "stale",
    "skip_monitor",
    "skip_commandlog",
    "asking",
    "fast",
    "no_auth",
    "no_mandatory_keys",
    "no_async_loading",
    "no_multi",
    "movablekeys",
    "allow_busy",
};
static_assert(BIT(COUNT_OF(command_flag_names)) == CMD_MAY_REPLICATE, "the first one not shown");

static const char *const acl_category_names[] = {
    "keyspace", "read",   "write",       "set",       "sortedset",  "list",        "hash",
    "string",   "bitmap", "hyperloglog", "geo",       "stream",     "pubsub",      "admin",
    "fast",     "slow",   "blocking",    "dangerous", "connection", "transaction", "scripting",
};
static_assert(BIT(COUNT_OF(acl_category_names)) == ACL_SCRIPTING << 1, "one name each");

static const char *const group_names[] = {
    [GROUP_GENERIC] = "generic",
    [GROUP_STRING] = "string",
    [GROUP_LIST] = "list",
    [GROUP_SET] = "set",
    [GROUP_SORTED_SET] = "sorted-set",
    [GROUP_HASH] = "hash",
    [GROUP_PUBSUB] = "pubsub",
    [GROUP_TRANSACTIONS] = "transactions",
    [GROUP_CONNECTION] = "connection",
    [GROUP_SERVER] = "server",
    [GROUP_SCRIPTING] = "scripting",
    [GROUP_HYPERLOGLOG] = "hyperloglog",
    [GROUP_CLUSTER] = "cluster",
    [GROUP_SENTINEL] = "sentinel",
    [GROUP_GEO] = "geo",
    [GROUP_STREAM] = "stream",
    [GROUP_BITMAP] = "bitmap",
    [GROUP_MODULE] = "module",
};
static_assert(COUNT_OF(group_names) == GROUP_MODULE + 1, "one name each");

static const char *const key_flag_names[] = {
    "RO",     "RW",     "OW",      "RM",         "access",         "update",
    "insert", "delete", "not_key", "incomplete", "variable_flags",
};
static_assert(BIT(COUNT_OF(key_flag_names)) == KEY_VARIABLE_FLAGS << 1, "one name each");

static const char *const arg_type_names[] = {
    [ARG_END] = NULL,
    [ARG_STRING] = "string",
    [ARG_INTEGER] = "integer",
    [ARG_DOUBLE] = "double",
    [ARG_KEY] = "key",
    [ARG_PATTERN] = "pattern",
    [ARG_UNIX_TIME] = "unix-time",
    [ARG_PURE_TOKEN] = "pure-token",
    [ARG_ONEOF] = "oneof",
    [ARG_BLOCK] = "block",
};
static_assert(COUNT_OF(arg_type_names) == ARG_BLOCK + 1, "one name each");

const char *command_flag_name(unsigned bit) {
    return bit < COUNT_OF(command_flag_names) ? command_flag_names[bit] : NULL;
}

const char *acl_category_name(unsigned bit) {
    return bit < COUNT_OF(acl_category_names) ? acl_category_names[bit] : NULL;
}

const char *command_group_name(uint8_t group) {
    return group < COUNT_OF(group_names) ? group_names[group] : NULL;
}

const char *key_flag_name(unsigned bit) {
    return bit < COUNT_OF(key_flag_names) ? key_flag_names[bit] : NULL;
}

const char *arg_type_name(uint8_t type) {
    return type < COUNT_OF(arg_type_names) ? arg_type_names[type] : NULL;
}
