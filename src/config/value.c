/* SPDX-License-Identifier: BSD-3-Clause */
/* One value of each kind: text to value, value to text, and its bounds. */
#include "base/check.h"
#include "base/mem.h"
#include "base/num.h"
#include "config/config_internal.h"

#include <inttypes.h>
#include <limits.h>

enum { SPLIT_SIZE_MAX = 64 * 1024 }; /* bytes of one word that stands for several */

/* --- integer fields, signed or not, through one pair of functions --- */

/* The value's 64 bits; a U64 option reads them as unsigned. */
static int64_t int_read(const struct config_field *field, const void *value) {
    bool is_signed = field->type == CONFIG_TYPE_SIGNED;
    int64_t wide;
    uint32_t narrow;
    if (field->size == sizeof(uint8_t)) return *(const uint8_t *)value;
    if (field->size == sizeof(wide)) {
        memcpy(&wide, value, sizeof(wide));
        return wide;
    }
    memcpy(&narrow, value, sizeof(narrow));
    return is_signed ? (int64_t)(int32_t)narrow : (int64_t)narrow;
}

static void int_write(const struct config_field *field, void *value, int64_t number) {
    if (field->size == sizeof(uint8_t)) {
        *(uint8_t *)value = (uint8_t)number;
    } else if (field->size == sizeof(int32_t)) {
        uint32_t narrow = (uint32_t)number;
        memcpy(value, &narrow, sizeof(narrow));
    } else {
        memcpy(value, &number, sizeof(number));
    }
}

static int64_t int_min(const struct config_option *option) { return option->min; }

/* The upper bound; for U64 its bits are UINT64_MAX. */
static uint64_t int_max(const struct config_option *option) {
    if (option->flags & CONFIG_U64) return UINT64_MAX;
    if (option->min != 0 || option->max != 0) return (uint64_t)option->max;
    if (option->field.size == sizeof(int64_t)) return INT64_MAX;
    return option->field.type == CONFIG_TYPE_SIGNED ? INT32_MAX : UINT32_MAX;
}

static enum err range_error(const struct config_option *option, struct diag *diag) {
    return diag_set(diag, ERR_RANGE,
                    "argument must be between %" PRId64 " and %" PRIu64 " inclusive",
                    int_min(option), int_max(option));
}

static enum err int_store(const struct config_option *option, bool negative, uint64_t magnitude,
                          void *out, struct diag *diag) {
    if (negative) {
        /* -magnitude without overflow; magnitude is at most 2^63 */
        int64_t number = (int64_t)(0 - magnitude);
        if (magnitude > (uint64_t)INT64_MAX + 1 || number < int_min(option))
            return range_error(option, diag);
        int_write(&option->field, out, number);
        return ERR_NONE;
    }
    if (magnitude > int_max(option)) return range_error(option, diag);
    if (int_min(option) > 0 && magnitude < (uint64_t)int_min(option))
        return range_error(option, diag);
    int_write(&option->field, out, (int64_t)magnitude);
    return ERR_NONE;
}

static const struct config_enum *enum_find(const struct config_enum *values, struct bytes word) {
    for (; values && values->name; values++) {
        if (bytes_equal_nocase(bytes_of(values->name), word)) return values;
    }
    return NULL;
}

static char *string_read(const void *value) {
    char *text;
    memcpy(&text, value, sizeof(text));
    return text;
}

/* --- parsing, one function per kind --- */

static enum err parse_bool(const struct config_input *in, void *out, struct diag *diag) {
    if (bytes_equal_nocase(in->words[0], BYTES("yes"))) {
        *(bool *)out = true;
    } else if (bytes_equal_nocase(in->words[0], BYTES("no"))) {
        *(bool *)out = false;
    } else {
        return diag_set(diag, ERR_SYNTAX, "argument must be 'yes' or 'no'");
    }
    return ERR_NONE;
}

static enum err parse_int(const struct config_input *in, void *out, struct diag *diag) {
    const struct config_enum *word = enum_find(in->option->values, in->words[0]);
    if (word) {
        int_write(&in->option->field, out, word->value);
        return ERR_NONE;
    }
    uint64_t magnitude;
    if (num_parse_u64(in->words[0], &magnitude)) {
        return int_store(in->option, false, magnitude, out, diag);
    }
    int64_t number;
    if (!num_parse_i64(in->words[0], &number))
        return diag_set(diag, ERR_SYNTAX, "argument couldn't be parsed into an integer");
    return int_store(in->option, number < 0, 0 - (uint64_t)number, out, diag);
}

static enum err parse_percent(const struct config_input *in, void *out, struct diag *diag) {
    struct bytes digits = bytes_make(in->words[0].data, in->words[0].size - 1);
    int64_t percent;
    if (!num_parse_i64(digits, &percent) || percent < 0)
        return diag_set(diag, ERR_SYNTAX, "argument must be a memory or percent value");
    if (percent > 100)
        return diag_set(diag, ERR_RANGE, "percentage argument must be less or equal to 100");
    int_write(&in->option->field, out, -percent);
    return ERR_NONE;
}

static enum err parse_bytes(const struct config_input *in, void *out, struct diag *diag) {
    struct bytes word = in->words[0];
    unsigned flags = in->option->flags;
    if ((flags & CONFIG_PERCENT) && word.size > 0 && word.data[word.size - 1] == '%')
        return parse_percent(in, out, diag);

    bool negative = (flags & CONFIG_NEGATIVE) && word.size > 1 && word.data[0] == '-';
    uint64_t magnitude = 0; /* nothing at all is taken as 0 */
    if (word.size > 0 && !num_parse_memory(bytes_from(word, negative), &magnitude)) {
        return diag_set(diag, ERR_SYNTAX, "argument must be a memory%s value",
                        flags & CONFIG_PERCENT ? " or percent" : "");
    }
    return int_store(in->option, negative && magnitude > 0, magnitude, out, diag);
}

static enum err parse_octal(const struct config_input *in, void *out, struct diag *diag) {
    struct bytes word = in->words[0];
    uint64_t number = 0;
    bool ok = word.size > 0 && word.size <= 20;
    for (size_t i = 0; ok && i < word.size; i++) {
        ok = word.data[i] >= '0' && word.data[i] <= '7';
        number = number * 8 + (uint64_t)(word.data[i] - '0');
    }
    if (!ok) return diag_set(diag, ERR_SYNTAX, "argument couldn't be parsed as an octal number");
    return int_store(in->option, false, number, out, diag);
}

static enum err enum_error(const struct config_enum *values, struct diag *diag) {
    struct buf names = {0};
    for (const struct config_enum *value = values; value->name; value++) {
        buf_addf(&names, "%s%s", value == values ? "" : ", ", value->name);
    }
    enum err err = diag_set(diag, ERR_SYNTAX, "argument(s) must be one of the following: %.*s",
                            (int)names.size, names.data);
    buf_deinit(&names);
    return err;
}

static enum err parse_enum(const struct config_input *in, void *out, struct diag *diag) {
    int64_t bits = 0;
    for (size_t i = 0; i < in->count; i++) {
        const struct config_enum *value = enum_find(in->option->values, in->words[i]);
        if (!value) return enum_error(in->option->values, diag);
        bits |= value->value;
    }
    if (in->count == 0) return enum_error(in->option->values, diag);
    int_write(&in->option->field, out, bits);
    return ERR_NONE;
}

static enum err parse_string(const struct config_input *in, void *out, struct diag *diag) {
    struct bytes word = in->words[0];
    if (bytes_find_byte(word, '\0') < word.size)
        return diag_set(diag, ERR_SYNTAX, "argument must not contain a NUL byte");
    bool unset = word.size == 0 && (in->option->flags & CONFIG_EMPTY_IS_NULL);
    char *text = unset ? NULL : mem_copy_bytes(word);
    memcpy(out, &text, sizeof(text)); /* the field may be a const char * */
    return ERR_NONE;
}

static enum err parse_custom(const struct config_input *in, void *out, struct diag *diag) {
    for (size_t i = 0; i < in->count; i++) {
        if (bytes_find_byte(in->words[i], '\0') < in->words[i].size)
            return diag_set(diag, ERR_SYNTAX, "argument must not contain a NUL byte");
    }
    struct config_parse parse = {
        .words = in->words,
        .count = in->count,
        .current = in->current,
        .fresh = !in->touched,
        .initial = in->initial,
        .live = in->live,
        .base_dir = in->base_dir,
        .place = in->place,
        .ctx = in->ctx,
    };
    return in->option->custom->parse(&parse, out, diag);
}

static enum err parse_kind(const struct config_input *in, void *out, struct diag *diag) {
    switch (in->option->kind) {
    case CONFIG_BOOL: return parse_bool(in, out, diag);
    case CONFIG_INT: return parse_int(in, out, diag);
    case CONFIG_BYTES: return parse_bytes(in, out, diag);
    case CONFIG_OCTAL: return parse_octal(in, out, diag);
    case CONFIG_ENUM: return parse_enum(in, out, diag);
    case CONFIG_STRING: return parse_string(in, out, diag);
    case CONFIG_CUSTOM: return parse_custom(in, out, diag);
    case CONFIG_IGNORED: break;
    }
    panic("option %s keeps no value", in->option->name);
}

/* Splits a single word at each blank; two blanks give an empty word, which no option takes. */
static size_t split_word(struct bytes word, struct bytes *words) {
    size_t count = 0;
    while (word.size > 0) {
        size_t end = bytes_find_byte(word, ' ');
        words[count++] = bytes_make(word.data, end);
        if (end == word.size) break;
        word = bytes_from(word, end + 1);
        if (word.size == 0) words[count++] = word; /* it ended in a blank */
    }
    return count;
}

static enum err parse_words(const struct config_input *in, void *out, struct diag *diag) {
    bool several = in->option->flags & CONFIG_MULTI_ARG;
    if (in->option->flags & CONFIG_FILE_ONLY) return parse_kind(in, out, diag);
    if (!several && in->count != 1 && !in->initial)
        return diag_set(diag, ERR_SYNTAX, "wrong number of arguments");
    if (!several || in->count != 1) return parse_kind(in, out, diag);

    if (in->words[0].size > SPLIT_SIZE_MAX)
        return diag_set(diag, ERR_RANGE, "argument is too long");
    /* Each byte may be a blank and end a word, and there is one at the end. */
    struct bytes *words = mem_alloc_array(in->words[0].size + 2, sizeof(*words));
    struct config_input split = *in;
    split.words = words;
    split.count = split_word(in->words[0], words);
    enum err err = parse_kind(&split, out, diag);
    mem_free(words);
    return err;
}

enum err config__value_parse(const struct config_input *in, void *out, struct diag *diag) {
    enum err err = parse_words(in, out, diag);
    if (err != ERR_NONE || !in->option->validate) return err;

    err = in->option->validate(in->ctx, out, diag);
    if (err != ERR_NONE) config__value_deinit(in->option, out);
    return err;
}

/* --- formatting --- */

static void format_int(const struct config_option *option, const void *value, struct buf *out) {
    int64_t number = int_read(&option->field, value);
    for (const struct config_enum *word = option->values; word && word->name; word++) {
        if (word->value == number) {
            buf_add_text(out, word->name);
            return;
        }
    }
    if (option->kind == CONFIG_OCTAL) {
        buf_addf(out, "%" PRIo64, (uint64_t)number);
    } else if (option->flags & CONFIG_U64) {
        buf_addf(out, "%" PRIu64, (uint64_t)number);
    } else if ((option->flags & CONFIG_PERCENT) && number < 0) {
        buf_addf(out, "%" PRId64 "%%", -number);
    } else {
        buf_addf(out, "%" PRId64, number);
    }
}

static void format_enum(const struct config_option *option, const void *value, struct buf *out) {
    int64_t bits = int_read(&option->field, value);
    bool several = option->flags & CONFIG_MULTI_ARG;
    bool any = false;
    for (const struct config_enum *row = option->values; row->name; row++) {
        bool set = several && bits != 0 ? row->value != 0 && (bits & row->value) == row->value
                                        : row->value == bits;
        if (!set) continue;
        buf_addf(out, "%s%s", any ? " " : "", row->name);
        any = true;
        if (!several) return;
    }
    check(any);
}

void config__value_format(const struct config_option *option, const void *value, struct buf *out) {
    switch (option->kind) {
    case CONFIG_BOOL: buf_add_text(out, *(const bool *)value ? "yes" : "no"); return;
    case CONFIG_INT:
    case CONFIG_BYTES:
    case CONFIG_OCTAL: format_int(option, value, out); return;
    case CONFIG_ENUM: format_enum(option, value, out); return;
    case CONFIG_STRING: buf_add(out, bytes_of(string_read(value))); return;
    case CONFIG_CUSTOM: option->custom->format(value, out); return;
    case CONFIG_IGNORED: break;
    }
    panic("option %s keeps no value", option->name);
}

void config__value_deinit(const struct config_option *option, void *value) {
    if (option->kind == CONFIG_STRING) mem_free(string_read(value));
    if (option->kind == CONFIG_CUSTOM && option->custom->deinit) option->custom->deinit(value);
    memset(value, 0, option->field.size);
}

bool config__values_equal(const struct config_option *option, const void *a, const void *b) {
    if (option->kind == CONFIG_CUSTOM && option->custom->equal) return option->custom->equal(a, b);
    struct buf texts[2] = {{0}, {0}};
    config__value_format(option, a, &texts[0]);
    config__value_format(option, b, &texts[1]);
    bool equal = bytes_equal(buf_bytes(&texts[0]), buf_bytes(&texts[1]));
    buf_deinit(&texts[0]);
    buf_deinit(&texts[1]);
    return equal;
}

/* --- rows --- */

static void check_number_row(const struct config_option *option) {
    const struct config_field *field = &option->field;
    check(field->size == sizeof(int32_t) || field->size == sizeof(int64_t));
    check(field->type == CONFIG_TYPE_SIGNED || field->type == CONFIG_TYPE_UNSIGNED);
    bool is_signed = field->type == CONFIG_TYPE_SIGNED;
    check(option->min >= 0 || is_signed);
    if (option->flags & CONFIG_U64) {
        check(!is_signed);
        check(field->size == sizeof(uint64_t));
        check(option->max == 0);
        return;
    }
    check(option->min <= option->max);
    check(option->max >= 0);
    check(!(option->flags & (CONFIG_PERCENT | CONFIG_NEGATIVE)) || is_signed);
    if (field->size == sizeof(int32_t)) {
        check(option->min >= INT32_MIN);
        check(int_max(option) <= (is_signed ? (uint64_t)INT32_MAX : (uint64_t)UINT32_MAX));
    }
}

void config__check_row(const struct config_option *option) {
    bool multi = option->flags & CONFIG_MULTI_ARG;
    switch (option->kind) {
    case CONFIG_BOOL:
        check(option->field.type == CONFIG_TYPE_BOOL);
        check(!multi);
        break;
    case CONFIG_INT:
    case CONFIG_BYTES:
    case CONFIG_OCTAL:
        check_number_row(option);
        check(!multi);
        break;
    case CONFIG_ENUM:
        check(option->field.size == sizeof(int) || option->field.size == sizeof(uint8_t));
        check(option->field.type == CONFIG_TYPE_SIGNED ||
              option->field.type == CONFIG_TYPE_UNSIGNED);
        check(option->values != NULL);
        break;
    case CONFIG_STRING:
        check(option->field.type == CONFIG_TYPE_TEXT);
        check(!multi);
        break;
    case CONFIG_CUSTOM:
        check(option->field.size > 0);
        check(option->custom != NULL);
        break;
    case CONFIG_IGNORED: check(option->field.size == 0); return;
    }
    check(option->initial != NULL || option->kind == CONFIG_CUSTOM);
    check(option->help != NULL);
    check(!(option->flags & CONFIG_ACCUMULATES) || option->kind == CONFIG_CUSTOM);
    check(!(option->flags & CONFIG_FILE_ONLY) || option->kind == CONFIG_CUSTOM);
    check(!(option->flags & CONFIG_FILE_ONLY) || !(option->flags & CONFIG_LIVE));
}
