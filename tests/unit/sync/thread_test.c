/* SPDX-License-Identifier: BSD-3-Clause */
#include "sync/thread.h"

#include "tests/unit/test.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

/* The list as text of 0 and 1, for CPUs 0 .. 11. */
static const char *parse(const char *text, char out[13]) {
    struct cpulist list;
    struct diag diag = {0};
    if (cpulist_parse(bytes_of(text), &list, &diag) != ERR_NONE) {
        return diag.text[0] ? "error" : "error without a word";
    }
    for (unsigned cpu = 0; cpu < 12; cpu++)
        out[cpu] = cpulist_has(&list, cpu) ? '1' : '0';
    out[12] = '\0';
    return out;
}

TEST(cpulist_parse_knows_cpus_ranges_and_strides) {
    char out[13];
    expect_str_eq(parse("", out), "000000000000");
    expect_str_eq(parse("0", out), "100000000000");
    expect_str_eq(parse("0,2-3", out), "101100000000");
    expect_str_eq(parse("0-7:2", out), "101010100000");
    expect_str_eq(parse(" 1-1,11 ", out), "010000000001");
    expect_str_eq(parse("0-10:5,3", out), "100101000010");
    expect_str_eq(parse("2-4:999999999", out), "001000000000");
}

TEST(cpulist_parse_refuses_all_else_and_leaves_its_result_alone) {
    static const char *const bad[] = {"a",
                                      ",",
                                      "1,",
                                      ",1",
                                      "1-",
                                      "-1",
                                      "3-2",
                                      "1-2:",
                                      "1-2:0",
                                      "1:2",
                                      "1 2",
                                      "0,,1",
                                      "1024",
                                      "0-1024",
                                      "1-2-3",
                                      "0x1",
                                      "1-2:2:2",
                                      "99999999999999999999",
                                      "0-18446744073709551615"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct cpulist list = {.bits = {42}};
        struct diag diag = {0};
        expect_ne(cpulist_parse(bytes_of(bad[i]), &list, &diag), ERR_NONE);
        expect_eq(list.bits[0], 42);
        expect_true(diag.text[0] != '\0');
    }
    struct cpulist list;
    expect_eq(cpulist_parse(BYTES("1023"), &list, NULL), ERR_NONE);
    expect_true(cpulist_has(&list, 1023));
    expect_false(cpulist_has(&list, 5000));
    expect_false(cpulist_is_empty(&list));
}

TEST(cpulist_parse_survives_random_text) {
    static const char alphabet[] = "0123456789,-: ";
    for (int i = 0; i < 20000; i++) {
        char text[12];
        size_t size = rng_below(t->rng, sizeof(text) + 1);
        for (size_t k = 0; k < size; k++)
            text[k] = alphabet[rng_below(t->rng, 14)];
        struct cpulist list = {.bits = {0}};
        enum err err = cpulist_parse(bytes_make(text, size), &list, NULL);
        if (err == ERR_NONE && bytes_trim(bytes_make(text, size)).size > 0) {
            expect_false(cpulist_is_empty(&list));
        }
    }
}

/* What a thread found out about itself. */
struct self {
    char name[32];
    bool blocks_term, blocks_segv;
    int cpu_count;
    int64_t cpu_ns;
    int processors;
};

static void look_at_self(void *ctx) {
    struct self *self = ctx;
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    self->blocks_term = sigismember(&blocked, SIGTERM) == 1;
    self->blocks_segv = sigismember(&blocked, SIGSEGV) == 1;
    int64_t start_ns = thread_self_cpu_ns();
    self->processors = thread_processors(NULL);
    do {
        self->cpu_ns = thread_self_cpu_ns();
    } while (self->cpu_ns - start_ns < 2000000);
#ifdef __linux__
    cpu_set_t set;
    pthread_getname_np(pthread_self(), self->name, sizeof(self->name));
    if (sched_getaffinity(0, sizeof(set), &set) == 0) self->cpu_count = CPU_COUNT(&set);
#endif
}

TEST(thread_start_gives_a_name_and_keeps_signals_for_the_main_thread) {
    struct thread *thread = NULL;
    struct self self = {0};
    struct thread_options options = {
        .name = "a-name-that-is-too-long", .fn = look_at_self, .ctx = &self};
    sigset_t before, after;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    expect_eq(thread_start(&options, &thread, NULL), ERR_NONE);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    expect_eq(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
    thread_join(&thread);
    expect_null(thread);
    thread_join(&thread); /* NULL is fine */
    expect_true(self.blocks_term);
    expect_false(self.blocks_segv);
    expect_true(self.cpu_ns >= 2000000);
#ifdef __linux__
    expect_str_eq(self.name, "a-name-that-is-");
#endif
}

#ifdef __linux__
static void wait_for_end(void *ctx) {
    while (!atomic_load((atomic_bool *)ctx))
        usleep(100);
}

static int bind_to(unsigned cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof(set), &set);
}

TEST(thread_processors_are_those_of_both) {
    cpu_set_t set;
    unsigned first = 0;
    struct thread *thread = NULL;
    atomic_bool end = false;
    struct thread_options options = {.name = "other", .fn = wait_for_end, .ctx = &end};
    expect_eq(sched_getaffinity(0, sizeof(set), &set), 0);
    while (!CPU_ISSET(first, &set))
        first++;
    expect_eq(thread_start(&options, &thread, NULL), ERR_NONE);
    expect_eq(bind_to(first), 0); /* the other keeps all */
    expect_eq(thread_processors(NULL), 1);
    expect_eq(thread_processors(thread), CPU_COUNT(&set));
    expect_eq(sched_setaffinity(0, sizeof(set), &set), 0);
    atomic_store(&end, true);
    thread_join(&thread);
}

TEST(thread_start_binds_to_the_cpus_it_is_given) {
    cpu_set_t set;
    unsigned cpu = 0;
    struct cpulist list;
    struct self self = {0};
    struct thread *thread = NULL;
    struct thread_options options = {
        .name = "bound", .cpus = &list, .fn = look_at_self, .ctx = &self};
    char text[16];
    expect_eq(sched_getaffinity(0, sizeof(set), &set), 0);
    while (!CPU_ISSET(cpu, &set))
        cpu++; /* one that we may use */
    snprintf(text, sizeof(text), "%u", cpu);
    expect_eq(cpulist_parse(bytes_of(text), &list, NULL), ERR_NONE);
    expect_eq(thread_start(&options, &thread, NULL), ERR_NONE);
    thread_join(&thread);
    expect_eq(self.cpu_count, 1);
    expect_eq(self.processors, 1);
    expect_eq(thread_processors(NULL), CPU_COUNT(&set));

    struct diag diag = {0};
    expect_eq(cpulist_parse(BYTES("1023"), &list, NULL), ERR_NONE);
    expect_eq(thread_self_bind(&list, &diag), ERR_IO); /* no such CPU, one hopes */
    expect_true(diag.text[0] != '\0');
    expect_eq(thread_self_bind(NULL, NULL), ERR_NONE);
}

static void step_back(void *ctx) {
    int *nice = ctx;
    thread_self_step_back();
    *nice = getpriority(PRIO_PROCESS, 0);
}

TEST(thread_that_steps_back_leaves_the_others_where_they_are) {
    int before = getpriority(PRIO_PROCESS, 0), nice = before;
    struct thread *thread = NULL;
    struct thread_options options = {.name = "behind", .fn = step_back, .ctx = &nice};
    expect_eq(thread_start(&options, &thread, NULL), ERR_NONE);
    thread_join(&thread);
    expect_true(nice > before || before == 19);
    expect_eq(getpriority(PRIO_PROCESS, 0), before);
}

static void be_prompt(void *ctx) {
    int *policy = ctx;
    thread_self_be_prompt();
    *policy = sched_getscheduler(0);
}

TEST(thread_that_is_prompt_is_scheduled_as_before) {
    int policy = -1, nice = getpriority(PRIO_PROCESS, 0);
    struct thread *thread = NULL;
    struct thread_options options = {.name = "prompt", .fn = be_prompt, .ctx = &policy};
    expect_eq(thread_start(&options, &thread, NULL), ERR_NONE);
    thread_join(&thread);
    expect_eq(policy, sched_getscheduler(0));
    expect_eq(getpriority(PRIO_PROCESS, 0), nice);
}

struct busy {
    _Atomic bool stop;
};
static void be_busy(void *ctx) {
    struct busy *busy = ctx;
    while (!busy->stop)
        thread_spin_hint();
}

TEST(thread_cpu_ns_grows_while_the_thread_works) {
    struct busy busy = {0};
    struct thread *thread = NULL;
    struct thread_options options = {.name = "busy", .fn = be_busy, .ctx = &busy};
    expect_eq(thread_start(&options, &thread, NULL), ERR_NONE);
    int64_t end_ns = clock_mono_ns() + 20 * INT64_C(1000000000);
    while (thread_cpu_ns(thread) < 1000000 && clock_mono_ns() < end_ns)
        sched_yield();
    int64_t used_ns = thread_cpu_ns(thread);
    busy.stop = true;
    thread_join(&thread);
    expect_true(used_ns >= 1000000);
}
#endif

TEST_MAIN()
