/* SPDX-License-Identifier: BSD-3-Clause */
/* thread -- named threads, bound to CPUs where asked.
 *
 * A thread made here blocks all signals but those that report its own faults, so that the main
 * thread alone handles SIGTERM and the like; it has a stack for the crash report and is counted by
 * mem. Errors of the system come back as enum err; a join cannot fail. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

enum { CPULIST_MAX = 1024, THREAD_NAME_MAX = 15 };

/* A set of CPUs; empty means "wherever the system likes". */
struct cpulist {
    uint64_t bits[CPULIST_MAX / 64];
};

/* Text as in the options server-cpulist etc.: "0,2-3", "0-7:2" (every second), "" (none). Out is
 * untouched on failure. */
must_use enum err cpulist_parse(struct bytes text, struct cpulist *out, struct diag *diag);
bool cpulist_is_empty(const struct cpulist *list);
bool cpulist_has(const struct cpulist *list, unsigned cpu);

typedef void (*thread_fn)(void *ctx);
struct thread;

struct thread_options {
    const char *name;           /* cut to THREAD_NAME_MAX */
    const struct cpulist *cpus; /* copied; NULL or empty: not bound */
    thread_fn fn;               /* the thread ends when it returns */
    void *ctx;                  /* passed to fn */
};

/* Starts a thread; *out is the caller's, who must join it. A CPU set that the system refuses is
 * logged, and the thread runs unbound. */
must_use enum err thread_start(const struct thread_options *options, struct thread **out,
                               struct diag *diag);
/* Waits until the thread has ended, frees it and leaves NULL behind. */
void thread_join(struct thread **thread);
/* CPU time the thread has used, nanoseconds; 0 if the system cannot say. */
int64_t thread_cpu_ns(const struct thread *thread);
/* On how many processors the calling thread may run now, or this one (NULL: none) in its place; 1
 * at least. */
int thread_processors(const struct thread *thread);

/* For the calling thread. */
int64_t thread_self_cpu_ns(void);
void thread_self_set_name(const char *name);
/* What it does is long and not urgent: others on the same CPU go first. It gets a lower priority
 * where the system knows those of threads, and offers its CPU at each pace_step (base/pace.h). */
void thread_self_step_back(void);
/* What it does comes in short pieces that others wait for: when it wakes, it goes before a thread
 * of the same priority that is in the middle of long work. No effect where the system knows no such
 * wish (Linux since 6.12 does). Threads made by this one later inherit it. */
void thread_self_be_prompt(void);
/* Empty: the thread keeps what it has. ERR_UNSUPPORTED where the system has no such call. */
must_use enum err thread_self_bind(const struct cpulist *cpus, struct diag *diag);
/* Tells the CPU that this is a spin loop. */
static inline void thread_spin_hint(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("yield");
#endif
}
