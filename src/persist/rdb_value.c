/* SPDX-License-Identifier: BSD-3-Clause */
#include "persist/rdb_value.h"

#include "base/check.h"
#include "base/hash.h"
#include "keyspace/keyspace.h"
#include "persist/rdb_format.h"
#include "persist/rdb_types.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

/* ---- strings ---- */

static uint8_t string_type(const struct entry *entry) {
    (void)entry;
    return RDB_STRING;
}

static void save_string(struct rdb_out *out, const struct entry *entry) {
    char scratch[NUM_I64_TEXT_MAX];
    if (entry_encoding(entry) == ENCODING_INT) {
        rdb_put_integer(out, entry_int(entry));
    } else {
        rdb_put_string(out, entry_string(entry, scratch));
    }
}

static bool load_string(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out) {
    (void)limits;
    return rdb_get_value(in, ENTRY_EMBED_MAX, &out->string);
}

static void destroy_hash(void *object) {
    struct hash *hash = object;
    hash_destroy(&hash);
}

/* ---- the tables ---- */

/* Types of the format. A type that is built adds its rows here. */
static const struct type_row {
    bool (*load)(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out);
    uint8_t type; /* enum value_type */
} types[RDB_TYPE_COUNT] = {
    [RDB_STRING] = {load_string, TYPE_STRING},
    [RDB_LIST] = {rdb__load_list, TYPE_LIST},
    [RDB_LIST_ZIPLIST] = {rdb__load_list_ziplist, TYPE_LIST},
    [RDB_LIST_QUICKLIST] = {rdb__load_list_quicklist, TYPE_LIST},
    [RDB_LIST_QUICKLIST_2] = {rdb__load_list_quicklist_2, TYPE_LIST},
    [RDB_HASH] = {rdb__load_hash, TYPE_HASH},
    [RDB_HASH_2] = {rdb__load_hash_2, TYPE_HASH},
    [RDB_HASH_ZIPMAP] = {rdb__load_hash_zipmap, TYPE_HASH},
    [RDB_HASH_ZIPLIST] = {rdb__load_hash_ziplist, TYPE_HASH},
    [RDB_HASH_LISTPACK] = {rdb__load_hash_listpack, TYPE_HASH},
    [RDB_SET] = {rdb__load_set, TYPE_SET},
    [RDB_SET_INTSET] = {rdb__load_set_intset, TYPE_SET},
    [RDB_SET_LISTPACK] = {rdb__load_set_listpack, TYPE_SET},
    [RDB_ZSET] = {rdb__load_zset, TYPE_ZSET},
    [RDB_ZSET_2] = {rdb__load_zset_2, TYPE_ZSET},
    [RDB_ZSET_ZIPLIST] = {rdb__load_zset_ziplist, TYPE_ZSET},
    [RDB_ZSET_LISTPACK] = {rdb__load_zset_listpack, TYPE_ZSET},
};

/* Types of the keyspace. */
static const struct kind_row {
    uint8_t (*type)(const struct entry *entry);
    void (*save)(struct rdb_out *out, const struct entry *entry);
    void (*destroy)(void *object);
} kinds[VALUE_TYPE_COUNT] = {
    [TYPE_STRING] = {string_type, save_string, NULL},
    [TYPE_LIST] = {rdb__list_type, rdb__save_list, list_destroy},
    [TYPE_HASH] = {rdb__hash_type, rdb__save_hash, destroy_hash},
    [TYPE_SET] = {rdb__set_type, rdb__save_set, set_destroy},
    [TYPE_ZSET] = {rdb__zset_type, rdb__save_zset, zset_destroy},
};

static const struct kind_row *kind_of(const struct entry *entry) {
    const struct kind_row *kind = &kinds[entry_type(entry)];
    check(kind->save != NULL);
    return kind;
}

uint8_t rdb_type_of(const struct entry *entry) { return kind_of(entry)->type(entry); }

void rdb_save_value(struct rdb_out *out, const struct entry *entry) {
    kind_of(entry)->save(out, entry);
}

/* What is in files of other servers and not here. */
static bool refuse_type(struct rdb_in *in, uint8_t rdb_type) {
    if (rdb_type == RDB_MODULE_2 || rdb_type == RDB_MODULE_PRE_GA) {
        return rdb_in_fail(in, ERR_UNSUPPORTED,
                           "A value of a module, which this server cannot load");
    }
    if (rdb_type < RDB_TYPE_COUNT && rdb_type != 8) {
        return rdb_in_fail(in, ERR_UNSUPPORTED, "A value of type %d, which is not supported yet",
                           rdb_type);
    }
    return rdb_in_bad(in, "Unknown RDB encoding type %d", rdb_type);
}

bool rdb_load_value(struct rdb_in *in, uint8_t rdb_type, const struct rdb_limits *limits,
                    struct rdb_value *out) {
    *out = (struct rdb_value){0};
    if (rdb_type >= RDB_TYPE_COUNT || !types[rdb_type].load) return refuse_type(in, rdb_type);
    out->type = types[rdb_type].type;
    return types[rdb_type].load(in, limits, out);
}

void rdb_value_deinit(struct rdb_value *value) {
    if (value->object) kinds[value->type].destroy(value->object);
    blob_release(value->string.blob);
    *value = (struct rdb_value){0};
}

struct entry *rdb_value_add(struct db *db, struct bytes key, uint64_t hash, struct rdb_value *value,
                            int64_t at_ms) {
    check(!value->is_empty);
    struct entry *entry;
    const struct rdb_string *string = &value->string;
    if (value->type != TYPE_STRING) {
        entry = keyspace_add_object(db, key, hash, value->type, value->object);
        if (at_ms >= 0) entry = keyspace_set_expiry(db, entry, at_ms);
    } else if (string->is_integer) {
        entry = keyspace_set_int(db, key, hash, NULL, string->integer, at_ms, 0);
    } else {
        entry = keyspace_set_string(db, key, hash, NULL, string->bytes, string->blob, at_ms, 0);
    }
    *value = (struct rdb_value){0};
    return entry;
}

/* ---- DUMP ---- */

void rdb_dump(struct rdb_out *out, const struct entry *entry) {
    rdb_put_byte(out, rdb_type_of(entry));
    rdb_save_value(out, entry);
    rdb_put_byte(out, RDB_VERSION & 255);
    rdb_put_byte(out, RDB_VERSION >> 8);
    rdb_put_u64(out, rdb_out_crc(out));
}

bool rdb_version_is_read(uint32_t version, bool is_relaxed) {
    if (version == 0) return false;
    if (is_relaxed) return true;
    return version <= RDB_VERSION && (version < RDB_FOREIGN_FIRST || version > RDB_FOREIGN_LAST);
}

/* Version and checksum at the end of a payload. */
static bool tail_is_good(struct bytes payload, unsigned flags) {
    if (payload.size < RDB_DUMP_TAIL + 1) return false;
    const uint8_t *tail = (const uint8_t *)payload.data + payload.size - RDB_DUMP_TAIL;
    uint32_t version = (uint32_t)tail[0] | (uint32_t)tail[1] << 8;
    uint64_t crc = 0;
    for (unsigned i = 0; i < 8; i++)
        crc |= (uint64_t)tail[2 + i] << (8 * i);
    if (!rdb_version_is_read(version, flags & RDB_UNDUMP_RELAXED)) return false;
    if (flags & RDB_UNDUMP_UNCHECKED) return true;
    return hash_crc64(0, bytes_make(payload.data, payload.size - 8)) == crc;
}

static bool load_whole(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out) {
    uint8_t type;
    if (!rdb_get_byte(in, &type) || !rdb_load_value(in, type, limits, out)) return false;
    if (!out->is_empty && rdb_in_is_empty(in)) return true;
    rdb_value_deinit(out);
    return rdb_in_bad(in, "No elements, or bytes behind the value");
}

enum rdb_dump_status rdb_undump(struct rdb_in *in, struct bytes payload, unsigned flags,
                                const struct rdb_limits *limits, struct rdb_value *out) {
    bool has_tail = tail_is_good(payload, flags);
    size_t tail_size = has_tail ? RDB_DUMP_TAIL : payload.size;
    rdb_in_init_bytes(in, bytes_make(payload.data, payload.size - tail_size));
    if (!has_tail) return RDB_DUMP_WRONG_TAIL;
    struct rdb_limits own = *limits;
    own.keeps_expired = true;
    return load_whole(in, &own, out) ? RDB_DUMP_GOOD : RDB_DUMP_BAD_DATA;
}
