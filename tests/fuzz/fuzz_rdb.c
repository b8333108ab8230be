/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a value of any type and as a whole stream: no access out of bounds, no memory that
 * the bytes do not justify; what is accepted is whole, and comes back from its own bytes.
 *
 * Input: a byte with the way, then the stream (without a checksum), or a type and a value. */
#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "keyspace/keyspace.h"
#include "persist/rdb_format.h"
#include "persist/rdb_load.h"
#include "persist/rdb_value.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static const struct keyspace_config keyspace_config = {.databases = 2};
static const struct set_limits set_limits = {
    .intset_entries = 8, .listpack_entries = 8, .listpack_value = 16};
static const struct hash_limits hash_limits = {.entries = 16, .value = 32};
static const int32_t list_block_size = 8, list_compress_depth = 1;
static const struct zset_limits zset_limits = {.entries = 8, .value_bytes = 16};
static const struct rdb_limits limits = {.set = &set_limits,
                                         .zset = &zset_limits,
                                         .hash = &hash_limits,
                                         .list_block_size = &list_block_size,
                                         .list_compress_depth = &list_compress_depth};

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    static const struct hash_key key = {{1, 2, 3, 4}};
    (void)argc;
    (void)argv;
    clock_init();
    hash_init(&key);
    log_set_level(LOG_NOTHING);
    return 0;
}

static void verify_hash(const struct entry *entry) {
    bool is_copy;
    struct hash *hash = keyspace_take_object(entry, &is_copy);
    hash_verify(hash);
    if (is_copy) hash_destroy(&hash);
}

static void verify_value(const struct entry *entry) {
    if (entry_type(entry) == TYPE_SET) set_verify(entry_object(entry), &set_limits);
    if (entry_type(entry) == TYPE_ZSET) zset_verify(entry_object(entry));
    if (entry_type(entry) == TYPE_LIST) list_verify(entry_object(entry));
    if (entry_type(entry) == TYPE_HASH) verify_hash(entry);
}

/* Written again, it is the same value. */
static bool goes_round(void *ctx, struct entry *entry) {
    struct rdb_out out;
    struct rdb_in in;
    struct rdb_value value;
    (void)ctx;
    verify_value(entry);
    rdb_out_init(&out, NULL, true, true);
    rdb_dump(&out, entry);
    enum rdb_dump_status status = rdb_undump(&in, buf_bytes(&out.bytes), 0, &limits, &value);
    check(status == RDB_DUMP_GOOD);
    check(value.type == entry_type(entry));
    rdb_value_deinit(&value);
    rdb_in_deinit(&in);
    rdb_out_deinit(&out);
    return true;
}

static void check_keyspace(struct keyspace *ks) {
    keyspace_verify(ks);
    for (int32_t i = 0; i < keyspace_db_count(ks); i++)
        keyspace_each(keyspace_db(ks, i), goes_round, NULL);
}

struct feed {
    struct bytes bytes;
    size_t piece;
};

static enum err read_feed(void *ctx, char *out, size_t cap, size_t *size, struct diag *diag) {
    struct feed *feed = ctx;
    (void)diag;
    *size = size_min(feed->piece, size_min(cap, feed->bytes.size));
    if (*size) memcpy(out, feed->bytes.data, *size);
    feed->bytes = bytes_from(feed->bytes, *size);
    return ERR_NONE;
}

static void load_stream(struct keyspace *ks, struct bytes bytes, uint8_t way) {
    struct feed feed = {bytes, way & 4 ? 13 : 4096};
    const struct rdb_source source = {
        .ctx = &feed, .read = read_feed, .size = way & 8 ? bytes.size : RDB_IN_UNKNOWN};
    const struct rdb_load_options options = {
        .is_relaxed = way & 16, .keeps_expired = way & 32, .merges = way & 64, .limits = &limits};
    struct rdb_load *load = rdb_load_create(ks, &source, &options);
    enum rdb_load_result result;
    struct diag diag;
    do {
        result = rdb_load_step(load, 100, 1000000);
    } while (result == RDB_LOAD_MORE);
    if (result == RDB_LOAD_FAILED) check(rdb_load_error(load, &diag) != ERR_NONE);
    rdb_load_destroy(&load);
}

static void load_one(struct keyspace *ks, struct bytes bytes) {
    struct rdb_in in;
    struct rdb_value value;
    uint8_t type;
    rdb_in_init_bytes(&in, bytes);
    if (rdb_get_byte(&in, &type) && rdb_load_value(&in, type, &limits, &value)) {
        uint64_t hash = hash_bytes(BYTES("k"));
        if (!value.is_empty) (void)rdb_value_add(keyspace_db(ks, 0), BYTES("k"), hash, &value, -1);
    } else {
        check(in.err != ERR_NONE && in.diag.text[0]);
    }
    rdb_in_deinit(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    struct keyspace *ks = keyspace_create(&keyspace_config, 1);
    keyspace_set_now(ks, 1700000000000);
    struct bytes bytes = bytes_make(data + 1, size - 1);
    if (data[0] & 1) {
        load_stream(ks, bytes, data[0]);
    } else {
        load_one(ks, bytes);
    }
    check_keyspace(ks);
    keyspace_destroy(&ks);
    return 0;
}
