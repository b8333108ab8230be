/* SPDX-License-Identifier: BSD-3-Clause */
/* --fuzz: random requests over a few connections, one after the other, until the count or the time
 * is over, a signal comes, or the server is gone. The seed makes the same requests again. */
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "bench/bench.h"
#include "bench/fuzz_words.h"

#include <stdio.h>

enum {
    LINKS_MAX = 16,
    REPLY_WAIT_MS = 200,     /* a blocking command may have no reply */
    DAMAGED_WAIT_MS = 10,    /* half a request has none */
    REQUESTS_PER_LINK = 200, /* then it forgets MULTI, subscriptions, RESP3 */
    REMEMBERED = 10,
};

struct fuzzer {
    struct bench *bench;
    struct fuzz_list list;
    struct rng rng;
    struct client_link links[LINKS_MAX];
    unsigned uses[LINKS_MAX];
    size_t link_count;
    char *last[REMEMBERED]; /* owned: the latest requests, a ring */
    uint64_t requests, errors, silent, refused;
    int64_t start_ns, shown_ns;
};

static bool says(const struct fuzzer *fuzzer, enum bench_fuzz_log level) {
    return fuzzer->bench->options.fuzz_log >= level;
}

/* Adds what the reply to a question tells. */
static enum err ask(struct fuzzer *fuzzer, const char *const *words,
                    void (*add)(struct fuzz_list *list, const struct resp_value *reply),
                    struct diag *diag) {
    struct resp_value *reply = NULL;
    enum err err = bench_link(fuzzer->bench, diag);
    if (err == ERR_NONE) err = client_link_call(&fuzzer->bench->link, words, &reply, diag);
    if (err == ERR_NONE) add(&fuzzer->list, reply);
    resp_value_destroy(&reply);
    return err;
}

/* What the server has. */
static enum err learn(struct fuzzer *fuzzer, struct diag *diag) {
    static const char *const command[] = {"COMMAND", NULL};
    static const char *const docs[] = {"COMMAND", "DOCS", NULL}; /* before 7.0 an error */
    static const char *const config[] = {"CONFIG", "GET", "*", NULL};
    enum err err = ask(fuzzer, command, fuzz_list_add_commands, diag);
    if (err == ERR_NONE) err = ask(fuzzer, docs, fuzz_list_add_tokens, diag);
    if (err == ERR_NONE && fuzzer->bench->options.fuzz_config) {
        err = ask(fuzzer, config, fuzz_list_add_options, diag);
    }
    if (err == ERR_NONE && fuzzer->list.command_count == 0) {
        return diag_set(diag, ERR_UNSUPPORTED, "the server does not say what commands it has");
    }
    return err;
}

static void remember(struct fuzzer *fuzzer, struct buf *shown) {
    char **place = &fuzzer->last[fuzzer->requests % REMEMBERED];
    mem_free(*place);
    *place = buf_take(shown);
    if (says(fuzzer, BENCH_FUZZ_DEBUG)) printf("%s\n", *place);
}

/* One more request; true if it was damaged. */
static bool make_request(struct fuzzer *fuzzer, struct buf *request) {
    const struct bench_options *options = &fuzzer->bench->options;
    struct buf shown = {0};
    if (options->fuzz_config && fuzzer->list.option_count > 0 && rng_below(&fuzzer->rng, 4) == 0) {
        fuzz_make_config(&fuzzer->list, &fuzzer->rng, request, &shown);
    } else {
        fuzz_make_request(&fuzzer->list, &fuzzer->rng, request, &shown);
    }
    bool damaged = options->fuzz_malformed && rng_below(&fuzzer->rng, 3) == 0;
    if (damaged) {
        fuzz_damage(&fuzzer->rng, request);
        buf_add_text(&shown, " (damaged)");
    }
    remember(fuzzer, &shown);
    return damaged;
}

static void take_reply(struct fuzzer *fuzzer, const struct resp_value *reply) {
    if (!resp_is_error(reply)) return;
    fuzzer->errors++;
    if (!says(fuzzer, BENCH_FUZZ_DEBUG)) return;
    struct buf shown = {0}; /* it may repeat our random bytes */
    buf_add_quoted(&shown, reply->text);
    printf("  error: %s\n", shown.data);
    buf_deinit(&shown);
}

/* Sends a request and waits a little for what comes. ERR_CLOSED: the server closed this link, as it
 * may after a damaged request. */
static enum err try_request(struct fuzzer *fuzzer, size_t index, struct diag *diag) {
    struct client_link *link = &fuzzer->links[index];
    struct buf request = {0};
    struct resp_value *reply = NULL;
    bool damaged = make_request(fuzzer, &request);
    enum err err = ERR_NONE;
    if (request.size > 0) err = client_link_send(link, buf_bytes(&request), diag);
    buf_deinit(&request);
    if (err == ERR_NONE) {
        err = client_link_receive(link, damaged ? DAMAGED_WAIT_MS : REPLY_WAIT_MS, &reply, diag);
    }
    if (reply) take_reply(fuzzer, reply);
    resp_value_destroy(&reply);
    if (err == ERR_AGAIN) fuzzer->silent++;
    if (err != ERR_NONE || damaged || ++fuzzer->uses[index] >= REQUESTS_PER_LINK) {
        client_link_close(link);
    }
    return err == ERR_AGAIN ? ERR_NONE : err;
}

/* A link is open, or the server is gone. */
static enum err open_link(struct fuzzer *fuzzer, size_t index, struct diag *diag) {
    const struct client_options *client = &fuzzer->bench->options.client;
    struct client_link *link = &fuzzer->links[index];
    if (client_link_is_open(link)) return ERR_NONE;
    fuzzer->uses[index] = 0;
    enum err err = client_link_open(link, client, diag);
    return err == ERR_NONE ? client_link_greet(link, client, diag) : err;
}

static void show(struct fuzzer *fuzzer, int64_t now_ns, bool at_end) {
    const int64_t interval_ns = 1000000000;
    if (!says(fuzzer, BENCH_FUZZ_INFO)) return;
    if (!at_end && now_ns - fuzzer->shown_ns < interval_ns) return;
    fuzzer->shown_ns = now_ns;
    printf("%s%llu requests, %llu error replies, %llu without a reply, %llu connections closed\n",
           at_end ? "Done: " : "", (unsigned long long)fuzzer->requests,
           (unsigned long long)fuzzer->errors, (unsigned long long)fuzzer->silent,
           (unsigned long long)fuzzer->refused);
    fflush(stdout);
}

static void show_last(struct fuzzer *fuzzer) {
    if (!says(fuzzer, BENCH_FUZZ_ERROR)) return;
    fprintf(stderr, "The last requests (--seed %llu):\n",
            (unsigned long long)fuzzer->bench->options.seed);
    for (size_t i = 0; i < REMEMBERED; i++) {
        const char *request = fuzzer->last[(fuzzer->requests + i) % REMEMBERED];
        if (request) fprintf(stderr, " %s\n", request);
    }
}

static enum err loop(struct fuzzer *fuzzer, struct diag *diag) {
    const struct bench_options *options = &fuzzer->bench->options;
    const double duration_ns = options->duration_s * 1e9;
    for (;;) {
        int64_t now_ns = clock_mono_ns();
        bool over = duration_ns > 0 ? (double)(now_ns - fuzzer->start_ns) >= duration_ns
                                    : fuzzer->requests >= (uint64_t)options->requests;
        if (over || bench_is_interrupted(fuzzer->bench)) return ERR_NONE;
        size_t index = fuzzer->requests % fuzzer->link_count;
        enum err err = open_link(fuzzer, index, diag);
        if (err != ERR_NONE) {
            show_last(fuzzer);
            return err;
        }
        if (try_request(fuzzer, index, diag) != ERR_NONE) fuzzer->refused++;
        fuzzer->requests++;
        show(fuzzer, now_ns, false);
    }
}

enum err bench_fuzz(struct bench *bench, struct diag *diag) {
    struct fuzzer fuzzer = {.bench = bench, .start_ns = clock_mono_ns()};
    fuzzer.link_count = size_min((size_t)bench->options.clients, LINKS_MAX);
    fuzzer.shown_ns = fuzzer.start_ns;
    rng_seed(&fuzzer.rng, bench->options.seed);
    for (size_t i = 0; i < fuzzer.link_count; i++) {
        client_link_init(&fuzzer.links[i]);
    }
    if (says(&fuzzer, BENCH_FUZZ_INFO)) {
        printf("Fuzzing with --seed %llu; data changes and goes\n",
               (unsigned long long)bench->options.seed);
    }
    enum err err = learn(&fuzzer, diag);
    if (err == ERR_NONE) err = loop(&fuzzer, diag);
    show(&fuzzer, clock_mono_ns(), true);
    for (size_t i = 0; i < fuzzer.link_count; i++) {
        client_link_deinit(&fuzzer.links[i]);
    }
    for (size_t i = 0; i < REMEMBERED; i++) {
        mem_free(fuzzer.last[i]);
    }
    fuzz_list_deinit(&fuzzer.list);
    return err;
}
