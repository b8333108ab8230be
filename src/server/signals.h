/* SPDX-License-Identifier: BSD-3-Clause */
/* signals -- those that ask for an end: SIGTERM and SIGINT wake the loop, which asks here what
 * came. A second SIGINT while the first is still being dealt with ends the process at once. SIGHUP
 * and SIGPIPE are ignored. Those that report faults are base/crash.h's. */
#pragma once

#include "base/attr.h"

struct reactor;

void signals_ignore(void); /* SIGHUP, SIGPIPE */
/* From here on SIGTERM and SIGINT wake the reactor. */
void signals_install(struct reactor *reactor);
/* The reactor is about to go: signals are noted, and nobody is woken. */
void signals_detach(void);
/* The signal that came since the last call, or 0. */
int signals_take(void);
/* The signal was refused: the next one counts as a first again. */
void signals_forget(void);

/* Has SIGALRM, and with it a stack trace, come in period_ms unless this is called again before; 0
 * ends it. */
void signals_set_watchdog(int64_t period_ms);
