/* SPDX-License-Identifier: BSD-3-Clause */
/* reply_reader -- replies of a server out of bytes, RESP2 and RESP3: a client's side.
 *
 * A reader takes all input it is given, in pieces of any size, and keeps what it needs of an
 * unfinished reply: the callers keep no bytes. It builds trees of values (reply_reader_next), or
 * only finds where replies end (reply_reader_skip), for programs that count them.
 *
 *   header line ──▶ status, error, number, null: done
 *               ──▶ '$n' '=n' '!n': n bytes, CR LF: done
 *               ──▶ '*n' '~n' '>n' '%n': that many values (of a map, twice), one level deeper
 *               ──▶ '|n': an attribute: read, and dropped; the value behind it takes its place
 *
 * The bytes come from outside: memory follows bytes that have arrived, never lengths that were
 * announced; depth and lengths are bounded; whatever is no reply is an error, and the connection
 * is of no further use.
 *
 * 1. Every open aggregate has a frame on the stack; a frame lacks at least one value.
 * 2. Trees: a value of a frame is the last item of the frame below it (or the root), so the arrays
 *    of items that grow are never those with open values in them. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/bytes.h"

enum {
    REPLY_READER_DEPTH = 64,              /* nested aggregates */
    REPLY_READER_LINE_MAX = 16 << 20,     /* bytes of a status, an error, any header line */
    REPLY_READER_TEXT_MAX = 256,          /* bytes of a skipped reply's text that are kept */
    REPLY_READER_COUNT_MAX = INT32_MAX,   /* elements of an aggregate */
    REPLY_READER_BULK_FIRST = 256 * 1024, /* first room for a string, then doubled */
};
#define REPLY_READER_BULK_MAX ((int64_t)1 << 36)

enum resp_kind {
    RESP_STRING = 0, /* bulk string */
    RESP_STATUS,     /* simple string */
    RESP_ERROR,      /* simple or bulk error */
    RESP_INTEGER,
    RESP_NULL, /* also the null string and null array of RESP2 */
    RESP_BOOL,
    RESP_DOUBLE,
    RESP_BIGNUM,
    RESP_VERBATIM,
    RESP_ARRAY,
    RESP_SET,
    RESP_MAP,
    RESP_PUSH,
};

struct resp_value {
    enum resp_kind kind;
    char format[4];    /* VERBATIM: "txt" or "mkd" */
    int64_t integer;   /* INTEGER; BOOL: 0 or 1 */
    double number;     /* DOUBLE */
    struct bytes text; /* owned, with a NUL behind it: STRING, STATUS, ERROR, BIGNUM, VERBATIM,
                        * and of a DOUBLE the number as it was sent */
    struct resp_value *items; /* owned: of an aggregate; MAP: key, value, key, value... */
    size_t count;             /* items; of a MAP twice its pairs */
};

/* A reply that was skipped. */
struct reply_seen {
    enum resp_kind kind;
    int64_t integer;   /* INTEGER, BOOL; aggregates: their elements */
    struct bytes text; /* the first REPLY_READER_TEXT_MAX bytes of a STRING, STATUS, ERROR...;
                        * borrowed: until the next call, or until the input is overwritten */
};

enum reply_read {
    REPLY_READ_WHOLE = 0, /* a whole reply is in *out */
    REPLY_READ_MORE,      /* all input was taken, and the reply goes on */
    REPLY_READ_BROKEN,    /* reader->error says what was no reply; every later call says so again */
};

struct reply_frame {
    struct resp_value *value; /* where the items go; NULL: they are dropped */
    int64_t missing;          /* values to come */
    bool attribute;           /* when complete it was nothing: its value is still to come */
};

struct reply_reader {
    bool keeps; /* builds trees */
    uint8_t depth;
    bool in_bulk;
    enum resp_kind bulk_kind;
    int64_t bulk_left; /* bytes of the string to come, CR LF included */
    struct buf bulk;   /* what is there of a string that is kept */
    struct buf line;   /* what is there of an unfinished line */
    struct resp_value *root;
    struct reply_seen seen;
    char text[REPLY_READER_TEXT_MAX]; /* what seen.text points to if the string came in pieces */
    const char *error;
    struct reply_frame stack[REPLY_READER_DEPTH];
};

/* keeps: the reader is for reply_reader_next, else for reply_reader_skip; never for both. */
void reply_reader_init(struct reply_reader *reader, bool keeps);
void reply_reader_deinit(struct reply_reader *reader);

/* Takes one reply from *input, which is moved past what was taken. *out is the caller's. */
must_use enum reply_read reply_reader_next(struct reply_reader *reader, struct bytes *input,
                                           struct resp_value **out);
/* The same without a tree; allocates nothing but for a header line that came in pieces. */
must_use enum reply_read reply_reader_skip(struct reply_reader *reader, struct bytes *input,
                                           struct reply_seen *out);
/* True if part of a reply has been taken. */
bool reply_reader_is_mid_reply(const struct reply_reader *reader);
void reply_reader_verify(const struct reply_reader *reader);

void resp_value_destroy(struct resp_value **value); /* O(values) */
static inline bool resp_is_error(const struct resp_value *value) {
    return value->kind == RESP_ERROR;
}
static inline bool resp_is_aggregate(const struct resp_value *value) {
    return value->kind >= RESP_ARRAY;
}
/* The value of a map (or of an array of pairs, as RESP2 has them) for this key; NULL without. */
const struct resp_value *resp_find(const struct resp_value *map, const char *key);
/* True if the text of a string, status, error... is this. */
bool resp_is_text(const struct resp_value *value, const char *text);

/* "MOVED 3999 10.0.0.1:6381" and "ASK ...": where a cluster says a slot is. */
struct reply_redirect {
    bool ask;
    uint16_t slot;
    uint16_t port;
    struct bytes host; /* borrowed from the text; empty: the host that sent it */
};
/* False: the error is no redirection, or an ill-formed one. */
must_use bool reply_redirect_parse(struct bytes error, struct reply_redirect *out);
