/* SPDX-License-Identifier: BSD-3-Clause */
/* history -- the file of lines that were entered: ~/.valkeycli_history, or what VALKEYCLI_HISTFILE
 * names. Lines with passwords never get here. Only its owner may read it. */
#pragma once

#include "base/attr.h"

struct line_editor;

enum { HISTORY_LINES_MAX = 1000 }; /* the file is cut to this when it has twice as many */

/* The path, the caller's; NULL: there is to be none. name and old_name: of environment variables
 * that say another path. */
must_use char *history__path(const char *name, const char *old_name, const char *file);
/* Hands the last lines of the file to the editor. */
void history__load(const char *path, struct line_editor *editor);
/* Appends a line; a file that cannot be written is no error. */
void history__append(const char *path, const char *line);
