/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes -- a borrowed run of bytes: pointer and size, no terminator, no ownership. */
#pragma once

#include <string.h>

#include "base/attr.h"

struct bytes {
    const char *data;
    size_t size;
};

/* A string literal as bytes. */
#define BYTES(literal) ((struct bytes){.data = (literal), .size = sizeof(literal) - 1})

static inline struct bytes bytes_make(const void *data, size_t size) {
    return (struct bytes){.data = data, .size = size};
}
/* Borrows a NUL-terminated string; NULL gives empty bytes. */
static inline struct bytes bytes_of(const char *text) {
    return (struct bytes){.data = text, .size = text ? strlen(text) : 0};
}

static inline bool bytes_equal(struct bytes a, struct bytes b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
/* Whether n bytes are equal, without a call for the short runs that keys, fields and names are. */
always_inline_fn bool bytes_run_equal(const char *a, const char *b, size_t n) {
    uint64_t x, y;
    uint32_t v, w;
    if (n > 64) return memcmp(a, b, n) == 0;
    if (likely(n >= 8)) {
        for (size_t i = 0; i + 8 < n; i += 8) {
            memcpy(&x, a + i, 8);
            memcpy(&y, b + i, 8);
            if (x != y) return false;
        }
        memcpy(&x, a + n - 8, 8);
        memcpy(&y, b + n - 8, 8);
        return x == y;
    }
    if (n >= 4) {
        memcpy(&v, a, 4);
        memcpy(&w, b, 4);
        if (v != w) return false;
        memcpy(&v, a + n - 4, 4);
        memcpy(&w, b + n - 4, 4);
        return v == w;
    }
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i]) return false;
    }
    return true;
}
/* ASCII letters compare without case; other bytes as they are. */
bool bytes_equal_nocase(struct bytes a, struct bytes b);
/* Like memcmp over the common part, then the shorter one first: -1, 0 or 1. */
int bytes_compare(struct bytes a, struct bytes b);
/* The index of the first byte, or a.size if there is none. */
size_t bytes_find_byte(struct bytes a, char byte);
bool bytes_starts_with(struct bytes a, struct bytes prefix);
/* The byte that a backslash means with what is behind it, as in "\n" and "\x41"; a byte without
 * such a meaning means itself. text is behind the backslash and not empty; returns how much of it
 * that is. */
size_t bytes_unescape(struct bytes text, char *out);
/* Without ASCII white space at both ends. */
struct bytes bytes_trim(struct bytes a);
static inline struct bytes bytes_from(struct bytes a, size_t start) {
    return start >= a.size ? bytes_make(a.data + a.size, 0)
                           : bytes_make(a.data + start, a.size - start);
}

static inline char char_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }
static inline char char_upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 32) : c; }
static inline bool char_is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static inline bool char_is_digit(char c) { return c >= '0' && c <= '9'; }
/* What a hexadecimal digit stands for; -1: it is none. */
static inline int char_hex_digit(char c) {
    if (char_is_digit(c)) return c - '0';
    c = char_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
