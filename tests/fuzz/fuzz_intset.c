/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as an intset: what is found right can be read and changed, and nothing beyond its end
 * is touched. */
#include "base/check.h"
#include "base/mem.h"
#include "ds/intset.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const struct intset *set) {
    size_t count = intset_count(set);
    for (size_t i = 0; i < count; i++) {
        int64_t value = intset_at(set, i);
        check(intset_has(set, value));
        check(i == 0 || intset_at(set, i - 1) < value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *exact = mem_alloc(size);
    if (size) memcpy(exact, data, size);
    if (intset_validate(exact, size)) {
        struct intset *set = intset_create_from(exact, size);
        read_all(set);
        intset_verify(set);
        int64_t extra = size % 3 == 0 ? INT64_MIN : (int64_t)size * 70001;
        bool had = intset_has(set, extra);
        check(intset_add(&set, extra) == !had);
        check(!intset_add(&set, extra));
        read_all(set);
        if (intset_count(set) > 1) check(intset_remove(&set, intset_at(set, 0)));
        had = intset_has(set, extra);
        check(intset_remove(&set, extra) == had);
        check(!intset_has(set, extra));
        intset_verify(set);
        intset_destroy(&set);
    }
    mem_free(exact);
    return 0;
}
