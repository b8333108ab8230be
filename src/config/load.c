/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading options from files, text and the command line.
 *
 *     load_file ──▶ load_text ──▶ load_line ──▶ load_words ──▶ assign
 *         ▲                                         │
 *         └──────────── include (glob) ◀────────────┘
 *
 * Files may include files. A load counts the files it reads and how deep it is, so that neither a
 * circle nor a bomb of includes ends in anything but an error that names the line. */
#include "base/check.h"
#include "base/mem.h"
#include "config/config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

struct load {
    const struct config *config;
    struct config_values *values;
    struct config_fault *fault;
    const char *file; /* the file being read; "" for the command line */
    size_t line;
    int depth;
    int files;    /* read so far */
    bool lenient; /* mark what does not parse and go on */
};

static enum err load_file(struct load *load, const char *path);

/* --- one option --- */

/* Sets one value of the set from words; replaces what was there. */
static enum err assign(const struct load *load, size_t slot, const struct bytes *words,
                       size_t count, struct diag *diag) {
    struct config_values *values = load->values;
    const struct config_option *option = load->config->slots[slot].option;
    struct config_input in = {
        .option = option,
        .words = words,
        .count = count,
        .current = values->at[slot],
        .touched = values->touched[slot],
        .base_dir = load->config->base_dir,
        .place = {load->file, load->line},
        .ctx = load->config->slots[slot].ctx,
    };
    void *value = mem_zalloc(option->field.size);
    enum err err = config__value_parse(&in, value, diag);
    if (err == ERR_NONE) {
        config__value_deinit(option, values->at[slot]);
        memcpy(values->at[slot], value, option->field.size);
        values->touched[slot] = true;
    }
    mem_free(value);
    return err;
}

static enum err bad_directive(struct diag *diag) {
    return diag_set(diag, ERR_NOT_FOUND, "Bad directive or wrong number of arguments");
}

static enum err load_option(struct load *load, const struct bytes *words, size_t count,
                            struct diag *diag) {
    size_t index = config__find_name(load->config, words[0]);
    if (index == SIZE_MAX) return bad_directive(diag);

    size_t slot = load->config->names[index].slot;
    if (load->config->slots[slot].option->kind == CONFIG_IGNORED)
        return count > 1 ? ERR_NONE : bad_directive(diag);

    enum err err = assign(load, slot, words + 1, count - 1, diag);
    load->values->bad[slot] = err != ERR_NONE;
    return err;
}

/* --- include --- */

static bool is_pattern(const char *path) { return strpbrk(path, "*?[") != NULL; }

/* Reads each file that the path names; a pattern may name none. */
static enum err load_include(struct load *load, struct bytes word, struct diag *diag) {
    char *name = mem_copy_bytes(word);
    char *path = config__path(load->config, name);
    enum err err = ERR_NONE;
    if (word.size == 0 || strlen(name) != word.size) {
        err = bad_directive(diag);
    } else if (!is_pattern(path)) {
        err = load_file(load, path);
    } else {
        glob_t found = {0};
        int rc = glob(path, 0, NULL, &found);
        if (rc != 0 && rc != GLOB_NOMATCH)
            err = diag_set(diag, ERR_IO, "can't read what '%s' matches", name);
        for (size_t i = 0; rc == 0 && err == ERR_NONE && i < found.gl_pathc; i++) {
            err = load_file(load, found.gl_pathv[i]);
        }
        globfree(&found);
    }
    mem_free(path);
    mem_free(name);
    return err;
}

/* --- lines --- */

void config_fault_set(struct config_fault *fault, struct config_place place, struct bytes text,
                      const struct diag *reason) {
    *fault = (struct config_fault){.line = place.line, .reason = *reason};
    memcpy(fault->file, place.file, size_min(strlen(place.file), sizeof(fault->file) - 1));
    size_t size = size_min(text.size, sizeof(fault->text) - 1);
    for (size_t i = 0; i < size; i++)
        fault->text[i] = text.data[i] ? text.data[i] : '?';
}

static void fault_at(struct load *load, struct bytes text, const struct diag *diag) {
    config_fault_set(load->fault, (struct config_place){load->file, load->line}, text, diag);
}

/* A fault inside an included file has been described there; *described says so. */
static enum err load_words(struct load *load, const struct bytes *words, size_t count,
                           struct diag *diag, bool *described) {
    if (!bytes_equal_nocase(words[0], BYTES("include")))
        return load_option(load, words, count, diag);
    if (count != 2) return bad_directive(diag);

    load->fault->reason.text[0] = '\0';
    const char *file = load->file;
    size_t line = load->line;
    enum err err = load_include(load, words[1], diag);
    load->file = file;
    load->line = line;
    *described = err != ERR_NONE && load->fault->reason.text[0] != '\0';
    return err;
}

static enum err load_line(struct load *load, struct bytes line) {
    struct buf store = {0};
    /* A word takes a byte and the blank behind it. */
    size_t cap = size_min(line.size / 2 + 1, CONFIG_WORDS_MAX);
    struct bytes *words = mem_alloc_array(cap, sizeof(*words));
    struct diag diag = {0};
    size_t count = 0;
    bool described = false;

    enum err err = config_split_line(line, &store, words, cap, &count);
    if (err == ERR_SYNTAX) {
        diag_set(&diag, err, "Unbalanced quotes in configuration line");
    } else if (err != ERR_NONE) {
        diag_set(&diag, err, "Too many words in configuration line");
    } else if (count > 0) {
        err = load_words(load, words, count, &diag, &described);
    }
    mem_free(words);
    buf_deinit(&store);

    if (err == ERR_NONE || load->lenient) return ERR_NONE;
    if (!described) fault_at(load, line, &diag);
    return err;
}

static enum err load_text(struct load *load, struct bytes text) {
    load->line = 0;
    while (text.size > 0) {
        size_t end = bytes_find_byte(text, '\n');
        struct bytes line = bytes_trim(bytes_make(text.data, end));
        text = bytes_from(text, end + 1);
        load->line++;
        if (line.size == 0 || line.data[0] == '#') continue;

        enum err err = load_line(load, line);
        if (err != ERR_NONE) return err;
    }
    return ERR_NONE;
}

/* --- files --- */

char *config__path(const struct config *config, const char *path) {
    if (path[0] == '/') return mem_strdup(path);
    struct buf full = {0};
    buf_addf(&full, "%s/%s", config->base_dir, path);
    return buf_take(&full);
}

static enum err read_all(int fd, const char *path, struct buf *out, struct diag *diag) {
    struct stat st;
    if (fstat(fd, &st) == -1) return diag_errno(diag, ERR_IO, "can't read '%s'", path);
    if (S_ISDIR(st.st_mode)) return diag_set(diag, ERR_IO, "'%s' is a directory", path);

    enum { READ_SIZE = 16 * 1024 };
    for (;;) {
        char *room = buf_reserve(out, READ_SIZE);
        ssize_t got = read(fd, room, READ_SIZE);
        if (got == -1 && errno == EINTR) continue;
        if (got == -1) return diag_errno(diag, ERR_IO, "can't read '%s'", path);
        if (got == 0) return ERR_NONE;
        out->size += (size_t)got;
        out->data[out->size] = '\0';
        if (out->size > CONFIG_FILE_BYTES_MAX)
            return diag_set(diag, ERR_RANGE, "'%s' is too large for a configuration file", path);
    }
}

enum err config__read_file(const struct config *config, const char *path, struct buf *out,
                           struct diag *diag) {
    char *full = config__path(config, path);
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    enum err err = ERR_NONE;
    if (fd == -1) {
        err = diag_errno(diag, ERR_IO, "can't open config file '%s'", path);
    } else {
        err = read_all(fd, path, out, diag);
        close(fd);
    }
    mem_free(full);
    return err;
}

static enum err load_file(struct load *load, const char *path) {
    struct diag diag = {0};
    struct buf text = {0};
    enum err err = ERR_NONE;
    load->file = path;
    load->line = 0;
    if (load->depth >= CONFIG_INCLUDE_DEPTH_MAX) {
        err = diag_set(&diag, ERR_RANGE, "files include each other more than %d deep",
                       CONFIG_INCLUDE_DEPTH_MAX);
    } else if (++load->files > CONFIG_FILES_MAX) {
        err = diag_set(&diag, ERR_RANGE, "more than %d configuration files", CONFIG_FILES_MAX);
    } else {
        err = config__read_file(load->config, path, &text, &diag);
    }

    if (err != ERR_NONE) {
        fault_at(load, BYTES(""), &diag);
    } else {
        load->depth++;
        err = load_text(load, buf_bytes(&text));
        load->depth--;
    }
    buf_deinit(&text);
    return err;
}

/* --- entry points --- */

enum err config_load_file(struct config *config, const char *path, struct config_fault *fault) {
    struct load load = {.config = config, .values = &config->live, .fault = fault};
    *fault = (struct config_fault){0};
    return load_file(&load, path);
}

enum err config_load_text(struct config *config, struct bytes text, const char *name,
                          struct config_fault *fault) {
    struct load load = {
        .config = config, .values = &config->live, .fault = fault, .file = name, .depth = 1};
    *fault = (struct config_fault){0};
    return load_text(&load, text);
}

enum err config_load_words(struct config *config, const struct bytes *words, size_t count,
                           struct config_fault *fault) {
    check(count > 0);
    struct load load = {
        .config = config, .values = &config->live, .fault = fault, .file = "", .depth = 1};
    *fault = (struct config_fault){0};

    struct diag diag = {0};
    bool described = false;
    enum err err = load_words(&load, words, count, &diag, &described);
    if (err == ERR_NONE || described) return err;

    struct buf text = {0};
    buf_add(&text, words[0]);
    for (size_t i = 1; i < count; i++) {
        buf_add_char(&text, ' ');
        buf_add_quoted(&text, words[i]);
    }
    fault_at(&load, buf_bytes(&text), &diag);
    buf_deinit(&text);
    return err;
}

void config__load_lenient(const struct config *config, struct config_values *values,
                          struct bytes text, const char *name) {
    struct config_fault ignored = {0};
    struct load load = {.config = config,
                        .values = values,
                        .fault = &ignored,
                        .file = name,
                        .depth = 1,
                        .lenient = true};
    enum err err = load_text(&load, text);
    check(err == ERR_NONE);
}

/* --- scratch sets --- */

void config__scratch_init(const struct config *config, struct config_values *values) {
    size_t count = config->slot_count;
    *values = (struct config_values){.count = count, .scratch = true};
    values->at = mem_zalloc((count + 1) * sizeof(*values->at));
    values->touched = mem_zalloc(count + 1);
    values->bad = mem_zalloc(count + 1);

    for (size_t i = 0; i < count; i++) {
        const struct config_slot *slot = &config->slots[i];
        const struct config_option *option = slot->option;
        if (option->kind == CONFIG_IGNORED) continue;

        values->at[i] = mem_zalloc(option->field.size);
        struct bytes word = bytes_of(option->initial);
        struct config_input in = {
            .option = option,
            .words = &word,
            .count = option->initial ? 1 : 0,
            .current = values->at[i],
            .initial = true,
            .base_dir = config->base_dir,
            .ctx = slot->ctx,
        };
        enum err err = config__value_parse(&in, values->at[i], NULL);
        /* It parsed when the table was added; only the world (a directory gone) may differ. */
        values->bad[i] = err != ERR_NONE;
    }
}

void config__scratch_deinit(const struct config *config, struct config_values *values) {
    for (size_t i = 0; i < values->count; i++) {
        if (!values->at[i]) continue;
        config__value_deinit(config->slots[i].option, values->at[i]);
        mem_free(values->at[i]);
    }
    mem_free(values->at);
    mem_free(values->touched);
    mem_free(values->bad);
}

/* --- describing a fault --- */

void config_fault_describe(const struct config_fault *fault, const char *title, struct buf *out) {
    buf_addf(out, "\n*** FATAL CONFIG FILE ERROR (%s) ***\n", title);
    if (fault->file[0] == '\0') {
        buf_add_text(out, "Reading the command line");
    } else if (strcmp(fault->file, "-") == 0) {
        buf_add_text(out, "Reading the configuration from standard input");
    } else {
        buf_addf(out, "Reading the configuration file '%s'", fault->file);
    }
    if (fault->line > 0) buf_addf(out, ", at line %zu", fault->line);
    buf_add_char(out, '\n');
    if (fault->text[0]) buf_addf(out, ">>> '%s'\n", fault->text);
    buf_addf(out, "%s\n", fault->reason.text);
}

void config_fault_brief(const struct config_fault *fault, struct buf *out) {
    buf_add_text(out, fault->file[0] ? fault->file : "command line");
    if (fault->line > 0) buf_addf(out, ":%zu", fault->line);
    buf_addf(out, ": %s", fault->reason.text);
}
