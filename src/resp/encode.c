/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/encode.h"

#include "base/num.h"

enum { HEADER_MAX = 1 + NUM_I64_TEXT_MAX + 2 }; /* type, number, CR LF */

void encode_header(struct buf *out, char type, size_t size) {
    char *start = buf_reserve(out, HEADER_MAX);
    char *p = start;
    *p++ = type;
    p += num_format_u64(p, size);
    memcpy(p, "\r\n", 2);
    out->size += (size_t)(p + 2 - start);
}

void encode_bulk(struct buf *out, struct bytes bytes) {
    encode_header(out, '$', bytes.size);
    buf_add(out, bytes);
    buf_add(out, BYTES("\r\n"));
}
