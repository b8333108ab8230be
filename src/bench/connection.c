/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/connection.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "bench/skip.h"
#include "bench/worker.h"
#include "resp/reply_reader.h"

#include <stdio.h>
#include <sys/epoll.h>

/* ---- states ---- */

#define FROM(state) (1u << (state))
static const uint8_t sources[] = {
    /* the states from which each may be entered, as bits */
    [BENCH_CLIENT_CLOSED] = 0xff,
    [BENCH_CLIENT_DIALING] = FROM(BENCH_CLIENT_CLOSED),
    [BENCH_CLIENT_GREETING] = FROM(BENCH_CLIENT_DIALING),
    [BENCH_CLIENT_IDLE] = FROM(BENCH_CLIENT_GREETING) | FROM(BENCH_CLIENT_BUSY),
    [BENCH_CLIENT_BUSY] = FROM(BENCH_CLIENT_IDLE),
};

/* The only place that changes the state. */
static void enter(struct worker *worker, struct bench_client *client,
                  enum bench_client_state state) {
    check(sources[state] & FROM(client->state));
    if (client->state == BENCH_CLIENT_BUSY) worker->busy--;
    if (state == BENCH_CLIENT_BUSY) worker->busy++;
    client->state = (uint8_t)state;
}

void connection_close(struct worker *worker, struct bench_client *client) {
    client_stream_close(&client->stream); /* which takes it out of the epoll set too */
    if (client->reader) {
        reply_reader_deinit(client->reader);
        mem_free(client->reader);
        client->reader = NULL;
    }
    mem_free(client->unsent);
    client->unsent = NULL;
    client->pending = 0;
    enter(worker, client, BENCH_CLIENT_CLOSED);
}

/* ---- sending ---- */

static void keep_unsent(struct worker *worker, struct bench_client *client, struct bytes rest) {
    client->unsent = mem_try_alloc(rest.size);
    if (!client->unsent) {
        worker_fail(worker, diag_set(&worker->diag, ERR_NO_MEMORY,
                                     "no memory for %zu bytes to be sent", rest.size));
        return;
    }
    memcpy(client->unsent, rest.data, rest.size);
    client->unsent_size = rest.size;
    client->unsent_at = 0;
}

/* Sends what the socket takes; the rest is kept. Nothing must be kept already. */
static void send_bytes(struct worker *worker, struct bench_client *client, struct bytes data) {
    dcheck(!client->unsent);
    while (data.size > 0) {
        size_t sent = 0;
        enum err err =
            client_stream_write(&client->stream, data.data, data.size, &sent, &worker->diag);
        if (err == ERR_AGAIN) {
            keep_unsent(worker, client, data);
            return;
        }
        if (err != ERR_NONE) {
            worker_fail(worker, err);
            return;
        }
        data = bytes_from(data, sent);
    }
}

static void send_unsent(struct worker *worker, struct bench_client *client) {
    while (client->unsent) {
        size_t sent = 0;
        enum err err =
            client_stream_write(&client->stream, client->unsent + client->unsent_at,
                                client->unsent_size - client->unsent_at, &sent, &worker->diag);
        if (err == ERR_AGAIN) return;
        if (err != ERR_NONE) {
            worker_fail(worker, err);
            return;
        }
        client->unsent_at += sent;
        if (client->unsent_at < client->unsent_size) continue;
        mem_free(client->unsent);
        client->unsent = NULL;
    }
}

/* The slots for {tag}. False: the client's node has none any more, and it was sent to another. */
static bool choose_slots(struct worker *worker, struct bench_client *client) {
    const struct cluster_map *map = worker->map;
    if (!map) return true;
    const struct cluster_node *node = &map->nodes[client->node];
    if (!cluster_node_is_used(node, worker->run->options->read_from)) {
        connection_close(worker, client);
        connection_dial(worker, client);
        return false;
    }
    worker->source.slots = node->slots;
    worker->source.slot_count = node->slot_count;
    return true;
}

static void note_idle(struct worker *worker, const struct bench_client *client) {
    check(worker->idle_count < worker->client_count);
    size_t place = (worker->idle_first + worker->idle_count++) % worker->client_count;
    worker->idle[place] = (uint32_t)(client - worker->clients);
}

void connection_next(struct worker *worker, struct bench_client *client, uint64_t now) {
    struct template *template = &worker->template;
    uint64_t due;
    dcheck(client->state == BENCH_CLIENT_IDLE);
    bool sends = worker->phase == BENCH_WARMING || worker->phase == BENCH_MEASURING;
    if (!sends || !worker_is_due(worker, now, &due)) {
        note_idle(worker, client);
        return;
    }
    if (!choose_slots(worker, client)) return;
    size_t sequences = worker_claim(worker);
    if (sequences == 0) {
        note_idle(worker, client);
        return;
    }
    worker->next_due += worker->interval;
    template_fill(template, &worker->source, sequences);
    enter(worker, client, BENCH_CLIENT_BUSY);
    client->due = due;
    client->counted = worker->phase == BENCH_MEASURING;
    client->commands = client->pending = (uint32_t)(sequences * template->commands);
    send_bytes(worker, client, bytes_make(template->data, sequences * template->sequence_size));
}

/* ---- replies ---- */

static void reconnect(struct worker *worker, struct bench_client *client) {
    connection_close(worker, client);
    connection_dial(worker, client);
}

static void on_greeted(struct worker *worker, struct bench_client *client) {
    enter(worker, client, BENCH_CLIENT_IDLE);
    if (worker->ready < worker->dialled) worker->ready++;
    connection_next(worker, client, clock_ticks());
}

static void on_pipeline_done(struct worker *worker, struct bench_client *client) {
    uint64_t now = clock_ticks();
    if (client->counted) {
        uint64_t ns = clock_ticks_to_ns(now - client->due);
        hdr_add(worker->latencies, ns, client->commands);
        series_add(&worker->series, clock_ticks_to_ns(now - worker->start_ticks), ns,
                   client->commands);
        worker->completed += client->commands;
        worker->end_ticks = now;
    }
    enter(worker, client, BENCH_CLIENT_IDLE);
    if (unlikely(!worker->run->options->keep_alive)) {
        reconnect(worker, client);
    } else {
        connection_next(worker, client, now);
    }
}

/* An error for a person to see, but not thousands a second. */
static void show_error(struct worker *worker, struct bytes text) {
    uint64_t now_ms = (uint64_t)clock_mono_ns() / 1000000;
    /* Relaxed: whoever moves the time on shows its own. */
    uint64_t shown_ms = atomic_load_explicit(&worker->run->error_shown_ms, memory_order_relaxed);
    if (now_ms - shown_ms < 1000 && shown_ms != 0) return;
    if (!atomic_compare_exchange_strong_explicit(&worker->run->error_shown_ms, &shown_ms, now_ms,
                                                 memory_order_relaxed, memory_order_relaxed)) {
        return;
    }
    fprintf(stderr, "Error from server: %.*s\n", (int)text.size, text.data);
}

static void on_error(struct worker *worker, struct bench_client *client, struct bytes text) {
    struct reply_redirect redirect;
    bool is_greeting = client->state == BENCH_CLIENT_GREETING;
    if (worker->map && !is_greeting &&
        (reply_redirect_parse(text, &redirect) || bytes_starts_with(text, BYTES("TRYAGAIN")))) {
        worker->redirects++;
        /* Relaxed: a flag that is looked at now and then. */
        if (!atomic_exchange_explicit(&worker->run->map_is_old, true, memory_order_relaxed)) {
            worker_notify(worker->run);
        }
        return;
    }
    worker->errors++;
    if (worker->run->options->go_on_after_errors && !is_greeting) {
        show_error(worker, text);
        return;
    }
    worker_fail(worker,
                diag_set(&worker->diag, ERR_DENIED, "Error from server: %.*s%s",
                         (int)size_min(text.size, 400), text.data,
                         bytes_starts_with(text, BYTES("MOVED")) ? " (try --cluster)" : ""));
}

/* What a reply that was found whole says if it is an error. */
static struct bytes error_text(const char *at, const char *end) {
    int64_t length;
    struct bytes text = bytes_make(at + 1, (size_t)(end - at) - 3);
    if (*at == '!' && skip_length('!', at + 1, end, &length)) {
        text = bytes_make(end - 2 - length, (size_t)length);
    }
    return text;
}

/* Counts count more replies. False: the connection is not what it was. */
static bool on_replies(struct worker *worker, struct bench_client *client, size_t count) {
    int fd = client->stream.fd;
    if (count > client->pending) {
        worker_fail(worker, diag_set(&worker->diag, ERR_SYNTAX,
                                     "the server sent more replies than there were requests"));
        return false;
    }
    client->pending -= (uint32_t)count;
    if (client->pending > 0 || count == 0) return true;
    if (unlikely(client->unsent != NULL)) { /* a value too long for the server, for example */
        worker_fail(worker, diag_set(&worker->diag, ERR_SYNTAX,
                                     "the server answered a request before it was sent"));
        return false;
    }
    if (client->state == BENCH_CLIENT_GREETING) {
        on_greeted(worker, client);
    } else {
        on_pipeline_done(worker, client);
    }
    return client->stream.fd == fd && client->state > BENCH_CLIENT_GREETING;
}

static struct reply_reader *take_reader(struct worker *worker) {
    struct reply_reader *reader = worker->spare;
    worker->spare = NULL;
    if (!reader) {
        reader = mem_alloc(sizeof(*reader));
        reply_reader_init(reader, false);
    }
    return reader;
}

static void give_reader_back(struct worker *worker, struct bench_client *client) {
    if (worker->spare) {
        reply_reader_deinit(client->reader);
        mem_free(client->reader);
    } else {
        worker->spare = client->reader;
    }
    client->reader = NULL;
}

/* Reads one reply that is not whole, or not simple. False: the connection is not what it was. */
static bool read_odd_reply(struct worker *worker, struct bench_client *client,
                           struct bytes *input) {
    struct reply_seen seen = {0};
    if (!client->reader) client->reader = take_reader(worker);
    enum reply_read outcome = reply_reader_skip(client->reader, input, &seen);
    if (outcome == REPLY_READ_MORE) return true; /* which takes all there is */
    if (outcome == REPLY_READ_BROKEN) {
        worker_fail(worker,
                    diag_set(&worker->diag, ERR_SYNTAX, "what the server sent is no reply: %s",
                             client->reader->error));
        return false;
    }
    if (seen.kind == RESP_ERROR) on_error(worker, client, seen.text);
    give_reader_back(worker, client);
    if (worker->err != ERR_NONE) return false;
    return seen.kind == RESP_PUSH || on_replies(worker, client, 1);
}

/* Bytes from the server. False: the connection is not what it was. */
static bool take_input(struct worker *worker, struct bench_client *client, struct bytes input) {
    const char *at = input.data, *end = at + input.size;
    size_t count = 0;
    while (at < end) {
        const char *next = client->reader ? NULL : skip_reply(at, end);
        if (unlikely(!next)) {
            struct bytes rest = bytes_make(at, (size_t)(end - at));
            if (!on_replies(worker, client, count)) return false;
            count = 0;
            if (!read_odd_reply(worker, client, &rest)) return false;
            at = rest.data;
            continue;
        }
        if (unlikely(*at == '-' || *at == '!')) {
            on_error(worker, client, error_text(at, next));
            if (worker->err != ERR_NONE) return false;
        }
        count++;
        at = next;
    }
    return on_replies(worker, client, count);
}

static void receive(struct worker *worker, struct bench_client *client, bool ended) {
    for (;;) {
        size_t got = 0;
        enum err err = client_stream_read(&client->stream, worker->input, CONNECTION_INPUT, &got,
                                          &worker->diag);
        if (err == ERR_AGAIN) return;
        if (err != ERR_NONE) {
            worker_fail(worker, err);
            return;
        }
        if (!take_input(worker, client, bytes_make(worker->input, got))) return;
        /* Less than there was room for, and no end behind it: the next edge tells of more. */
        if (got < CONNECTION_INPUT && !client->stream.tls && !ended) return;
    }
}

/* ---- connecting ---- */

/* A node for the client: the next that is used, beginning with its number. */
static const struct client_target *choose_target(struct worker *worker,
                                                 struct bench_client *client) {
    const struct cluster_map *map = worker->map;
    if (!map) return &worker->run->target;
    size_t used = 0, wanted;
    for (size_t i = 0; i < map->node_count; i++) {
        used += cluster_node_is_used(&map->nodes[i], worker->run->options->read_from);
    }
    check(used > 0); /* else the map had not been made */
    wanted = (worker->first_client + (size_t)(client - worker->clients)) % used;
    for (size_t i = 0; i < map->node_count; i++) {
        if (!cluster_node_is_used(&map->nodes[i], worker->run->options->read_from)) continue;
        if (wanted-- > 0) continue;
        client->node = (uint16_t)i;
        return &map->nodes[i].target;
    }
    return NULL;
}

void connection_dial(struct worker *worker, struct bench_client *client) {
    const struct bench_run *run = worker->run;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.u64 = (uint64_t)(client - worker->clients)};
    enum err err = client_stream_dial(&client->stream, choose_target(worker, client),
                                      &run->options->client, run->tls, &worker->diag);
    if (err == ERR_NONE && epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, client->stream.fd, &event)) {
        err = diag_errno(&worker->diag, ERR_IO, "epoll");
    }
    if (err != ERR_NONE) {
        worker_fail(worker, err);
        return;
    }
    enter(worker, client, BENCH_CLIENT_DIALING);
}

/* Goes on connecting; once connected, says who we are. */
static void go_on_dialing(struct worker *worker, struct bench_client *client) {
    const struct bench_run *run = worker->run;
    enum err err = client_stream_finish(&client->stream, &worker->diag);
    if (err == ERR_AGAIN) return;
    if (err != ERR_NONE) {
        worker_fail(worker, err);
        return;
    }
    enter(worker, client, BENCH_CLIENT_GREETING);
    client->pending = (uint32_t)run->greeting_replies;
    if (client->pending == 0) {
        on_greeted(worker, client);
    } else {
        send_bytes(worker, client, run->greeting);
    }
}

void connection_event(struct worker *worker, struct bench_client *client, uint32_t events) {
    bool ended = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (client->state == BENCH_CLIENT_CLOSED) return;
    if (client->state == BENCH_CLIENT_DIALING) {
        go_on_dialing(worker, client);
        if (client->state < BENCH_CLIENT_GREETING || worker->err != ERR_NONE) return;
    } else if (unlikely(client->unsent != NULL)) {
        send_unsent(worker, client);
        if (worker->err != ERR_NONE) return;
    }
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR) || client->stream.tls) {
        receive(worker, client, ended);
    }
}
