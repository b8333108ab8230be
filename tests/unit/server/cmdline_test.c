/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/cmdline.h"

#include <fcntl.h>

#include "server/options_reference.h"
#include "server/server_config.h"
#include "tests/unit/test.h"

struct fixture {
    struct server_config server;
    struct reference_config reference;
    struct config *config;
    struct config_fault fault;
    struct cmdline line;
    struct diag diag;
};

static void set_up(struct fixture *f) {
    *f = (struct fixture){0};
    f->config = config_create();
    config_add_table(f->config, &(struct config_table){server_options, &f->server, &f->server});
    config_add_table(f->config, &(struct config_table){persist_options, &f->server.persist, NULL});
    config_add_table(f->config,
                     &(struct config_table){pubsub_options, &f->server.pubsub, &f->server.pubsub});
    config_add_table(f->config, &(struct config_table){tracking_options, &f->server.tracking,
                                                       &f->server.tracking});
    config_add_table(f->config,
                     &(struct config_table){reference_options, &f->reference, &f->reference});
}

static void tear_down(struct fixture *f) {
    cmdline_deinit(&f->line);
    config_destroy(&f->config);
}

static enum err parse(struct fixture *f, char *const words[], int count) {
    char *argv[32] = {(char *)"valkey-server"};
    for (int i = 0; i < count; i++)
        argv[i + 1] = words[i];
    cmdline_deinit(&f->line);
    return cmdline_init(&f->line, count + 1, argv, &f->diag);
}
#define WORDS(...) \
    (char *const[]){__VA_ARGS__}, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *))

static const char *get(struct fixture *f, const char *name) {
    static char text[256];
    struct buf out = {0};
    expect_true(config_format(f->config, bytes_of(name), &out));
    snprintf(text, sizeof(text), "%.*s", (int)out.size, out.data ? out.data : "");
    buf_deinit(&out);
    return text;
}

/* Parses and loads into a fresh config; the reason of a failure or "". */
static const char *run(struct fixture *f, char *const words[], int count) {
    tear_down(f);
    set_up(f);
    expect_eq(parse(f, words, count), ERR_NONE);
    return cmdline_load(&f->line, f->config, &f->fault) == ERR_NONE ? "" : f->fault.reason.text;
}

TEST(options_take_one_or_several_words) {
    struct fixture f;
    set_up(&f);
    expect_str_eq(run(&f, WORDS("--port", "7000", "--maxmemory", "1mb")), "");
    expect_eq(f.server.net.port, 7000);
    expect_str_eq(get(&f, "maxmemory"), "1048576");
    expect_str_eq(run(&f, WORDS("--save", "900", "1", "--save", "300", "10")), "");
    expect_str_eq(get(&f, "save"), "900 1 300 10");
    expect_str_eq(run(&f, WORDS("--save", "900 1")), "");
    expect_str_eq(get(&f, "save"), "900 1");
    expect_str_eq(run(&f, WORDS("--save 1 2", "--maxmemory 7")), "");
    expect_str_eq(get(&f, "save"), "1 2");
    expect_str_eq(get(&f, "maxmemory"), "7");
    expect_str_eq(run(&f, WORDS("--save 1 2", "3", "4")), "");
    expect_str_eq(get(&f, "save"), "1 2 3 4");
    expect_str_eq(run(&f, WORDS("--shutdown-on-sigterm", "nosave", "force")), "");
    expect_str_eq(get(&f, "shutdown-on-sigterm"), "nosave force");
    tear_down(&f);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(save_may_stand_alone_and_be_empty) {
    struct fixture f;
    set_up(&f);
    expect_str_eq(run(&f, WORDS("--save")), "");
    expect_str_eq(get(&f, "save"), "");
    expect_str_eq(run(&f, WORDS("--save", "--maxmemory", "5")), "");
    expect_str_eq(get(&f, "save"), "");
    expect_str_eq(get(&f, "maxmemory"), "5");
    expect_str_eq(run(&f, WORDS("--save", "", "--port", "1")), "");
    expect_str_eq(get(&f, "save"), "");
    tear_down(&f);
}

TEST(a_value_may_begin_with_dashes) {
    struct fixture f;
    set_up(&f);
    expect_str_eq(run(&f, WORDS("--proc-title-template", "--my--title", "--port", "1")), "");
    expect_str_eq(get(&f, "proc-title-template"), "--my--title");
    expect_eq(f.server.net.port, 1);
    expect_str_eq(run(&f, WORDS("--port", "--bla")), "argument couldn't be parsed into an integer");
    expect_str_eq(f.fault.text, "port \"--bla\"");
    tear_down(&f);
}

TEST(the_first_dashes_may_be_missing_behind_a_file) {
    struct fixture f;
    set_up(&f);
    char path[] = "/tmp/cmdline-test-XXXXXX";
    int fd = mkstemp(path);
    expect_eq(write(fd, "save 100 1\nmaxmemory 3\n", 23), 23);
    close(fd);
    expect_str_eq(run(&f, WORDS(path, "maxmemory", "10mb", "--save", "300", "3")), "");
    expect_str_eq(get(&f, "maxmemory"), "10485760");
    expect_str_eq(get(&f, "save"), "100 1 300 3");
    expect_str_eq(run(&f, WORDS(path, "--save", "")), "");
    expect_str_eq(get(&f, "save"), "");

    struct buf out = {0};
    expect_eq(parse(&f, WORDS("--check-config", path)), ERR_NONE);
    expect_eq(f.line.action, CMDLINE_CHECK_CONFIG);
    expect_true(cmdline_check_config(&f.line, f.config, &out));
    expect_true(bytes_starts_with(bytes_from(buf_bytes(&out), strlen(path)), BYTES(": ok\n")));
    fd = open(path, O_WRONLY | O_APPEND);
    expect_eq(write(fd, "\nport x\n", 8), 8);
    close(fd);
    buf_clear(&out);
    expect_false(cmdline_check_config(&f.line, f.config, &out));
    expect_str_eq(out.data + strlen(path), ":4: argument couldn't be parsed into an integer\n");
    buf_deinit(&out);
    unlink(path);
    tear_down(&f);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(wrong_lines_are_refused_with_a_reason) {
    struct fixture f;
    set_up(&f);
    expect_str_eq(run(&f, WORDS("--port")), "wrong number of arguments");
    expect_str_eq(run(&f, WORDS("--maxmemory", "5", "6")), "wrong number of arguments");
    expect_str_eq(run(&f, WORDS("--foo", "1", "a b")),
                  "Bad directive or wrong number of arguments");
    expect_str_eq(f.fault.text, "foo \"1\" \"a b\"");
    expect_str_eq(run(&f, WORDS("-maxmemory", "3")), "Bad directive or wrong number of arguments");
    expect_str_eq(run(&f, WORDS("--")), "Bad directive or wrong number of arguments");
    expect_str_eq(run(&f, WORDS("--shutdown-on-sigint", "--maxmemory", "1")),
                  "argument(s) must be one of the following: default, save, nosave, now, force, "
                  "safe, failover");
    expect_ne(parse(&f, WORDS("--name \"x")), ERR_NONE);
    expect_ne(parse(&f, WORDS("--test-memory")), ERR_NONE);
    expect_ne(parse(&f, WORDS("--test-memory", "0")), ERR_NONE);
    expect_ne(parse(&f, WORDS("--check-config")), ERR_NONE);
    tear_down(&f);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(actions_and_standard_input_are_recognised) {
    struct fixture f;
    set_up(&f);
    expect_eq(parse(&f, WORDS("-v")), ERR_NONE);
    expect_eq(f.line.action, CMDLINE_VERSION);
    expect_eq(parse(&f, WORDS("--help")), ERR_NONE);
    expect_eq(f.line.action, CMDLINE_HELP);
    expect_eq(parse(&f, WORDS("--test-memory", "64")), ERR_NONE);
    expect_eq(f.line.test_megabytes, 64);
    expect_eq(parse(&f, WORDS("-")), ERR_NONE);
    expect_true(f.line.from_stdin);
    expect_eq(parse(&f, WORDS("a.conf", "--port", "3", "-")), ERR_NONE);
    expect_true(f.line.from_stdin);
    expect_str_eq(f.line.file, "a.conf");
    expect_eq(f.line.option_count, 1);
    tear_down(&f);
}

TEST(the_memory_test_passes_on_good_memory) {
    FILE *out = tmpfile();
    expect_not_null(out);
    expect_true(cmdline_test_memory(1, out));
    fseek(out, 0, SEEK_SET);
    char text[64] = "";
    expect_not_null(fgets(text, sizeof(text), out));
    expect_not_null(strstr(text, "Testing 1 megabytes, pass 1 of 3"));
    fclose(out);
}

TEST_MAIN()
