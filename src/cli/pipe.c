/* SPDX-License-Identifier: BSD-3-Clause */
/* pipe -- the mode --pipe: sends standard input as it is, commands in the protocol or in lines, and
 * counts the replies.
 *
 *    stdin ──▶ out ──▶ socket ──▶ in ──▶ reply_reader_skip: counted
 *                └── behind the input: ECHO of random text, and QUIT. The reply that has this text
 *                    is the last.
 *
 * A server that refuses the ECHO (it wants a password, the input left a transaction open) still
 * obeys QUIT: the end of the connection says that nothing is to be waited for. Both directions go
 * on at the same time, or a server whose replies nobody reads would stop reading in turn. The input
 * is not looked at: it costs a copy into here and one into the socket. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "cli/cli.h"
#include "cli/cli_mode.h"
#include "cli/progress.h"
#include "client/auth.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    OUT_SIZE = 256 * 1024,
    IN_SIZE = 256 * 1024,
    TOKEN_SIZE = 20,
    TICK_MS = 100, /* of the progress line */
};

enum pipe_phase {
    PIPE_FEEDING = 0, /* input and replies */
    PIPE_ENDING,      /* the input has ended: the ECHO behind it, and the last replies */
    PIPE_DRAINING,    /* the server does not take any more: what has it still said? */
    PIPE_DONE,
    PIPE_FAILED, /* said why on stderr */
};

struct last_reply {
    enum resp_kind kind;
    char text[REPLY_READER_TEXT_MAX + 1]; /* a status or an error */
};

struct pipe {
    struct cli *cli;
    struct client_stream *stream;
    struct reply_reader reader;
    struct progress progress;
    enum pipe_phase phase;
    char *out;
    struct bytes unsent; /* in out */
    char *in;
    short read_events; /* what reading and writing wait for, if the last time was too early */
    short write_events;
    char token[TOKEN_SIZE];
    bool token_added;
    int64_t replies, errors;
    struct last_reply last[2]; /* since the input ended; the newest is the second */
    int64_t sent;
    int64_t input_size; /* bytes of a file; 0: not known */
    int64_t heard_ns;   /* when the last reply came, or the input ended */
    struct diag why;    /* sending failed because */
};

static void say(struct pipe *pipe, const char *what, struct bytes text) {
    progress_clear(&pipe->progress);
    cli_say("%s%.*s", what, (int)text.size, text.data);
}

static void fail(struct pipe *pipe, const char *what, const char *why) {
    say(pipe, what, bytes_of(why));
    pipe->phase = PIPE_FAILED;
}

/* ---- replies ---- */

/* The last two replies: if the connection ends they are those of the ECHO and of QUIT. */
static void keep_reply(struct pipe *pipe, const struct reply_seen *seen) {
    struct last_reply *last = pipe->last;
    last[0] = last[1];
    last[1] = (struct last_reply){.kind = seen->kind};
    snprintf(last[1].text, sizeof(last[1].text), "%.*s", (int)seen->text.size, seen->text.data);
}

/* The connection has ended behind the input. True: QUIT ended it, so the ECHO was refused; their
 * replies do not count. */
static bool take_back_ending(struct pipe *pipe) {
    const struct last_reply *last = pipe->last;
    bool quit = last[1].kind == RESP_STATUS && strcmp(last[1].text, "OK") == 0;
    bool refused = last[0].kind == RESP_ERROR || strcmp(last[0].text, "QUEUED") == 0;
    if (pipe->phase != PIPE_ENDING || !quit || !refused) return false;
    pipe->replies -= 2;
    if (last[0].kind == RESP_ERROR) pipe->errors--;
    return true;
}

static void count_reply(struct pipe *pipe, const struct reply_seen *seen) {
    if (seen->kind == RESP_PUSH) return;
    if (pipe->token_added && seen->kind == RESP_STRING &&
        bytes_equal(seen->text, bytes_make(pipe->token, TOKEN_SIZE))) {
        pipe->phase = PIPE_DONE;
        return;
    }
    pipe->replies++;
    if (pipe->token_added) keep_reply(pipe, seen);
    if (seen->kind == RESP_ERROR) {
        pipe->errors++;
        say(pipe, "", seen->text);
    }
}

static void count_replies(struct pipe *pipe, struct bytes input) {
    struct reply_seen seen;
    while (pipe->phase < PIPE_DONE) {
        switch (reply_reader_skip(&pipe->reader, &input, &seen)) {
        case REPLY_READ_WHOLE: count_reply(pipe, &seen); break;
        case REPLY_READ_MORE: return;
        case REPLY_READ_BROKEN: fail(pipe, "Protocol error: ", pipe->reader.error); return;
        }
    }
}

/* True if there may be more at once. */
static bool receive(struct pipe *pipe) {
    struct diag diag = {0};
    size_t got = 0;
    enum err err = client_stream_read(pipe->stream, pipe->in, IN_SIZE, &got, &diag);
    if (err == ERR_AGAIN) {
        pipe->read_events = client_stream_events(pipe->stream);
        return false;
    }
    if (err != ERR_NONE && take_back_ending(pipe)) {
        fail(pipe,
             "Error: the ECHO behind the input was not answered but with: ", pipe->last[0].text);
        return false;
    }
    if (err != ERR_NONE) {
        const char *why = pipe->phase == PIPE_DRAINING ? pipe->why.text : diag.text;
        fail(pipe, "Error: ", why);
        return false;
    }
    pipe->read_events = POLLIN;
    pipe->heard_ns = clock_mono_ns();
    count_replies(pipe, bytes_make(pipe->in, got));
    return pipe->phase < PIPE_DONE && (got == IN_SIZE || client_stream_has_pending(pipe->stream));
}

/* ---- requests ---- */

/* Behind the input. The empty line ends a last one that lacks its end; the server ignores it. */
static void add_token(struct pipe *pipe) {
    struct buf text = {0};
    random_hex(pipe->token, TOKEN_SIZE);
    buf_add_text(&text, "\r\n");
    client_encode(&text, 2,
                  (const struct bytes[]){BYTES("ECHO"), bytes_make(pipe->token, TOKEN_SIZE)});
    client_encode(&text, 1, (const struct bytes[]){BYTES("QUIT")});
    memcpy(pipe->out, text.data, text.size);
    pipe->unsent = bytes_make(pipe->out, text.size);
    pipe->token_added = true;
    pipe->phase = PIPE_ENDING;
    pipe->heard_ns = clock_mono_ns();
    buf_deinit(&text);
}

static void read_input(struct pipe *pipe) {
    ssize_t got = read(STDIN_FILENO, pipe->out, OUT_SIZE);
    if (got > 0) {
        pipe->unsent = bytes_make(pipe->out, (size_t)got);
        return;
    }
    if (got == -1 && (errno == EINTR || errno == EAGAIN)) return;
    if (got == -1) {
        struct diag diag = {0};
        (void)diag_errno(&diag, ERR_IO, "standard input cannot be read");
        fail(pipe, "Error: ", diag.text);
        return;
    }
    progress_clear(&pipe->progress);
    printf("All data transferred. Waiting for the last reply...\n");
    (void)fflush(stdout);
    add_token(pipe);
}

static void send(struct pipe *pipe) {
    struct diag diag = {0};
    while (pipe->unsent.size > 0) {
        size_t sent = 0;
        enum err err =
            client_stream_write(pipe->stream, pipe->unsent.data, pipe->unsent.size, &sent, &diag);
        if (err == ERR_AGAIN) {
            pipe->write_events = client_stream_events(pipe->stream);
            return;
        }
        if (err != ERR_NONE) {
            pipe->why = diag;
            pipe->unsent = bytes_make(pipe->out, 0);
            pipe->phase = PIPE_DRAINING;
            return;
        }
        pipe->unsent = bytes_from(pipe->unsent, sent);
        pipe->sent += pipe->phase == PIPE_FEEDING ? (int64_t)sent : 0;
    }
    pipe->write_events = POLLOUT;
}

/* ---- the loop ---- */

static void check_patience(struct pipe *pipe) {
    int64_t patience_s = pipe->cli->options.pipe_timeout_s;
    if (pipe->phase != PIPE_ENDING || pipe->unsent.size > 0 || patience_s == 0) return;
    if (clock_mono_ns() - pipe->heard_ns < patience_s * 1000000000) return;
    struct buf text = {0};
    buf_addf(&text, "No replies for %lld seconds: exiting.", (long long)patience_s);
    fail(pipe, "", text.data);
    buf_deinit(&text);
}

static void show_progress(struct pipe *pipe) {
    if (!pipe->progress.enabled) return;
    struct buf note = {0};
    buf_addf(&note, "%lld replies, %lld errors", (long long)pipe->replies, (long long)pipe->errors);
    progress_show(&pipe->progress, pipe->sent, pipe->input_size, note.data);
    buf_deinit(&note);
}

/* Waits for whatever can go on, and lets it. */
static void step(struct pipe *pipe, bool *more) {
    bool wants_input = pipe->phase == PIPE_FEEDING && pipe->unsent.size == 0;
    struct pollfd pollers[2] = {
        {.fd = wants_input ? STDIN_FILENO : -1, .events = POLLIN},
        {.fd = pipe->stream->fd, .events = pipe->read_events},
    };
    if (pipe->unsent.size > 0) pollers[1].events |= pipe->write_events;
    if (poll(pollers, 2, *more ? 0 : TICK_MS) == -1 && errno != EINTR) {
        struct diag diag = {0};
        (void)diag_errno(&diag, ERR_IO, "cannot wait");
        fail(pipe, "Error: ", diag.text);
        return;
    }
    if (pollers[1].revents || *more) *more = receive(pipe);
    if (pipe->phase >= PIPE_DRAINING) return;
    if (pollers[0].revents) read_input(pipe);
    if (pipe->unsent.size > 0) send(pipe);
}

static void start(struct pipe *pipe, struct cli *cli) {
    struct stat about;
    *pipe = (struct pipe){.cli = cli,
                          .stream = &cli->link.stream,
                          .out = mem_alloc(OUT_SIZE),
                          .in = mem_alloc(IN_SIZE),
                          .read_events = POLLIN,
                          .write_events = POLLOUT,
                          .heard_ns = clock_mono_ns()};
    reply_reader_init(&pipe->reader, false);
    progress_init(&pipe->progress, PROGRESS_BYTES);
    if (fstat(STDIN_FILENO, &about) == 0 && S_ISREG(about.st_mode)) {
        off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);
        pipe->input_size = i64_max(about.st_size - i64_max(at, 0), 0);
    }
    count_replies(pipe, cli->link.input); /* what came with the greeting */
}

int cli__run_pipe(struct cli *cli) {
    struct pipe pipe;
    bool more = false;
    if (!cli_connect(cli)) return EXIT_FAILURE;
    start(&pipe, cli);
    while (pipe.phase < PIPE_DONE) {
        step(&pipe, &more);
        if (pipe.phase < PIPE_DONE) check_patience(&pipe);
        if (pipe.phase < PIPE_DONE) show_progress(&pipe);
    }
    progress_clear(&pipe.progress);
    if (pipe.phase == PIPE_DONE) printf("Last reply received from server.\n");
    printf("errors: %lld, replies: %lld\n", (long long)pipe.errors, (long long)pipe.replies);
    reply_reader_deinit(&pipe.reader);
    mem_free(pipe.out);
    mem_free(pipe.in);
    return pipe.phase == PIPE_DONE && pipe.errors == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
