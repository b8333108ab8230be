/* SPDX-License-Identifier: BSD-3-Clause */
/* skip -- finds the ends of replies that lie whole in memory, which nearly all do; the rest is for
 * resp/reply_reader. No state, no copies. */
#pragma once

#include <string.h>

#include "base/attr.h"

/* The byte behind a header line; NULL if its end is not there or is not CR LF. */
static inline const char *skip_line(const char *at, const char *end) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline && newline > at && newline[-1] == '\r' ? newline + 1 : NULL;
}

/* The number of a header line, which begins behind its mark: up to ten digits, or the -1 of a null
 * string or array. NULL: the line is not whole, or is no such number. */
static inline const char *skip_length(char mark, const char *at, const char *end, int64_t *out) {
    int64_t value = 0;
    const char *start = at;
    bool may_be_null = mark == '$' || mark == '*';
    if (may_be_null && end - at >= 4 && memcmp(at, "-1\r\n", 4) == 0) {
        *out = -1;
        return at + 4;
    }
    while (at < end && *at >= '0' && *at <= '9' && at - start < 10)
        value = value * 10 + (*at++ - '0');
    if (at == start || end - at < 2 || at[0] != '\r' || at[1] != '\n') return NULL;
    *out = value;
    return at + 2;
}

/* The byte behind the reply that begins at, or NULL: it is not whole, or is of a kind for the
 * reader (pushes, attributes, what is no reply at all). O(bytes of the reply). */
static inline const char *skip_reply(const char *at, const char *end) {
    int64_t missing = 1, length;
    do {
        if (end - at < 3) return NULL;
        char mark = *at++;
        switch (mark) {
        case '+':
        case '-':
        case ':':
        case '_':
        case '#':
        case ',':
        case '(': at = skip_line(at, end); break;
        case '$':
        case '=':
        case '!':
            at = skip_length(mark, at, end, &length);
            if (!at || length < 0) break;
            if (end - at < length + 2 || at[length] != '\r' || at[length + 1] != '\n') return NULL;
            at += length + 2;
            break;
        case '*':
        case '~':
            at = skip_length(mark, at, end, &length);
            if (at && length > 0) missing += length;
            break;
        case '%':
            at = skip_length(mark, at, end, &length);
            if (at && length > 0) missing += 2 * length;
            break;
        default: return NULL;
        }
        if (!at) return NULL;
    } while (--missing > 0);
    return at;
}
