/* SPDX-License-Identifier: BSD-3-Clause */
/* format -- replies as text: for people, raw, CSV, JSON. Scripts parse these: their shape is that
 * of the reference. */
#pragma once

#include "base/attr.h"
#include "cli/cli.h"

struct resp_value;

/* Adds the reply as the options want it, with what ends a reply in that format. verbatim: a text
 * that is shown as it is in every format (INFO and the like). */
void cli__format(const struct cli_options *options, const struct resp_value *value, bool verbatim,
                 struct buf *out);
/* Adds a JSON string in its quotes. ascii: of printable ASCII only, other bytes as \xXX in it. */
void cli__json_string(struct bytes text, bool ascii, struct buf *out);
