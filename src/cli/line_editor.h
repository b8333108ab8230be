/* SPDX-License-Identifier: BSD-3-Clause */
/* line_editor -- a line from the keyboard: with libedit edited, completed, hinted at; in a build
 * without libedit as the terminal gives it.
 *
 * While it waits for a key it also watches the connection and Ctrl-C. libedit knows no hints:
 * before each key the editor writes the hint behind the line in dim letters and puts the cursor
 * back, and with the key it wipes it out again, so that libedit never knows. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"

struct cli;
struct line_editor;

enum line_result {
    LINE_ENTERED = 0,
    LINE_INTERRUPTED, /* Ctrl-C; *had_text tells whether a line was dropped */
    LINE_END,         /* Ctrl-D on an empty line, or the terminal has gone */
};

struct line_editor *line_editor__create(struct cli *cli);
void line_editor__destroy(struct line_editor **editor);

/* A line without its newline, in out (which is cleared first). */
enum line_result line_editor__read(struct line_editor *editor, struct buf *out, bool *had_text);
/* What the arrow keys and Ctrl-R find from now on. */
void line_editor__remember(struct line_editor *editor, const char *line);

/* The prompt for the connection as it is: "127.0.0.1:6379[2](TX)> ". */
void line_editor__prompt(const struct cli *cli, struct buf *out);
