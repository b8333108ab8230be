/* SPDX-License-Identifier: BSD-3-Clause */
/* exec_internal -- shared by the files of exec/. */
#pragma once

#include "ds/hashtab.h"

struct exec;

extern const struct hashtab_type client_table_type;
/* Keys began or ceased to be watched or waited for: while there are none, changes tell exec nothing
 * and cost nothing. */
void exec__interest_changed(struct exec *exec);
