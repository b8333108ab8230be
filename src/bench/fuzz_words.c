/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/fuzz_words.h"

#include "base/check.h"
#include "base/mem.h"
#include "client/auth.h"

/* A name stands for its subcommands too. */
static const char *const left_out[] = {
    "shutdown",     "debug",        "monitor",      "sync",        "psync",
    "replicaof",    "slaveof",      "failover",     "cluster",     "save",
    "bgsave",       "bgrewriteaof", "migrate",      "module",      "acl",
    "config",       "replconf",     "client|pause", "client|kill", "client|reply",
    "script|debug", "auth",         "sentinel",     "quit",        "commandlog",
};
static const char *const options_left_out[] = {
    "dir",       "dbfilename", "logfile",    "requirepass", "masterauth", "primaryauth",
    "port",      "bind",       "unixsock",   "tls",         "cluster",    "aclfile",
    "pidfile",   "replica",    "slave",      "appendonly",  "appendfile", "appenddir",
    "save",      "maxclients", "masteruser", "primaryuser", "protected",  "syslog",
    "daemonize", "loadmodule", "databases",  "oom-score",   "io-threads",
};

static bool begins_with_any(const char *text, const char *const *starts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (bytes_starts_with(bytes_of(text), bytes_of(starts[i]))) return true;
    }
    return false;
}

static bool is_left_out(const char *name) {
    struct bytes text = bytes_of(name);
    for (size_t i = 0; i < COUNT_OF(left_out); i++) {
        struct bytes other = bytes_of(left_out[i]);
        if (!bytes_starts_with(text, other)) continue;
        if (text.size == other.size || text.data[other.size] == '|') return true;
    }
    return false;
}

/* [name, arity, flags, first, last, step, categories, tips, key specs, subcommands] */
static void add_command(struct fuzz_list *list, const struct resp_value *row, bool is_sub) {
    const size_t subs_index = 9;
    if (row->kind != RESP_ARRAY || row->count < 2) return;
    const struct resp_value *name = &row->items[0], *arity = &row->items[1];
    if (name->kind != RESP_STRING || arity->kind != RESP_INTEGER) return;
    if (arity->integer < -FUZZ_WORDS_MAX || arity->integer > FUZZ_WORDS_MAX) return;
    const struct resp_value *subs = row->count > subs_index ? &row->items[subs_index] : NULL;
    if (!is_sub && subs && resp_is_aggregate(subs) && subs->count > 0) {
        for (size_t i = 0; i < subs->count; i++) {
            add_command(list, &subs->items[i], true);
        }
        return;
    }
    if (is_left_out(name->text.data)) return;
    list->commands =
        mem_realloc(list->commands, (list->command_count + 1) * sizeof(*list->commands));
    list->commands[list->command_count++] =
        (struct fuzz_command){.name = mem_strdup(name->text.data), .arity = arity->integer};
}

void fuzz_list_add_commands(struct fuzz_list *list, const struct resp_value *reply) {
    if (!resp_is_aggregate(reply)) return;
    for (size_t i = 0; i < reply->count; i++) {
        add_command(list, &reply->items[i], false);
    }
}

void fuzz_list_add_options(struct fuzz_list *list, const struct resp_value *reply) {
    if (!resp_is_aggregate(reply)) return;
    for (size_t i = 0; i + 1 < reply->count; i += 2) {
        const struct resp_value *name = &reply->items[i];
        if (name->kind != RESP_STRING ||
            begins_with_any(name->text.data, options_left_out, COUNT_OF(options_left_out))) {
            continue;
        }
        list->options =
            mem_realloc(list->options, (list->option_count + 1) * sizeof(*list->options));
        list->options[list->option_count++] = mem_strdup(name->text.data);
    }
}

static bool has_token(const struct fuzz_list *list, const char *text) {
    for (size_t i = 0; i < list->token_count; i++) {
        if (strcmp(list->tokens[i], text) == 0) return true;
    }
    return false;
}

void fuzz_list_add_tokens(struct fuzz_list *list, const struct resp_value *reply) {
    if (!resp_is_aggregate(reply)) return;
    const struct resp_value *token = resp_find(reply, "token");
    if (token && token->kind == RESP_STRING && !has_token(list, token->text.data)) {
        list->tokens = mem_realloc(list->tokens, (list->token_count + 1) * sizeof(*list->tokens));
        list->tokens[list->token_count++] = mem_strdup(token->text.data);
    }
    for (size_t i = 0; i < reply->count; i++) {
        fuzz_list_add_tokens(list, &reply->items[i]); /* as deep as the reader lets it be */
    }
}

void fuzz_list_deinit(struct fuzz_list *list) {
    for (size_t i = 0; i < list->command_count; i++) {
        mem_free(list->commands[i].name);
    }
    for (size_t i = 0; i < list->option_count; i++) {
        mem_free(list->options[i]);
    }
    for (size_t i = 0; i < list->token_count; i++) {
        mem_free(list->tokens[i]);
    }
    mem_free(list->commands);
    mem_free(list->options);
    mem_free(list->tokens);
    *list = (struct fuzz_list){0};
}

/* ---- arguments ---- */

static void add_random_bytes(struct rng *rng, struct buf *out) {
    size_t size = rng_below(rng, 50) == 0 ? rng_below(rng, 20000) : rng_below(rng, 24);
    for (size_t i = 0; i < size; i++) {
        buf_add_char(out, (char)rng_next(rng));
    }
}

static void add_number(struct rng *rng, struct buf *out) {
    static const char *const edges[] = {
        "0",
        "-1",
        "1",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "4294967296",
        "-2147483649",
        "1e308",
        "-inf",
        "+inf",
        "nan",
        "0.1",
        "(1",
        "[a",
        "1-1",
    };
    if (rng_below(rng, 2) == 0) {
        buf_add_text(out, edges[rng_below(rng, COUNT_OF(edges))]);
    } else {
        buf_add_i64(out, (int64_t)rng_below(rng, 1000) - 100);
    }
}

/* A word that means something to a command: of those that COMMAND DOCS told, and of some that it
 * does not tell, as they are values. */
static void add_token(const struct fuzz_list *list, struct rng *rng, struct buf *out) {
    static const char *const values[] = {"*", "$", ">", "+", "-", "string", "list", "u8", "i64"};
    size_t index = rng_below(rng, COUNT_OF(values) + list->token_count);
    buf_add_text(out,
                 index < COUNT_OF(values) ? values[index] : list->tokens[index - COUNT_OF(values)]);
}

static void add_argument(const struct fuzz_list *list, struct rng *rng, struct buf *out) {
    switch (rng_below(rng, 8)) {
    case 0:
    case 1:
    case 2:
    case 3: buf_addf(out, "key:%d", (int)rng_below(rng, 12)); break;
    case 4:
    case 5: add_number(rng, out); break;
    case 6: add_token(list, rng, out); break;
    default: add_random_bytes(rng, out);
    }
}

static void add_word(struct buf *out, struct buf *shown, struct bytes word) {
    const size_t shown_max = 60;
    buf_addf(out, "$%zu\r\n", word.size);
    buf_add(out, word);
    buf_add_text(out, "\r\n");
    buf_add_char(shown, ' ');
    buf_add_quoted(shown, bytes_make(word.data, size_min(word.size, shown_max)));
    if (word.size > shown_max) buf_add_text(shown, "...");
}

void fuzz_make_request(const struct fuzz_list *list, struct rng *rng, struct buf *out,
                       struct buf *shown) {
    check(list->command_count > 0);
    const struct fuzz_command *command = &list->commands[rng_below(rng, list->command_count)];
    struct bytes name = bytes_of(command->name);
    size_t bar = bytes_find_byte(name, '|');
    int64_t words =
        command->arity < 0 ? -command->arity + (int64_t)rng_below(rng, 5) : command->arity;
    if (rng_below(rng, 20) == 0) words = (int64_t)rng_below(rng, 10); /* a wrong number */
    int64_t named = bar < name.size ? 2 : 1;
    if (words < named) words = named;
    buf_addf(out, "*%lld\r\n", (long long)words);
    add_word(out, shown, bytes_make(name.data, bar));
    if (named == 2) add_word(out, shown, bytes_from(name, bar + 1));
    for (int64_t i = named; i < words; i++) {
        struct buf word = {0};
        add_argument(list, rng, &word);
        add_word(out, shown, buf_bytes(&word));
        buf_deinit(&word);
    }
}

void fuzz_make_config(const struct fuzz_list *list, struct rng *rng, struct buf *out,
                      struct buf *shown) {
    static const char *const values[] = {"yes",         "no",    "",    "0",
                                         "1",           "100mb", "-1",  "noeviction",
                                         "allkeys-lru", "1 2 3", "KEA", "notice"};
    check(list->option_count > 0);
    struct buf value = {0};
    if (rng_below(rng, 3) == 0) {
        add_argument(list, rng, &value);
    } else {
        buf_add_text(&value, values[rng_below(rng, COUNT_OF(values))]);
    }
    buf_add_text(out, "*4\r\n");
    add_word(out, shown, BYTES("CONFIG"));
    add_word(out, shown, BYTES("SET"));
    add_word(out, shown, bytes_of(list->options[rng_below(rng, list->option_count)]));
    add_word(out, shown, buf_bytes(&value));
    buf_deinit(&value);
}

void fuzz_damage(struct rng *rng, struct buf *request) {
    for (uint64_t i = rng_below(rng, 4) + 1; i > 0 && request->size > 0; i--) {
        size_t at = rng_below(rng, request->size);
        switch (rng_below(rng, 4)) {
        case 0: request->data[at] = (char)rng_next(rng); break;
        case 1: /* the end is missing */ request->size = at; break;
        case 2: /* a length is another */
            request->data[at] = (char)('0' + rng_below(rng, 10));
            break;
        default: { /* the end comes twice */
            struct bytes tail =
                bytes_make(mem_copy_bytes(bytes_from(buf_bytes(request), at)), request->size - at);
            buf_add(request, tail);
            mem_free((char *)tail.data);
        }
        }
    }
}
