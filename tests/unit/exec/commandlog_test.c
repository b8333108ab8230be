/* SPDX-License-Identifier: BSD-3-Clause */
#include "exec/commandlog.h"

#include "config/config.h"
#include "exec/call.h"
#include "tests/unit/test.h"

/* A call as the log sees it: a client without a connection, and arguments. */
struct fixture {
    struct exec exec;
    struct client client;
    struct command command;
    struct call call;
    struct bytes argv[64];
};

static void fixture_init(struct fixture *f, const char *full_name) {
    memset(f, 0, sizeof(*f));
    f->client.exec = &f->exec;
    f->client.conn.fd = -1;
    f->command.full_name = full_name;
    f->call = (struct call){.exec = &f->exec,
                            .client = &f->client,
                            .command = &f->command,
                            .argv = f->argv,
                            .now_ms = 1700000000999};
}

static void fixture_args(struct fixture *f, const char *const *words) {
    f->call.argc = 0;
    while (words[f->call.argc]) {
        f->argv[f->call.argc] = bytes_of(words[f->call.argc]);
        f->call.argc++;
    }
}
#define ARGUMENTS(f, ...) fixture_args(f, (const char *const[]){__VA_ARGS__, NULL})

static void log_verify(const struct commandlog *log) {
    uint64_t count = 0;
    const struct commandlog_entry *newer = NULL;
    for (const struct commandlog_entry *e = log->head; e; newer = e, e = e->next) {
        expect_ptr_eq(e->prev, newer);
        if (newer) expect_true(newer->id > e->id);
        count++;
    }
    expect_ptr_eq(log->tail, newer);
    expect_eq(count, log->len);
    expect_true(log->len <= log->max_len);
}

TEST(an_entry_is_a_copy_of_the_call) {
    struct fixture f;
    fixture_init(&f, "set");
    struct commandlog log = {0};
    commandlog_set(&log, COMMANDLOG_LARGE_REQUEST, 10, 5);
    char key[] = "key";
    f.client.name = key;
    ARGUMENTS(&f, "SET", key, "value");
    commandlog_add(&log, &f.call, 10);
    memcpy(key, "xxx", 3);
    expect_eq(log.len, 1);
    expect_eq(log.head->id, 0);
    expect_eq(log.head->time_s, 1700000000);
    expect_eq(log.head->value, 10);
    expect_eq(log.head->argc, 3);
    expect_bytes_eq(log.head->argv[1], BYTES("key"));
    expect_bytes_eq(log.head->argv[2], BYTES("value"));
    expect_str_eq(log.head->client_name, "key");
    commandlog_reset(&log);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(thresholds_decide_and_minus_one_means_off) {
    struct fixture f;
    fixture_init(&f, "ping");
    ARGUMENTS(&f, "PING");
    struct commandlog log = {0};
    commandlog_set(&log, COMMANDLOG_SLOW, 100, 5);
    expect_eq(log.threshold_ticks, clock_us_to_ticks(100));
    commandlog_add(&log, &f.call, 99);
    expect_eq(log.len, 0);
    commandlog_add(&log, &f.call, 100);
    expect_eq(log.len, 1);
    commandlog_set(&log, COMMANDLOG_SLOW, -1, 5);
    expect_eq(log.threshold_ticks, UINT64_MAX);
    commandlog_add(&log, &f.call, INT64_MAX);
    expect_eq(log.len, 1);
    commandlog_set(&log, COMMANDLOG_SLOW, 0, 5);
    expect_eq(log.threshold_ticks, 0);
    commandlog_set(&log, COMMANDLOG_SLOW, 0, 0);
    commandlog_add(&log, &f.call, 1);
    expect_eq(log.len, 0);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(long_arguments_and_long_lists_are_cut_with_a_note) {
    struct fixture f;
    fixture_init(&f, "del");
    struct commandlog log = {0};
    commandlog_set(&log, COMMANDLOG_SLOW, 0, 5);
    char text[200];
    memset(text, 'a', sizeof(text));
    f.call.argc = 36;
    for (uint32_t i = 0; i < 36; i++)
        f.argv[i] = bytes_make(text, i == 1 ? 166 : i == 2 ? COMMANDLOG_ARG_BYTES_MAX : 3);
    commandlog_add(&log, &f.call, 1);
    const struct commandlog_entry *entry = log.head;
    expect_eq(entry->argc, COMMANDLOG_ARGS_MAX);
    expect_bytes_eq(entry->argv[COMMANDLOG_ARGS_MAX - 1], BYTES("... (5 more arguments)"));
    expect_bytes_eq(bytes_from(entry->argv[1], 128), BYTES("... (38 more bytes)"));
    expect_eq(entry->argv[2].size, COMMANDLOG_ARG_BYTES_MAX);

    f.call.argc = COMMANDLOG_ARGS_MAX;
    commandlog_add(&log, &f.call, 1);
    expect_eq(log.head->argv[COMMANDLOG_ARGS_MAX - 1].size, 3);
    commandlog_reset(&log);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(the_oldest_go_first_under_random_use) {
    struct fixture f;
    fixture_init(&f, "get");
    ARGUMENTS(&f, "GET", "k");
    struct commandlog log = {0};
    uint64_t max_len = 10, added = 0;
    commandlog_set(&log, COMMANDLOG_SLOW, 0, max_len);
    for (int step = 0; step < 5000; step++) {
        if (rng_below(t->rng, 100) < 3) {
            max_len = rng_below(t->rng, 20);
            commandlog_set(&log, COMMANDLOG_SLOW, 0, max_len);
        } else if (rng_below(t->rng, 100) < 2) {
            commandlog_reset(&log);
            expect_eq(log.len, 0);
        } else if (max_len) {
            commandlog_add(&log, &f.call, 5);
            expect_eq(log.head->id, added);
            added++;
        }
        log_verify(&log);
    }
    commandlog_reset(&log);
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* ---- secrets ---- */

static bool secret_at(struct fixture *f, uint32_t arg) {
    return commandlog_is_secret(&f->call, arg);
}

TEST(passwords_of_auth_and_hello_are_secrets) {
    struct fixture f;
    fixture_init(&f, "auth");
    ARGUMENTS(&f, "AUTH", "user", "password");
    expect_false(secret_at(&f, 0));
    expect_true(secret_at(&f, 1));
    expect_true(secret_at(&f, 2));
    f.command.full_name = "hello";
    ARGUMENTS(&f, "HELLO", "3", "auth", "user", "password", "SETNAME", "n");
    static const bool expected[] = {false, false, false, true, true, false, false};
    for (uint32_t i = 0; i < f.call.argc; i++)
        expect_eq(secret_at(&f, i), expected[i]);
    f.command.full_name = "set";
    ARGUMENTS(&f, "SET", "auth", "x");
    expect_false(secret_at(&f, 2));
}

struct options {
    char *password, *plain;
};
static const struct config_option options[] = {
    {.name = "password",
     .kind = CONFIG_STRING,
     .initial = "",
     .flags = CONFIG_LIVE | CONFIG_SENSITIVE,
     .field = CONFIG_FIELD(struct options, password),
     .help = "A secret."},
    {.name = "plain",
     .kind = CONFIG_STRING,
     .initial = "",
     .flags = CONFIG_LIVE,
     .field = CONFIG_FIELD(struct options, plain),
     .help = "A text."},
    {0},
};

TEST(the_value_of_a_sensitive_option_is_a_secret_and_is_not_logged) {
    struct fixture f;
    fixture_init(&f, "config|set");
    struct options values = {0};
    f.exec.config_engine = config_create();
    config_add_table(f.exec.config_engine,
                     &(struct config_table){.options = options, .base = &values});
    ARGUMENTS(&f, "CONFIG", "SET", "plain", "a", "Password", "b", "nosuch", "c");
    static const bool expected[] = {false, false, false, false, false, true, false, false};
    for (uint32_t i = 0; i < f.call.argc; i++)
        expect_eq(secret_at(&f, i), expected[i]);

    struct commandlog log = {0};
    commandlog_set(&log, COMMANDLOG_SLOW, 0, 5);
    commandlog_add(&log, &f.call, 1);
    expect_bytes_eq(log.head->argv[3], BYTES("a"));
    expect_bytes_eq(log.head->argv[5], BYTES("(redacted)"));
    commandlog_reset(&log);
    config_destroy(&f.exec.config_engine);
}

TEST_MAIN()
