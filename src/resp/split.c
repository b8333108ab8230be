/* SPDX-License-Identifier: BSD-3-Clause */
/* Two passes of one scanner: the first counts and finds mistakes, the second writes. */
#include "base/mem.h"
#include "resp/parser.h"

struct scanner {
    struct bytes line;
    size_t at;
    char *out; /* where the bytes of arguments go; NULL: only counting */
    size_t out_size;
};

enum scan_result { SCAN_ARG, SCAN_END, SCAN_UNBALANCED };

static void emit(struct scanner *scan, char c) {
    if (scan->out) scan->out[scan->out_size] = c;
    scan->out_size++;
}

/* at is behind a backslash inside "...", with at least one byte there. */
static void scan_escape(struct scanner *scan) {
    char c;
    scan->at += bytes_unescape(bytes_from(scan->line, scan->at), &c);
    emit(scan, c);
}

/* at is behind the opening quote; moves it behind the closing one. False: there is none. */
static bool scan_quoted(struct scanner *scan, char quote) {
    struct bytes line = scan->line;
    while (scan->at < line.size) {
        char c = line.data[scan->at++];
        if (c == quote) return true;
        bool more = scan->at < line.size;
        if (c == '\\' && more && quote == '"') {
            scan_escape(scan);
        } else if (c == '\\' && more && line.data[scan->at] == '\'') {
            emit(scan, '\'');
            scan->at++;
        } else {
            emit(scan, c);
        }
    }
    return false;
}

static bool ends_word(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\0';
}

static enum scan_result scan_next(struct scanner *scan) {
    struct bytes line = scan->line;
    while (scan->at < line.size && char_is_space(line.data[scan->at]))
        scan->at++;
    if (scan->at == line.size) return SCAN_END;

    while (scan->at < line.size && !ends_word(line.data[scan->at])) {
        char c = line.data[scan->at++];
        if (c != '"' && c != '\'') {
            emit(scan, c);
        } else if (!scan_quoted(scan, c)) {
            return SCAN_UNBALANCED;
        }
    }
    return SCAN_ARG;
}

bool split_args(struct bytes line, struct bytes **argv, uint32_t *argc) {
    /* A NUL ends the line, as it does for the reference. */
    struct scanner scan = {.line = bytes_make(line.data, bytes_find_byte(line, '\0'))};
    uint32_t count = 0;
    enum scan_result result;
    while ((result = scan_next(&scan)) == SCAN_ARG)
        count++;
    if (result == SCAN_UNBALANCED) return false;

    *argc = count;
    *argv = NULL;
    if (count == 0) return true;
    struct bytes *args = mem_alloc(count * sizeof(*args) + scan.out_size);
    scan.at = scan.out_size = 0;
    scan.out = (char *)(args + count);
    for (uint32_t i = 0; i < count; i++) {
        size_t start = scan.out_size;
        (void)scan_next(&scan);
        args[i] = bytes_make(scan.out + start, scan.out_size - start);
    }
    *argv = args;
    return true;
}
