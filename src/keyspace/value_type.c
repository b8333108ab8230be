/* SPDX-License-Identifier: BSD-3-Clause */
#include "keyspace/value_type.h"

#include "base/check.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

static const struct value_ops set_ops = {
    .destroy = set_destroy,
    .copy = set_copy,
    .memory_bytes = set_memory_bytes,
    .free_effort = set_free_effort,
    .encoding_name = set_encoding_name,
    .table_stats = set_table_stats,
};

static const struct value_ops list_ops = {
    .destroy = list_destroy,
    .copy = list_copy,
    .memory_bytes = list_memory_bytes,
    .free_effort = list_free_effort,
    .encoding_name = list_encoding_name,
};
static const struct value_ops zset_ops = {
    .destroy = zset_destroy,
    .copy = zset_copy,
    .memory_bytes = zset_memory_bytes,
    .free_effort = zset_free_effort,
    .encoding_name = zset_encoding_name,
    .table_stats = zset_table_stats,
};

/* A type that is built adds its row here. */
static const struct value_ops *const rows[VALUE_TYPE_COUNT] = {
    [TYPE_SET] = &set_ops,
    [TYPE_LIST] = &list_ops,
    [TYPE_ZSET] = &zset_ops,
    [TYPE_HASH] = &hash_ops,
};

const struct value_ops *value_ops_for(uint8_t type, const void *object) {
    const struct value_ops *row = rows[type];
    if (type == TYPE_MODULE) row = ((const struct module_object *)object)->type;
    check(row != NULL);
    return row;
}

const struct value_ops *value_ops_of(const struct entry *e) {
    dcheck(entry_encoding(e) == ENCODING_OBJECT);
    return value_ops_for(entry_type(e), entry_object(e));
}

const char *value_type_name(uint8_t type) {
    static const char *const names[] = {
        [TYPE_STRING] = "string", [TYPE_LIST] = "list", [TYPE_SET] = "set",
        [TYPE_ZSET] = "zset",     [TYPE_HASH] = "hash", [TYPE_MODULE] = "module",
        [TYPE_STREAM] = "stream",
    };
    static_assert(COUNT_OF(names) == VALUE_TYPE_COUNT, "every type has a name");
    check(type < VALUE_TYPE_COUNT);
    return names[type];
}
