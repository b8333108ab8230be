/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of the crash report that are written inside the signal handler: stack trace and
 * registers. They go out piece by piece and allocate nothing of their own; the order of the parts
 * is crash.c's. */
#include "base/crash_internal.h"
#include "base/log.h"
#include "base/log_internal.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__GLIBC__)
#include <execinfo.h>
#endif

enum { STACK_DEPTH_MAX = 100, STACK_WORDS_MAX = 16 };

void crash__say(const char *fmt, ...) {
    char text[CRASH_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    int size = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (size > 0) log_raw_signal_safe(text, size_min((size_t)size, sizeof(text) - 1));
}

#if defined(__GLIBC__)

void crash__prepare_stack(void) {
    void *frame[1];
    backtrace(frame, 1);
}

void crash__say_stack(void *instruction) {
    void *frames[STACK_DEPTH_MAX];
    int count = backtrace(frames, STACK_DEPTH_MAX);
    crash__say("\n------ STACK TRACE ------\n");
    int fd = log__open();
    if (fd == -1) return;
    if (instruction) {
        crash__say("EIP:\n");
        backtrace_symbols_fd(&instruction, 1, fd);
    }
    crash__say("\nBacktrace:\n");
    backtrace_symbols_fd(frames, count, fd);
    log__close(fd);
    crash__say("\n------ STACK TRACE DONE ------\n");
}

#else

void crash__prepare_stack(void) {}

void crash__say_stack(void *instruction) {
    crash__say("\n------ STACK TRACE ------\n");
    if (instruction) crash__say("EIP: %p\n", instruction);
    crash__say("This C library has no back traces.\n\n------ STACK TRACE DONE ------\n");
}

#endif

/* The words on top of the stack that was interrupted, as far as its page goes: what lies beyond
 * might not be there. */
static void say_stack_words(uintptr_t stack) {
    enum { PAGE = 4096 };
    if (stack % sizeof(uintptr_t) != 0) return;
    uintptr_t page_end = (stack | (PAGE - 1)) + 1;
    int words[2];
    if (pipe(words) == -1) return;
    for (size_t i = 0; i < STACK_WORDS_MAX && stack < page_end; i++) {
        uintptr_t word;
        /* A write fails where a plain load would crash again; and no sanitizer looks. */
        if (syscall(SYS_write, words[1], stack, sizeof(word)) != (long)sizeof(word)) break;
        if (read(words[0], &word, sizeof(word)) != (ssize_t)sizeof(word)) break;
        crash__say("(%016lx) -> %016lx\n", (unsigned long)stack, (unsigned long)word);
        stack += sizeof(word);
    }
    close(words[0]);
    close(words[1]);
}

#if defined(__x86_64__)

void *crash__instruction(const void *context) {
    const ucontext_t *c = context;
    return (void *)(uintptr_t)c->uc_mcontext.gregs[REG_RIP];
}

struct register_name {
    int index;
    char name[4];
};

void crash__say_registers(const void *context) {
    static const struct register_name names[] = {
        {REG_RAX, "RAX"}, {REG_RBX, "RBX"}, {REG_RCX, "RCX"}, {REG_RDX, "RDX"}, {REG_RDI, "RDI"},
        {REG_RSI, "RSI"}, {REG_RBP, "RBP"}, {REG_RSP, "RSP"}, {REG_R8, "R8"},   {REG_R9, "R9"},
        {REG_R10, "R10"}, {REG_R11, "R11"}, {REG_R12, "R12"}, {REG_R13, "R13"}, {REG_R14, "R14"},
        {REG_R15, "R15"}, {REG_RIP, "RIP"}, {REG_EFL, "EFL"},
    };
    const ucontext_t *c = context;
    crash__say("\n------ REGISTERS ------\n");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        crash__say("%s:%016llx%c", names[i].name,
                   (unsigned long long)c->uc_mcontext.gregs[names[i].index],
                   i % 4 == 3 || i + 1 == COUNT_OF(names) ? '\n' : ' ');
    }
    say_stack_words((uintptr_t)c->uc_mcontext.gregs[REG_RSP]);
}

#elif defined(__aarch64__)

void *crash__instruction(const void *context) {
    const ucontext_t *c = context;
    return (void *)(uintptr_t)c->uc_mcontext.pc;
}

void crash__say_registers(const void *context) {
    enum { REGISTERS = 31 };
    const ucontext_t *c = context;
    crash__say("\n------ REGISTERS ------\n");
    for (int i = 0; i < REGISTERS; i++) {
        crash__say("X%d:%016llx%c", i, (unsigned long long)c->uc_mcontext.regs[i],
                   i % 4 == 3 || i + 1 == REGISTERS ? '\n' : ' ');
    }
    crash__say("SP:%016llx PC:%016llx PSTATE:%016llx\n", (unsigned long long)c->uc_mcontext.sp,
               (unsigned long long)c->uc_mcontext.pc, (unsigned long long)c->uc_mcontext.pstate);
    say_stack_words((uintptr_t)c->uc_mcontext.sp);
}

#else

void *crash__instruction(const void *context) {
    (void)context;
    return NULL;
}

void crash__say_registers(const void *context) {
    (void)context;
    crash__say("\n------ REGISTERS ------\nUnknown on this CPU.\n");
}

#endif
