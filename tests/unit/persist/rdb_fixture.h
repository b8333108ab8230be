/* SPDX-License-Identifier: BSD-3-Clause */
/* rdb_fixture -- sources that give bytes in pieces, and keyspaces that can be compared. */
#pragma once

#include "persist/rdb_in.h"
#include "persist/rdb_out.h"
#include "persist/rdb_value.h"
#include "tests/unit/keyspace/keyspace_fixture.h"
#include "types/hash.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"

static const struct set_limits set_limits = {
    .intset_entries = 64, .listpack_entries = 16, .listpack_value = 32};
static const struct hash_limits hash_limits = {.entries = 16, .value = 32};
static const int32_t list_block_size = 8, list_compress_depth = 1;
static const struct zset_limits zset_limits = {.entries = 16, .value_bytes = 32};
static const struct rdb_limits fixture_limits = {.set = &set_limits,
                                                 .zset = &zset_limits,
                                                 .hash = &hash_limits,
                                                 .list_block_size = &list_block_size,
                                                 .list_compress_depth = &list_compress_depth};

/* A source of bytes in memory, as a file or a socket would give them: in pieces of any size. */
struct feeder {
    struct bytes bytes;
    struct rng *rng;
    size_t piece_max;
};

static inline enum err feeder_read(void *ctx, char *out, size_t cap, size_t *size,
                                   struct diag *diag) {
    struct feeder *feeder = ctx;
    (void)diag;
    size_t piece = 1 + rng_below(feeder->rng, feeder->piece_max);
    piece = size_min(piece, size_min(cap, feeder->bytes.size));
    if (piece) memcpy(out, feeder->bytes.data, piece);
    feeder->bytes = bytes_from(feeder->bytes, piece);
    *size = piece;
    return ERR_NONE;
}

static inline struct rdb_source feeder_source(struct feeder *feeder, bool size_is_known) {
    return (struct rdb_source){.ctx = feeder,
                               .read = feeder_read,
                               .size = size_is_known ? feeder->bytes.size : RDB_IN_UNKNOWN};
}

/* Random bytes: short or long, an integer, or something that can be compressed. Into buf. */
static inline struct bytes random_text(struct rng *rng, struct buf *buf, size_t max) {
    static const int64_t edges[] = {INT8_MIN,  INT8_MAX,  INT16_MIN, INT16_MAX,
                                    INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX};
    buf_clear(buf);
    size_t size = rng_below(rng, rng_below(rng, 4) ? size_min(max, 64) : max);
    switch (rng_below(rng, 5)) {
    case 0: buf_add_i64(buf, (int64_t)(rng_next(rng) >> rng_below(rng, 64))); break;
    case 1:
        buf_add_i64(buf, edges[rng_below(rng, COUNT_OF(edges))] / (1 + (int64_t)rng_below(rng, 2)));
        break;
    case 2:
        while (buf->size < size)
            buf_addf(buf, "%c%d", (char)('a' + rng_below(rng, 4)), (int)rng_below(rng, 3));
        break;
    default:
        while (buf->size < size)
            buf_add_char(buf, (char)rng_next(rng));
    }
    return buf_bytes(buf);
}
