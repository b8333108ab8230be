/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err diag_set(struct diag *diag, enum err err, const char *fmt, ...) {
    if (!diag) return err;

    va_list args;
    va_start(args, fmt);
    vsnprintf(diag->text, sizeof(diag->text), fmt, args);
    va_end(args);
    return err;
}

enum err diag_errno(struct diag *diag, enum err err, const char *fmt, ...) {
    int saved = errno;
    if (!diag) return err;

    va_list args;
    va_start(args, fmt);
    vsnprintf(diag->text, sizeof(diag->text), fmt, args);
    va_end(args);
    size_t size = strlen(diag->text);
    errno = saved; /* %m reads it */
    snprintf(diag->text + size, sizeof(diag->text) - size, ": %m");
    errno = saved;
    return err;
}
