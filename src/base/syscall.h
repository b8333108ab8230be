/* SPDX-License-Identifier: BSD-3-Clause */
/* syscall -- system calls without a function around them.
 *
 * The kernel leaves the processor without its memory of where calls return to, so the first returns
 * after a system call are mispredicted, and libc's wrapper costs such a return on top of its
 * bookkeeping of cancellation (no thread here is ever cancelled). At one request a turn that is a
 * twentieth of the user time. Only for the calls of the hot path. Where the machine is not known,
 * and in test builds, whose sanitizers want to see what is written, SYSCALL_INLINE is 0 and libc
 * does it. */
#pragma once

#include "base/attr.h"

/* With SVE in the build, a call may clear registers that the compiler believes to be kept. */
#if defined(__linux__) && !defined(DCHECK) && (defined(__x86_64__) || defined(__aarch64__)) && \
    !defined(__ILP32__) && !defined(__ARM_FEATURE_SVE)
#define SYSCALL_INLINE 1
#else
#define SYSCALL_INLINE 0
#endif

#if SYSCALL_INLINE
#include <sys/syscall.h>

/* What it returns, or -errno. A pointer is passed as its address. A sixth argument is whatever is
 * in its register: only for calls that have none, or do not look at it. */
always_inline_fn long syscall_inline(long number, long a, long b, long c, long d, long e) {
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
#else
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
#endif
}
#endif
