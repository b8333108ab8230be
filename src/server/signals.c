/* SPDX-License-Identifier: BSD-3-Clause */
#include "server/signals.h"

#include "base/log.h"
#include "net/reactor.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

/* Signals have no context of their own. */
static volatile sig_atomic_t asked_by; /* tidy: the signal being dealt with; 0: none */
static volatile sig_atomic_t is_new;   /* tidy: signals_take has not seen it yet */
static struct reactor *volatile woken; /* tidy: NULL: nobody to wake */

static void on_stop(int signal_number) {
    static const char impatient[] = "You insist... exiting now.\n";
    if (asked_by == SIGINT && signal_number == SIGINT) {
        log_raw_signal_safe(impatient, sizeof(impatient) - 1);
        _exit(1);
    }
    asked_by = signal_number;
    is_new = 1;
    if (woken) reactor_wake(woken);
}

static void set_handler(int signal_number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    (void)sigaction(signal_number, &action, NULL); /* fails for no signal used here */
}

void signals_ignore(void) {
    set_handler(SIGHUP, SIG_IGN);
    set_handler(SIGPIPE, SIG_IGN);
}

void signals_install(struct reactor *reactor) {
    woken = reactor;
    set_handler(SIGTERM, on_stop);
    set_handler(SIGINT, on_stop);
}

void signals_detach(void) { woken = NULL; }

int signals_take(void) {
    if (!is_new) return 0;
    is_new = 0;
    return asked_by;
}

void signals_forget(void) { asked_by = 0; }

void signals_set_watchdog(int64_t period_ms) {
    struct itimerval timer = {
        .it_value = {.tv_sec = period_ms / 1000, .tv_usec = period_ms % 1000 * 1000}};
    (void)setitimer(ITIMER_REAL, &timer, NULL); /* fails for no valid time */
}
