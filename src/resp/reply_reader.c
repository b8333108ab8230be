/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/reply_reader.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/num.h"

#include <math.h>
#include <stdlib.h>

void reply_reader_init(struct reply_reader *reader, bool keeps) {
    *reader = (struct reply_reader){.keeps = keeps};
}

void reply_reader_deinit(struct reply_reader *reader) {
    resp_value_destroy(&reader->root);
    buf_deinit(&reader->bulk);
    buf_deinit(&reader->line);
    *reader = (struct reply_reader){0};
}

bool reply_reader_is_mid_reply(const struct reply_reader *reader) {
    return reader->depth > 0 || reader->in_bulk || reader->line.size > 0;
}

static enum reply_read broken(struct reply_reader *reader, const char *error) {
    reader->error = error;
    return REPLY_READ_BROKEN;
}

/* ---- values ---- */

/* Depth is bounded by the reader: so is the recursion. */
static void value_deinit(struct resp_value *value) {
    for (size_t i = 0; i < value->count; i++) {
        value_deinit(&value->items[i]);
    }
    mem_free(value->items);
    mem_free((char *)value->text.data);
}

void resp_value_destroy(struct resp_value **value) {
    if (!*value) return;
    value_deinit(*value);
    mem_free(*value);
    *value = NULL;
}

const struct resp_value *resp_find(const struct resp_value *map, const char *key) {
    if (map->kind != RESP_MAP && map->kind != RESP_ARRAY) return NULL;
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        if (resp_is_text(&map->items[i], key)) return &map->items[i + 1];
    }
    return NULL;
}

bool resp_is_text(const struct resp_value *value, const char *text) {
    return bytes_equal(value->text, bytes_of(text));
}

/* Room for one more item of a tree; NULL: there is no memory. The room doubles at powers of two,
 * so that it needs no field of its own. */
static struct resp_value *item_add(struct resp_value *parent) {
    size_t count = parent->count;
    if ((count & (count - 1)) == 0) {
        size_t cap = count ? count * 2 : 1;
        struct resp_value *items = mem_try_realloc(parent->items, cap * sizeof(*items));
        if (!items) return NULL;
        parent->items = items;
    }
    parent->items[count] = (struct resp_value){0};
    parent->count++;
    return &parent->items[count];
}

/* Where the next value of the tree goes; NULL if it is to be dropped. False: no memory. */
static bool next_slot(struct reply_reader *reader, struct resp_value **out) {
    *out = NULL;
    if (!reader->keeps) return true;
    if (reader->depth == 0) {
        if (!reader->root) reader->root = mem_try_zalloc(sizeof(*reader->root));
        *out = reader->root;
        return *out != NULL;
    }
    struct reply_frame *frame = &reader->stack[reader->depth - 1];
    if (!frame->value) return true;
    *out = item_add(frame->value);
    return *out != NULL;
}

/* ---- the end of a value ---- */

/* A value is complete: so may be the aggregates around it. True: the whole reply is. */
static bool value_done(struct reply_reader *reader) {
    while (reader->depth > 0) {
        struct reply_frame *frame = &reader->stack[reader->depth - 1];
        if (frame->missing > 0 && --frame->missing > 0) return false;
        reader->depth--;
        if (frame->attribute) return false;
    }
    return true;
}

/* Keeps the text of a skipped reply, if it is the reply itself and not part of one. */
static void see(struct reply_reader *reader, enum resp_kind kind, struct bytes text) {
    if (reader->depth > 0) return;
    reader->seen.kind = kind;
    reader->seen.text = bytes_make(text.data, size_min(text.size, REPLY_READER_TEXT_MAX));
}

/* ---- strings ---- */

static enum reply_read bulk_start(struct reply_reader *reader, enum resp_kind kind, int64_t size) {
    if (size > REPLY_READER_BULK_MAX) return broken(reader, "a string is too long");
    reader->in_bulk = true;
    reader->bulk_kind = kind;
    reader->bulk_left = size + 2;
    if (!reader->keeps) see(reader, kind, bytes_make(reader->text, 0));
    return REPLY_READ_MORE;
}

static bool bulk_finish(struct reply_reader *reader, struct resp_value *value) {
    struct buf *bulk = &reader->bulk;
    value->kind = reader->bulk_kind;
    bulk->size -= 2;
    bulk->data[bulk->size] = '\0';
    if (value->kind == RESP_VERBATIM) {
        if (bulk->size < 4 || bulk->data[3] != ':') return false;
        memcpy(value->format, bulk->data, 3);
        memmove(bulk->data, bulk->data + 4, bulk->size - 4 + 1);
        bulk->size -= 4;
    }
    value->text.size = bulk->size;
    value->text.data = bulk->data;
    *bulk = (struct buf){0};
    return true;
}

/* Room for size more bytes, with memory that doubles; false if there is none. */
static bool bulk_reserve(struct buf *bulk, size_t size, int64_t left) {
    size_t needed = bulk->size + size + 1;
    if (needed <= bulk->cap) return true;
    size_t whole = bulk->size + (size_t)left + 1;
    size_t cap =
        size_max(needed, size_min(whole, size_max(REPLY_READER_BULK_FIRST, bulk->cap * 2)));
    char *data = mem_try_realloc(bulk->data, cap);
    if (!data) return false;
    bulk->data = data;
    bulk->cap = cap;
    return true;
}

/* Takes what the input has of the string. */
static enum reply_read bulk_take(struct reply_reader *reader, struct bytes *input) {
    int64_t left = reader->bulk_left;
    size_t size = left < (int64_t)input->size ? (size_t)left : input->size;
    struct buf *bulk = &reader->bulk;
    if (!bulk_reserve(bulk, size, left)) return broken(reader, "no memory for a string");
    if (size) memcpy(bulk->data + bulk->size, input->data, size);
    bulk->size += size;
    *input = bytes_from(*input, size);
    reader->bulk_left -= (int64_t)size;
    if (reader->bulk_left > 0) return REPLY_READ_MORE;

    reader->in_bulk = false;
    if (memcmp(bulk->data + bulk->size - 2, "\r\n", 2) != 0) {
        return broken(reader, "a string does not end where it should");
    }
    struct resp_value *value;
    if (!next_slot(reader, &value)) return broken(reader, "no memory for a value");
    if (!value) {
        buf_deinit(bulk);
    } else if (!bulk_finish(reader, value)) {
        return broken(reader, "a verbatim string lacks its format");
    }
    return value_done(reader) ? REPLY_READ_WHOLE : REPLY_READ_MORE;
}

/* The same without keeping it, but for the first bytes of a reply that is one string. */
static enum reply_read bulk_skip(struct reply_reader *reader, struct bytes *input) {
    int64_t left = reader->bulk_left;
    struct reply_seen *seen = &reader->seen;
    size_t size = left < (int64_t)input->size ? (size_t)left : input->size;
    size_t body = left - (int64_t)size >= 2 ? size : left > 2 ? (size_t)(left - 2) : 0;
    if (reader->depth == 0 && body > 0 && seen->text.size < REPLY_READER_TEXT_MAX) {
        size_t part = size_min(body, REPLY_READER_TEXT_MAX - seen->text.size);
        if (size == (size_t)left && seen->text.size == 0) {
            seen->text = bytes_make(input->data, part);
        } else {
            memcpy(reader->text + seen->text.size, input->data, part);
            seen->text.size += part;
        }
    }
    for (size_t i = body; i < size; i++) { /* the CR LF */
        bool is_first = left - (int64_t)i == 2;
        if (input->data[i] != (is_first ? '\r' : '\n')) {
            return broken(reader, "a string does not end where it should");
        }
    }
    *input = bytes_from(*input, size);
    reader->bulk_left -= (int64_t)size;
    if (reader->bulk_left > 0) return REPLY_READ_MORE;
    reader->in_bulk = false;
    return value_done(reader) ? REPLY_READ_WHOLE : REPLY_READ_MORE;
}

/* ---- header lines ---- */

static bool parse_double(struct bytes text, double *out) {
    if (bytes_equal_nocase(text, BYTES("nan")) || bytes_equal_nocase(text, BYTES("-nan"))) {
        *out = NAN;
        return true;
    }
    return num_parse_double(text, out);
}

static bool is_bignum(struct bytes text) {
    size_t start = text.size > 0 && (text.data[0] == '-' || text.data[0] == '+');
    for (size_t i = start; i < text.size; i++) {
        if (!char_is_digit(text.data[i])) return false;
    }
    return text.size > start;
}

static enum reply_read aggregate_start(struct reply_reader *reader, char mark, int64_t count) {
    static const struct {
        char mark;
        enum resp_kind kind;
    } kinds[] = {{'*', RESP_ARRAY}, {'~', RESP_SET}, {'>', RESP_PUSH}, {'%', RESP_MAP}};
    bool is_pairs = mark == '%' || mark == '|';
    if (count > REPLY_READER_COUNT_MAX) return broken(reader, "an aggregate has too many elements");
    if (count > 0 && reader->depth == REPLY_READER_DEPTH) {
        return broken(reader, "aggregates are nested too deep");
    }
    if (mark == '|') {
        if (count > 0) {
            reader->stack[reader->depth++] =
                (struct reply_frame){.missing = count * 2, .attribute = true};
        }
        return REPLY_READ_MORE;
    }
    enum resp_kind kind = RESP_ARRAY;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (kinds[i].mark == mark) kind = kinds[i].kind;
    }
    struct resp_value *value;
    if (!next_slot(reader, &value)) return broken(reader, "no memory for a value");
    if (value) value->kind = kind;
    see(reader, kind, bytes_make(NULL, 0));
    if (reader->depth == 0) reader->seen.integer = count;
    if (count == 0) return value_done(reader) ? REPLY_READ_WHOLE : REPLY_READ_MORE;
    reader->stack[reader->depth++] =
        (struct reply_frame){.value = value, .missing = is_pairs ? count * 2 : count};
    return REPLY_READ_MORE;
}

/* A value that is all in its line. */
static enum reply_read line_value(struct reply_reader *reader, const struct resp_value *read) {
    struct resp_value *value;
    see(reader, read->kind, read->text);
    if (reader->depth == 0) reader->seen.integer = read->integer;
    if (!next_slot(reader, &value)) return broken(reader, "no memory for a value");
    if (value) {
        struct bytes text = read->text;
        *value = *read;
        value->text.data = NULL;
        value->text.size = 0;
        if (text.data) {
            char *copy = mem_try_alloc(text.size + 1);
            if (!copy) return broken(reader, "no memory for a value");
            memcpy(copy, text.data, text.size);
            copy[text.size] = '\0';
            value->text = bytes_make(copy, text.size);
        }
    }
    return value_done(reader) ? REPLY_READ_WHOLE : REPLY_READ_MORE;
}

static enum reply_read read_length(struct reply_reader *reader, char mark, struct bytes rest) {
    int64_t size;
    if (!num_parse_i64(rest, &size) || size < -1) return broken(reader, "a length is no number");
    if (size == -1) {
        if (mark != '$' && mark != '*') return broken(reader, "a length is negative");
        return line_value(reader, &(struct resp_value){.kind = RESP_NULL});
    }
    switch (mark) {
    case '$': return bulk_start(reader, RESP_STRING, size);
    case '!': return bulk_start(reader, RESP_ERROR, size);
    case '=': return bulk_start(reader, RESP_VERBATIM, size);
    }
    return aggregate_start(reader, mark, size);
}

static enum reply_read read_line(struct reply_reader *reader, struct bytes line) {
    if (line.size == 0) return broken(reader, "an empty line is no reply");
    struct bytes rest = bytes_from(line, 1);
    struct resp_value value = {.kind = RESP_STATUS};
    switch (line.data[0]) {
    case '+': value.text = rest; return line_value(reader, &value);
    case '-':
        value.kind = RESP_ERROR;
        value.text = rest;
        return line_value(reader, &value);
    case ':':
        value.kind = RESP_INTEGER;
        if (!num_parse_i64(rest, &value.integer)) return broken(reader, "an integer is none");
        return line_value(reader, &value);
    case '$':
    case '!':
    case '=':
    case '*':
    case '~':
    case '>':
    case '%':
    case '|': return read_length(reader, line.data[0], rest);
    case '_':
        value.kind = RESP_NULL;
        if (rest.size > 0) return broken(reader, "a null has a value");
        return line_value(reader, &value);
    case '#':
        value.kind = RESP_BOOL;
        value.integer = rest.size == 1 && rest.data[0] == 't';
        if (!value.integer && !bytes_equal(rest, BYTES("f"))) {
            return broken(reader, "a boolean is neither true nor false");
        }
        return line_value(reader, &value);
    case ',':
        value.kind = RESP_DOUBLE;
        value.text = rest;
        if (!parse_double(rest, &value.number)) return broken(reader, "a double is none");
        return line_value(reader, &value);
    case '(':
        value.kind = RESP_BIGNUM;
        value.text = rest;
        if (!is_bignum(rest)) return broken(reader, "a big number is none");
        return line_value(reader, &value);
    }
    return broken(reader, "a reply begins with an unknown byte");
}

/* Takes a line of the input; one without its end is kept in reader->line. */
static enum reply_read take_line(struct reply_reader *reader, struct bytes *input) {
    const char *end = memchr(input->data, '\n', input->size);
    size_t size = end ? (size_t)(end - input->data) + 1 : input->size;
    struct bytes line = bytes_make(input->data, size);
    if (reader->line.size + size > REPLY_READER_LINE_MAX)
        return broken(reader, "a line is too long");
    *input = bytes_from(*input, size);
    if (!end || reader->line.size > 0) {
        buf_add(&reader->line, line);
        line = buf_bytes(&reader->line);
    }
    if (!end) return REPLY_READ_MORE;
    if (line.size < 2 || line.data[line.size - 2] != '\r') {
        return broken(reader, "a line does not end in CR LF");
    }
    line.size -= 2;
    reader->line.size = 0; /* what line points to stays until more is added */
    enum reply_read result = read_line(reader, line);
    bool is_copy = line.data == reader->line.data && reader->seen.text.size > 0;
    if (result == REPLY_READ_WHOLE && !reader->keeps && is_copy) {
        memcpy(reader->text, reader->seen.text.data, reader->seen.text.size);
        reader->seen.text.data = reader->text;
    }
    return result;
}

static enum reply_read step(struct reply_reader *reader, struct bytes *input) {
    if (!reader->in_bulk) return take_line(reader, input);
    return reader->keeps ? bulk_take(reader, input) : bulk_skip(reader, input);
}

static enum reply_read run(struct reply_reader *reader, struct bytes *input) {
    if (reader->error) return REPLY_READ_BROKEN;
    while (input->size > 0) {
        enum reply_read result = step(reader, input);
        if (result != REPLY_READ_MORE) return result;
    }
    return REPLY_READ_MORE;
}

enum reply_read reply_reader_next(struct reply_reader *reader, struct bytes *input,
                                  struct resp_value **out) {
    check(reader->keeps);
    enum reply_read result = run(reader, input);
    if (result == REPLY_READ_WHOLE) {
        check(reader->root != NULL);
        *out = reader->root;
        reader->root = NULL;
    }
    return result;
}

enum reply_read reply_reader_skip(struct reply_reader *reader, struct bytes *input,
                                  struct reply_seen *out) {
    check(!reader->keeps);
    enum reply_read result = run(reader, input);
    if (result == REPLY_READ_WHOLE) *out = reader->seen;
    return result;
}

void reply_reader_verify(const struct reply_reader *reader) {
    check(reader->depth <= REPLY_READER_DEPTH);
    if (reader->error) return;
    for (size_t i = 0; i < reader->depth; i++) {
        const struct reply_frame *frame = &reader->stack[i];
        check(frame->missing > 0);
        check(!frame->attribute || !frame->value);
        if (!frame->value) continue;
        check(reader->keeps && resp_is_aggregate(frame->value));
        check(i > 0 || frame->value == reader->root);
    }
    check(!reader->in_bulk || reader->bulk_left > 0);
    check(reader->in_bulk || reader->bulk.size == 0);
}

/* ---- redirections ---- */

bool reply_redirect_parse(struct bytes error, struct reply_redirect *out) {
    struct reply_redirect found = {0};
    size_t start;
    if (bytes_starts_with(error, BYTES("MOVED "))) {
        start = 6;
    } else if (bytes_starts_with(error, BYTES("ASK "))) {
        start = 4;
        found.ask = true;
    } else {
        return false;
    }
    struct bytes rest = bytes_from(error, start);
    size_t space = bytes_find_byte(rest, ' ');
    uint64_t slot, port;
    if (!num_parse_u64(bytes_make(rest.data, space), &slot) || slot >= 16384) return false;
    rest = bytes_from(rest, space + 1);
    size_t colon = rest.size;
    while (colon > 0 && rest.data[colon - 1] != ':') {
        colon--;
    }
    if (colon == 0) return false;
    if (!num_parse_u64(bytes_from(rest, colon), &port) || port == 0 || port > UINT16_MAX) {
        return false;
    }
    found.slot = (uint16_t)slot;
    found.port = (uint16_t)port;
    found.host = bytes_make(rest.data, colon - 1);
    *out = found;
    return true;
}
