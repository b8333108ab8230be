/* SPDX-License-Identifier: BSD-3-Clause */
/* thread -- see thread.h. */
#include "sync/thread.h"

#include "base/check.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/pace.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#endif
#include <time.h>
#include <unistd.h>

struct thread {
    pthread_t id;
    char name[THREAD_NAME_MAX + 1];
    struct cpulist cpus;
    thread_fn fn;
    void *ctx;
};

/* Moves a number from the front of *text to *out. */
static bool take_number(struct bytes *text, uint64_t *out) {
    size_t size = 0;
    while (size < text->size && char_is_digit(text->data[size]))
        size++;
    if (!num_parse_u64(bytes_make(text->data, size), out)) return false;
    *text = bytes_from(*text, size);
    return true;
}

static bool take_char(struct bytes *text, char c) {
    if (text->size == 0 || text->data[0] != c) return false;
    *text = bytes_from(*text, 1);
    return true;
}

enum err cpulist_parse(struct bytes text, struct cpulist *out, struct diag *diag) {
    struct cpulist list = {0};
    struct bytes rest = bytes_trim(text);
    bool more = rest.size > 0;
    while (more) { /* each turn consumes "first[-last[:stride]]" and the comma behind it */
        uint64_t first, last, stride = 1;
        bool ok = take_number(&rest, &first);
        last = first;
        if (ok && take_char(&rest, '-')) {
            ok = take_number(&rest, &last);
            if (ok && take_char(&rest, ':')) ok = take_number(&rest, &stride);
        }
        more = ok && take_char(&rest, ',');
        if (!ok || (!more && rest.size > 0)) {
            return diag_set(diag, ERR_SYNTAX, "'%.*s' is not a CPU list like 0,2-3 or 0-7:2",
                            (int)size_min(text.size, 100), text.data);
        }
        if (last >= CPULIST_MAX || first > last || stride == 0) {
            return diag_set(diag, ERR_RANGE,
                            "CPUs go from 0 to %d, ranges upwards and in steps of at least 1",
                            CPULIST_MAX - 1);
        }
        for (uint64_t cpu = first; cpu <= last; cpu += size_min(stride, CPULIST_MAX)) {
            list.bits[cpu / 64] |= BIT(cpu % 64);
        }
    }
    *out = list;
    return ERR_NONE;
}

bool cpulist_is_empty(const struct cpulist *list) {
    for (size_t i = 0; i < COUNT_OF(list->bits); i++) {
        if (list->bits[i]) return false;
    }
    return true;
}

bool cpulist_has(const struct cpulist *list, unsigned cpu) {
    return cpu < CPULIST_MAX && (list->bits[cpu / 64] & BIT(cpu % 64)) != 0;
}

enum err thread_self_bind(const struct cpulist *cpus, struct diag *diag) {
    if (!cpus || cpulist_is_empty(cpus)) return ERR_NONE;
#ifdef __linux__
    cpu_set_t set;
    static_assert(sizeof(cpu_set_t) * 8 >= CPULIST_MAX,
                  "every CPU of a list fits the system's set");
    CPU_ZERO(&set);
    for (unsigned cpu = 0; cpu < CPULIST_MAX; cpu++) {
        if (cpulist_has(cpus, cpu)) CPU_SET(cpu, &set);
    }
    if (sched_setaffinity(0, sizeof(set), &set) == -1) {
        return diag_errno(diag, ERR_IO, "cannot bind the thread to its CPUs");
    }
    return ERR_NONE;
#else
    return diag_set(diag, ERR_UNSUPPORTED, "this system cannot bind threads to CPUs");
#endif
}

void thread_self_set_name(const char *name) {
    char cut[THREAD_NAME_MAX + 1] = {0};
    memcpy(cut, name, size_min(strlen(name), THREAD_NAME_MAX));
#if defined(__APPLE__)
    (void)pthread_setname_np(cut);
#elif defined(__linux__)
    (void)pthread_setname_np(pthread_self(), cut); /* only for people's eyes */
#endif
}

void thread_self_step_back(void) {
#ifdef __linux__         /* where a nice value is a thread's own */
    enum { NICER = 10 }; /* a tenth of the share of others, if they want theirs */
    errno = 0;
    int nice = getpriority(PRIO_PROCESS, 0);
    if (errno == 0) (void)setpriority(PRIO_PROCESS, 0, nice + NICER); /* it works without, too */
#endif
    pace_start();
}

void thread_self_be_prompt(void) {
#if defined(__linux__) && defined(SYS_sched_setattr) && defined(SYS_sched_getattr)
    enum { SLICE_NS = 300000 }; /* of CPU time at a turn, where thousands of us are usual */
    struct {                    /* the kernel's struct sched_attr, in its first version */
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime_ns, deadline_ns, period_ns;
    } attr = {0};
    if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) != 0) return;
    if (attr.policy != SCHED_OTHER) return;
    attr.size = sizeof(attr);
    attr.flags = 0;
    attr.runtime_ns = SLICE_NS;
    (void)syscall(SYS_sched_setattr, 0, &attr, 0); /* it works without, too */
#endif
}

static void *thread_main(void *arg) {
    struct thread *thread = arg;
    struct diag diag = {0};
    mem_thread_start();
    crash_thread_start();
    thread_self_set_name(thread->name);
    if (thread_self_bind(&thread->cpus, &diag) != ERR_NONE) {
        log_warning("thread %s: %s", thread->name, diag.text);
    }
    thread->fn(thread->ctx);
    mem_thread_stop();
    return NULL;
}

/* All signals but those a thread raises by its own fault. */
static void signals_for_main_thread(sigset_t *out) {
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGALRM};
    check(sigfillset(out) == 0);
    for (size_t i = 0; i < COUNT_OF(own); i++)
        check(sigdelset(out, own[i]) == 0);
}

enum err thread_start(const struct thread_options *options, struct thread **out,
                      struct diag *diag) {
    struct thread *thread = mem_zalloc(sizeof(*thread));
    memcpy(thread->name, options->name, size_min(strlen(options->name), THREAD_NAME_MAX));
    if (options->cpus) thread->cpus = *options->cpus;
    thread->fn = options->fn;
    thread->ctx = options->ctx;

    sigset_t blocked, before; /* a new thread inherits the mask */
    signals_for_main_thread(&blocked);
    check(pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0);
    int rc = pthread_create(&thread->id, NULL, thread_main, thread);
    check(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (rc != 0) {
        errno = rc;
        enum err err = diag_errno(diag, rc == EAGAIN ? ERR_AGAIN : ERR_IO, "cannot start thread %s",
                                  thread->name);
        mem_free(thread);
        return err;
    }
    *out = thread;
    return ERR_NONE;
}

void thread_join(struct thread **thread_in) {
    struct thread *thread = *thread_in;
    *thread_in = NULL;
    if (!thread) return;
    check(pthread_join(thread->id, NULL) == 0);
    mem_free(thread);
}

static int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) == -1) return 0;
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t thread_cpu_ns(const struct thread *thread) {
#ifdef __linux__
    clockid_t clock;
    if (pthread_getcpuclockid(thread->id, &clock) != 0) return 0;
    return clock_ns(clock);
#else
    (void)thread;
    return 0;
#endif
}

int thread_processors(const struct thread *thread) {
#ifdef __linux__
    cpu_set_t self, other;
    CPU_ZERO(&self);
    CPU_ZERO(&other);
    int rc = pthread_getaffinity_np(pthread_self(), sizeof(self), &self);
    if (rc == 0 && thread) rc = pthread_getaffinity_np(thread->id, sizeof(other), &other);
    CPU_OR(&self, &self, &other);
    if (rc == 0 && CPU_COUNT(&self) > 0) return CPU_COUNT(&self);
#else
    (void)thread;
#endif
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* also with more processors than a set holds */
    return online < 1 ? 1 : (int)online;
}

int64_t thread_self_cpu_ns(void) { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }
