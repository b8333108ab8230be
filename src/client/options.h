/* SPDX-License-Identifier: BSD-3-Clause */
/* options -- command lines of the client programs: an engine over tables of rows, and the rows that
 * the programs share (where the server is, who asks, TLS).
 *
 * A program has tables of its own beside client_option_rows; --help prints the same rows. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

struct buf;

enum { CLIENT_PORT = 6379 };

enum client_program { CLIENT_CLI = 1, CLIENT_BENCH = 2 };
enum client_family { CLIENT_FAMILY_ANY = 0, CLIENT_FAMILY_V4, CLIENT_FAMILY_V6 };

struct client_tls_options { /* texts are owned, NULL: not given */
    bool enabled;
    bool insecure; /* the server's certificate is not looked at */
    char *sni;
    char *cacert;
    char *cacertdir;
    char *cert;
    char *key;
    char *ciphers;
    char *ciphersuites;
};

/* Where the server is and how to greet it. All texts are owned; NULL: not given. */
struct client_options {
    char *host; /* never NULL */
    uint16_t port;
    char *socket_path; /* instead of host and port */
    char *user;
    char *password;
    bool ask_password;             /* --askpass: the program calls client_ask_password */
    bool password_on_command_line; /* worth a warning */
    int64_t db;
    uint8_t resp;              /* 2, 3, or 0: not asked for */
    enum client_family family; /* which address of a name is tried first */
    double connect_timeout_s;  /* 0: the system's */
    bool mptcp;
    struct client_tls_options tls;
};

void client_options_init(struct client_options *options);
void client_options_deinit(struct client_options *options);
void client_options_copy(struct client_options *out, const struct client_options *from);
/* Sets an owned text: frees the old one, takes a copy of the new one (NULL: none). */
void client_option_set_text(char **field, const char *text);

/* ---- the engine ---- */

struct client_option {
    const char *name;     /* "-p" or "--cacert" */
    const char *alias;    /* another name, or NULL */
    const char *argument; /* what --help calls it; NULL: the option takes none */
    const char *help;     /* a sentence or two; NULL: --help does not show it */
    uint8_t programs;     /* enum client_program, ored; 0: all */
    /* Sets it in the context of its table. argument is NULL if the option takes none. A row without
     * this or a text goes to its table's take. */
    enum err (*apply)(void *ctx, const char *argument, struct diag *diag);
    size_t
        text; /* CLIENT_OPTION_TEXT: the argument becomes an owned text of the context as it is */
};
/* The place of a char *field in the context; never 0, which says that there is none. */
#define CLIENT_OPTION_TEXT(type, field) (offsetof(type, field) + 1)

struct client_option_table {
    const struct client_option *rows; /* ends with a row without a name */
    void *ctx;
    /* For tables put together at run time, whose rows differ in their names only; may be NULL. */
    enum err (*take)(void *ctx, const char *name, const char *argument, struct diag *diag);
};

/* Applies the options at the start of argv (argv[0] is the program) in their order. Stops at the
 * first word that is none: one without '-', or what follows "--"; *rest is its index, argc if there
 * is none. tables ends with one without rows. On failure diag names the option. */
must_use enum err client_options_parse(const struct client_option_table *tables, uint8_t program,
                                       int argc, char **argv, int *rest, struct diag *diag);
/* Adds the rows as --help shows them. */
void client_options_help(const struct client_option *rows, uint8_t program, struct buf *out);

/* For apply functions: numbers within bounds; diag says what they were. */
must_use enum err client_parse_i64(const char *text, int64_t min, int64_t max, int64_t *out,
                                   struct diag *diag);
must_use enum err client_parse_seconds(const char *text, double *out, struct diag *diag);

/* The rows both programs share (-h -p -s -a --user -u --tls ...): ctx is a struct client_options.
 */
extern const struct client_option client_option_rows[];

/* What a program tells of itself instead of working. */
struct client_about {
    bool help, version; /* what was asked for; help goes first */
    void (*add_help)(const char *program, struct buf *out);
};
/* Prints it. False: nothing was asked for. */
must_use bool client_print_about(const struct client_about *about, const char *program);
/* The last part of the path that a program was started by. */
const char *client_program_name(const char *path);
