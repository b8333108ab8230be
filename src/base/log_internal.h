/* SPDX-License-Identifier: BSD-3-Clause */
/* log_internal -- what lies between the log, syslog and the crash reporter.
 *
 * It does not include log.h: syslog.h has macros of the same names as the levels there, so that
 * log_syslog.c must not see it. */
#pragma once

#include "base/attr.h"

/* Opens what log lines go to; -1 if that fails. Safe inside a signal handler. */
int log__open(void);
void log__close(int fd); /* leaves standard output open */

enum { LOG_TIME_TEXT_MAX = 64 };

/* format: a value of enum log_time. offset_s: local time less UTC. */
void log__format_time(char out[LOG_TIME_TEXT_MAX], int format, int64_t wall_ms, int32_t offset_s);

/* ident must stay valid. */
void log__syslog_open(const char *ident, int facility);
/* level: a value of enum log_level. */
void log__syslog(int level, const char *text);
