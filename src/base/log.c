/* SPDX-License-Identifier: BSD-3-Clause */
/* A line is put together on the stack and written at once. There is no lock, so that a child
 * process forked while another thread logs can log too: level, formats and role are single numbers;
 * target and its strings never change once they are published, and are never freed, since some
 * thread may still be reading them (they are replaced once or twice in a process's life).
 *
 * The C library's localtime does lock. Only the process that loaded this module asks it, when a
 * quarter of an hour has passed; forked children use the offset from UTC that it left. */
#include "base/log.h"

#include "base/clock.h"
#include "base/log_internal.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    LOG_MESSAGE_MAX = 2048, /* longer ones are cut */
    LOG_PREFIX_MAX = 256,
    LOG_ESCAPED_MAX = 6, /* bytes that one byte may become */
    LOG_LINE_MAX = LOG_PREFIX_MAX + LOG_ESCAPED_MAX * LOG_MESSAGE_MAX,
};

/* Where lines go. Constant once published. */
struct log_target {
    char *file; /* NULL: standard output */
    char *syslog_ident;
    bool syslog_enabled;
    struct log_target *replaced; /* the one before */
};

struct log_state {
    struct log_target *_Atomic target; /* NULL: standard output */
    _Atomic int level, format, time, role;
    _Atomic int64_t offset_slot; /* the quarter of an hour offset_s was found in, plus 1 */
    _Atomic int32_t offset_s;    /* local time less UTC */
    _Atomic pid_t home;          /* the process that may ask for the local time */
};
static struct log_state state = {.level = LOG_NOTICE};

static const char *const level_names[] = {"debug", "verbose", "notice", "warning"};
static const char level_marks[] = ".-*#";
static const char *const role_names[] = {"primary", "replica", "child", "sentinel"};
static const char role_letters[] = "MSCX";

static int get(_Atomic int *number) { return atomic_load_explicit(number, memory_order_relaxed); }
static void set(_Atomic int *number, int value) {
    atomic_store_explicit(number, value, memory_order_relaxed);
}

/* Acquire pairs with the release in log_configure: the target's fields are there. */
static const struct log_target *find_target(void) {
    return atomic_load_explicit(&state.target, memory_order_acquire);
}

static int open_file(const char *path) {
    return open(path, O_APPEND | O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
}

int log__open(void) {
    const struct log_target *target = find_target();
    return target && target->file ? open_file(target->file) : STDOUT_FILENO;
}

void log__close(int fd) {
    if (fd != STDOUT_FILENO) close(fd);
}

enum err log_configure(const struct log_settings *settings, struct diag *diag) {
    bool has_file = settings->file && settings->file[0];
    if (has_file) {
        int fd = open_file(settings->file);
        if (fd == -1) return diag_errno(diag, ERR_IO, "Can't open the log file %s", settings->file);
        close(fd);
    }
    struct log_target *target = mem_alloc(sizeof(*target));
    *target = (struct log_target){
        .file = has_file ? mem_strdup(settings->file) : NULL,
        .syslog_ident = mem_strdup(settings->syslog_ident ? settings->syslog_ident : ""),
        .syslog_enabled = settings->syslog_enabled,
        .replaced = atomic_load_explicit(&state.target, memory_order_relaxed),
    };
    if (target->syslog_enabled) {
        log__syslog_open(target->syslog_ident, settings->syslog_facility);
    }
    log_set_level(settings->level);
    log_set_format(settings->format, settings->time);
    /* Release pairs with find_target. */
    atomic_store_explicit(&state.target, target, memory_order_release);
    return ERR_NONE;
}

void log_set_level(enum log_level level) { set(&state.level, (int)level); }

void log_set_format(enum log_format format, enum log_time time) {
    set(&state.format, (int)format);
    set(&state.time, (int)time);
}

void log_set_role(enum log_role role) { set(&state.role, (int)role); }

bool log_wants(enum log_level level) {
    return level != LOG_NOTHING && (int)level >= get(&state.level);
}

/* Seconds to add to UTC at wall_s. Relaxed throughout: an offset some lines old does no harm. */
static int32_t local_offset_s(int64_t wall_s) {
    enum { OFFSET_VALID_S = 900 };
    int64_t slot = wall_s / OFFSET_VALID_S + 1;
    int32_t offset_s = atomic_load_explicit(&state.offset_s, memory_order_relaxed);
    if (slot == atomic_load_explicit(&state.offset_slot, memory_order_relaxed)) return offset_s;

    pid_t home = 0, self = getpid();
    if (!atomic_compare_exchange_strong(&state.home, &home, self) && home != self) return offset_s;

    struct tm local;
    time_t now = (time_t)wall_s;
    if (!localtime_r(&now, &local)) return offset_s;
    offset_s = (int32_t)local.tm_gmtoff;
    atomic_store_explicit(&state.offset_s, offset_s, memory_order_relaxed);
    atomic_store_explicit(&state.offset_slot, slot, memory_order_relaxed);
    return offset_s;
}

/* The message as it may stand between double quotes, in logfmt or JSON. */
static size_t put_escaped(char *out, const char *text) {
    static const char hex[] = "0123456789abcdef";
    size_t size = 0;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        const char *special = strchr("\n\r\t\"\\", c);
        if (special) {
            out[size++] = '\\';
            out[size++] = "nrt\"\\"[special - "\n\r\t\"\\"];
        } else if (c < 0x20 || c == 0x7f) {
            char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
            memcpy(out + size, escape, sizeof(escape));
            size += sizeof(escape);
        } else {
            out[size++] = (char)c;
        }
    }
    return size;
}

/* The message in the legacy format, which has no quotes: only what could end the line, and begin
 * one that nobody wrote, or steer a terminal is escaped. */
static size_t put_plain(char *out, const char *text) {
    static const char hex[] = "0123456789abcdef";
    size_t size = 0;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '\n' || c == '\r') {
            out[size++] = '\\';
            out[size++] = c == '\n' ? 'n' : 'r';
        } else if ((c < 0x20 && c != '\t') || c == 0x7f) {
            char escape[4] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
            memcpy(out + size, escape, sizeof(escape));
            size += sizeof(escape);
        } else {
            out[size++] = (char)c;
        }
    }
    return size;
}

/* Ends a message that was cut before a byte that goes on a UTF-8 character. */
static void cut_message(char *message) {
    size_t size = LOG_MESSAGE_MAX - 1, back = 0;
    while (back < 3 && (message[size - 1 - back] & 0xc0) == 0x80)
        back++;
    unsigned char lead = (unsigned char)message[size - 1 - back];
    size_t needed = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    if (needed > back) message[size - 1 - back] = '\0';
}

/* out has room for LOG_LINE_MAX bytes. Returns the line's size, its end included. */
static size_t format_line(char *out, enum log_level level, const char *message) {
    enum log_format format = (enum log_format)get(&state.format);
    int role = get(&state.role), pid = (int)getpid();
    const char *end = "\n";
    char time_text[LOG_TIME_TEXT_MAX];
    int prefix = 0;
    int time_format = get(&state.time);
    int64_t wall_ms = clock_wall_ms();
    int32_t offset_s = time_format == LOG_TIME_MILLISECONDS ? 0 : local_offset_s(wall_ms / 1000);
    log__format_time(time_text, time_format, wall_ms, offset_s);

    switch (format) {
    case LOG_FORMAT_LEGACY:
        prefix = snprintf(out, LOG_PREFIX_MAX, "%d:%c %s %c ", pid, role_letters[role], time_text,
                          level_marks[level]);
        break;
    case LOG_FORMAT_LOGFMT:
        prefix =
            snprintf(out, LOG_PREFIX_MAX, "pid=%d role=%s timestamp=\"%s\" level=%s message=\"",
                     pid, role_names[role], time_text, level_names[level]);
        end = "\"\n";
        break;
    case LOG_FORMAT_JSON:
        prefix = snprintf(out, LOG_PREFIX_MAX,
                          "{\"pid\":%d,\"role\":\"%s\",\"timestamp\":\"%s\",\"level\":\"%s\","
                          "\"message\":\"",
                          pid, role_names[role], time_text, level_names[level]);
        end = "\"}\n";
        break;
    }
    size_t size = (size_t)prefix;
    size += (format == LOG_FORMAT_LEGACY ? put_plain : put_escaped)(out + size, message);
    memcpy(out + size, end, strlen(end));
    return size + strlen(end);
}

void log_line(enum log_level level, const char *fmt, ...) {
    if (!log_wants(level)) return;

    char message[LOG_MESSAGE_MAX], line[LOG_LINE_MAX];
    va_list args;
    int saved = errno;
    va_start(args, fmt);
    int size = vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    if (size < 0) return;
    if ((size_t)size >= sizeof(message)) cut_message(message);

    log_raw_signal_safe(line, format_line(line, level, message));
    const struct log_target *target = find_target();
    if (target && target->syslog_enabled) log__syslog((int)level, message);
    errno = saved;
}

void log_raw(const char *text, size_t size) { log_raw_signal_safe(text, size); }

void log_raw_signal_safe(const char *text, size_t size) {
    int saved = errno;
    int fd = log__open();
    while (fd != -1 && size > 0) {
        ssize_t written = write(fd, text, size);
        if (written == -1 && errno == EINTR) continue;
        if (written <= 0) break; /* there is nobody to tell */
        text += written;
        size -= (size_t)written;
    }
    if (fd != -1) log__close(fd);
    errno = saved;
}
