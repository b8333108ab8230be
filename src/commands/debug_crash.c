/* SPDX-License-Identifier: BSD-3-Clause */
/* DEBUG ASSERT, PANIC, SEGFAULT, OOM: each way in which the server may end by its own fault, to see
 * that the crash report is right. None of them returns. */
#include "base/check.h"
#include "base/mem.h"
#include "commands/debug_internal.h"

#include <sys/mman.h>

enum { PAGE_BYTES = 4096 };

/* DEBUG ASSERT */
void debug_assert(struct call *call) { check(call->argc == 0); }

/* DEBUG PANIC */
void debug_panic(struct call *call) {
    (void)call;
    panic("DEBUG PANIC was called");
}

/* DEBUG SEGFAULT -- writes to a page that may not be touched: a null pointer would let the compiler
 * choose another way to end. */
void debug_segfault(struct call *call) {
    volatile char *page = mmap(NULL, PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED) page[0] = 'x';
    call_error(call, ERROR_NO_MEMORY_FOR_VALUE); /* reached only if there is not even a page */
}

/* DEBUG OOM */
void debug_out_of_memory(struct call *call) {
    volatile size_t impossible = SIZE_MAX / 2;
    void *never = mem_alloc(impossible);
    mem_free(never);
    reply_ok(call->reply);
}
