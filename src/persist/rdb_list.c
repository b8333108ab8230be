/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists: a count of blocks, each a listpack or one large element; of old, ziplists or the elements
 * themselves. */
#include "ds/listpack.h"
#include "persist/rdb_format.h"
#include "persist/rdb_packed.h"
#include "persist/rdb_types.h"
#include "sync/blob.h"
#include "types/list.h"

/* ---- writing ---- */

uint8_t rdb__list_type(const struct entry *entry) {
    (void)entry;
    return RDB_LIST_QUICKLIST_2;
}

void rdb__save_list(struct rdb_out *out, const struct entry *entry) {
    const void *list = entry_object(entry);
    size_t count = list_block_count(list);
    struct listpack *scratch = NULL;
    rdb_put_length(out, count);
    for (size_t i = 0; i < count; i++) {
        struct list_span block = list_block_at(list, i, &scratch);
        rdb_put_length(out, block.blob ? RDB_NODE_PLAIN : RDB_NODE_PACKED);
        if (block.blob) {
            rdb_put_string(out, blob_bytes(block.blob));
        } else {
            rdb_put_string(out, bytes_make(block.lp, listpack_size(block.lp)));
        }
    }
    listpack_destroy(&scratch);
}

/* ---- reading ---- */

static struct list_limits limits_of(const struct rdb_limits *limits) {
    struct list_limits list_limits = list_limits_of(*limits->list_block_size, 0);
    list_limits.compress_depth = (size_t)*limits->list_compress_depth;
    return list_limits;
}

static bool add_element(struct rdb_in *in, void **list, const struct list_limits *limits) {
    struct bytes text;
    if (!rdb_get_string(in, &text)) return false;
    list_push(list, LIST_TAIL, text, limits);
    return true;
}

static bool add_packed(void **list, struct listpack *lp) {
    if (!lp) return false;
    if (listpack_count(lp) == 0) {
        listpack_destroy(&lp);
    } else {
        list_add_block(list, lp);
    }
    return true;
}

static bool add_ziplist(struct rdb_in *in, void **list, const struct list_limits *limits) {
    (void)limits;
    return add_packed(list, rdb__get_ziplist(in));
}

static bool add_plain(struct rdb_in *in, void **list) {
    struct rdb_string string;
    char digits[NUM_I64_TEXT_MAX];
    if (!rdb_get_value(in, 0, &string)) return false;
    struct bytes text = string.bytes;
    if (string.is_integer) text = bytes_make(digits, num_format_i64(digits, string.integer));
    if (text.size == 0) return rdb_in_bad(in, "Quicklist integrity check failed.");
    struct blob *blob = string.blob ? string.blob : blob_try_create(text.size);
    if (!blob) return rdb_in_fail(in, ERR_NO_MEMORY, "No memory for %zu bytes", text.size);
    if (!string.blob) memcpy(blob->data, text.data, text.size);
    list_add_plain_block(list, blob);
    return true;
}

static bool add_node(struct rdb_in *in, void **list, const struct list_limits *limits) {
    uint64_t container;
    (void)limits;
    if (!rdb_get_length(in, &container)) return false;
    if (container == RDB_NODE_PLAIN) return add_plain(in, list);
    if (container == RDB_NODE_PACKED) return add_packed(list, rdb__get_listpack(in));
    return rdb_in_bad(in, "Quicklist integrity check failed.");
}

/* As many parts as the length says, each added by a function. */
static bool load_parts(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out,
                       bool (*add)(struct rdb_in *in, void **list,
                                   const struct list_limits *limits)) {
    const struct list_limits list_limits = limits_of(limits);
    uint64_t count;
    if (!rdb_get_count(in, 1, &count)) return false;
    void *list = list_create(0);
    bool good = true;
    for (uint64_t i = 0; good && i < count; i++)
        good = add(in, &list, &list_limits);
    out->is_empty = good && list_count(list) == 0;
    if (!good || out->is_empty) {
        list_destroy(list);
        return good;
    }
    list_settle(&list, &list_limits);
    out->object = list;
    return true;
}

bool rdb__load_list(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out) {
    return load_parts(in, limits, out, add_element);
}

bool rdb__load_list_quicklist(struct rdb_in *in, const struct rdb_limits *limits,
                              struct rdb_value *out) {
    return load_parts(in, limits, out, add_ziplist);
}

bool rdb__load_list_quicklist_2(struct rdb_in *in, const struct rdb_limits *limits,
                                struct rdb_value *out) {
    return load_parts(in, limits, out, add_node);
}

bool rdb__load_list_ziplist(struct rdb_in *in, const struct rdb_limits *limits,
                            struct rdb_value *out) {
    const struct list_limits list_limits = limits_of(limits);
    void *list = list_create(0);
    bool good = add_ziplist(in, &list, &list_limits);
    out->is_empty = good && list_count(list) == 0;
    if (!good || out->is_empty) {
        list_destroy(list);
        return good;
    }
    list_settle(&list, &list_limits);
    out->object = list;
    return true;
}
