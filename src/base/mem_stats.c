/* SPDX-License-Identifier: BSD-3-Clause */
/* What the allocator and the system say about memory: INFO, MEMORY STATS, purging. Never on a hot
 * path; the allocation functions and their counts are mem.c and mem_count_*.c. */
#include <assert.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef USE_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/mem_internal.h"
#include "base/num.h"

/* What a thread remembers of all the others. */
struct others {
    uint64_t at_ticks;
    int64_t bytes;
};
static _Thread_local struct others others;
static _Atomic size_t peak;

static size_t not_negative(int64_t bytes) { return bytes > 0 ? (size_t)bytes : 0; }

size_t mem_in_use(void) {
    int64_t own;
    mem__own_bytes(&own); /* lets this thread join, if it has not yet */
    return not_negative(mem__sum_bytes());
}

size_t mem_in_use_recent(void) {
    enum { OTHERS_AGE_US_MAX = 1000 };
    int64_t own;
    if (!mem__own_bytes(&own)) return not_negative(mem__sum_bytes());

    uint64_t now = clock_ticks();
    if (others.at_ticks == 0 || now - others.at_ticks > clock_us_to_ticks(OTHERS_AGE_US_MAX)) {
        others.bytes = mem__sum_bytes() - own;
        others.at_ticks = now;
    }
    return not_negative(own + others.bytes);
}

size_t mem_in_use_peak(void) { return atomic_load_explicit(&peak, memory_order_relaxed); }

size_t mem_peak_sample(void) {
    size_t now = mem_in_use();
    /* Relaxed: one number, kept only if it is still the highest. */
    size_t highest = atomic_load_explicit(&peak, memory_order_relaxed);
    while (now > highest && !atomic_compare_exchange_weak_explicit(
                                &peak, &highest, now, memory_order_relaxed, memory_order_relaxed)) {
    }
    return now;
}

size_t mem_rss(void) {
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd == -1) return 0;
    ssize_t size = read(fd, text, sizeof(text));
    close(fd);
    if (size <= 0) return 0;

    /* "total resident ...", in pages */
    struct bytes rest = bytes_make(text, (size_t)size);
    rest = bytes_from(rest, bytes_find_byte(rest, ' ') + 1);
    uint64_t pages = 0;
    if (!num_parse_u64(bytes_make(rest.data, bytes_find_byte(rest, ' ')), &pages)) return 0;
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

size_t mem_system_total(void) {
    long pages = sysconf(_SC_PHYS_PAGES), page_size = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_size > 0 ? (size_t)pages * (size_t)page_size : 0;
}

#ifdef USE_JEMALLOC

#define STRINGIFY(x) #x
#define TEXT_OF(x) STRINGIFY(x)
/* The index by which jemalloc means all arenas together, MALLCTL_ARENAS_ALL. */
static_assert(MALLCTL_ARENAS_ALL == 4096, "MEM__ALL_ARENAS spells it out");

const char *mem_allocator_name(void) {
    return "jemalloc-" TEXT_OF(JEMALLOC_VERSION_MAJOR) "." TEXT_OF(
        JEMALLOC_VERSION_MINOR) "." TEXT_OF(JEMALLOC_VERSION_BUGFIX);
}

static size_t read_stat(const char *name) {
    size_t value = 0, size = sizeof(value);
    return mallctl(name, &value, &size, NULL, 0) == 0 ? value : 0;
}

void mem_allocator_stats(struct mem_allocator_stats *out) {
    uint64_t epoch = 1;
    size_t size = sizeof(epoch);
    mallctl("epoch", &epoch, &size, &epoch, size); /* has jemalloc gather them */
    *out = (struct mem_allocator_stats){
        .allocated = read_stat("stats.allocated"),
        .active = read_stat("stats.active"),
        .resident = read_stat("stats.resident"),
        .muzzy = read_stat("stats.arenas." MEM__ALL_ARENAS ".pmuzzy") * read_stat("arenas.page"),
        .retained = read_stat("stats.retained"),
    };
}

static void add_report(void *out, const char *text) { buf_add_text(out, text); }

char *mem_allocator_report(void) {
    struct buf out = {0};
    malloc_stats_print(add_report, &out, NULL);
    return buf_take(&out);
}

#else

const char *mem_allocator_name(void) { return "libc"; }

void mem_allocator_stats(struct mem_allocator_stats *out) {
    *out = (struct mem_allocator_stats){0};
}

char *mem_allocator_report(void) {
    struct buf out = {0};
    buf_addf(&out, "The allocator is the C library's, which keeps no statistics.\n");
    buf_addf(&out, "allocated: %zu\nresident: %zu\n", mem_in_use(), mem_rss());
    return buf_take(&out);
}

#endif
