/* SPDX-License-Identifier: BSD-3-Clause */
#include "persist/rdb_out.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"
#include "persist/rdb_format.h"

enum {
    INTEGER_TEXT_MAX = 11, /* "-2147483648" */
    COMPRESS_MIN = 21,     /* bytes of a string worth a try */
    COMPRESS_GAIN = 4,     /* bytes that must be saved */
    DIRECT_MIN = 32 * 1024 /* larger strings go to the sink from where they are */
};

void rdb_out_init(struct rdb_out *out, const struct rdb_sink *sink, bool compress, bool checksum) {
    *out = (struct rdb_out){.compress = compress, .checksum = checksum};
    if (sink) out->sink = *sink;
}

void rdb_out_deinit(struct rdb_out *out) {
    buf_deinit(&out->bytes);
    lzf_deinit(&out->lzf);
}

static void add_to_crc(struct rdb_out *out) {
    if (!out->checksum) return;
    out->crc = hash_crc64(out->crc, bytes_from(buf_bytes(&out->bytes), out->summed));
    out->summed = out->bytes.size;
}

static void hand_on(struct rdb_out *out, struct bytes bytes) {
    if (out->err == ERR_NONE && bytes.size > 0) {
        out->err = out->sink.write(out->sink.ctx, bytes, &out->diag);
    }
    out->handed_on += bytes.size;
}

void rdb_out_flush(struct rdb_out *out) {
    if (!out->sink.write) return;
    add_to_crc(out);
    hand_on(out, buf_bytes(&out->bytes));
    buf_clear(&out->bytes);
    out->summed = 0;
}

uint64_t rdb_out_size(const struct rdb_out *out) { return out->handed_on + out->bytes.size; }

uint64_t rdb_out_crc(struct rdb_out *out) {
    check(out->checksum);
    add_to_crc(out);
    return out->crc;
}

void rdb_put(struct rdb_out *out, struct bytes bytes) {
    if (out->sink.write && bytes.size >= DIRECT_MIN) {
        rdb_out_flush(out);
        if (out->checksum) out->crc = hash_crc64(out->crc, bytes);
        hand_on(out, bytes);
        return;
    }
    buf_add(&out->bytes, bytes);
    if (out->bytes.size >= RDB_OUT_FLUSH) rdb_out_flush(out);
}

void rdb_put_byte(struct rdb_out *out, uint8_t byte) { rdb_put(out, bytes_make(&byte, 1)); }

/* The lowest bytes of value, the lowest first. */
static void put_little_endian(struct rdb_out *out, uint64_t value, size_t size) {
    uint8_t bytes[sizeof(value)];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    rdb_put(out, bytes_make(bytes, size));
}

static void put_big_endian(struct rdb_out *out, uint64_t value, size_t size) {
    uint8_t bytes[sizeof(value)];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    rdb_put(out, bytes_make(bytes, size));
}

void rdb_put_u64(struct rdb_out *out, uint64_t value) {
    put_little_endian(out, value, sizeof(value));
}

void rdb_put_double(struct rdb_out *out, double value) {
    uint64_t bits;
    static_assert(sizeof(bits) == sizeof(value), "the format has doubles of 64 bits");
    memcpy(&bits, &value, sizeof(bits));
    rdb_put_u64(out, bits);
}

void rdb_put_length(struct rdb_out *out, uint64_t length) {
    if (length < 1 << 6) {
        rdb_put_byte(out, (uint8_t)(RDB_LENGTH_6 | length));
    } else if (length < 1 << 14) {
        put_big_endian(out, (uint64_t)RDB_LENGTH_14 << 8 | length, 2);
    } else if (length <= UINT32_MAX) {
        rdb_put_byte(out, RDB_LENGTH_32);
        put_big_endian(out, length, 4);
    } else {
        rdb_put_byte(out, RDB_LENGTH_64);
        put_big_endian(out, length, 8);
    }
}

static void put_small_integer(struct rdb_out *out, int64_t value) {
    if (value >= INT8_MIN && value <= INT8_MAX) {
        rdb_put_byte(out, RDB_STRING_FORM | RDB_INT8);
        put_little_endian(out, (uint64_t)value, 1);
    } else if (value >= INT16_MIN && value <= INT16_MAX) {
        rdb_put_byte(out, RDB_STRING_FORM | RDB_INT16);
        put_little_endian(out, (uint64_t)value, 2);
    } else {
        rdb_put_byte(out, RDB_STRING_FORM | RDB_INT32);
        put_little_endian(out, (uint64_t)value, 4);
    }
}

static bool is_small_integer(int64_t value) { return value >= INT32_MIN && value <= INT32_MAX; }

/* False: it does not pay, or there is no memory to find out. */
static bool put_compressed(struct rdb_out *out, struct bytes text) {
    size_t cap = text.size - COMPRESS_GAIN;
    char *data = mem_try_alloc(cap);
    if (!data) return false;
    size_t size = lzf_compress(&out->lzf, text, data, cap);
    if (size > 0) {
        rdb_put_byte(out, RDB_STRING_FORM | RDB_LZF);
        rdb_put_length(out, size);
        rdb_put_length(out, text.size);
        rdb_put(out, bytes_make(data, size));
    }
    mem_free(data);
    return size > 0;
}

void rdb_put_string(struct rdb_out *out, struct bytes text) {
    int64_t value;
    if (text.size <= INTEGER_TEXT_MAX && num_parse_i64(text, &value) && is_small_integer(value)) {
        put_small_integer(out, value);
        return;
    }
    if (out->compress && text.size >= COMPRESS_MIN && put_compressed(out, text)) return;
    rdb_put_length(out, text.size);
    rdb_put(out, text);
}

void rdb_put_integer(struct rdb_out *out, int64_t value) {
    if (is_small_integer(value)) {
        put_small_integer(out, value);
        return;
    }
    char digits[NUM_I64_TEXT_MAX];
    struct bytes text = bytes_make(digits, num_format_i64(digits, value));
    rdb_put_length(out, text.size);
    rdb_put(out, text);
}
