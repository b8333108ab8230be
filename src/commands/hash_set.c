/* SPDX-License-Identifier: BSD-3-Clause */
/* Setting, counting and removing fields. A field that is set loses its time to live; one that is
 * counted keeps it. */
#include "base/num.h"
#include "commands/hash_internal.h"
#include "resp/request.h"

#include <math.h>

static const struct hash_limits *limits_of(const struct call *call) {
    return &call->exec->config->hash_limits;
}

/* About the bytes of a listpack of these arguments. */
static size_t packed_size(const struct call *call, uint32_t first) {
    enum { ELEMENT_OVERHEAD = 2, SIZE_MAX_HINT = 64 << 10 };
    size_t size = 0;
    for (uint32_t arg = first; arg < call->argc && size < SIZE_MAX_HINT; arg++)
        size += call->argv[arg].size + ELEMENT_OVERHEAD;
    return size_min(size, SIZE_MAX_HINT);
}

/* ---- HSET ---- */

/* The arguments from 2 on are pairs. Returns how many fields are new. */
static int64_t set_pairs(struct call *call, struct hash_edit *edit) {
    const struct hash_limits *limits = limits_of(call);
    struct hash_setting to = {.at_ms = HASH_NO_TIME, .now_ms = edit->now_ms};
    struct hash_window window;
    int64_t added = 0;
    hash_edit_make(edit, packed_size(call, 2));
    hash_prepare(&edit->hash, limits, call->argv + 2, (call->argc - 2) / 2);
    for (uint32_t arg = 2; arg < call->argc;) {
        hash_window_load(&window, call, edit->hash, arg, call->argc, 2);
        for (uint32_t i = 0; i < window.count; i++, arg += 2) {
            to.name = call->argv[arg];
            to.value = call->argv[arg + 1];
            to.code = hash_window_code(&window, edit->hash, i, to.name);
            /* A blob is kept only from the last pair, and by a table: argv points into it until
             * the call ends, and nothing may drop the value before. */
            bool takes = unlikely(to.value.size >= REQUEST_BIG_ARG) && arg + 2 == call->argc &&
                         !hash_is_listpack(edit->hash);
            to.blob = takes ? call_take_blob(call, arg + 1) : NULL;
            added += hash_set(&edit->hash, limits, &to);
            if (unlikely(to.blob != NULL)) blob_release(to.blob);
        }
    }
    return added;
}

/* False: it has replied with an error. */
static bool set_all(struct call *call, int64_t *added) {
    struct hash_edit edit;
    if (call->argc % 2 != 0) {
        call_error_arity(call);
        return false;
    }
    if (!hash_edit_begin(call, &edit)) return false;
    *added = set_pairs(call, &edit);
    hash_edit_changed(call, &edit);
    keyspace_event(call->db, call->argv[1], EVENT_HASH, "hset");
    hash_edit_end(call, &edit);
    return true;
}

/* HSET key field value [field value ...] -- replies with the number of new fields. */
void cmd_hset(struct call *call) {
    int64_t added;
    if (set_all(call, &added)) reply_integer(call->reply, added);
}

/* HMSET key field value [field value ...] */
void cmd_hmset(struct call *call) {
    int64_t added;
    if (set_all(call, &added)) reply_ok(call->reply);
}

static void set_one(struct call *call, struct hash_edit *edit, struct bytes value, int64_t at_ms,
                    const char *event) {
    hash_edit_make(edit, packed_size(call, 2));
    const struct hash_setting to = {
        .name = call->argv[2],
        .value = value,
        .code = hash_code(edit->hash, call->argv[2]),
        .at_ms = at_ms,
        .now_ms = edit->now_ms,
    };
    (void)hash_set(&edit->hash, limits_of(call), &to);
    hash_edit_changed(call, edit);
    keyspace_event(call->db, call->argv[1], EVENT_HASH, event);
}

/* Whether there is the field of argument 2, and what it is. */
static bool find_field(const struct call *call, const struct hash_edit *edit,
                       struct hash_item *item) {
    struct bytes name = call->argv[2];
    return edit->hash &&
           hash_find(edit->hash, name, hash_code(edit->hash, name), edit->now_ms, item);
}

/* HSETNX key field value */
void cmd_hsetnx(struct call *call) {
    struct hash_edit edit;
    struct hash_item item;
    if (!hash_edit_begin(call, &edit)) return;
    bool sets = !find_field(call, &edit, &item);
    if (sets) set_one(call, &edit, call->argv[3], HASH_NO_TIME, "hset");
    hash_edit_end(call, &edit);
    reply_integer(call->reply, sets);
}

/* ---- counting ---- */

/* False: it has replied with an error. */
static bool add_integer(struct call *call, const struct hash_edit *edit, int64_t delta,
                        int64_t *value) {
    char scratch[NUM_I64_TEXT_MAX];
    struct hash_item item;
    *value = 0;
    if (find_field(call, edit, &item)) {
        if (!item.value.data) {
            *value = item.value.integer;
        } else if (!num_parse_i64(hash_text_bytes(&item.value, scratch), value)) {
            call_error(call, ERROR_HASH_NOT_INTEGER);
            return false;
        }
    }
    if (num_add_i64(*value, delta, value)) return true;
    call_error(call, ERROR_OVERFLOW);
    return false;
}

/* HINCRBY key field increment */
void cmd_hincrby(struct call *call) {
    char text[NUM_I64_TEXT_MAX];
    struct hash_edit edit;
    int64_t delta, value;
    if (!call_int(call, 3, &delta)) return;
    if (!hash_edit_begin(call, &edit)) return;
    if (add_integer(call, &edit, delta, &value)) {
        struct bytes result = bytes_make(text, num_format_i64(text, value));
        set_one(call, &edit, result, HASH_KEEP_TIME, "hincrby");
        reply_integer(call->reply, value);
    }
    hash_edit_end(call, &edit);
}

/* False: it has replied with an error. */
static bool add_number(struct call *call, const struct hash_edit *edit, long double delta,
                       long double *value) {
    char scratch[NUM_I64_TEXT_MAX];
    struct hash_item item;
    *value = 0;
    if (find_field(call, edit, &item) &&
        !num_parse_ldouble(hash_text_bytes(&item.value, scratch), value)) {
        call_error(call, ERROR_HASH_NOT_FLOAT);
        return false;
    }
    *value += delta;
    if (!isnan(*value) && !isinf(*value)) return true;
    call_error(call, ERROR_NAN_OR_INFINITY);
    return false;
}

/* HINCRBYFLOAT key field increment */
void cmd_hincrbyfloat(struct call *call) {
    char text[NUM_LDOUBLE_TEXT_MAX];
    struct hash_edit edit;
    long double delta, value;
    if (!call_ldouble(call, 3, &delta)) return;
    if (isnan(delta) || isinf(delta)) {
        call_error(call, ERROR_VALUE_NAN_OR_INFINITY);
        return;
    }
    if (!hash_edit_begin(call, &edit)) return;
    if (add_number(call, &edit, delta, &value)) {
        struct bytes result = bytes_make(text, num_format_ldouble(text, sizeof(text), value));
        set_one(call, &edit, result, HASH_KEEP_TIME, "hincrbyfloat");
        reply_bulk(call->reply, result);
    }
    hash_edit_end(call, &edit);
}

/* ---- removing ---- */

/* HDEL key field [field ...] */
void cmd_hdel(struct call *call) {
    struct hash_edit edit;
    struct hash_window window;
    int64_t removed = 0;
    if (!hash_edit_begin(call, &edit)) return;
    for (uint32_t arg = 2; edit.hash && arg < call->argc;) {
        hash_window_load(&window, call, edit.hash, arg, call->argc, 1);
        for (uint32_t i = 0; i < window.count; i++, arg++)
            removed += hash_remove(&edit.hash, call->argv[arg], window.codes[i], edit.now_ms);
    }
    if (removed) {
        hash_edit_removed(call, &edit);
        keyspace_event(call->db, call->argv[1], EVENT_HASH, "hdel");
    }
    hash_edit_end(call, &edit);
    reply_integer(call->reply, removed);
}
