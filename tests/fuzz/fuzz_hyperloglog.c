/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes behind the header of a HyperLogLog: no access out of bounds (each value ends where its
 * allocation ends), all readers agree on what is corrupt, and what one form holds the other holds.
 *
 * Input: a byte whose lowest bit says the form, one for the number of elements to add, the elements
 * of two bytes each, and the body. A dense body is cut or filled to its size. */
#include "base/check.h"
#include "base/mem.h"
#include "types/hyperloglog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes exact_copy(struct bytes bytes) {
    char *data = mem_alloc(bytes.size);
    if (bytes.size) memcpy(data, bytes.data, bytes.size);
    return bytes_make(data, bytes.size);
}

static void drop(struct bytes bytes) { mem_free((void *)(uintptr_t)bytes.data); }

/* All that reads; whether the value is whole. */
static bool read_all(struct bytes value) {
    uint8_t registers[HLL_REGISTERS] = {0};
    struct buf text = {0};
    uint64_t estimate = 0, cached;
    (void)hll_cached_estimate(value, &cached);
    bool whole = hll_merge_into(registers, value);
    check(hll_estimate(value, &estimate) == whole);
    if (hll_form_of(value) == HLL_SPARSE) check(hll_describe_runs(value, &text) == whole);
    for (uint32_t i = 0; i < HLL_REGISTERS; i += 97) {
        int got = hll_register(value, (uint16_t)i);
        check(got >= -1 && got < 64);
        if (whole) check(got == registers[i]);
    }
    if (whole) {
        check(estimate <= INT64_MAX);
        check(hll_estimate_registers(registers) == estimate);
    }
    buf_deinit(&text);
    return whole;
}

static void read_exact(struct bytes value) {
    struct bytes copy = exact_copy(value);
    bool whole = read_all(copy);
    struct buf dense = {0};
    buf_add(&dense, copy);
    check(hll_make_dense(&dense) == whole);
    if (whole) {
        uint64_t a, b;
        check(hll_estimate(buf_bytes(&dense), &a) && hll_estimate(copy, &b) && a == b);
    }
    buf_deinit(&dense);
    drop(copy);
}

static void raise(struct buf *value, struct bytes element, int64_t sparse_max) {
    struct hll_place place = hll_place_of(element);
    struct buf before = {0};
    buf_add(&before, buf_bytes(value));
    int was = hll_register(buf_bytes(value), place.index);
    enum hll_change change = hll_raise(value, place, sparse_max);
    check(change != HLL_RAISED || was < place.rank);
    if (change != HLL_RAISED) check(bytes_equal(buf_bytes(value), buf_bytes(&before)));
    if (change == HLL_RAISED) check(hll_register(buf_bytes(value), place.index) == place.rank);
    buf_deinit(&before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    bool dense = data[0] & 1;
    int64_t sparse_max = data[0] & 2 ? 60 : 1 << 16;
    size_t adds = size_min(data[1] & 15, (size - 2) / 2);
    struct bytes body = bytes_make(data + 2 + 2 * adds, size - 2 - 2 * adds);

    struct buf value = {0};
    hll_init(&value);
    value.data[4] = dense ? HLL_DENSE : HLL_SPARSE;
    value.size = HLL_HEADER_SIZE;
    buf_add(&value, dense ? bytes_make(body.data, size_min(body.size, HLL_DENSE_SIZE - 16)) : body);
    while (dense && value.size < HLL_DENSE_SIZE)
        buf_add_char(&value, 0);
    check(hll_is_valid(buf_bytes(&value)));

    read_exact(buf_bytes(&value));
    for (size_t i = 0; i < adds; i++)
        raise(&value, bytes_make(data + 2 + 2 * i, 2), sparse_max);
    check(hll_is_valid(buf_bytes(&value)));
    read_exact(buf_bytes(&value));
    buf_deinit(&value);
    return 0;
}
