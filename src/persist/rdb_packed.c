/* SPDX-License-Identifier: BSD-3-Clause */
/* Packed forms of old servers, all in one allocation:
 *
 *   ziplist   offset size                       zipmap   offset size
 *             0      4   bytes, LE                       0      1   fields; 254, 255: to be counted
 *             4      4   offset of the last one          1      ..  fields
 *             8      2   entries; 65535: count           end-1  1   0xff
 *             10     ..  entries
 *             end-1  1   0xff
 *
 *   entry     size of the one before (1 byte, or 254 and 4 bytes LE), encoding, data
 *     00pppppp          string of 6 bits of size     11000000 (c0)  integer of 16 bits, LE
 *     01pppppp 1 byte   of 14 bits, high ones first  11010000 (d0)  of 32
 *     10000000 4 bytes  of 32 bits, big endian       11100000 (e0)  of 64
 *     1111xxxx          0 to 12 for 0001 to 1101     11110000 (f0)  of 24; 11111110 (fe) of 8
 *   field     size (1 byte, or 254 and 4 bytes LE), name, size, 1 byte: unused ones, value, unused
 */
#include "persist/rdb_packed.h"

#include "base/mem.h"
#include "types/set.h"

enum {
    ZIPLIST_HEADER = 10,
    PACKED_END = 255,
    LONG_SIZE = 254, /* the size is in the four bytes behind */
    FEW = 32,        /* so many are compared with each other; more are put into a set */
};

/* ---- listpacks ---- */

static bool get_packed_bytes(struct rdb_in *in, struct bytes *out) {
    if (!rdb_get_string(in, out)) return false;
    in->packed++;
    return out->size <= LISTPACK_SIZE_MAX ? true : rdb_in_bad(in, "A packed value is too large");
}

struct listpack *rdb__get_listpack(struct rdb_in *in) {
    struct bytes bytes;
    if (!get_packed_bytes(in, &bytes)) return NULL;
    if (!listpack_validate(bytes.data, bytes.size, NULL, NULL)) {
        rdb_in_report(in, ERR_SYNTAX, "Listpack integrity check failed.");
        return NULL;
    }
    char *copy = mem_try_alloc(bytes.size);
    if (!copy) {
        rdb_in_report(in, ERR_NO_MEMORY, "No memory for %zu bytes", bytes.size);
        return NULL;
    }
    memcpy(copy, bytes.data, bytes.size);
    return (struct listpack *)copy;
}

/* ---- what is left of the bytes ---- */

struct rest {
    const uint8_t *at, *end;
};

static bool take(struct rest *rest, size_t size, const uint8_t **out) {
    if ((size_t)(rest->end - rest->at) < size) return false;
    *out = rest->at;
    rest->at += size;
    return true;
}

static uint64_t little_endian(const uint8_t *p, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)p[i] << (8 * i);
    return value;
}

/* True if adding these bytes keeps the listpack within its bounds. */
static bool append(struct listpack **lp, struct bytes text) {
    if (listpack_size(*lp) + listpack_cost(text) > LISTPACK_SIZE_MAX) return false;
    listpack_append(lp, text);
    return true;
}

static bool append_integer(struct listpack **lp, int64_t value) {
    if (listpack_size(*lp) + 16 > LISTPACK_SIZE_MAX) return false;
    listpack_append_int(lp, value);
    return true;
}

/* ---- ziplists ---- */

/* The size that the entry says the one before has. */
static bool take_size_before(struct rest *rest, size_t expected) {
    const uint8_t *p;
    if (!take(rest, 1, &p) || *p == PACKED_END) return false;
    if (*p < LONG_SIZE) return *p == expected;
    return take(rest, 4, &p) && little_endian(p, 4) == expected;
}

static bool append_string(struct rest *rest, size_t size, struct listpack **lp) {
    const uint8_t *p;
    return take(rest, size, &p) && append(lp, bytes_make(p, size));
}

static bool append_number(struct rest *rest, size_t size, struct listpack **lp) {
    const uint8_t *p;
    if (!take(rest, size, &p)) return false;
    unsigned unused_bits = 64 - 8 * (unsigned)size;
    return append_integer(lp, (int64_t)(little_endian(p, size) << unused_bits) >> unused_bits);
}

static bool append_ziplist_entry(struct rest *rest, struct listpack **lp) {
    const uint8_t *p;
    if (!take(rest, 1, &p)) return false;
    uint8_t first = *p;
    if (first >> 6 == 0) return append_string(rest, first & 63, lp);
    if (first >> 6 == 1) {
        if (!take(rest, 1, &p)) return false;
        return append_string(rest, (size_t)(first & 63) << 8 | *p, lp);
    }
    if (first == 0x80) {
        if (!take(rest, 4, &p)) return false;
        return append_string(
            rest, (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3], lp);
    }
    if (first == 0xc0) return append_number(rest, 2, lp);
    if (first == 0xd0) return append_number(rest, 4, lp);
    if (first == 0xe0) return append_number(rest, 8, lp);
    if (first == 0xf0) return append_number(rest, 3, lp);
    if (first == 0xfe) return append_number(rest, 1, lp);
    if (first > 0xf0 && first <= 0xfd) return append_integer(lp, (first & 15) - 1);
    return false;
}

static bool read_ziplist(struct bytes bytes, struct listpack **lp) {
    const uint8_t *data = (const uint8_t *)bytes.data;
    if (bytes.size < ZIPLIST_HEADER + 1 || little_endian(data, 4) != bytes.size) return false;
    if (data[bytes.size - 1] != PACKED_END) return false;
    struct rest rest = {data + ZIPLIST_HEADER, data + bytes.size - 1};
    size_t before = 0, count = 0;
    const uint8_t *last = rest.at;
    while (rest.at < rest.end) {
        last = rest.at;
        if (!take_size_before(&rest, before) || !append_ziplist_entry(&rest, lp)) return false;
        before = (size_t)(rest.at - last);
        count++;
    }
    uint64_t said = little_endian(data + 8, 2);
    if (said != UINT16_MAX && said != count) return false;
    return little_endian(data + 4, 4) == (size_t)(last - data);
}

/* ---- zipmaps ---- */

static bool take_zipmap_size(struct rest *rest, size_t *out) {
    const uint8_t *p;
    if (!take(rest, 1, &p) || *p == PACKED_END) return false;
    *out = *p;
    if (*p < LONG_SIZE) return true;
    if (!take(rest, 4, &p)) return false;
    *out = (size_t)little_endian(p, 4);
    return true;
}

static bool append_zipmap_field(struct rest *rest, struct listpack **lp) {
    size_t size;
    const uint8_t *unused;
    if (!take_zipmap_size(rest, &size) || !append_string(rest, size, lp)) return false;
    if (!take_zipmap_size(rest, &size) || !take(rest, 1, &unused)) return false;
    size_t unused_size = *unused;
    return append_string(rest, size, lp) && take(rest, unused_size, &unused);
}

static bool read_zipmap(struct bytes bytes, struct listpack **lp) {
    const uint8_t *data = (const uint8_t *)bytes.data;
    if (bytes.size < 2 || data[bytes.size - 1] != PACKED_END) return false;
    struct rest rest = {data + 1, data + bytes.size - 1};
    size_t count = 0;
    for (; rest.at < rest.end; count++)
        if (!append_zipmap_field(&rest, lp)) return false;
    return data[0] >= LONG_SIZE || data[0] == count;
}

/* ---- both ---- */

static struct listpack *convert(struct rdb_in *in, bool (*read)(struct bytes, struct listpack **),
                                const char *name) {
    struct bytes bytes;
    if (!get_packed_bytes(in, &bytes)) return NULL;
    struct listpack *lp = listpack_create(bytes.size);
    if (!read(bytes, &lp)) {
        rdb_in_report(in, ERR_SYNTAX, "%s integrity check failed.", name);
        listpack_destroy(&lp);
        return NULL;
    }
    listpack_shrink(&lp);
    return lp;
}

struct listpack *rdb__get_ziplist(struct rdb_in *in) {
    return convert(in, read_ziplist, "Ziplist");
}
struct listpack *rdb__get_zipmap(struct rdb_in *in) {
    return convert(in, read_zipmap, "Zipmap");
}

/* ---- checks ---- */

static size_t skip_to_next(const struct listpack *lp, size_t at, size_t step) {
    for (size_t i = 0; i < step && at != LISTPACK_END; i++)
        at = listpack_next(lp, at);
    return at;
}

static bool are_distinct_few(const struct listpack *lp, size_t step) {
    char scratch[NUM_I64_TEXT_MAX];
    for (size_t at = listpack_first(lp); at != LISTPACK_END;) {
        struct bytes text = listpack_get_bytes(lp, at, scratch);
        at = skip_to_next(lp, at, step);
        if (at == LISTPACK_END) break;
        if (listpack_find(lp, at, text, (unsigned)step - 1) != LISTPACK_END) return false;
    }
    return true;
}

static bool are_distinct_many(const struct listpack *lp, size_t step, size_t count) {
    const struct set_limits none = {0};
    struct set *seen = set_create_table(count);
    bool distinct = true;
    char scratch[NUM_I64_TEXT_MAX];
    for (size_t at = listpack_first(lp); distinct && at != LISTPACK_END;) {
        distinct = set_add(&seen, listpack_get_bytes(lp, at, scratch), &none);
        at = skip_to_next(lp, at, step);
    }
    set_destroy(seen);
    return distinct;
}

bool rdb__is_distinct(const struct listpack *lp, size_t step) {
    size_t count = listpack_count(lp) / step;
    return count <= FEW ? are_distinct_few(lp, step) : are_distinct_many(lp, step, count);
}
