/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/interactive.h"

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/docs.h"
#include "cli/history.h"
#include "cli/line_editor.h"
#include "cli/session.h"
#include "client/terminal.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- listening to a server that talks by itself ---- */

enum listen_end { LISTEN_KEY, LISTEN_INTERRUPT, LISTEN_OVER };

/* Prints what comes until a key, Ctrl-C, or the end of it or of us (ending_fd). */
static enum listen_end listen_once(struct cli *cli, int ending_fd) {
    while (session__is_listening(cli)) {
        struct pollfd pollers[4] = {
            {.fd = cli->link.stream.fd, .events = POLLIN},
            {.fd = STDIN_FILENO, .events = cli->session.monitoring ? 0 : POLLIN},
            {.fd = cli->signal_fd, .events = POLLIN},
            {.fd = ending_fd, .events = POLLIN},
        };
        int wait_ms = client_link_has_input(&cli->link) ? 0 : -1;
        if (poll(pollers, COUNT_OF(pollers), wait_ms) == -1) return LISTEN_OVER;
        if (pollers[2].revents && cli_was_interrupted(cli)) return LISTEN_INTERRUPT;
        if (pollers[3].revents) return LISTEN_OVER;
        if (pollers[1].revents) return LISTEN_KEY;
        (void)session__print_arrived(cli);
    }
    return LISTEN_OVER;
}

/* True: a command is to be typed while the subscriptions stay. */
static bool listen_to_server(struct cli *cli) {
    struct client_terminal keys;
    if (!cli->session.monitoring) {
        printf("Reading messages... (press Ctrl-C to quit or any key to type command)\n");
        (void)fflush(stdout);
    }
    /* Keys arrive one by one and unseen, so that the first one can end the listening. */
    (void)client_terminal_change(&keys, STDIN_FILENO, ICANON | ECHO, 0);
    enum listen_end end = listen_once(cli, keys.signal_fd);
    client_terminal_restore(&keys);
    if (end == LISTEN_INTERRUPT) { /* the only way to end it is to end the connection */
        printf("\n");
        client_link_close(&cli->link);
        cli->session = (struct cli_session){.pending_db = -1};
        return cli_connect(cli); /* else it was said why, and the prompt shows it */
    }
    return end == LISTEN_KEY;
}

/* ---- lines ---- */

struct interactive {
    struct cli *cli;
    struct line_editor *editor;
    char *history; /* path, or NULL */
};

static void remember(struct interactive *self, struct bytes line) {
    if (line.size == 0 || console__is_secret(line)) return;
    char *text = mem_copy_bytes(line);
    line_editor__remember(self->editor, text);
    history__append(self->history, text);
    mem_free(text);
}

/* False: leave. */
static bool run_prompt(struct interactive *self, struct buf *line, int *status) {
    bool had_text = false;
    switch (line_editor__read(self->editor, line, &had_text)) {
    case LINE_END: printf("\n"); return false;
    case LINE_INTERRUPTED: return had_text;
    case LINE_ENTERED: break;
    }
    struct bytes text = bytes_trim(buf_bytes(line));
    remember(self, text);
    return console__run_line(self->cli, text, status);
}

/* Lines that are run before the first prompt. */
static void run_rc_file(struct cli *cli) {
    char *path = history__path("VALKEYCLI_RCFILE", "REDISCLI_RCFILE", ".valkeyclirc");
    FILE *file = path ? fopen(path, "re") : NULL;
    char *line = NULL;
    size_t cap = 0;
    int ignored = 0;
    while (file) {
        ssize_t size = getline(&line, &cap, file);
        if (size == -1) break;
        if (!console__run_line(cli, bytes_trim(bytes_make(line, (size_t)size)), &ignored)) break;
    }
    free(line); /* tidy: what getline allocated */
    if (file) fclose(file);
    mem_free(path);
}

int cli__run_interactive(struct cli *cli) {
    struct interactive self = {.cli = cli};
    struct buf line = {0};
    int status = EXIT_SUCCESS;
    bool goes_on = true;
    cli_catch_interrupts(cli);
    self.editor = line_editor__create(cli);
    self.history = history__path("VALKEYCLI_HISTFILE", "REDISCLI_HISTFILE", ".valkeycli_history");
    history__load(self.history, self.editor);
    if (cli_connect(cli)) docs__ensure(cli);
    run_rc_file(cli);
    while (goes_on) {
        if (session__is_listening(cli) && !listen_to_server(cli)) continue;
        goes_on = run_prompt(&self, &line, &status);
    }
    buf_deinit(&line);
    mem_free(self.history);
    line_editor__destroy(&self.editor);
    return EXIT_SUCCESS;
}
