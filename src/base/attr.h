/* SPDX-License-Identifier: BSD-3-Clause */
/* attr -- the compiler attributes and tiny macros that everything uses. */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define must_use __attribute__((warn_unused_result))
#define printf_like(fmt, first) __attribute__((format(printf, fmt, first)))
#define noreturn_fn __attribute__((noreturn))
#define always_inline_fn static inline __attribute__((always_inline))
#define never_inline __attribute__((noinline))
#define cold_fn __attribute__((cold))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define BIT(n) (1ull << (n))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
/* The struct that holds a member, from the member's address. */
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

enum { CACHE_LINE = 64 };

/* Asks for the cache line of ptr. The empty asm keeps gcc from taking a function that only
 * prefetches for one without effects, whose calls it would remove. */
always_inline_fn void prefetch_line(const void *ptr) {
    __builtin_prefetch(ptr);
    __asm__ volatile("" : : "r"(ptr));
}
always_inline_fn void prefetch_line_to_write(const void *ptr) {
    __builtin_prefetch(ptr, 1);
    __asm__ volatile("" : : "r"(ptr));
}

static inline size_t size_min(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t size_max(size_t a, size_t b) { return a > b ? a : b; }
static inline int64_t i64_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t i64_max(int64_t a, int64_t b) { return a > b ? a : b; }
