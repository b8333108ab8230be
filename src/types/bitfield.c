/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/bitfield.h"

#include "base/check.h"
#include "base/num.h"

enum { FIELD_BYTES_MAX = 9 }; /* 64 bits that begin inside a byte */

bool bitfield_parse_type(struct bytes text, struct bitfield_type *out) {
    int64_t bits;
    if (text.size < 2) return false;
    bool is_signed = text.data[0] == 'i';
    if (!is_signed && text.data[0] != 'u') return false;
    if (!num_parse_i64(bytes_from(text, 1), &bits)) return false;
    int64_t max = is_signed ? BITFIELD_SIGNED_BITS_MAX : BITFIELD_UNSIGNED_BITS_MAX;
    if (bits < 1 || bits > max) return false;
    *out = (struct bitfield_type){.bits = (uint8_t)bits, .is_signed = is_signed};
    return true;
}

static uint64_t mask_of(struct bitfield_type type) { return UINT64_MAX >> (64 - type.bits); }

static int64_t max_of(struct bitfield_type type) {
    return (int64_t)(mask_of(type) >> (type.is_signed ? 1 : 0));
}
static int64_t min_of(struct bitfield_type type) { return type.is_signed ? -max_of(type) - 1 : 0; }

/* The value that these low bits stand for. */
static int64_t value_of(struct bitfield_type type, uint64_t raw) {
    raw &= mask_of(type);
    if (type.is_signed && raw > (uint64_t)max_of(type)) raw |= ~mask_of(type);
    return (int64_t)raw;
}

int64_t bitfield_get(struct bytes bitmap, uint64_t offset, struct bitfield_type type) {
    uint64_t byte = offset >> 3;
    unsigned skip = offset & 7, end = skip + type.bits;
    unsigned char bytes[FIELD_BYTES_MAX] = {0};
    if (byte < bitmap.size) {
        memcpy(bytes, bitmap.data + byte, size_min(bitmap.size - (size_t)byte, sizeof(bytes)));
    }
    uint64_t raw = 0;
    for (unsigned i = 0; i < 8; i++)
        raw = raw << 8 | bytes[i];
    raw <<= skip; /* the field begins at the highest bit, and may go on in the ninth byte */
    if (end > 64) raw |= (uint64_t)bytes[8] >> (8 - skip);
    return value_of(type, raw >> (64 - type.bits));
}

void bitfield_set(char *data, uint64_t offset, struct bitfield_type type, int64_t value) {
    unsigned char *at = (unsigned char *)data + (offset >> 3);
    unsigned skip = offset & 7;
    unsigned left = type.bits; /* bits of value that are not written yet, the highest first */
    while (left) {
        unsigned room = 8 - skip;
        unsigned take = left < room ? left : room;
        unsigned shift = room - take;
        unsigned mask = (0xffu >> (8 - take)) << shift;
        unsigned bits = (unsigned)((uint64_t)value >> (left - take) << shift) & mask;
        *at = (unsigned char)((*at & ~mask) | bits);
        at++;
        left -= take;
        skip = 0;
    }
}

/* What overflow makes of a result that is too large (or too small), whose low bits are raw. */
static bool settle(struct bitfield_type type, enum bitfield_overflow overflow, bool too_large,
                   uint64_t raw, int64_t *out) {
    switch (overflow) {
    case BITFIELD_WRAP: *out = value_of(type, raw); return true;
    case BITFIELD_SAT: *out = too_large ? max_of(type) : min_of(type); return true;
    case BITFIELD_FAIL: return false;
    }
    panic("bitfield: no such overflow");
}

bool bitfield_fit(struct bitfield_type type, enum bitfield_overflow overflow, int64_t value,
                  int64_t *out) {
    bool too_large = value > max_of(type) || (!type.is_signed && value < 0);
    if (too_large || value < min_of(type)) {
        return settle(type, overflow, too_large, (uint64_t)value, out);
    }
    *out = value;
    return true;
}

bool bitfield_add(struct bitfield_type type, enum bitfield_overflow overflow, int64_t value,
                  int64_t increment, int64_t *out) {
    uint64_t raw = (uint64_t)value + (uint64_t)increment;
    int64_t sum;
    if (!num_add_i64(value, increment, &sum)) {
        return settle(type, overflow, increment > 0, raw, out);
    }
    if (sum > max_of(type)) return settle(type, overflow, true, raw, out);
    if (sum < min_of(type)) return settle(type, overflow, false, raw, out);
    *out = sum;
    return true;
}
