/* SPDX-License-Identifier: BSD-3-Clause */
/* glob -- patterns as KEYS, SCAN, CONFIG GET and PSUBSCRIBE know them: ? * [abc] [^a] [a-z] \x.
 * No recursion, and the work is bounded by O(pattern * text): hostile patterns only cost that. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

bool glob_match(struct bytes pattern, struct bytes text);
bool glob_match_nocase(struct bytes pattern, struct bytes text);
/* True if the pattern has no special characters, so that it can only match itself. */
bool glob_is_literal(struct bytes pattern);
