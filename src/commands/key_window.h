/* SPDX-License-Identifier: BSD-3-Clause */
/* key_window -- prefetch for commands with many keys.
 *
 * A look-up in a large table waits for memory twice: for the bucket and for the entry. A command
 * with many keys takes them in windows: all hashes, all buckets, all entries, and only then the
 * work, so that the waits overlap. */
#pragma once

#include "exec/call.h"

enum { KEY_WINDOW = 16 };

struct key_window {
    uint32_t count; /* keys in this window */
    uint64_t hashes[KEY_WINDOW];
};

/* Loads the window with the keys at first, first + step, ... before end. O(KEY_WINDOW). */
static inline void key_window_load(struct key_window *window, const struct call *call,
                                   uint32_t first, uint32_t end, uint32_t step) {
    uint32_t count = 0;
    for (uint32_t arg = first; arg < end && count < KEY_WINDOW; arg += step) {
        window->hashes[count] = call_hash(call, arg);
        count++;
    }
    window->count = count;
    if (count == 1) return; /* nothing to overlap with */
    for (uint32_t i = 0; i < count; i++)
        keyspace_prefetch_bucket(call->db, window->hashes[i]);
    for (uint32_t i = 0; i < count; i++)
        keyspace_prefetch_entry(call->db, window->hashes[i]);
}
