/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/line_editor.h"

#include "base/check.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/complete.h"
#include "cli/session.h"
#include "client/address.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

void line_editor__prompt(const struct cli *cli, struct buf *out) {
    if (!client_link_is_open(&cli->link)) {
        buf_add_text(out, "not connected> ");
        return;
    }
    client_describe(&cli->options.client, out);
    int64_t db = cli->options.client.db;
    if (cli->session.pending_db >= 0) db = cli->session.pending_db;
    if (db > 0) buf_addf(out, "[%lld]", (long long)db);
    if (cli->session.in_transaction) buf_add_text(out, "(TX)");
    if (session__is_listening(cli)) buf_add_text(out, "(subscribed mode)");
    buf_add_text(out, "> ");
}

/* What a wait for the keyboard ended with. */
enum wait_end { WAIT_KEY, WAIT_INTERRUPT, WAIT_NEWS };

/* News: the connection has something to say, or has ended. */
static enum wait_end wait_for_key(struct cli *cli, bool *waited) {
    for (;;) {
        struct pollfd pollers[3] = {
            {.fd = STDIN_FILENO, .events = POLLIN},
            {.fd = cli->signal_fd, .events = POLLIN},
            {.fd = cli->link.stream.fd, .events = POLLIN},
        };
        bool is_here = client_link_has_input(&cli->link);
        int ready = poll(pollers, COUNT_OF(pollers), *waited && !is_here ? -1 : 0);
        if (ready == -1 && errno == EINTR) continue;
        if (ready == 0) {
            *waited = true;
            return WAIT_NEWS; /* no key is there yet: time for the hint, and for what is here */
        }
        if (pollers[1].revents && cli_was_interrupted(cli)) return WAIT_INTERRUPT;
        if (pollers[2].revents && !pollers[0].revents) return WAIT_NEWS;
        return WAIT_KEY;
    }
}

#ifdef USE_LIBEDIT

#include <histedit.h>

struct line_editor {
    struct cli *cli;
    EditLine *edit;
    History *history;
    struct buf prompt;
    bool interrupted;
    bool hint_shown;
    mbstate_t decoding; /* of a character whose bytes come one by one */
};

static struct line_editor *editor_of(EditLine *edit) {
    struct line_editor *editor = NULL;
    (void)el_get(edit, EL_CLIENTDATA, &editor);
    check(editor != NULL);
    return editor;
}

static char *prompt_of(EditLine *edit) {
    struct line_editor *editor = editor_of(edit);
    buf_clear(&editor->prompt);
    line_editor__prompt(editor->cli, &editor->prompt);
    return editor->prompt.data;
}

/* ---- hints ---- */

/* Characters, not bytes, of UTF-8. */
static size_t width_of(struct bytes text) {
    size_t width = 0;
    for (size_t i = 0; i < text.size; i++) {
        width += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    }
    return width;
}

static bool can_hint(const struct cli *cli) {
    const char *term = getenv("TERM");
    return cli->options.hints && cli->stdout_tty && term && strcmp(term, "dumb") != 0;
}

/* Columns that are free behind the line. */
static size_t free_columns(const struct line_editor *editor, struct bytes line) {
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_col == 0) size.ws_col = 80;
    size_t used = (width_of(buf_bytes(&editor->prompt)) + width_of(line)) % size.ws_col;
    return size.ws_col - used - 1;
}

static void show_hint(struct line_editor *editor) {
    const LineInfo *info = el_line(editor->edit);
    struct bytes line = bytes_make(info->buffer, (size_t)(info->lastchar - info->buffer));
    struct buf hint = {0};
    if (!can_hint(editor->cli) || info->cursor != info->lastchar || line.size == 0) return;
    complete__hint(editor->cli, line, &hint);
    size_t room = free_columns(editor, line);
    if (hint.size > room) hint.size = room; /* syntax is ASCII */
    if (hint.size > 0) {
        printf(
            "\x1b"
            "7\x1b[2m%.*s\x1b[0m\x1b[K\x1b"
            "8",
            (int)hint.size, hint.data);
        (void)fflush(stdout);
        editor->hint_shown = true;
    }
    buf_deinit(&hint);
}

static void wipe_hint(struct line_editor *editor) {
    if (!editor->hint_shown) return;
    printf("\x1b[K");
    (void)fflush(stdout);
    editor->hint_shown = false;
}

/* ---- keys ---- */

/* The connection has something: pushed messages go above the prompt, which then may be another. */
static void take_news(struct line_editor *editor) {
    struct cli *cli = editor->cli;
    if (!client_link_is_open(&cli->link)) return;
    wipe_hint(editor);
    printf("\r\x1b[K");
    (void)session__print_arrived(cli);
    (void)fflush(stdout);
    (void)el_set(editor->edit, EL_REFRESH);
}

/* One character out of the bytes of the terminal: 1, 0 at the end, -1 on failure. */
static int read_character(struct line_editor *editor, wchar_t *out) {
    for (;;) {
        char byte;
        ssize_t got = read(STDIN_FILENO, &byte, 1);
        if (got == -1 && errno == EINTR) continue;
        if (got <= 0) return (int)got;
        size_t size = mbrtowc(out, &byte, 1, &editor->decoding);
        if (size == (size_t)-2) continue; /* more bytes belong to it */
        if (size == (size_t)-1) {         /* no character: take the byte alone */
            editor->decoding = (mbstate_t){0};
            *out = (wchar_t)(unsigned char)byte;
        }
        return 1;
    }
}

/* libedit asks for the next key. */
static int next_key(EditLine *edit, wchar_t *out) {
    struct line_editor *editor = editor_of(edit);
    bool waited = false;
    for (;;) {
        bool was_waiting = waited;
        switch (wait_for_key(editor->cli, &waited)) {
        case WAIT_KEY: {
            wipe_hint(editor);
            return read_character(editor, out);
        }
        case WAIT_INTERRUPT:
            wipe_hint(editor);
            editor->interrupted = true;
            return -1;
        case WAIT_NEWS:
            if (was_waiting) take_news(editor);
            show_hint(editor);
            break;
        }
    }
}

/* ---- completion ---- */

/* In columns, below the line. */
static void list_words(const struct completion *completion) {
    struct winsize size = {0};
    size_t widest = 1;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_col == 0) size.ws_col = 80;
    for (size_t i = 0; i < completion->count; i++) {
        widest = size_max(widest, strlen(completion->words[i]));
    }
    size_t columns = size_max(1, size.ws_col / (widest + 2));
    printf("\n");
    for (size_t i = 0; i < completion->count; i++) {
        bool ends = (i + 1) % columns == 0 || i + 1 == completion->count;
        printf("%-*s%s", ends ? 0 : (int)(widest + 2), completion->words[i], ends ? "\n" : "");
    }
    (void)fflush(stdout);
}

static unsigned char complete(EditLine *edit, int key) {
    struct line_editor *editor = editor_of(edit);
    const LineInfo *info = el_line(edit);
    struct bytes line = bytes_make(info->buffer, (size_t)(info->cursor - info->buffer));
    struct completion found;
    unsigned char result = CC_ERROR;
    (void)key;
    complete__line(editor->cli, line, &found);
    size_t common = complete__common(&found);
    struct bytes typed = bytes_from(line, found.start);
    bool adds = found.count == 1 || common > typed.size;
    if (found.count > 0 && adds) {
        struct buf text = {0};
        buf_add(&text, bytes_make(found.words[0], common));
        if (found.count == 1) buf_add_char(&text, ' ');
        el_deletestr(edit, (int)width_of(typed));
        result = el_insertstr(edit, text.data) == 0 ? CC_REFRESH : CC_ERROR;
        buf_deinit(&text);
    } else if (found.count > 0) {
        list_words(&found);
        result = CC_REDISPLAY;
    }
    complete__deinit(&found);
    return result;
}

/* ---- life ---- */

struct line_editor *line_editor__create(struct cli *cli) {
    struct line_editor *editor = mem_zalloc(sizeof(*editor));
    HistEvent event;
    editor->cli = cli;
    if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1) (void)setlocale(LC_CTYPE, "C.UTF-8");
    editor->edit = el_init("valkey-cli", stdin, stdout, stderr);
    editor->history = history_init();
    check(editor->edit && editor->history);
    (void)history(editor->history, &event, H_SETSIZE, 1000);
    (void)history(editor->history, &event, H_SETUNIQUE, 1);
    (void)el_set(editor->edit, EL_CLIENTDATA, editor);
    (void)el_set(editor->edit, EL_EDITOR, "emacs");
    (void)el_set(editor->edit, EL_SIGNAL, 1);
    (void)el_set(editor->edit, EL_PROMPT, prompt_of);
    (void)el_set(editor->edit, EL_HIST, history, editor->history);
    (void)el_set(editor->edit, EL_ADDFN, "valkey-complete", "complete the word", complete);
    (void)el_set(editor->edit, EL_BIND, "^I", "valkey-complete", NULL);
    (void)el_set(editor->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    (void)el_source(editor->edit, NULL); /* the user's ~/.editrc */
    (void)el_set(editor->edit, EL_GETCFN, next_key);
    return editor;
}

void line_editor__destroy(struct line_editor **editor) {
    history_end((*editor)->history);
    el_end((*editor)->edit);
    buf_deinit(&(*editor)->prompt);
    mem_free(*editor);
    *editor = NULL;
}

enum line_result line_editor__read(struct line_editor *editor, struct buf *out, bool *had_text) {
    int size = 0;
    buf_clear(out);
    editor->interrupted = false;
    /* Before the prompt: else the terminal itself takes the keys of somebody who is quick. */
    (void)el_set(editor->edit, EL_PREP_TERM, 1);
    const char *line = el_gets(editor->edit, &size);
    if (editor->interrupted) {
        const LineInfo *info = el_line(editor->edit);
        *had_text = info->lastchar != info->buffer;
        printf("^C\n");
        (void)fflush(stdout);
        return LINE_INTERRUPTED;
    }
    if (!line || size <= 0) return LINE_END;
    buf_add(out, bytes_trim(bytes_make(line, (size_t)size)));
    return LINE_ENTERED;
}

void line_editor__remember(struct line_editor *editor, const char *line) {
    HistEvent event;
    (void)history(editor->history, &event, H_ENTER, line);
}

#else

struct line_editor {
    struct cli *cli;
};

struct line_editor *line_editor__create(struct cli *cli) {
    struct line_editor *editor = mem_zalloc(sizeof(*editor));
    editor->cli = cli;
    return editor;
}

void line_editor__destroy(struct line_editor **editor) {
    mem_free(*editor);
    *editor = NULL;
}

static void print_prompt(const struct cli *cli) {
    struct buf prompt = {0};
    line_editor__prompt(cli, &prompt);
    printf("%s", prompt.data);
    (void)fflush(stdout);
    buf_deinit(&prompt);
}

/* The terminal edits; a key is there when a whole line is. */
enum line_result line_editor__read(struct line_editor *editor, struct buf *out, bool *had_text) {
    bool waited = true;
    buf_clear(out);
    print_prompt(editor->cli);
    for (;;) {
        enum wait_end end = wait_for_key(editor->cli, &waited);
        if (end == WAIT_KEY) break;
        if (end == WAIT_INTERRUPT) {
            *had_text = false;
            return LINE_INTERRUPTED;
        }
        if (session__print_arrived(editor->cli)) print_prompt(editor->cli);
    }
    for (;;) {
        char byte;
        ssize_t got = read(STDIN_FILENO, &byte, 1);
        if (got == -1 && errno == EINTR) continue;
        if (got <= 0) return out->size > 0 ? LINE_ENTERED : LINE_END;
        if (byte == '\n') return LINE_ENTERED;
        buf_add_char(out, byte);
    }
}

void line_editor__remember(struct line_editor *editor, const char *line) {
    (void)editor, (void)line;
}

#endif
