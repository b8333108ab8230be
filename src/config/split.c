/* SPDX-License-Identifier: BSD-3-Clause */
/* A line into words, with the quoting of files, the command line and the interactive client. */
#include "base/check.h"
#include "config/config.h"

struct splitter {
    struct bytes line;
    size_t at;
    struct buf *store; /* reserved up front: words point into it */
};

static bool at_end(const struct splitter *s) { return s->at >= s->line.size; }
static char peek(const struct splitter *s) { return s->line.data[s->at]; }

static int hex_digit(char c) {
    if (char_is_digit(c)) return c - '0';
    c = char_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char unescape(char c) {
    switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    }
    return c;
}

/* What follows a backslash inside double quotes. */
static void split_escape(struct splitter *s) {
    struct bytes rest = bytes_from(s->line, s->at);
    if (rest.size >= 3 && rest.data[0] == 'x' && hex_digit(rest.data[1]) >= 0 &&
        hex_digit(rest.data[2]) >= 0) {
        buf_add_char(s->store, (char)(hex_digit(rest.data[1]) * 16 + hex_digit(rest.data[2])));
        s->at += 3;
        return;
    }
    buf_add_char(s->store, unescape(rest.data[0]));
    s->at++;
}

/* From behind the opening quote to behind the closing one, which must end the word. */
static bool split_quoted(struct splitter *s, char quote) {
    while (!at_end(s)) {
        char c = s->line.data[s->at++];
        if (c == quote) return at_end(s) || char_is_space(peek(s));
        if (c == '\\' && !at_end(s) && quote == '"') {
            split_escape(s);
        } else if (c == '\\' && !at_end(s) && peek(s) == '\'') {
            buf_add_char(s->store, '\'');
            s->at++;
        } else {
            buf_add_char(s->store, c);
        }
    }
    return false;
}

/* One word; quotes may open inside it and end it. */
static bool split_one(struct splitter *s) {
    while (!at_end(s) && !char_is_space(peek(s))) {
        char c = s->line.data[s->at++];
        if (c == '"' || c == '\'') return split_quoted(s, c);
        buf_add_char(s->store, c);
    }
    return true;
}

enum err config_split_line(struct bytes line, struct buf *store, struct bytes *words, size_t cap,
                           size_t *count) {
    struct splitter s = {.line = line, .store = store};
    buf_clear(store);
    buf_reserve(store, line.size + 1); /* a word is never longer than its text */
    const char *start_of_store = store->data;
    size_t found = 0;

    for (;;) {
        while (!at_end(&s) && char_is_space(peek(&s)))
            s.at++;
        if (at_end(&s)) break;
        if (found == cap) return ERR_RANGE;

        size_t start = store->size;
        if (!split_one(&s)) return ERR_SYNTAX;
        words[found++] = bytes_make(store->data + start, store->size - start);
    }
    check(store->data == start_of_store); /* no word moved */
    *count = found;
    return ERR_NONE;
}
