/* SPDX-License-Identifier: BSD-3-Clause */
/* rdb_value -- values of each type to bytes and back: what snapshots, DUMP and RESTORE, and a full
 * synchronisation share.
 *
 * rdb_value.c has one row for each type of the format, and one for each type of the keyspace. Old
 * types become what today's server would have made of the same commands. */
#pragma once

#include "keyspace/entry.h"
#include "persist/rdb_in.h"
#include "persist/rdb_out.h"

struct db;
struct hash_limits;
struct set_limits;
struct zset_limits;

/* The type byte with which the value is written. */
uint8_t rdb_type_of(const struct entry *entry);
/* Writes the value, without the type byte. O(size). */
void rdb_save_value(struct rdb_out *out, const struct entry *entry);

/* Up to which sizes values keep their packed forms: what the options say. */
struct rdb_limits {
    const struct set_limits *set;
    const struct zset_limits *zset;
    const struct hash_limits *hash;
    const int32_t *list_block_size; /* see list_limits_of */
    const int32_t *list_compress_depth;
    bool keeps_expired; /* elements whose time is up are loaded too, and not seen */
};

struct rdb_value {            /* a value on its way into the keyspace */
    uint8_t type;             /* enum value_type */
    bool is_empty;            /* a collection without elements: there is nothing to add */
    struct rdb_string string; /* of TYPE_STRING; its bytes are borrowed until the next read */
    void *object;             /* of the others; owned */
};

/* Reads a value of this type; false: in->err and in->diag say why, and out owns nothing. */
must_use bool rdb_load_value(struct rdb_in *in, uint8_t rdb_type, const struct rdb_limits *limits,
                             struct rdb_value *out);
/* Frees a value that was not put into the keyspace. */
void rdb_value_deinit(struct rdb_value *value);

/* Puts the value under a key that is absent; it is the keyspace's from then on. at_ms < 0: no
 * expiry. Returns the entry. */
struct entry *rdb_value_add(struct db *db, struct bytes key, uint64_t hash, struct rdb_value *value,
                            int64_t at_ms);

/* ---- DUMP ---- */

/* Adds type, value, version and checksum. out must have been made without a sink, with a checksum.
 */
void rdb_dump(struct rdb_out *out, const struct entry *entry);
enum rdb_dump_status {
    RDB_DUMP_GOOD = 0,
    RDB_DUMP_WRONG_TAIL, /* version or checksum */
    RDB_DUMP_BAD_DATA,
};
enum rdb_undump_flag {
    RDB_UNDUMP_RELAXED = BIT(0),   /* newer versions are tried too */
    RDB_UNDUMP_UNCHECKED = BIT(1), /* whatever the checksum */
};
/* The value of a payload. in is made here and reads the payload; it must live until the value has
 * been added, since strings are borrowed from it. It is the caller's to deinit in any case, and its
 * diag says what is bad. flags: enum rdb_undump_flag. */
must_use enum rdb_dump_status rdb_undump(struct rdb_in *in, struct bytes payload, unsigned flags,
                                         const struct rdb_limits *limits, struct rdb_value *out);
/* True if this version of the format is read here. */
bool rdb_version_is_read(uint32_t version, bool is_relaxed);
