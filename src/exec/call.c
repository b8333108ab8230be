/* SPDX-License-Identifier: BSD-3-Clause */
/* The words that handlers are written in. Running calls is run.c. */
#include "exec/call.h"

#include "base/check.h"
#include "base/num.h"

#include <stdarg.h>
#include <stdio.h>

enum { CALL_ERROR_MAX = 1024 };

/* ---- replies ---- */

static void call_fail(struct call *call, struct bytes text) {
    call->failed = true;
    reply_error(call->reply, text);
    error_stats_count(call->exec, bytes_make(text.data, bytes_find_byte(text, ' ')));
}

void call_error(struct call *call, enum error_id id) { call_fail(call, bytes_of(error_text(id))); }

static void call_vfail(struct call *call, const char *fmt, va_list args) {
    char text[CALL_ERROR_MAX];
    int size = vsnprintf(text, sizeof(text), fmt, args);
    check(size >= 0);
    call_fail(call, bytes_make(text, size_min((size_t)size, sizeof(text) - 1)));
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the format is a row of errors.def */
void call_errorf(struct call *call, enum error_id id, ...) {
    va_list args;
    va_start(args, id);
    call_vfail(call, error_text(id), args);
    va_end(args);
}
#pragma GCC diagnostic pop

void call_error_text(struct call *call, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    call_vfail(call, fmt, args);
    va_end(args);
}

void call_error_arity(struct call *call) {
    call_errorf(call, ERROR_WRONG_ARITY, call->command->full_name);
}

void call_container_name(const struct command *command, char out[CALL_NAME_MAX]) {
    const char *name = command->parent ? command->parent->spec->name : command->spec->name;
    size_t size = size_min(strlen(name), CALL_NAME_MAX - 1);
    for (size_t i = 0; i < size; i++)
        out[i] = char_upper(name[i]);
    out[size] = 0;
}

void call_help(struct call *call, const char *const *lines) {
    char name[CALL_NAME_MAX];
    call_container_name(call->command, name);
    size_t count = 0;
    while (lines[count])
        count++;
    reply_array(call->reply, count + 3);
    char title[128];
    int n = snprintf(title, sizeof(title),
                     "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", name);
    reply_simple(call->reply, bytes_make(title, (size_t)n));
    for (size_t i = 0; i < count; i++)
        reply_simple(call->reply, bytes_of(lines[i]));
    reply_simple(call->reply, BYTES("HELP"));
    reply_simple(call->reply, BYTES("    Print this help."));
}

/* ---- arguments ---- */

bool call_int(struct call *call, uint32_t arg, int64_t *out) {
    if (num_parse_i64(call->argv[arg], out)) return true;
    call_error(call, ERROR_NOT_INTEGER);
    return false;
}

bool call_int_range(struct call *call, uint32_t arg, int64_t min, int64_t max, enum error_id error,
                    int64_t *out) {
    int64_t value;
    if (!num_parse_i64(call->argv[arg], &value) || value < min || value > max) {
        call_error(call, error);
        return false;
    }
    *out = value;
    return true;
}

bool call_double(struct call *call, uint32_t arg, double *out) {
    if (num_parse_double(call->argv[arg], out)) return true;
    call_error(call, ERROR_NOT_FLOAT);
    return false;
}

bool call_ldouble(struct call *call, uint32_t arg, long double *out) {
    if (num_parse_ldouble(call->argv[arg], out)) return true;
    call_error(call, ERROR_NOT_FLOAT);
    return false;
}

struct blob *call_take_blob(struct call *call, uint32_t arg) {
    return call->request ? request_take_big(call->request, arg) : NULL;
}

/* ---- keys ---- */

static bool call_type_fits(struct call *call, const struct entry *entry, uint8_t type) {
    if (!entry || type == TYPE_ANY || entry_type(entry) == type) return true;
    call_error(call, ERROR_WRONG_TYPE);
    return false;
}

bool call_find(struct call *call, uint32_t arg, uint8_t type, struct entry **out) {
    struct entry *entry = call_peek(call, arg);
    if (unlikely(!entry)) {
        reply_null(call->reply);
        return false;
    }
    if (!call_type_fits(call, entry, type)) return false;
    *out = entry;
    return true;
}

bool call_find_or_null(struct call *call, uint32_t arg, uint8_t type, struct entry **out) {
    struct entry *entry = call_peek(call, arg);
    if (!call_type_fits(call, entry, type)) return false;
    *out = entry;
    return true;
}

bool call_find_write(struct call *call, uint32_t arg, uint8_t type, struct entry **out) {
    struct entry *entry = call_peek_write(call, arg);
    if (!call_type_fits(call, entry, type)) return false;
    *out = entry;
    return true;
}
