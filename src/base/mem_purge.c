/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages that nobody uses go back to the system. jemalloc gives a run of them back by one call, and
 * after the end of a large value such a run has hundreds of MiB: a call of milliseconds, and
 * whoever needs the same CPU waits for its end. So here it is cut into pieces, between which a
 * thread of the allocator's own, or one that has stepped back, offers its CPU. */
#include "base/mem.h"
#include "base/mem_internal.h"
#include "base/pace.h"

#ifdef USE_JEMALLOC

#include <jemalloc/jemalloc.h>
#include <sched.h>
#include <sys/mman.h>

/* As jemalloc wants it: false if the pages read as zeroes from now on. */
static bool purge_in_pieces(extent_hooks_t *hooks, void *address, size_t size, size_t offset,
                            size_t length, unsigned arena) {
    enum { PIECE = 256 * 1024 };
    char *at = (char *)address + offset;
    (void)hooks, (void)size, (void)arena;
    while (length) {
        size_t piece = size_min(length, PIECE);
        if (madvise(at, piece, MADV_DONTNEED) != 0) return true;
        at += piece;
        length -= piece;
        if (mem__thread_is_counted()) {
            pace_step();
        } else {                 /* the allocator's own */
            (void)sched_yield(); /* on Linux it never fails */
        }
    }
    return false;
}

void mem_cut_purges(void) {
    static extent_hooks_t hooks; /* the arena's, but for one */
    extent_hooks_t *current = NULL, *own = &hooks;
    size_t mib[3], depth = COUNT_OF(mib), size = sizeof(current), arena_size = sizeof(unsigned);
    unsigned arena;
    if (mallctlnametomib("arena.0.extent_hooks", mib, &depth) != 0) return;
    if (mallctl("thread.arena", &arena, &arena_size, NULL, 0) != 0) return;
    mib[1] = arena;
    if (mallctlbymib(mib, depth, (void *)&current, &size, NULL, 0) != 0 || current == own) return;
    hooks = *current;
    hooks.purge_forced = purge_in_pieces;
    (void)mallctlbymib(mib, depth, NULL, NULL, (void *)&own, sizeof(own)); /* else as it was */
}

bool mem_set_background_purge(bool enabled) {
    return mallctl("background_thread", NULL, NULL, &enabled, sizeof(enabled)) == 0;
}

void mem_purge(void) {
    mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
    mallctl("arena." MEM__ALL_ARENAS ".purge", NULL, NULL, NULL, 0);
}

#else

#ifdef __GLIBC__
#include <malloc.h>
#endif

void mem_cut_purges(void) {}

bool mem_set_background_purge(bool enabled) { return !enabled; }

void mem_purge(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

#endif
