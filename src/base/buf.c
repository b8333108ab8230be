/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/buf.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/num.h"

#include <stdio.h>

enum { BUF_CAP_MIN = 64 };

void buf_deinit(struct buf *buf) {
    mem_free(buf->data);
    *buf = (struct buf){0};
}

void buf_clear(struct buf *buf) {
    buf->size = 0;
    if (buf->data) buf->data[0] = '\0';
}

char *buf_reserve(struct buf *buf, size_t extra) {
    check(extra < SIZE_MAX / 2 - buf->size);
    size_t needed = buf->size + extra + 1;
    if (needed > buf->cap) {
        size_t cap = size_max(needed, size_max(BUF_CAP_MIN, buf->cap * 2));
        buf->data = mem_realloc(buf->data, cap);
        buf->cap = cap;
        buf->data[buf->size] = '\0';
    }
    return buf->data + buf->size;
}

void buf_add(struct buf *buf, struct bytes bytes) {
    char *end = buf_reserve(buf, bytes.size);
    if (bytes.size > 0) memcpy(end, bytes.data, bytes.size);
    buf->size += bytes.size;
    buf->data[buf->size] = '\0';
}

void buf_add_text(struct buf *buf, const char *text) { buf_add(buf, bytes_of(text)); }

void buf_add_char(struct buf *buf, char c) { buf_add(buf, bytes_make(&c, 1)); }

void buf_add_i64(struct buf *buf, int64_t value) {
    char text[NUM_I64_TEXT_MAX];
    buf_add(buf, bytes_make(text, num_format_i64(text, value)));
}

void buf_addf(struct buf *buf, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    buf_vaddf(buf, fmt, args);
    va_end(args);
}

void buf_vaddf(struct buf *buf, const char *fmt, va_list args) {
    va_list again;
    va_copy(again, args);
    char *end = buf_reserve(buf, BUF_CAP_MIN);
    size_t room = buf->cap - buf->size;
    int size = vsnprintf(end, room, fmt, args);
    check(size >= 0);
    if ((size_t)size >= room) {
        end = buf_reserve(buf, (size_t)size);
        vsnprintf(end, (size_t)size + 1, fmt, again);
    }
    va_end(again);
    buf->size += (size_t)size;
}

/* The letter that stands for c behind a backslash, or 0. */
static char quoted_letter(char c) {
    switch (c) {
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    case '\a': return 'a';
    case '\b': return 'b';
    case '\\': return '\\';
    case '"': return '"';
    }
    return 0;
}

void buf_add_quoted(struct buf *buf, struct bytes bytes) {
    static const char hex[] = "0123456789abcdef";
    buf_add_char(buf, '"');
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        char letter = quoted_letter((char)c);
        if (letter) {
            char escape[2] = {'\\', letter};
            buf_add(buf, bytes_make(escape, sizeof(escape)));
        } else if (c >= 0x20 && c < 0x7f) {
            buf_add_char(buf, (char)c);
        } else {
            char escape[4] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
            buf_add(buf, bytes_make(escape, sizeof(escape)));
        }
    }
    buf_add_char(buf, '"');
}

char *buf_take(struct buf *buf) {
    char *data = buf_reserve(buf, 0) - buf->size;
    *buf = (struct buf){0};
    return data;
}
