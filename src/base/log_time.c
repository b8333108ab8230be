/* SPDX-License-Identifier: BSD-3-Clause */
/* Time stamps of log lines without the C library's calendar, so that a signal handler may make one.
 */
#include "base/log.h"
#include "base/log_internal.h"

#include <stdio.h>

struct date {
    int year, month, day; /* month and day from 1 */
};

/* Days since 1970-01-01 as a date of the Gregorian calendar. Years begin in March here, so that the
 * leap day is the last of a year; 400 years are 146097 days. Good from the year 0 on. */
static struct date date_of_days(int64_t days) {
    enum { DAYS_TO_1970 = 719468, DAYS_400_YEARS = 146097 };
    int64_t since = days + DAYS_TO_1970;
    int64_t era = since / DAYS_400_YEARS;
    int day_of_era = (int)(since % DAYS_400_YEARS);
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month = (5 * day_of_year + 2) / 153; /* from March */
    struct date date = {.year = (int)(era * 400) + year_of_era + (month >= 10),
                        .month = month < 10 ? month + 3 : month - 9,
                        .day = day_of_year - (153 * month + 2) / 5 + 1};
    return date;
}

void log__format_time(char out[LOG_TIME_TEXT_MAX], int format, int64_t wall_ms, int32_t offset_s) {
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (format == LOG_TIME_MILLISECONDS) {
        snprintf(out, LOG_TIME_TEXT_MAX, "%lld", (long long)wall_ms);
        return;
    }
    int64_t local_s = wall_ms / 1000 + offset_s;
    struct date date = date_of_days(local_s / 86400);
    int second = (int)(local_s % 86400), ms = (int)(wall_ms % 1000);
    int hour = second / 3600, minute = second / 60 % 60;
    if (format == LOG_TIME_LEGACY) {
        snprintf(out, LOG_TIME_TEXT_MAX, "%02d %s %04d %02d:%02d:%02d.%03d", date.day,
                 months[date.month - 1], date.year, hour, minute, second % 60, ms);
        return;
    }
    int offset_min = (offset_s < 0 ? -offset_s : offset_s) / 60;
    snprintf(out, LOG_TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%c%02d:%02d", date.year,
             date.month, date.day, hour, minute, second % 60, ms, offset_s < 0 ? '-' : '+',
             offset_min / 60, offset_min % 60);
}
