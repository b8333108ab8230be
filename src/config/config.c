/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config.h"

#include "base/check.h"
#include "base/glob.h"
#include "base/mem.h"
#include "config/config_internal.h"

#include <limits.h>
#include <unistd.h>

enum { NAME_SIZE_MAX = 128 };

struct config *config_create(void) {
    struct config *config = mem_zalloc(sizeof(*config));
    char cwd[PATH_MAX];
    config->base_dir = mem_strdup(getcwd(cwd, sizeof(cwd)) != NULL ? cwd : "/");
    return config;
}

void config_destroy(struct config **config) {
    struct config *self = *config;
    if (!self) return;

    for (size_t i = 0; i < self->slot_count; i++) {
        struct config_slot *slot = &self->slots[i];
        if (slot->option->kind != CONFIG_IGNORED) config__value_deinit(slot->option, slot->field);
        mem_free(slot->initial_text);
    }
    mem_free(self->slots);
    mem_free(self->names);
    mem_free(self->live.at);
    mem_free(self->live.touched);
    mem_free(self->live.bad);
    mem_free(self->base_dir);
    mem_free(self);
    *config = NULL;
}

static int name_compare(struct bytes a, struct bytes b) {
    size_t common = size_min(a.size, b.size);
    for (size_t i = 0; i < common; i++) {
        unsigned char x = (unsigned char)char_lower(a.data[i]);
        unsigned char y = (unsigned char)char_lower(b.data[i]);
        if (x != y) return x < y ? -1 : 1;
    }
    return a.size < b.size ? -1 : a.size > b.size;
}

/* The first index whose name is not less than name. */
static size_t lower_bound(const struct config *config, struct bytes name) {
    size_t low = 0;
    size_t high = config->name_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (name_compare(bytes_of(config->names[mid].name), name) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

size_t config__find_name(const struct config *config, struct bytes name) {
    size_t index = lower_bound(config, name);
    if (index == config->name_count) return SIZE_MAX;
    return name_compare(bytes_of(config->names[index].name), name) == 0 ? index : SIZE_MAX;
}

static void add_name(struct config *config, const char *name, size_t slot) {
    check(name[0] != '\0');
    check(strlen(name) <= NAME_SIZE_MAX);
    for (const char *p = name; *p; p++) {
        check(*p == char_lower(*p));
        check(!char_is_space(*p));
    }
    check(config__find_name(config, bytes_of(name)) == SIZE_MAX); /* named twice */
    check(strcmp(name, "include") != 0);                          /* the loader's own word */

    if (config->name_count == config->name_cap) {
        config->name_cap = config->name_cap ? config->name_cap * 2 : 64;
        config->names = mem_realloc(config->names, config->name_cap * sizeof(*config->names));
    }
    size_t index = lower_bound(config, bytes_of(name));
    memmove(&config->names[index + 1], &config->names[index],
            (config->name_count - index) * sizeof(*config->names));
    config->names[index] = (struct config_name){.name = name, .slot = slot};
    config->name_count++;
}

static void grow_slots(struct config *config) {
    if (config->slot_count < config->slot_cap) return;

    config->slot_cap = config->slot_cap ? config->slot_cap * 2 : 64;
    size_t cap = config->slot_cap;
    config->slots = mem_realloc(config->slots, cap * sizeof(*config->slots));
    config->live.at = mem_realloc(config->live.at, cap * sizeof(*config->live.at));
    config->live.touched = mem_realloc(config->live.touched, cap * sizeof(bool));
    config->live.bad = mem_realloc(config->live.bad, cap * sizeof(bool));
}

static void set_initial(struct config *config, size_t index) {
    struct config_slot *slot = &config->slots[index];
    const struct config_option *option = slot->option;
    struct bytes word = bytes_of(option->initial);
    struct config_input in = {
        .option = option,
        .words = &word,
        .count = option->initial ? 1 : 0,
        .current = slot->field,
        .initial = true,
        .base_dir = config->base_dir,
        .ctx = slot->ctx,
    };

    struct diag diag = {0};
    memset(slot->field, 0, option->field.size);
    enum err err = config__value_parse(&in, slot->field, &diag);
    if (err != ERR_NONE) panic("initial value of option %s: %s", option->name, diag.text);

    struct buf text = {0};
    config__value_format(option, slot->field, &text);
    slot->initial_text = buf_take(&text);
}

void config_add_table(struct config *config, const struct config_table *table) {
    check(table->options != NULL);
    for (const struct config_option *option = table->options; option->name; option++) {
        config__check_row(option);
        check(table->base != NULL || option->kind == CONFIG_IGNORED);
        grow_slots(config);

        size_t index = config->slot_count++;
        bool kept = option->kind != CONFIG_IGNORED;
        void *field = kept ? (char *)table->base + option->field.offset : NULL;
        config->slots[index] =
            (struct config_slot){.option = option, .field = field, .ctx = table->ctx};
        config->live.at[index] = field;
        config->live.touched[index] = false;
        config->live.bad[index] = false;
        config->live.count = config->slot_count;

        add_name(config, option->name, index);
        for (size_t i = 0; i < COUNT_OF(option->aliases); i++) {
            if (option->aliases[i]) add_name(config, option->aliases[i], index);
        }
        if (kept) set_initial(config, index);
    }
}

const struct config_option *config_find(const struct config *config, struct bytes name) {
    size_t index = config__find_name(config, name);
    return index == SIZE_MAX ? NULL : config->slots[config->names[index].slot].option;
}

bool config_format(const struct config *config, struct bytes name, struct buf *out) {
    size_t index = config__find_name(config, name);
    if (index == SIZE_MAX) return false;

    const struct config_slot *slot = &config->slots[config->names[index].slot];
    if (slot->option->kind == CONFIG_IGNORED) return false;
    config__value_format(slot->option, slot->field, out);
    return true;
}

bool config_is_default(const struct config *config, const char *name) {
    size_t index = config__find_name(config, bytes_of(name));
    check(index != SIZE_MAX);
    const struct config_slot *slot = &config->slots[config->names[index].slot];
    if (slot->option->kind == CONFIG_IGNORED) return true;

    struct buf text = {0};
    config__value_format(slot->option, slot->field, &text);
    bool equal = bytes_equal(buf_bytes(&text), bytes_of(slot->initial_text));
    buf_deinit(&text);
    return equal;
}

void config_visit(const struct config *config,
                  void (*visit)(const struct config_option *option, void *ctx), void *ctx) {
    for (size_t i = 0; i < config->slot_count; i++)
        visit(config->slots[i].option, ctx);
}

struct getter {
    const struct config *config;
    bool *seen; /* by index in names */
    config_emit_fn emit;
    void *ctx;
    struct buf text;
};

static void get_one(struct getter *getter, size_t index, struct bytes shown) {
    const struct config *config = getter->config;
    const struct config_slot *slot = &config->slots[config->names[index].slot];
    if (getter->seen[index] || slot->option->kind == CONFIG_IGNORED) return;
    if (slot->option->flags & CONFIG_FILE_ONLY) return;

    getter->seen[index] = true;
    buf_clear(&getter->text);
    config__value_format(slot->option, slot->field, &getter->text);
    getter->emit(shown, buf_bytes(&getter->text), getter->ctx);
}

static bool has_wildcard(struct bytes pattern) {
    for (size_t i = 0; i < pattern.size; i++) {
        char c = pattern.data[i];
        if (c == '*' || c == '?' || c == '[') return true;
    }
    return false;
}

void config_get(const struct config *config, const struct bytes *patterns, size_t count,
                config_emit_fn emit, void *ctx) {
    struct getter getter = {.config = config, .emit = emit, .ctx = ctx};
    getter.seen = mem_zalloc(config->name_count + 1);

    for (size_t i = 0; i < count; i++) {
        if (!has_wildcard(patterns[i])) {
            size_t index = config__find_name(config, patterns[i]);
            if (index != SIZE_MAX) get_one(&getter, index, patterns[i]);
            continue;
        }
        for (size_t index = 0; index < config->name_count; index++) {
            struct bytes name = bytes_of(config->names[index].name);
            unsigned flags = config->slots[config->names[index].slot].option->flags;
            if (flags & CONFIG_HIDDEN) continue;
            if (glob_match_nocase(patterns[i], name)) get_one(&getter, index, name);
        }
    }
    buf_deinit(&getter.text);
    mem_free(getter.seen);
}
