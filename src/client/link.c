/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/link.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "client/address.h"
#include "client/auth.h"

#include <errno.h>
#include <poll.h>

void client_link_init(struct client_link *link) {
    *link = (struct client_link){.stream = {.fd = -1}, .wake_fd = -1};
    link->room = mem_alloc(CLIENT_LINK_INPUT);
    reply_reader_init(&link->reader, true);
}

void client_link_deinit(struct client_link *link) {
    client_link_close(link);
    client_tls_destroy(&link->tls);
    reply_reader_deinit(&link->reader);
    mem_free(link->room);
    link->room = NULL;
}

void client_link_close(struct client_link *link) {
    client_stream_close(&link->stream);
    reply_reader_deinit(&link->reader);
    reply_reader_init(&link->reader, true);
    link->input = bytes_make(link->room, 0);
}

/* An error that ends the connection. */
static enum err give_up(struct client_link *link, enum err err) {
    client_link_close(link);
    return err;
}

/* ---- waiting ---- */

/* deadline_ns: -1 for none. */
static int64_t deadline_of(int timeout_ms) {
    return timeout_ms < 0 ? -1 : clock_mono_ns() + (int64_t)timeout_ms * 1000000;
}

static int remaining_ms(int64_t deadline_ns) {
    if (deadline_ns < 0) return -1;
    int64_t left = deadline_ns - clock_mono_ns();
    return left <= 0 ? 0 : (int)i64_min((left + 999999) / 1000000, INT32_MAX);
}

/* Until the stream can do what it waits for. ERR_AGAIN: the time is over, or the wake descriptor
 * has something. */
static enum err wait_ready(struct client_link *link, int64_t deadline_ns, struct diag *diag) {
    struct pollfd pollers[2] = {
        {.fd = link->stream.fd, .events = client_stream_events(&link->stream)},
        {.fd = link->wake_fd, .events = POLLIN},
    };
    for (;;) {
        int ready = poll(pollers, 2, remaining_ms(deadline_ns));
        if (ready == -1 && errno == EINTR) continue;
        if (ready == -1) return diag_errno(diag, ERR_IO, "cannot wait");
        if (pollers[0].revents) return ERR_NONE;
        if (pollers[1].revents) return diag_set(diag, ERR_AGAIN, "interrupted");
        if (ready == 0) return diag_set(diag, ERR_AGAIN, "timed out");
    }
}

/* For what goes on and on without ever making us wait. */
static bool is_woken(const struct client_link *link) {
    struct pollfd poller = {.fd = link->wake_fd, .events = POLLIN};
    return link->wake_fd != -1 && poll(&poller, 1, 0) == 1;
}

/* ---- connecting ---- */

static enum err finish(struct client_link *link, const struct client_options *options,
                       struct diag *diag) {
    double seconds = options->connect_timeout_s;
    int64_t deadline = deadline_of(seconds > 0 ? (int)(seconds * 1000) + 1 : -1);
    for (;;) {
        enum err err = client_stream_finish(&link->stream, diag);
        if (err != ERR_AGAIN) return err;
        err = wait_ready(link, deadline, diag);
        if (err == ERR_AGAIN) return diag_set(diag, ERR_IO, "%s", "no answer in time");
        if (err != ERR_NONE) return err;
    }
}

enum err client_link_open(struct client_link *link, const struct client_options *options,
                          struct diag *diag) {
    struct client_target targets[CLIENT_TARGETS_MAX];
    size_t count;
    client_link_close(link);
    client_tls_destroy(&link->tls);
    if (options->tls.enabled) {
        enum err err = client_tls_create(&options->tls, &link->tls, diag);
        if (err != ERR_NONE) return err;
    }
    enum err err = client_resolve(options, targets, &count, diag);
    if (err != ERR_NONE) return err;
    for (size_t i = 0; i < count; i++) {
        err = client_stream_dial(&link->stream, &targets[i], options, link->tls, diag);
        if (err == ERR_NONE) err = finish(link, options, diag);
        if (err == ERR_NONE) return ERR_NONE;
        client_link_close(link);
    }
    return err;
}

enum err client_link_greet(struct client_link *link, const struct client_options *options,
                           struct diag *diag) {
    struct buf greeting = {0};
    size_t replies = client_encode_greeting(options, &greeting);
    enum err err = replies ? client_link_send(link, buf_bytes(&greeting), diag) : ERR_NONE;
    buf_deinit(&greeting);
    enum err refused = ERR_NONE;
    for (size_t i = 0; i < replies && err == ERR_NONE; i++) {
        struct resp_value *reply = NULL;
        err = client_link_receive(link, CLIENT_WAIT_FOREVER, &reply, diag);
        if (err != ERR_NONE) break;
        if (resp_is_error(reply) && refused == ERR_NONE) {
            refused = diag_set(diag, ERR_DENIED, "%.400s", reply->text.data);
        }
        resp_value_destroy(&reply);
    }
    return err != ERR_NONE ? err : refused;
}

/* ---- requests and replies ---- */

enum err client_link_send(struct client_link *link, struct bytes data, struct diag *diag) {
    if (!client_link_is_open(link)) return diag_set(diag, ERR_CLOSED, "not connected");
    while (data.size > 0) {
        size_t sent = 0;
        enum err err = client_stream_write(&link->stream, data.data, data.size, &sent, diag);
        if (err == ERR_NONE) {
            data = bytes_from(data, sent);
            continue;
        }
        if (err == ERR_AGAIN) err = wait_ready(link, -1, diag);
        if (err != ERR_NONE) return give_up(link, err);
    }
    return ERR_NONE;
}

enum err client_link_request(struct client_link *link, size_t argc, const struct bytes *argv,
                             struct diag *diag) {
    struct buf request = {0};
    client_encode(&request, argc, argv);
    enum err err = client_link_send(link, buf_bytes(&request), diag);
    buf_deinit(&request);
    return err;
}

/* More input, when there is none left. goes_on: it belongs to what has arrived before. */
static enum err fill(struct client_link *link, bool goes_on, int64_t deadline_ns,
                     struct diag *diag) {
    check(link->input.size == 0);
    if (goes_on && is_woken(link)) return diag_set(diag, ERR_AGAIN, "interrupted");
    for (;;) {
        size_t got = 0;
        enum err err = client_stream_read(&link->stream, link->room, CLIENT_LINK_INPUT, &got, diag);
        if (err == ERR_NONE) {
            link->input = bytes_make(link->room, got);
            return ERR_NONE;
        }
        if (err != ERR_AGAIN) return give_up(link, err);
        err = wait_ready(link, deadline_ns, diag);
        if (err == ERR_AGAIN) return err;
        if (err != ERR_NONE) return give_up(link, err);
    }
}

enum err client_link_probe(struct client_link *link, struct diag *diag) {
    if (!client_link_is_open(link)) return diag_set(diag, ERR_CLOSED, "not connected");
    if (link->input.size > 0) return ERR_NONE;
    size_t got = 0;
    enum err err = client_stream_read(&link->stream, link->room, CLIENT_LINK_INPUT, &got, diag);
    if (err == ERR_NONE) link->input = bytes_make(link->room, got);
    if (err == ERR_NONE || err == ERR_AGAIN) return ERR_NONE;
    return give_up(link, err);
}

enum err client_link_receive(struct client_link *link, int timeout_ms, struct resp_value **out,
                             struct diag *diag) {
    if (!client_link_is_open(link)) return diag_set(diag, ERR_CLOSED, "not connected");
    int64_t deadline = deadline_of(timeout_ms);
    for (;;) {
        switch (reply_reader_next(&link->reader, &link->input, out)) {
        case REPLY_READ_WHOLE: return ERR_NONE;
        case REPLY_READ_MORE: break;
        case REPLY_READ_BROKEN:
            diag_set(diag, ERR_SYNTAX, "Protocol error: %s", link->reader.error);
            return give_up(link, ERR_SYNTAX);
        }
        bool goes_on = reply_reader_is_mid_reply(&link->reader);
        enum err err = fill(link, goes_on, deadline, diag);
        if (err != ERR_NONE) return err;
    }
}

enum err client_link_call_args(struct client_link *link, size_t argc, const struct bytes *argv,
                               struct resp_value **out, struct diag *diag) {
    enum err err = client_link_request(link, argc, argv, diag);
    while (err == ERR_NONE) {
        err = client_link_receive(link, CLIENT_WAIT_FOREVER, out, diag);
        if (err == ERR_AGAIN) client_link_close(link); /* or the next call would get this reply */
        if (err != ERR_NONE || (*out)->kind != RESP_PUSH) break;
        resp_value_destroy(out);
    }
    return err;
}

enum err client_link_call(struct client_link *link, const char *const *words,
                          struct resp_value **out, struct diag *diag) {
    struct bytes argv[32];
    size_t argc = 0;
    for (; words[argc]; argc++) {
        check(argc < COUNT_OF(argv));
        argv[argc] = bytes_of(words[argc]);
    }
    return client_link_call_args(link, argc, argv, out, diag);
}

enum err client_link_read_raw(struct client_link *link, void *data, size_t size, int timeout_ms,
                              size_t *got, struct diag *diag) {
    check(!reply_reader_is_mid_reply(&link->reader) && size > 0);
    if (!client_link_is_open(link)) return diag_set(diag, ERR_CLOSED, "not connected");
    if (link->input.size == 0) {
        enum err err = fill(link, true, deadline_of(timeout_ms), diag);
        if (err != ERR_NONE) return err;
    }
    *got = size_min(size, link->input.size);
    memcpy(data, link->input.data, *got);
    link->input = bytes_from(link->input, *got);
    return ERR_NONE;
}

enum err client_link_read_line(struct client_link *link, char *line, size_t cap,
                               struct diag *diag) {
    size_t size = 0;
    for (;;) {
        char c;
        size_t got;
        enum err err = client_link_read_raw(link, &c, 1, CLIENT_WAIT_FOREVER, &got, diag);
        if (err != ERR_NONE) return err;
        if (c == '\n') break;
        if (size + 1 == cap) {
            diag_set(diag, ERR_SYNTAX, "Protocol error: a line is too long");
            return give_up(link, ERR_SYNTAX);
        }
        line[size++] = c;
    }
    if (size > 0 && line[size - 1] == '\r') size--;
    line[size] = '\0';
    return ERR_NONE;
}

void client_link_unread(struct client_link *link, size_t size) {
    check(size <= (size_t)(link->input.data - link->room));
    link->input = bytes_make(link->input.data - size, link->input.size + size);
}
