/* SPDX-License-Identifier: BSD-3-Clause */
/* Fuzzes the option engine with the server's own options: bytes as a config file, as lines to
 * split, and as names and values of CONFIG SET. After each input every option must still show a
 * value that it takes back, and what a file set must not change that.
 *
 *     fuzz_config -max_len=4096 -dict=... corpus/
 *
 * Includes are cut out of the input: the fuzzer must not read the files of this machine. */
#include <ctype.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "config/config.h"
#include "server/options_reference.h"
#include "server/server_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct state {
    struct server_config server;
    struct reference_config reference;
    struct config *config;
};

static void set_up(struct state *state) {
    *state = (struct state){0};
    state->config = config_create();
    config_add_table(state->config,
                     &(struct config_table){server_options, &state->server, &state->server});
    config_add_table(state->config, &(struct config_table){reference_options, &state->reference,
                                                           &state->reference});
}

/* A copy in which no include can be read. */
static char *without_includes(const uint8_t *data, size_t size) {
    char *text = mem_copy_bytes(bytes_make(data, size));
    for (size_t i = 0; i + 3 <= size; i++) {
        /* Breaks the word wherever it stands, also where an escape spells a part of it. */
        if (tolower((unsigned char)text[i]) == 'i' && tolower((unsigned char)text[i + 1]) == 'n' &&
            tolower((unsigned char)text[i + 2]) == 'c')
            text[i + 1] = '_';
        if (text[i] == '\\' && text[i + 1] == 'x') text[i + 1] = 'y';
    }
    return text;
}

static void set_one(struct config *config, struct bytes name, struct bytes value, enum err *err) {
    struct config_set_request request = {
        .names = &name, .values = &value, .count = 1, .protected_allowed = true};
    struct diag diag = {0};
    *err = config_set_many(config, &request, &diag);
    check((*err == ERR_NONE) == (diag.text[0] == '\0'));
}

static void set_again(const struct config_option *option, void *ctx) {
    struct config *config = ctx;
    if (option->kind == CONFIG_IGNORED || !(option->flags & CONFIG_LIVE)) return;
    if (config_is_default(config, option->name)) return;

    struct buf before = {0}, after = {0};
    check(config_format(config, bytes_of(option->name), &before));
    enum err err;
    set_one(config, bytes_of(option->name), buf_bytes(&before), &err);
    check(err == ERR_NONE);
    check(config_format(config, bytes_of(option->name), &after));
    check(bytes_equal(buf_bytes(&before), buf_bytes(&after)));
    buf_deinit(&before);
    buf_deinit(&after);
}

struct setter {
    struct config *config;
    struct bytes value;
};

static void set_each(const struct config_option *option, void *ctx) {
    struct setter *setter = ctx;
    enum err err;
    set_one(setter->config, bytes_of(option->name), setter->value, &err);
}

static void try_split(struct bytes line) {
    struct buf store = {0};
    struct bytes words[64];
    size_t count = 0;
    enum err err = config_split_line(line, &store, words, COUNT_OF(words), &count);
    size_t total = 0;
    for (size_t i = 0; err == ERR_NONE && i < count; i++)
        total += words[i].size;
    check(total <= line.size);
    buf_deinit(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    struct state state;
    struct config_fault fault;
    set_up(&state);
    uint8_t how = data[0];
    char *text = without_includes(data + 1, size - 1);
    struct bytes input = bytes_make(text, size - 1);

    if (how % 3 == 0) {
        enum err err = config_load_text(state.config, input, "fuzz.conf", &fault);
        check(err == ERR_NONE || (fault.line > 0 && fault.reason.text[0] != '\0'));
    } else if (how % 3 == 1) {
        config_visit(state.config, set_each, &(struct setter){state.config, input});
    } else {
        size_t end = bytes_find_byte(input, '\n');
        enum err err;
        set_one(state.config, bytes_make(input.data, end), bytes_from(input, end + 1), &err);
        try_split(input);
    }
    config_visit(state.config, set_again, state.config);
    config_destroy(&state.config);
    mem_free(text);
    return 0;
}
