/* SPDX-License-Identifier: BSD-3-Clause */
#include "persist/rdb_save.h"

#include "base/mem.h"
#include "persist/rdb_format.h"
#include "persist/rdb_value.h"

#include <stdio.h>
#include <unistd.h>

enum {
    PROGRESS_KEYS = 1024, /* between two reports */
    DELAY_US_MAX = 1000000,
};

struct saver {
    struct rdb_out *out;
    const struct keyspace *ks;
    const struct rdb_save_options *options;
    uint64_t keys;
    bool with_idle, with_frequency;
    bool given_up;
};

static void put_aux(struct rdb_out *out, const char *name, struct bytes value) {
    rdb_put_byte(out, RDB_AUX);
    rdb_put_string(out, bytes_of(name));
    rdb_put_string(out, value);
}

static void put_aux_integer(struct rdb_out *out, const char *name, int64_t value) {
    rdb_put_byte(out, RDB_AUX);
    rdb_put_string(out, bytes_of(name));
    rdb_put_integer(out, value);
}

static void put_header(struct rdb_out *out, const struct rdb_save_options *options) {
    char magic[RDB_MAGIC_SIZE + 1];
    int size = snprintf(magic, sizeof(magic), "VALKEY%03d", RDB_VERSION);
    rdb_put(out, bytes_make(magic, (size_t)size));
    put_aux(out, "valkey-ver", bytes_of(options->server_version));
    put_aux_integer(out, "redis-bits", (int64_t)sizeof(void *) * 8);
    put_aux_integer(out, "ctime", options->now_s);
    put_aux_integer(out, "used-mem", (int64_t)mem_in_use());
    put_aux_integer(out, "aof-base", 0);
}

/* For tests: what a large data set would take. */
static void delay(const struct saver *saver) {
    int32_t us = saver->options->key_delay_us;
    if (us > 0) (void)usleep((useconds_t)i64_min(us, DELAY_US_MAX));
    if (us < 0 && saver->keys % (uint64_t)(-(int64_t)us) == 0) (void)usleep(1);
}

/* What is known of a key beside its value. */
static void put_key_facts(const struct saver *saver, const struct entry *entry) {
    struct rdb_out *out = saver->out;
    if (entry_expires(entry)) {
        rdb_put_byte(out, RDB_EXPIRETIME_MS);
        rdb_put_u64(out, (uint64_t)entry_expiry_ms(entry));
    }
    if (saver->with_idle) {
        rdb_put_byte(out, RDB_IDLE);
        rdb_put_length(out, entry_idle_seconds(saver->ks, entry));
    }
    if (saver->with_frequency) {
        rdb_put_byte(out, RDB_FREQ);
        rdb_put_byte(out, entry_lfu_counter(saver->ks, entry));
    }
}

static bool save_key(void *ctx, struct entry *entry) {
    struct saver *saver = ctx;
    const struct rdb_save_options *options = saver->options;
    struct rdb_out *out = saver->out;
    put_key_facts(saver, entry);
    rdb_put_byte(out, rdb_type_of(entry));
    rdb_put_string(out, entry_key(entry));
    rdb_save_value(out, entry);
    saver->keys++;
    if (options->key_delay_us) delay(saver);
    if (options->progress && (saver->keys % PROGRESS_KEYS == 0 || options->key_delay_us)) {
        saver->given_up = !options->progress(options->ctx, saver->keys);
    }
    return out->err == ERR_NONE && !saver->given_up;
}

static void save_db(struct saver *saver, struct db *db) {
    struct rdb_out *out = saver->out;
    if (db_key_count(db) == 0) return;
    rdb_put_byte(out, RDB_SELECTDB);
    rdb_put_length(out, (uint64_t)db_index(db));
    rdb_put_byte(out, RDB_RESIZEDB);
    rdb_put_length(out, db_key_count(db));
    rdb_put_length(out, db_expire_count(db));
    keyspace_each(db, save_key, saver);
}

static bool is_one_of(uint8_t policy, enum evict_policy a, enum evict_policy b) {
    return policy == a || policy == b;
}

void rdb_save(struct rdb_out *out, struct keyspace *ks, const struct rdb_save_options *options) {
    uint8_t policy = keyspace_config_of(ks)->policy;
    struct saver saver = {
        .out = out,
        .ks = ks,
        .options = options,
        .with_idle = is_one_of(policy, EVICT_VOLATILE_LRU, EVICT_ALLKEYS_LRU),
        .with_frequency = is_one_of(policy, EVICT_VOLATILE_LFU, EVICT_ALLKEYS_LFU),
    };
    put_header(out, options);
    for (int32_t i = 0; i < keyspace_db_count(ks) && !saver.given_up; i++)
        save_db(&saver, keyspace_db(ks, i));
    rdb_put_byte(out, RDB_EOF);
    rdb_put_u64(out, out->checksum ? rdb_out_crc(out) : 0);
    rdb_out_flush(out);
    if (options->progress && !saver.given_up) {
        saver.given_up = !options->progress(options->ctx, saver.keys);
    }
    if (saver.given_up && out->err == ERR_NONE) {
        out->err = diag_set(&out->diag, ERR_CLOSED, "Given up");
    }
}
