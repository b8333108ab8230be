/* SPDX-License-Identifier: BSD-3-Clause */
/* conn -- one connection: its input, parser, parsed requests and output.
 *
 * A connection is lent to a worker inside a job and comes back inside the completion; conn.owner
 * says who has it, and io.c alone changes that.
 *
 *   input:  in[start, end) not yet parsed (or needed by the parser), in[end, cap) free
 *   batch:  requests parsed and not yet executed; their slices point into in
 *   out:    replies that the executor appends at any time
 *   sending: blocks taken from out, owned by whoever writes
 *
 * An idle connection has no input memory, no batch and no blocks. */
#pragma once

#include "base/attr.h"
#include "resp/parser.h"
#include "resp/reply.h"
#include "spec/command.h"

enum conn_owner { CONN_EXECUTOR = 0, CONN_WORKER };

enum conn_status { /* what reading or writing met */
                   CONN_FINE = 0,
                   CONN_AGAIN,     /* nothing (more) to read now, or the peer takes no more */
                   CONN_ENDED,     /* the peer has closed */
                   CONN_FAILED,    /* error in conn.error_number */
                   CONN_BAD_INPUT, /* protocol error in parser.error; the requests before it are in
                                      the batch */
                   CONN_TOO_BIG,   /* the input exceeds client-query-buffer-limit */
};

struct conn_fed { /* a received buffer that waits */
    struct conn_fed *next;
    const char *data;
    size_t size;
    uint32_t buffer;
};

struct conn {
    /* executor only */
    struct reply out;
    uint8_t owner;        /* enum conn_owner */
    bool readable;        /* there may be something to read */
    bool readable_anew;   /* epoll said so while it was lent */
    bool hangup_seen;     /* the peer's end has been announced */
    bool write_blocked;   /* waits for REACTOR_WRITABLE */
    bool send_in_flight;  /* io_uring: the kernel reads sending */
    bool queued_read;     /* in the executor's list of connections to read from */
    bool queued_ready;    /* in its list of connections with requests */
    bool queued_write;    /* in its list of connections with output */
    bool receive_paused;  /* io_uring was told to stop receiving */
    uint8_t reply_period; /* of reply_peak: see exec's reply_sizing */
    uint32_t fed_waiting; /* buffers behind fed_head */
    struct conn *next_read, *next_ready, *next_write;
    struct conn_fed *fed_head, *fed_tail; /* received after fed, oldest first */
    uint64_t bytes_in_counted, bytes_out_counted;

    /* whoever owns it */
    int fd;
    uint8_t read_status;  /* enum conn_status of the last read */
    uint8_t write_status; /* the same of the last write; FINE with output left: write again */
    bool hangup;          /* hangup_seen, when it was lent */
    bool in_is_chunk;     /* in is a chunk of the pool, not an allocation */
    int error_number;
    uint32_t fed_buffer; /* of fed */
    struct batch *batch; /* NULL when idle */
    char *in;            /* NULL when idle */
    size_t start, end, cap;
    char *old_chunk;        /* input before it was enlarged: back to the pool later */
    bool uses_feed;         /* io_uring: bytes come by conn_feed, recv is never called */
    bool fed_ended;         /* after what was fed: the peer's end, or error_number */
    uint8_t last_name_size; /* here, where there is room: the client just fits its size class */
    uint32_t reply_peak;    /* the same; executor only: most bytes of output taken at once */
    const char *fed;        /* the received bytes to take next, or NULL */
    size_t fed_size;
    struct parser parser;
    const struct command *last_command; /* pipelines repeat themselves */
    char last_name[16];                 /* as it was sent */
    struct reply_block *sending;        /* all that was taken, freed by the executor */
    struct reply_block *sending_now;    /* the first block not wholly sent; NULL: all is sent */
    size_t sending_offset;              /* bytes of sending_now already sent */
    uint64_t sending_bytes;             /* not yet sent, of sending_now and what follows it */
    uint64_t bytes_in, bytes_out;
    size_t input_limit; /* client-query-buffer-limit */
    size_t input_peak;  /* most bytes that waited, since last counted */
};

void conn_init(struct conn *conn, int fd, struct chunk_pool *pool, int64_t bulk_max, uint8_t resp);
/* Frees all memory; the fd is the caller's. Executor only. */
void conn_deinit(struct conn *conn, struct chunk_pool *pool);

struct conn_reader { /* what reading needs to know; constant while jobs are out */
    const struct command_table *commands;
};
/* Executor: hands received bytes over; they stay the reactor's until fed is NULL again. */
void conn_feed(struct conn *conn, const char *data, size_t size, uint32_t buffer);
/* Executor: makes the oldest waiting buffer the one to read from. */
void conn_feed_next(struct conn *conn);
/* Executor: takes a waiting buffer out, for giving it back. False: none. */
bool conn_feed_drop(struct conn *conn, uint32_t *buffer);
/* Executor: gives it an input chunk and an empty batch if it has none, for conn_read. */
void conn_lend_memory(struct conn *conn, struct chunk_pool *pool, struct batch **free_batches);
/* Receives (or takes what was fed) and parses until the batch is full or the input is used up.
 * Looks commands up, checks arity, hashes the first key. Sets read_status. in and batch must be
 * there. */
void conn_read(struct conn *conn, const struct conn_reader *reader);
/* Parses more from what is in the input; for a batch that was full. */
void conn_parse(struct conn *conn, const struct conn_reader *reader);
/* Writes what is in sending; sets write_status: CONN_FINE when all is sent. */
void conn_write(struct conn *conn);
/* n more bytes of sending have been taken by the kernel. */
void conn_advance(struct conn *conn, size_t n);
/* Executor: moves out to sending. False if there is nothing to send. */
bool conn_take_output(struct conn *conn);
/* Executor: frees the blocks that have been sent. */
void conn_sent(struct conn *conn, struct chunk_pool *pool);
/* Executor: the batch is executed: drops it, and the input if all of it is used. */
void conn_trim(struct conn *conn, struct chunk_pool *pool, struct batch **free_batches);
bool conn_has_input(const struct conn *conn); /* bytes that may hold further requests */
size_t conn_memory_bytes(const struct conn *conn);
/* The part of it in out and sending. Also right while it is lent: a worker only moves its place in
 * sending, the blocks stay as they are. */
size_t conn_output_bytes(const struct conn *conn);
