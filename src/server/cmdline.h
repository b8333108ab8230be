/* SPDX-License-Identifier: BSD-3-Clause */
/* cmdline -- what the words behind the program's name ask for.
 *
 *     valkey-server [FILE | -] [--NAME VALUE ...] ... [-]
 *     valkey-server --version | --help | --test-memory MEGABYTES | --check-config FILE
 *
 * A word that begins with -- starts an option, except right behind an option's name: there it is
 * the value. Name and values may also be one word, as in a line of a file. --save may stand alone.
 */
#pragma once

#include <stdio.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

struct config;
struct config_fault;

enum cmdline_action {
    CMDLINE_RUN = 0,
    CMDLINE_VERSION,
    CMDLINE_HELP,
    CMDLINE_TEST_MEMORY,
    CMDLINE_CHECK_CONFIG,
};

struct cmdline_option {
    char **words; /* the name without its --, then the values; owned */
    size_t count;
};

struct cmdline {
    enum cmdline_action action;
    const char *file; /* config file to run with or to check; NULL: none. Borrowed from argv */
    bool from_stdin;  /* more configuration comes from standard input */
    struct cmdline_option *options;
    size_t option_count, option_cap;
    size_t test_megabytes;
};

/* Understands argv. On failure diag says what is wrong and nothing needs to be released. */
must_use enum err cmdline_init(struct cmdline *line, int argc, char **argv, struct diag *diag);
void cmdline_deinit(struct cmdline *line);

/* Loads file, standard input and options, in this order. */
must_use enum err cmdline_load(const struct cmdline *line, struct config *config,
                               struct config_fault *fault);
/* --check-config: loads the file into config, whose values are of no use afterwards, and adds
 * "FILE: ok" or "file:line: reason" and a newline. True if the file is good. */
bool cmdline_check_config(const struct cmdline *line, struct config *config, struct buf *out);

/* "Valkey server v=9.1.0 ..." and a newline. */
void cmdline_version(struct buf *out);
void cmdline_help(const char *program, struct buf *out);
/* --test-memory: writes and reads back patterns all over that much memory. False if a bit did not
 * hold or the memory could not be had; out hears how it goes. */
bool cmdline_test_memory(size_t megabytes, FILE *out);
