/* SPDX-License-Identifier: BSD-3-Clause */
/* What happens when the process cannot go on.
 *
 *    signal ──▶ on_signal ───┐
 *                            ├─▶ the first? ── yes ──▶ report, hooks, END ──▶ end
 *    check  ──▶ crash__fail ─┘      │ no
 *                                   ├─ this thread's own: short report ──▶ end
 *                                   └─ another thread's: it waits for the first to end all
 *
 *    end: the signal again, by default; after a check abort, or exit(1)
 *
 * The hooks may allocate and lock, and so may hang if the crash came from inside the allocator: an
 * alarm ends the process if the report takes longer than CRASH_REPORT_S_MAX. */
#include "base/crash.h"

#include "base/crash_internal.h"
#include "base/log.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    CRASH_STACK_SIZE = 256 * 1024,
    CRASH_REPORT_S_MAX = 10,
    CRASH_DEPTH_MAX = 2, /* reports inside reports */
};

struct crash_state {
    struct crash_hooks hooks;
    _Atomic bool enabled;
    _Atomic bool exit_on_panic;
    _Atomic pid_t reporter; /* the thread that reports; 0: none yet */
    _Atomic int signal;     /* what it will end the process with */
    struct buf more;        /* what the hooks add; not freed, the heap may be broken */
    int depth;              /* of reports inside reports; the reporter only */
    pthread_key_t stack_key;
    bool has_stack_key;
};
static struct crash_state state = {.enabled = true};

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

static pid_t thread_id(void) { return (pid_t)syscall(SYS_gettid); }

noreturn_fn static void end_by_signal(int signal_number) {
    sigset_t set;
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigemptyset(&action.sa_mask);
    sigaction(signal_number, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    kill(getpid(), signal_number);
    for (int i = 0; i < 10; i++) /* it may be another thread that takes it */
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    _exit(128 + signal_number);
}

/* True if this thread is the first to report. Else it reports a second time, which is said, or has
 * to wait: then this does not return. */
static bool begin_report(int signal_number) {
    pid_t self = thread_id(), reporter = 0;
    /* The default order: rare, and it costs nothing. */
    if (atomic_compare_exchange_strong(&state.reporter, &reporter, self)) {
        atomic_store(&state.signal, signal_number);
        alarm(CRASH_REPORT_S_MAX);
        return true;
    }
    if (reporter != self) {
        for (int i = 0; i < 2 * CRASH_REPORT_S_MAX; i++) /* a signal may cut one short */
            nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
        end_by_signal(signal_number);
    }
    if (++state.depth > CRASH_DEPTH_MAX) end_by_signal(signal_number);
    return false;
}

static void say_start(void) {
    crash__say(
        "\n\n=== VALKEY BUG REPORT START: Cut & paste starting from here ===\n"
        "pid %d, thread %d\n",
        (int)getpid(), (int)thread_id());
}

/* What the hooks add, and the end. */
static void finish_report(void) {
    struct buf *more = &state.more;
    if (state.hooks.describe) state.hooks.describe(more, state.hooks.ctx);
    log_raw_signal_safe(more->data, more->size);
    crash__say("\n=== VALKEY BUG REPORT END. Make sure to include from START to END. ===\n\n");
    if (state.hooks.before_exit) state.hooks.before_exit(state.hooks.ctx);
}

static void say_signal(const siginfo_t *info, const void *context) {
    void *instruction = crash__instruction(context);
    crash__say("Valkey crashed by signal: %d, si_code: %d\n", info->si_signo, info->si_code);
    if (info->si_code == SI_USER || info->si_code == SI_TKILL || info->si_code == SI_QUEUE) {
        crash__say("Killed by PID: %ld, UID: %ld\n", (long)info->si_pid, (long)info->si_uid);
    } else {
        crash__say("Accessing address: %p\n", info->si_addr);
    }
    if (instruction) crash__say("Crashed running the instruction at: %p\n", instruction);
}

static void on_signal(int signal_number, siginfo_t *info, void *context) {
    if (!atomic_load(&state.enabled)) end_by_signal(signal_number);
    if (begin_report(signal_number)) {
        say_start();
        say_signal(info, context);
        crash__say_stack(crash__instruction(context));
        crash__say_registers(context);
        finish_report();
    } else {
        crash__say(
            "\nCrashed running signal handler. Providing reduced version of recursive crash "
            "report.\n");
        say_signal(info, context);
        crash__say_stack(crash__instruction(context));
    }
    end_by_signal(signal_number);
}

static void on_alarm(int signal_number, siginfo_t *info, void *context) {
    (void)signal_number;
    (void)info;
    if (atomic_load(&state.reporter) != 0) {
        crash__say("\nThe report takes too long: it ends here.\n");
        end_by_signal(atomic_load(&state.signal));
    }
    crash__say("\n--- WATCHDOG TIMER EXPIRED ---\nReceived SIGALRM\n");
    crash__say_stack(crash__instruction(context));
    crash__say("--------\n\n");
}

void crash__fail(const char *text) {
    bool first = begin_report(SIGABRT);
    if (!first) {
        crash__say("\n=== RECURSIVE ASSERTION FAILED ===\n%s", text);
        end_by_signal(SIGABRT);
    }
    say_start();
    crash__say("%s", text);
    if (atomic_load(&state.enabled)) {
        crash__say_stack(NULL);
        finish_report();
    } else if (state.hooks.before_exit) {
        state.hooks.before_exit(state.hooks.ctx);
    }
    if (atomic_load(&state.exit_on_panic)) exit(1); /* tidy: the option says exit, not abort */
    end_by_signal(SIGABRT);
}

static void install(int signal_number, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | flags};
    action.sa_sigaction = handler;
    sigemptyset(&action.sa_mask);
    sigaction(signal_number, &action, NULL);
}

/* When a thread ends. */
static void drop_stack(void *memory) {
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    munmap(memory, CRASH_STACK_SIZE);
}

void crash_install(const struct crash_hooks *hooks) {
    state.hooks = *hooks;
    if (!state.has_stack_key) {
        state.has_stack_key = pthread_key_create(&state.stack_key, drop_stack) == 0;
    }
    crash__prepare_stack();
    crash_thread_start();
    /* Not deferred: a fault inside the handler comes to it again, instead of killing silently. */
    for (size_t i = 0; i < COUNT_OF(fatal_signals); i++)
        install(fatal_signals[i], on_signal, SA_NODEFER);
    install(SIGALRM, on_alarm, SA_RESTART);
}

void crash_set_enabled(bool enabled) { atomic_store(&state.enabled, enabled); }

void crash_set_exit_on_panic(bool exit_instead) {
    atomic_store(&state.exit_on_panic, exit_instead);
}

void crash_thread_start(void) {
    stack_t now;
    if (!state.has_stack_key) return;
    /* One that is there (a sanitizer's) stays. */
    if (sigaltstack(NULL, &now) == -1 || !(now.ss_flags & SS_DISABLE)) return;
    void *memory = mmap(NULL, CRASH_STACK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return; /* then handlers run on the thread's own stack */
    stack_t own = {.ss_sp = memory, .ss_size = CRASH_STACK_SIZE};
    if (sigaltstack(&own, NULL) == -1) {
        munmap(memory, CRASH_STACK_SIZE);
        return;
    }
    pthread_setspecific(state.stack_key, memory);
}
