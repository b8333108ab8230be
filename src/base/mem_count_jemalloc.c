/* SPDX-License-Identifier: BSD-3-Clause */
/* jemalloc counts the bytes each thread has allocated and freed, where the thread itself can see
 * them. They lie in thread-local memory: a thread must leave the list before it ends, which is why
 * the sum is made under the lock, and why a thread-specific key leaves for those that forget. */
#ifdef USE_JEMALLOC

#include "base/check.h"
#include "base/mem_internal.h"

#include <jemalloc/jemalloc.h>
#include <pthread.h>

enum { MEM_THREADS_MAX = 1024 };

/* jemalloc's counters of one thread. Others read them while it writes: on the CPUs we know a
 * 64-bit load is whole, and a value that is a moment old does no harm. */
struct mem_thread {
    const volatile uint64_t *allocated;
    const volatile uint64_t *deallocated;
};

struct thread_registry {
    pthread_mutex_t lock;
    struct mem_thread threads[MEM_THREADS_MAX];
    size_t count;
    int64_t ended_bytes; /* what the threads that left had allocated less freed */
};
static struct thread_registry registry = {.lock = PTHREAD_MUTEX_INITIALIZER};
static _Thread_local struct mem_thread own;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static pthread_key_t ended_key;

static void leave(void *value) {
    (void)value;
    mem_thread_stop();
}

static void lock_registry(void) { pthread_mutex_lock(&registry.lock); }
static void unlock_registry(void) { pthread_mutex_unlock(&registry.lock); }

static void prepare(void) {
    pthread_key_create(&ended_key, leave);
    pthread_atfork(lock_registry, unlock_registry, unlock_registry);
}

static const volatile uint64_t *find_counter(const char *name) {
    uint64_t *counter = NULL;
    size_t size = sizeof(counter);
    int failed = mallctl(name, (void *)&counter, &size, NULL, 0);
    check(failed == 0 && counter);
    return counter;
}

static int64_t thread_bytes(const struct mem_thread *thread) {
    return (int64_t)(*thread->allocated - *thread->deallocated);
}

void mem_thread_start(void) {
    if (own.allocated) return;
    pthread_once(&prepared, prepare);
    struct mem_thread self = {.allocated = find_counter("thread.allocatedp"),
                              .deallocated = find_counter("thread.deallocatedp")};
    lock_registry();
    bool has_room = registry.count < MEM_THREADS_MAX;
    if (has_room) registry.threads[registry.count++] = self;
    unlock_registry();
    if (!has_room) return; /* then it goes uncounted */
    own = self;
    pthread_setspecific(ended_key, &own);
}

void mem_thread_stop(void) {
    if (!own.allocated) return;
    pthread_setspecific(ended_key, NULL);
    lock_registry();
    size_t i = 0;
    while (i < registry.count && registry.threads[i].allocated != own.allocated)
        i++;
    check(i < registry.count);
    registry.ended_bytes += thread_bytes(&own);
    registry.threads[i] = registry.threads[--registry.count];
    unlock_registry();
    own = (struct mem_thread){0};
}

bool mem__thread_is_counted(void) { return own.allocated != NULL; }

bool mem__own_bytes(int64_t *out) {
    if (unlikely(!own.allocated)) mem_thread_start();
    if (unlikely(!own.allocated)) return false;
    *out = thread_bytes(&own);
    return true;
}

int64_t mem__sum_bytes(void) {
    lock_registry();
    int64_t sum = registry.ended_bytes;
    for (size_t i = 0; i < registry.count; i++)
        sum += thread_bytes(&registry.threads[i]);
    unlock_registry();
    return sum;
}

#else
typedef int mem_count_jemalloc_is_empty; /* ISO C wants a declaration */
#endif
