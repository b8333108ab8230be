/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/format.h"

#include "base/check.h"
#include "base/num.h"
#include "resp/reply_reader.h"

/* All functions recurse as deep as the reader let replies be: REPLY_READER_DEPTH. */

static struct bytes integer_text(char out[NUM_I64_TEXT_MAX], int64_t value) {
    return bytes_make(out, num_format_i64(out, value));
}

/* ---- for people ---- */

static const char *empty_name(enum resp_kind kind) {
    switch (kind) {
    case RESP_ARRAY: return "(empty array)";
    case RESP_SET: return "(empty set)";
    case RESP_MAP: return "(empty hash)";
    case RESP_PUSH: return "(empty push)";
    case RESP_STRING:
    case RESP_STATUS:
    case RESP_ERROR:
    case RESP_INTEGER:
    case RESP_NULL:
    case RESP_BOOL:
    case RESP_DOUBLE:
    case RESP_BIGNUM:
    case RESP_VERBATIM: break;
    }
    return "";
}

static void tty_scalar(const struct resp_value *value, struct buf *out) {
    switch (value->kind) {
    case RESP_STRING: buf_add_quoted(out, value->text); break;
    case RESP_STATUS:
    case RESP_VERBATIM: buf_add(out, value->text); break;
    case RESP_ERROR: buf_addf(out, "(error) %s", value->text.data); break;
    case RESP_INTEGER: buf_addf(out, "(integer) %lld", (long long)value->integer); break;
    case RESP_NULL: buf_add_text(out, "(nil)"); break;
    case RESP_BOOL: buf_add_text(out, value->integer ? "(true)" : "(false)"); break;
    case RESP_DOUBLE: buf_addf(out, "(double) %s", value->text.data); break;
    case RESP_BIGNUM: buf_addf(out, "(bignum) %s", value->text.data); break;
    case RESP_ARRAY:
    case RESP_SET:
    case RESP_MAP:
    case RESP_PUSH: break;
    }
}

static char tty_mark(enum resp_kind kind) {
    return kind == RESP_MAP ? '#' : kind == RESP_SET ? '~' : ')';
}

static size_t lines_of(const struct resp_value *value) {
    return value->kind == RESP_MAP ? value->count / 2 : value->count;
}

/* Numbered lines; all but the first begin with indent blanks. Ends with a newline. */
static void tty_value(const struct resp_value *value, size_t indent, struct buf *out) {
    size_t lines = resp_is_aggregate(value) ? lines_of(value) : 0;
    if (lines == 0) {
        if (resp_is_aggregate(value)) buf_add_text(out, empty_name(value->kind));
        tty_scalar(value, out);
        buf_add_char(out, '\n');
        return;
    }
    int width = (int)num_digits_u64(lines);
    size_t inner = indent + (size_t)width + 2;
    for (size_t i = 0; i < lines; i++) {
        if (i > 0) buf_addf(out, "%*s", (int)indent, "");
        buf_addf(out, "%*zu%c ", width, i + 1, tty_mark(value->kind));
        if (value->kind != RESP_MAP) {
            tty_value(&value->items[i], inner, out);
            continue;
        }
        const struct resp_value *field = &value->items[i * 2 + 1];
        tty_value(&value->items[i * 2], inner, out);
        out->size--; /* the newline */
        buf_add_text(out, " => ");
        if (resp_is_aggregate(field) && lines_of(field) > 1) {
            buf_addf(out, "\n%*s", (int)inner, "");
        }
        tty_value(field, inner, out);
    }
}

/* ---- raw ---- */

static void raw_value(const struct resp_value *value, const char *delimiter, struct buf *out) {
    char number[NUM_I64_TEXT_MAX];
    switch (value->kind) {
    case RESP_NULL: break;
    case RESP_STRING:
    case RESP_STATUS:
    case RESP_DOUBLE:
    case RESP_BIGNUM:
    case RESP_VERBATIM: buf_add(out, value->text); break;
    case RESP_ERROR:
        buf_add(out, value->text);
        buf_add_char(out, '\n');
        break;
    case RESP_INTEGER: buf_add(out, integer_text(number, value->integer)); break;
    case RESP_BOOL: buf_add_text(out, value->integer ? "(true)" : "(false)"); break;
    case RESP_ARRAY:
    case RESP_SET:
    case RESP_PUSH:
    case RESP_MAP:
        for (size_t i = 0; i < value->count; i++) {
            bool is_field = value->kind == RESP_MAP && i % 2 == 1;
            if (i > 0) buf_add_text(out, is_field ? " " : delimiter);
            raw_value(&value->items[i], delimiter, out);
        }
        break;
    }
}

/* ---- CSV ---- */

static void csv_value(const struct resp_value *value, struct buf *out) {
    char number[NUM_I64_TEXT_MAX];
    switch (value->kind) {
    case RESP_NULL: buf_add_text(out, "NULL"); break;
    case RESP_STRING:
    case RESP_STATUS:
    case RESP_VERBATIM: buf_add_quoted(out, value->text); break;
    case RESP_ERROR:
        buf_add_text(out, "ERROR,");
        buf_add_quoted(out, value->text);
        break;
    case RESP_INTEGER: buf_add(out, integer_text(number, value->integer)); break;
    case RESP_BOOL: buf_add_text(out, value->integer ? "true" : "false"); break;
    case RESP_DOUBLE:
    case RESP_BIGNUM: buf_add(out, value->text); break;
    case RESP_ARRAY:
    case RESP_SET:
    case RESP_PUSH:
    case RESP_MAP:
        for (size_t i = 0; i < value->count; i++) {
            if (i > 0) buf_add_char(out, ',');
            csv_value(&value->items[i], out);
        }
        break;
    }
}

/* ---- JSON ---- */

static char json_letter(char c) {
    switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    case '\f': return 'f';
    case '\b': return 'b';
    }
    return 0;
}

static void json_escape(struct bytes text, struct buf *out) {
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        char letter = json_letter(c);
        if (letter) {
            buf_addf(out, "\\%c", letter);
        } else if ((unsigned char)c < 0x20) {
            buf_addf(out, "\\u%04x", (unsigned)(unsigned char)c);
        } else {
            buf_add_char(out, c);
        }
    }
}

void cli__json_string(struct bytes text, bool ascii, struct buf *out) {
    buf_add_char(out, '"');
    if (ascii) { /* the string that people see in quotes, as a JSON string */
        struct buf quoted = {0};
        buf_add_quoted(&quoted, text);
        json_escape(bytes_make(quoted.data + 1, quoted.size - 2), out);
        buf_deinit(&quoted);
    } else {
        json_escape(text, out);
    }
    buf_add_char(out, '"');
}

static void json_value(const struct resp_value *value, bool ascii, bool in_key, struct buf *out);

/* in_key: of what becomes a string as a whole. */
static void json_aggregate(const struct resp_value *value, bool ascii, bool in_key,
                           struct buf *out) {
    bool is_map = value->kind == RESP_MAP;
    buf_add_char(out, is_map ? '{' : '[');
    for (size_t i = 0; i < value->count; i++) {
        const struct resp_value *item = &value->items[i];
        bool is_key = is_map && i % 2 == 0;
        bool needs_quotes = is_key && !(item->kind == RESP_STRING || item->kind == RESP_STATUS ||
                                        item->kind == RESP_VERBATIM);
        if (i > 0) buf_add_char(out, is_map && !is_key ? ':' : ',');
        if (needs_quotes) { /* keys of objects are strings */
            struct buf key = {0};
            /* Strings in strings in strings would double their backslashes with each level. */
            if (in_key && resp_is_aggregate(item)) {
                csv_value(item, &key);
            } else {
                json_value(item, ascii, true, &key);
            }
            cli__json_string(buf_bytes(&key), false, out);
            buf_deinit(&key);
        } else {
            json_value(item, ascii, in_key, out);
        }
    }
    buf_add_char(out, is_map ? '}' : ']');
}

static void json_value(const struct resp_value *value, bool ascii, bool in_key, struct buf *out) {
    char number[NUM_I64_TEXT_MAX];
    switch (value->kind) {
    case RESP_NULL: buf_add_text(out, "null"); break;
    case RESP_STRING:
    case RESP_STATUS:
    case RESP_VERBATIM: cli__json_string(value->text, ascii, out); break;
    case RESP_ERROR:
        buf_add_text(out, "error:");
        cli__json_string(value->text, ascii, out);
        break;
    case RESP_INTEGER: buf_add(out, integer_text(number, value->integer)); break;
    case RESP_BOOL: buf_add_text(out, value->integer ? "true" : "false"); break;
    case RESP_DOUBLE: /* JSON has no infinity */
        if (value->number - value->number == 0) {
            buf_add(out, value->text);
        } else {
            cli__json_string(value->text, ascii, out);
        }
        break;
    case RESP_BIGNUM: buf_add(out, value->text); break;
    case RESP_ARRAY:
    case RESP_SET:
    case RESP_PUSH:
    case RESP_MAP: json_aggregate(value, ascii, in_key, out); break;
    }
}

/* ---- all ---- */

void cli__format(const struct cli_options *options, const struct resp_value *value, bool verbatim,
                 struct buf *out) {
    if (verbatim && (value->kind == RESP_STRING || value->kind == RESP_VERBATIM)) {
        buf_add(out, value->text);
        if (out->size == 0 || out->data[out->size - 1] != '\n') buf_add_char(out, '\n');
        return;
    }
    switch (options->output) {
    case CLI_OUTPUT_TTY: tty_value(value, 0, out); break;
    case CLI_OUTPUT_RAW:
        raw_value(value, options->bulk_delimiter, out);
        buf_add_text(out, options->reply_delimiter);
        break;
    case CLI_OUTPUT_CSV:
        csv_value(value, out);
        buf_add_char(out, '\n');
        break;
    case CLI_OUTPUT_JSON:
    case CLI_OUTPUT_QUOTED_JSON:
        json_value(value, options->output == CLI_OUTPUT_QUOTED_JSON, false, out);
        buf_add_char(out, '\n');
        break;
    }
}
