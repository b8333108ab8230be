/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/session.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "resp/reply_reader.h"

#include <stdlib.h>

enum { REDIRECTS_MAX = 16, PUSHES_AT_ONCE = 256 };

/* ---- what a command is ---- */

static bool word_is(size_t argc, const struct bytes *argv, size_t index, const char *word) {
    return index < argc && bytes_equal_nocase(argv[index], bytes_of(word));
}

/* Replies that are texts for people, shown without quotes in every format. */
static bool is_verbatim(size_t argc, const struct bytes *argv) {
    static const char *const texts[][2] = {
        {"info", NULL},        {"lolwut", NULL},           {"cluster", "nodes"},
        {"cluster", "info"},   {"client", "list"},         {"client", "info"},
        {"memory", "doctor"},  {"memory", "malloc-stats"}, {"latency", "graph"},
        {"latency", "doctor"}, {"debug", "htstats"},       {"debug", "htstats-key"},
        {"debug", "jmap"},     {"proxy", "info"},
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (!word_is(argc, argv, 0, texts[i][0])) continue;
        if (!texts[i][1] || word_is(argc, argv, 1, texts[i][1])) return true;
    }
    return false;
}

static bool is_subscribing(size_t argc, const struct bytes *argv) {
    static const char *const words[] = {"subscribe",   "psubscribe",   "ssubscribe",
                                        "unsubscribe", "punsubscribe", "sunsubscribe"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (word_is(argc, argv, 0, words[i])) return true;
    }
    return false;
}

/* ---- printing ---- */

static void print_reply(struct cli *cli, const struct resp_value *reply, bool verbatim) {
    struct buf out = {0};
    cli__format(&cli->options, reply, verbatim, &out);
    if (out.size > 0) (void)fwrite(out.data, 1, out.size, stdout);
    (void)fflush(stdout);
    buf_deinit(&out);
}

/* Messages about subscriptions say how many there are now, of channels and patterns or of shard
 * channels. False: it is about something else. */
static bool note_subscription(struct cli *cli, const struct resp_value *message) {
    if (message->count != 3 || message->items[2].kind != RESP_INTEGER) return false;
    bool is_shard = resp_is_text(&message->items[0], "ssubscribe") ||
                    resp_is_text(&message->items[0], "sunsubscribe");
    int64_t count = message->items[2].integer;
    if (is_shard) {
        cli->session.shard_subscriptions = count;
    } else {
        cli->session.subscriptions = count;
    }
    return true;
}

/* A message that came unasked. Those about subscriptions are always shown: they are the replies of
 * SUBSCRIBE and its kin. */
static void print_push(struct cli *cli, const struct resp_value *push) {
    bool is_subscription = note_subscription(cli, push);
    if (cli->options.show_pushes || is_subscription) print_reply(cli, push, false);
}

/* ---- what a reply changes ---- */

static void note_db(struct cli *cli, struct bytes text, bool queued) {
    int64_t db;
    if (!num_parse_i64(text, &db)) return;
    if (queued) {
        cli->session.pending_db = db;
    } else {
        cli->options.client.db = db;
    }
}

static void note_credentials(struct cli *cli, struct bytes user, struct bytes password) {
    struct client_options *client = &cli->options.client;
    char *text = user.data ? mem_copy_bytes(user) : NULL;
    client_option_set_text(&client->user, text);
    mem_free(text);
    text = mem_copy_bytes(password);
    client_option_set_text(&client->password, text);
    mem_free(text);
}

/* HELLO [n [AUTH user password] [SETNAME name]]. */
static void note_hello(struct cli *cli, size_t argc, const struct bytes *argv) {
    if (argc > 1) {
        cli->resp = bytes_equal(argv[1], BYTES("3")) ? 3 : 2;
        cli->options.client.resp = cli->resp;
    }
    if (word_is(argc, argv, 2, "auth") && argc > 4) note_credentials(cli, argv[3], argv[4]);
}

static void note_transaction_end(struct cli *cli, const struct resp_value *reply, bool executed) {
    bool was_done = executed && reply->kind == RESP_ARRAY;
    if (was_done && cli->session.pending_db >= 0) {
        cli->options.client.db = cli->session.pending_db;
    }
    cli->session.pending_db = -1;
    cli->session.in_transaction = false;
}

static void note_reply(struct cli *cli, size_t argc, const struct bytes *argv,
                       const struct resp_value *reply) {
    bool queued = reply->kind == RESP_STATUS && resp_is_text(reply, "QUEUED");
    bool is_exec = word_is(argc, argv, 0, "exec");
    if (resp_is_error(reply)) {
        /* An EXEC that fails ends its transaction all the same. */
        if (is_exec) note_transaction_end(cli, reply, true);
        return;
    }
    if (word_is(argc, argv, 0, "select") && argc == 2) {
        note_db(cli, argv[1], queued);
    } else if (queued) {
        return;
    } else if (word_is(argc, argv, 0, "multi")) {
        cli->session.in_transaction = true;
    } else if (is_exec || word_is(argc, argv, 0, "discard")) {
        note_transaction_end(cli, reply, is_exec);
    } else if (word_is(argc, argv, 0, "hello")) {
        note_hello(cli, argc, argv);
    } else if (word_is(argc, argv, 0, "auth") && argc > 1) {
        note_credentials(cli, argc > 2 ? argv[1] : bytes_make(NULL, 0), argv[argc - 1]);
    } else if (word_is(argc, argv, 0, "monitor")) {
        cli->session.monitoring = true;
    } else if (word_is(argc, argv, 0, "reset")) {
        cli->session = (struct cli_session){.pending_db = -1};
        cli->resp = 2;
        cli->options.client.db = 0;
    }
}

/* CLIENT REPLY OFF and SKIP are not answered, nor is what follows: one command, after SKIP. */
static bool is_answered(struct cli *cli, size_t argc, const struct bytes *argv) {
    struct cli_session *session = &cli->session;
    bool skipped = session->skipping;
    session->skipping = false;
    if (argc == 3 && word_is(argc, argv, 0, "client") && word_is(argc, argv, 1, "reply")) {
        if (word_is(argc, argv, 2, "off")) session->silent = true;
        if (word_is(argc, argv, 2, "on")) {
            session->silent = false;
            return true;
        }
        if (word_is(argc, argv, 2, "skip")) {
            session->skipping = true;
            return false;
        }
    }
    return !session->silent && !skipped;
}

/* ---- receiving ---- */

static enum session_result lost(struct cli *cli, enum err err, const struct diag *diag) {
    if (err == ERR_AGAIN) { /* the reply to come would be taken for the next command's */
        client_link_close(&cli->link);
        while (cli_was_interrupted(cli))
            continue; /* dealt with */
        return SESSION_INTERRUPTED;
    }
    cli_say("Error: %s", diag->text);
    return SESSION_FAILED;
}

static bool is_message(const struct cli *cli, const struct resp_value *reply) {
    if (reply->kind == RESP_PUSH) return true;
    if (!session__is_subscribed(cli) || reply->kind != RESP_ARRAY || reply->count < 3) {
        return false;
    }
    const struct resp_value *kind = &reply->items[0];
    return resp_is_text(kind, "message") || resp_is_text(kind, "pmessage") ||
           resp_is_text(kind, "smessage");
}

/* The answer to the command; what comes before it unasked is printed. */
static enum session_result receive_answer(struct cli *cli, struct resp_value **out) {
    for (;;) {
        struct diag diag = {0};
        struct resp_value *reply = NULL;
        enum err err = client_link_receive(&cli->link, CLIENT_WAIT_FOREVER, &reply, &diag);
        if (err != ERR_NONE) return lost(cli, err, &diag);
        if (!is_message(cli, reply)) {
            *out = reply;
            return SESSION_DONE;
        }
        print_push(cli, reply);
        resp_value_destroy(&reply);
    }
}

/* One message about a subscription for each channel named, or one at all. *refused gets an error.
 */
static enum session_result receive_subscriptions(struct cli *cli, size_t argc,
                                                 const struct bytes *argv,
                                                 struct resp_value **refused) {
    size_t missing = argc > 1 ? argc - 1 : 1;
    while (missing > 0) {
        struct diag diag = {0};
        struct resp_value *reply = NULL;
        enum err err = client_link_receive(&cli->link, CLIENT_WAIT_FOREVER, &reply, &diag);
        if (err != ERR_NONE) return lost(cli, err, &diag);
        if (resp_is_error(reply)) {
            *refused = reply;
            return SESSION_ERROR_REPLY;
        }
        bool is_ours = reply->count == 3 && reply->items[0].text.data &&
                       bytes_equal_nocase(reply->items[0].text, argv[0]);
        if (is_ours) missing--;
        if (reply->kind == RESP_STATUS) {
            print_reply(cli, reply, false);
            missing = 0; /* queued */
        } else {
            print_push(cli, reply);
        }
        resp_value_destroy(&reply);
    }
    return SESSION_DONE;
}

/* ---- redirections ---- */

static bool follow(struct cli *cli, const struct reply_redirect *redirect) {
    struct client_options *client = &cli->options.client;
    if (redirect->host.size > 0) {
        char *host = mem_copy_bytes(redirect->host);
        client_option_set_text(&client->host, host);
        mem_free(host);
    }
    client->port = redirect->port;
    client_option_set_text(&client->socket_path, NULL);
    if (cli->options.output == CLI_OUTPUT_TTY) {
        printf("-> Redirected to slot [%u] located at %s:%u\n", redirect->slot, client->host,
               client->port);
    }
    client_link_close(&cli->link);
    if (!cli_connect(cli)) return false;
    if (!redirect->ask) return true;
    struct resp_value *reply = NULL;
    bool good = cli_ask(cli, (const char *[]){"ASKING", NULL}, &reply);
    resp_value_destroy(&reply);
    return good;
}

/* ---- one command ---- */

static enum session_result finish_command(struct cli *cli, size_t argc, const struct bytes *argv,
                                          const struct resp_value *reply) {
    note_reply(cli, argc, argv, reply);
    bool is_error = resp_is_error(reply);
    bool logged_in =
        !is_error && (word_is(argc, argv, 0, "auth") || word_is(argc, argv, 0, "hello"));
    if (is_error && cli->options.fail_on_error) {
        cli_say("%s", reply->text.data);
    } else {
        print_reply(cli, reply, is_verbatim(argc, argv));
    }
    if (logged_in && cli->session.select_due && !cli_select(cli)) return SESSION_FAILED;
    return is_error ? SESSION_ERROR_REPLY : SESSION_DONE;
}

/* Sends the command; SESSION_DONE if that went well. */
static enum session_result send_command(struct cli *cli, size_t argc, const struct bytes *argv) {
    struct diag diag = {0};
    bool was_open = client_link_is_open(&cli->link);
    /* A server that has been started again since the last command is a fresh connection. */
    if (was_open && client_link_probe(&cli->link, &diag) != ERR_NONE) diag.text[0] = '\0';
    if (!client_link_is_open(&cli->link) && cli->session.in_transaction) {
        cli->session.in_transaction = false; /* outside of it the command would be another one */
        cli_say("Error: the connection has ended, and the transaction with it: not sent");
        return SESSION_FAILED;
    }
    if (!cli_connect(cli)) return SESSION_FAILED;
    enum err err = client_link_request(&cli->link, argc, argv, &diag);
    return err == ERR_NONE ? SESSION_DONE : lost(cli, err, &diag);
}

enum session_result session__execute(struct cli *cli, size_t argc, const struct bytes *argv) {
    check(argc > 0);
    for (int redirects = 0;; redirects++) {
        struct resp_value *reply = NULL;
        struct reply_redirect redirect;
        enum session_result sent = send_command(cli, argc, argv);
        if (sent != SESSION_DONE) return sent;
        if (!is_answered(cli, argc, argv)) return SESSION_DONE;
        if (word_is(argc, argv, 0, "shutdown")) {
            struct diag diag = {0}; /* no reply is the good one */
            enum err err = client_link_receive(&cli->link, CLIENT_WAIT_FOREVER, &reply, &diag);
            if (err == ERR_CLOSED) return SESSION_DONE;
            if (err != ERR_NONE) return lost(cli, err, &diag);
        } else {
            enum session_result result = is_subscribing(argc, argv)
                                             ? receive_subscriptions(cli, argc, argv, &reply)
                                             : receive_answer(cli, &reply);
            if (!reply) return result;
        }
        bool moved = cli->options.cluster && resp_is_error(reply) && redirects < REDIRECTS_MAX &&
                     reply_redirect_parse(reply->text, &redirect);
        if (moved) {
            bool good = follow(cli, &redirect);
            resp_value_destroy(&reply);
            if (!good) return SESSION_FAILED;
            continue;
        }
        enum session_result result = finish_command(cli, argc, argv, reply);
        resp_value_destroy(&reply);
        return result;
    }
}

enum session_result session__repeat(struct cli *cli, int64_t repeat, size_t argc,
                                    const struct bytes *argv) {
    enum session_result result = SESSION_DONE;
    for (int64_t i = 0; repeat < 0 || i < repeat; i++) {
        if (i > 0 && cli_was_interrupted(cli)) return SESSION_INTERRUPTED;
        if (i > 0 && cli->options.interval_s > 0 && !cli_sleep(cli, cli->options.interval_s)) {
            return cli_was_interrupted(cli) ? SESSION_INTERRUPTED : SESSION_DONE;
        }
        result = session__execute(cli, argc, argv);
        if (result == SESSION_INTERRUPTED || result == SESSION_FAILED) return result;
        if (result == SESSION_ERROR_REPLY && cli->options.fail_on_error) return result;
        if (session__is_listening(cli)) return result;
        if (ferror(stdout)) return SESSION_FAILED; /* nobody reads it any more */
    }
    return result;
}

/* ---- listening ---- */

bool session__is_subscribed(const struct cli *cli) {
    return cli->session.subscriptions > 0 || cli->session.shard_subscriptions > 0;
}

bool session__is_listening(const struct cli *cli) {
    if (!client_link_is_open(&cli->link)) return false;
    return cli->session.monitoring || (session__is_subscribed(cli) && cli->resp == 2);
}

static void print_message(struct cli *cli, const struct resp_value *reply) {
    if (reply->kind == RESP_PUSH || reply->kind == RESP_ARRAY) (void)note_subscription(cli, reply);
    print_reply(cli, reply, false);
}

enum session_result session__listen(struct cli *cli) {
    while (client_link_is_open(&cli->link)) {
        struct diag diag = {0};
        struct resp_value *reply = NULL;
        enum err err = client_link_receive(&cli->link, CLIENT_WAIT_FOREVER, &reply, &diag);
        if (err == ERR_AGAIN) return SESSION_INTERRUPTED;
        if (err != ERR_NONE) return lost(cli, err, &diag);
        print_message(cli, reply);
        resp_value_destroy(&reply);
        if (ferror(stdout)) return SESSION_FAILED; /* nobody reads it any more */
        if (!session__is_listening(cli) && cli->resp == 2) return SESSION_DONE;
    }
    return SESSION_FAILED;
}

bool session__print_arrived(struct cli *cli) {
    struct diag diag = {0};
    int printed = 0;
    for (; printed < PUSHES_AT_ONCE; printed++) {
        struct resp_value *reply = NULL;
        bool is_open =
            client_link_is_open(&cli->link) && client_link_probe(&cli->link, &diag) == ERR_NONE;
        if (!is_open || client_link_receive(&cli->link, 0, &reply, &diag) != ERR_NONE) break;
        print_push(cli, reply);
        resp_value_destroy(&reply);
    }
    return printed > 0;
}
