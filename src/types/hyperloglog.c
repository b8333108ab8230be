/* SPDX-License-Identifier: BSD-3-Clause */
/* Estimate: Otmar Ertl, New Cardinality Estimation Algorithms for HyperLogLog Sketches (2017), the
 * improved raw estimator. Hash: Austin Appleby's MurmurHash64A; it is part of the format. The
 * sparse form and how it is edited are part of it too: equal additions give equal bytes. */
#include "types/hyperloglog.h"

#include "base/check.h"
#include "base/mem.h"

#include <math.h>

enum {
    INDEX_BITS = 14,
    RANK_BITS = 64 - INDEX_BITS,
    REGISTER_VALUES = 64, /* a register has 6 bits */
    ZERO_RUN_MAX = 64,
    VALUE_RUN_MAX = 4,
    VALUE_MAX = 32,
    RUN_SIZE_MAX = 2,
    MERGE_STEPS = 5, /* runs looked at after a change */
};
static const uint64_t HASH_SEED = 0xadc83b19;
static const double ALPHA = 0.721347520444481703680; /* 1 / (2 ln 2) */

/* ---- hash ---- */

static inline uint64_t load_le64(const char *data) {
    uint64_t word;
    memcpy(&word, data, sizeof(word));
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static uint64_t murmur64a(struct bytes in, uint64_t seed) {
    const uint64_t m = 0xc6a4a7935bd1e995;
    const int r = 47;
    uint64_t h = seed ^ (in.size * m);
    size_t left = in.size;
    const char *at = in.data;
    for (; left >= 8; at += 8, left -= 8) {
        uint64_t k = load_le64(at) * m;
        k = (k ^ k >> r) * m;
        h = (h ^ k) * m;
    }
    if (left) {
        uint64_t tail = 0;
        for (size_t i = 0; i < left; i++)
            tail |= (uint64_t)(unsigned char)at[i] << (8 * i);
        h = (h ^ tail) * m;
    }
    h = (h ^ h >> r) * m;
    return h ^ h >> r;
}

struct hll_place hll_place_of(struct bytes element) {
    uint64_t hash = murmur64a(element, HASH_SEED);
    uint64_t rest = hash >> INDEX_BITS | BIT(RANK_BITS); /* ends the count of zeros */
    return (struct hll_place){
        .index = (uint16_t)(hash & (HLL_REGISTERS - 1)),
        .rank = (uint8_t)(__builtin_ctzll(rest) + 1),
    };
}

/* ---- header ---- */

bool hll_is_valid(struct bytes value) {
    if (value.size < HLL_HEADER_SIZE || memcmp(value.data, "HYLL", 4) != 0) return false;
    unsigned form = (unsigned char)value.data[4];
    return form == HLL_SPARSE || (form == HLL_DENSE && value.size == HLL_DENSE_SIZE);
}

bool hll_cached_estimate(struct bytes value, uint64_t *out) {
    uint64_t estimate = load_le64(value.data + 8);
    if (estimate & BIT(63)) return false;
    *out = estimate;
    return true;
}

void hll_store_estimate(char *data, uint64_t estimate) {
    for (int i = 0; i < 8; i++)
        data[8 + i] = (char)(estimate >> (8 * i));
}

void hll_mark_stale(char *data) { data[15] = (char)((unsigned char)data[15] | 0x80); }

void hll_init(struct buf *value) {
    static const char empty[] = "HYLL\1\0\0\0\0\0\0\0\0\0\0\0\x7f\xff"; /* one run of 16384 zeros */
    check(value->size == 0);
    buf_add(value, bytes_make(empty, sizeof(empty) - 1));
}

/* ---- dense registers ---- */

static inline unsigned dense_get(const unsigned char *registers, unsigned index) {
    unsigned at = index * 6 / 8, shift = index * 6 & 7;
    unsigned word = registers[at];
    if (shift > 2) word |= (unsigned)registers[at + 1] << 8; /* the last register ends at a byte */
    return word >> shift & 63;
}

static inline void dense_set(unsigned char *registers, unsigned index, unsigned value) {
    unsigned at = index * 6 / 8, shift = index * 6 & 7;
    unsigned keep = ~(63u << shift), bits = value << shift;
    registers[at] = (unsigned char)((registers[at] & keep) | bits);
    if (shift > 2) {
        registers[at + 1] = (unsigned char)((registers[at + 1] & keep >> 8) | bits >> 8);
    }
}

/* Four registers are three bytes. */
static inline uint32_t load_group(const unsigned char *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
}

static const unsigned char *body_of(const char *data) {
    return (const unsigned char *)data + HLL_HEADER_SIZE;
}

enum hll_change hll_raise_dense(char *data, struct hll_place place) {
    unsigned char *registers = (unsigned char *)data + HLL_HEADER_SIZE;
    if (dense_get(registers, place.index) >= place.rank) return HLL_SAME;
    dense_set(registers, place.index, place.rank);
    return HLL_RAISED;
}

void hll_set_registers(char *data, const uint8_t registers[HLL_REGISTERS]) {
    unsigned char *at = (unsigned char *)data + HLL_HEADER_SIZE;
    for (size_t i = 0; i < HLL_REGISTERS; i += 4, at += 3) {
        uint32_t group = (uint32_t)registers[i] | (uint32_t)registers[i + 1] << 6 |
                         (uint32_t)registers[i + 2] << 12 | (uint32_t)registers[i + 3] << 18;
        at[0] = (unsigned char)group;
        at[1] = (unsigned char)(group >> 8);
        at[2] = (unsigned char)(group >> 16);
    }
}

/* ---- sparse runs ---- */

struct run {
    uint32_t first; /* register */
    uint32_t count;
    uint32_t value; /* 0: a run of zeros */
    size_t at;      /* offset in the value */
    size_t size;    /* bytes, 1 or 2 */
};

/* The run at offset at, whose first register is first. False if it is cut short or goes past the
 * last register. */
static inline bool run_read(struct bytes value, size_t at, uint32_t first, struct run *out) {
    if (at >= value.size) return false;
    unsigned byte = (unsigned char)value.data[at];
    *out = (struct run){.first = first, .at = at, .size = 1, .count = (byte & 63) + 1};
    if (byte & 0x80) {
        out->count = (byte & 3) + 1;
        out->value = (byte >> 2 & 31) + 1;
    } else if (byte & 0x40) {
        if (at + 1 >= value.size) return false;
        out->count = ((byte & 63) << 8 | (unsigned char)value.data[at + 1]) + 1;
        out->size = 2;
    }
    return out->count <= HLL_REGISTERS - first;
}

static inline bool run_read_next(struct bytes value, struct run *run) {
    return run_read(value, run->at + run->size, run->first + run->count, run);
}

/* A run that ends at offset HLL_HEADER_SIZE: what comes next is the first. */
static const struct run before_first = {.at = HLL_HEADER_SIZE};

/* Walks done registers: the value is whole if they are all and nothing follows. */
static inline bool ends_well(struct bytes value, const struct run *last) {
    return last->first + last->count == HLL_REGISTERS && last->at + last->size == value.size;
}

static inline bool is_done(struct bytes value, const struct run *run) {
    return run->first + run->count == HLL_REGISTERS || run->at + run->size >= value.size;
}

static size_t zeros_write(unsigned char *out, uint32_t count) {
    if (count == 0) return 0;
    if (count <= ZERO_RUN_MAX) {
        out[0] = (unsigned char)(count - 1);
        return 1;
    }
    out[0] = (unsigned char)(0x40 | (count - 1) >> 8);
    out[1] = (unsigned char)(count - 1);
    return 2;
}

static size_t values_write(unsigned char *out, uint32_t value, uint32_t count) {
    if (count == 0) return 0;
    out[0] = (unsigned char)(0x80 | (value - 1) << 2 | (count - 1));
    return 1;
}

static size_t part_write(unsigned char *out, uint32_t value, uint32_t count) {
    return value ? values_write(out, value, count) : zeros_write(out, count);
}

/* Finds the run that covers a register, and the offset of the run before it (or of the first). */
static bool run_find(struct bytes value, uint32_t index, struct run *out, size_t *before) {
    struct run run = before_first;
    *before = HLL_HEADER_SIZE;
    do {
        if (run.size) *before = run.at;
        if (!run_read_next(value, &run)) return false;
    } while (run.first + run.count <= index);
    *out = run;
    return true;
}

/* Joins neighbours of the same value, from the run at offset at on. */
static void join_runs(struct buf *value, size_t at) {
    unsigned char *data = (unsigned char *)value->data;
    for (int steps = MERGE_STEPS; steps > 0 && at < value->size; steps--) {
        unsigned run = data[at];
        if (!(run & 0x80)) {
            at += run & 0x40 ? 2 : 1;
            continue;
        }
        unsigned next = at + 1 < value->size ? data[at + 1] : 0;
        uint32_t count = (run & 3) + 1 + (next & 3) + 1;
        if ((run & 0xfc) != (next & 0xfc) || count > VALUE_RUN_MAX) {
            at++;
            continue;
        }
        data[at + 1] = (unsigned char)((run & 0xfc) | (count - 1));
        memmove(data + at, data + at + 1, value->size - at - 1);
        value->size--;
    }
}

/* Puts bytes in the place of a run. */
static void run_replace(struct buf *value, const struct run *run, const unsigned char *bytes,
                        size_t size) {
    if (size > run->size) buf_reserve(value, size - run->size);
    char *at = value->data + run->at;
    memmove(at + size, at + run->size, value->size - run->at - run->size);
    memcpy(at, bytes, size);
    value->size += size - run->size;
}

static enum hll_change raise_dense_now(struct buf *value, struct hll_place place) {
    if (!hll_make_dense(value)) return HLL_CORRUPT;
    return hll_raise_dense(value->data, place);
}

enum hll_change hll_raise(struct buf *value, struct hll_place place, int64_t sparse_max) {
    struct bytes bytes = buf_bytes(value);
    struct run run;
    size_t before, size = 0;
    unsigned char parts[3 * RUN_SIZE_MAX]; /* what the run becomes */
    if (hll_form_of(bytes) == HLL_DENSE) return hll_raise_dense(value->data, place);
    if (place.rank > VALUE_MAX) return raise_dense_now(value, place);
    if (!run_find(bytes, place.index, &run, &before)) return HLL_CORRUPT;
    if (run.value >= place.rank) return HLL_SAME;

    uint32_t left = place.index - run.first;
    size += part_write(parts + size, run.value, left);
    size += values_write(parts + size, place.rank, 1);
    size += part_write(parts + size, run.value, run.count - left - 1);
    if (size > run.size && (int64_t)(value->size + size - run.size) > sparse_max) {
        return raise_dense_now(value, place);
    }
    run_replace(value, &run, parts, size);
    join_runs(value, before);
    return HLL_RAISED;
}

/* ---- reading all registers ---- */

static void merge_dense(uint8_t registers[HLL_REGISTERS], const unsigned char *body) {
    for (size_t i = 0; i < HLL_REGISTERS; i += 4, body += 3) {
        uint32_t group = load_group(body);
        for (size_t j = 0; j < 4; j++) {
            uint8_t value = group >> (6 * j) & 63;
            if (value > registers[i + j]) registers[i + j] = value;
        }
    }
}

bool hll_merge_into(uint8_t registers[HLL_REGISTERS], struct bytes value) {
    if (hll_form_of(value) == HLL_DENSE) {
        merge_dense(registers, body_of(value.data));
        return true;
    }
    struct run run = before_first;
    while (!is_done(value, &run)) {
        if (!run_read_next(value, &run)) return false;
        for (uint32_t i = run.first; run.value && i < run.first + run.count; i++) {
            if (run.value > registers[i]) registers[i] = (uint8_t)run.value;
        }
    }
    return ends_well(value, &run);
}

int hll_register(struct bytes value, uint16_t index) {
    struct run run;
    size_t before;
    check(index < HLL_REGISTERS);
    if (hll_form_of(value) == HLL_DENSE) return (int)dense_get(body_of(value.data), index);
    return run_find(value, index, &run, &before) ? (int)run.value : -1;
}

bool hll_make_dense(struct buf *value) {
    if (hll_form_of(buf_bytes(value)) == HLL_DENSE) return true;
    uint8_t registers[HLL_REGISTERS] = {0};
    if (!hll_merge_into(registers, buf_bytes(value))) return false;
    if (value->size < HLL_DENSE_SIZE) buf_reserve(value, HLL_DENSE_SIZE - value->size);
    value->size = HLL_DENSE_SIZE;
    value->data[4] = HLL_DENSE;
    hll_set_registers(value->data, registers);
    return true;
}

bool hll_describe_runs(struct bytes value, struct buf *out) {
    struct run run = before_first;
    check(hll_form_of(value) == HLL_SPARSE);
    while (!is_done(value, &run)) {
        if (run.size) buf_add_char(out, ' ');
        if (!run_read_next(value, &run)) return false;
        if (run.value) {
            buf_addf(out, "v:%u,%u", run.value, run.count);
        } else {
            buf_addf(out, "%c:%u", run.size == 1 ? 'z' : 'Z', run.count);
        }
    }
    return ends_well(value, &run);
}

/* ---- estimate ---- */

/* How many registers have each value. */
struct histogram {
    uint32_t counts[REGISTER_VALUES];
};

static void count_dense(struct histogram *out, const unsigned char *body) {
    uint32_t counts[4][REGISTER_VALUES] = {0}; /* apart: equal values in a row do not wait */
    for (size_t i = 0; i < HLL_REGISTERS; i += 4, body += 3) {
        uint32_t group = load_group(body);
        for (size_t j = 0; j < 4; j++)
            counts[j][group >> (6 * j) & 63]++;
    }
    for (size_t i = 0; i < REGISTER_VALUES; i++)
        out->counts[i] = counts[0][i] + counts[1][i] + counts[2][i] + counts[3][i];
}

static bool count_sparse(struct histogram *out, struct bytes value) {
    struct run run = before_first;
    while (!is_done(value, &run)) {
        if (!run_read_next(value, &run)) return false;
        out->counts[run.value] += run.count;
    }
    return ends_well(value, &run);
}

static double sigma(double x) {
    if (x >= 1) return INFINITY;
    double y = 1, z = x, before;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z > before);
    return z;
}

static double tau(double x) {
    if (x <= 0 || x >= 1) return 0;
    double y = 1, z = 1 - x, before;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z < before);
    return z / 3;
}

static uint64_t estimate(const struct histogram *histogram) {
    const double m = HLL_REGISTERS;
    double z = m * tau((m - histogram->counts[HLL_RANK_MAX]) / m);
    for (int rank = HLL_RANK_MAX - 1; rank >= 1; rank--)
        z = 0.5 * (z + histogram->counts[rank]);
    z += m * sigma(histogram->counts[0] / m);
    double result = ALPHA * m * m / z; /* infinite if nothing but the highest ranks is there */
    return result < (double)INT64_MAX ? (uint64_t)llround(result) : INT64_MAX;
}

bool hll_estimate(struct bytes value, uint64_t *out) {
    struct histogram histogram = {0};
    if (hll_form_of(value) == HLL_DENSE) {
        count_dense(&histogram, body_of(value.data));
    } else if (!count_sparse(&histogram, value)) {
        return false;
    }
    *out = estimate(&histogram);
    return true;
}

uint64_t hll_estimate_registers(const uint8_t registers[HLL_REGISTERS]) {
    struct histogram histogram = {0};
    for (size_t i = 0; i < HLL_REGISTERS; i++) {
        dcheck(registers[i] < REGISTER_VALUES);
        histogram.counts[registers[i]]++;
    }
    return estimate(&histogram);
}
