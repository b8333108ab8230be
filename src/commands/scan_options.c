/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands/scan_options.h"

#include "base/glob.h"
#include "base/num.h"

enum { COUNT_INITIAL = 10 };

bool scan_read_cursor(struct call *call, uint32_t arg, uint64_t *out) {
    struct bytes text = call->argv[arg];
    while (text.size > 1 && char_is_space(text.data[0]))
        text = bytes_from(text, 1);
    if (text.size > 1 && text.data[0] == '+') text = bytes_from(text, 1);
    while (text.size > 1 && text.data[0] == '0')
        text = bytes_from(text, 1);
    if (num_parse_u64(text, out)) return true;
    call_error(call, ERROR_INVALID_CURSOR);
    return false;
}

static bool read_type(struct call *call, uint32_t arg, uint8_t *out) {
    for (uint8_t type = 0; type < VALUE_TYPE_COUNT; type++) {
        if (type != TYPE_MODULE && call_is(call, arg, value_type_name(type))) {
            *out = type;
            return true;
        }
    }
    int shown = (int)size_min(call->argv[arg].size, INT32_MAX);
    call_errorf(call, ERROR_UNKNOWN_TYPE_NAME, shown, call->argv[arg].data);
    return false;
}

/* NOVALUES and NOSCORES, which have no value and an error of their own where they do not belong. */
static bool read_flag(struct call *call, uint32_t arg, uint32_t words, struct scan_options *out) {
    static const struct {
        const char *word;
        enum scan_word bit;
        enum error_id elsewhere;
    } flags[] = {
        {"NOVALUES", SCAN_NOVALUES, ERROR_NOVALUES_HSCAN},
        {"NOSCORES", SCAN_NOSCORES, ERROR_NOSCORES_ZSCAN},
    };
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        if (!call_is(call, arg, flags[i].word)) continue;
        if (words & flags[i].bit) {
            out->given |= flags[i].bit;
            return true;
        }
        call_error(call, flags[i].elsewhere);
        return false;
    }
    call_error(call, ERROR_SYNTAX);
    return false;
}

/* One option at arg; *used is how many arguments it took. False: it has replied. */
static bool read_option(struct call *call, uint32_t arg, uint32_t words, struct scan_options *out,
                        uint32_t *used) {
    bool has_value = arg + 1 < call->argc;
    *used = 2;
    if (has_value && call_is(call, arg, "COUNT")) {
        if (!call_int(call, arg + 1, &out->count)) return false;
        if (out->count >= 1) return true;
        call_error(call, ERROR_SYNTAX);
        return false;
    }
    if (has_value && call_is(call, arg, "MATCH")) {
        out->pattern = call->argv[arg + 1];
        out->filters_names = !bytes_equal(out->pattern, BYTES("*"));
        return true;
    }
    if (has_value && words & SCAN_TYPE && call_is(call, arg, "TYPE")) {
        return read_type(call, arg + 1, &out->type);
    }
    *used = 1;
    return read_flag(call, arg, words, out);
}

bool scan_options_read(struct call *call, uint32_t first, uint32_t words,
                       struct scan_options *out) {
    *out = (struct scan_options){.type = TYPE_ANY, .count = COUNT_INITIAL};
    uint32_t used;
    for (uint32_t arg = first; arg < call->argc; arg += used) {
        if (!read_option(call, arg, words, out, &used)) return false;
    }
    return true;
}

bool scan_wants(const struct scan_options *options, struct bytes name) {
    return !options->filters_names || glob_match(options->pattern, name);
}

void scan_reply_head(struct reply *reply, uint64_t cursor) {
    char text[NUM_I64_TEXT_MAX];
    reply_array(reply, 2);
    reply_bulk(reply, bytes_make(text, num_format_u64(text, cursor)));
}

void scan_reply_nothing(struct reply *reply) {
    scan_reply_head(reply, 0);
    reply_array(reply, 0);
}
