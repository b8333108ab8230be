/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/crash.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/check.h"
#include "base/log.h"
#include "tests/unit/test.h"

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
enum { SIGNALS_ARE_DELAYED = 1 };

/* A report allocates, in the handler, at the risk described in crash.c. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "report_signal_unsafe=0"; }
#else
enum { SIGNALS_ARE_DELAYED = 0 };
#endif

static char path[64];

struct outcome {
    int status; /* of waitpid */
    char *text; /* the log; the test frees it */
};

/* Faults. The compiler must not see where. */
static void write_to(uintptr_t address) {
    volatile uintptr_t hidden = address;
    *(volatile int *)hidden = 1;
}

static void describe_plainly(struct buf *out, void *ctx) {
    buf_addf(out, "\n------ INFO OUTPUT ------\nthe hook says %s\n", (const char *)ctx);
}
static void describe_with_fault(struct buf *out, void *ctx) {
    (void)ctx;
    buf_add_text(out, "never seen");
    write_to(32);
}
static void describe_with_failed_check(struct buf *out, void *ctx) {
    (void)ctx;
    check(out->size == 12345);
}
static void describe_forever(struct buf *out, void *ctx) {
    (void)out;
    (void)ctx;
    alarm(1); /* sooner than the reporter's own */
    for (;;)
        pause();
}
static void say_before_exit(void *ctx) {
    (void)ctx;
    log_raw("before exit\n", 12);
}

/* Runs body in a child process whose log is a file. */
static struct outcome run(void (*describe)(struct buf *, void *), void (*body)(void)) {
    struct outcome outcome = {0};
    struct stat info;
    if (!path[0]) snprintf(path, sizeof(path), "/tmp/crash_test.%d", (int)getpid());
    unlink(path);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit no_core = {0};
        struct log_settings settings = {.level = LOG_NOTICE, .file = path};
        struct crash_hooks hooks = {
            .describe = describe, .before_exit = say_before_exit, .ctx = (char[]){"hello"}};
        setrlimit(RLIMIT_CORE, &no_core);
        if (log_configure(&settings, NULL) != ERR_NONE) _exit(99);
        crash_install(&hooks);
        body();
        _exit(0);
    }
    expect_eq(waitpid(child, &outcome.status, 0), child);
    int fd = open(path, O_RDONLY);
    expect_true(fd != -1);
    expect_eq(fstat(fd, &info), 0);
    outcome.text = mem_alloc((size_t)info.st_size + 1);
    expect_eq(read(fd, outcome.text, (size_t)info.st_size), info.st_size);
    outcome.text[info.st_size] = '\0';
    close(fd);
    unlink(path);
    return outcome;
}

/* The fragments appear in this order. NULL ends them. */
static void expect_in_order(const char *text, const char *const *fragments) {
    for (const char *at = text; *fragments; fragments++) {
        at = strstr(at, *fragments);
        if (!at) test_fail(__FILE__, __LINE__, "no \"%s\" there in:\n%.1500s", *fragments, text);
        at += strlen(*fragments);
    }
}

static void expect_killed(struct outcome outcome, int signal_number) {
    expect_true(WIFSIGNALED(outcome.status));
    expect_eq(WTERMSIG(outcome.status), signal_number);
}

static void fault(void) { write_to(16); }
static void get_killed(void) { kill(getpid(), SIGABRT); }
static void fail_check(void) { check(1 + 1 == 3); }
static void get_alarmed(void) {
    raise(SIGALRM);
    log_notice("went on");
}
static void fail_check_and_exit(void) {
    crash_set_exit_on_panic(true);
    fail_check();
}
static void panic_now(void) { panic("no %s left", "hope"); }
static void fault_silently(void) {
    crash_set_enabled(false);
    fault();
}
static void fail_check_silently(void) {
    crash_set_enabled(false);
    fail_check();
}

never_inline static size_t eat_stack(size_t depth) {
    volatile char frame[4096];
    frame[depth % sizeof(frame)] = (char)depth;
    if (depth == SIZE_MAX) return 0;
    return eat_stack(depth + 1) + (size_t)frame[depth % sizeof(frame)];
}
static void *overflow_stack(void *arg) {
    crash_thread_start();
    log_notice("deep: %zu", eat_stack(0));
    return arg;
}
static void overflow_in_thread(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, overflow_stack, NULL) == 0) pthread_join(thread, NULL);
}
static void *start_and_end(void *arg) {
    crash_thread_start();
    return arg;
}
static void many_threads_then_fault(void) {
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, start_and_end, NULL) == 0) pthread_join(thread, NULL);
    }
    fault();
}

TEST(a_fault_leaves_a_whole_report) {
    struct outcome outcome = run(describe_plainly, fault);
    expect_killed(outcome, SIGSEGV);
    static const char *const fragments[] = {
        "=== VALKEY BUG REPORT START: Cut & paste starting from here ===",
        "crashed by signal: 11, si_code: 1",
        "Accessing address: 0x10",
#if defined(__x86_64__) || defined(__aarch64__)
        "Crashed running the instruction at: 0x",
#endif
        "------ STACK TRACE ------",
        "------ STACK TRACE DONE ------",
        "------ REGISTERS ------",
        "------ INFO OUTPUT ------\nthe hook says hello",
        "=== VALKEY BUG REPORT END. Make sure to include from START to END. ===",
        "before exit",
        NULL
    };
    expect_in_order(outcome.text, fragments);
    mem_free(outcome.text);
}

TEST(a_signal_from_outside_names_its_sender) {
    struct outcome outcome = run(describe_plainly, get_killed);
    expect_killed(outcome, SIGABRT);
    static const char *const fragments[] = {"crashed by signal: 6", "Killed by PID: ", "REPORT END",
                                            NULL};
    expect_in_order(outcome.text, fragments);
    mem_free(outcome.text);
}

TEST(a_failed_check_is_reported_and_aborts) {
    struct outcome outcome = run(describe_plainly, fail_check);
    expect_killed(outcome, SIGABRT);
    static const char *const fragments[] = {"REPORT START",
                                            "=== ASSERTION FAILED ===\n==> ",
                                            "crash_test.c:",
                                            "'1 + 1 == 3' is not true",
                                            "STACK TRACE",
                                            "the hook says hello",
                                            "REPORT END",
                                            "before exit",
                                            NULL};
    expect_in_order(outcome.text, fragments);
    expect_null(strstr(outcome.text, "crashed by signal")); /* the abort is not a second crash */
    mem_free(outcome.text);
}

TEST(a_failed_check_may_exit_instead) {
    struct outcome outcome = run(describe_plainly, fail_check_and_exit);
    expect_true(WIFEXITED(outcome.status));
    expect_eq(WEXITSTATUS(outcome.status), 1);
    expect_not_null(strstr(outcome.text, "REPORT END"));
    mem_free(outcome.text);
}

TEST(a_panic_says_why) {
    struct outcome outcome = run(describe_plainly, panic_now);
    expect_killed(outcome, SIGABRT);
    static const char *const fragments[] = {"REPORT START", "Guru Meditation: no hope left #",
                                            "crash_test.c:", "REPORT END", NULL};
    expect_in_order(outcome.text, fragments);
    mem_free(outcome.text);
}

TEST(an_alarm_shows_the_stack_and_goes_on) {
    struct outcome outcome = run(describe_plainly, get_alarmed);
    expect_eq(outcome.status, 0);
    static const char *const fragments[] = {"Received SIGALRM", "STACK TRACE", "went on", NULL};
    expect_in_order(outcome.text, fragments);
    expect_null(strstr(outcome.text, "BUG REPORT"));
    mem_free(outcome.text);
}

TEST(a_fault_inside_the_report_gives_a_short_one) {
    if (SIGNALS_ARE_DELAYED) return; /* and none comes to a handler that runs */
    struct outcome outcome = run(describe_with_fault, fault);
    expect_killed(outcome, SIGSEGV);
    static const char *const fragments[] = {
        "Accessing address: 0x10",
        "Crashed running signal handler. Providing reduced version of recursive crash report",
        "Accessing address: 0x20", "STACK TRACE", NULL};
    expect_in_order(outcome.text, fragments);
    mem_free(outcome.text);
}

TEST(a_failed_check_inside_the_report_ends_it) {
    struct outcome outcome = run(describe_with_failed_check, fault);
    expect_killed(outcome, SIGABRT);
    static const char *const fragments[] = {"Accessing address: 0x10",
                                            "=== RECURSIVE ASSERTION FAILED ===", "12345", NULL};
    expect_in_order(outcome.text, fragments);
    mem_free(outcome.text);
}

TEST(a_report_that_hangs_is_ended) {
    if (SIGNALS_ARE_DELAYED) return; /* the alarm would wait for the handler's end */
    struct outcome outcome = run(describe_forever, fault);
    expect_killed(outcome, SIGSEGV);
    static const char *const fragments[] = {"REGISTERS", "The report takes too long", NULL};
    expect_in_order(outcome.text, fragments);
    mem_free(outcome.text);
}

TEST(without_reports_the_process_only_ends) {
    struct outcome outcome = run(describe_plainly, fault_silently);
    expect_killed(outcome, SIGSEGV);
    expect_str_eq(outcome.text, "");
    mem_free(outcome.text);

    outcome = run(describe_plainly, fail_check_silently);
    expect_killed(outcome, SIGABRT);
    expect_not_null(strstr(outcome.text, "ASSERTION FAILED"));
    expect_null(strstr(outcome.text, "STACK TRACE"));
    mem_free(outcome.text);
}

TEST(a_full_stack_is_reported_from_another_one) {
    struct outcome outcome = run(describe_plainly, overflow_in_thread);
    expect_killed(outcome, SIGSEGV);
    static const char *const fragments[] = {"crashed by signal: 11", "REPORT END", NULL};
    expect_in_order(outcome.text, fragments);
    mem_free(outcome.text);
}

TEST(threads_give_their_stacks_back) {
    struct outcome outcome = run(describe_plainly, many_threads_then_fault);
    expect_killed(outcome, SIGSEGV);
    expect_not_null(strstr(outcome.text, "REPORT END"));
    mem_free(outcome.text);
}

TEST_MAIN()
