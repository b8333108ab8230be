/* SPDX-License-Identifier: BSD-3-Clause */
/* buf -- a growable byte string, for text that is built step by step. Not for the hot path.
 *
 * A zeroed struct is a valid empty buf. data is NULL or has a NUL behind its size bytes. */
#pragma once

#include <stdarg.h>

#include "base/attr.h"
#include "base/bytes.h"

struct buf {
    char *data;
    size_t size;
    size_t cap; /* allocated bytes, the NUL included */
};

void buf_deinit(struct buf *buf);
void buf_clear(struct buf *buf); /* keeps the memory */
char *buf_reserve(struct buf *buf,
                  size_t extra); /* room for extra more bytes; returns their address */
void buf_add(struct buf *buf, struct bytes bytes);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_add_i64(struct buf *buf, int64_t value);
void buf_addf(struct buf *buf, const char *fmt, ...) printf_like(2, 3);
void buf_vaddf(struct buf *buf, const char *fmt, va_list args);
/* Adds bytes in double quotes, with \n \r \t \a \b \\ \" and \xHH escapes. */
void buf_add_quoted(struct buf *buf, struct bytes bytes);
/* Hands the memory over: NUL-terminated, the caller frees; buf is empty afterwards. Never NULL. */
must_use char *buf_take(struct buf *buf);

static inline struct bytes buf_bytes(const struct buf *buf) {
    return bytes_make(buf->data, buf->size);
}
