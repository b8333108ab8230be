/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/terminal.h"

#include <sys/signalfd.h>
#include <unistd.h>

/* What a person or the system sends to end a program. */
static sigset_t ending_signals(void) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        sigaddset(&set, numbers[i]);
    }
    return set;
}

bool client_terminal_change(struct client_terminal *terminal, int fd, tcflag_t without,
                            tcflag_t with) {
    sigset_t held = ending_signals();
    *terminal = (struct client_terminal){.fd = -1, .signal_fd = -1};
    if (tcgetattr(fd, &terminal->before) == -1) return false;
    if (sigprocmask(SIG_BLOCK, &held, &terminal->signals_before) == -1) return false;
    terminal->fd = fd;
    terminal->signal_fd = signalfd(-1, &held, SFD_NONBLOCK | SFD_CLOEXEC);
    struct termios changed = terminal->before;
    changed.c_lflag &= ~without;
    changed.c_lflag |= with;
    if (terminal->signal_fd != -1 && tcsetattr(fd, TCSADRAIN, &changed) == 0) return true;
    client_terminal_restore(terminal);
    return false;
}

void client_terminal_restore(struct client_terminal *terminal) {
    if (terminal->fd == -1) return;
    (void)tcsetattr(terminal->fd, TCSADRAIN, &terminal->before);
    if (terminal->signal_fd != -1) close(terminal->signal_fd);
    terminal->fd = terminal->signal_fd = -1;
    (void)sigprocmask(SIG_SETMASK, &terminal->signals_before, NULL);
}
