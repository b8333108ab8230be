/* SPDX-License-Identifier: BSD-3-Clause */
/* HGETEX, HSETEX and HGETDEL: fields with what is to become of them. */
#include "commands/hash_internal.h"
#include "commands/string_options.h"

static void reply_nulls(struct call *call, uint32_t count) {
    reply_array(call->reply, count);
    for (uint32_t i = 0; i < count; i++)
        reply_null(call->reply);
}

/* ---- HGETEX and HGETDEL ---- */

enum then { /* what follows a read */
            THEN_NOTHING = 0,
            THEN_EXPIRE,
            THEN_PERSIST,
            THEN_DELETE, /* asked for */
            THEN_EXPIRED /* the time has come already */
};

struct after_read {
    enum then then;
    int64_t at_ms; /* THEN_EXPIRE */
};

/* True if it changed something. The item is not valid afterwards. */
static bool apply(struct hash_edit *edit, struct bytes name, uint64_t code,
                  const struct hash_item *item, const struct after_read *after) {
    switch (after->then) {
    case THEN_NOTHING: return false;
    case THEN_EXPIRE: hash_set_expiry(&edit->hash, name, after->at_ms, edit->now_ms); return true;
    case THEN_PERSIST:
        if (item->at_ms < 0) return false;
        hash_set_expiry(&edit->hash, name, HASH_NO_TIME, edit->now_ms);
        return true;
    case THEN_DELETE:
    case THEN_EXPIRED: return hash_remove(&edit->hash, name, code, edit->now_ms);
    }
    return false;
}

/* Replies with the value of each field, and does the rest to it. */
static void read_fields(struct call *call, struct hash_edit *edit, const struct hash_fields *fields,
                        const struct after_read *after) {
    static const char *const events[] = {[THEN_EXPIRE] = "hexpire",
                                         [THEN_PERSIST] = "hpersist",
                                         [THEN_DELETE] = "hdel",
                                         [THEN_EXPIRED] = "hexpired"};
    struct hash_window window;
    struct hash_item item;
    size_t changed = 0;
    reply_array(call->reply, fields->count);
    for (uint32_t arg = fields->first; arg < call->argc;) {
        hash_window_load(&window, call, edit->hash, arg, call->argc, 1);
        for (uint32_t i = 0; i < window.count; i++, arg++) {
            struct bytes name = call->argv[arg];
            uint64_t code = hash_window_code(&window, edit->hash, i, name);
            if (hash_find(edit->hash, name, code, edit->now_ms, &item)) {
                hash_reply_text(call->reply, &item.value);
                changed += apply(edit, name, code, &item, after);
            } else {
                reply_null(call->reply);
            }
        }
    }
    if (!changed) return;
    hash_edit_removed(call, edit);
    if (after->then == THEN_EXPIRED) keyspace_stats(call->keyspace)->expired_fields += changed;
    keyspace_event(call->db, call->argv[1], EVENT_HASH, events[after->then]);
}

/* The same, or nulls if there is no hash; ends the edit. */
static void read_and_end(struct call *call, struct hash_edit *edit,
                         const struct hash_fields *fields, const struct after_read *after) {
    if (edit->hash) {
        read_fields(call, edit, fields, after);
    } else {
        reply_nulls(call, fields->count);
    }
    hash_edit_end(call, edit);
}

/* What the options say. False: it has replied. */
static bool read_after(struct call *call, const struct string_options *options,
                       struct after_read *after) {
    *after = (struct after_read){.then = THEN_NOTHING};
    if (options->given & STRING_TIMES) {
        if (!hash_read_time(call, &options->expiry, &after->at_ms)) return false;
        after->then = expiry_is_past(call, after->at_ms) ? THEN_EXPIRED : THEN_EXPIRE;
    } else if (options->given & STRING_PERSIST) {
        after->then = THEN_PERSIST;
    }
    return true;
}

/* HGETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] FIELDS count field [field ...] */
void cmd_hgetex(struct call *call) {
    struct after_read after;
    struct hash_fields fields;
    struct string_options options;
    struct hash_edit edit;
    if (!hash_read_fields(call, 2, 1, &fields)) return;
    if (!string_options_read(call, 2, fields.at, STRING_TIMES | STRING_PERSIST, &options)) return;
    if (!hash_edit_begin(call, &edit)) return;
    if (read_after(call, &options, &after)) {
        read_and_end(call, &edit, &fields, &after);
    } else {
        hash_edit_end(call, &edit);
    }
}

/* HGETDEL key FIELDS count field [field ...] */
void cmd_hgetdel(struct call *call) {
    const struct after_read after = {.then = THEN_DELETE};
    struct hash_fields fields;
    struct hash_edit edit;
    if (!hash_read_fields(call, 2, 1, &fields)) return;
    if (fields.at != 2) {
        call_error(call, ERROR_SYNTAX);
        return;
    }
    if (!hash_edit_begin(call, &edit)) return;
    read_and_end(call, &edit, &fields, &after);
}

/* ---- HSETEX ---- */

/* Whether any of the fields exists, or, with exists false, whether any is missing. */
static bool any_field(const struct call *call, const struct hash_edit *edit,
                      const struct hash_fields *fields, bool exists) {
    struct hash_window window;
    struct hash_item item;
    if (!edit->hash) return !exists;
    for (uint32_t arg = fields->first; arg < call->argc;) {
        hash_window_load(&window, call, edit->hash, arg, call->argc, 2);
        for (uint32_t i = 0; i < window.count; i++, arg += 2) {
            bool found =
                hash_find(edit->hash, call->argv[arg], window.codes[i], edit->now_ms, &item);
            if (found == exists) return true;
        }
    }
    return false;
}

static bool conditions_hold(const struct call *call, const struct hash_edit *edit,
                            const struct hash_fields *fields, uint32_t given) {
    if (given & STRING_NX && edit->hash) return false;
    if (given & STRING_XX && !edit->hash) return false;
    if (given & STRING_FNX && any_field(call, edit, fields, true)) return false;
    if (given & STRING_FXX && any_field(call, edit, fields, false)) return false;
    return true;
}

/* The time of the fields has come already: whoever listens hears of all that, and they are gone. */
static void set_in_the_past(struct call *call, struct hash_edit *edit,
                            const struct hash_fields *fields) {
    struct bytes key = call->argv[1];
    bool exists = edit->hash != NULL;
    for (uint32_t arg = fields->first; exists && arg < call->argc; arg += 2) {
        struct bytes name = call->argv[arg];
        (void)hash_remove(&edit->hash, name, hash_code(edit->hash, name), edit->now_ms);
    }
    if (exists) hash_edit_removed(call, edit);
    keyspace_stats(call->keyspace)->expired_fields += fields->count;
    keyspace_event(call->db, key, EVENT_HASH, "hset");
    keyspace_event(call->db, key, EVENT_HASH, "hexpire");
    keyspace_event(call->db, key, EVENT_HASH, "hexpired");
    if (!exists) keyspace_event(call->db, key, EVENT_GENERIC, "del");
}

static void set_fields(struct call *call, struct hash_edit *edit, const struct hash_fields *fields,
                       int64_t at_ms) {
    const struct hash_limits *limits = &call->exec->config->hash_limits;
    struct hash_setting to = {.at_ms = at_ms, .now_ms = edit->now_ms};
    struct hash_window window;
    hash_edit_make(edit, 0);
    hash_prepare(&edit->hash, limits, call->argv + fields->first, fields->count);
    for (uint32_t arg = fields->first; arg < call->argc;) {
        hash_window_load(&window, call, edit->hash, arg, call->argc, 2);
        for (uint32_t i = 0; i < window.count; i++, arg += 2) {
            to.name = call->argv[arg];
            to.value = call->argv[arg + 1];
            to.code = hash_window_code(&window, edit->hash, i, to.name);
            (void)hash_set(&edit->hash, limits, &to);
        }
    }
    hash_edit_changed(call, edit);
    keyspace_event(call->db, call->argv[1], EVENT_HASH, "hset");
    if (at_ms >= 0) keyspace_event(call->db, call->argv[1], EVENT_HASH, "hexpire");
}

/* *sets: whether the conditions hold, and so the fields were set. False: it has replied with an
 * error. */
static bool set_if(struct call *call, struct hash_edit *edit, const struct hash_fields *fields,
                   const struct string_options *options, bool *sets) {
    bool timed = options->given & STRING_TIMES;
    int64_t at_ms = options->given & STRING_KEEPTTL ? HASH_KEEP_TIME : HASH_NO_TIME;
    if (timed && !hash_read_time(call, &options->expiry, &at_ms)) return false;

    *sets = conditions_hold(call, edit, fields, options->given);
    if (*sets && timed && expiry_is_past(call, at_ms)) {
        set_in_the_past(call, edit, fields);
    } else if (*sets) {
        set_fields(call, edit, fields, at_ms);
    }
    return true;
}

/* HSETEX key [NX | XX] [FNX | FXX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] FIELDS count field
 * value [field value ...] */
void cmd_hsetex(struct call *call) {
    const uint32_t allowed =
        STRING_NX | STRING_XX | STRING_FNX | STRING_FXX | STRING_TIMES | STRING_KEEPTTL;
    struct hash_fields fields;
    struct string_options options;
    struct hash_edit edit;
    if (!hash_read_fields(call, 2, 2, &fields)) return;
    if (!string_options_read(call, 2, fields.at, allowed, &options)) return;
    if (!hash_edit_begin(call, &edit)) return;
    bool sets, good = set_if(call, &edit, &fields, &options, &sets);
    hash_edit_end(call, &edit);
    if (good) reply_integer(call->reply, sets);
}
