/* SPDX-License-Identifier: BSD-3-Clause */
/* exec_internal -- shared by the files of exec/. */
#pragma once

#include "ds/hashtab.h"

extern const struct hashtab_type client_table_type;
