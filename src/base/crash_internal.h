/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_internal -- the pieces of the report: crash.c decides what happens, crash_report.c
 * writes. */
#pragma once

#include "base/attr.h"

enum { CRASH_TEXT_MAX = 1024 };

/* Write to the log. All are safe inside a signal handler, as far as the C library's snprintf and
 * backtrace are. */
void crash__say(const char *fmt, ...) printf_like(1, 2);
/* instruction: where it happened, or NULL. */
void crash__say_stack(void *instruction);
/* context: the third argument of a signal handler. */
void crash__say_registers(const void *context);
/* The address of the instruction that was interrupted; NULL if this CPU is not known here. */
void *crash__instruction(const void *context);
/* Has the C library load now what it would load during the first stack trace. */
void crash__prepare_stack(void);

/* A failed check or a panic: reports and ends the process. text is what happened. */
noreturn_fn void crash__fail(const char *text);
