/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/sync.h"

#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"

enum { LINE_MAX = 1024 };

/* ---- asking ---- */

/* REPLCONF option value. False: the connection failed, or the server does not know the option. */
static bool configure(struct cli *cli, const char *option, const char *value) {
    struct resp_value *reply = NULL;
    if (!cli_call(cli, (const char *[]){"REPLCONF", option, value, NULL}, &reply)) return false;
    bool good = !resp_is_error(reply);
    if (!good && cli->options.verbose) {
        cli_say("REPLCONF %s %s failed: %s", option, value, reply->text.data);
    }
    resp_value_destroy(&reply);
    return good;
}

static bool configure_all(struct cli *cli, enum sync_want want) {
    if (!cli_connect(cli)) return false;
    /* Servers of old know neither: they send with a length, and as to any replica. */
    (void)configure(cli, "capa", "eof");
    if (want == SYNC_REPLICA) return client_link_is_open(&cli->link);
    (void)configure(cli, "rdb-only", "1");
    if (want == SYNC_FUNCTIONS && !configure(cli, "rdb-filter-only", "functions")) {
        cli_say("The server cannot send its functions without the keys.");
        return false;
    }
    return client_link_is_open(&cli->link);
}

/* The first line that says something. */
static bool read_line(struct cli *cli, char line[LINE_MAX]) {
    struct diag diag = {0};
    do {
        if (client_link_read_line(&cli->link, line, LINE_MAX, &diag) != ERR_NONE) {
            cli_say("Error: %s", diag.text);
            return false;
        }
    } while (line[0] == '\0');
    return true;
}

static bool request(struct cli *cli, size_t argc, const struct bytes *argv, char line[LINE_MAX]) {
    struct diag diag = {0};
    if (client_link_request(&cli->link, argc, argv, &diag) != ERR_NONE) {
        cli_say("Error: %s", diag.text);
        return false;
    }
    return read_line(cli, line);
}

/* SYNC; where the server has none (it may have been renamed), PSYNC. */
static bool ask(struct sync_source *source, char line[LINE_MAX]) {
    struct cli *cli = source->cli;
    const char *command = "SYNC";
    if (!request(cli, 1, (const struct bytes[]){BYTES("SYNC")}, line)) return false;
    if (strncmp(line, "-ERR unknown command", 20) == 0) {
        const struct bytes psync[] = {BYTES("PSYNC"), BYTES("?"), BYTES("-1")};
        if (!request(cli, COUNT_OF(psync), psync, line)) return false;
        command = "PSYNC";
        source->psync = true;
        if (strncmp(line, "+FULLRESYNC ", 12) == 0 && !read_line(cli, line)) return false;
    }
    if (line[0] == '$') return true;
    cli_say("%s failed: %s", command, line[0] == '-' ? line + 1 : line);
    return false;
}

bool sync_init(struct sync_source *source, struct cli *cli, enum sync_want want) {
    *source = (struct sync_source){.cli = cli, .size = -1};
    char line[LINE_MAX];
    cli_catch_interrupts(cli);
    if (!configure_all(cli, want) || !ask(source, line)) return false;
    struct bytes header = bytes_of(line + 1);
    if (bytes_starts_with(header, BYTES("EOF:")) && header.size == 4 + SYNC_MARKER_SIZE) {
        memcpy(source->marker, header.data + 4, SYNC_MARKER_SIZE);
    } else if (!num_parse_i64(header, &source->size) || source->size < 0) {
        cli_say("SYNC failed: '%.100s' announces no snapshot", line);
        return false;
    }
    source->window = mem_alloc(SYNC_MARKER_SIZE + SYNC_CHUNK);
    progress_init(&source->progress, PROGRESS_BYTES);
    return true;
}

void sync_deinit(struct sync_source *source) {
    if (source->window) progress_clear(&source->progress);
    mem_free(source->window);
    source->window = NULL;
}

/* ---- reading ---- */

static bool read_raw(struct sync_source *source, char *room, size_t size, size_t *got) {
    struct diag diag = {0};
    enum err err =
        client_link_read_raw(&source->cli->link, room, size, CLIENT_WAIT_FOREVER, got, &diag);
    if (err == ERR_NONE) return true;
    progress_clear(&source->progress);
    cli_say("Error: %s after %lld bytes", err == ERR_AGAIN ? "interrupted" : diag.text,
            (long long)source->done);
    return false;
}

static bool next_sized(struct sync_source *source, struct bytes *out) {
    int64_t left = source->size - source->done;
    size_t got = 0;
    if (left > 0 && !read_raw(source, source->window, (size_t)i64_min(left, SYNC_CHUNK), &got)) {
        return false;
    }
    *out = bytes_make(source->window, got);
    return true;
}

/* Gives out all but the bytes at the end that may be the start of the marker. What is behind the
 * marker stays in the link. */
static bool next_marked(struct sync_source *source, struct bytes *out) {
    source->held -= source->given;
    memmove(source->window, source->window + source->given, source->held);
    source->given = 0;
    *out = bytes_make(source->window, 0);
    while (!source->ended && source->given == 0) {
        size_t got = 0;
        if (!read_raw(source, source->window + source->held, SYNC_CHUNK, &got)) return false;
        source->held += got;
        const char *marker = memmem(source->window, source->held, source->marker, SYNC_MARKER_SIZE);
        if (marker) {
            source->given = (size_t)(marker - source->window);
            client_link_unread(&source->cli->link, source->held - source->given - SYNC_MARKER_SIZE);
            source->ended = true;
        } else if (source->held >= SYNC_MARKER_SIZE) {
            source->given = source->held - SYNC_MARKER_SIZE + 1;
        }
    }
    out->size = source->given;
    return true;
}

bool sync_next(struct sync_source *source, struct bytes *out) {
    if (source->ended) {
        *out = bytes_make(source->window, 0);
        return true;
    }
    if (!(source->size >= 0 ? next_sized : next_marked)(source, out)) return false;
    source->done += (int64_t)out->size;
    source->ended = source->ended || (source->size >= 0 && source->done == source->size);
    progress_show(&source->progress, source->done, i64_max(source->size, 0), NULL);
    return true;
}
