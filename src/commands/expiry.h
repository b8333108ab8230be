/* SPDX-License-Identifier: BSD-3-Clause */
/* expiry -- what commands that set a time to live have in common: reading the time, and giving it
 * to a key. A time that has already come removes the key, as if it had expired. */
#pragma once

#include "exec/call.h"

struct expiry_arg {   /* a time as it was written */
    uint32_t arg;     /* its position; 0: none was given */
    bool in_seconds;  /* else milliseconds */
    bool is_absolute; /* since the epoch, else from now */
};

/* Reads a time that must be positive. Sets *at_ms to milliseconds since the epoch, or to -1 if
 * none was given. False: it has replied with the error. */
must_use bool expiry_read(struct call *call, const struct expiry_arg *when, int64_t *at_ms);

/* Milliseconds as TTL and its like tell them in seconds: to the nearest. */
static inline int64_t expiry_to_seconds(int64_t ms) { return ms / 1000 + (ms % 1000 >= 500); }

enum expiry_condition {
    EXPIRE_NX = BIT(0), /* only if it has no expiry */
    EXPIRE_XX = BIT(1), /* only if it has one */
    EXPIRE_GT = BIT(2), /* only to a later time; none counts as endless */
    EXPIRE_LT = BIT(3), /* only to an earlier time */
};
/* Reads the conditions from position first up to end, as bits. False: it has replied. */
must_use bool expiry_read_conditions(struct call *call, uint32_t first, uint32_t end,
                                     unsigned *out);
/* Whether the time may take the place of old_ms, which is negative if there was none. */
bool expiry_conditions_hold(unsigned conditions, int64_t old_ms, int64_t at_ms);

/* In import mode nothing is past: the source of the import says when keys go. */
bool expiry_is_past(const struct call *call, int64_t at_ms);

/* Removes an entry whose new time is past: as if it had expired, and a change. */
void expiry_remove(struct call *call, struct entry *entry);
/* Lets the entry expire at the time, or removes it if that is past, and tells everyone. entry is
 * not valid afterwards. */
void expiry_apply(struct call *call, struct entry *entry, struct bytes key, int64_t at_ms);
/* Takes the expiry away, and tells everyone. False: it had none. entry is not valid afterwards. */
bool expiry_clear(struct call *call, struct entry *entry, struct bytes key);
