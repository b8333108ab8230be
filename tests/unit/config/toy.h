/* SPDX-License-Identifier: BSD-3-Clause */
/* toy -- a table with one option of each kind, and an apply that can be told to fail. */
#pragma once

#include "base/num.h"
#include "config/config.h"

struct toy {
    bool flag;
    int32_t number;
    uint32_t narrow;
    uint64_t huge;
    int64_t bytes, share, debt;
    uint32_t mode;
    int level;
    uint8_t colour;
    unsigned marks;
    char *name;
    const char *maybe;
    char *secret;
    int32_t fixed;
    int32_t words; /* how many words the last lines had */
    int32_t threads;
    int32_t quiet, twin;
    struct toy_list {
        int64_t at[8];
        size_t count;
    } list;
    /* what the test looks at */
    int applied_number, applied_pair, fail_number, fail_pair;
    int32_t seen_number;
};

static enum err number_apply(void *ctx, struct diag *diag) {
    struct toy *toy = ctx;
    toy->applied_number++;
    toy->seen_number = toy->number;
    return toy->fail_number-- > 0 ? diag_set(diag, ERR_IO, "number says no") : ERR_NONE;
}

static enum err pair_apply(void *ctx, struct diag *diag) {
    struct toy *toy = ctx;
    toy->applied_pair++;
    return toy->fail_pair-- > 0 ? diag_set(diag, ERR_IO, "pair says no") : ERR_NONE;
}

static enum err even_only(void *ctx, void *value, struct diag *diag) {
    (void)ctx;
    int32_t *number = value;
    if (*number == 13) return diag_set(diag, ERR_RANGE, "not 13");
    *number -= *number % 2; /* towards 0: it stays in range */
    return ERR_NONE;
}

static enum err list_parse(const struct config_parse *in, void *out, struct diag *diag) {
    struct toy_list list = {0};
    const struct toy_list *old = in->current;
    if (!in->fresh && !in->live && in->count > 0) list = *old;
    for (size_t i = 0; i < in->count; i++) {
        int64_t number;
        if (list.count == COUNT_OF(list.at) || !num_parse_i64(in->words[i], &number))
            return diag_set(diag, ERR_SYNTAX, "bad list");
        list.at[list.count++] = number;
    }
    *(struct toy_list *)out = list;
    return ERR_NONE;
}

static void list_format(const void *value, struct buf *out) {
    const struct toy_list *list = value;
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) buf_add_char(out, ' ');
        buf_add_i64(out, list->at[i]);
    }
}

static const struct config_custom list_kind = {.parse = list_parse, .format = list_format};
static const struct config_enum levels[] = {{"low", 1}, {"middle", 2}, {"high", 3}, {0}};
static const struct config_enum marks[] = {{"none", 0}, {"dot", 1}, {"dash", 2}, {"star", 4}, {0}};
static const struct config_enum automatic[] = {{"auto", 0}, {0}};

#define ROW(text, type, start, member)                              \
    .name = text, .kind = type, .initial = start, .help = "A toy.", \
    .field = CONFIG_FIELD(struct toy, member)

static const struct config_option toy_options[] = {
    {ROW("flag", CONFIG_BOOL, "yes", flag), .flags = CONFIG_LIVE},
    {ROW("number", CONFIG_INT, "10", number), .min = -5, .max = 1000, .flags = CONFIG_LIVE,
     .aliases = {"digits"}, .validate = even_only, .apply = number_apply},
    {ROW("narrow", CONFIG_INT, "7", narrow), .flags = CONFIG_LIVE},
    {ROW("huge", CONFIG_BYTES, "0", huge), .flags = CONFIG_LIVE | CONFIG_U64},
    {ROW("bytes", CONFIG_BYTES, "1mb", bytes), .min = 10, .max = INT64_MAX, .flags = CONFIG_LIVE},
    {ROW("share", CONFIG_BYTES, "0", share), .min = -100, .max = INT64_MAX,
     .flags = CONFIG_LIVE | CONFIG_PERCENT},
    {ROW("debt", CONFIG_BYTES, "0", debt), .min = -1, .max = INT64_MAX,
     .flags = CONFIG_LIVE | CONFIG_NEGATIVE},
    {ROW("mode", CONFIG_OCTAL, "640", mode), .max = 0777, .flags = CONFIG_LIVE},
    {ROW("level", CONFIG_ENUM, "middle", level), .values = levels, .flags = CONFIG_LIVE},
    {ROW("colour", CONFIG_ENUM, "low", colour), .values = levels, .flags = CONFIG_LIVE},
    {ROW("marks", CONFIG_ENUM, "none", marks), .values = marks,
     .flags = CONFIG_LIVE | CONFIG_MULTI_ARG},
    {ROW("name", CONFIG_STRING, "joe", name), .flags = CONFIG_LIVE},
    {ROW("maybe", CONFIG_STRING, "", maybe), .flags = CONFIG_LIVE | CONFIG_EMPTY_IS_NULL},
    {ROW("secret", CONFIG_STRING, "", secret),
     .flags = CONFIG_LIVE | CONFIG_SENSITIVE | CONFIG_PROTECTED | CONFIG_DENY_LOADING},
    {ROW("fixed", CONFIG_INT, "1", fixed)},
    {ROW("threads", CONFIG_INT, "1", threads), .min = 1, .max = 8, .values = automatic,
     .flags = CONFIG_LIVE},
    {ROW("quiet", CONFIG_INT, "0", quiet), .flags = CONFIG_LIVE | CONFIG_HIDDEN,
     .apply = pair_apply},
    {ROW("twin", CONFIG_INT, "0", twin), .flags = CONFIG_LIVE, .apply = pair_apply},
    {ROW("list", CONFIG_CUSTOM, "1 2", list), .custom = &list_kind,
     .flags = CONFIG_LIVE | CONFIG_MULTI_ARG | CONFIG_ACCUMULATES},
    {.name = "old-thing", .kind = CONFIG_IGNORED},
    {0},
};
