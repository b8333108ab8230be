/* SPDX-License-Identifier: BSD-3-Clause */
/* Two readers of the same grammar. parse_whole takes a request that lies entirely in the input and
 * fits the batch, in one pass without calls, or changes nothing. parse_on is the state machine for
 * all else: unfinished, inline, large, empty, wrong. */
#include "resp/parser.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/num.h"

enum {
    WHOLE_MIN = 10,   /* "*1\r\n$0\r\n\r\n" */
    ARG_MIN = 6,      /* "$0\r\n\r\n" */
    COUNT_DIGITS = 7, /* of lengths that parse_whole reads: more than REQUEST_BIG_ARG needs */
};

void parser_init(struct parser *parser, int64_t bulk_max) {
    check(bulk_max >= PARSER_BULK_MAX_MIN);
    memset(parser, 0, sizeof(*parser));
    parser->bulk_max = bulk_max;
    parser->bulk_size = -1;
}

void parser_deinit(struct parser *parser) {
    request_release(&parser->partial);
    blob_release(parser->big);
    parser->big = NULL;
    mem_free(parser->error_text);
    parser->error_text = NULL;
}

/* ---- whole requests ---- */

/* A number of one to three digits and its CR LF. p is behind the type byte, with 5 readable bytes.
 * Returns what follows; NULL if it is none. */
always_inline_fn const char *short_count(const char *p, uint32_t *out) {
    uint32_t a = (uint32_t)(uint8_t)p[0] - '0';
    if (unlikely(a > 9)) return NULL;
    if (likely(p[1] == '\r')) {
        *out = a;
        return p + 3;
    }
    uint32_t b = (uint32_t)(uint8_t)p[1] - '0';
    if (unlikely(b > 9 || a == 0)) return NULL;
    if (likely(p[2] == '\r')) {
        *out = a * 10 + b;
        return p + 4;
    }
    uint32_t c = (uint32_t)(uint8_t)p[2] - '0';
    if (unlikely(c > 9 || p[3] != '\r')) return NULL;
    *out = a * 100 + b * 10 + c;
    return p + 5;
}

/* The same for more digits, and for sizes that need a limit checked. */
static never_inline const char *long_count(const struct parser *parser, const char *p,
                                           const char *end, uint32_t *out) {
    uint32_t value = 0;
    const char *digits = p;
    for (; p < end && char_is_digit(*p); p++) {
        if (p - digits == COUNT_DIGITS) return NULL;
        value = value * 10 + (uint32_t)(*p - '0');
    }
    if (p == digits || *digits == '0' || end - p < 2 || *p != '\r') return NULL;
    if (value >= REQUEST_BIG_ARG || value > parser->bulk_max) return NULL;
    if (parser->preauth && value > PARSER_PREAUTH_BULK) return NULL;
    *out = value;
    return p + 2;
}

/* Returns the end of the request, or NULL: nothing has changed. */
always_inline_fn const char *parse_whole(const struct parser *parser, const char *start,
                                         const char *end, struct batch *batch,
                                         struct request *out) {
    uint32_t argc = 0, size = 0; /* compilers do not see that they are set */
    if (unlikely(end - start < WHOLE_MIN)) return NULL;
    const char *p = short_count(start + 1, &argc);
    if (unlikely(!p || argc - 1 >= (uint32_t)BATCH_ARGS - batch->args_used)) return NULL;
    if (unlikely(parser->preauth) && argc > PARSER_PREAUTH_ARGS) return NULL;

    struct bytes *argv = batch->args + batch->args_used;
    struct bytes *last = argv + argc;
    for (struct bytes *arg = argv; arg < last; arg++) {
        if (unlikely(end - p < ARG_MIN || *p != '$')) return NULL;
        const char *data = short_count(p + 1, &size);
        if (unlikely(!data)) {
            data = long_count(parser, p + 1, end, &size);
            if (!data) return NULL;
        }
        if (unlikely((size_t)(end - data) < (size_t)size + 2)) return NULL;
        arg->data = data;
        arg->size = size;
        p = data + size + 2;
    }
    batch->args_used = (uint16_t)(batch->args_used + argc);
    *out = (struct request){.argv = argv, .argc = argc, .wire_bytes = (uint64_t)(p - start)};
    return p;
}

/* ---- the state machine; its steps return PARSE_REQUEST to go on ---- */

static enum parse_result fail(struct parser *parser, const char *error) {
    parser->error = error;
    parser->in_array = true; /* parse_whole stays out */
    return PARSE_ERROR;
}

static void consume(struct bytes *input, size_t size) {
    input->data += size;
    input->size -= size;
}

/* Finds the byte that ends the line at the start of the input; *size is what is before it. A CR
 * needs one more byte behind it. */
static enum parse_result find_line_end(struct parser *parser, struct bytes input, char mark,
                                       const char *too_big, size_t *size) {
    size_t limit = size_min(input.size, PARSER_INLINE_MAX + 1);
    const char *hit = memchr(input.data + parser->line_seen, mark, limit - parser->line_seen);
    parser->line_seen = hit ? (size_t)(hit - input.data) : limit;
    if (!hit) return limit > PARSER_INLINE_MAX ? fail(parser, too_big) : PARSE_MORE;
    if (mark == '\r' && parser->line_seen + 1 == input.size) return PARSE_MORE;
    *size = parser->line_seen;
    parser->line_seen = 0;
    return PARSE_REQUEST;
}

static enum parse_result read_array_header(struct parser *parser, struct bytes *input) {
    size_t size;
    int64_t count;
    enum parse_result result =
        find_line_end(parser, *input, '\r', "Protocol error: too big mbulk count string", &size);
    if (result != PARSE_REQUEST) return result;
    if (!num_parse_i64(bytes_make(input->data + 1, size - 1), &count) || count > PARSER_ARGS_MAX)
        return fail(parser, "Protocol error: invalid multibulk length");
    if (parser->preauth && count > PARSER_PREAUTH_ARGS)
        return fail(parser, "Protocol error: unauthenticated multibulk length");
    consume(input, size + 2);
    if (count <= 0) return PARSE_REQUEST;
    parser->in_array = true;
    parser->args_expected = (uint32_t)count;
    parser->partial.wire_bytes = size + 2;
    return PARSE_REQUEST;
}

static enum parse_result fail_no_bulk(struct parser *parser, char got) {
    static const char text[] = "Protocol error: expected '$', got '?'";
    mem_free(parser->error_text);
    parser->error_text = mem_copy_bytes(bytes_make(text, sizeof(text) - 1));
    parser->error_text[sizeof(text) - 3] = got ? got : ' ';
    return fail(parser, parser->error_text);
}

static enum parse_result fail_no_memory(struct parser *parser) {
    return fail(parser, "Protocol error: out of memory");
}

/* Begins the blob of a large argument: small at first, whatever its header promises. */
static enum parse_result start_big(struct parser *parser) {
    parser->big = blob_try_create(size_min((size_t)parser->bulk_size, PARSER_BIG_FIRST));
    parser->big_filled = 0;
    return parser->big ? PARSE_REQUEST : fail_no_memory(parser);
}

static enum parse_result read_bulk_header(struct parser *parser, struct bytes *input) {
    size_t line;
    int64_t size;
    enum parse_result result =
        find_line_end(parser, *input, '\r', "Protocol error: too big bulk count string", &line);
    if (result != PARSE_REQUEST) return result;
    if (*input->data != '$') return fail_no_bulk(parser, *input->data);
    if (!num_parse_i64(bytes_make(input->data + 1, line - 1), &size) || size < 0 ||
        size > parser->bulk_max)
        return fail(parser, "Protocol error: invalid bulk length");
    if (parser->preauth && size > PARSER_PREAUTH_BULK)
        return fail(parser, "Protocol error: unauthenticated bulk length");
    consume(input, line + 2);
    parser->partial.wire_bytes += line + 2;
    parser->bulk_size = size;
    return size >= REQUEST_BIG_ARG ? start_big(parser) : PARSE_REQUEST;
}

/* Room for one more slice: the allocation follows what has arrived, not what was announced. */
static void grow_args(struct parser *parser) {
    struct request *partial = &parser->partial;
    if (likely(partial->argc < parser->args_cap)) return;
    uint32_t cap = parser->args_cap ? parser->args_cap * 2 : PARSER_ARGS_FIRST;
    if (cap > parser->args_expected) cap = parser->args_expected;
    partial->argv = mem_realloc(partial->argv, (size_t)cap * sizeof(*partial->argv));
    partial->owns_argv = true;
    parser->args_cap = cap;
}

static enum parse_result read_bulk(struct parser *parser, struct bytes *input) {
    size_t size = (size_t)parser->bulk_size;
    if (input->size < size + 2) return PARSE_MORE;
    grow_args(parser);
    parser->partial.argv[parser->partial.argc++] = bytes_make(input->data, size);
    parser->partial.wire_bytes += size + 2;
    parser->bulk_size = -1;
    consume(input, size + 2);
    return PARSE_REQUEST;
}

/* Copies what is in the input. */
static enum parse_result read_big(struct parser *parser, struct bytes *input) {
    while (!parser_big_done(parser)) {
        char *data;
        size_t room;
        if (input->size == 0) return PARSE_BIG;
        if (!parser_big_room(parser, &data, &room)) return PARSE_ERROR;
        size_t n = size_min(room, input->size);
        memcpy(data, input->data, n);
        consume(input, n);
        parser_big_filled(parser, n);
    }
    return PARSE_REQUEST;
}

/* Hands the finished request over; its slices go to the batch if they fit. */
static void finish(struct parser *parser, struct batch *batch, struct request *out) {
    *out = parser->partial;
    memset(&parser->partial, 0, sizeof(parser->partial));
    parser->in_array = false;
    parser->args_cap = 0;
    if (out->argc > (uint32_t)BATCH_ARGS - batch->args_used) return;
    struct bytes *argv = batch->args + batch->args_used;
    memcpy(argv, out->argv, out->argc * sizeof(*argv));
    batch->args_used = (uint16_t)(batch->args_used + out->argc);
    mem_free(out->argv);
    out->argv = argv;
    out->owns_argv = false;
}

/* argc stays 0 if the line is empty. */
static enum parse_result read_inline(struct parser *parser, struct bytes *input,
                                     struct request *out) {
    size_t size;
    enum parse_result result =
        find_line_end(parser, *input, '\n', "Protocol error: too big inline request", &size);
    if (result != PARSE_REQUEST) return result;
    struct bytes line = bytes_make(input->data, size);
    if (size > 0 && line.data[size - 1] == '\r') line.size--;
    memset(out, 0, sizeof(*out));
    if (!split_args(line, &out->argv, &out->argc))
        return fail(parser, "Protocol error: unbalanced quotes in request");
    consume(input, size + 1);
    out->owns_argv = out->argc > 0;
    out->wire_bytes = size + 1;
    return PARSE_REQUEST;
}

/* One step inside an array; none if its last argument was a large one, completed by the caller. */
static enum parse_result read_array(struct parser *parser, struct bytes *input) {
    if (parser->partial.argc == parser->args_expected) return PARSE_REQUEST;
    if (parser->big) return read_big(parser, input);
    if (parser->bulk_size >= 0) return read_bulk(parser, input);
    return input->size ? read_bulk_header(parser, input) : PARSE_MORE;
}

static never_inline enum parse_result parse_on(struct parser *parser, struct bytes *input,
                                               struct batch *batch, struct request *out) {
    if (parser->error) return PARSE_ERROR;
    for (;;) {
        enum parse_result result;
        if (parser->in_array) {
            result = read_array(parser, input);
            if (result == PARSE_REQUEST && parser->partial.argc == parser->args_expected) {
                finish(parser, batch, out);
                return PARSE_REQUEST;
            }
        } else if (input->size == 0) {
            return PARSE_MORE;
        } else if (*input->data == '*') {
            result = read_array_header(parser, input);
        } else {
            result = read_inline(parser, input, out);
            if (result == PARSE_REQUEST && out->argc) return PARSE_REQUEST;
        }
        if (result != PARSE_REQUEST) return result;
    }
}

enum parse_result parser_next(struct parser *parser, struct bytes *input, struct batch *batch,
                              struct request *out) {
    if (likely(!parser->in_array && input->size && *input->data == '*')) {
        const char *end = input->data + input->size;
        const char *rest = parse_whole(parser, input->data, end, batch, out);
        if (likely(rest)) {
            parser->line_seen = 0;
            input->data = rest;
            input->size = (size_t)(end - rest);
            return PARSE_REQUEST;
        }
    }
    return parse_on(parser, input, batch, out);
}

/* ---- large arguments ---- */

bool parser_big_room(struct parser *parser, char **data, size_t *room) {
    struct blob *blob = parser->big;
    size_t size = (size_t)parser->bulk_size;
    check(blob);
    if (parser->big_filled == blob->size && blob->size < size) {
        size_t cap = size_min(size_max(blob->size * 2, PARSER_BIG_STEP), size);
        blob = mem_try_realloc(blob, sizeof(*blob) + cap + BLOB_TAIL);
        if (!blob) {
            (void)fail_no_memory(parser);
            return false;
        }
        blob->size = cap;
        parser->big = blob;
    }
    *data = blob->data + parser->big_filled;
    *room = blob->size + (blob->size == size ? BLOB_TAIL : 0) - parser->big_filled;
    return true;
}

void parser_big_filled(struct parser *parser, size_t n) {
    parser->big_filled += n;
    check(parser->big_filled <= parser->big->size + BLOB_TAIL);
}

bool parser_big_done(struct parser *parser) {
    if (!parser_big_is_full(parser)) return false;
    struct blob *blob = parser->big;
    check(blob->size == (size_t)parser->bulk_size);
    memcpy(blob->data + blob->size, "\r\n", BLOB_TAIL); /* what it was is not looked at */
    grow_args(parser);
    request_put_big(&parser->partial, parser->partial.argc++, blob);
    parser->partial.wire_bytes += parser->big_filled;
    parser->big = NULL;
    parser->bulk_size = -1;
    return true;
}

/* ---- where the input is ---- */

void parser_rebase(struct parser *parser, const char *old_start, size_t size,
                   const char *new_start) {
    request_rebase(&parser->partial, old_start, size, new_start);
}

const char *parser_first_needed(const struct parser *parser) {
    uint32_t first = request_first_slice(&parser->partial);
    return first < parser->partial.argc ? parser->partial.argv[first].data : NULL;
}
