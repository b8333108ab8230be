/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/docs.h"

#include "base/check.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/session.h"

#include <stdlib.h>

enum { TOKENS_MAX = 64, DEPTH_MAX = 8 };

struct docs {
    struct docs_command *commands;
    size_t count;
    size_t cap;
};

static void argument_deinit(struct docs_argument *argument) {
    for (size_t i = 0; i < argument->token_count; i++) {
        mem_free(argument->tokens[i]);
    }
    mem_free(argument->tokens);
    mem_free(argument->syntax);
}

void docs__destroy(struct docs **docs) {
    if (!*docs) return;
    for (size_t i = 0; i < (*docs)->count; i++) {
        struct docs_command *command = &(*docs)->commands[i];
        for (size_t j = 0; j < command->argument_count; j++) {
            argument_deinit(&command->arguments[j]);
        }
        mem_free(command->arguments);
        mem_free(command->name);
        mem_free(command->summary);
        mem_free(command->since);
        mem_free(command->group);
        mem_free(command->complexity);
    }
    mem_free((*docs)->commands);
    mem_free(*docs);
    *docs = NULL;
}

size_t docs__count(const struct docs *docs) { return docs ? docs->count : 0; }

const struct docs_command *docs__at(const struct docs *docs, size_t index) {
    check(index < docs->count);
    return &docs->commands[index];
}

/* ---- out of the reply ---- */

static const char *text_of(const struct resp_value *map, const char *field) {
    const struct resp_value *value = resp_find(map, field);
    return value && value->text.data ? value->text.data : NULL;
}

static bool has_flag(const struct resp_value *argument, const char *flag) {
    const struct resp_value *flags = resp_find(argument, "flags");
    for (size_t i = 0; flags && i < flags->count; i++) {
        if (resp_is_text(&flags->items[i], flag)) return true;
    }
    return false;
}

static void add_argument(const struct resp_value *argument, int depth, struct buf *out);

static void add_children(const struct resp_value *argument, const char *separator, int depth,
                         struct buf *out) {
    const struct resp_value *children = resp_find(argument, "arguments");
    for (size_t i = 0; children && i < children->count; i++) {
        if (i > 0) buf_add_text(out, separator);
        add_argument(&children->items[i], depth + 1, out);
    }
}

static void add_base(const struct resp_value *argument, int depth, struct buf *out) {
    const char *type = text_of(argument, "type");
    const char *name = text_of(argument, "display_text");
    if (!name) name = text_of(argument, "name");
    if (type && strcmp(type, "oneof") == 0) {
        bool bare = has_flag(argument, "optional") && !text_of(argument, "token");
        if (!bare) buf_add_char(out, '<');
        add_children(argument, " | ", depth, out);
        if (!bare) buf_add_char(out, '>');
    } else if (type && strcmp(type, "block") == 0) {
        add_children(argument, " ", depth, out);
    } else {
        buf_add_text(out, name ? name : "?");
    }
}

/* As people know it: "key", "[NX | XX]", "score member [score member ...]". */
static void add_argument(const struct resp_value *argument, int depth, struct buf *out) {
    const char *type = text_of(argument, "type");
    const char *token = text_of(argument, "token");
    bool optional = has_flag(argument, "optional");
    if (depth > DEPTH_MAX) return;
    if (optional) buf_add_char(out, '[');
    if (token) buf_add_text(out, token[0] ? token : "\"\"");
    if (!type || strcmp(type, "pure-token") != 0) {
        if (token) buf_add_char(out, ' ');
        add_base(argument, depth, out);
        if (has_flag(argument, "multiple")) {
            buf_add_text(out, " [");
            if (token && has_flag(argument, "multiple_token")) buf_addf(out, "%s ", token);
            add_base(argument, depth, out);
            buf_add_text(out, " ...]");
        }
    }
    if (optional) buf_add_char(out, ']');
}

/* Words that an argument takes at least, its token included. */
static uint32_t count_words(const struct resp_value *argument, int depth) {
    const char *type = text_of(argument, "type");
    const struct resp_value *children = resp_find(argument, "arguments");
    uint32_t words = text_of(argument, "token") ? 1 : 0;
    if (type && strcmp(type, "pure-token") == 0) return 1;
    if (!children || depth > DEPTH_MAX) return words + 1;
    if (strcmp(type ? type : "", "oneof") == 0) {
        return words + (children->count ? count_words(&children->items[0], depth + 1) : 1);
    }
    for (size_t i = 0; i < children->count; i++) {
        if (!has_flag(&children->items[i], "optional")) {
            words += count_words(&children->items[i], depth + 1);
        }
    }
    return words;
}

static void collect_tokens(const struct resp_value *argument, int depth,
                           struct docs_argument *out) {
    const char *token = text_of(argument, "token");
    const struct resp_value *children = resp_find(argument, "arguments");
    if (depth > DEPTH_MAX) return;
    if (token && token[0] && out->token_count < TOKENS_MAX) {
        out->tokens = mem_realloc(out->tokens, (out->token_count + 1) * sizeof(char *));
        out->tokens[out->token_count++] = mem_strdup(token);
    }
    for (size_t i = 0; children && i < children->count; i++) {
        collect_tokens(&children->items[i], depth + 1, out);
    }
}

static void read_arguments(struct docs_command *command, const struct resp_value *arguments) {
    command->arguments = mem_alloc_array(arguments->count, sizeof(*command->arguments));
    command->argument_count = arguments->count;
    for (size_t i = 0; i < arguments->count; i++) {
        const struct resp_value *from = &arguments->items[i];
        const char *type = text_of(from, "type");
        struct buf syntax = {0};
        struct docs_argument argument = {.words = count_words(from, 0),
                                         .optional = has_flag(from, "optional"),
                                         .multiple = has_flag(from, "multiple"),
                                         .is_key = type && strcmp(type, "key") == 0};
        add_argument(from, 0, &syntax);
        argument.syntax = buf_take(&syntax);
        collect_tokens(from, 0, &argument);
        command->arguments[i] = argument;
    }
}

static struct docs_command *add_command(struct docs *docs, struct bytes name) {
    if (docs->count == docs->cap) {
        docs->cap = docs->cap ? docs->cap * 2 : 256;
        docs->commands = mem_realloc(docs->commands, docs->cap * sizeof(*docs->commands));
    }
    struct docs_command *command = &docs->commands[docs->count++];
    *command = (struct docs_command){.name = mem_copy_bytes(name)};
    for (char *c = command->name; *c; c++) {
        *c = *c == '|' ? ' ' : char_upper(*c);
    }
    return command;
}

/* name, map, name, map...: of RESP3 a map, of RESP2 an array. */
static void read_docs(struct docs *docs, const struct resp_value *reply, int depth) {
    for (size_t i = 0; i + 1 < reply->count; i += 2) {
        const struct resp_value *map = &reply->items[i + 1];
        struct docs_command *command = add_command(docs, reply->items[i].text);
        command->summary = mem_strdup(text_of(map, "summary"));
        command->since = mem_strdup(text_of(map, "since"));
        command->group = mem_strdup(text_of(map, "group"));
        command->complexity = mem_strdup(text_of(map, "complexity"));
        const struct resp_value *arguments = resp_find(map, "arguments");
        if (arguments) read_arguments(command, arguments);
        const struct resp_value *children = resp_find(map, "subcommands");
        if (children && depth == 0) read_docs(docs, children, 1);
    }
}

static void read_names(struct docs *docs, const struct resp_value *reply) {
    for (size_t i = 0; i < reply->count; i++) {
        const struct resp_value *row = &reply->items[i];
        if (row->count > 0 && row->items[0].text.data) (void)add_command(docs, row->items[0].text);
    }
}

static int compare_commands(const void *a, const void *b) {
    return strcmp(((const struct docs_command *)a)->name, ((const struct docs_command *)b)->name);
}

void docs__ensure(struct cli *cli) {
    struct resp_value *reply = NULL;
    struct diag diag = {0};
    bool is_free = client_link_is_open(&cli->link) && !cli->session.in_transaction &&
                   !session__is_listening(cli) && !cli->session.silent;
    if (cli->docs || !is_free) return;
    const char *docs_words[] = {"COMMAND", "DOCS", NULL};
    const char *name_words[] = {"COMMAND", NULL};
    if (client_link_call(&cli->link, docs_words, &reply, &diag) != ERR_NONE) return;
    cli->docs = mem_zalloc(sizeof(*cli->docs));
    if (resp_is_aggregate(reply)) {
        read_docs(cli->docs, reply, 0);
    } else {
        resp_value_destroy(&reply);
        if (client_link_call(&cli->link, name_words, &reply, &diag) == ERR_NONE) {
            read_names(cli->docs, reply);
        }
    }
    resp_value_destroy(&reply);
    if (cli->docs->count == 0) { /* refused: asked again later, behind AUTH perhaps */
        docs__destroy(&cli->docs);
        return;
    }
    qsort(cli->docs->commands, cli->docs->count, sizeof(*cli->docs->commands), compare_commands);
}

/* ---- asking ---- */

/* How many words the name has if the words begin with it, else 0. */
static size_t name_fits(const char *name, const struct bytes *words, size_t count) {
    size_t used = 0;
    while (*name) {
        size_t size = strcspn(name, " ");
        if (used == count || !bytes_equal_nocase(words[used], bytes_make(name, size))) return 0;
        used++;
        name += size;
        name += *name == ' ';
    }
    return used;
}

const struct docs_command *docs__find(const struct docs *docs, const struct bytes *words,
                                      size_t count, size_t *used) {
    const struct docs_command *found = NULL;
    size_t best = 0;
    for (size_t i = 0; i < docs__count(docs); i++) {
        size_t fits = name_fits(docs->commands[i].name, words, count);
        if (fits > best) {
            best = fits;
            found = &docs->commands[i];
        }
    }
    *used = best;
    return found;
}

static bool has_token(const struct docs_argument *argument, struct bytes word) {
    for (size_t i = 0; i < argument->token_count; i++) {
        if (bytes_equal_nocase(word, bytes_of(argument->tokens[i]))) return true;
    }
    return false;
}

/* The argument that the word begins: one with such a token, else the next that takes any word. */
static const struct docs_argument *argument_for(const struct docs_command *command,
                                                struct bytes word, const bool *used) {
    const struct docs_argument *any = NULL;
    for (size_t i = 0; i < command->argument_count; i++) {
        const struct docs_argument *argument = &command->arguments[i];
        bool is_free = !used[i] || argument->multiple;
        if (is_free && has_token(argument, word)) return argument;
        if (argument->token_count == 0 && !used[i] && !any) any = argument;
    }
    if (any) return any;
    for (size_t i = 0; i < command->argument_count; i++) {
        const struct docs_argument *argument = &command->arguments[i];
        if (argument->multiple && argument->token_count == 0) any = argument;
    }
    return any;
}

void docs__match(const struct docs_command *command, const struct bytes *words, size_t count,
                 bool *used) {
    memset(used, 0, command->argument_count * sizeof(*used));
    for (size_t i = 0; i < count;) {
        const struct docs_argument *argument = argument_for(command, words[i], used);
        if (!argument) return;
        used[argument - command->arguments] = true;
        i += argument->words > 0 ? argument->words : 1;
    }
}

void docs__add_syntax(const struct docs_command *command, const bool *used, struct buf *out) {
    bool first = true;
    for (size_t i = 0; i < command->argument_count; i++) {
        if (used && used[i]) continue;
        if (!first) buf_add_char(out, ' ');
        buf_add_text(out, command->arguments[i].syntax);
        first = false;
    }
}
