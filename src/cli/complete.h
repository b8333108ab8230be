/* SPDX-License-Identifier: BSD-3-Clause */
/* complete -- what may come next on a line: words for TAB, the rest of the syntax as a hint. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/bytes.h"

struct cli;

enum {
    COMPLETE_WORDS_MAX = 200, /* found at most */
    COMPLETE_SCANS_MAX = 20,  /* SCAN commands sent for the keys of one TAB */
    COMPLETE_SCAN_COUNT = 1000,
};

struct completion {
    size_t start;                    /* of the word that is completed, in the line */
    char *words[COMPLETE_WORDS_MAX]; /* owned; as they are to stand in the line */
    size_t count;
};

/* What the word at the end of the line may become: commands, subcommands, option names (of
 * commands, and of the server behind CONFIG GET and SET), keys (with a bounded number of SCANs). */
void complete__line(struct cli *cli, struct bytes line, struct completion *out);
void complete__deinit(struct completion *completion);
/* How far all words begin alike, without regard to case. */
size_t complete__common(const struct completion *completion);

/* Adds what is still to be typed for the command in the line; nothing if that is not known. */
void complete__hint(struct cli *cli, struct bytes line, struct buf *out);
