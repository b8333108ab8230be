/* SPDX-License-Identifier: BSD-3-Clause */
/* rdb_in -- reads the elements of the RDB format: numbers, lengths, strings.
 *
 * The bytes are all in memory (a DUMP payload), or come from a source through a buffer. They may be
 * anything: nothing is allocated that the bytes do not justify. The first error stays: err says
 * what, diag why, and everything after it fails too. Not thread-safe: one owner at a time. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "base/num.h"

enum { RDB_IN_BUFFER = 64 * 1024 };
#define RDB_IN_UNKNOWN UINT64_MAX
#define RDB_NAME_MAX UINT32_MAX

struct rdb_source {
    void *ctx;
    /* Up to cap bytes, 0: the end. On failure diag says why. */
    enum err (*read)(void *ctx, char *out, size_t cap, size_t *size, struct diag *diag);
    uint64_t size; /* bytes there are in all, RDB_IN_UNKNOWN if that is not known */
};

struct rdb_in {
    const char *at, *end; /* what can be read at once */
    const char *summed;   /* up to here they are in crc */
    uint64_t past;        /* bytes before those in the buffer */
    const char *begin;    /* of the bytes that can be read at once */
    char *buffer;         /* NULL: at .. end is all there is */
    struct rdb_source source;
    uint64_t left; /* bytes that the source still has, or RDB_IN_UNKNOWN */
    bool checksum; /* counts the bytes into crc */
    uint64_t crc;
    char *text; /* what was put together or unpacked: the last string; owned */
    size_t text_cap;
    char digits[NUM_I64_TEXT_MAX];
    uint64_t packed; /* values in one piece so far, each of which is checked whole */
    enum err err;
    struct diag diag;
};

/* Reads these bytes, which must outlive it. */
void rdb_in_init_bytes(struct rdb_in *in, struct bytes bytes);
void rdb_in_init(struct rdb_in *in, const struct rdb_source *source);
void rdb_in_deinit(struct rdb_in *in);

uint64_t rdb_in_position(const struct rdb_in *in); /* bytes read so far */
/* At most so many bytes follow: what a count of elements is held to. */
uint64_t rdb_in_left(const struct rdb_in *in);
bool rdb_in_is_empty(const struct rdb_in *in); /* all bytes in memory have been read */
uint64_t rdb_in_crc(struct rdb_in *in);        /* of all bytes read so far */
/* Sets the error unless there is one. */
void rdb_in_report(struct rdb_in *in, enum err err, const char *fmt, ...) printf_like(3, 4);
/* The same as a value, so that a reader can `return rdb_in_fail(...)`; a macro, so that the
 * compiler knows the value. */
#define rdb_in_fail(in, err, ...) (rdb_in_report((in), (err), __VA_ARGS__), false)
/* ERR_SYNTAX: the bytes are not what the format says. */
#define rdb_in_bad(in, ...) rdb_in_fail(in, ERR_SYNTAX, __VA_ARGS__)

must_use bool rdb_get_byte(struct rdb_in *in, uint8_t *out);
must_use bool rdb_get_u32(struct rdb_in *in, uint32_t *out); /* little endian */
must_use bool rdb_get_u64(struct rdb_in *in, uint64_t *out);
must_use bool rdb_get_double(struct rdb_in *in, double *out);
must_use bool rdb_get_length(struct rdb_in *in, uint64_t *out);
/* The same, of elements that take at least min_bytes each: no more than can follow. */
must_use bool rdb_get_count(struct rdb_in *in, size_t min_bytes, uint64_t *out);
/* So many bytes, borrowed until the next call. */
must_use bool rdb_get_bytes(struct rdb_in *in, size_t size, struct bytes *out);
/* A string's bytes, borrowed until the next call. */
must_use bool rdb_get_string(struct rdb_in *in, struct bytes *out);
/* The same of a key or a field's name, whose size has 32 bits where it is kept. */
must_use bool rdb_get_name(struct rdb_in *in, struct bytes *out);

/* A string of any size in the form that suits it. */
struct rdb_string {
    struct bytes bytes; /* borrowed until the next call; of blob: the blob's */
    struct blob *blob;  /* not NULL: a long string, the caller's reference */
    bool is_integer;    /* then only this counts */
    int64_t integer;
};
/* Longer strings than blob_min come in a blob. */
must_use bool rdb_get_value(struct rdb_in *in, size_t blob_min, struct rdb_string *out);
