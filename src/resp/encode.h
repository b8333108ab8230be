/* SPDX-License-Identifier: BSD-3-Clause */
/* encode -- protocol text in a buf: for messages that are written once and sent to many, and for
 * requests. What a server says to one client only is written straight into its reply (reply.h). */
#pragma once

#include "base/buf.h"

/* The line before an aggregate's elements, or before a bulk string's bytes: type, size, CR LF. */
void encode_header(struct buf *out, char type, size_t size);
void encode_bulk(struct buf *out, struct bytes bytes);
