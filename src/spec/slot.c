/* SPDX-License-Identifier: BSD-3-Clause */
#include "spec/slot.h"

#include "base/hash.h"

uint16_t slot_of(struct bytes key) {
    size_t open = bytes_find_byte(key, '{');
    struct bytes hashed = key;
    if (open < key.size) {
        struct bytes rest = bytes_make(key.data + open + 1, key.size - open - 1);
        size_t size = bytes_find_byte(rest, '}');
        if (size > 0 && size < rest.size) hashed = bytes_make(rest.data, size);
    }
    return hash_crc16(hashed) % SLOT_COUNT;
}
