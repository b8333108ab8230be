/* SPDX-License-Identifier: BSD-3-Clause */
#include "persist/rdb_in.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/lzf.h"
#include "base/mem.h"
#include "persist/rdb_format.h"
#include "sync/blob.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    PIECE = 1 << 20
}; /* a long string of a source of unknown size grows by so much, and twice */

/* ---- life ---- */

void rdb_in_init_bytes(struct rdb_in *in, struct bytes bytes) {
    const char *data = bytes.data ? bytes.data : "";
    *in = (struct rdb_in){.at = data, .end = data + bytes.size, .begin = data, .summed = data};
}

void rdb_in_init(struct rdb_in *in, const struct rdb_source *source) {
    char *buffer = mem_alloc(RDB_IN_BUFFER);
    *in = (struct rdb_in){.at = buffer, .end = buffer, .begin = buffer, .summed = buffer};
    in->buffer = buffer;
    in->source = *source;
    in->left = source->size;
}

void rdb_in_deinit(struct rdb_in *in) {
    mem_free(in->buffer);
    mem_free(in->text);
    in->buffer = in->text = NULL;
}

/* ---- state ---- */

uint64_t rdb_in_position(const struct rdb_in *in) {
    return in->past + (uint64_t)(in->at - in->begin);
}

uint64_t rdb_in_left(const struct rdb_in *in) {
    if (in->left == RDB_IN_UNKNOWN) return RDB_IN_UNKNOWN;
    return in->left + (uint64_t)(in->end - in->at);
}

bool rdb_in_is_empty(const struct rdb_in *in) { return in->at == in->end; }

static void add_to_crc(struct rdb_in *in) {
    if (in->checksum) {
        in->crc = hash_crc64(in->crc, bytes_make(in->summed, (size_t)(in->at - in->summed)));
    }
    in->summed = in->at;
}

uint64_t rdb_in_crc(struct rdb_in *in) {
    add_to_crc(in);
    return in->crc;
}

void rdb_in_report(struct rdb_in *in, enum err err, const char *fmt, ...) {
    if (in->err != ERR_NONE) return;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(in->diag.text, sizeof(in->diag.text), fmt, args);
    va_end(args);
    in->err = err;
}

static bool ended(struct rdb_in *in) {
    return rdb_in_fail(in, ERR_CLOSED, "Unexpected end of the data");
}

/* ---- bytes ---- */

static bool read_source(struct rdb_in *in, char *out, size_t cap, size_t *size) {
    if (!in->buffer) return ended(in);
    struct diag diag = {0};
    enum err err = in->source.read(in->source.ctx, out, cap, size, &diag);
    if (err != ERR_NONE) return rdb_in_fail(in, err, "%s", diag.text);
    if (*size == 0) return ended(in);
    check(*size <= cap);
    if (in->left != RDB_IN_UNKNOWN) in->left -= *size < in->left ? *size : in->left;
    return true;
}

/* Makes size bytes available at once; at most RDB_IN_BUFFER of a source. */
static bool need_slow(struct rdb_in *in, size_t size) {
    if (in->err != ERR_NONE) return false;
    if (!in->buffer) return ended(in);
    check(size <= RDB_IN_BUFFER);
    add_to_crc(in);
    size_t kept = (size_t)(in->end - in->at);
    in->past += (uint64_t)(in->at - in->begin);
    memmove(in->buffer, in->at, kept);
    in->at = in->begin = in->summed = in->buffer;
    in->end = in->buffer + kept;
    while ((size_t)(in->end - in->at) < size) {
        size_t got = 0, have = (size_t)(in->end - in->at);
        if (!read_source(in, in->buffer + have, RDB_IN_BUFFER - have, &got)) return false;
        in->end += got;
    }
    return true;
}

static inline bool need(struct rdb_in *in, size_t size) {
    if (likely((size_t)(in->end - in->at) >= size)) return in->err == ERR_NONE;
    return need_slow(in, size);
}

/* Copies size bytes, those behind the buffer straight from the source. */
static bool get_into(struct rdb_in *in, char *out, size_t size) {
    size_t here = size_min((size_t)(in->end - in->at), size);
    if (in->err != ERR_NONE) return false;
    if (here > 0) memcpy(out, in->at, here);
    in->at += here;
    while (size - here >= RDB_IN_BUFFER) {
        size_t got = 0;
        if (!read_source(in, out + here, size - here, &got)) return false;
        add_to_crc(in);
        if (in->checksum) in->crc = hash_crc64(in->crc, bytes_make(out + here, got));
        in->past += got;
        here += got;
    }
    if (here == size) return true;
    if (!need(in, size - here)) return false;
    memcpy(out + here, in->at, size - here);
    in->at += size - here;
    return true;
}

static bool no_memory(struct rdb_in *in, uint64_t size) {
    return rdb_in_fail(in, ERR_NO_MEMORY, "No memory for %llu bytes", (unsigned long long)size);
}

/* Room for the text; kept is how much of it must stay. */
static bool reserve_text(struct rdb_in *in, size_t size) {
    if (size <= in->text_cap) return true;
    char *text = mem_try_realloc(in->text, size);
    if (!text) return no_memory(in, size);
    in->text = text;
    in->text_cap = size;
    return true;
}

/* False if so many bytes cannot follow. */
static bool can_follow(struct rdb_in *in, uint64_t size) {
    return size <= rdb_in_left(in) && size <= SIZE_MAX / 2 ? true : ended(in);
}

bool rdb_get_bytes(struct rdb_in *in, size_t size, struct bytes *out) {
    if (!can_follow(in, size)) return false;
    bool at_once = !in->buffer || size <= RDB_IN_BUFFER;
    if (at_once) {
        if (!need(in, size)) return false;
        *out = bytes_make(in->at, size);
        in->at += size;
        return true;
    }
    /* Of known size: the file is as long. Otherwise memory follows the bytes that come. */
    size_t step = in->left == RDB_IN_UNKNOWN ? PIECE : size;
    for (size_t done = 0; done < size;) {
        size_t piece = size_min(size - done, size_max(step, done));
        if (!reserve_text(in, done + piece)) return false;
        if (!get_into(in, in->text + done, piece)) return false;
        done += piece;
    }
    *out = bytes_make(in->text, size);
    return true;
}

/* ---- numbers ---- */

bool rdb_get_byte(struct rdb_in *in, uint8_t *out) {
    if (!need(in, 1)) return false;
    *out = (uint8_t)*in->at++;
    return true;
}

static bool get_little_endian(struct rdb_in *in, size_t size, uint64_t *out) {
    if (!need(in, size)) return false;
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)(uint8_t)in->at[i] << (8 * i);
    in->at += size;
    *out = value;
    return true;
}

static bool get_big_endian(struct rdb_in *in, size_t size, uint64_t *out) {
    if (!need(in, size)) return false;
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | (uint8_t)in->at[i];
    in->at += size;
    *out = value;
    return true;
}

bool rdb_get_u32(struct rdb_in *in, uint32_t *out) {
    uint64_t value;
    if (!get_little_endian(in, 4, &value)) return false;
    *out = (uint32_t)value;
    return true;
}

bool rdb_get_u64(struct rdb_in *in, uint64_t *out) { return get_little_endian(in, 8, out); }

bool rdb_get_double(struct rdb_in *in, double *out) {
    uint64_t bits;
    if (!get_little_endian(in, 8, &bits)) return false;
    memcpy(out, &bits, sizeof(bits));
    return true;
}

/* A length, or the form of a string that is not its plain bytes. */
static bool get_length_or_form(struct rdb_in *in, uint64_t *out, bool *is_form) {
    uint8_t first, second;
    if (!rdb_get_byte(in, &first)) return false;
    *is_form = first >= RDB_STRING_FORM;
    if (*is_form || first < RDB_LENGTH_14) {
        *out = first & 0x3f;
        return true;
    }
    if (first < RDB_LENGTH_32) {
        if (!rdb_get_byte(in, &second)) return false;
        *out = (uint64_t)(first & 0x3f) << 8 | second;
        return true;
    }
    if (first == RDB_LENGTH_32) return get_big_endian(in, 4, out);
    if (first == RDB_LENGTH_64) return get_big_endian(in, 8, out);
    return rdb_in_bad(in, "Unknown length encoding %d", first);
}

bool rdb_get_length(struct rdb_in *in, uint64_t *out) {
    bool is_form;
    if (!get_length_or_form(in, out, &is_form)) return false;
    return is_form ? rdb_in_bad(in, "A length was expected, not an encoded string") : true;
}

bool rdb_get_count(struct rdb_in *in, size_t min_bytes, uint64_t *out) {
    if (!rdb_get_length(in, out)) return false;
    return *out <= rdb_in_left(in) / min_bytes ? true : ended(in);
}

/* ---- strings ---- */

static bool get_small_integer(struct rdb_in *in, uint64_t form, int64_t *out) {
    uint64_t value;
    size_t size = (size_t)1 << form;
    if (!get_little_endian(in, size, &value)) return false;
    unsigned unused_bits = 64 - 8 * (unsigned)size;
    *out = (int64_t)(value << unused_bits) >> unused_bits;
    return true;
}

static bool too_long(struct rdb_in *in, uint64_t size) {
    return rdb_in_bad(in, "A name cannot have %llu bytes", (unsigned long long)size);
}

/* A packed string's own size, which is max at most, and its packed bytes. */
static bool get_packed(struct rdb_in *in, uint64_t max, uint64_t *size, struct bytes *packed) {
    uint64_t packed_size;
    if (!rdb_get_length(in, &packed_size) || !rdb_get_length(in, size)) return false;
    if (!can_follow(in, packed_size)) return false;
    if (*size == 0 || *size / LZF_RATIO_MAX > packed_size) {
        return rdb_in_bad(in, "A compressed string cannot have the size it claims");
    }
    if (*size > max) return too_long(in, *size);
    return rdb_get_bytes(in, (size_t)packed_size, packed);
}

static bool unpack(struct rdb_in *in, struct bytes packed, char *out, size_t size) {
    return lzf_decompress(packed, out, size) ? true
                                             : rdb_in_bad(in, "Invalid LZF compressed string");
}

/* The packed bytes may be in the text themselves: a string of more than the buffer. */
static bool get_unpacked(struct rdb_in *in, uint64_t max, struct bytes *out) {
    uint64_t size;
    struct bytes packed;
    if (!get_packed(in, max, &size, &packed)) return false;
    char *apart = packed.data == in->text ? in->text : NULL;
    if (apart) {
        in->text = NULL;
        in->text_cap = 0;
    }
    bool good = reserve_text(in, (size_t)size) && unpack(in, packed, in->text, (size_t)size);
    mem_free(apart);
    *out = bytes_make(in->text, (size_t)size);
    return good;
}

/* A string in one of the special forms, but an integer. */
static bool check_form(struct rdb_in *in, uint64_t form) {
    return form == RDB_LZF ? true : rdb_in_bad(in, "Unknown string encoding %d", (int)form);
}

/* Of max bytes at most. */
static bool get_string(struct rdb_in *in, uint64_t max, struct bytes *out) {
    uint64_t size;
    bool is_form;
    if (!get_length_or_form(in, &size, &is_form)) return false;
    if (!is_form) {
        if (!can_follow(in, size)) return false;
        return size <= max ? rdb_get_bytes(in, (size_t)size, out) : too_long(in, size);
    }
    if (size <= RDB_INT32) {
        int64_t value;
        if (!get_small_integer(in, size, &value)) return false;
        *out = bytes_make(in->digits, num_format_i64(in->digits, value));
        return true;
    }
    return check_form(in, size) && get_unpacked(in, max, out);
}

bool rdb_get_string(struct rdb_in *in, struct bytes *out) {
    return get_string(in, UINT64_MAX, out);
}

bool rdb_get_name(struct rdb_in *in, struct bytes *out) {
    return get_string(in, RDB_NAME_MAX, out);
}

/* ---- strings of any size ---- */

static bool create_blob(struct rdb_in *in, size_t size, struct rdb_string *out) {
    out->blob = blob_try_create(size);
    if (!out->blob) return no_memory(in, size);
    out->bytes = blob_bytes(out->blob);
    return true;
}

static bool give_up_blob(struct rdb_string *out) {
    blob_release(out->blob);
    out->blob = NULL;
    return false;
}

static bool get_plain_value(struct rdb_in *in, uint64_t size, size_t blob_min,
                            struct rdb_string *out) {
    if (!can_follow(in, size)) return false;
    bool straight = size > blob_min && in->left != RDB_IN_UNKNOWN;
    if (!straight) return rdb_get_bytes(in, (size_t)size, &out->bytes);
    if (!create_blob(in, (size_t)size, out)) return false;
    return get_into(in, out->blob->data, (size_t)size) ? true : give_up_blob(out);
}

static bool get_packed_value(struct rdb_in *in, size_t blob_min, struct rdb_string *out) {
    uint64_t size;
    struct bytes packed;
    if (!get_packed(in, UINT64_MAX, &size, &packed)) return false;
    bool straight = size > blob_min || packed.data == in->text;
    if (!straight) {
        if (!reserve_text(in, (size_t)size)) return false;
        out->bytes = bytes_make(in->text, (size_t)size);
        return unpack(in, packed, in->text, (size_t)size);
    }
    if (!create_blob(in, (size_t)size, out)) return false;
    return unpack(in, packed, out->blob->data, (size_t)size) ? true : give_up_blob(out);
}

bool rdb_get_value(struct rdb_in *in, size_t blob_min, struct rdb_string *out) {
    uint64_t size;
    bool is_form;
    *out = (struct rdb_string){0};
    if (!get_length_or_form(in, &size, &is_form)) return false;
    if (!is_form) return get_plain_value(in, size, blob_min, out);
    if (size <= RDB_INT32) {
        out->is_integer = true;
        return get_small_integer(in, size, &out->integer);
    }
    return check_form(in, size) && get_packed_value(in, blob_min, out);
}
