/* SPDX-License-Identifier: BSD-3-Clause */
/* Includes and CONFIG REWRITE, on real files. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "config/config.h"
#include "tests/unit/config/toy.h"
#include "tests/unit/test.h"

struct fixture {
    struct toy toy;
    struct config *config;
    struct config_fault fault;
    char folder[64];
};

static const char *path_of(struct fixture *f, const char *name) {
    static char path[512];
    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    return path;
}

static void write_text(struct fixture *f, const char *name, const char *text) {
    FILE *file = fopen(path_of(f, name), "w");
    expect_not_null(file);
    expect_eq(fwrite(text, 1, strlen(text), file), strlen(text));
    fclose(file);
}

static const char *read_text(struct fixture *f, const char *name) {
    static char text[4096];
    FILE *file = fopen(path_of(f, name), "r");
    expect_not_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void fresh_config(struct fixture *f) {
    config_destroy(&f->config);
    f->toy = (struct toy){0};
    f->config = config_create();
    config_add_table(f->config, &(struct config_table){toy_options, &f->toy, &f->toy});
}

static void set_up(struct fixture *f) {
    *f = (struct fixture){.folder = "/tmp/config-test-XXXXXX"};
    expect_not_null(mkdtemp(f->folder));
    fresh_config(f);
}

static void tear_down(struct fixture *f) {
    config_destroy(&f->config);
    char command[128];
    snprintf(command, sizeof(command), "rm -r '%s'", f->folder);
    expect_eq(system(command), 0);
}

static bool load(struct fixture *f, const char *name) {
    return config_load_file(f->config, path_of(f, name), &f->fault) == ERR_NONE;
}

static void set(struct fixture *f, const char *name, const char *value) {
    struct bytes names[] = {bytes_of(name)}, values[] = {bytes_of(value)};
    struct config_set_request request = {
        .names = names, .values = values, .count = 1, .protected_allowed = true};
    struct diag diag = {0};
    expect_eq(config_set_many(f->config, &request, &diag), ERR_NONE);
}

static void rewrite(struct fixture *f, const char *name, bool force_all) {
    struct diag diag = {0};
    if (config_rewrite(f->config, path_of(f, name), force_all, &diag) != ERR_NONE) {
        fprintf(stderr, "rewrite: %s\n", diag.text);
        expect_true(false);
    }
}

TEST(files_include_files_and_patterns) {
    struct fixture f;
    set_up(&f);
    write_text(&f, "b1.part", "number 30\n");
    write_text(&f, "b2.part", "name bob\n");
    char text[512];
    snprintf(text, sizeof(text), "number 20\ninclude %s/b?.part\nINCLUDE '%s/none*'\nlevel high\n",
             f.folder, f.folder);
    write_text(&f, "main.conf", text);
    expect_true(load(&f, "main.conf"));
    expect_eq(f.toy.number, 30);
    expect_str_eq(f.toy.name, "bob");
    expect_eq(f.toy.level, 3);

    write_text(&f, "b2.part", "\n\nname\n");
    expect_false(load(&f, "main.conf"));
    expect_not_null(strstr(f.fault.file, "b2.part"));
    expect_eq(f.fault.line, 3);
    tear_down(&f);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(missing_files_and_circles_are_errors) {
    struct fixture f;
    set_up(&f);
    char text[512];
    expect_false(load(&f, "none.conf"));
    expect_not_null(strstr(f.fault.reason.text, "can't open config file"));
    expect_false(config_load_file(f.config, f.folder, &f.fault) == ERR_NONE);

    snprintf(text, sizeof(text), "include %s/main.conf\ninclude %s/main.conf\n", f.folder,
             f.folder);
    write_text(&f, "main.conf", text);
    expect_false(load(&f, "main.conf"));
    expect_not_null(strstr(f.fault.reason.text, "include each other"));

    /* Without a circle, but each file twice the one before: the number of files has a bound. */
    for (int i = 0; i < 14; i++) {
        char name[32];
        snprintf(name, sizeof(name), "bomb%d", i);
        snprintf(text, sizeof(text), "include %s/bomb%d\ninclude %s/bomb%d\n", f.folder, i + 1,
                 f.folder, i + 1);
        write_text(&f, name, text);
    }
    write_text(&f, "bomb14", "flag yes\n");
    expect_false(load(&f, "bomb0"));
    expect_not_null(strstr(f.fault.reason.text, "more than"));
    tear_down(&f);
}

static const char user_file[] =
    "# my server\n"
    "number 20\n"
    "\n"
    "bytes 100mb\n"
    "list 900 1\n"
    "# between\n"
    "list 300 10\n"
    "   Name \"a \\x41\"   \n"
    "threads 2\n"
    "old-thing 5\n"
    "threads 4\n";

TEST(rewrite_leaves_a_file_that_is_right_alone_but_for_repeats) {
    struct fixture f;
    set_up(&f);
    write_text(&f, "main.conf", user_file);
    expect_eq(chmod(path_of(&f, "main.conf"), 0604), 0);
    expect_true(load(&f, "main.conf"));
    rewrite(&f, "main.conf", false);
    expect_str_eq(read_text(&f, "main.conf"),
                  "# my server\n"
                  "number 20\n"
                  "\n"
                  "bytes 100mb\n"
                  "list 900 1\n"
                  "# between\n"
                  "list 300 10\n"
                  "   Name \"a \\x41\"   \n"
                  "threads 4\n"
                  "old-thing 5\n");
    struct stat st;
    expect_eq(stat(path_of(&f, "main.conf"), &st), 0);
    expect_eq(st.st_mode & 07777, 0604);
    tear_down(&f);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(rewrite_replaces_changed_lines_and_appends_what_is_missing) {
    struct fixture f;
    set_up(&f);
    write_text(&f, "main.conf", user_file);
    expect_true(load(&f, "main.conf"));
    set(&f, "number", "10"); /* the default, but the file says otherwise */
    set(&f, "list", "5");
    set(&f, "marks", "dot dash");
    set(&f, "maybe", "it's \"so\"");
    rewrite(&f, "main.conf", false);
    static const char expected[] =
        "# my server\n"
        "number 10\n"
        "\n"
        "bytes 100mb\n"
        "list 5\n"
        "# between\n"
        "   Name \"a \\x41\"   \n"
        "threads 4\n"
        "old-thing 5\n"
        "\n"
        "# Generated by CONFIG REWRITE\n"
        "marks dot dash\n"
        "maybe \"it's \\\"so\\\"\"\n";
    expect_str_eq(read_text(&f, "main.conf"), expected);
    rewrite(&f, "main.conf", false);
    expect_str_eq(read_text(&f, "main.conf"), expected);
    set(&f, "quiet", "3");
    rewrite(&f, "main.conf", false);
    expect_not_null(strstr(read_text(&f, "main.conf"), "so\\\"\"\nquiet 3\n"));
    tear_down(&f);
}

TEST(rewrite_puts_a_line_behind_an_include_that_would_undo_it) {
    struct fixture f;
    set_up(&f);
    char text[512];
    write_text(&f, "part", "number 30\nlist 7\n");
    snprintf(text, sizeof(text), "number 20\nlist 6\ninclude %s/part\n", f.folder);
    write_text(&f, "main.conf", text);
    expect_true(load(&f, "main.conf"));
    expect_eq(f.toy.number, 30);
    rewrite(&f, "main.conf", false);
    expect_str_eq(read_text(&f, "main.conf"), text);

    set(&f, "number", "40");
    set(&f, "list", "8");
    rewrite(&f, "main.conf", false);
    fresh_config(&f);
    expect_true(load(&f, "main.conf"));
    expect_eq(f.toy.number, 40);
    expect_eq(f.toy.list.count, 1);
    expect_eq(f.toy.list.at[0], 8);
    expect_str_eq(read_text(&f, "part"), "number 30\nlist 7\n");
    tear_down(&f);
}

TEST(rewrite_of_everything_reads_back_everything) {
    struct fixture f;
    set_up(&f);
    set(&f, "name", "x\ny\"z' \x80");
    set(&f, "share", "7%");
    set(&f, "huge", "18446744073709551615");
    rewrite(&f, "new.conf", true); /* the file did not exist */
    struct toy before = f.toy;
    char name[16];
    snprintf(name, sizeof(name), "%s", f.toy.name);
    fresh_config(&f);
    expect_true(load(&f, "new.conf"));
    expect_str_eq(f.toy.name, name);
    expect_eq(f.toy.share, before.share);
    expect_true(f.toy.huge == before.huge);
    expect_not_null(strstr(read_text(&f, "new.conf"), "\nflag yes\n"));
    tear_down(&f);
}

TEST(rewrite_follows_a_link_and_reports_what_it_cannot_write) {
    struct fixture f;
    set_up(&f);
    write_text(&f, "real.conf", "number 20\n");
    char link_path[512];
    snprintf(link_path, sizeof(link_path), "%s/link.conf", f.folder);
    expect_eq(symlink(path_of(&f, "real.conf"), link_path), 0);
    expect_true(load(&f, "link.conf"));
    set(&f, "number", "22");
    rewrite(&f, "link.conf", false);
    expect_str_eq(read_text(&f, "real.conf"), "number 22\n");
    struct stat st;
    expect_eq(lstat(link_path, &st), 0);
    expect_true(S_ISLNK(st.st_mode));

    struct diag diag = {0};
    expect_ne(config_rewrite(f.config, path_of(&f, "nofolder/x.conf"), false, &diag), ERR_NONE);
    expect_ne(diag.text[0], '\0');
    tear_down(&f);
}

TEST_MAIN()
