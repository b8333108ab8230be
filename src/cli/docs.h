/* SPDX-License-Identifier: BSD-3-Clause */
/* docs -- what the server says about its commands (COMMAND DOCS): for help, hints and completion.
 *
 * Asked for once, when the connection is free for it. Of a server without COMMAND DOCS only the
 * names are known (COMMAND). */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

struct buf;
struct cli;

/* One argument of the highest level, as the user is told of it. */
struct docs_argument {
    char *syntax;  /* owned: "[COUNT count]" */
    char **tokens; /* owned: the option names in it, such as NX and XX */
    size_t token_count;
    uint32_t words; /* how many words it takes, its token included */
    bool optional;
    bool multiple; /* may come again: stays when it was used */
    bool is_key;
};

struct docs_command {
    char *name;                                 /* owned, upper case: "GET", "CONFIG GET" */
    char *summary, *since, *group, *complexity; /* owned; NULL: not known */
    struct docs_argument *arguments;
    size_t argument_count;
};

struct docs; /* all commands, sorted by name */

void docs__destroy(struct docs **docs);
/* Asks the server unless it was done before, or cannot be done now. */
void docs__ensure(struct cli *cli);

size_t docs__count(const struct docs *docs); /* docs NULL: 0 */
const struct docs_command *docs__at(const struct docs *docs, size_t index);
/* The command that the words begin with, the longest name that fits; NULL if there is none.
 * *used is how many words its name has. */
const struct docs_command *docs__find(const struct docs *docs, const struct bytes *words,
                                      size_t count, size_t *used);

/* Which arguments are still to come after these words. used[i] is set for those that are not;
 * used has argument_count elements. */
void docs__match(const struct docs_command *command, const struct bytes *words, size_t count,
                 bool *used);
/* Adds the arguments that are not used (used NULL: all), separated by blanks. */
void docs__add_syntax(const struct docs_command *command, const bool *used, struct buf *out);
