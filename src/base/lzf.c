/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/lzf.h"

#include "base/mem.h"

enum {
    LITERAL_MAX = 32,
    SHORT_MAX = 8, /* longest repetition of the form with two bytes */
    LENGTH_MAX = 264,
    OFFSET_MAX = 8192,
    MATCH_MIN = 3,
    TAIL = 2, /* bytes at the end that are never part of a repetition, as others write it */
    BITS_MIN = 8,
    BITS_MAX = 14,
};

void lzf_deinit(struct lzf *lzf) {
    mem_free(lzf->slots);
    *lzf = (struct lzf){0};
}

/* A table for an input of that size, in which nothing is found. */
static void prepare(struct lzf *lzf, size_t size) {
    unsigned bits = BITS_MIN;
    while (bits < BITS_MAX && (size_t)1 << bits < size)
        bits++;
    bool fits = lzf->bits >= bits && size < UINT32_MAX - lzf->base;
    if (fits) return;
    mem_free(lzf->slots);
    lzf->slots = mem_zalloc(sizeof(*lzf->slots) << bits);
    lzf->bits = bits;
    lzf->base = 0;
}

static uint32_t three_bytes(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

/* Remembers that the three bytes at `at` begin there; returns where they did before, 0: nowhere. */
static size_t remember(const struct lzf *lzf, uint32_t base, const uint8_t *in, size_t at) {
    uint32_t *slot = &lzf->slots[three_bytes(in + at) * 2654435761u >> (32 - lzf->bits)];
    size_t before = *slot > base ? *slot - base : 0;
    *slot = base + (uint32_t)at;
    return before;
}

struct output {
    uint8_t *at, *end;
};

static bool put_literals(struct output *out, const uint8_t *data, size_t size) {
    size_t needed = size + (size + LITERAL_MAX - 1) / LITERAL_MAX;
    if ((size_t)(out->end - out->at) < needed) return false;
    while (size > 0) {
        size_t run = size_min(size, LITERAL_MAX);
        *out->at++ = (uint8_t)(run - 1);
        memcpy(out->at, data, run);
        out->at += run;
        data += run;
        size -= run;
    }
    return true;
}

static bool put_repetition(struct output *out, size_t distance, size_t length) {
    if (out->end - out->at < 3) return false;
    size_t offset = distance - 1;
    if (length <= SHORT_MAX) {
        *out->at++ = (uint8_t)((length - 2) << 5 | offset >> 8);
    } else {
        *out->at++ = (uint8_t)(7 << 5 | offset >> 8);
        *out->at++ = (uint8_t)(length - 9);
    }
    *out->at++ = (uint8_t)offset;
    return true;
}

static size_t common_size(const uint8_t *a, const uint8_t *b, size_t max) {
    size_t size = 0;
    while (size < max && a[size] == b[size])
        size++;
    return size;
}

size_t lzf_compress(struct lzf *lzf, struct bytes bytes, char *to, size_t cap) {
    const uint8_t *in = (const uint8_t *)bytes.data;
    struct output out = {(uint8_t *)to, (uint8_t *)to + cap};
    size_t size = bytes.size, literals_from = 0, at = 0;
    if (size <= MATCH_MIN + TAIL || size >= UINT32_MAX) return 0;

    prepare(lzf, size);
    uint32_t base = lzf->base;
    lzf->base += (uint32_t)size;
    while (at + MATCH_MIN + TAIL <= size) {
        size_t before = remember(lzf, base, in, at);
        size_t length = 0;
        if (before > 0 && at - before <= OFFSET_MAX) {
            length = common_size(in + before, in + at, size_min(size - TAIL - at, LENGTH_MAX));
        }
        if (length < MATCH_MIN) {
            at++;
            continue;
        }
        if (!put_literals(&out, in + literals_from, at - literals_from)) return 0;
        if (!put_repetition(&out, at - before, length)) return 0;
        at += length;
        literals_from = at;
        (void)remember(lzf, base, in,
                       at - 1); /* at most up to the last byte but one: three are there */
    }
    if (!put_literals(&out, in + literals_from, size - literals_from)) return 0;
    return (size_t)(out.at - (uint8_t *)to);
}

bool lzf_decompress(struct bytes bytes, char *to, size_t size) {
    const uint8_t *in = (const uint8_t *)bytes.data, *in_end = in + bytes.size;
    uint8_t *begin = (uint8_t *)to, *out = begin, *out_end = begin + size;
    while (in < in_end) {
        size_t control = *in++;
        if (control < LITERAL_MAX) {
            size_t run = control + 1;
            if ((size_t)(in_end - in) < run || (size_t)(out_end - out) < run) return false;
            memcpy(out, in, run);
            out += run;
            in += run;
            continue;
        }
        size_t length = (control >> 5) + 2;
        if (length == 9 && in < in_end) length += *in++;
        if (in == in_end) return false;
        size_t distance = ((control & 31) << 8 | *in++) + 1;
        if ((size_t)(out - begin) < distance || (size_t)(out_end - out) < length) return false;
        for (const uint8_t *from = out - distance; length > 0; length--)
            *out++ = *from++; /* the two may overlap, and then the bytes repeat */
    }
    return out == out_end;
}
