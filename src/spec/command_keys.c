/* SPDX-License-Identifier: BSD-3-Clause */
/* Key positions from the key specs of a row: where a spec begins (a place, or a keyword), and which
 * arguments from there on are keys (a range, or as many as a number among them says). The arguments
 * are hostile: every position is computed in 64 bits and compared with argc before it is used. */
#include "base/check.h"
#include "base/mem.h"
#include "base/num.h"
#include "spec/command.h"

struct key_span { /* positions first, first + step, ... up to last; none if last < first */
    int64_t first, last, step;
};

void command_keys_init(struct command_keys *keys) {
    keys->count = 0;
    keys->cap = COMMAND_KEYS_INLINE;
    keys->keys = keys->inline_keys;
}

void command_keys_deinit(struct command_keys *keys) {
    if (keys->keys != keys->inline_keys) mem_free(keys->keys);
    command_keys_init(keys);
}

void command_keys_add(struct command_keys *keys, uint32_t position, uint32_t flags) {
    if (unlikely(keys->count == keys->cap)) {
        check(keys->cap <= UINT32_MAX / 2);
        uint32_t cap = keys->cap * 2;
        bool is_inline = keys->keys == keys->inline_keys;
        struct command_key *room =
            mem_realloc(is_inline ? NULL : keys->keys, cap * sizeof(keys->keys[0]));
        if (is_inline) memcpy(room, keys->inline_keys, sizeof(keys->inline_keys));
        keys->keys = room;
        keys->cap = cap;
    }
    keys->keys[keys->count++] = (struct command_key){.position = position, .flags = flags};
}

/* Where the spec begins; 0 if its keyword is not there. */
static int64_t find_begin(const struct key_spec *spec, const struct bytes *argv, uint32_t argc) {
    if (spec->begin == KEY_BEGIN_INDEX) return spec->index;
    if (spec->begin != KEY_BEGIN_KEYWORD) return 0;
    struct bytes keyword = bytes_of(spec->keyword);
    bool forward = spec->start_from > 0;
    int64_t at = forward ? spec->start_from : (int64_t)argc + spec->start_from;
    /* Something must follow the keyword. */
    for (; at > 0 && at + 1 < (int64_t)argc; at += forward ? 1 : -1) {
        if (bytes_equal_nocase(argv[at], keyword)) return at + 1;
    }
    return 0;
}

static struct key_span range_span(const struct key_spec *spec, int64_t first, uint32_t argc) {
    int64_t last;
    if (spec->last_key >= 0) {
        last = first + spec->last_key;
    } else if (spec->limit <= 1) {
        last = (int64_t)argc + spec->last_key;
    } else { /* the keys are one part in limit of what is left */
        last = first + ((int64_t)argc - first) / spec->limit + spec->last_key;
    }
    return (struct key_span){.first = first, .last = last, .step = spec->step};
}

/* No span (last < first) if the number is none, or out of bounds. */
static struct key_span keynum_span(const struct key_spec *spec, const struct bytes *argv,
                                   uint32_t argc, int64_t begin) {
    int64_t number_at = begin + spec->key_num_index, count;
    struct key_span span = {.first = 1, .last = 0, .step = spec->key_step};
    if (number_at >= (int64_t)argc || !num_parse_i64(argv[number_at], &count)) return span;
    if (count <= 0 || count > (int64_t)argc) return span;
    span.first = begin + spec->first_key;
    span.last = span.first + (count - 1) * spec->key_step;
    return span;
}

static bool says_zero(const struct key_spec *spec, const struct bytes *argv, uint32_t argc,
                      int64_t begin) {
    int64_t number_at = begin + spec->key_num_index, count;
    return number_at < (int64_t)argc && num_parse_i64(argv[number_at], &count) && count == 0;
}

static bool add_spec(const struct command *command, const struct key_spec *spec,
                     const struct bytes *argv, uint32_t argc, struct command_keys *out) {
    if (spec->flags & KEY_NOT_KEY) return true;
    if (spec->begin == KEY_BEGIN_UNKNOWN || spec->find == KEY_FIND_UNKNOWN) return true;
    int64_t begin = find_begin(spec, argv, argc);
    if (begin == 0) return true; /* an optional part that is not there */

    struct key_span span;
    if (spec->find == KEY_FIND_RANGE) {
        span = range_span(spec, begin, argc);
    } else {
        bool may_be_none = command->flags & CMD_NO_MANDATORY_KEYS;
        if (may_be_none && says_zero(spec, argv, argc, begin)) return true;
        span = keynum_span(spec, argv, argc, begin);
    }
    if (span.last < span.first || span.last >= (int64_t)argc || span.step <= 0) return false;
    for (int64_t at = span.first; at <= span.last; at += span.step)
        command_keys_add(out, (uint32_t)at, spec->flags);
    return true;
}

bool command_has_keys(const struct command *command) {
    if (command->spec->find_keys) return true;
    const struct key_spec *spec = command->spec->keys;
    for (; spec && spec->begin != KEY_BEGIN_NONE; spec++) {
        if (!(spec->flags & KEY_NOT_KEY)) return true;
    }
    return false;
}

bool command_find_keys(const struct command *command, const struct bytes *argv, uint32_t argc,
                       struct command_keys *out) {
    if (command->spec->find_keys) return command->spec->find_keys(argv, argc, out);
    const struct key_spec *spec = command->spec->keys;
    for (; spec && spec->begin != KEY_BEGIN_NONE; spec++) {
        if (!add_spec(command, spec, argv, argc, out)) return false;
    }
    return true;
}

bool command_keys_fit(const struct command *command, const struct bytes *argv, uint32_t argc) {
    struct command_keys keys;
    command_keys_init(&keys);
    bool fit = true;
    for (uint32_t i = 0; command->spec->group == GROUP_HASH && i < argc; i++)
        fit &= argv[i].size <= COMMAND_KEY_BYTES_MAX;
    if (command_find_keys(command, argv, argc, &keys)) {
        for (uint32_t i = 0; i < keys.count; i++)
            fit &= argv[keys.keys[i].position].size <= COMMAND_KEY_BYTES_MAX;
    }
    command_keys_deinit(&keys);
    return fit;
}
