/* SPDX-License-Identifier: BSD-3-Clause */
/* help -- the word help: about ourselves, a command, a group, or whatever has a word in it. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

struct cli;

/* words: what follows help. */
void cli__help_words(struct cli *cli, const struct bytes *words, size_t count);
