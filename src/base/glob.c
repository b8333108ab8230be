/* SPDX-License-Identifier: BSD-3-Clause */
/* One place to come back to is enough: every other part of a pattern takes exactly one byte, so
 * once a later '*' is reached, giving an earlier one more bytes cannot help.
 *
 * Odd patterns mean what they always meant to users: a class that is not closed ends with the
 * pattern, a range (of unsigned bytes) may be written backwards, ']' right after '[' closes an
 * empty class, and a backslash at the very end is itself. */
#include "base/glob.h"

struct part {
    size_t next;  /* where the pattern goes on behind it */
    bool matches; /* it takes the byte */
};

static unsigned char fold(char c, bool nocase) {
    return (unsigned char)(nocase ? char_lower(c) : c);
}

static bool in_range(unsigned char c, unsigned char from, unsigned char to) {
    return from <= to ? c >= from && c <= to : c >= to && c <= from;
}

/* The class whose '[' is at at. */
static struct part match_class(struct bytes pattern, size_t at, unsigned char c, bool nocase) {
    const char *p = pattern.data;
    bool found = false;
    size_t i = at + 1;
    bool negated = i < pattern.size && p[i] == '^';
    if (negated) i++;

    while (i < pattern.size && p[i] != ']') {
        if (p[i] == '\\' && i + 1 < pattern.size) {
            found |= c == fold(p[i + 1], nocase);
            i += 2;
        } else if (i + 2 < pattern.size && p[i + 1] == '-') {
            found |= in_range(c, fold(p[i], nocase), fold(p[i + 2], nocase));
            i += 3;
        } else {
            found |= c == fold(p[i], nocase);
            i++;
        }
    }
    return (struct part){.next = i < pattern.size ? i + 1 : i, .matches = found != negated};
}

/* The part at at, which is not '*', against one byte of the text. */
static struct part match_part(struct bytes pattern, size_t at, char byte, bool nocase) {
    unsigned char c = fold(byte, nocase);
    switch (pattern.data[at]) {
    case '?': return (struct part){.next = at + 1, .matches = true};
    case '[': return match_class(pattern, at, c, nocase);
    case '\\':
        if (at + 1 < pattern.size) at++;
        break;
    }
    return (struct part){.next = at + 1, .matches = c == fold(pattern.data[at], nocase)};
}

static bool match(struct bytes pattern, struct bytes text, bool nocase) {
    size_t at = 0, done = 0; /* in the pattern, in the text */
    size_t star_at = SIZE_MAX, star_done = 0;

    while (done < text.size) {
        if (at < pattern.size && pattern.data[at] == '*') {
            star_at = ++at; /* try with no byte first */
            star_done = done;
            if (at == pattern.size) return true;
            continue;
        }
        struct part part = {0};
        if (at < pattern.size) part = match_part(pattern, at, text.data[done], nocase);
        if (part.matches) {
            at = part.next;
            done++;
        } else if (star_at != SIZE_MAX) {
            at = star_at; /* the last '*' takes one byte more */
            done = ++star_done;
        } else {
            return false;
        }
    }
    while (at < pattern.size && pattern.data[at] == '*')
        at++;
    return at == pattern.size;
}

bool glob_match(struct bytes pattern, struct bytes text) { return match(pattern, text, false); }

bool glob_match_nocase(struct bytes pattern, struct bytes text) {
    return match(pattern, text, true);
}

bool glob_is_literal(struct bytes pattern) {
    for (size_t i = 0; i < pattern.size; i++) {
        char c = pattern.data[i];
        if (c == '*' || c == '?' || c == '[' || c == '\\') return false;
    }
    return true;
}
