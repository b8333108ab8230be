/* SPDX-License-Identifier: BSD-3-Clause */
/* top -- the keys with the highest scores that came by, the best first. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

struct top_entry {
    struct bytes key; /* owned by the list */
    int64_t score;
    int64_t detail; /* whatever the caller wants to remember beside it */
    size_t type;
};

struct top {
    struct top_entry *entries; /* falling scores; equal ones in the order they came */
    size_t count;
    size_t cap;
};

void top_init(struct top *top, size_t cap);
void top_deinit(struct top *top);
/* Copies the key if it is among the best; false if not. O(log cap), and a move of what is behind.
 */
bool top_offer(struct top *top, const struct top_entry *entry);
