/* SPDX-License-Identifier: BSD-3-Clause */
/* terminal -- other settings for a terminal, for a while: no echo, keys one by one. A signal that
 * ends the program in the meantime would leave it that way, so these signals are held back until
 * the old settings are there again.
 *
 *   client_terminal_change ──▶ wait for input or signal_fd ──▶ client_terminal_restore
 *
 * For programs of one thread. */
#pragma once

#include <signal.h>
#include <termios.h>

#include "base/attr.h"

struct client_terminal {
    int fd;        /* borrowed; -1: nothing is changed */
    int signal_fd; /* readable: a signal is held back, so come to an end; -1: there are none */
    struct termios before;
    sigset_t signals_before;
};

/* Takes local flags (ECHO, ICANON...) away and adds some. False: fd is no terminal, or does not
 * take them, and nothing is changed. */
bool client_terminal_change(struct client_terminal *terminal, int fd, tcflag_t without,
                            tcflag_t with);
/* Puts back what was there, if anything was changed. A signal that was held back is delivered
 * before this returns. */
void client_terminal_restore(struct client_terminal *terminal);
