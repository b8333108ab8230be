/* SPDX-License-Identifier: BSD-3-Clause */
/* feeder -- gives a parser its bytes as a connection does, in pieces of any size, and writes down
 * what comes out. Before each piece all input that is still needed moves to an allocation of
 * exactly its size, so that a stale slice or a read past the end is a finding of the address
 * sanitizer. */
#pragma once

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "resp/parser.h"

struct feeder {
    struct parser parser;
    struct batch batch;
    char *input; /* [start, size) is not consumed */
    size_t start, size;
    struct buf log;                    /* every request, and the error that ended it */
    size_t request_count, apart_count; /* apart: slices did not go to the batch */
    bool failed;
};

static inline void feeder_init(struct feeder *feeder, int64_t bulk_max) {
    memset(feeder, 0, sizeof(*feeder));
    parser_init(&feeder->parser, bulk_max);
    feeder->input = mem_alloc(0);
}

static inline void feeder_deinit(struct feeder *feeder) {
    parser_deinit(&feeder->parser);
    mem_free(feeder->input);
    buf_deinit(&feeder->log);
}

static inline void feeder_log_request(struct feeder *feeder, struct request *request) {
    check(request->argc > 0);
    buf_addf(&feeder->log, "%u args, %llu bytes:", request->argc,
             (unsigned long long)request->wire_bytes);
    for (uint32_t i = 0; i < request->argc; i++) {
        struct bytes arg = request->argv[i];
        check(request_is_big(request, i) == (arg.size >= REQUEST_BIG_ARG && request->big));
        buf_addf(&feeder->log, " %zu/", arg.size);
        buf_add(&feeder->log, arg);
    }
    buf_add_char(&feeder->log, '\n');
    feeder->request_count++;
    if (request->owns_argv) feeder->apart_count++;
}

/* What an unfinished request may hold is bounded by what has arrived. */
static inline void feeder_check_bounds(const struct feeder *feeder) {
    const struct parser *parser = &feeder->parser;
    check(parser->args_cap <= PARSER_ARGS_FIRST || parser->args_cap <= 2 * parser->partial.argc);
    check(!parser->big || parser->big->size <= PARSER_BIG_FIRST ||
          parser->big->size <= 8 * parser->big_filled);
}

/* Parses all there is, in full batches. */
static inline enum parse_result feeder_parse(struct feeder *feeder) {
    enum parse_result result;
    do {
        struct bytes input =
            bytes_make(feeder->input + feeder->start, feeder->size - feeder->start);
        batch_reset(&feeder->batch);
        do {
            struct request *request = &feeder->batch.requests[feeder->batch.count];
            result = parser_next(&feeder->parser, &input, &feeder->batch, request);
            if (result == PARSE_REQUEST) feeder->batch.count++;
        } while (result == PARSE_REQUEST && feeder->batch.count < BATCH_REQUESTS);
        feeder->start = (size_t)(input.data - feeder->input);
        for (unsigned i = 0; i < feeder->batch.count; i++) {
            feeder_log_request(feeder, &feeder->batch.requests[i]);
            request_release(&feeder->batch.requests[i]);
        }
    } while (result == PARSE_REQUEST);
    if (result == PARSE_ERROR) {
        buf_addf(&feeder->log, "error: %s\n", feeder->parser.error);
        feeder->failed = true;
    }
    feeder_check_bounds(feeder);
    return result;
}

static inline void feeder_append(struct feeder *feeder, struct bytes piece) {
    const char *needed = parser_first_needed(&feeder->parser);
    if (!needed) needed = feeder->input + feeder->start;
    check(needed >= feeder->input && needed <= feeder->input + feeder->start);
    size_t skip = (size_t)(needed - feeder->input);
    size_t keep = feeder->size - skip;
    char *to = mem_alloc(keep + piece.size);
    if (keep) memcpy(to, needed, keep);
    if (piece.size) memcpy(to + keep, piece.data, piece.size);
    parser_rebase(&feeder->parser, needed, keep, to);
    mem_free(feeder->input);
    feeder->input = to;
    feeder->start -= skip;
    feeder->size = keep + piece.size;
}

/* One piece, as one receive brings it; of a large argument no more than fits its room. Returns how
 * many bytes were taken. */
static inline size_t feeder_feed(struct feeder *feeder, struct bytes piece) {
    if (feeder->failed) return piece.size;
    if (!feeder->parser.big) {
        feeder_append(feeder, piece);
        (void)feeder_parse(feeder);
        return piece.size;
    }
    char *data;
    size_t room;
    check(parser_big_room(&feeder->parser, &data, &room) && room > 0);
    size_t n = size_min(room, piece.size);
    if (n) memcpy(data, piece.data, n);
    parser_big_filled(&feeder->parser, n);
    feeder_check_bounds(feeder);
    if (parser_big_is_full(&feeder->parser)) {
        check(parser_big_done(&feeder->parser));
        (void)feeder_parse(feeder);
    }
    return n;
}

static inline void feeder_feed_all(struct feeder *feeder, struct bytes bytes) {
    while (bytes.size)
        bytes = bytes_from(bytes, feeder_feed(feeder, bytes));
}
