/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/complete.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/docs.h"
#include "cli/session.h"
#include "resp/parser.h"

enum { ARGUMENTS_MAX = 256 };

static const char *const own_words[] = {"help", "clear", "connect", "exit", "quit", ":set"};

/* The words before the one that is being typed, and that one, from where it starts. */
struct line_words {
    struct bytes *argv;
    uint32_t argc;
    size_t start;
    struct bytes last; /* as it stands in the line, a quote it opens with included */
};

static void line_words_deinit(struct line_words *words) { mem_free(words->argv); }

/* Where the last word starts: behind the last blank that no quotes enclose. */
static size_t last_word_start(struct bytes line) {
    char quote = 0;
    size_t start = 0;
    for (size_t i = 0; i < line.size; i++) {
        char c = line.data[i];
        if (quote) {
            if (c == '\\' && quote == '"') i++;
            if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (char_is_space(c)) {
            start = i + 1;
        }
    }
    return start;
}

static bool line_words_init(struct line_words *words, struct bytes line) {
    *words = (struct line_words){.start = last_word_start(line)};
    words->last = bytes_from(line, words->start);
    if (!split_args(bytes_make(line.data, words->start), &words->argv, &words->argc)) return false;
    int64_t repeat;
    if (words->argc > 0 && num_parse_i64(words->argv[0], &repeat)) {
        memmove(words->argv, words->argv + 1, --words->argc * sizeof(*words->argv));
    }
    return true;
}

static bool starts_nocase(const char *text, struct bytes prefix) {
    struct bytes all = bytes_of(text);
    return all.size >= prefix.size && bytes_equal_nocase(bytes_make(all.data, prefix.size), prefix);
}

static bool is_known(const struct completion *out, const char *word) {
    for (size_t i = 0; i < out->count; i++) {
        if (strcmp(out->words[i], word) == 0) return true;
    }
    return false;
}

/* Takes the text (which is the caller's no more). */
static void put_word(struct completion *out, char *text) {
    if (out->count == COMPLETE_WORDS_MAX || is_known(out, text)) {
        mem_free(text);
        return;
    }
    out->words[out->count++] = text;
}

/* A word of the language, in the case that the user types in. */
static void add_word(struct completion *out, const char *word, size_t size, struct bytes typed) {
    char *text = mem_copy_bytes(bytes_make(word, size));
    bool lower = typed.size > 0 && typed.data[0] >= 'a' && typed.data[0] <= 'z';
    for (char *c = text; lower && *c; c++) {
        *c = char_lower(*c);
    }
    put_word(out, text);
}

/* ---- commands ---- */

/* The next word of each name that begins with the words and goes on with what is typed. */
static void add_names(const struct cli *cli, const struct line_words *line, uint32_t first,
                      struct completion *out) {
    for (size_t i = 0; i < docs__count(cli->docs); i++) {
        const char *name = docs__at(cli->docs, i)->name;
        uint32_t at = first;
        for (; at < line->argc; at++) {
            size_t size = strcspn(name, " ");
            if (!bytes_equal_nocase(line->argv[at], bytes_make(name, size))) break;
            if (name[size] == '\0') break;
            name += size + 1;
        }
        if (at < line->argc || !starts_nocase(name, line->last)) continue;
        struct bytes typed =
            line->last.size || line->argc == first ? line->last : line->argv[first];
        add_word(out, name, strcspn(name, " "), typed);
    }
}

/* help: names of commands and of groups. */
static void add_help_words(const struct cli *cli, const struct line_words *line,
                           struct completion *out) {
    add_names(cli, line, 1, out);
    for (size_t i = 0; line->argc == 1 && i < docs__count(cli->docs); i++) {
        const char *group = docs__at(cli->docs, i)->group;
        struct buf word = {0};
        buf_addf(&word, "@%s", group ? group : "");
        if (group && line->last.size > 0 && starts_nocase(word.data, line->last)) {
            put_word(out, mem_strdup(word.data));
        }
        buf_deinit(&word);
    }
}

/* ---- what the server knows ---- */

/* Whether a command of ours gets its reply now and disturbs nothing. */
static bool may_ask(const struct cli *cli) {
    return !cli->session.in_transaction && !session__is_listening(cli) && !cli->session.silent &&
           client_link_is_open(&cli->link);
}

/* A pattern that matches what begins with these bytes. */
static void add_prefix_pattern(struct bytes prefix, struct buf *out) {
    for (size_t i = 0; i < prefix.size; i++) {
        if (strchr("*?[]\\^", prefix.data[i]) && prefix.data[i]) buf_add_char(out, '\\');
        buf_add_char(out, prefix.data[i]);
    }
    buf_add_char(out, '*');
}

static bool needs_quotes(struct bytes key) {
    for (size_t i = 0; i < key.size; i++) {
        unsigned char c = (unsigned char)key.data[i]; /* char has a sign on some machines only */
        if (c <= ' ' || c == '"' || c == '\'' || c == '\\' || c >= 0x7f) return true;
    }
    return key.size == 0;
}

static void add_key(struct completion *out, struct bytes key) {
    struct buf text = {0};
    if (needs_quotes(key)) {
        buf_add_quoted(&text, key);
    } else {
        buf_add(&text, key);
    }
    put_word(out, buf_take(&text));
}

static bool scan_step(struct cli *cli, struct buf *cursor, struct bytes pattern,
                      struct completion *out) {
    char count[NUM_I64_TEXT_MAX];
    struct bytes argv[] = {
        BYTES("SCAN"),  buf_bytes(cursor),
        BYTES("MATCH"), pattern,
        BYTES("COUNT"), bytes_make(count, num_format_i64(count, COMPLETE_SCAN_COUNT))};
    struct resp_value *reply = NULL;
    struct diag diag = {0};
    if (client_link_call_args(&cli->link, COUNT_OF(argv), argv, &reply, &diag) != ERR_NONE) {
        return false;
    }
    bool good = reply->kind == RESP_ARRAY && reply->count == 2 && reply->items[0].text.data;
    if (good) {
        const struct resp_value *keys = &reply->items[1];
        buf_clear(cursor);
        buf_add(cursor, reply->items[0].text);
        for (size_t i = 0; i < keys->count; i++) {
            add_key(out, keys->items[i].text);
        }
        good = !bytes_equal(buf_bytes(cursor), BYTES("0"));
    }
    resp_value_destroy(&reply);
    return good;
}

static void add_keys(struct cli *cli, struct bytes typed, struct completion *out) {
    struct buf pattern = {0}, cursor = {0};
    if (!may_ask(cli)) return;
    if (typed.size > 0 && typed.data[0] == '"') typed = bytes_from(typed, 1);
    add_prefix_pattern(typed, &pattern);
    buf_add_text(&cursor, "0");
    for (int i = 0; i < COMPLETE_SCANS_MAX && out->count < COMPLETE_WORDS_MAX; i++) {
        if (!scan_step(cli, &cursor, buf_bytes(&pattern), out)) break;
    }
    buf_deinit(&pattern);
    buf_deinit(&cursor);
}

/* The names of the server's options that begin like this. */
static void add_config_names(struct cli *cli, struct bytes typed, struct completion *out) {
    struct buf pattern = {0};
    struct resp_value *reply = NULL;
    struct diag diag = {0};
    if (!may_ask(cli)) return;
    add_prefix_pattern(typed, &pattern);
    struct bytes argv[] = {BYTES("CONFIG"), BYTES("GET"), buf_bytes(&pattern)};
    if (client_link_call_args(&cli->link, COUNT_OF(argv), argv, &reply, &diag) == ERR_NONE) {
        bool good = reply->kind == RESP_ARRAY || reply->kind == RESP_MAP;
        for (size_t i = 0; good && i < reply->count; i += 2) { /* names and values by turns */
            add_key(out, reply->items[i].text);
        }
    }
    resp_value_destroy(&reply);
    buf_deinit(&pattern);
}

/* Whether a name of an option comes next: anywhere in CONFIG GET, before each value in SET. */
static bool expects_config_name(const struct line_words *line) {
    if (line->argc < 2 || !bytes_equal_nocase(line->argv[0], BYTES("config"))) return false;
    if (bytes_equal_nocase(line->argv[1], BYTES("get"))) return true;
    return bytes_equal_nocase(line->argv[1], BYTES("set")) && line->argc % 2 == 0;
}

/* ---- arguments ---- */

static void add_arguments(struct cli *cli, const struct docs_command *command,
                          const struct line_words *line, size_t first, struct completion *out) {
    bool used[ARGUMENTS_MAX];
    bool key_fits = false;
    if (command->argument_count > ARGUMENTS_MAX) return;
    docs__match(command, line->argv + first, line->argc - first, used);
    for (size_t i = 0; i < command->argument_count; i++) {
        const struct docs_argument *argument = &command->arguments[i];
        if (used[i] && !argument->multiple) continue;
        if (argument->is_key) key_fits = true;
        bool required = !argument->optional && !used[i];
        for (size_t j = 0; j < argument->token_count; j++) {
            if (!starts_nocase(argument->tokens[j], line->last)) continue;
            add_word(out, argument->tokens[j], strlen(argument->tokens[j]),
                     line->last.size ? line->last : line->argv[0]);
        }
        if (required) break; /* what follows it cannot come yet */
    }
    if (key_fits) add_keys(cli, line->last, out);
}

void complete__line(struct cli *cli, struct bytes line, struct completion *out) {
    struct line_words words;
    *out = (struct completion){0};
    if (!line_words_init(&words, line)) return;
    out->start = words.start;
    docs__ensure(cli);
    if (words.argc == 0) {
        add_names(cli, &words, 0, out);
        for (size_t i = 0; i < COUNT_OF(own_words); i++) {
            if (!starts_nocase(own_words[i], words.last)) continue;
            put_word(out, mem_strdup(own_words[i]));
        }
    } else if (bytes_equal_nocase(words.argv[0], BYTES("help"))) {
        add_help_words(cli, &words, out);
    } else if (bytes_equal_nocase(words.argv[0], BYTES(":set"))) {
        if (starts_nocase("hints", words.last)) put_word(out, mem_strdup("hints"));
        if (starts_nocase("nohints", words.last)) put_word(out, mem_strdup("nohints"));
    } else {
        size_t used = 0;
        add_names(cli, &words, 0, out);
        const struct docs_command *command = docs__find(cli->docs, words.argv, words.argc, &used);
        if (command) add_arguments(cli, command, &words, used, out);
        if (expects_config_name(&words)) add_config_names(cli, words.last, out);
    }
    line_words_deinit(&words);
}

void complete__deinit(struct completion *completion) {
    for (size_t i = 0; i < completion->count; i++) {
        mem_free(completion->words[i]);
    }
    completion->count = 0;
}

size_t complete__common(const struct completion *completion) {
    if (completion->count == 0) return 0;
    size_t common = strlen(completion->words[0]);
    for (size_t i = 1; i < completion->count; i++) {
        size_t same = 0;
        while (same < common && completion->words[i][same] &&
               char_lower(completion->words[i][same]) == char_lower(completion->words[0][same])) {
            same++;
        }
        common = same;
    }
    return common;
}

/* ---- hints ---- */

void complete__hint(struct cli *cli, struct bytes line, struct buf *out) {
    struct line_words words;
    size_t used_words = 0;
    bool used[ARGUMENTS_MAX];
    if (line.size == 0 || !line_words_init(&words, line)) return;
    bool after_blank = words.last.size == 0;
    /* The word that is being typed counts, too, once it is a command's name. */
    struct bytes *all = mem_alloc_array(words.argc + 1, sizeof(*all));
    size_t count = words.argc;
    if (count > 0) memcpy(all, words.argv, count * sizeof(*all));
    if (!after_blank) all[count++] = words.last;
    const struct docs_command *command = docs__find(cli->docs, all, count, &used_words);
    if (command && command->argument_count <= ARGUMENTS_MAX) {
        docs__match(command, all + used_words, count - used_words, used);
        struct buf rest = {0};
        docs__add_syntax(command, used, &rest);
        if (rest.size > 0 && !after_blank) buf_add_char(out, ' ');
        buf_add(out, buf_bytes(&rest));
        buf_deinit(&rest);
    }
    mem_free(all);
    line_words_deinit(&words);
}
