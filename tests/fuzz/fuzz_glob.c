/* SPDX-License-Identifier: BSD-3-Clause */
/* Any pattern against any text: no access out of bounds, work within O(pattern * text), and what
 * must hold of every match. The first byte says how long the pattern is. */
#include "base/check.h"
#include "base/glob.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    struct bytes rest = bytes_make(data + 1, size - 1);
    struct bytes pattern = bytes_make(rest.data, size_min(data[0], rest.size));
    struct bytes text = bytes_from(rest, pattern.size);

    bool found = glob_match(pattern, text);
    if (glob_is_literal(pattern)) {
        check(found == bytes_equal(pattern, text));
        check(glob_match_nocase(pattern, text) == bytes_equal_nocase(pattern, text));
    }

    /* A '*' in front lets a text match that matched without it. */
    char *longer = mem_alloc(pattern.size + 1);
    longer[0] = '*';
    if (pattern.size > 0) memcpy(longer + 1, pattern.data, pattern.size);
    if (found) check(glob_match(bytes_make(longer, pattern.size + 1), text));
    mem_free(longer);
    return 0;
}
