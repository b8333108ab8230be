/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/options.h"

#include "base/buf.h"
#include "base/mem.h"
#include "tests/unit/test.h"

enum { WORDS_MAX = 16 };

static enum err parse(struct client_options *options, uint8_t program, const char *const *words,
                      int *rest, struct diag *diag) {
    char *argv[WORDS_MAX] = {"program"};
    int argc = 1;
    for (; words[argc - 1]; argc++) {
        argv[argc] = (char *)words[argc - 1];
    }
    const struct client_option_table tables[] = {{.rows = client_option_rows, .ctx = options}, {0}};
    return client_options_parse(tables, program, argc, argv, rest, diag);
}

TEST(options_end_at_the_first_word_that_is_none) {
    struct client_options options;
    struct diag diag = {0};
    int rest = 0;
    client_options_init(&options);
    const char *words[] = {"-h", "example", "-p", "7000", "--user", "me", "get", "-p", NULL};
    expect_eq(parse(&options, CLIENT_CLI, words, &rest, &diag), ERR_NONE);
    expect_eq(rest, 7);
    expect_str_eq(options.host, "example");
    expect_eq(options.port, 7000);
    expect_str_eq(options.user, "me");
    const char *ended[] = {"-3", "--", "-p", NULL};
    expect_eq(parse(&options, CLIENT_CLI, ended, &rest, &diag), ERR_NONE);
    expect_eq(rest, 3);
    expect_eq(options.resp, 3);
    client_options_deinit(&options);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(a_wrong_option_is_named) {
    static const char *const cases[][4] = {
        {"--nothing", NULL},   {"-p", NULL},     {"-p", "0", NULL},        {"-p", "70000", NULL},
        {"-p", "seven", NULL}, {"--rdma", NULL}, {"-u", "http://x", NULL}, {"-2", "-3", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct client_options options;
        struct diag diag = {0};
        int rest = 0;
        client_options_init(&options);
        expect_true(parse(&options, CLIENT_CLI, cases[i], &rest, &diag) != ERR_NONE);
        expect_true(strstr(diag.text, cases[i][strcmp(cases[i][0], "-2") == 0]) != NULL);
        client_options_deinit(&options);
    }
}

TEST(a_program_has_its_own_options_only) {
    struct client_options options;
    struct diag diag = {0};
    int rest = 0;
    client_options_init(&options);
    const char *words[] = {"--askpass", NULL};
    expect_eq(parse(&options, CLIENT_CLI, words, &rest, &diag), ERR_NONE);
    expect_true(options.ask_password);
    expect_eq(parse(&options, CLIENT_BENCH, words, &rest, &diag), ERR_SYNTAX);
    struct buf help = {0};
    client_options_help(client_option_rows, CLIENT_BENCH, &help);
    expect_true(strstr(help.data, "--tls-ciphersuites <list>") != NULL);
    expect_true(strstr(help.data, "--askpass") == NULL);
    buf_deinit(&help);
    client_options_deinit(&options);
}

TEST(a_copy_owns_its_texts) {
    struct client_options options, copy;
    client_options_init(&options);
    client_option_set_text(&options.tls.sni, "a.example");
    client_option_set_text(&options.password, "secret");
    client_options_copy(&copy, &options);
    client_options_deinit(&options);
    expect_str_eq(copy.tls.sni, "a.example");
    expect_str_eq(copy.password, "secret");
    expect_str_eq(copy.host, "127.0.0.1");
    client_options_deinit(&copy);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
