/* SPDX-License-Identifier: BSD-3-Clause */
/* Which tests run, one after the other, and what has to be there before each. */
#include "base/check.h"
#include "base/mem.h"
#include "bench/bench.h"
#include "bench/print.h"
#include "bench/report.h"
#include "bench/suite.h"
#include "bench/template.h"

#include <stdio.h>

enum { TITLE_BYTES_MAX = 200 };

struct round {
    struct bench *bench;
    struct bench_result *results; /* owned */
    size_t count, cap;
    bool list_filled;
};

static void clear_round(struct round *round) {
    for (size_t i = 0; i < round->count; i++) {
        bench_result_deinit(&round->results[i]);
    }
    round->count = 0;
    round->list_filled = false;
}

struct request {
    const char *name, *title;
    const struct bytes *words;
    size_t count;
    bool inline_words;
    bool is_given; /* on the command line */
};

/* Runs a test, prints its result and keeps it. */
static enum err run_request(struct round *round, const struct request *request, struct diag *diag) {
    struct bench *bench = round->bench;
    const struct bench_options *options = &bench->options;
    struct template template;
    struct bench_result result = {0};
    const struct template_spec spec = {
        .words = request->words,
        .count = request->count,
        .inline_words = request->inline_words,
        .sequences = (size_t)options->pipeline,
        .data = bytes_make(bench->payload, (size_t)options->data_size),
        .numbers = options->keys > 0,
        .tags = options->cluster,
        .separators = request->is_given,
    };
    enum err err = template_init(&template, &spec, diag);
    if (err != ERR_NONE) return err;
    err = bench_run_test(bench, &template, request->title, &result, diag);
    template_deinit(&template);
    if (err != ERR_NONE || !result.latencies) return err; /* stopped before anything counted */
    result.name = mem_strdup(request->name);
    result.title = mem_strdup(request->title);
    print_result(bench, &result);
    if (round->count == round->cap) {
        round->cap = round->cap ? 2 * round->cap : 32;
        round->results = mem_realloc(round->results, round->cap * sizeof(*round->results));
    }
    round->results[round->count++] = result;
    if (fflush(stdout) != 0) return diag_errno(diag, ERR_CLOSED, "cannot write the results");
    return ERR_NONE;
}

/* ---- the command that was given ---- */

static enum err run_given(struct round *round, struct diag *diag) {
    struct bench *bench = round->bench;
    const struct bench_options *options = &bench->options;
    size_t count = (size_t)options->word_count;
    struct bytes *words = mem_alloc_array(count + 1, sizeof(*words));
    struct buf title = {0};
    for (size_t i = 0; i < count; i++) {
        words[i] = bytes_of(options->words[i]);
        if (i > 0) buf_add_char(&title, ' ');
        buf_add(&title, words[i]);
    }
    if (title.size > TITLE_BYTES_MAX) {
        title.size = TITLE_BYTES_MAX;
        buf_add_text(&title, "...");
    }
    if (options->stdin_last) words[count++] = buf_bytes(&bench->words_given);
    struct request request = {
        .name = title.data, .title = title.data, .words = words, .count = count, .is_given = true};
    enum err err = run_request(round, &request, diag);
    buf_deinit(&title);
    mem_free(words);
    return err;
}

/* ---- tests of our own ---- */

/* A link to one more server. */
static enum err load_library_at(const struct client_options *where, const char *library,
                                bool *refused, struct diag *diag) {
    const char *const load[] = {"FUNCTION", "LOAD", "REPLACE", library, NULL};
    const char *const list[] = {"FUNCTION", "LIST", NULL};
    struct client_link link;
    struct resp_value *reply = NULL;
    client_link_init(&link);
    enum err err = client_link_open(&link, where, diag);
    if (err == ERR_NONE) err = client_link_greet(&link, where, diag);
    if (err == ERR_NONE) err = client_link_call(&link, library ? load : list, &reply, diag);
    if (err == ERR_NONE && resp_is_error(reply)) {
        *refused = true;
        (void)diag_set(diag, ERR_NONE, "%s", reply->text.data);
    }
    resp_value_destroy(&reply);
    client_link_deinit(&link);
    return err;
}

/* Loads the library of fcall on all primaries, or only asks whether there are functions. *refused:
 * the server said no, why is in diag. */
static enum err prepare_functions(struct bench *bench, bool loads, bool *refused,
                                  struct diag *diag) {
    struct client_options where;
    struct buf library = {0};
    enum err err = ERR_NONE;
    client_options_copy(&where, &bench->options.client);
    if (loads) suite_library(bench->options.functions, &library);
    size_t nodes = bench->map ? bench->map->node_count : 1;
    for (size_t i = 0; i < nodes && err == ERR_NONE && !*refused; i++) {
        const struct cluster_node *node = bench->map ? &bench->map->nodes[i] : NULL;
        if (node && (node->is_replica || node->slot_count == 0)) continue;
        if (node) {
            client_option_set_text(&where.host, node->host);
            where.port = node->port;
        }
        err = load_library_at(&where, library.data, refused, diag);
    }
    buf_deinit(&library);
    client_options_deinit(&where);
    return err;
}

static enum err run_suite_test(struct round *round, const struct suite_test *test,
                               const char *title, struct diag *diag) {
    struct bench *bench = round->bench;
    bool refused = false;
    if (test->needs & SUITE_NEEDS_FUNCTIONS) {
        enum err err = prepare_functions(bench, test->needs & SUITE_LOADS_LIBRARY, &refused, diag);
        if (err != ERR_NONE) return err;
        if (refused) {
            fprintf(stderr, "%s is left out, the server has no functions: %s\n", test->title,
                    diag->text);
            return ERR_NONE;
        }
    }
    struct suite_words words;
    suite_words_init(&words, test, &bench->options);
    struct request request = {.name = test->name,
                              .title = title,
                              .words = words.words,
                              .count = words.count,
                              .inline_words = test->inline_words};
    enum err err = run_request(round, &request, diag);
    suite_words_deinit(&words);
    /* Of all tests, those that the server cannot do are left out; one that was asked for is not. */
    if (err == ERR_DENIED && !bench->options.tests && strstr(diag->text, "unknown command")) {
        fprintf(stderr, "%s is left out: %s\n", test->title, diag->text);
        err = ERR_NONE;
    }
    return err;
}

static const struct suite_test *find_test(const char *name) {
    for (size_t i = 0; i < suite_count; i++) {
        if (strcmp(suite_tests[i].name, name) == 0) return &suite_tests[i];
    }
    panic("there is no test %s", name);
}

static enum err run_suite(struct round *round, const bool *selected, struct diag *diag) {
    enum err err = ERR_NONE;
    for (size_t i = 0; i < suite_count && err == ERR_NONE; i++) {
        const struct suite_test *test = &suite_tests[i];
        if (!selected[i] || bench_is_interrupted(round->bench)) continue;
        if (test->needs & SUITE_NEEDS_LIST && !round->list_filled) {
            round->list_filled = true;
            err = run_suite_test(round, find_test("lpush"), "LPUSH (needed to benchmark LRANGE)",
                                 diag);
            if (err != ERR_NONE || round->bench->interrupted) break;
        }
        err = run_suite_test(round, test, test->title, diag);
    }
    return err;
}

enum err bench_run_all(struct bench *bench, struct diag *diag) {
    const struct bench_options *options = &bench->options;
    struct round round = {.bench = bench};
    bool *selected = mem_zalloc(suite_count * sizeof(*selected));
    enum err err = suite_select(options->tests, selected, diag);
    if (err == ERR_NONE) print_begin(bench);
    while (err == ERR_NONE) {
        clear_round(&round);
        err = options->word_count > 0 ? run_given(&round, diag) : run_suite(&round, selected, diag);
        if (!options->loop || bench->interrupted) break;
    }
    if (err == ERR_NONE) print_end(bench, round.results, round.count);
    if (err == ERR_NONE && options->report) {
        err = report_write(bench, round.results, round.count, diag);
    }
    clear_round(&round);
    mem_free(round.results);
    mem_free(selected);
    return err;
}
