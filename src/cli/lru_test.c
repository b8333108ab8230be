/* SPDX-License-Identifier: BSD-3-Clause */
/* lru_test -- the mode --lru-test: plays a cache whose keys are used 80:20 (a fifth of the keys
 * gets four fifths of the requests, and so on within that fifth), and tells how often they are
 * there. What is missed is set again. It overwrites keys "lru:<n>": not for a server with data. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/random.h"
#include "cli/cli.h"
#include "cli/cli_mode.h"
#include "client/auth.h"

#include <math.h>
#include <stdlib.h>

enum { PIPELINE = 250, VALUE_SIZE = 5 };
static const int64_t report_ns = 1000 * 1000 * 1000;

struct lru_test {
    struct cli *cli;
    struct rng rng;
    int64_t keys;
    int64_t drawn[PIPELINE];
    bool missing[PIPELINE];
    bool interrupted;
};

/* log(0.2) / log(0.8): x to that power is below 0.2 with a probability of 0.8. */
static int64_t draw_key(struct lru_test *test) {
    double x = pow(rng_unit(&test->rng), log(0.2) / log(0.8));
    return i64_min((int64_t)(x * (double)test->keys), test->keys - 1);
}

static void add_request(struct buf *out, const char *command, int64_t number, struct bytes value) {
    char key[NUM_I64_TEXT_MAX + 8] = "lru:";
    size_t size = 4 + num_format_i64(key + 4, number);
    struct bytes argv[3] = {bytes_of(command), bytes_make(key, size), value};
    client_encode(out, value.size ? 3 : 2, argv);
}

/* Sends requests and takes as many replies; misses (NULL: nobody asks) gets those that were null.
 */
static bool exchange(struct lru_test *test, const struct buf *requests, size_t count,
                     bool *misses) {
    struct client_link *link = &test->cli->link;
    struct diag diag = {0};
    enum err err = client_link_send(link, buf_bytes(requests), &diag);
    bool refused = false;
    for (size_t i = 0; err == ERR_NONE && i < count;) {
        struct resp_value *reply = NULL;
        err = client_link_receive(link, CLIENT_WAIT_FOREVER, &reply, &diag);
        if (err != ERR_NONE) break;
        if (reply->kind != RESP_PUSH) {
            if (resp_is_error(reply) && !refused) {
                cli_say("Error: %s", reply->text.data);
                refused = true;
            }
            if (misses) misses[i] = reply->kind == RESP_NULL;
            i++;
        }
        resp_value_destroy(&reply);
    }
    if (err == ERR_AGAIN) test->interrupted = true;
    if (err != ERR_NONE && err != ERR_AGAIN) cli_say("Error: %s", diag.text);
    return err == ERR_NONE && !refused;
}

/* A pipeline of GETs, and SETs for what was not there. */
static bool play(struct lru_test *test, int64_t *misses) {
    struct buf requests = {0};
    for (size_t i = 0; i < PIPELINE; i++) {
        test->drawn[i] = draw_key(test);
        add_request(&requests, "GET", test->drawn[i], bytes_make("", 0));
    }
    bool good = exchange(test, &requests, PIPELINE, test->missing);
    size_t missed = 0;
    buf_clear(&requests);
    for (size_t i = 0; good && i < PIPELINE; i++) {
        if (!test->missing[i]) continue;
        char value[VALUE_SIZE];
        random_hex(value, VALUE_SIZE);
        add_request(&requests, "SET", test->drawn[i], bytes_make(value, VALUE_SIZE));
        missed++;
    }
    if (good && missed > 0) good = exchange(test, &requests, missed, NULL);
    buf_deinit(&requests);
    *misses += (int64_t)missed;
    return good;
}

static void warn_without_limit(struct cli *cli) {
    struct resp_value *reply = NULL;
    if (!cli_call(cli, (const char *[]){"CONFIG", "GET", "maxmemory", NULL}, &reply)) return;
    const struct resp_value *limit = resp_find(reply, "maxmemory");
    if (limit && resp_is_text(limit, "0")) {
        cli_say("Warning: maxmemory is 0, so that the server will evict nothing.");
    }
    resp_value_destroy(&reply);
}

int cli__run_lru_test(struct cli *cli) {
    struct lru_test test = {.cli = cli};
    struct diag diag = {0};
    uint64_t seed;
    if (client_parse_i64(cli->options.mode_argument, 1, INT64_MAX / 2, &test.keys, &diag) !=
        ERR_NONE) {
        cli_say("--lru-test: %s", diag.text);
        return EXIT_FAILURE;
    }
    random_os(&seed, sizeof(seed));
    rng_seed(&test.rng, seed);
    cli_catch_interrupts(cli);
    if (!cli_connect(cli)) return EXIT_FAILURE;
    warn_without_limit(cli);
    for (;;) {
        int64_t gets = 0, misses = 0, started = clock_mono_ns();
        while (clock_mono_ns() - started < report_ns) {
            if (!play(&test, &misses)) return test.interrupted ? EXIT_SUCCESS : EXIT_FAILURE;
            gets += PIPELINE;
            if (cli_was_interrupted(cli)) return EXIT_SUCCESS;
        }
        double seconds = (double)(clock_mono_ns() - started) / 1e9;
        printf("%.0f Gets/sec | Hits: %lld (%.2f%%) | Misses: %lld (%.2f%%)\n",
               (double)gets / seconds, (long long)(gets - misses),
               100.0 * (double)(gets - misses) / (double)gets, (long long)misses,
               100.0 * (double)misses / (double)gets);
        if (fflush(stdout) != 0) return EXIT_FAILURE;
    }
}
