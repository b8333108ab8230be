/* SPDX-License-Identifier: BSD-3-Clause */
/* test -- thin names over cmocka for unit tests. One program per test file:
 *
 *     #include "tests/unit/test.h"
 *     TEST(name_says_what_it_proves) { expect_eq(rng_below(t->rng, 1), 0); }
 *     TEST_MAIN()
 *
 * TEST registers its body before main; TEST_MAIN runs all, or those whose name contains the
 * program's first argument. Random choices come from t->rng, whose seed is TEST_SEED of the
 * environment or random, is printed, and depends on the test's name: a test replays alone as it
 * ran among the others. Tables hash with a key made from the same seed.
 *
 * A failed expectation ends its test. In another thread it ends the program, in a child process
 * that child: there is no test to return to. With -DTEST_NO_CMOCKA the same runs without the
 * library, for targets that have none. */
#pragma once

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef TEST_NO_CMOCKA
#include <cmocka.h>
#endif

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"

/* What a test body sees as t. */
struct test {
    struct rng *rng;     /* seeded for this test */
    size_t mem_at_start; /* mem_in_use() when the body began */
};

struct test_case {
    const char *name;
    void (*body)(struct test *t);
    struct test_case *next;
};

struct test_program {
    struct test_case *first, *last; /* in the order of the file */
    uint64_t seed;
    pthread_t thread; /* the one that runs the bodies */
    pid_t pid;
#ifdef TEST_NO_CMOCKA
    jmp_buf after_failure;
#endif
};
static struct test_program test_program;

#define TEST(name)                                                        \
    static void name(struct test *t);                                     \
    __attribute__((constructor)) static void test_register_##name(void) { \
        static struct test_case test_case = {#name, name, NULL};          \
        test_register(&test_case);                                        \
    }                                                                     \
    static void name(__attribute__((unused)) struct test *t)

#define TEST_MAIN() \
    int main(int argc, char **argv) { return test_main(argv[0], argc > 1 ? argv[1] : ""); }

#define expect_true(condition) \
    ((condition) ? (void)0 : test_fail(__FILE__, __LINE__, "expected true: %s", #condition))
#define expect_false(condition) \
    ((condition) ? test_fail(__FILE__, __LINE__, "expected false: %s", #condition) : (void)0)
/* Integers of any type and sign; each side is evaluated once. */
#define expect_eq(a, b) \
    test_expect_eq(__FILE__, __LINE__, #a " == " #b, TEST_INTEGER(a), TEST_INTEGER(b))
#define expect_ne(a, b) \
    test_expect_ne(__FILE__, __LINE__, #a " != " #b, TEST_INTEGER(a), TEST_INTEGER(b))
#define expect_ptr_eq(a, b) test_expect_ptr_eq(__FILE__, __LINE__, #a " == " #b, (a), (b))
#define expect_null(ptr) test_expect_ptr_eq(__FILE__, __LINE__, #ptr " == NULL", (ptr), NULL)
#define expect_not_null(ptr) \
    ((ptr) ? (void)0 : test_fail(__FILE__, __LINE__, "expected not NULL: %s", #ptr))
/* NUL-terminated strings. */
#define expect_str_eq(a, b) test_expect_str_eq(__FILE__, __LINE__, #a " == " #b, (a), (b))
/* struct bytes. */
#define expect_bytes_eq(a, b) test_expect_bytes_eq(__FILE__, __LINE__, #a " == " #b, (a), (b))
#define expect_double_near(a, b, distance) \
    test_expect_double_near(__FILE__, __LINE__, #a " near " #b, (a), (b), (distance))

struct test_integer {
    uint64_t bits;
    bool negative;
};
/* value < 1 && value != 0: the compilers warn of value < 0 for unsigned types. */
#define TEST_INTEGER(x)                                                                        \
    __extension__({                                                                            \
        static_assert(!_Generic((x) + 0, float : 1, double : 1, long double : 1, default : 0), \
                      "expect_double_near compares these");                                    \
        __typeof__((x) + 0) test_value_ = (x);                                                 \
        (struct test_integer){(uint64_t)test_value_, test_value_ < 1 && test_value_ != 0};     \
    })

static inline void test_register(struct test_case *test_case) {
    if (test_program.last) {
        test_program.last->next = test_case;
    } else {
        test_program.first = test_case;
    }
    test_program.last = test_case;
}

/* Says what is wrong and leaves the test. */
__attribute__((noreturn)) static inline void test_fail(const char *file, int line, const char *fmt,
                                                       ...) printf_like(3, 4);
static inline void test_fail(const char *file, int line, const char *fmt, ...) {
    char text[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fprintf(stderr, "%s:%d: %s\n", file, line, text);
    if (getpid() != test_program.pid) _exit(1);
    if (!pthread_equal(pthread_self(), test_program.thread)) abort();
#ifdef TEST_NO_CMOCKA
    longjmp(test_program.after_failure, 1);
#else
    _fail(file, line);
    abort(); /* not reached; _fail is not declared as one that stays away */
#endif
}

static inline void test_print_integer(char *out, size_t size, struct test_integer value) {
    if (value.negative) {
        snprintf(out, size, "%" PRId64, (int64_t)value.bits);
    } else {
        snprintf(out, size, "%" PRIu64, value.bits);
    }
}

static inline bool test_integers_equal(struct test_integer a, struct test_integer b) {
    return a.bits == b.bits && a.negative == b.negative;
}

static inline void test_expect_eq(const char *file, int line, const char *what,
                                  struct test_integer a, struct test_integer b) {
    char left[32], right[32];
    if (test_integers_equal(a, b)) return;
    test_print_integer(left, sizeof(left), a);
    test_print_integer(right, sizeof(right), b);
    test_fail(file, line, "expected %s, got %s and %s", what, left, right);
}

static inline void test_expect_ne(const char *file, int line, const char *what,
                                  struct test_integer a, struct test_integer b) {
    char both[32];
    if (!test_integers_equal(a, b)) return;
    test_print_integer(both, sizeof(both), a);
    test_fail(file, line, "expected %s, got %s for both", what, both);
}

static inline void test_expect_ptr_eq(const char *file, int line, const char *what, const void *a,
                                      const void *b) {
    if (a != b) test_fail(file, line, "expected %s, got %p and %p", what, a, b);
}

/* The bytes as printable text, cut to fit. */
static inline void test_print_bytes(char *out, size_t size, struct bytes bytes) {
    size_t used = 0;
    for (size_t i = 0; i < bytes.size && used + 8 < size; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        bool plain = c >= ' ' && c < 127 && c != '\\';
        int room = (int)(size - used);
        used += (size_t)snprintf(out + used, (size_t)room, plain ? "%c" : "\\x%02x", c);
    }
    out[used] = '\0';
}

static inline void test_expect_bytes_eq(const char *file, int line, const char *what,
                                        struct bytes a, struct bytes b) {
    char left[512], right[512];
    if (bytes_equal(a, b)) return;
    test_print_bytes(left, sizeof(left), a);
    test_print_bytes(right, sizeof(right), b);
    test_fail(file, line, "expected %s, got \"%s\" (%zu bytes) and \"%s\" (%zu bytes)", what, left,
              a.size, right, b.size);
}

static inline void test_expect_str_eq(const char *file, int line, const char *what, const char *a,
                                      const char *b) {
    if (!a || !b) {
        if (a != b) test_fail(file, line, "expected %s, one of them is NULL", what);
        return;
    }
    test_expect_bytes_eq(file, line, what, bytes_of(a), bytes_of(b));
}

static inline void test_expect_double_near(const char *file, int line, const char *what, double a,
                                           double b, double distance) {
    if (a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= distance) return;
    test_fail(file, line, "expected %s within %g, got %.17g and %.17g", what, distance, a, b);
}

static inline uint64_t test_seed_from_environment(void) {
    const char *text = getenv("TEST_SEED");
    uint64_t seed;
    if (text && *text) return strtoull(text, NULL, 0);
    random_os(&seed, sizeof(seed));
    return seed;
}

/* Runs one body. state points at a pointer to its test_case, as cmocka has it. */
static inline void test_run(void **state) {
    const struct test_case *test_case = *state;
    struct rng rng;
    uint64_t seed = test_program.seed;
    for (const char *c = test_case->name; *c; c++) {
        seed = (seed ^ (unsigned char)*c) * 0x100000001b3; /* FNV-1a: the name is part of it */
    }
    rng_seed(&rng, seed);
    struct test t = {.rng = &rng, .mem_at_start = mem_in_use()};
    test_case->body(&t);
}

#ifdef TEST_NO_CMOCKA
/* Returns how many failed. */
static inline size_t test_run_cases(const char *program, struct test_case **cases, size_t count) {
    volatile size_t failed_count = 0;
    (void)program;
    for (volatile size_t i = 0; i < count; i++) {
        void *state = cases[i];
        fprintf(stderr, "[ RUN      ] %s\n", cases[i]->name);
        if (setjmp(test_program.after_failure) == 0) {
            test_run(&state);
            fprintf(stderr, "[       OK ] %s\n", cases[i]->name);
        } else {
            failed_count++;
            fprintf(stderr, "[  FAILED  ] %s\n", cases[i]->name);
        }
    }
    return failed_count;
}
#else
static inline size_t test_run_cases(const char *program, struct test_case **cases, size_t count) {
    struct CMUnitTest *tests = calloc(count, sizeof(*tests));
    if (!tests) abort();
    for (size_t i = 0; i < count; i++) {
        tests[i].name = cases[i]->name;
        tests[i].test_func = test_run;
        tests[i].initial_state = cases[i];
    }
    int failed_count = _cmocka_run_group_tests(program, tests, count, NULL, NULL);
    free(tests);
    return failed_count < 0 ? count : (size_t)failed_count;
}
#endif

/* Runs the tests whose name contains filter; the last line is "N passed, N failed". */
static inline int test_main(const char *program, const char *filter) {
    size_t count = 0, cap = 0;
    for (struct test_case *c = test_program.first; c; c = c->next)
        cap++;
    struct test_case **cases = calloc(cap + 1, sizeof(struct test_case *));
    if (!cases) abort();
    for (struct test_case *c = test_program.first; c; c = c->next) {
        if (strstr(c->name, filter)) cases[count++] = c;
    }

    struct hash_key hash_key;
    struct rng rng;
    test_program.thread = pthread_self();
    test_program.pid = getpid();
    test_program.seed = test_seed_from_environment();
    fprintf(stderr, "%s: TEST_SEED=%" PRIu64 "\n", program, test_program.seed);
    clock_init();
    rng_seed(&rng, test_program.seed);
    for (size_t i = 0; i < COUNT_OF(hash_key.word); i++)
        hash_key.word[i] = rng_next(&rng);
    hash_init(&hash_key);

    size_t failed_count = test_run_cases(program, cases, count);
    free(cases);
    fflush(stderr);
    printf("%s: %zu passed, %zu failed\n", program, count - failed_count, failed_count);
    return failed_count == 0 && count > 0 ? 0 : 1;
}
