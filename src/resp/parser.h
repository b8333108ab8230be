/* SPDX-License-Identifier: BSD-3-Clause */
/* parser -- requests out of bytes: RESP arrays of bulk strings, and inline commands.
 *
 * A request that lies whole in the input is read in one pass, its slices written straight into the
 * batch. For an unfinished one the parser keeps its place, so a client that sends one byte at a
 * time costs one step a byte. It never allocates more than the bytes it has seen justify: an array
 * header of a million arguments reserves nothing until they arrive, and a large argument's blob
 * grows as it fills.
 *
 *   START ──'*n'──▶ ARRAY ──'$len'──▶ BULK ──bytes──▶ ARRAY ... ──last argument──▶ START
 *     └──anything else──▶ inline, up to LF
 * A bulk of REQUEST_BIG_ARG bytes or more goes ARRAY ──▶ BIG: the caller reads it into a blob:
 *
 *     case PARSE_BIG:
 *         while (parser_big_room(parser, &data, &room)) -- false: no memory, parser->error is set
 *             receive n bytes to data, parser_big_filled(parser, n)
 *             if (parser_big_is_full(parser)) parser_big_done(parser), then parser_next again
 *
 * 1. The slices of an unfinished request are pointers into the input, in an allocation of their
 *    own (partial.argv), never in a batch: batches may be emptied while it waits.
 * 2. The header lines and whole arguments of an unfinished request are consumed; the argument that
 *    is still arriving, an inline line without its end, and a header line without its end are not.
 * 3. The two bytes behind an argument are skipped, as the reference does, whatever they are. */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "resp/request.h"

enum {
    PARSER_INLINE_MAX = 64 * 1024, /* bytes of an inline line or of a header line */
    PARSER_PREAUTH_ARGS = 10,
    PARSER_PREAUTH_BULK = 16 * 1024,
    PARSER_ARGS_MAX = INT32_MAX,   /* more is an invalid multibulk length */
    PARSER_BULK_MAX_MIN = 1024,    /* the smallest bulk_max that parser_init takes */
    PARSER_BIG_FIRST = 128 * 1024, /* first allocation for a large argument: little enough for
                                    * thousands of clients that only announce one */
    PARSER_BIG_STEP = 1024 * 1024, /* the second one, then doubled */
    PARSER_ARGS_FIRST = 32,        /* first room in partial.argv, then doubled */
};

enum parse_result {
    PARSE_REQUEST = 0, /* a whole request is in *out */
    PARSE_MORE,        /* the bytes end inside a request, or there are none */
    PARSE_BIG,         /* all input is consumed; the caller fills the large argument */
    PARSE_ERROR,       /* protocol error, text in parser->error; the connection must close */
};

struct parser {
    struct request partial; /* the unfinished request; wire_bytes counts what was consumed */
    uint32_t args_expected; /* of the unfinished array */
    uint32_t args_cap;      /* room in partial.argv */
    int64_t bulk_size;      /* of the argument that is being read, or -1 */
    bool in_array;          /* an array header has been read */
    bool preauth;           /* the small limits hold */
    size_t line_seen;       /* bytes at the start of the input known not to end their line */
    int64_t bulk_max;       /* option proto-max-bulk-len */
    struct blob *big;       /* the large argument that is being read; its size is its room so far */
    size_t big_filled;      /* bytes of it that are there, CR LF included */
    const char *error; /* "Protocol error: ..." without the ERR: a static text, or error_text */
    char *error_text;  /* owned: an error that had to be put together, else NULL */
};

void parser_init(struct parser *parser, int64_t bulk_max);
void parser_deinit(struct parser *parser);
/* True if part of a request has been consumed. */
static inline bool parser_is_mid_request(const struct parser *parser) { return parser->in_array; }

/* Takes one request from *input (which it moves past what it consumed). Completed requests go to
 * out, with slices from batch->args if they fit. Empty lines and empty arrays are skipped.
 * On PARSE_MORE, bytes of the unfinished request that slices point to stay the parser's: the
 * caller keeps them in memory, and calls parser_rebase if it moves them. The next call's input
 * begins where this one's was left. After PARSE_ERROR every call returns it again. */
must_use enum parse_result parser_next(struct parser *parser, struct bytes *input,
                                       struct batch *batch, struct request *out);

/* Where the next bytes of the large argument go, and how many fit there: more than none, unless it
 * is full. False: there is no memory for it, which is in parser->error. */
must_use bool parser_big_room(struct parser *parser, char **data, size_t *room);
/* n bytes, at most the room, have been put there. */
void parser_big_filled(struct parser *parser, size_t n);
static inline bool parser_big_is_full(const struct parser *parser) {
    return parser->big && parser->big_filled == (size_t)parser->bulk_size + BLOB_TAIL;
}
/* Makes the full large argument one of the request's: parsing goes on with parser_next. False: it
 * is not full, and nothing happened. */
must_use bool parser_big_done(struct parser *parser);

/* The input [old_start, old_start + size) is now at new_start. */
void parser_rebase(struct parser *parser, const char *old_start, size_t size,
                   const char *new_start);
/* First byte of the input that the unfinished request still needs, or NULL: all that was consumed
 * may go. */
const char *parser_first_needed(const struct parser *parser);

/* Splits a line as the command line tool and inline commands do: spaces, "..." with escapes, '...',
 * quotes anywhere in an argument.
 * *argv is one allocation that the caller frees (slices and bytes), NULL if there are none. False:
 * unbalanced quotes, and nothing was set. O(line.size). */
must_use bool split_args(struct bytes line, struct bytes **argv, uint32_t *argc);
