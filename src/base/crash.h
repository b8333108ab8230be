/* SPDX-License-Identifier: BSD-3-Clause */
/* crash -- the report that a fatal signal, a failed check or a panic leaves in the log: signal,
 * registers, stack trace, and what the hook adds (current command and client, INFO). */
#pragma once

#include "base/attr.h"
#include "base/buf.h"

struct crash_hooks {
    void (*describe)(struct buf *out, void *ctx); /* INFO, client, command; may allocate */
    void (*before_exit)(void *ctx);               /* unlink pidfile and the like; may be NULL */
    void *ctx;
};

/* Installs handlers for SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT (and SIGALRM: a stack trace, then
 * on) on an alternate stack. */
void crash_install(const struct crash_hooks *hooks);
void crash_set_enabled(bool enabled);            /* option crash-log-enabled */
void crash_set_exit_on_panic(bool exit_instead); /* option use-exit-on-panic: exit(1), not abort */
/* Each further thread calls it once, for its alternate stack. */
void crash_thread_start(void);
