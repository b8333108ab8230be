/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/history.h"

#include "base/buf.h"
#include "base/mem.h"
#include "cli/line_editor.h"
#include "client/auth.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char *history__path(const char *name, const char *old_name, const char *file) {
    const char *given = client_environment(name, old_name);
    if (given && given[0]) return mem_strdup(given);
    const char *home = getenv("HOME");
    if (!home || !home[0]) return NULL;
    struct buf path = {0};
    buf_addf(&path, "%s/%s", home, file);
    return buf_take(&path);
}

/* Writes the lines from one on into a new file in place of the old one. */
static void cut(const char *path, const struct buf *text, size_t start) {
    struct buf other = {0};
    buf_addf(&other, "%s.new", path);
    int fd = open(other.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd != -1) {
        size_t size = text->size - start;
        bool good = write(fd, text->data + start, size) == (ssize_t)size;
        close(fd);
        if (!good || rename(other.data, path) == -1) (void)unlink(other.data);
    }
    buf_deinit(&other);
}

/* Where the last HISTORY_LINES_MAX lines begin; *lines is how many there are in all. */
static size_t last_lines(const struct buf *text, size_t *lines) {
    size_t start = 0;
    *lines = 0;
    for (size_t i = text->size; i > 0; i--) {
        if (text->data[i - 1] != '\n') continue;
        if (++*lines == HISTORY_LINES_MAX + 1) start = i;
    }
    return start;
}

void history__load(const char *path, struct line_editor *editor) {
    enum { STEP = 64 * 1024, SIZE_MAX_BYTES = 64 * 1024 * 1024 };
    struct buf text = {0};
    FILE *file = path ? fopen(path, "re") : NULL;
    if (!file) return;
    while (text.size < SIZE_MAX_BYTES) {
        char *room = buf_reserve(&text, STEP);
        size_t got = fread(room, 1, STEP, file);
        if (got == 0) break;
        text.size += got;
        text.data[text.size] = '\0';
    }
    fclose(file);
    size_t lines, start = last_lines(&text, &lines);
    if (lines > (size_t)HISTORY_LINES_MAX * 2) cut(path, &text, start);
    for (size_t i = start; i < text.size;) {
        char *line = text.data + i;
        size_t size = strcspn(line, "\n");
        line[size] = '\0';
        if (size > 0) line_editor__remember(editor, line);
        i += size + 1;
    }
    buf_deinit(&text);
}

void history__append(const char *path, const char *line) {
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd == -1) return;
    struct buf text = {0};
    buf_addf(&text, "%s\n", line);
    ssize_t written = write(fd, text.data, text.size); /* one write: sessions do not mix lines */
    (void)written;
    close(fd);
    buf_deinit(&text);
}
