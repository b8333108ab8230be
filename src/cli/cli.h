/* SPDX-License-Identifier: BSD-3-Clause */
/* cli -- what all parts of valkey-cli share: the options, the connection, where output goes.
 *
 * Life: main fills the options, then one run function has the program: a mode (cli_mode.h), one
 * command, the lines of stdin, or the interactive mode. What it returns is the exit status. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "client/link.h"
#include "client/options.h"

#include <stdio.h>

struct cli_mode;
struct docs;

enum cli_output {
    CLI_OUTPUT_TTY = 0, /* numbered, quoted, with types: for people */
    CLI_OUTPUT_RAW,
    CLI_OUTPUT_CSV,
    CLI_OUTPUT_JSON,
    CLI_OUTPUT_QUOTED_JSON,
};

struct cli_options {
    struct client_options client;
    enum cli_output output;
    bool output_given;     /* --raw, --no-raw, --csv...: not as stdout suggests */
    int64_t repeat;        /* -r; -1: for ever */
    double interval_s;     /* -i; 0: not given */
    bool stdin_last;       /* -x */
    char *stdin_tag;       /* -X */
    char *bulk_delimiter;  /* -d */
    char *reply_delimiter; /* -D */
    bool cluster;          /* -c */
    bool fail_on_error;    /* -e */
    bool quoted_input;
    bool show_pushes; /* --show-pushes, or stdout is a terminal */
    bool show_pushes_given;
    bool no_auth_warning;
    bool verbose;
    bool hints;
    char *eval_file; /* --eval */
    bool help;
    bool version;
    const struct cli_mode *mode; /* the mode that was asked for, or NULL */
    char *mode_argument;         /* its argument, or NULL */
    /* For the modes: */
    char *pattern;           /* --pattern or --quoted-pattern; NULL: all keys */
    size_t pattern_size;     /* its bytes, of which some may be NUL */
    int64_t count;           /* --count; 0: not given */
    int64_t pipe_timeout_s;  /* --pipe-timeout; 0: wait for ever */
    int64_t memkeys_samples; /* --memkeys-samples; -1: not given (the server's choice), 0: all */
    int64_t hotkeys_count;   /* --hotkeys-count */
};

/* What the commands so far have made of the connection. */
struct cli_session {
    bool in_transaction;   /* MULTI has been said */
    bool select_due;       /* the options' database waits for a password */
    int64_t pending_db;    /* a queued SELECT; -1: none */
    int64_t subscriptions; /* channels and patterns */
    int64_t shard_subscriptions;
    bool monitoring;
    bool silent;   /* CLIENT REPLY OFF */
    bool skipping; /* CLIENT REPLY SKIP: the next command is not answered */
};

struct cli {
    struct cli_options options;
    struct cli_session session;
    struct client_link link;
    bool stdout_tty; /* or FAKETTY is set */
    bool stdin_tty;
    int signal_fd;     /* says that Ctrl-C was pressed, after cli_catch_interrupts; else -1 */
    uint8_t resp;      /* the protocol spoken now: 2 or 3 */
    struct docs *docs; /* what the server says about its commands; NULL: not asked yet */
    int argc;          /* words behind the options */
    char **argv;
};

/* Connects and greets, unless it is connected. False: said why on stderr. */
must_use bool cli_connect(struct cli *cli);
/* Goes to the options' database. A server that wants a password first is asked again after it.
 * False: said why, and the connection is closed: commands are for that database and for no other.
 */
must_use bool cli_select(struct cli *cli);
/* Request and reply, an error reply being a reply too; connects first if need be. words: NULL after
 * the last; *out is the caller's. False: the connection failed; said why on stderr. */
must_use bool cli_call(struct cli *cli, const char *const *words, struct resp_value **out);
must_use bool cli_call_args(struct cli *cli, size_t argc, const struct bytes *argv,
                            struct resp_value **out);
/* The same where an error reply is a failure as well, said on stderr: for modes that cannot go on
 * without. */
must_use bool cli_ask(struct cli *cli, const char *const *words, struct resp_value **out);

/* A line to stderr: messages, never results. */
void cli_say(const char *fmt, ...) printf_like(1, 2);

/* From now on Ctrl-C does not end the program: cli_was_interrupted tells of it, and waiting for a
 * reply ends with ERR_AGAIN. */
void cli_catch_interrupts(struct cli *cli);
/* True once for each time that Ctrl-C was pressed. */
must_use bool cli_was_interrupted(struct cli *cli);
/* Sleeps; false if Ctrl-C ended it early. */
bool cli_sleep(struct cli *cli, double seconds);
