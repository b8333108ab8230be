/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/walk.h"

#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"
#include "client/auth.h"

bool walk_init(struct walk *walk, struct cli *cli) {
    *walk = (struct walk){.cli = cli, .pause_steps = WALK_PAUSE_STEPS};
    cli_catch_interrupts(cli);
    struct resp_value *reply = NULL;
    /* On a replica of a cluster: answer here. Other servers refuse, and need not be told. */
    if (!cli_call(cli, (const char *[]){"READONLY", NULL}, &reply)) {
        walk->failed = true;
        return false;
    }
    resp_value_destroy(&reply);
    if (!cli_call(cli, (const char *[]){"DBSIZE", NULL}, &reply)) {
        walk->failed = true;
        return false;
    }
    if (reply->kind == RESP_INTEGER) walk->total = reply->integer; /* else it goes without */
    resp_value_destroy(&reply);
    progress_init(&walk->progress, PROGRESS_KEYS);
    return true;
}

void walk_deinit(struct walk *walk) {
    if (walk->cli) progress_clear(&walk->progress);
    mem_free(walk->cursor);
    resp_value_destroy(&walk->batch);
}

static bool is_scan_reply(const struct resp_value *reply) {
    return reply->kind == RESP_ARRAY && reply->count == 2 && reply->items[0].text.data &&
           resp_is_aggregate(&reply->items[1]);
}

/* By Ctrl-C, or by a failure that is said. Returns false. */
static bool stopped(struct walk *walk, enum err err, const struct diag *diag) {
    if (err == ERR_AGAIN) {
        walk->interrupted = true;
        return false;
    }
    progress_clear(&walk->progress);
    cli_say("Error: %s", diag->text);
    walk->failed = true;
    return false;
}

/* The next reply, without pushes. */
static bool receive(struct walk *walk, struct resp_value **out) {
    struct client_link *link = &walk->cli->link;
    struct diag diag = {0};
    for (;;) {
        enum err err = client_link_receive(link, CLIENT_WAIT_FOREVER, out, &diag);
        if (err == ERR_NONE && (*out)->kind != RESP_PUSH) return true;
        if (err == ERR_NONE) {
            resp_value_destroy(out);
        } else {
            return stopped(walk, err, &diag);
        }
    }
}

static bool send(struct walk *walk, const struct buf *requests) {
    struct diag diag = {0};
    enum err err = client_link_send(&walk->cli->link, buf_bytes(requests), &diag);
    return err == ERR_NONE || stopped(walk, err, &diag);
}

/* SCAN from the cursor; the reply becomes the batch. */
static bool scan(struct walk *walk) {
    const struct cli_options *options = &walk->cli->options;
    struct bytes argv[6] = {BYTES("SCAN"), bytes_of(walk->cursor ? walk->cursor : "0")};
    size_t argc = 2;
    char count[NUM_I64_TEXT_MAX];
    if (options->pattern) {
        argv[argc++] = BYTES("MATCH");
        argv[argc++] = bytes_make(options->pattern, options->pattern_size);
    }
    if (options->count) {
        argv[argc++] = BYTES("COUNT");
        argv[argc++] = bytes_make(count, num_format_i64(count, options->count));
    }
    struct buf request = {0};
    client_encode(&request, argc, argv);
    bool good = send(walk, &request) && receive(walk, &walk->batch);
    buf_deinit(&request);
    if (!good) return false;
    if (is_scan_reply(walk->batch)) return true;
    progress_clear(&walk->progress);
    cli_say("SCAN failed: %s",
            resp_is_error(walk->batch) ? walk->batch->text.data : "not a SCAN reply");
    walk->failed = true;
    return false;
}

bool walk_next(struct walk *walk, const struct resp_value **keys, size_t *count) {
    double pause = walk->cli->options.interval_s;
    if (walk->interrupted || walk->failed) return false;
    if (walk->cursor && strcmp(walk->cursor, "0") == 0) return false;
    if (pause > 0 && walk->steps > 0 && walk->steps % walk->pause_steps == 0 &&
        !cli_sleep(walk->cli, pause)) {
        walk->interrupted = true;
        return false;
    }
    resp_value_destroy(&walk->batch);
    if (!scan(walk)) return false;
    walk->steps++;
    mem_free(walk->cursor);
    walk->cursor = mem_copy_bytes(walk->batch->items[0].text);
    *keys = walk->batch->items[1].items;
    *count = walk->batch->items[1].count;
    walk->keys += (int64_t)*count;
    progress_show(&walk->progress, walk->keys, walk->total, NULL);
    return true;
}

static void add_question(struct buf *requests, const struct walk_question *question,
                         struct bytes key) {
    struct bytes argv[3 + WALK_EXTRA_MAX];
    size_t argc = 0;
    argv[argc++] = bytes_of(question->words[0]);
    if (question->words[1]) argv[argc++] = bytes_of(question->words[1]);
    argv[argc++] = key;
    for (size_t i = 0; i < WALK_EXTRA_MAX && question->extra[i]; i++) {
        argv[argc++] = bytes_of(question->extra[i]);
    }
    client_encode(requests, argc, argv);
}

bool walk_ask(struct walk *walk, const struct resp_value *keys, size_t count,
              const struct walk_question *questions, struct resp_value **replies) {
    struct buf requests = {0};
    for (size_t i = 0; i < count; i++) {
        replies[i] = NULL;
        if (questions[i].words[0]) add_question(&requests, &questions[i], keys[i].text);
    }
    bool good = requests.size == 0 || send(walk, &requests);
    buf_deinit(&requests);
    for (size_t i = 0; good && i < count; i++) {
        if (questions[i].words[0]) good = receive(walk, &replies[i]);
    }
    for (size_t i = 0; !good && i < count; i++) {
        resp_value_destroy(&replies[i]);
    }
    return good;
}

double walk_percent(const struct walk *walk) {
    if (walk->total <= 0) return 0;
    return i64_min(walk->keys, walk->total) * 100.0 / (double)walk->total;
}
