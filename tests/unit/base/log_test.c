/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/log_internal.h"
#include "tests/unit/test.h"

static char path[64];

/* A zone with an odd offset, for all of this program. */
__attribute__((constructor)) static void set_zone(void) {
    setenv("TZ", "ODD-5:30", 1);
    tzset();
}

static void start(enum log_format format, enum log_time time) {
    struct log_settings settings = {
        .level = LOG_VERBOSE, .format = format, .time = time, .file = path};
    struct diag diag = {0};
    if (!path[0]) snprintf(path, sizeof(path), "/tmp/log_test.%d", (int)getpid());
    unlink(path);
    expect_eq(log_configure(&settings, &diag), ERR_NONE);
}

/* The file's text so far, for the caller to free. Standard output is the log again. */
static char *finish(void) {
    struct log_settings settings = {.level = LOG_NOTICE};
    struct stat info;
    expect_eq(log_configure(&settings, NULL), ERR_NONE);
    int fd = open(path, O_RDONLY);
    expect_true(fd != -1);
    expect_eq(fstat(fd, &info), 0);
    char *text = mem_alloc((size_t)info.st_size + 1);
    expect_eq(read(fd, text, (size_t)info.st_size), info.st_size);
    text[info.st_size] = '\0';
    close(fd);
    unlink(path);
    return text;
}

TEST(legacy_lines_have_pid_role_time_and_mark) {
    start(LOG_FORMAT_LEGACY, LOG_TIME_LEGACY);
    log_debug("not wanted");
    log_verbose("one %d", 1);
    log_set_role(LOG_ROLE_REPLICA);
    log_notice("two");
    log_set_role(LOG_ROLE_CHILD);
    log_warning("three \"3\"");
    log_set_level(LOG_DEBUG);
    log_set_role(LOG_ROLE_SENTINEL);
    log_debug("four");
    log_set_level(LOG_NOTHING);
    log_warning("never");
    log_set_role(LOG_ROLE_PRIMARY);
    char *text = finish();

    static const char *const ends[] = {" - one 1", " * two", " # three \"3\"", " . four"};
    char *rest = text, *line;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        int pid, day, year, hour, minute, second, ms, used = 0;
        char role, month[4];
        line = strsep(&rest, "\n");
        expect_not_null(line);
        expect_eq(sscanf(line, "%d:%c %2d %3s %4d %2d:%2d:%2d.%3d%n", &pid, &role, &day, month,
                         &year, &hour, &minute, &second, &ms, &used),
                  9);
        expect_eq(pid, getpid());
        expect_eq(role, "MSCX"[i]);
        expect_str_eq(line + used, ends[i]);

        struct tm tm = {0}, now;
        char day_text[32];
        time_t now_s = time(NULL);
        localtime_r(&now_s, &now);
        snprintf(day_text, sizeof(day_text), "%d %s %d %d", day, month, year, hour);
        expect_not_null(strptime(day_text, "%d %b %Y %H", &tm));
        expect_double_near((double)timegm(&tm), (double)timegm(&now), 3601);
    }
    expect_str_eq(rest, "");
    mem_free(text);
}

TEST(legacy_messages_stay_on_their_line) {
    start(LOG_FORMAT_LEGACY, LOG_TIME_LEGACY);
    log_notice("a\r\n%d:M forged\x1b[2J\tb\x7f\\ \xe2\x82\xac", 1);
    char *text = finish();
    const char *message = strstr(text, " * ");
    expect_not_null(message);
    expect_str_eq(message + 3, "a\\r\\n1:M forged\\x1b[2J\tb\\x7f\\ \xe2\x82\xac\n");
    mem_free(text);
}

TEST(logfmt_lines_are_quoted) {
    start(LOG_FORMAT_LOGFMT, LOG_TIME_ISO8601);
    log_notice("say \"%s\"\n\t\\\x01", "hi");
    char *text = finish(), expected[64], stamp[64], rest[128];
    snprintf(expected, sizeof(expected), "pid=%d role=primary timestamp=\"", (int)getpid());
    expect_eq(strncmp(text, expected, strlen(expected)), 0);
    expect_eq(sscanf(text + strlen(expected), "%63[^\"]\"%127[^\n]", stamp, rest), 2);
    expect_str_eq(rest, " level=notice message=\"say \\\"hi\\\"\\n\\t\\\\\\u0001\"");
    int year, month, day, hour, minute, second, ms;
    expect_eq(sscanf(stamp, "%4d-%2d-%2dT%2d:%2d:%2d.%3d+05:30", &year, &month, &day, &hour,
                     &minute, &second, &ms),
              7);
    expect_eq(strlen(stamp), strlen("2026-01-02T03:04:05.678+00:00"));
    expect_str_eq(stamp + strlen(stamp) - 6, "+05:30");
    mem_free(text);
}

TEST(json_lines_have_the_same_fields) {
    start(LOG_FORMAT_JSON, LOG_TIME_MILLISECONDS);
    int64_t before_ms = clock_wall_ms();
    log_warning("a\rb");
    int64_t after_ms = clock_wall_ms();
    char *text = finish(), rest[128];
    int pid;
    long long ms;
    expect_eq(sscanf(text, "{\"pid\":%d,\"role\":\"primary\",\"timestamp\":\"%lld\"%127[^\n]", &pid,
                     &ms, rest),
              3);
    expect_eq(pid, getpid());
    expect_true(ms >= before_ms && ms <= after_ms);
    expect_str_eq(rest, ",\"level\":\"warning\",\"message\":\"a\\rb\"}");
    mem_free(text);
}

TEST(long_messages_are_cut_between_characters) {
    static char message[20000];
    for (int shift = 0; shift < 4; shift++) {
        for (size_t i = 0; i + 3 < sizeof(message); i += 3)
            memcpy(message + i, "\xe2\x82\xac", 3);
        start(shift % 2 ? LOG_FORMAT_JSON : LOG_FORMAT_LEGACY, LOG_TIME_MILLISECONDS);
        log_notice("%.*s%s", shift, "xxx", message);
        char *text = finish(), *first = strstr(text, "\xe2"), *last = first;
        expect_not_null(first);
        while ((unsigned char)*last >= 0x80)
            last++;
        expect_eq((last - first) % 3, 0);
        expect_true(last - first > 1024 && last - first < 4096);
        expect_eq(text[strlen(text) - 1], '\n');
        mem_free(text);
    }
    /* The worst case for escapes. */
    memset(message, 1, sizeof(message) - 1);
    start(LOG_FORMAT_JSON, LOG_TIME_ISO8601);
    log_notice("%s", message);
    char *text = finish();
    expect_str_eq(text + strlen(text) - 9, "\\u0001\"}\n");
    mem_free(text);
}

TEST(the_file_may_be_renamed_between_lines) {
    char moved[80];
    start(LOG_FORMAT_LEGACY, LOG_TIME_LEGACY);
    snprintf(moved, sizeof(moved), "%s.1", path);
    log_notice("old");
    expect_eq(rename(path, moved), 0);
    log_notice("new");
    char *text = finish();
    expect_not_null(strstr(text, "* new\n"));
    expect_null(strstr(text, "old"));
    expect_eq(unlink(moved), 0);
    mem_free(text);
}

TEST(raw_text_has_no_prefix) {
    start(LOG_FORMAT_JSON, LOG_TIME_LEGACY);
    log_raw("banner\n", 7);
    log_raw_signal_safe("report\n", 7);
    char *text = finish();
    expect_str_eq(text, "banner\nreport\n");
    mem_free(text);
}

TEST(a_file_that_cannot_be_opened_changes_nothing) {
    struct log_settings settings = {.level = LOG_WARNING, .file = "/nonexistent/log"};
    struct diag diag = {0};
    expect_eq(log_configure(&settings, &diag), ERR_IO);
    expect_not_null(strstr(diag.text, "/nonexistent/log"));
    expect_not_null(strstr(diag.text, "No such file"));
    expect_true(log_wants(LOG_NOTICE));
    expect_false(log_wants(LOG_VERBOSE));
    expect_false(log_wants(LOG_NOTHING));
}

static void *log_many(void *arg) {
    for (int i = 0; i < 500; i++)
        log_notice("thread %d line %d end", *(int *)arg, i);
    return NULL;
}

TEST(lines_of_several_threads_and_a_child_stay_whole) {
    enum { THREADS = 3, LINES = 500 };
    /* qemu-user forks while another thread may hold the lock of its own that every open() takes:
     * the child would wait for ever. There the threads write alone. */
    bool forks = getenv("TEST_EMULATED") == NULL;
    int writers = forks ? THREADS + 1 : THREADS;
    pthread_t threads[THREADS];
    int numbers[THREADS + 1];
    start(LOG_FORMAT_LEGACY, LOG_TIME_LEGACY);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        expect_eq(pthread_create(&threads[i], NULL, log_many, &numbers[i]), 0);
    }
    numbers[THREADS] = THREADS;
    pid_t child = forks ? fork() : -1; /* while they log */
    expect_true(!forks || child != -1);
    if (child == 0) {
        log_many(&numbers[THREADS]);
        _exit(0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (forks) expect_eq(waitpid(child, NULL, 0), child);
    char *text = finish(), *rest = text;
    int next[THREADS + 1] = {0};
    for (int i = 0; i < writers * LINES; i++) {
        int thread, line, used = 0;
        char *at = strstr(strsep(&rest, "\n"), "thread");
        expect_not_null(at);
        expect_eq(sscanf(at, "thread %d line %d end%n", &thread, &line, &used), 2);
        expect_eq(at[used], '\0');
        expect_true(thread >= 0 && thread < writers);
        expect_eq(line, next[thread]++);
    }
    expect_str_eq(rest, "");
    mem_free(text);
}

TEST(dates_are_those_of_the_c_library) {
    for (int i = 0; i < 20000; i++) {
        int64_t wall_ms = (int64_t)rng_below(t->rng, 8000000000000); /* to the year 2223 */
        int32_t offset_s = ((int32_t)rng_below(t->rng, 105) - 48) * 900;
        if (wall_ms / 1000 + offset_s < 0) continue;
        time_t local_s = (time_t)(wall_ms / 1000 + offset_s);
        struct tm tm;
        char text[LOG_TIME_TEXT_MAX], expected[LOG_TIME_TEXT_MAX], tail[32];
        gmtime_r(&local_s, &tm);

        log__format_time(text, LOG_TIME_LEGACY, wall_ms, offset_s);
        size_t size = strftime(expected, sizeof(expected), "%d %b %Y %H:%M:%S", &tm);
        snprintf(expected + size, sizeof(expected) - size, ".%03d", (int)(wall_ms % 1000));
        expect_str_eq(text, expected);

        log__format_time(text, LOG_TIME_ISO8601, wall_ms, offset_s);
        size = strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(tail, sizeof(tail), ".%03d%c%02d:%02d", (int)(wall_ms % 1000),
                 offset_s < 0 ? '-' : '+', abs(offset_s) / 3600, abs(offset_s) / 60 % 60);
        snprintf(expected + size, sizeof(expected) - size, "%s", tail);
        expect_str_eq(text, expected);
    }
}

TEST_MAIN()
