/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_words -- random requests: commands that the server says it has, with arguments of all kinds.
 * What ends or blocks a server on purpose, or writes files, is left out. */
#pragma once

#include "base/buf.h"
#include "base/random.h"
#include "resp/reply_reader.h"

enum { FUZZ_WORDS_MAX = 64 };

struct fuzz_command {
    char *name; /* owned; "config|set" for a subcommand */
    int64_t arity;
};

struct fuzz_list {
    struct fuzz_command *commands; /* owned */
    size_t command_count;
    char **options; /* owned, each of them too: names that CONFIG SET takes */
    size_t option_count;
    char **tokens; /* owned, each of them too: words that commands know, each once */
    size_t token_count;
};

/* From a reply of COMMAND; what it does not understand it leaves out. */
void fuzz_list_add_commands(struct fuzz_list *list, const struct resp_value *reply);
/* From a reply of CONFIG GET *. */
void fuzz_list_add_options(struct fuzz_list *list, const struct resp_value *reply);
/* From a reply of COMMAND DOCS, or a part of it. */
void fuzz_list_add_tokens(struct fuzz_list *list, const struct resp_value *reply);
void fuzz_list_deinit(struct fuzz_list *list);

/* Adds one request, encoded; shown: the same for people. The list has commands. */
void fuzz_make_request(const struct fuzz_list *list, struct rng *rng, struct buf *out,
                       struct buf *shown);
/* CONFIG SET of a random option; the list has options. */
void fuzz_make_config(const struct fuzz_list *list, struct rng *rng, struct buf *out,
                      struct buf *shown);
/* Changes, cuts out, adds or repeats some bytes. */
void fuzz_damage(struct rng *rng, struct buf *request);
