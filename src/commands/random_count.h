/* SPDX-License-Identifier: BSD-3-Clause */
/* random_count -- the count of SRANDMEMBER, HRANDFIELD and ZRANDMEMBER, where a negative one asks
 * for elements that may repeat. Such a reply has no bound but this number, so one that could not be
 * shorter than the largest value a client may send (proto-max-bulk-len) is refused. */
#pragma once

#include "exec/call.h"

enum { RANDOM_ELEMENT_BYTES_MIN = 6 }; /* of an empty one in a reply */

/* False: it has replied. */
must_use static inline bool random_count_read(struct call *call, uint32_t arg, int64_t *out) {
    int64_t count, most = call->exec->config->bulk_max / RANDOM_ELEMENT_BYTES_MIN;
    if (!call_int(call, arg, &count)) return false;
    if (count == INT64_MIN) {
        call_errorf(call, ERROR_RANGE_BETWEEN, (long long)-INT64_MAX, (long long)INT64_MAX);
        return false;
    }
    if (count < -most) {
        call_errorf(call, ERROR_RANGE_BETWEEN, (long long)-most, (long long)INT64_MAX);
        return false;
    }
    *out = count;
    return true;
}

/* Whether twice the count is beyond 64 bits, which has an error of its own where each element comes
 * with its value or score. */
static inline bool random_count_is_too_many_pairs(struct bytes text) {
    int64_t count;
    if (!num_parse_i64(text, &count) || count == INT64_MIN) return false;
    return count < -INT64_MAX / 2 || count > INT64_MAX / 2;
}
