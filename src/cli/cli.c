/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/cli.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/num.h"
#include "client/address.h"
#include "client/auth.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/signalfd.h>
#include <unistd.h>

void cli_say(const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    (void)fflush(stdout);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
}

/* ---- connecting ---- */

enum greeting { GREETING_FAILED = 0, GREETING_TAKEN, GREETING_REFUSED, GREETING_NO_AUTH };

/* A step of the greeting. What goes wrong is said. */
static enum greeting greet(struct cli *cli, const char *const *words, const char *what) {
    struct resp_value *reply = NULL;
    struct diag diag = {0};
    if (client_link_call(&cli->link, words, &reply, &diag) != ERR_NONE) {
        cli_say("Error: %s", diag.text);
        return GREETING_FAILED;
    }
    enum greeting result = GREETING_TAKEN;
    if (resp_is_error(reply)) {
        bool no_auth = bytes_starts_with(reply->text, BYTES("NOAUTH"));
        result = no_auth ? GREETING_NO_AUTH : GREETING_REFUSED;
        cli_say("%s failed: %s", what, reply->text.data);
    }
    resp_value_destroy(&reply);
    return result;
}

bool cli_select(struct cli *cli) {
    struct client_options *options = &cli->options.client;
    char db[NUM_I64_TEXT_MAX + 1], what[NUM_I64_TEXT_MAX + 16];
    db[num_format_i64(db, options->db)] = '\0';
    snprintf(what, sizeof(what), "SELECT %s", db);
    enum greeting result = greet(cli, (const char *[]){"SELECT", db, NULL}, what);
    cli->session.select_due = result == GREETING_NO_AUTH;
    if (result == GREETING_TAKEN || result == GREETING_NO_AUTH) return true;
    client_link_close(&cli->link);
    if (result == GREETING_REFUSED && cli->stdin_tty) options->db = 0; /* as the prompt shows */
    return false;
}

static bool greet_all(struct cli *cli) {
    const struct client_options *options = &cli->options.client;
    cli->resp = 2;
    cli->session = (struct cli_session){.pending_db = -1};
    if (options->password) {
        const char *with_user[] = {"AUTH", options->user, options->password, NULL};
        const char *without[] = {"AUTH", options->password, NULL};
        /* Refused: the server may let us go on, as one without passwords does. */
        if (greet(cli, options->user ? with_user : without, "AUTH") == GREETING_FAILED)
            return false;
    }
    if (options->db > 0 && !cli_select(cli)) return false;
    if (options->resp == 3) {
        enum greeting result = greet(cli, (const char *[]){"HELLO", "3", NULL}, "HELLO 3");
        if (result == GREETING_FAILED) return false;
        if (result == GREETING_TAKEN) cli->resp = 3;
    }
    return true;
}

bool cli_connect(struct cli *cli) {
    if (client_link_is_open(&cli->link)) return true;
    struct diag diag = {0};
    if (client_link_open(&cli->link, &cli->options.client, &diag) != ERR_NONE) {
        struct buf name = {0};
        client_describe(&cli->options.client, &name);
        cli_say("Could not connect to Valkey at %s: %s", name.data, diag.text);
        buf_deinit(&name);
        return false;
    }
    return greet_all(cli);
}

/* ---- requests ---- */

static bool said(struct cli *cli, enum err err, const struct diag *diag) {
    (void)cli;
    if (err != ERR_NONE && err != ERR_AGAIN) cli_say("Error: %s", diag->text); /* Ctrl-C: no need */
    return err == ERR_NONE;
}

bool cli_call(struct cli *cli, const char *const *words, struct resp_value **out) {
    struct diag diag = {0};
    if (!cli_connect(cli)) return false;
    return said(cli, client_link_call(&cli->link, words, out, &diag), &diag);
}

bool cli_call_args(struct cli *cli, size_t argc, const struct bytes *argv,
                   struct resp_value **out) {
    struct diag diag = {0};
    if (!cli_connect(cli)) return false;
    return said(cli, client_link_call_args(&cli->link, argc, argv, out, &diag), &diag);
}

bool cli_ask(struct cli *cli, const char *const *words, struct resp_value **out) {
    struct resp_value *reply = NULL;
    if (!cli_call(cli, words, &reply)) return false;
    if (resp_is_error(reply)) {
        cli_say("%s failed: %s", words[0], reply->text.data);
        resp_value_destroy(&reply);
        return false;
    }
    *out = reply;
    return true;
}

/* ---- Ctrl-C ---- */

void cli_catch_interrupts(struct cli *cli) {
    sigset_t set;
    if (cli->signal_fd != -1) return;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) == -1) return;
    cli->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (cli->signal_fd == -1) (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    cli->link.wake_fd = cli->signal_fd;
}

bool cli_was_interrupted(struct cli *cli) {
    struct signalfd_siginfo info;
    if (cli->signal_fd == -1) return false;
    return read(cli->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info);
}

bool cli_sleep(struct cli *cli, double seconds) {
    struct pollfd poller = {.fd = cli->signal_fd, .events = POLLIN};
    int64_t end = clock_mono_ns() + (int64_t)(seconds * 1e9);
    for (;;) {
        int64_t left = end - clock_mono_ns();
        if (left <= 0) return true;
        struct timespec pause = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
        if (ppoll(&poller, 1, &pause, NULL) == 1) return false;
    }
}
