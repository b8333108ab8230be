/* SPDX-License-Identifier: BSD-3-Clause */
/* drawn -- which numbers (addresses, ranks) have come up in a draw, so that none is given twice.
 *
 * An open-addressed table, made for so many numbers and at most half full with them. It owns its
 * slots and nothing else. */
#pragma once

#include "base/attr.h"

struct drawn {
    uint64_t *slots; /* number + 1; 0: empty */
    size_t mask, left;
};

void drawn_init(struct drawn *drawn, size_t count);
void drawn_deinit(struct drawn *drawn);
/* False if the number has been added before. It is below UINT64_MAX; at most count different ones
 * may be added. O(1). */
must_use bool drawn_add(struct drawn *drawn, uint64_t number);
