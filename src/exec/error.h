/* SPDX-License-Identifier: BSD-3-Clause */
/* error -- the catalogue of error replies. Each row of errors.def becomes ERROR_<NAME>. */
#pragma once

#include "base/attr.h"

enum error_id {
#define ERROR_ROW(name, text) ERROR_##name,
#include "exec/errors.def"
#undef ERROR_ROW
    ERROR_ID_COUNT
};

/* "CODE text", a format for call_errorf if it has a %. */
const char *error_text(enum error_id id);
