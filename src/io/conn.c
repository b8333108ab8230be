/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/conn.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/syscall.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
    CONN_ARGS_FULL = BATCH_ARGS - 32, /* slices in a batch that leave no room for most requests */
    CONN_ROOM_MIN = 4096,             /* less free input than this: make room before receiving */
    CONN_BIG_READS = 16,         /* receive calls for one large argument before others get a turn */
    CONN_IOV = 64,               /* blocks gathered by one system call */
    CONN_WRITE_MAX = 256 * 1024, /* bytes written before others get a turn */
};

void conn_init(struct conn *conn, int fd, struct chunk_pool *pool, int64_t bulk_max, uint8_t resp) {
    memset(conn, 0, sizeof(*conn));
    reply_init(&conn->out, pool, resp);
    conn->fd = fd;
    conn->owner = CONN_EXECUTOR;
    parser_init(&conn->parser, bulk_max);
}

/* ---- memory: executor ---- */

static void conn_drop_input(struct conn *conn, struct chunk_pool *pool) {
    if (conn->in_is_chunk) {
        chunk_pool_put(pool, conn->in);
    } else {
        mem_free(conn->in);
    }
    conn->in = NULL;
    conn->in_is_chunk = false;
    conn->start = conn->end = conn->cap = 0;
}

void conn_deinit(struct conn *conn, struct chunk_pool *pool) {
    check(conn->owner == CONN_EXECUTOR);
    if (conn->batch) {
        for (unsigned i = conn->batch->next; i < conn->batch->count; i++)
            request_release(&conn->batch->requests[i]);
        mem_free(conn->batch);
        conn->batch = NULL;
    }
    parser_deinit(&conn->parser);
    if (conn->in) conn_drop_input(conn, pool);
    if (conn->old_chunk) chunk_pool_put(pool, conn->old_chunk);
    conn->old_chunk = NULL;
    reply_blocks_free(pool, conn->sending);
    conn->sending = conn->sending_now = NULL;
    reply_deinit(&conn->out);
}

void conn_lend_memory(struct conn *conn, struct chunk_pool *pool, struct batch **free_batches) {
    if (!conn->in) {
        conn->in = chunk_pool_take(pool);
        conn->in_is_chunk = true;
        conn->cap = CHUNK_SIZE;
        conn->start = conn->end = 0;
    }
    if (!conn->batch) {
        conn->batch = *free_batches;
        if (conn->batch) {
            *free_batches = conn->batch->next_free;
        } else {
            conn->batch = mem_alloc(sizeof(*conn->batch));
        }
        batch_reset(conn->batch);
    }
}

static const char *conn_first_needed(const struct conn *conn) {
    const char *needed = parser_first_needed(&conn->parser);
    return needed ? needed : conn->in + conn->start;
}

bool conn_has_input(const struct conn *conn) { return conn->start < conn->end; }

void conn_trim(struct conn *conn, struct chunk_pool *pool, struct batch **free_batches) {
    dcheck(conn->owner == CONN_EXECUTOR);
    if (conn->old_chunk) {
        chunk_pool_put(pool, conn->old_chunk);
        conn->old_chunk = NULL;
    }
    if (conn->batch) {
        check(conn->batch->next == conn->batch->count);
        conn->batch->next_free = *free_batches;
        *free_batches = conn->batch;
        conn->batch = NULL;
    }
    if (!conn->in || conn->start < conn->end) return;
    if (parser_first_needed(&conn->parser)) return;
    conn_drop_input(conn, pool);
}

size_t conn_output_bytes(const struct conn *conn) {
    size_t bytes = reply_memory_bytes(&conn->out);
    for (const struct reply_block *block = conn->sending; block; block = block->next)
        bytes += sizeof(*block) + block->room;
    return bytes;
}

size_t conn_memory_bytes(const struct conn *conn) {
    size_t bytes = conn_output_bytes(conn);
    if (conn->in) bytes += conn->cap;
    if (conn->parser.big) bytes += conn->parser.big->size;
    if (conn->parser.partial.big) bytes += (size_t)conn->parser.partial.wire_bytes;
    bytes += conn->parser.args_cap * sizeof(struct bytes);
    if (conn->batch) bytes += sizeof(struct batch);
    return bytes;
}

/* ---- reading: whoever owns it ---- */

/* Makes room behind end: moves what is still needed to the front, or to a larger allocation. The
 * batch is empty, so only the parser points into the input. False: the limit is reached. */
static bool conn_make_room(struct conn *conn) {
    if (conn->cap - conn->end >= CONN_ROOM_MIN) return true;
    const char *needed = conn_first_needed(conn);
    size_t keep = (size_t)(conn->in + conn->end - needed);
    size_t skip = (size_t)(needed - conn->in);
    char *to = conn->in;
    if (conn->cap - keep < CONN_ROOM_MIN) {
        if (keep >= conn->input_limit) return false;
        size_t cap = conn->cap * 2;
        to = mem_try_alloc(cap);
        if (!to) return false;
        conn->cap = cap;
    }
    memmove(to, needed, keep);
    parser_rebase(&conn->parser, needed, keep, to);
    conn->start -= skip;
    conn->end -= skip;
    if (to == conn->in) return true;
    if (conn->in_is_chunk) {
        check(!conn->old_chunk);
        conn->old_chunk = conn->in; /* pools are the executor's: it goes back in conn_trim */
        conn->in_is_chunk = false;
    } else {
        mem_free(conn->in);
    }
    conn->in = to;
    return true;
}

/* Names the command: by the name the connection used last, or by the table. */
static const struct command *conn_find_command(struct conn *conn, const struct conn_reader *reader,
                                               struct bytes name) {
    if (name.size == conn->last_name_size &&
        bytes_run_equal(name.data, conn->last_name, name.size)) {
        return conn->last_command;
    }
    const struct command *command = command_find(reader->commands, name);
    if (command && name.size <= sizeof(conn->last_name)) {
        memcpy(conn->last_name, name.data, name.size);
        conn->last_name_size = (uint8_t)name.size;
        conn->last_command = command;
    }
    return command;
}

static void conn_resolve(struct conn *conn, const struct conn_reader *reader,
                         struct request *request) {
    const struct command *command = conn_find_command(conn, reader, request->argv[0]);
    request->fault = REQUEST_FINE;
    request->command = command;
    if (unlikely(!command)) {
        request->fault = REQUEST_UNKNOWN_COMMAND;
        return;
    }
    if (command->sub_count && request->argc > 1) {
        const struct command *sub = command_find_sub(command, request->argv[1]);
        if (!sub) {
            request->fault = REQUEST_UNKNOWN_COMMAND;
            return;
        }
        request->command = command = sub;
    }
    if (unlikely(!command_arity_fits(command, request->argc))) {
        request->fault = REQUEST_WRONG_ARITY;
        return;
    }
    if (unlikely(request->wire_bytes > COMMAND_KEY_BYTES_MAX) &&
        !command_keys_fit(command, request->argv, request->argc)) {
        request->fault = REQUEST_KEY_TOO_LONG;
        return;
    }
    uint32_t first = command_first_key(command, request->argc);
    if (first) request->hash = hash_bytes(request->argv[first]);
}

void conn_parse(struct conn *conn, const struct conn_reader *reader) {
    struct batch *batch = conn->batch;
    struct bytes input = bytes_make(conn->in + conn->start, conn->end - conn->start);
    while (batch->count < BATCH_REQUESTS && batch->args_used <= CONN_ARGS_FULL) {
        struct request *request = &batch->requests[batch->count];
        enum parse_result result = parser_next(&conn->parser, &input, batch, request);
        if (result == PARSE_REQUEST) {
            conn_resolve(conn, reader, request);
            batch->count++;
            /* What follows an unauthenticated request is read by its own limits, one at a time:
             * the limits may be lifted by this one. */
            if (unlikely(conn->parser.preauth)) break;
            if (!input.size && !parser_is_mid_request(&conn->parser)) break;
        } else {
            if (result == PARSE_ERROR) conn->read_status = CONN_BAD_INPUT;
            break;
        }
    }
    conn->start = (size_t)(input.data - conn->in);
}

/* Both return what the system call does, or -errno. */
always_inline_fn ssize_t conn_recv(int fd, char *data, size_t size) {
#if SYSCALL_INLINE
    return syscall_inline(SYS_recvfrom, fd, (long)(uintptr_t)data, (long)size, 0, 0);
#else
    ssize_t n = recv(fd, data, size, 0);
    return n == -1 ? -errno : n;
#endif
}
always_inline_fn ssize_t conn_send(int fd, const char *data, size_t size) {
#if SYSCALL_INLINE
    return syscall_inline(SYS_sendto, fd, (long)(uintptr_t)data, (long)size, MSG_NOSIGNAL, 0);
#else
    ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
    return n == -1 ? -errno : n;
#endif
}

/* What a receive that brought nothing means. */
static never_inline void conn_received_nothing(struct conn *conn, ssize_t n) {
    if (n == 0) {
        conn->read_status = CONN_ENDED;
    } else if (n == -EAGAIN || n == -EWOULDBLOCK) {
        conn->read_status = CONN_AGAIN;
    } else {
        conn->read_status = CONN_FAILED;
        conn->error_number = (int)-n;
    }
}

/* One receive into [data, data + room). Sets read_status; returns the bytes, 0 if there are none.
 * Inlined, as all that is above a system call: the kernel spoils the processor's memory of where
 * calls return to. */
always_inline_fn size_t conn_receive(struct conn *conn, char *data, size_t room) {
    ssize_t n;
    do {
        n = conn_recv(conn->fd, data, room);
    } while (unlikely(n == -EINTR));
    if (unlikely(n <= 0)) {
        conn_received_nothing(conn, n);
        return 0;
    }
    conn->bytes_in += (uint64_t)n;
    /* A short read means the socket was empty, unless the peer's end is known to follow. */
    conn->read_status = (size_t)n == room || conn->hangup ? CONN_FINE : CONN_AGAIN;
    return (size_t)n;
}

/* The same from bytes that the kernel has already delivered. */
static never_inline size_t conn_take_fed(struct conn *conn, char *data, size_t room) {
    if (!conn->fed_size) {
        conn->read_status = CONN_AGAIN;
        if (conn->fed_ended) conn->read_status = conn->error_number ? CONN_FAILED : CONN_ENDED;
        return 0;
    }
    size_t n = size_min(room, conn->fed_size);
    memcpy(data, conn->fed, n);
    conn->fed += n;
    conn->fed_size -= n;
    conn->bytes_in += n;
    conn->read_status = conn->fed_size ? CONN_FINE : CONN_AGAIN;
    return n;
}

always_inline_fn size_t conn_get(struct conn *conn, char *data, size_t room) {
    if (unlikely(conn->uses_feed)) return conn_take_fed(conn, data, room);
    return conn_receive(conn, data, room);
}

void conn_feed(struct conn *conn, const char *data, size_t size, uint32_t buffer) {
    struct conn_fed *fed = mem_alloc(sizeof(*fed));
    *fed = (struct conn_fed){.data = data, .size = size, .buffer = buffer};
    if (conn->fed_tail) {
        conn->fed_tail->next = fed;
    } else {
        conn->fed_head = fed;
    }
    conn->fed_tail = fed;
    conn->fed_waiting++;
}

void conn_feed_next(struct conn *conn) {
    struct conn_fed *fed = conn->fed_head;
    if (!fed) return;
    check(!conn->fed);
    conn->fed = fed->data;
    conn->fed_size = fed->size;
    conn->fed_buffer = fed->buffer;
    conn->fed_head = fed->next;
    conn->fed_waiting--;
    if (!conn->fed_head) conn->fed_tail = NULL;
    mem_free(fed);
}

bool conn_feed_drop(struct conn *conn, uint32_t *buffer) {
    if (!conn->fed) conn_feed_next(conn);
    if (!conn->fed) return false;
    *buffer = conn->fed_buffer;
    conn->fed = NULL;
    conn->fed_size = 0;
    return true;
}

/* Fills a large argument in its own blob. True when it is complete. */
static never_inline bool conn_read_big(struct conn *conn) {
    for (int i = 0; i < CONN_BIG_READS; i++) {
        char *data;
        size_t room;
        if (!parser_big_room(&conn->parser, &data, &room)) {
            conn->read_status = CONN_BAD_INPUT;
            return false;
        }
        size_t n = conn_get(conn, data, room);
        parser_big_filled(&conn->parser, n);
        if (parser_big_is_full(&conn->parser)) {
            if (parser_big_done(&conn->parser)) return true;
            conn->read_status = CONN_BAD_INPUT;
            return false;
        }
        if (conn->read_status != CONN_FINE) return false;
    }
    return false;
}

/* Bytes of an unfinished request, wherever they are, and what follows it. */
static size_t conn_input_held(const struct conn *conn) {
    const struct parser *parser = &conn->parser;
    return conn->end - conn->start + (size_t)parser->partial.wire_bytes +
           (parser->big ? parser->big_filled : 0);
}

always_inline_fn void conn_read_once(struct conn *conn, const struct conn_reader *reader) {
    if (conn->parser.big) {
        if (!conn_read_big(conn)) return;
        conn_parse(conn, reader);
        if (conn->batch->count || conn->read_status != CONN_FINE) return;
    }
    if (!conn_make_room(conn)) {
        conn->read_status = CONN_TOO_BIG;
        return;
    }
    size_t n = conn_get(conn, conn->in + conn->end, conn->cap - conn->end);
    if (n == 0) return;
    conn->end += n;
    size_t held = conn->end - conn->start;
    if (held > conn->input_peak) conn->input_peak = held;
    conn_parse(conn, reader);
    if (conn->parser.big && !conn->batch->count && conn->read_status == CONN_FINE) {
        if (conn_read_big(conn)) conn_parse(conn, reader);
    }
}

void conn_read(struct conn *conn, const struct conn_reader *reader) {
    dcheck(conn->in && conn->batch && conn->batch->count == 0);
    if (conn_input_held(conn) > conn->input_limit) {
        conn->read_status = CONN_TOO_BIG;
        return;
    }
    conn_read_once(conn, reader);
    /* Now, not at the next read: what is over the limit may be all that ever comes. */
    if (likely(conn->batch->count) || conn_input_held(conn) <= conn->input_limit) return;
    if (conn->read_status == CONN_FINE || conn->read_status == CONN_AGAIN)
        conn->read_status = CONN_TOO_BIG;
}

/* ---- writing: whoever owns it ---- */

bool conn_take_output(struct conn *conn) {
    if (conn->sending) return true;
    conn->sending_bytes = reply_size(&conn->out);
    if (conn->sending_bytes > conn->reply_peak)
        conn->reply_peak = (uint32_t)size_min(conn->sending_bytes, UINT32_MAX);
    conn->sending = conn->sending_now = reply_take(&conn->out);
    conn->sending_offset = 0;
    return conn->sending != NULL;
}

/* Moves the position in sending by n bytes. */
void conn_advance(struct conn *conn, size_t n) {
    conn->bytes_out += n;
    conn->sending_bytes -= n;
    while (conn->sending_now) {
        uint64_t left = reply_block_size(conn->sending_now) - conn->sending_offset;
        if (n < left) {
            conn->sending_offset += n;
            return;
        }
        n -= left;
        conn->sending_now = conn->sending_now->next;
        conn->sending_offset = 0;
    }
    check(n == 0);
}

/* One call for several blocks; what it returns, or -errno. */
static never_inline ssize_t conn_write_blocks(struct conn *conn, size_t max) {
    const struct reply_block *block = conn->sending_now;
    size_t offset = conn->sending_offset;
    struct iovec iov[CONN_IOV];
    int count = 0;
    for (; block && count < CONN_IOV && max > 0; block = block->next) {
        iov[count].iov_base = (char *)(uintptr_t)block->data + offset;
        iov[count].iov_len = size_min(reply_block_size(block) - offset, max);
        max -= iov[count].iov_len;
        offset = 0;
        count++;
    }
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = (size_t)count};
    ssize_t n = sendmsg(conn->fd, &message, MSG_NOSIGNAL);
    return n == -1 ? -errno : n;
}

always_inline_fn ssize_t conn_write_some(struct conn *conn, size_t max) {
    const struct reply_block *block = conn->sending_now;
    size_t offset = conn->sending_offset;
    if (block->next) return conn_write_blocks(conn, max);
    return conn_send(conn->fd, block->data + offset,
                     size_min(reply_block_size(block) - offset, max));
}

void conn_write(struct conn *conn) {
    size_t written = 0;
    conn->write_status = CONN_FINE;
    while (conn->sending_now) {
        ssize_t n = conn_write_some(conn, CONN_WRITE_MAX - written);
        if (unlikely(n < 0)) {
            if (n == -EINTR) continue;
            bool full = n == -EAGAIN || n == -EWOULDBLOCK;
            conn->write_status = full ? CONN_AGAIN : CONN_FAILED;
            conn->error_number = (int)-n;
            return;
        }
        conn_advance(conn, (size_t)n);
        written += (size_t)n;
        if (written >= CONN_WRITE_MAX) return; /* status FINE with output left: once more later */
    }
}

void conn_sent(struct conn *conn, struct chunk_pool *pool) {
    struct reply_block *head = conn->sending;
    if (head == conn->sending_now) return;
    struct reply_block *last = head;
    while (last->next != conn->sending_now)
        last = last->next;
    last->next = NULL;
    conn->sending = conn->sending_now;
    reply_blocks_free(pool, head);
}
