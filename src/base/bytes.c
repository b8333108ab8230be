/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/bytes.h"

bool bytes_equal_nocase(struct bytes a, struct bytes b) {
    if (a.size != b.size) return false;
    for (size_t i = 0; i < a.size; i++) {
        if (char_lower(a.data[i]) != char_lower(b.data[i])) return false;
    }
    return true;
}

int bytes_compare(struct bytes a, struct bytes b) {
    size_t common = size_min(a.size, b.size);
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order == 0) return (a.size > b.size) - (a.size < b.size);
    return order < 0 ? -1 : 1;
}

size_t bytes_find_byte(struct bytes a, char byte) {
    const char *found = a.size == 0 ? NULL : memchr(a.data, byte, a.size);
    return found ? (size_t)(found - a.data) : a.size;
}

bool bytes_starts_with(struct bytes a, struct bytes prefix) {
    return a.size >= prefix.size && bytes_equal(bytes_make(a.data, prefix.size), prefix);
}

struct bytes bytes_trim(struct bytes a) {
    while (a.size > 0 && char_is_space(a.data[0])) {
        a.data++;
        a.size--;
    }
    while (a.size > 0 && char_is_space(a.data[a.size - 1]))
        a.size--;
    return a;
}

size_t bytes_unescape(struct bytes text, char *out) {
    *out = text.data[0];
    switch (text.data[0]) {
    case 'n': *out = '\n'; break;
    case 'r': *out = '\r'; break;
    case 't': *out = '\t'; break;
    case 'b': *out = '\b'; break;
    case 'a': *out = '\a'; break;
    case 'x': {
        int high = text.size >= 3 ? char_hex_digit(text.data[1]) : -1;
        int low = text.size >= 3 ? char_hex_digit(text.data[2]) : -1;
        if (high < 0 || low < 0) break;
        *out = (char)(high * 16 + low);
        return 3;
    }
    }
    return 1;
}
