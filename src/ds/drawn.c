/* SPDX-License-Identifier: BSD-3-Clause */
#include "ds/drawn.h"

#include "base/check.h"
#include "base/mem.h"

enum {
    CAP_MIN = 8,
    SPREAD_SHIFT = 20, /* the product's middle bits depend on all low ones of the number */
};

void drawn_init(struct drawn *drawn, size_t count) {
    size_t cap = CAP_MIN;
    check(count <= SIZE_MAX / 4 / sizeof(*drawn->slots));
    while (cap < count * 2)
        cap *= 2;
    *drawn = (struct drawn){
        .slots = mem_zalloc_array(cap, sizeof(*drawn->slots)), .mask = cap - 1, .left = count};
}

void drawn_deinit(struct drawn *drawn) {
    mem_free(drawn->slots);
    *drawn = (struct drawn){0};
}

bool drawn_add(struct drawn *drawn, uint64_t number) {
    size_t i = (size_t)(number * 0x9e3779b97f4a7c15ull >> SPREAD_SHIFT) & drawn->mask;
    for (; drawn->slots[i]; i = (i + 1) & drawn->mask) {
        if (drawn->slots[i] == number + 1) return false;
    }
    check(drawn->left > 0);
    drawn->left--;
    drawn->slots[i] = number + 1;
    return true;
}
