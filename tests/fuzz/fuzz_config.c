/* SPDX-License-Identifier: BSD-3-Clause */
/* Fuzzes the option engine with the server's own options: bytes as a config file, as lines to
 * split, and as names and values of CONFIG SET. Whatever an option shows it must take back; what it
 * refuses must leave it as it was; and set back to what it was before, it must show that again. The
 * first byte says which, the second one which options.
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
    config_add_table(state->config,
                     &(struct config_table){persist_options, &state->server.persist, NULL});
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

static enum err set_one(struct config *config, struct bytes name, struct bytes value) {
    struct config_set_request request = {
        .names = &name, .values = &value, .count = 1, .protected_allowed = true};
    struct diag diag = {0};
    enum err err = config_set_many(config, &request, &diag);
    check((err == ERR_NONE) == (diag.text[0] == '\0'));
    return err;
}

/* The option shows what text says, and takes it. */
static void check_takes(struct config *config, struct bytes name, struct bytes text) {
    struct buf after = {0};
    check(set_one(config, name, text) == ERR_NONE);
    check(config_format(config, name, &after));
    check(bytes_equal(buf_bytes(&after), text));
    buf_deinit(&after);
}

/* Sets an option and sets it back, so that the next input finds everything as it was. */
static void try_option(struct config *config, struct bytes name, struct bytes value) {
    struct buf first = {0}, shown = {0};
    bool known = config_format(config, name, &first);
    enum err err = set_one(config, name, value);
    check(known || err != ERR_NONE);
    if (known) check(config_format(config, name, &shown));
    if (err == ERR_NONE) {
        check_takes(config, name, buf_bytes(&shown));
        check_takes(config, name, buf_bytes(&first));
    } else {
        check(bytes_equal(buf_bytes(&shown), buf_bytes(&first)));
    }
    buf_deinit(&first);
    buf_deinit(&shown);
}

static void set_again(const struct config_option *option, void *ctx) {
    struct config *config = ctx;
    if (option->kind == CONFIG_IGNORED || !(option->flags & CONFIG_LIVE)) return;
    if (config_is_default(config, option->name)) return;

    struct buf before = {0};
    check(config_format(config, bytes_of(option->name), &before));
    check_takes(config, bytes_of(option->name), buf_bytes(&before));
    buf_deinit(&before);
}

/* The text as a file. Sets more than can be set back: the options begin anew. */
static void try_file(struct state *state, struct bytes text) {
    struct config_fault fault;
    enum err err = config_load_text(state->config, text, "fuzz.conf", &fault);
    check(err == ERR_NONE || (fault.line > 0 && fault.reason.text[0] != '\0'));
    config_visit(state->config, set_again, state->config);
    config_destroy(&state->config);
    set_up(state);
}

struct setter {
    struct config *config;
    struct bytes value;
    size_t index, first; /* of this option, of the first one to set */
};

/* Sets a few of all options. */
static void set_some(const struct config_option *option, void *ctx) {
    enum { SET_COUNT = 8 };
    struct setter *setter = ctx;
    size_t index = setter->index++;
    if (index < setter->first || index >= setter->first + SET_COUNT) return;
    try_option(setter->config, bytes_of(option->name), setter->value);
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
    static struct state state; /* its making costs more than most inputs */
    if (size < 2) return 0;
    if (!state.config) set_up(&state);
    char *text = without_includes(data + 2, size - 2);
    struct bytes input = bytes_make(text, size - 2);

    if (data[0] % 16 == 0) {
        try_file(&state, input);
    } else if (data[0] % 2 == 0) {
        struct setter setter = {.config = state.config, .value = input, .first = data[1] * 2u};
        config_visit(state.config, set_some, &setter);
    } else {
        size_t end = bytes_find_byte(input, '\n');
        try_option(state.config, bytes_make(input.data, end), bytes_from(input, end + 1));
        try_split(input);
    }
    mem_free(text);
    return 0;
}
