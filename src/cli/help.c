/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/help.h"

#include "base/mem.h"
#include "base/version.h"
#include "cli/cli.h"
#include "cli/docs.h"

#include <stdlib.h>

/* Marks of the terminal, or nothing elsewhere. */
struct marks {
    const char *bold, *dim, *label, *end;
};

static struct marks marks_of(const struct cli *cli) {
    const char *term = getenv("TERM");
    bool plain = !cli->stdout_tty || getenv("NO_COLOR") || !term || strcmp(term, "dumb") == 0;
    return plain ? (struct marks){"", "", "", ""}
                 : (struct marks){"\x1b[1m", "\x1b[2m", "\x1b[33m", "\x1b[0m"};
}

static void add_overview(struct buf *out) {
    buf_add_text(out, "valkey-cli " VALKEY_VERSION
                      "\n\n"
                      "  help <command>       what a command does and takes\n"
                      "  help @<group>        the commands of a group: @string, @list, @server...\n"
                      "  help <words>         commands whose name or description has these words\n"
                      "  connect <host> <port>  go to another server\n"
                      "  <n> <command>        a command n times; -i sets the pause\n"
                      "  :set hints|nohints   show what a command takes while it is typed\n"
                      "  clear                an empty screen\n"
                      "  exit, quit           leave; so does Ctrl-D\n\n"
                      "Tab completes commands, options and keys; Ctrl-R looks back for a line.\n"
                      "Lines in ~/.valkeyclirc are run at the start, such as ':set nohints'.\n");
}

static void add_command(const struct docs_command *command, const struct marks *marks,
                        struct buf *out) {
    buf_addf(out, "\n  %s%s%s %s", marks->bold, command->name, marks->end, marks->dim);
    docs__add_syntax(command, NULL, out);
    buf_addf(out, "%s\n", marks->end);
    const struct {
        const char *label, *text;
    } rows[] = {{"summary", command->summary},
                {"since", command->since},
                {"group", command->group},
                {"complexity", command->complexity}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!rows[i].text) continue;
        buf_addf(out, "  %s%s:%s %s\n", marks->label, rows[i].label, marks->end, rows[i].text);
    }
}

static bool contains_nocase(const char *text, struct bytes word) {
    struct bytes all = bytes_of(text);
    for (size_t i = 0; i + word.size <= all.size; i++) {
        if (bytes_equal_nocase(bytes_make(all.data + i, word.size), word)) return true;
    }
    return false;
}

static bool has_all_words(const struct docs_command *command, const struct bytes *words,
                          size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool in_summary = command->summary && contains_nocase(command->summary, words[i]);
        if (!in_summary && !contains_nocase(command->name, words[i])) return false;
    }
    return true;
}

static size_t add_found(const struct cli *cli, const struct bytes *words, size_t count,
                        const struct marks *marks, struct buf *out) {
    bool is_group = count == 1 && words[0].size > 1 && words[0].data[0] == '@';
    struct bytes group = is_group ? bytes_from(words[0], 1) : words[0];
    size_t found = 0, used = 0;
    const struct docs_command *exact = docs__find(cli->docs, words, count, &used);
    bool is_name = exact && used == count;
    size_t name_size = is_name ? strlen(exact->name) : 0;
    for (size_t i = 0; i < docs__count(cli->docs); i++) {
        const struct docs_command *command = docs__at(cli->docs, i);
        bool fits;
        if (is_group) {
            fits = command->group && contains_nocase(command->group, group);
        } else if (is_name) { /* the command and its subcommands */
            char next = '\0';
            fits = strncmp(command->name, exact->name, name_size) == 0;
            if (fits) next = command->name[name_size];
            fits = fits && (next == '\0' || next == ' ');
        } else {
            fits = has_all_words(command, words, count);
        }
        if (!fits) continue;
        add_command(command, marks, out);
        found++;
    }
    return found;
}

void cli__help_words(struct cli *cli, const struct bytes *words, size_t count) {
    struct buf out = {0};
    struct marks marks = marks_of(cli);
    if (count == 0) {
        add_overview(&out);
    } else if (!client_link_is_open(&cli->link) && !cli_connect(cli)) {
        buf_add_text(&out, "Help on commands comes from the server.\n");
    } else {
        docs__ensure(cli);
        if (docs__count(cli->docs) == 0) {
            buf_add_text(&out, "The server does not say anything about its commands now.\n");
        } else if (add_found(cli, words, count, &marks, &out) == 0) {
            buf_add_text(&out, "No command has that in its name or description.\n");
        } else {
            buf_add_char(&out, '\n');
        }
    }
    (void)fwrite(out.data, 1, out.size, stdout);
    (void)fflush(stdout);
    buf_deinit(&out);
}
