/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/key_types.h"

#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/walk.h"

static const struct {
    const char *name, *counts, *elements;
} known_types[] = {
    {"string", "STRLEN", "bytes"}, {"list", "LLEN", "items"},  {"set", "SCARD", "members"},
    {"zset", "ZCARD", "members"},  {"hash", "HLEN", "fields"}, {"stream", "XLEN", "entries"},
};

static struct key_type *type_add(struct key_types *types, struct bytes name) {
    struct key_type *type = &types->types[types->count++];
    *type = (struct key_type){.biggest = -1, .elements = "elements"};
    snprintf(type->name, sizeof(type->name), "%.*s", (int)size_min(name.size, 63), name.data);
    return type;
}

void key_types_init(struct key_types *types) {
    types->count = 0;
    for (size_t i = 0; i < COUNT_OF(known_types); i++) {
        struct key_type *type = type_add(types, bytes_of(known_types[i].name));
        type->counts = known_types[i].counts;
        type->elements = known_types[i].elements;
    }
}

void key_types_deinit(struct key_types *types) {
    for (size_t i = 0; i < types->count; i++) {
        mem_free(types->types[i].biggest_key);
    }
}

static size_t index_of(struct key_types *types, struct bytes name) {
    if (bytes_equal(name, BYTES("none"))) return KEY_TYPES_MAX;
    for (size_t i = 0; i < types->count; i++) {
        if (bytes_equal(bytes_of(types->types[i].name), name)) return i;
    }
    if (types->count == KEY_TYPES_MAX || name.size >= sizeof(types->types[0].name)) {
        return KEY_TYPES_MAX;
    }
    type_add(types, name);
    return types->count - 1;
}

bool key_types_ask(struct key_types *types, struct walk *walk, const struct resp_value *keys,
                   size_t count, size_t *out) {
    struct walk_question *questions = mem_zalloc_array(count, sizeof(*questions));
    struct resp_value **replies = mem_alloc_array(count, sizeof(*replies));
    for (size_t i = 0; i < count; i++) {
        questions[i] = (struct walk_question){.words = {"TYPE"}};
    }
    bool good = walk_ask(walk, keys, count, questions, replies);
    for (size_t i = 0; good && i < count; i++) {
        bool told = replies[i]->kind == RESP_STATUS;
        out[i] = told ? index_of(types, replies[i]->text) : KEY_TYPES_MAX;
        resp_value_destroy(&replies[i]);
    }
    mem_free(questions);
    mem_free(replies);
    return good;
}

static bool ask_numbers(struct walk *walk, const struct resp_value *keys, size_t count,
                        const struct walk_question *questions, int64_t *numbers) {
    struct resp_value **replies = mem_alloc_array(count, sizeof(*replies));
    bool good = walk_ask(walk, keys, count, questions, replies);
    for (size_t i = 0; good && i < count; i++) {
        /* An error: the key has got another type meanwhile. */
        bool told = replies[i] && replies[i]->kind == RESP_INTEGER;
        numbers[i] = told ? replies[i]->integer : -1;
        if (replies[i] && resp_is_error(replies[i]) && walk->cli->options.verbose) {
            cli_say("%s failed: %s", questions[i].words[0], replies[i]->text.data);
        }
        resp_value_destroy(&replies[i]);
    }
    mem_free(replies);
    return good;
}

bool key_types_ask_elements(struct key_types *types, struct walk *walk,
                            const struct resp_value *keys, size_t count, const size_t *key_type,
                            int64_t *numbers) {
    struct walk_question *questions = mem_zalloc_array(count, sizeof(*questions));
    for (size_t i = 0; i < count; i++) {
        questions[i] = (struct walk_question){0};
        if (key_type[i] < KEY_TYPES_MAX) questions[i].words[0] = types->types[key_type[i]].counts;
    }
    bool good = ask_numbers(walk, keys, count, questions, numbers);
    mem_free(questions);
    return good;
}

bool key_types_ask_memory(struct key_types *types, struct walk *walk, const struct resp_value *keys,
                          size_t count, const size_t *key_type, int64_t *numbers) {
    (void)types;
    int64_t samples = walk->cli->options.memkeys_samples;
    char text[NUM_I64_TEXT_MAX + 1];
    text[num_format_i64(text, samples)] = '\0';
    struct walk_question *questions = mem_zalloc_array(count, sizeof(*questions));
    for (size_t i = 0; i < count; i++) {
        questions[i] = (struct walk_question){0};
        if (key_type[i] == KEY_TYPES_MAX) continue;
        questions[i] = (struct walk_question){.words = {"MEMORY", "USAGE"}};
        if (samples >= 0) {
            questions[i].extra[0] = "SAMPLES";
            questions[i].extra[1] = text;
        }
    }
    bool good = ask_numbers(walk, keys, count, questions, numbers);
    mem_free(questions);
    return good;
}
