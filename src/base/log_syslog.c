/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of its own because the names of syslog.h clash with those of base/log.h. */
#include "base/log_internal.h"

#include <syslog.h>

void log__syslog_open(const char *ident, int facility) {
    openlog(ident, LOG_PID | LOG_NDELAY | LOG_NOWAIT, facility);
}

void log__syslog(int level, const char *text) {
    static const int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING};
    syslog(priorities[size_min((size_t)level, COUNT_OF(priorities) - 1)], "%s", text);
}
