/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters for allocators that have none: see mem_internal.h. A slot keeps its value when its
 * thread ends, and the next thread goes on from there, so that nothing has to be folded. */
#ifndef USE_JEMALLOC

#include "base/check.h"
#include "base/mem_internal.h"

#include <pthread.h>

struct mem_slot mem__slots[MEM_SLOTS_MAX];
_Thread_local struct mem_slot *mem__own_slot;

struct slot_registry {
    pthread_mutex_t lock;
    bool taken[MEM_SLOTS_MAX]; /* under lock */
    _Atomic size_t used;       /* slots below this one were ever taken */
};
static struct slot_registry registry = {.lock = PTHREAD_MUTEX_INITIALIZER, .used = 1};
static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static pthread_key_t ended_key;

static void give_back(void *value) {
    (void)value;
    mem_thread_stop();
}

static void lock_registry(void) { pthread_mutex_lock(&registry.lock); }
static void unlock_registry(void) { pthread_mutex_unlock(&registry.lock); }

static void prepare(void) {
    pthread_key_create(&ended_key, give_back);
    pthread_atfork(lock_registry, unlock_registry, unlock_registry);
}

void mem_thread_start(void) {
    if (mem__own_slot) return;
    pthread_once(&prepared, prepare);
    lock_registry();
    for (size_t i = 1; i < MEM_SLOTS_MAX && !mem__own_slot; i++) {
        if (registry.taken[i]) continue;
        registry.taken[i] = true;
        mem__own_slot = &mem__slots[i];
        size_t used = atomic_load_explicit(&registry.used, memory_order_relaxed);
        /* Relaxed: a reader that misses the new slot misses what is not yet counted in it. */
        atomic_store_explicit(&registry.used, size_max(used, i + 1), memory_order_relaxed);
    }
    unlock_registry();
    if (mem__own_slot) pthread_setspecific(ended_key, mem__own_slot);
}

void mem_thread_stop(void) {
    struct mem_slot *own = mem__own_slot;
    if (!own) return;
    mem__own_slot = NULL;
    pthread_setspecific(ended_key, NULL);
    lock_registry();
    check(registry.taken[own - mem__slots]);
    registry.taken[own - mem__slots] = false;
    unlock_registry();
}

bool mem__own_bytes(int64_t *out) {
    if (!mem__own_slot) mem_thread_start();
    if (!mem__own_slot) return false;
    *out = atomic_load_explicit(&mem__own_slot->bytes, memory_order_relaxed);
    return true;
}

int64_t mem__sum_bytes(void) {
    int64_t sum = 0;
    size_t used = atomic_load_explicit(&registry.used, memory_order_relaxed);
    for (size_t i = 0; i < used; i++)
        sum += atomic_load_explicit(&mem__slots[i].bytes, memory_order_relaxed);
    return sum;
}

#else
typedef int mem_count_own_is_empty; /* ISO C wants a declaration */
#endif
