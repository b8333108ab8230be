/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/check.h"

#include "base/crash_internal.h"

#include <stdarg.h>
#include <stdio.h>

void check_failed(const char *file, int line, const char *function, const char *condition) {
    char text[CRASH_TEXT_MAX];
    snprintf(text, sizeof(text), "=== ASSERTION FAILED ===\n==> %s:%d '%s' is not true (in %s)\n",
             file, line, condition, function);
    crash__fail(text);
}

void panic_at(const char *file, int line, const char *fmt, ...) {
    char reason[CRASH_TEXT_MAX / 2], text[CRASH_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason, sizeof(reason), fmt, args);
    va_end(args);
    snprintf(text, sizeof(text),
             "------------------------------------------------\n"
             "!!! Software Failure. Press left mouse button to continue\n"
             "Guru Meditation: %s #%s:%d\n"
             "------------------------------------------------\n",
             reason, file, line);
    crash__fail(text);
}
