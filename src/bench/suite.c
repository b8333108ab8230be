/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/suite.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/random.h"
#include "bench/options.h"

const struct suite_test suite_tests[] = {
    {.name = "ping_inline",
     .group = "ping",
     .title = "PING_INLINE",
     .words = {"PING"},
     .inline_words = true},
    {.name = "ping_mbulk", .group = "ping", .title = "PING_MBULK", .words = {"PING"}},
    {.name = "set", .title = "SET", .words = {"SET", "{k}", "{d}"}},
    {.name = "get", .title = "GET", .words = {"GET", "{k}"}},
    {.name = "incr", .title = "INCR", .words = {"INCR", "counter{t}:__rand_int__"}},
    {.name = "lpush", .title = "LPUSH", .words = {"LPUSH", "mylist{t}", "{d}"}},
    {.name = "rpush", .title = "RPUSH", .words = {"RPUSH", "mylist{t}", "{d}"}},
    {.name = "lpop", .title = "LPOP", .words = {"LPOP", "mylist{t}"}},
    {.name = "rpop", .title = "RPOP", .words = {"RPOP", "mylist{t}"}},
    {.name = "sadd", .title = "SADD", .words = {"SADD", "myset{t}", "element:__rand_int__"}},
    {.name = "hset",
     .title = "HSET",
     .words = {"HSET", "myhash{t}", "element:__rand_int__", "{d}"}},
    {.name = "spop", .title = "SPOP", .words = {"SPOP", "myset{t}"}},
    {.name = "zadd",
     .title = "ZADD",
     .words = {"ZADD", "myzset{t}", "{score}", "element:__rand_int__"}},
    {.name = "zpopmin", .title = "ZPOPMIN", .words = {"ZPOPMIN", "myzset{t}"}},
    {.name = "lrange_100",
     .group = "lrange",
     .title = "LRANGE_100 (first 100 elements)",
     .words = {"LRANGE", "mylist{t}", "0", "99"},
     .needs = SUITE_NEEDS_LIST},
    {.name = "lrange_300",
     .group = "lrange",
     .title = "LRANGE_300 (first 300 elements)",
     .words = {"LRANGE", "mylist{t}", "0", "299"},
     .needs = SUITE_NEEDS_LIST},
    {.name = "lrange_500",
     .group = "lrange",
     .title = "LRANGE_500 (first 500 elements)",
     .words = {"LRANGE", "mylist{t}", "0", "499"},
     .needs = SUITE_NEEDS_LIST},
    {.name = "lrange_600",
     .group = "lrange",
     .title = "LRANGE_600 (first 600 elements)",
     .words = {"LRANGE", "mylist{t}", "0", "599"},
     .needs = SUITE_NEEDS_LIST},
    {.name = "mset", .title = "MSET (10 keys)", .words = {"MSET", "{k}", "{d}"}, .pairs = 10},
    {.name = "mget", .title = "MGET (10 keys)", .words = {"MGET", "{k}"}, .pairs = 10},
    {.name = "xadd", .title = "XADD", .words = {"XADD", "mystream{t}", "*", "myfield", "{d}"}},
    {.name = "function_load",
     .title = "FUNCTION LOAD",
     .words = {"FUNCTION", "LOAD", "REPLACE", "{library}"},
     .needs = SUITE_NEEDS_FUNCTIONS},
    {.name = "fcall",
     .title = "FCALL",
     .words = {"FCALL", "bench_0", "{keys}"},
     .needs = SUITE_NEEDS_FUNCTIONS | SUITE_LOADS_LIBRARY},
};
const size_t suite_count = COUNT_OF(suite_tests);

/* ---- choosing ---- */

static bool select_one(struct bytes name, bool *selected) {
    bool found = false;
    for (size_t i = 0; i < suite_count; i++) {
        const struct suite_test *test = &suite_tests[i];
        if (!bytes_equal_nocase(name, bytes_of(test->name)) &&
            !(test->group && bytes_equal_nocase(name, bytes_of(test->group)))) {
            continue;
        }
        selected[i] = found = true;
    }
    return found;
}

enum err suite_select(const char *names, bool *selected, struct diag *diag) {
    for (size_t i = 0; i < suite_count; i++) {
        selected[i] = names == NULL;
    }
    struct bytes rest = bytes_of(names);
    while (rest.size > 0) {
        size_t size = bytes_find_byte(rest, ',');
        struct bytes name = bytes_trim(bytes_make(rest.data, size));
        rest = bytes_from(rest, size + 1);
        if (name.size == 0 || select_one(name, selected)) continue;
        return diag_set(diag, ERR_NOT_FOUND, "there is no test '%.*s'; --help lists them",
                        (int)size_min(name.size, 100), name.data);
    }
    return ERR_NONE;
}

/* ---- words ---- */

struct words_builder {
    struct suite_words *out;
    size_t cap;
    const struct bench_options *options;
};

static void add_word(struct words_builder *builder, struct bytes word) {
    struct suite_words *out = builder->out;
    if (out->count == builder->cap) {
        builder->cap = builder->cap ? 2 * builder->cap : 8;
        out->words = mem_realloc(out->words, builder->cap * sizeof(*out->words));
    }
    out->words[out->count++] = bytes_make(mem_copy_bytes(word), word.size);
}

static void add_text(struct words_builder *builder, const char *text) {
    add_word(builder, bytes_of(text));
}

static const char *key_text(const struct bench_options *options) {
    return options->cluster ? "key:{tag}:__rand_int__" : "key:__rand_int__";
}

static void add_library(struct words_builder *builder) {
    struct buf library = {0};
    suite_library(builder->options->functions, &library);
    add_word(builder, buf_bytes(&library));
    buf_deinit(&library);
}

static void add_keys(struct words_builder *builder) {
    struct buf count = {0};
    buf_add_i64(&count, builder->options->fcall_keys);
    add_word(builder, buf_bytes(&count));
    buf_deinit(&count);
    for (int64_t i = 0; i < builder->options->fcall_keys; i++) {
        add_text(builder, key_text(builder->options));
    }
}

/* One word of a row: what is in braces becomes what it stands for. */
static void add_row_word(struct words_builder *builder, const char *word) {
    struct buf text = {0};
    const char *tag = strstr(word, "{t}");
    if (strcmp(word, "{k}") == 0) {
        add_text(builder, key_text(builder->options));
    } else if (strcmp(word, "{d}") == 0) {
        add_text(builder, "__data__");
    } else if (strcmp(word, "{score}") == 0) {
        add_text(builder, builder->options->keys > 0 ? "__rand_int__" : "0");
    } else if (strcmp(word, "{library}") == 0) {
        add_library(builder);
    } else if (strcmp(word, "{keys}") == 0) {
        add_keys(builder);
    } else if (tag) {
        buf_add(&text, bytes_make(word, (size_t)(tag - word)));
        if (builder->options->cluster) buf_add_text(&text, ":{tag}");
        buf_add_text(&text, tag + 3);
        add_word(builder, buf_bytes(&text));
    } else {
        add_text(builder, word);
    }
    buf_deinit(&text);
}

void suite_words_init(struct suite_words *out, const struct suite_test *test,
                      const struct bench_options *options) {
    struct words_builder builder = {.out = out, .options = options};
    *out = (struct suite_words){0};
    for (size_t i = 0; i < COUNT_OF(test->words) && test->words[i]; i++) {
        add_row_word(&builder, test->words[i]);
    }
    for (unsigned i = 1; i < test->pairs; i++) {
        for (size_t j = 1; j < COUNT_OF(test->words) && test->words[j]; j++) {
            add_row_word(&builder, test->words[j]);
        }
    }
}

void suite_words_deinit(struct suite_words *words) {
    for (size_t i = 0; i < words->count; i++) {
        mem_free((char *)words->words[i].data);
    }
    mem_free(words->words);
    *words = (struct suite_words){0};
}

/* ---- what requests carry ---- */

void suite_library(int64_t functions, struct buf *out) {
    buf_add_text(out, "#!lua name=valkey_benchmark\n");
    for (int64_t i = 0; i < functions; i++) {
        buf_addf(out,
                 "redis.register_function('bench_%lld', function(keys, args)\n"
                 "  for i = 1, #keys do redis.call('set', keys[i], i) end\n"
                 "  return #keys\n"
                 "end)\n",
                 (long long)i);
    }
}

char *suite_payload(size_t size, uint64_t seed) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static_assert(sizeof(letters) == 65, "six bits choose a letter");
    struct rng rng;
    char *payload = mem_try_alloc(size);
    if (!payload) return NULL;
    rng_seed(&rng, seed);
    for (size_t i = 0; i < size; i++) {
        payload[i] = letters[rng_next(&rng) >> 58];
    }
    return payload;
}
