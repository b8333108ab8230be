/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/auth.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/num.h"
#include "client/terminal.h"
#include "resp/encode.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { PASSWORD_MAX = 4096 };

const char *client_environment(const char *name, const char *old_name) {
    const char *value = getenv(name);
    return value || !old_name ? value : getenv(old_name);
}

void client_auth_environment(struct client_options *options) {
    const char *value = client_environment("VALKEYCLI_AUTH", "REDISCLI_AUTH");
    if (!options->password && value && value[0]) client_option_set_text(&options->password, value);
}

/* A line without its end. False if there is none, or signal_fd (which may be -1) has something. */
static bool read_line(int fd, int signal_fd, struct buf *out) {
    char c;
    while (out->size < PASSWORD_MAX) {
        struct pollfd pollers[2] = {{.fd = fd, .events = POLLIN},
                                    {.fd = signal_fd, .events = POLLIN}};
        if (poll(pollers, COUNT_OF(pollers), -1) == -1) return false;
        if (pollers[1].revents) return false;
        ssize_t got = read(fd, &c, 1);
        if (got == -1) return false;
        if (got == 0) return out->size > 0;
        if (c == '\n') return true;
        buf_add_char(out, c);
    }
    return false;
}

enum err client_ask_password(struct client_options *options, const char *prompt,
                             struct diag *diag) {
    struct buf line = {0};
    struct client_terminal silent;
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    int fd = terminal == -1 ? STDIN_FILENO : terminal;
    bool good = true;
    if (client_terminal_change(&silent, fd, ECHO, ECHONL)) {
        (void)tcflush(fd, TCIFLUSH); /* what was typed before was not meant for us */
        good = write(fd, prompt, strlen(prompt)) != -1;
    }
    good = good && read_line(fd, silent.signal_fd, &line);
    client_terminal_restore(&silent);
    if (terminal != -1) close(terminal);
    if (good) client_option_set_text(&options->password, line.data ? line.data : "");
    buf_deinit(&line);
    return good ? ERR_NONE : diag_set(diag, ERR_IO, "no password was entered");
}

/* ---- requests ---- */

void client_encode(struct buf *out, size_t argc, const struct bytes *argv) {
    encode_header(out, '*', argc);
    for (size_t i = 0; i < argc; i++)
        encode_bulk(out, argv[i]);
}

void client_encode_words(struct buf *out, const char *const *words) {
    struct bytes argv[32];
    size_t argc = 0;
    for (; words[argc]; argc++) {
        check(argc < COUNT_OF(argv));
        argv[argc] = bytes_of(words[argc]);
    }
    client_encode(out, argc, argv);
}

size_t client_encode_greeting(const struct client_options *options, struct buf *out) {
    size_t count = 0;
    if (options->password) {
        const char *with_user[] = {"AUTH", options->user, options->password, NULL};
        const char *without[] = {"AUTH", options->password, NULL};
        client_encode_words(out, options->user ? with_user : without);
        count++;
    }
    if (options->resp == 3) {
        client_encode_words(out, (const char *[]){"HELLO", "3", NULL});
        count++;
    }
    if (options->db > 0) {
        char db[NUM_I64_TEXT_MAX + 1];
        db[num_format_i64(db, options->db)] = '\0';
        client_encode_words(out, (const char *[]){"SELECT", db, NULL});
        count++;
    }
    return count;
}
