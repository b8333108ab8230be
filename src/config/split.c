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

/* What follows a backslash inside double quotes. */
static void split_escape(struct splitter *s) {
    char c;
    s->at += bytes_unescape(bytes_from(s->line, s->at), &c);
    buf_add_char(s->store, c);
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
