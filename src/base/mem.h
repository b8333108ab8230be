/* SPDX-License-Identifier: BSD-3-Clause */
/* mem -- the one door to the allocator (jemalloc, or libc's malloc), and its accounting.
 *
 * Running out of memory aborts with a report, except in mem_try_*, which are for sizes that a user
 * or a file chose. Sizes of 0 are allowed and give a pointer that may be freed. mem_in_use is what
 * INFO shows as used_memory: with jemalloc it comes from the allocator's own per-thread counters
 * (no cost per call), else from counters kept here. All functions are safe in any thread. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

must_use void *mem_alloc(size_t size);
must_use void *mem_zalloc(size_t size);                      /* zero-filled */
must_use void *mem_alloc_array(size_t count, size_t size);   /* aborts on overflow; not zeroed */
must_use void *mem_zalloc_array(size_t count, size_t size);  /* the same, zero-filled */
must_use void *mem_alloc_aligned(size_t align, size_t size); /* align: a power of two */
must_use void *mem_realloc(void *ptr, size_t size);
must_use void *mem_try_alloc(size_t size); /* NULL if there is no memory */
must_use void *mem_try_zalloc(size_t size);
must_use void *mem_try_realloc(void *ptr, size_t size); /* NULL: ptr is still there */
void mem_free(void *ptr);                               /* NULL is fine */
/* Frees when the caller knows the size it asked for: cheaper. Not for mem_alloc_aligned, whose size
 * classes are others. */
void mem_free_sized(void *ptr, size_t size);

/* Bytes that may be used at ptr: its size class. */
size_t mem_usable_size(const void *ptr);
/* The size class that a request of size would get. */
size_t mem_good_size(size_t size);

must_use char *mem_strdup(const char *text);       /* NUL-terminated copy; NULL gives NULL */
must_use char *mem_copy_bytes(struct bytes bytes); /* copy with a NUL after it */

size_t mem_in_use(void); /* bytes handed out to all threads; O(threads) */
/* The same, where the other threads' share may be a millisecond old: for checks per command. */
size_t mem_in_use_recent(void);
size_t mem_in_use_peak(void); /* the highest value any mem_peak_sample saw */
size_t mem_peak_sample(void); /* mem_in_use, remembered if it is the highest; called by cron */

struct mem_allocator_stats {
    size_t allocated, active, resident, muzzy, retained; /* bytes */
};
/* The allocator's own view; zeros where it has none. */
void mem_allocator_stats(struct mem_allocator_stats *out);
size_t mem_rss(void);                 /* resident set size of the process, bytes */
size_t mem_system_total(void);        /* RAM of the machine, bytes */
const char *mem_allocator_name(void); /* "jemalloc-5.3.0" or "libc" */
void mem_purge(void);                 /* gives unused pages back to the system */
/* From now on the pages of what the calling thread allocates, and of one such thread only, go back
 * in pieces, between which a thread that is not urgent offers its CPU. */
void mem_cut_purges(void);
/* Has the allocator do that in threads of its own, of the caller's priority; false if it cannot.
 * After the last fork of a daemon. */
bool mem_set_background_purge(bool enabled);
/* Caller frees: the allocator's textual statistics. */
must_use char *mem_allocator_report(void);
/* A control of the allocator by its name: sets it to *set unless that is NULL, then reads it.
 * False: the allocator has no such control, or not of this kind. The text is the allocator's. */
must_use bool mem_control_int(const char *name, const int64_t *set, int64_t *out);
must_use bool mem_control_text(const char *name, const char *set, const char **out);
/* Runs a control that takes and gives nothing ("thread.tcache.flush"). */
must_use bool mem_control_run(const char *name);
/* What to do instead of abort when memory runs out (the crash reporter sets it). */
void mem_set_oom_handler(void (*handler)(size_t size));

/* Counts this thread's allocations from now on / folds its counters into the total. A thread that
 * ends without the latter, or asks for mem_in_use without the former, does so implicitly. */
void mem_thread_start(void);
void mem_thread_stop(void);
