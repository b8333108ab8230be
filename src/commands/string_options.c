/* SPDX-License-Identifier: BSD-3-Clause */
/* The options as one table: each row names the words it cannot stand with. The same word twice is
 * fine, and the later one counts. */
#include "commands/string_options.h"

enum { OPTION_WORD_MAX = 8, OPTIONS_WITH_VALUE = STRING_TIMES | STRING_IFEQ };

struct option_row {
    char word[OPTION_WORD_MAX];
    uint8_t size;
    uint16_t bit;
    uint16_t excludes;
};

/* Every way to say how long the key lives, but for one. */
#define OTHER_LIFETIMES(bit) ((STRING_TIMES | STRING_KEEPTTL | STRING_PERSIST) & ~(bit))

static const struct option_row option_rows[] = {
    {.word = "EX", .size = 2, .bit = STRING_EX, .excludes = OTHER_LIFETIMES(STRING_EX)},
    {.word = "PX", .size = 2, .bit = STRING_PX, .excludes = OTHER_LIFETIMES(STRING_PX)},
    {.word = "NX", .size = 2, .bit = STRING_NX, .excludes = STRING_XX | STRING_IFEQ},
    {.word = "XX", .size = 2, .bit = STRING_XX, .excludes = STRING_NX | STRING_IFEQ},
    {.word = "FNX", .size = 3, .bit = STRING_FNX, .excludes = STRING_FXX},
    {.word = "FXX", .size = 3, .bit = STRING_FXX, .excludes = STRING_FNX},
    {.word = "GET", .size = 3, .bit = STRING_GET},
    {.word = "EXAT", .size = 4, .bit = STRING_EXAT, .excludes = OTHER_LIFETIMES(STRING_EXAT)},
    {.word = "PXAT", .size = 4, .bit = STRING_PXAT, .excludes = OTHER_LIFETIMES(STRING_PXAT)},
    {.word = "IFEQ", .size = 4, .bit = STRING_IFEQ, .excludes = STRING_NX | STRING_XX},
    {.word = "KEEPTTL",
     .size = 7,
     .bit = STRING_KEEPTTL,
     .excludes = OTHER_LIFETIMES(STRING_KEEPTTL)},
    {.word = "PERSIST",
     .size = 7,
     .bit = STRING_PERSIST,
     .excludes = OTHER_LIFETIMES(STRING_PERSIST)},
};

static const struct option_row *option_find(struct bytes word) {
    for (size_t i = 0; i < COUNT_OF(option_rows); i++) {
        const struct option_row *row = &option_rows[i];
        if (row->size == word.size && bytes_equal_nocase(bytes_make(row->word, row->size), word)) {
            return row;
        }
    }
    return NULL;
}

bool string_options_read(struct call *call, uint32_t first, uint32_t end, uint32_t allowed,
                         struct string_options *out) {
    *out = (struct string_options){0};
    for (uint32_t arg = first; arg < end; arg++) {
        const struct option_row *row = option_find(call->argv[arg]);
        if (!row || !(row->bit & allowed) || (row->excludes & out->given) ||
            (row->bit & OPTIONS_WITH_VALUE && arg + 1 == end)) {
            call_error(call, ERROR_SYNTAX);
            return false;
        }
        out->given |= row->bit;
        if (!(row->bit & OPTIONS_WITH_VALUE)) continue;
        arg++;
        if (row->bit == STRING_IFEQ) {
            out->compare_arg = arg;
        } else {
            out->expiry = (struct expiry_arg){
                .arg = arg,
                .in_seconds = row->bit & (STRING_EX | STRING_EXAT),
                .is_absolute = row->bit & (STRING_EXAT | STRING_PXAT),
            };
        }
    }
    return true;
}
