/* SPDX-License-Identifier: BSD-3-Clause */
/* rdb_types -- the readers and writers of each type, which rdb_value.c lists. A reader fills
 * out->object, or sets out->is_empty; on failure it leaves out owning nothing. */
#pragma once

#include "keyspace/entry.h"
#include "persist/rdb_value.h"

/* For how many elements room is made at once, when so many are said to come. */
static inline size_t rdb__room_for(uint64_t count) {
    enum { ROOM_MAX = 1 << 16 };
    return (size_t)(count < ROOM_MAX ? count : ROOM_MAX);
}

/* ---- rdb_set.c ---- */
uint8_t rdb__set_type(const struct entry *entry);
void rdb__save_set(struct rdb_out *out, const struct entry *entry);
bool rdb__load_set(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out);
bool rdb__load_set_intset(struct rdb_in *in, const struct rdb_limits *limits,
                          struct rdb_value *out);
bool rdb__load_set_listpack(struct rdb_in *in, const struct rdb_limits *limits,
                            struct rdb_value *out);

/* ---- rdb_zset.c ---- */
uint8_t rdb__zset_type(const struct entry *entry);
void rdb__save_zset(struct rdb_out *out, const struct entry *entry);
bool rdb__load_zset(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out);
bool rdb__load_zset_2(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out);
bool rdb__load_zset_ziplist(struct rdb_in *in, const struct rdb_limits *limits,
                            struct rdb_value *out);
bool rdb__load_zset_listpack(struct rdb_in *in, const struct rdb_limits *limits,
                             struct rdb_value *out);

/* ---- rdb_list.c ---- */
uint8_t rdb__list_type(const struct entry *entry);
void rdb__save_list(struct rdb_out *out, const struct entry *entry);
bool rdb__load_list(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out);
bool rdb__load_list_ziplist(struct rdb_in *in, const struct rdb_limits *limits,
                            struct rdb_value *out);
bool rdb__load_list_quicklist(struct rdb_in *in, const struct rdb_limits *limits,
                              struct rdb_value *out);
bool rdb__load_list_quicklist_2(struct rdb_in *in, const struct rdb_limits *limits,
                                struct rdb_value *out);

/* ---- rdb_hash.c ---- */
uint8_t rdb__hash_type(const struct entry *entry);
void rdb__save_hash(struct rdb_out *out, const struct entry *entry);
bool rdb__load_hash(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out);
bool rdb__load_hash_2(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out);
bool rdb__load_hash_zipmap(struct rdb_in *in, const struct rdb_limits *limits,
                           struct rdb_value *out);
bool rdb__load_hash_ziplist(struct rdb_in *in, const struct rdb_limits *limits,
                            struct rdb_value *out);
bool rdb__load_hash_listpack(struct rdb_in *in, const struct rdb_limits *limits,
                             struct rdb_value *out);
