/* SPDX-License-Identifier: BSD-3-Clause */
/* element_times -- what the keyspace must know of a value some of whose elements expire on their
 * own. The value keeps the first half; the second is the keyspace's, which remembers there what it
 * filed for the value. */
#pragma once

#include "base/attr.h"

struct element_times {
    size_t count;    /* elements with a time to live */
    int64_t next_ms; /* nothing in the value needs work before this; INT64_MAX if count is 0 */

    uint64_t filed_tick;  /* when the record of the value comes out of the index */
    uint32_t filed_round; /* of the index, in which that was filed */
};
