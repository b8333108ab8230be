/* SPDX-License-Identifier: BSD-3-Clause */
/* reply -- builds RESP2 or RESP3 replies in a list of blocks.
 *
 * A block is a chunk of the pool, or refers to a blob that it pins. The first is a small chunk as
 * long as that was enough lately, so that what many clients are told is close together. The writer
 * of a reply calls one function per element; sizes of aggregates come first, or later through
 * reply_defer. A muted reply (CLIENT REPLY OFF) takes everything and keeps nothing. Not
 * thread-safe: one owner at a time.
 *
 *   head ──▶ [header|data.......] ──▶ [header]──▶ blob ──▶ [header|data....|room  ] ◀── tail
 *                                                                    cursor ┘      └ limit
 * 1. While muted, or behind a pinned blob, cursor == limit: every inline path finds no room and
 *    goes to the slow one, which decides.
 * 2. A block's bytes are in one piece, elements need not be: they may begin in one block and end in
 *    the next. */
#pragma once

#include <stdarg.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/num.h"
#include "resp/chunk.h"
#include "sync/blob.h"

enum { REPLY_PIN_MIN = 16 * 1024 }; /* strings from this size on are pinned, not copied */

struct reply_block {
    struct reply_block *next;
    struct blob *pin; /* what data points into, or NULL: data is the room behind this header */
    const char *data;
    uint32_t size;     /* bytes of data unless pinned; for the last block see reply.cursor */
    uint32_t room;     /* bytes behind this header; of a chunk, or an allocation apart */
    uint64_t pin_size; /* bytes of data if pinned */
};

struct reply {
    char *cursor; /* where the next byte goes in the last block */
    char *limit;  /* the end of its room */
    struct reply_block *head;
    struct reply_block *tail;
    uint64_t closed_bytes; /* in all blocks but the last */
    size_t memory_bytes;   /* of all blocks, pinned blobs not counted */
    struct chunk_pool *pool;
    char *scratch; /* a small chunk where muted writers write, or NULL */
    uint8_t resp;  /* 2 or 3 */
    bool muted;
    bool starts_small; /* the first block is a small chunk, if it can hold what comes first */
    uint32_t block_count;
};

struct reply_mark {            /* where a deferred header will go */
    struct reply_block *block; /* NULL: the reply is muted */
    uint32_t offset;           /* in the block's data */
};

void reply_init(struct reply *reply, struct chunk_pool *pool, uint8_t resp);
void reply_deinit(struct reply *reply); /* gives all blocks back */
void reply_blocks_free(struct chunk_pool *pool, struct reply_block *head);
/* Muted: what is written from now on is dropped; what is there stays. */
void reply_set_muted(struct reply *reply, bool muted);
/* Closes the last block and hands all blocks over; the reply is empty afterwards. NULL if empty. No
 * deferred header may be open. */
must_use struct reply_block *reply_take(struct reply *reply);
/* Bytes that wait to be sent. */
static inline uint64_t reply_size(const struct reply *reply) {
    return reply->tail ? reply->closed_bytes + (uint64_t)(reply->cursor - reply->tail->data) : 0;
}
static inline bool reply_is_empty(const struct reply *reply) { return reply->tail == NULL; }
/* Bytes of the block that is being filled, or of the one that the next reply begins with. */
size_t reply_buffer_size(const struct reply *reply);
/* The next reply begins with a chunk that holds this many bytes, or with a whole one. */
void reply_expect(struct reply *reply, size_t bytes);
/* Memory held by blocks, pinned blobs not counted. */
static inline size_t reply_memory_bytes(const struct reply *reply) { return reply->memory_bytes; }
static inline uint64_t reply_block_size(const struct reply_block *block) {
    return block->pin ? block->pin_size : block->size;
}

/* Any bytes. */
void reply_raw_slow(struct reply *reply, const char *data, size_t size);
static inline void reply_raw(struct reply *reply, const char *data, size_t size) {
    /* More than enough, not just enough: an empty reply has no address to copy nothing to. */
    if (likely((size_t)(reply->limit - reply->cursor) > size)) {
        memcpy(reply->cursor, data, size);
        reply->cursor += size;
    } else {
        reply_raw_slow(reply, data, size);
    }
}
/* Room for size contiguous bytes (at most 1 KiB) at the address returned, to be followed by
 * reply_commit of what was used. */
char *reply_room_slow(struct reply *reply, size_t size);
static inline char *reply_room(struct reply *reply, size_t size) {
    if (likely((size_t)(reply->limit - reply->cursor) >= size)) return reply->cursor;
    return reply_room_slow(reply, size);
}
static inline void reply_commit(struct reply *reply, size_t size) {
    if (likely(!reply->muted)) reply->cursor += size;
}

static inline void reply_ok(struct reply *reply) { reply_raw(reply, "+OK\r\n", 5); }
void reply_simple(struct reply *reply, struct bytes text); /* +text; CR and LF become spaces */
/* text begins with its code, "ERR ..."; CR and LF become spaces. Handlers use call_error instead.
 */
void reply_error(struct reply *reply, struct bytes text);
void reply_integer(struct reply *reply, int64_t value);
void reply_bulk(struct reply *reply, struct bytes bytes);
void reply_bulk_text(struct reply *reply, const char *text);
void reply_bulk_i64(struct reply *reply, int64_t value); /* a number as a bulk string */
void reply_bulkf(struct reply *reply, const char *fmt, ...) printf_like(2, 3);
/* A string that lives in a blob: pinned when it is large. The caller keeps its own reference. */
void reply_blob(struct reply *reply, struct blob *blob);
void reply_null(struct reply *reply);       /* $-1 or _ */
void reply_null_array(struct reply *reply); /* *-1 or _ */
void reply_array(struct reply *reply, size_t count);
void reply_map(struct reply *reply, size_t pairs);       /* RESP2: array of 2 * pairs */
void reply_set(struct reply *reply, size_t count);       /* RESP2: array */
void reply_push(struct reply *reply, size_t count);      /* RESP2: array */
void reply_attribute(struct reply *reply, size_t pairs); /* RESP3 only: check reply->resp first */
void reply_bool(struct reply *reply, bool value);        /* RESP2: :1 or :0 */
void reply_double(struct reply *reply, double value);    /* RESP2: bulk string */
void reply_bignum(struct reply *reply, struct bytes digits); /* RESP2: bulk string */
/* format: three letters, "txt" or "mkd". RESP2: bulk string. */
void reply_verbatim(struct reply *reply, const char *format, struct bytes text);

/* For aggregates whose size is known only after their elements. Of nested ones the inner is settled
 * first. Settling moves what of the same block follows: O(CHUNK_SIZE) at worst. */
must_use struct reply_mark reply_defer(struct reply *reply);
void reply_defer_array(struct reply *reply, struct reply_mark mark, size_t count);
void reply_defer_map(struct reply *reply, struct reply_mark mark, size_t pairs);
void reply_defer_set(struct reply *reply, struct reply_mark mark, size_t count);
