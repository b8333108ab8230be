/* SPDX-License-Identifier: BSD-3-Clause */
/* The process title lies where the system put argv and environ: one run of memory that is ours to
 * overwrite once copies of both have taken their place. */
#include "server/title.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/server_config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void title_room_init(struct title_room *room, int argc, char **argv) {
    if (argc < 1) return;
    char *start = argv[0], *end = start;
    for (int i = 0; i < argc; i++) {
        if (argv[i] == end) end += strlen(argv[i]) + 1;
    }
    size_t count = 0;
    while (environ && environ[count])
        count++;
    char **copies = mem_alloc_array(count + 1, sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        if (environ[i] == end) end += strlen(environ[i]) + 1;
        copies[i] = mem_strdup(environ[i]);
    }
    copies[count] = NULL;
    for (int i = 0; i < argc; i++)
        argv[i] = mem_strdup(argv[i]);
    environ = copies;
    *room = (struct title_room){.start = start, .size = (size_t)(end - start)};
}

struct title_find {
    const struct title_values *values;
    char number[16];
};

static const char *find_variable(struct bytes name, void *ctx) {
    struct title_find *find = ctx;
    const struct title_values *values = find->values;
    const struct {
        const char *name, *text;
    } texts[] = {
        {"title", values->program},           {"listen-addr", values->listen_addr},
        {"server-mode", values->server_mode}, {"unixsocket", values->unixsocket},
        {"config-file", values->config_file},
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (bytes_equal(name, bytes_of(texts[i].name))) return texts[i].text ? texts[i].text : "";
    }
    bool tls = bytes_equal(name, BYTES("tls-port"));
    if (!tls && !bytes_equal(name, BYTES("port"))) return NULL;
    snprintf(find->number, sizeof(find->number), "%d", tls ? values->tls_port : values->port);
    return find->number;
}

void title_show(const struct title_room *room, const char *template,
                const struct title_values *values) {
    if (!room->start) return;
    struct title_find find = {.values = values};
    struct buf text = {0};
    if (proc_title_expand(bytes_of(template), find_variable, &find, &text)) {
        struct bytes trimmed = bytes_trim(buf_bytes(&text));
        size_t size = size_min(trimmed.size, room->size - 1);
        memset(room->start, 0, room->size);
        if (size) memcpy(room->start, trimmed.data, size);
    } else {
        log_warning("proc-title-template '%s': template format is invalid", template);
    }
    buf_deinit(&text);
}
