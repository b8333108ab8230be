/* SPDX-License-Identifier: BSD-3-Clause */
/* log -- lines for operators: to standard output, a file or syslog, in three formats. The only
 * module with writable globals. Safe in any thread; a line is one write(2). */
#pragma once

#include "base/attr.h"
#include "base/err.h"

enum log_level { LOG_DEBUG = 0, LOG_VERBOSE, LOG_NOTICE, LOG_WARNING, LOG_NOTHING };
enum log_format { LOG_FORMAT_LEGACY = 0, LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };
enum log_time { LOG_TIME_LEGACY = 0, LOG_TIME_ISO8601, LOG_TIME_MILLISECONDS };
/* The letter before the level mark in the legacy format, a word in the others. */
enum log_role { LOG_ROLE_PRIMARY = 0, LOG_ROLE_REPLICA, LOG_ROLE_CHILD, LOG_ROLE_SENTINEL };

struct log_settings {
    enum log_level level;
    enum log_format format;
    enum log_time time;
    const char
        *file; /* NULL or "": standard output; opened anew for each line, so it may be rotated */
    bool syslog_enabled;
    const char *syslog_ident;
    int syslog_facility; /* LOG_LOCAL0 and the like of syslog.h */
};

/* Copies the settings. Fails if the file cannot be opened for appending; then nothing changes. */
must_use enum err log_configure(const struct log_settings *settings, struct diag *diag);
void log_set_level(enum log_level level);
void log_set_format(enum log_format format, enum log_time time);
void log_set_role(enum log_role role);
bool log_wants(enum log_level level);

void log_line(enum log_level level, const char *fmt, ...) printf_like(2, 3);
/* The text as it is, without prefix: banner, crash report. */
void log_raw(const char *text, size_t size);
/* Like log_raw, and safe inside a signal handler. */
void log_raw_signal_safe(const char *text, size_t size);

#define log_debug(...) (log_wants(LOG_DEBUG) ? log_line(LOG_DEBUG, __VA_ARGS__) : (void)0)
#define log_verbose(...) (log_wants(LOG_VERBOSE) ? log_line(LOG_VERBOSE, __VA_ARGS__) : (void)0)
#define log_notice(...) (log_wants(LOG_NOTICE) ? log_line(LOG_NOTICE, __VA_ARGS__) : (void)0)
#define log_warning(...) (log_wants(LOG_WARNING) ? log_line(LOG_WARNING, __VA_ARGS__) : (void)0)
