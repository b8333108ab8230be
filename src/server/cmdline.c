/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/cmdline.h"

#include "base/mem.h"
#include "base/num.h"
#include "config/config.h"
#include "server/version.h"

#include <errno.h>
#include <unistd.h>

enum { STDIN_BYTES_MAX = CONFIG_FILE_BYTES_MAX };

/* --- collecting options --- */

static void push_word(struct cmdline_option *option, struct bytes word) {
    option->words = mem_realloc(option->words, (option->count + 1) * sizeof(*option->words));
    option->words[option->count++] = mem_copy_bytes(word);
}

static struct cmdline_option *last_option(struct cmdline *line) {
    return line->option_count ? &line->options[line->option_count - 1] : NULL;
}

/* Starts an option from a word that holds its name and perhaps values, quoted as in a file. */
static enum err start_option(struct cmdline *line, struct bytes text, struct diag *diag) {
    struct buf store = {0};
    size_t cap = size_min(text.size / 2 + 1, CONFIG_WORDS_MAX);
    struct bytes *words = mem_alloc_array(cap, sizeof(*words));
    size_t count = 0;
    enum err err = config_split_line(text, &store, words, cap, &count);
    if (err != ERR_NONE) {
        diag_set(diag, err, "Unbalanced quotes in '%.*s'", (int)size_min(text.size, 128),
                 text.data);
    } else {
        if (line->option_count == line->option_cap) {
            line->option_cap = line->option_cap ? line->option_cap * 2 : 16;
            line->options = mem_realloc(line->options, line->option_cap * sizeof(*line->options));
        }
        struct cmdline_option *option = &line->options[line->option_count++];
        *option = (struct cmdline_option){0};
        for (size_t i = 0; i < count; i++)
            push_word(option, words[i]);
        if (count == 0) push_word(option, BYTES(""));
    }
    mem_free(words);
    buf_deinit(&store);
    return err;
}

/* True if a word that begins with -- is still the value of the option before it. */
static bool wants_value(const struct cmdline_option *option) {
    if (!option || option->count != 1) return false;
    return !bytes_equal_nocase(bytes_of(option->words[0]), BYTES("save"));
}

static enum err add_word(struct cmdline *line, const char *arg, struct diag *diag) {
    struct cmdline_option *option = last_option(line);
    bool dashes = bytes_starts_with(bytes_of(arg), BYTES("--"));
    if (dashes && !wants_value(option)) return start_option(line, bytes_of(arg + 2), diag);
    if (!option) return start_option(line, bytes_of(arg), diag);

    push_word(option, bytes_of(arg));
    return ERR_NONE;
}

/* --- the whole line --- */

static bool is_arg(const char *arg, const char *a, const char *b) {
    return strcmp(arg, a) == 0 || (b && strcmp(arg, b) == 0);
}

/* The actions that are not to run the server. *found tells if it was one. */
static enum err parse_action(struct cmdline *line, int argc, char **argv, bool *found,
                             struct diag *diag) {
    *found = true;
    if (is_arg(argv[1], "--version", "-v")) {
        line->action = CMDLINE_VERSION;
        return ERR_NONE;
    }
    if (is_arg(argv[1], "--help", "-h")) {
        line->action = CMDLINE_HELP;
        return ERR_NONE;
    }
    if (is_arg(argv[1], "--test-memory", NULL)) {
        uint64_t megabytes;
        line->action = CMDLINE_TEST_MEMORY;
        if (argc != 3 || !num_parse_u64(bytes_of(argv[2]), &megabytes) || megabytes == 0 ||
            megabytes > SIZE_MAX >> 21)
            return diag_set(diag, ERR_SYNTAX,
                            "Please say how much memory to test, in megabytes: --test-memory 4096");
        line->test_megabytes = (size_t)megabytes;
        return ERR_NONE;
    }
    if (is_arg(argv[1], "--check-config", NULL)) {
        line->action = CMDLINE_CHECK_CONFIG;
        if (argc != 3)
            return diag_set(diag, ERR_SYNTAX,
                            "Please say which file to check: --check-config FILE");
        line->file = argv[2];
        return ERR_NONE;
    }
    *found = false;
    return ERR_NONE;
}

enum err cmdline_init(struct cmdline *line, int argc, char **argv, struct diag *diag) {
    *line = (struct cmdline){0};
    if (argc < 2) return ERR_NONE;

    bool found;
    enum err err = parse_action(line, argc, argv, &found, diag);
    if (err != ERR_NONE || found) return err;

    int first = 1;
    int end = argc;
    if (argv[1][0] != '-') {
        line->file = argv[1];
        first = 2;
    } else if (is_arg(argv[1], "-", NULL)) {
        line->from_stdin = true;
        first = 2;
    }
    if (end > first && is_arg(argv[end - 1], "-", NULL)) {
        line->from_stdin = true;
        end--;
    }
    for (int i = first; i < end && err == ERR_NONE; i++)
        err = add_word(line, argv[i], diag);
    if (err != ERR_NONE) cmdline_deinit(line);
    return err;
}

void cmdline_deinit(struct cmdline *line) {
    for (size_t i = 0; i < line->option_count; i++) {
        struct cmdline_option *option = &line->options[i];
        for (size_t j = 0; j < option->count; j++)
            mem_free(option->words[j]);
        mem_free(option->words);
    }
    mem_free(line->options);
    *line = (struct cmdline){0};
}

/* --- loading --- */

static enum err read_stdin(struct buf *out, struct diag *diag) {
    enum { READ_SIZE = 16 * 1024 };
    for (;;) {
        char *room = buf_reserve(out, READ_SIZE);
        ssize_t got = read(STDIN_FILENO, room, READ_SIZE);
        if (got == -1 && errno == EINTR) continue;
        if (got == -1) return diag_errno(diag, ERR_IO, "can't read standard input");
        if (got == 0) return ERR_NONE;
        out->size += (size_t)got;
        out->data[out->size] = '\0';
        if (out->size > STDIN_BYTES_MAX)
            return diag_set(diag, ERR_RANGE, "standard input is too large for a configuration");
    }
}

static enum err load_stdin(struct config *config, struct config_fault *fault) {
    struct buf text = {0};
    *fault = (struct config_fault){.file = "-"};
    enum err err = read_stdin(&text, &fault->reason);
    if (err == ERR_NONE) err = config_load_text(config, buf_bytes(&text), "-", fault);
    buf_deinit(&text);
    return err;
}

static enum err load_option(const struct cmdline_option *option, struct config *config,
                            struct config_fault *fault) {
    struct bytes *words = mem_alloc_array(option->count, sizeof(*words));
    for (size_t i = 0; i < option->count; i++)
        words[i] = bytes_of(option->words[i]);
    enum err err = config_load_words(config, words, option->count, fault);
    mem_free(words);
    return err;
}

enum err cmdline_load(const struct cmdline *line, struct config *config,
                      struct config_fault *fault) {
    enum err err = ERR_NONE;
    if (line->file) err = config_load_file(config, line->file, fault);
    if (err == ERR_NONE && line->from_stdin) err = load_stdin(config, fault);
    for (size_t i = 0; i < line->option_count && err == ERR_NONE; i++) {
        err = load_option(&line->options[i], config, fault);
    }
    return err;
}

bool cmdline_check_config(const struct cmdline *line, struct config *config, struct buf *out) {
    struct config_fault fault;
    bool from_stdin = strcmp(line->file, "-") == 0;
    enum err err =
        from_stdin ? load_stdin(config, &fault) : config_load_file(config, line->file, &fault);
    if (err == ERR_NONE) {
        buf_addf(out, "%s: ok", line->file);
    } else {
        config_fault_brief(&fault, out);
    }
    buf_add_char(out, '\n');
    return err == ERR_NONE;
}

/* --- texts --- */

void cmdline_version(struct buf *out) {
    buf_addf(out, "Valkey server v=9.1.0 sha=%s:%d malloc=%s bits=%d build=%s\n",
             version_git_sha1(), version_git_dirty() ? 1 : 0, mem_allocator_name(),
             (int)sizeof(void *) * 8, version_build_id());
}

void cmdline_help(const char *program, struct buf *out) {
    buf_addf(out, "Usage: %s [FILE | -] [--OPTION VALUE ...] ... [-]\n", program);
    buf_addf(out, "       %s -v | --version\n", program);
    buf_addf(out, "       %s -h | --help\n", program);
    buf_addf(out, "       %s --test-memory MEGABYTES\n", program);
    buf_addf(out, "       %s --check-config FILE\n\n", program);
    buf_add_text(out,
                 "FILE holds options, one on a line; a - reads them from standard input. What the\n"
                 "command line says comes last and wins.\n\n"
                 "Examples:\n");
    buf_addf(out, "       %s                         run with the defaults\n", program);
    buf_addf(out, "       %s /etc/valkey/valkey.conf\n", program);
    buf_addf(out, "       %s valkey.conf --port 7000 --save \"\"\n", program);
    buf_addf(out, "       echo 'maxmemory 128mb' | %s -\n", program);
    buf_addf(out, "       %s --check-config valkey.conf\n", program);
}
