/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/reply.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"

#include <stdio.h>

enum {
    CHUNK_ROOM = CHUNK_SIZE - sizeof(struct reply_block),
    SMALL_ROOM = CHUNK_SMALL_SIZE - sizeof(struct reply_block),
    HEADER_MAX = 1 + NUM_I64_TEXT_MAX + 2, /* type, number, CR LF */
    ROOM_MAX = CHUNK_SMALL_SIZE,           /* what reply_room promises */
    BLOCK_ROOM_MAX = 16 * 1024 * 1024,     /* larger copies go into several blocks */
};

/* ---- blocks ---- */

void reply_init(struct reply *reply, struct chunk_pool *pool, uint8_t resp) {
    memset(reply, 0, sizeof(*reply));
    reply->pool = pool;
    reply->resp = resp;
    reply->starts_small = true;
}

static void reply_forget(struct reply *reply) {
    reply->cursor = reply->limit = NULL;
    reply->head = reply->tail = NULL;
    reply->closed_bytes = 0;
    reply->memory_bytes = 0;
    reply->block_count = 0;
}

static void drop_scratch(struct reply *reply) {
    if (reply->scratch) chunk_pool_put_small(reply->pool, reply->scratch);
    reply->scratch = NULL;
}

void reply_deinit(struct reply *reply) {
    reply_blocks_free(reply->pool, reply->head);
    drop_scratch(reply);
    reply_forget(reply);
}

void reply_blocks_free(struct chunk_pool *pool, struct reply_block *head) {
    while (head) {
        struct reply_block *next = head->next;
        if (head->pin) {
            blob_release(head->pin);
            mem_free_sized(head, sizeof(*head));
        } else if (head->room == SMALL_ROOM) {
            chunk_pool_put_small(pool, head);
        } else if (head->room == CHUNK_ROOM) {
            chunk_pool_put(pool, head);
        } else {
            mem_free_sized(head, sizeof(*head) + head->room);
        }
        head = next;
    }
}

void reply_set_muted(struct reply *reply, bool muted) {
    if (reply->muted == muted) return;
    reply->muted = muted;
    struct reply_block *tail = reply->tail;
    if (muted || !tail || tail->pin) {
        reply->limit = reply->cursor;
    } else {
        reply->limit = (char *)(tail + 1) + tail->room;
    }
    if (!muted) drop_scratch(reply);
}

static void close_tail(struct reply *reply) {
    struct reply_block *tail = reply->tail;
    if (!tail) return;
    if (!tail->pin) tail->size = (uint32_t)(reply->cursor - tail->data);
    reply->closed_bytes += reply_block_size(tail);
}

static void push_block(struct reply *reply, struct reply_block *block) {
    close_tail(reply);
    block->next = NULL;
    if (reply->tail) {
        reply->tail->next = block;
    } else {
        reply->head = block;
    }
    reply->tail = block;
    reply->block_count++;
}

size_t reply_buffer_size(const struct reply *reply) {
    if (reply->tail && !reply->tail->pin) return sizeof(*reply->tail) + reply->tail->room;
    return reply->starts_small ? CHUNK_SMALL_SIZE : CHUNK_SIZE;
}

void reply_expect(struct reply *reply, size_t bytes) { reply->starts_small = bytes <= SMALL_ROOM; }

/* A new block for at least size bytes, and how many it has room for. */
static struct reply_block *take_block(struct reply *reply, size_t size, size_t *room) {
    if (likely(reply->starts_small && !reply->tail && size <= SMALL_ROOM)) {
        *room = SMALL_ROOM;
        return chunk_pool_take_small(reply->pool);
    }
    if (reply->tail) reply->starts_small = false;
    *room = size_max(size, CHUNK_ROOM);
    if (*room == CHUNK_ROOM) return chunk_pool_take(reply->pool);
    check(*room <= BLOCK_ROOM_MAX);
    return mem_alloc(sizeof(struct reply_block) + *room);
}

/* Goes on in a new block with room for at least size bytes. */
static void open_block(struct reply *reply, size_t size) {
    size_t room;
    struct reply_block *block = take_block(reply, size, &room);
    push_block(reply, block);
    block->pin = NULL;
    block->data = (const char *)(block + 1);
    block->size = 0;
    block->room = (uint32_t)room;
    block->pin_size = 0;
    reply->cursor = (char *)(block + 1);
    reply->limit = reply->cursor + room;
    reply->memory_bytes += sizeof(*block) + room;
}

/* The bytes of the blob are the next ones; the reply keeps a reference of its own. */
static void push_pin(struct reply *reply, struct blob *blob, size_t size) {
    struct reply_block *block = mem_alloc(sizeof(*block));
    push_block(reply, block);
    block->pin = blob_retain(blob);
    block->data = blob->data;
    block->size = 0;
    block->room = 0;
    block->pin_size = size;
    reply->cursor = reply->limit = blob->data + size; /* no room: nothing is written there */
    reply->memory_bytes += sizeof(*block);
}

struct reply_block *reply_take(struct reply *reply) {
    struct reply_block *head = reply->head;
    close_tail(reply);
    reply_forget(reply);
    return head;
}

void reply_raw_slow(struct reply *reply, const char *data, size_t size) {
    if (reply->muted) return;
    size_t fits = (size_t)(reply->limit - reply->cursor);
    if (fits) {
        fits = size_min(fits, size);
        memcpy(reply->cursor, data, fits);
        reply->cursor += fits;
        data += fits;
        size -= fits;
    }
    while (size) {
        size_t piece = size_min(size, BLOCK_ROOM_MAX);
        open_block(reply, piece);
        memcpy(reply->cursor, data, piece);
        reply->cursor += piece;
        data += piece;
        size -= piece;
    }
}

char *reply_room_slow(struct reply *reply, size_t size) {
    check(size <= ROOM_MAX);
    if (reply->muted) {
        if (!reply->scratch) reply->scratch = chunk_pool_take_small(reply->pool);
        return reply->scratch;
    }
    open_block(reply, size);
    return reply->cursor;
}

/* ---- pieces ---- */

static char *put_crlf(char *p) {
    memcpy(p, "\r\n", 2);
    return p + 2;
}

/* Type, number, CR LF at p, which has room for HEADER_MAX. Returns their end. */
always_inline_fn char *put_header(char *p, char type, uint64_t value) {
    *p++ = type;
    if (likely(value < 10)) {
        *p++ = (char)('0' + value);
    } else if (likely(value < 100)) {
        *p++ = (char)('0' + value / 10);
        *p++ = (char)('0' + value % 10);
    } else {
        p += num_format_u64(p, value);
    }
    return put_crlf(p);
}

static void header(struct reply *reply, char type, uint64_t value) {
    char *start = reply_room(reply, HEADER_MAX);
    reply_commit(reply, (size_t)(put_header(start, type, value) - start));
}

/* A line of its own: type, text, CR LF. Line breaks in the text become spaces. */
static void line(struct reply *reply, char type, struct bytes text) {
    reply_raw(reply, &type, 1);
    while (text.size) {
        size_t n = size_min(text.size, ROOM_MAX);
        char *out = reply_room(reply, n);
        for (size_t i = 0; i < n; i++) {
            char c = text.data[i];
            out[i] = c == '\r' || c == '\n' ? ' ' : c;
        }
        reply_commit(reply, n);
        text = bytes_from(text, n);
    }
    reply_raw(reply, "\r\n", 2);
}

/* ---- strings and numbers ---- */

void reply_simple(struct reply *reply, struct bytes text) { line(reply, '+', text); }

void reply_error(struct reply *reply, struct bytes text) { line(reply, '-', text); }

void reply_integer(struct reply *reply, int64_t value) {
    char *start = reply_room(reply, HEADER_MAX);
    char *p;
    if (likely(value >= 0)) {
        p = put_header(start, ':', (uint64_t)value);
    } else {
        *start = ':';
        p = put_crlf(start + 1 + num_format_i64(start + 1, value));
    }
    reply_commit(reply, (size_t)(p - start));
}

void reply_bulk(struct reply *reply, struct bytes bytes) {
    if (likely((size_t)(reply->limit - reply->cursor) >= bytes.size + HEADER_MAX + 2)) {
        char *p = put_header(reply->cursor, '$', bytes.size);
        if (bytes.size) memcpy(p, bytes.data, bytes.size);
        reply->cursor = put_crlf(p + bytes.size);
        return;
    }
    header(reply, '$', bytes.size);
    if (bytes.size) reply_raw(reply, bytes.data, bytes.size);
    reply_raw(reply, "\r\n", 2);
}

void reply_bulk_text(struct reply *reply, const char *text) { reply_bulk(reply, bytes_of(text)); }

void reply_bulk_i64(struct reply *reply, int64_t value) {
    char text[NUM_I64_TEXT_MAX];
    reply_bulk(reply, bytes_make(text, num_format_i64(text, value)));
}

void reply_bulkf(struct reply *reply, const char *fmt, ...) {
    char text[512];
    va_list args;
    va_start(args, fmt);
    int size = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    check(size >= 0);
    if ((size_t)size < sizeof(text)) {
        reply_bulk(reply, bytes_make(text, (size_t)size));
        return;
    }
    struct buf buf = {0};
    va_start(args, fmt);
    buf_vaddf(&buf, fmt, args);
    va_end(args);
    reply_bulk(reply, buf_bytes(&buf));
    buf_deinit(&buf);
}

void reply_blob(struct reply *reply, struct blob *blob) {
    if (blob->size < REPLY_PIN_MIN || reply->muted) {
        reply_bulk(reply, blob_bytes(blob));
        return;
    }
    header(reply, '$', blob->size);
    /* The CR LF behind the bytes is sent with them. It is not part of what is immutable, and
     * written only if nobody has yet, so that no thread that sends it sees it change. */
    char *tail = blob->data + blob->size;
    if (memcmp(tail, "\r\n", BLOB_TAIL) != 0) memcpy(tail, "\r\n", BLOB_TAIL);
    push_pin(reply, blob, blob->size + BLOB_TAIL);
}

void reply_null(struct reply *reply) {
    if (reply->resp == 3) {
        reply_raw(reply, "_\r\n", 3);
    } else {
        reply_raw(reply, "$-1\r\n", 5);
    }
}

void reply_null_array(struct reply *reply) {
    if (reply->resp == 3) {
        reply_raw(reply, "_\r\n", 3);
    } else {
        reply_raw(reply, "*-1\r\n", 5);
    }
}

void reply_bool(struct reply *reply, bool value) {
    if (reply->resp == 3) {
        reply_raw(reply, value ? "#t\r\n" : "#f\r\n", 4);
    } else {
        reply_raw(reply, value ? ":1\r\n" : ":0\r\n", 4);
    }
}

void reply_double(struct reply *reply, double value) {
    char text[NUM_DOUBLE_TEXT_MAX];
    struct bytes bytes = bytes_make(text, num_format_double(text, value));
    if (reply->resp == 3) {
        line(reply, ',', bytes);
    } else {
        reply_bulk(reply, bytes);
    }
}

void reply_bignum(struct reply *reply, struct bytes digits) {
    if (reply->resp == 3) {
        line(reply, '(', digits);
    } else {
        reply_bulk(reply, digits);
    }
}

void reply_verbatim(struct reply *reply, const char *format, struct bytes text) {
    if (reply->resp != 3) {
        reply_bulk(reply, text);
        return;
    }
    check(strlen(format) == 3);
    header(reply, '=', text.size + 4);
    reply_raw(reply, format, 3);
    reply_raw(reply, ":", 1);
    if (text.size) reply_raw(reply, text.data, text.size);
    reply_raw(reply, "\r\n", 2);
}

/* ---- aggregates ---- */

void reply_array(struct reply *reply, size_t count) { header(reply, '*', count); }

void reply_map(struct reply *reply, size_t pairs) {
    if (reply->resp == 3) {
        header(reply, '%', pairs);
    } else {
        header(reply, '*', pairs * 2);
    }
}

void reply_set(struct reply *reply, size_t count) {
    header(reply, reply->resp == 3 ? '~' : '*', count);
}

void reply_push(struct reply *reply, size_t count) {
    header(reply, reply->resp == 3 ? '>' : '*', count);
}

void reply_attribute(struct reply *reply, size_t pairs) {
    check(reply->resp == 3);
    header(reply, '|', pairs);
}

struct reply_mark reply_defer(struct reply *reply) {
    if (reply->muted) return (struct reply_mark){.block = NULL};
    char *at = reply_room(reply, HEADER_MAX);
    reply_commit(reply, HEADER_MAX);
    return (struct reply_mark){.block = reply->tail, .offset = (uint32_t)(at - reply->tail->data)};
}

/* Writes the header, and closes the gap between it and what follows in its block. */
static void settle(struct reply *reply, struct reply_mark mark, char type, size_t count) {
    struct reply_block *block = mark.block;
    if (!block) return;
    char *data = (char *)(block + 1);
    check(!block->pin && mark.offset + HEADER_MAX <= block->room);
    char *start = data + mark.offset;
    char *rest = start + HEADER_MAX;
    char *end = block == reply->tail ? reply->cursor : data + block->size;
    char *header_end = put_header(start, type, count);
    size_t gap = (size_t)(rest - header_end);
    check(end >= rest);
    memmove(header_end, rest, (size_t)(end - rest));
    if (block == reply->tail) {
        reply->cursor -= gap;
        if (reply->muted) reply->limit = reply->cursor;
    } else {
        block->size -= (uint32_t)gap;
        reply->closed_bytes -= gap;
    }
}

void reply_defer_array(struct reply *reply, struct reply_mark mark, size_t count) {
    settle(reply, mark, '*', count);
}

void reply_defer_map(struct reply *reply, struct reply_mark mark, size_t pairs) {
    if (reply->resp == 3) {
        settle(reply, mark, '%', pairs);
    } else {
        settle(reply, mark, '*', pairs * 2);
    }
}

void reply_defer_set(struct reply *reply, struct reply_mark mark, size_t count) {
    settle(reply, mark, reply->resp == 3 ? '~' : '*', count);
}
