/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/options.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/version.h"

#include <math.h>
#include <stdio.h>

enum { HELP_COLUMN = 30, HELP_WIDTH = 98 };

void client_options_init(struct client_options *options) {
    *options = (struct client_options){.host = mem_strdup("127.0.0.1"), .port = CLIENT_PORT};
}

void client_option_set_text(char **field, const char *text) {
    char *copy = mem_strdup(text); /* first: text may be *field */
    mem_free(*field);
    *field = copy;
}

/* All owned texts of options; NULL ends the list. */
static void owned_texts(struct client_options *options, char **out[12]) {
    struct client_tls_options *tls = &options->tls;
    char **all[12] = {&options->host, &options->socket_path, &options->user,    &options->password,
                      &tls->sni,      &tls->cacert,          &tls->cacertdir,   &tls->cert,
                      &tls->key,      &tls->ciphers,         &tls->ciphersuites};
    memcpy(out, all, sizeof(all));
}

void client_options_deinit(struct client_options *options) {
    char **texts[12];
    owned_texts(options, texts);
    for (size_t i = 0; texts[i]; i++) {
        mem_free(*texts[i]);
        *texts[i] = NULL;
    }
}

void client_options_copy(struct client_options *out, const struct client_options *from) {
    char **texts[12];
    *out = *from;
    owned_texts(out, texts);
    for (size_t i = 0; texts[i]; i++) {
        *texts[i] = mem_strdup(*texts[i]);
    }
}

/* ---- the engine ---- */

static bool row_matches(const struct client_option *row, uint8_t program, const char *word) {
    if (row->programs && !(row->programs & program)) return false;
    return strcmp(word, row->name) == 0 || (row->alias && strcmp(word, row->alias) == 0);
}

static const struct client_option *find_row(const struct client_option_table *tables,
                                            uint8_t program, const char *word,
                                            const struct client_option_table **owner) {
    for (; tables->rows; tables++) {
        for (const struct client_option *row = tables->rows; row->name; row++) {
            if (!row_matches(row, program, word)) continue;
            *owner = tables;
            return row;
        }
    }
    return NULL;
}

static enum err apply_row(const struct client_option_table *table, const struct client_option *row,
                          const char *name, const char *argument, struct diag *diag) {
    struct diag reason = {0};
    if (row->text) {
        client_option_set_text((char **)((char *)table->ctx + row->text - 1), argument);
        return ERR_NONE;
    }
    enum err err = row->apply ? row->apply(table->ctx, argument, &reason)
                              : table->take(table->ctx, name, argument, &reason);
    return err == ERR_NONE ? err : diag_set(diag, err, "%s: %s", name, reason.text);
}

enum err client_options_parse(const struct client_option_table *tables, uint8_t program, int argc,
                              char **argv, int *rest, struct diag *diag) {
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
        const struct client_option_table *table = NULL;
        const char *name = argv[i];
        if (strcmp(name, "--") == 0) {
            i++;
            break;
        }
        const struct client_option *row = find_row(tables, program, name, &table);
        if (!row) return diag_set(diag, ERR_SYNTAX, "there is no option %s", name);
        const char *argument = NULL;
        if (row->argument) {
            if (i + 1 == argc) {
                return diag_set(diag, ERR_SYNTAX, "%s needs an argument: <%s>", name,
                                row->argument);
            }
            argument = argv[++i];
        }
        enum err err = apply_row(table, row, name, argument, diag);
        if (err != ERR_NONE) return err;
    }
    *rest = i;
    return ERR_NONE;
}

/* Adds text from column on, in lines of at most HELP_WIDTH. */
static void add_wrapped(struct buf *out, const char *text, size_t at) {
    size_t column = at;
    while (*text) {
        size_t word = strcspn(text, " ");
        if (column > HELP_COLUMN && column + 1 + word > HELP_WIDTH) {
            buf_addf(out, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        } else if (column > HELP_COLUMN) {
            buf_add_char(out, ' ');
            column++;
        }
        buf_add(out, bytes_make(text, word));
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    buf_add_char(out, '\n');
}

void client_options_help(const struct client_option *rows, uint8_t program, struct buf *out) {
    for (const struct client_option *row = rows; row->name; row++) {
        if (!row->help || (row->programs && !(row->programs & program))) continue;
        size_t start = out->size;
        buf_addf(out, "  %s", row->name);
        if (row->alias) buf_addf(out, ", %s", row->alias);
        if (row->argument) buf_addf(out, " <%s>", row->argument);
        size_t used = out->size - start;
        if (used + 1 > HELP_COLUMN) {
            buf_add_char(out, '\n');
            used = 0;
        }
        buf_addf(out, "%*s", (int)(HELP_COLUMN - used), "");
        add_wrapped(out, row->help, HELP_COLUMN);
    }
}

enum err client_parse_i64(const char *text, int64_t min, int64_t max, int64_t *out,
                          struct diag *diag) {
    int64_t value;
    if (!num_parse_i64(bytes_of(text), &value)) {
        return diag_set(diag, ERR_SYNTAX, "'%.100s' is no whole number", text);
    }
    if (value < min || value > max) {
        return diag_set(diag, ERR_RANGE, "%lld is not between %lld and %lld", (long long)value,
                        (long long)min, (long long)max);
    }
    *out = value;
    return ERR_NONE;
}

enum err client_parse_seconds(const char *text, double *out, struct diag *diag) {
    enum { SECONDS_MAX = 1000000 };
    double value;
    if (!num_parse_double(bytes_of(text), &value) || !isfinite(value)) {
        return diag_set(diag, ERR_SYNTAX, "'%.100s' is no number of seconds", text);
    }
    if (value < 0 || value > SECONDS_MAX) {
        return diag_set(diag, ERR_RANGE, "%.100s is not between 0 and %d seconds", text,
                        SECONDS_MAX);
    }
    *out = value;
    return ERR_NONE;
}

bool client_print_about(const struct client_about *about, const char *program) {
    struct buf text = {0};
    if (about->help) {
        about->add_help(program, &text);
    } else if (about->version) {
        buf_addf(&text, "%s %s\n", program, VALKEY_VERSION);
    }
    bool asked = text.size > 0;
    if (asked) fwrite(text.data, 1, text.size, stdout);
    buf_deinit(&text);
    return asked;
}

const char *client_program_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
