/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/mem.h"

#include <stdlib.h>

#ifdef USE_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

#include "base/check.h"
#include "base/mem_internal.h"

static void (*oom_handler)(size_t size); /* set once, at start */

void mem_set_oom_handler(void (*handler)(size_t size)) { oom_handler = handler; }

noreturn_fn never_inline static void out_of_memory(size_t size) {
    if (oom_handler) oom_handler(size);
    panic("Out Of Memory allocating %zu bytes!", size);
}

void *mem_try_alloc(size_t size) {
    void *ptr = malloc(size);
    mem__count_alloc(ptr);
    return ptr;
}

void *mem_try_zalloc(size_t size) {
    void *ptr = calloc(1, size);
    mem__count_alloc(ptr);
    return ptr;
}

void *mem_try_realloc(void *ptr, size_t size) {
    size += size == 0; /* realloc(ptr, 0) might free */
#ifdef USE_JEMALLOC
    return realloc(ptr, size);
#else
    int64_t before = ptr ? (int64_t)malloc_usable_size(ptr) : 0;
    void *moved = realloc(ptr, size);
    if (likely(moved)) mem__count((int64_t)malloc_usable_size(moved) - before);
    return moved;
#endif
}

void *mem_alloc(size_t size) {
    void *ptr = mem_try_alloc(size);
    if (unlikely(!ptr)) out_of_memory(size);
    return ptr;
}

void *mem_zalloc(size_t size) {
    void *ptr = mem_try_zalloc(size);
    if (unlikely(!ptr)) out_of_memory(size);
    return ptr;
}

void *mem_realloc(void *ptr, size_t size) {
    void *moved = mem_try_realloc(ptr, size);
    if (unlikely(!moved)) out_of_memory(size);
    return moved;
}

static size_t array_size(size_t count, size_t size) {
    size_t total;
    if (unlikely(__builtin_mul_overflow(count, size, &total))) out_of_memory(SIZE_MAX);
    return total;
}

void *mem_alloc_array(size_t count, size_t size) { return mem_alloc(array_size(count, size)); }

void *mem_zalloc_array(size_t count, size_t size) { return mem_zalloc(array_size(count, size)); }

void *mem_alloc_aligned(size_t align, size_t size) {
    void *ptr = NULL;
    check(align > 0 && (align & (align - 1)) == 0);
#ifdef USE_JEMALLOC
    /* Its classes that are powers of two lie at multiples of themselves, up to a cache line in any
     * case, and malloc is a third of the work. */
    if (size == align && align >= sizeof(void *) && align <= CACHE_LINE) {
        ptr = mem_alloc(size);
        check(((uintptr_t)ptr & (align - 1)) == 0);
        return ptr;
    }
#endif
    if (posix_memalign(&ptr, size_max(align, sizeof(void *)), size_max(size, 1)) != 0) {
        out_of_memory(size);
    }
    mem__count_alloc(ptr);
    return ptr;
}

void mem_free(void *ptr) {
    mem__count_free(ptr);
    free(ptr);
}

void mem_free_sized(void *ptr, size_t size) {
#ifdef USE_JEMALLOC
    if (unlikely(!ptr)) return;
    dcheck(nallocx(size + (size == 0), 0) == malloc_usable_size(ptr));
    sdallocx(ptr, size + (size == 0), 0);
#else
    (void)size;
    mem_free(ptr);
#endif
}

size_t mem_usable_size(const void *ptr) { return ptr ? malloc_usable_size((void *)ptr) : 0; }

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||   \
    HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer) || \
    HAS_FEATURE(memory_sanitizer)
#define EXACT_SIZES /* every request is a class of its own */
#endif

size_t mem_good_size(size_t size) {
#ifdef USE_JEMALLOC
    return nallocx(size + (size == 0), 0);
#elif defined(__GLIBC__) && !defined(EXACT_SIZES)
    enum { HEADER = sizeof(size_t), UNIT = 2 * sizeof(size_t), LEAST = 3 * sizeof(size_t) };
    if (size > SIZE_MAX / 2) return size;
    return size_max(LEAST, ((size + HEADER + UNIT - 1) & ~(size_t)(UNIT - 1)) - HEADER);
#else
    return size;
#endif
}

char *mem_strdup(const char *text) { return text ? mem_copy_bytes(bytes_of(text)) : NULL; }

char *mem_copy_bytes(struct bytes bytes) {
    char *copy = mem_alloc(bytes.size + 1);
    if (bytes.size > 0) memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = '\0';
    return copy;
}
