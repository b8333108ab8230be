/* SPDX-License-Identifier: BSD-3-Clause */
/* rdb_out -- writes the elements of the RDB format: numbers, lengths, strings.
 *
 * The bytes are collected; with a sink (a file, a replica) they are handed on whenever there are
 * RDB_OUT_FLUSH of them, without one they stay. The first error stays too: what is written after it
 * is dropped, and the caller looks once, at the end. Any thread or process, one at a time. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/lzf.h"

enum { RDB_OUT_FLUSH = 64 * 1024 };

struct rdb_sink {
    void *ctx;
    /* Takes all of the bytes, or says why not. */
    enum err (*write)(void *ctx, struct bytes bytes, struct diag *diag);
};

struct rdb_out {
    struct buf bytes;     /* not handed on yet; without a sink: all */
    struct rdb_sink sink; /* write NULL: none */
    bool compress;        /* option rdbcompression */
    bool checksum;        /* counts the bytes into crc; constant from the first byte on */
    uint64_t crc;         /* of the bytes handed on, and of summed others */
    size_t summed;
    uint64_t handed_on; /* bytes */
    enum err err;
    struct diag diag; /* of err */
    struct lzf lzf;
};

/* sink NULL: the bytes stay. */
void rdb_out_init(struct rdb_out *out, const struct rdb_sink *sink, bool compress, bool checksum);
void rdb_out_deinit(struct rdb_out *out);
/* Hands on what is there. */
void rdb_out_flush(struct rdb_out *out);
uint64_t rdb_out_size(const struct rdb_out *out); /* bytes written so far */
uint64_t rdb_out_crc(struct rdb_out *out);        /* of all bytes so far */

void rdb_put(struct rdb_out *out, struct bytes bytes); /* as they are */
void rdb_put_byte(struct rdb_out *out, uint8_t byte);
void rdb_put_u64(struct rdb_out *out, uint64_t value);  /* 8 bytes, little endian */
void rdb_put_double(struct rdb_out *out, double value); /* the same, IEEE 754 */
void rdb_put_length(struct rdb_out *out, uint64_t length);
/* As an integer if it is one of 32 bits, else compressed if that pays, else as it is. */
void rdb_put_string(struct rdb_out *out, struct bytes text);
void rdb_put_integer(struct rdb_out *out, int64_t value); /* a string of digits */
