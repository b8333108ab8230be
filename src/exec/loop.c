/* SPDX-License-Identifier: BSD-3-Clause */
#include "exec/loop.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "exec/limits.h"
#include "exec/run.h"
#include "io/io.h"
#include "net/listener.h"
#include "net/reactor.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LOOP_REQUESTS_PER_FLUSH = 1024, /* executed before replies are sent */
    LOOP_COLLECT = 64,
    LOOP_FED_MAX = 4,     /* received buffers one connection may hold before it is paused */
    LOOP_WAIT_MS = 1,     /* for a completion while the reactor is lent */
    LOOP_HELP_UNTIL = 16, /* completions wait: rather execute what they brought */
};

/* ---- lists ---- */

void ready_push(struct exec *exec, struct client *client) {
    if (client->conn.queued_ready) return;
    client->conn.queued_ready = true;
    client->conn.next_ready = NULL;
    if (exec->ready_tail) {
        exec->ready_tail->conn.next_ready = &client->conn;
    } else {
        exec->ready_head = client;
    }
    exec->ready_tail = client;
}

void ready_pop(struct exec *exec) {
    struct client *client = exec->ready_head;
    client->conn.queued_ready = false;
    exec->ready_head = client->conn.next_ready ? client_of_conn(client->conn.next_ready) : NULL;
    if (!exec->ready_head) exec->ready_tail = NULL;
}

void ready_remove(struct exec *exec, struct client *client) {
    if (!client->conn.queued_ready) return;
    struct client *before = NULL;
    for (struct client *at = exec->ready_head; at != client;) {
        before = at;
        at = client_of_conn(at->conn.next_ready);
    }
    if (!before) {
        ready_pop(exec);
        return;
    }
    before->conn.next_ready = client->conn.next_ready;
    if (exec->ready_tail == client) exec->ready_tail = before;
    client->conn.queued_ready = false;
}

void write_push(struct exec *exec, struct client *client) {
    if (client->conn.queued_write) return;
    client->conn.queued_write = true;
    client->conn.next_write = NULL;
    if (exec->write_tail) {
        exec->write_tail->conn.next_write = &client->conn;
    } else {
        exec->write_head = client;
    }
    exec->write_tail = client;
}

static void readable_push(struct exec *exec, struct client *client) {
    if (client->conn.queued_read) return;
    client->conn.queued_read = true;
    client->conn.next_read = NULL;
    if (exec->read_tail) {
        exec->read_tail->conn.next_read = &client->conn;
    } else {
        exec->read_head = client;
    }
    exec->read_tail = client;
}

static struct client *readable_pop(struct exec *exec) {
    struct client *client = exec->read_head;
    if (!client) return NULL;
    client->conn.queued_read = false;
    exec->read_head = client->conn.next_read ? client_of_conn(client->conn.next_read) : NULL;
    if (!exec->read_head) exec->read_tail = NULL;
    return client;
}

static struct client *write_pop(struct exec *exec) {
    struct client *client = exec->write_head;
    if (!client) return NULL;
    client->conn.queued_write = false;
    exec->write_head = client->conn.next_write ? client_of_conn(client->conn.next_write) : NULL;
    if (!exec->write_head) exec->write_tail = NULL;
    return client;
}

/* ---- reading ---- */

/* The protocol is broken: one error after the replies to what came before, then the end. */
static void loop_bad_input(struct exec *exec, struct client *client) {
    char text[128];
    const char *error = client->conn.parser.error ? client->conn.parser.error : "Protocol error";
    int size = snprintf(text, sizeof(text), "ERR %s", error);
    reply_set_muted(&client->conn.out, false);
    reply_error(&client->conn.out, bytes_make(text, (size_t)size));
    error_stats_count(exec, BYTES("ERR"));
    char peer[ENDPOINT_TEXT_MAX];
    client_address(client, true, peer);
    log_verbose("Protocol error (%s) from client: id=%llu addr=%s", error,
                (unsigned long long)client->id, peer);
    client_close_after_reply(client);
}

static bool loop_has_output(const struct client *client) {
    const struct conn *conn = &client->conn;
    return !reply_is_empty(&conn->out) || conn->sending ||
           (client->flags & CLIENT_CLOSE_AFTER_REPLY);
}

/* The peer sends no more, and may yet read what it has asked for. */
static void loop_end(struct client *client) {
    if (loop_has_output(client)) {
        client_close_after_reply(client);
    } else {
        client_close(client);
    }
}

/* What the last read found, once all its requests are executed. */
static never_inline void loop_read_status(struct exec *exec, struct client *client) {
    struct conn *conn = &client->conn;
    switch ((enum conn_status)conn->read_status) {
    case CONN_FINE:
    case CONN_AGAIN: return;
    case CONN_ENDED: loop_end(client); return;
    case CONN_FAILED:
        log_verbose("Reading from client %llu: %s", (unsigned long long)client->id,
                    strerror(conn->error_number));
        client_close(client);
        return;
    case CONN_BAD_INPUT: loop_bad_input(exec, client); return;
    case CONN_TOO_BIG:
        log_warning("Closing client %llu that reached max query buffer length",
                    (unsigned long long)client->id);
        exec->stats.input_limit_closed++;
        client_close(client);
        return;
    }
}

/* One client must not hold all receive buffers of the ring. */
static void loop_pause_receive(struct exec *exec, struct conn *conn, bool paused) {
    conn->receive_paused = paused;
    reactor_pause_receive(exec->reactor, conn->fd, client_of_conn(conn), paused);
}

/* Gives a received buffer back when it is used up. */
static never_inline void loop_fed_read(struct exec *exec, struct conn *conn) {
    if (conn->fed && !conn->fed_size) {
        reactor_buffer_done(exec->reactor, conn->fed_buffer);
        conn->fed = NULL;
    }
    conn->readable = conn->fed || conn->fed_head || conn->fed_ended;
    if (conn->receive_paused && !conn->fed_head) loop_pause_receive(exec, conn, false);
}

/* Counts what a read brought. */
static void loop_count_read(struct exec *exec, struct conn *conn) {
    exec->stats.reads++;
    exec->stats.net_in += conn->bytes_in - conn->bytes_in_counted;
    conn->bytes_in_counted = conn->bytes_in;
    if (conn->input_peak > exec->stats.recent_max_input) {
        exec->stats.recent_max_input = conn->input_peak;
    }
    conn->input_peak = 0;
    if (unlikely(conn->uses_feed)) {
        loop_fed_read(exec, conn);
    } else {
        conn->readable = conn->read_status == CONN_FINE || conn->readable_anew;
    }
    conn->readable_anew = false;
}

/* Nothing is left to execute: gives memory back, then handles an end or an error, or reads on. */
static void loop_after_requests(struct exec *exec, struct client *client) {
    struct conn *conn = &client->conn;
    conn_trim(conn, &exec->chunks, &exec->free_batches);
    if (unlikely(conn->read_status != CONN_AGAIN) && !client_is_closing(client)) {
        loop_read_status(exec, client);
    }
    if (conn->readable && !client_is_closing(client)) readable_push(exec, client);
}

/* A read is complete, here or on a worker: its requests become ready, or its end is handled. */
static void loop_read_done(struct exec *exec, struct client *client) {
    loop_count_read(exec, &client->conn);
    if (client_is_closing(client)) client_drop_requests(client);
    if (client->conn.batch->count > client->conn.batch->next) {
        ready_push(exec, client);
    } else {
        loop_after_requests(exec, client);
    }
}

/* Reads here, or lends the connection for it. True: it has been read, and loop_read_done is due. */
static bool loop_read(struct exec *exec, struct client *client) {
    struct conn *conn = &client->conn;
    if (client_is_closing(client) || conn->batch || conn->owner != CONN_EXECUTOR) return false;
    if (client->flags & CLIENT_BLOCKED) return false; /* loop_go_on comes back to it */
    if (conn->uses_feed && !conn->fed) conn_feed_next(conn);
    conn->input_limit = exec->config->input_limit;
    conn->parser.bulk_max = exec->config->bulk_max;
    conn_lend_memory(conn, &exec->chunks, &exec->free_batches);
    /* An end is not worth a job, and who comes after it must not see the client any more. With
     * io_uring it is also noted while others are lent. */
    bool worth_lending = conn->uses_feed ? conn->fed != NULL : !conn->hangup;
    if (worth_lending && io_submit_read(exec->io, conn)) return false;
    conn_read(conn, &exec->reader);
    return true;
}

/* Nothing is read from a client that is held: if its peer goes away, this is where it shows. */
static void loop_look_at_held(struct client *client) {
    const struct conn *conn = &client->conn;
    if (!(client->flags & (CLIENT_PAUSED | CLIENT_BLOCKED))) return;
    bool read_ended = conn->owner == CONN_EXECUTOR &&
                      (conn->read_status == CONN_ENDED || conn->read_status == CONN_FAILED);
    if (conn->hangup_seen || conn->fed_ended || read_ended) client_close(client);
}

/* A blocked client may stay so for long: with nothing more to execute it needs no memory. */
static void loop_batch_blocked(struct exec *exec, struct client *client) {
    struct conn *conn = &client->conn;
    loop_look_at_held(client);
    if (conn->owner != CONN_EXECUTOR) return;
    bool fine = conn->read_status == CONN_FINE || conn->read_status == CONN_AGAIN;
    if (fine && conn->batch->next == conn->batch->count && !conn_has_input(conn)) {
        conn_trim(conn, &exec->chunks, &exec->free_batches);
    }
}

void loop_batch_done(struct exec *exec, struct client *client) {
    struct conn *conn = &client->conn;
    if (client_is_closing(client)) {
        client_drop_requests(client);
        conn_trim(conn, &exec->chunks, &exec->free_batches);
        return;
    }
    if (client->flags & CLIENT_PAUSED) {
        loop_look_at_held(client);
        return;
    }
    if (client->flags & CLIENT_BLOCKED) {
        loop_batch_blocked(exec, client);
        return;
    }
    check(conn->batch->next == conn->batch->count);
    if (conn_has_input(conn) && conn->read_status != CONN_BAD_INPUT) {
        batch_reset(conn->batch);
        conn_parse(conn, &exec->reader);
        if (conn->batch->count) {
            ready_push(exec, client);
            return;
        }
    }
    loop_after_requests(exec, client);
}

void loop_resume_paused(struct exec *exec) {
    for (struct client *client = exec->clients_head; client; client = client->next) {
        if (!(client->flags & CLIENT_PAUSED)) continue;
        client->flags &= ~(uint32_t)CLIENT_PAUSED;
        ready_push(exec, client);
    }
}

/* ---- writing ---- */

/* After a write that did not send all, or was the last one. */
static never_inline void loop_write_next(struct exec *exec, struct client *client) {
    struct conn *conn = &client->conn;
    if (client->flags & CLIENT_CLOSE_ASAP) return;
    if (conn->write_status == CONN_FAILED) {
        log_verbose("Error writing to client %llu: %s", (unsigned long long)client->id,
                    strerror(conn->error_number));
        client_close(client);
    } else if (conn->write_status == CONN_AGAIN) {
        conn->write_blocked = true;
        reactor_want_write(exec->reactor, conn->fd, client, true);
    } else if (conn->sending_now || !reply_is_empty(&conn->out)) {
        write_push(exec, client);
    } else if (client->flags & CLIENT_CLOSE_AFTER_REPLY) {
        client_close(client);
    }
}

static void loop_write_done(struct exec *exec, struct client *client) {
    struct conn *conn = &client->conn;
    exec->stats.writes++;
    exec->stats.net_out += conn->bytes_out - conn->bytes_out_counted;
    conn->bytes_out_counted = conn->bytes_out;
    conn_sent(conn, &exec->chunks);
    bool all = conn->write_status == CONN_FINE && !conn->sending_now && reply_is_empty(&conn->out);
    if (unlikely(!all || client_is_closing(client))) loop_write_next(exec, client);
}

static void loop_write(struct exec *exec, struct client *client) {
    struct conn *conn = &client->conn;
    if ((client->flags & CLIENT_CLOSE_ASAP) || conn->owner != CONN_EXECUTOR) return;
    if (conn->write_blocked || conn->send_in_flight) return;
    if (!conn_take_output(conn)) {
        if (client->flags & CLIENT_CLOSE_AFTER_REPLY) client_close(client);
        return;
    }
    if (conn->uses_feed && reactor_send(exec->reactor, conn->fd, client, conn->sending_now,
                                        conn->sending_offset) == ERR_NONE) {
        conn->send_in_flight = true;
        return;
    }
    if (io_submit_write(exec->io, conn)) return;
    conn_write(conn);
    loop_write_done(exec, client);
}

static void loop_write_all(struct exec *exec) {
    /* Those that are pushed again meanwhile wait for the next round. */
    struct client *last = exec->write_tail;
    while (last) {
        struct client *client = write_pop(exec);
        loop_write(exec, client);
        if (client == last) break;
    }
    io_commit(exec->io);
    reactor_flush(exec->reactor);
}

void loop_flush_output(struct exec *exec) {
    for (struct client *client = exec->clients_head; client; client = client->next) {
        struct conn *conn = &client->conn;
        if (conn->owner != CONN_EXECUTOR || conn->send_in_flight) continue;
        if ((client->flags & CLIENT_CLOSE_ASAP) || !conn_take_output(conn)) continue;
        conn_write(conn);
        conn_sent(conn, &exec->chunks);
    }
}

/* ---- events ---- */

static void loop_received(struct exec *exec, struct client *client,
                          const struct reactor_event *event) {
    struct conn *conn = &client->conn;
    if (client_is_closing(client)) {
        if (event->result > 0) reactor_buffer_done(exec->reactor, event->buffer);
        return;
    }
    if (event->result > 0) {
        conn_feed(conn, event->data, (size_t)event->result, event->buffer);
        if (conn->fed_waiting >= LOOP_FED_MAX && !conn->receive_paused) {
            loop_pause_receive(exec, conn, true);
        }
    } else {
        conn->fed_ended = true;
        conn->error_number = -event->result;
    }
    conn->readable = true;
    readable_push(exec, client);
    loop_look_at_held(client);
}

static void loop_sent(struct exec *exec, struct client *client, int result) {
    struct conn *conn = &client->conn;
    conn->send_in_flight = false;
    conn->write_status = CONN_FINE;
    if (result < 0) {
        conn->write_status = CONN_FAILED;
        conn->error_number = -result;
    } else {
        conn_advance(conn, (size_t)result);
    }
    loop_write_done(exec, client);
}

static void loop_event(struct exec *exec, const struct reactor_event *event) {
    struct client *client = event->handle;
    switch (event->kind) {
    case REACTOR_ACCEPTED: loop_accept(exec, event->result, event->handle); return;
    case REACTOR_ACCEPT_FAILED:
        log_warning("Accepting client connection: %s", strerror(-event->result));
        return;
    case REACTOR_READABLE:
        if (event->result) client->conn.hangup_seen = true;
        if (client->conn.owner != CONN_EXECUTOR) {
            client->conn.readable_anew = true;
            return;
        }
        client->conn.hangup = client->conn.hangup_seen;
        client->conn.readable = true;
        readable_push(exec, client);
        loop_look_at_held(client);
        return;
    case REACTOR_RECEIVED: loop_received(exec, client, event); return;
    case REACTOR_WRITABLE:
        client->conn.write_blocked = false;
        write_push(exec, client);
        return;
    case REACTOR_SENT: loop_sent(exec, client, event->result); return;
    }
}

void loop_go_on(struct exec *exec, struct client *client) {
    if (client->conn.owner != CONN_EXECUTOR) return;
    if (client->flags & (CLIENT_PAUSED | CLIENT_BLOCKED)) {
        loop_look_at_held(client);
    } else if (client->conn.batch) {
        ready_push(exec, client);
    } else if (client->conn.readable) {
        readable_push(exec, client);
    }
}

/* The connection is back, and what it was lent for is done. */
static void loop_returned(struct exec *exec, struct conn *conn, enum io_job kind) {
    struct client *client = client_of_conn(conn);
    conn->hangup = conn->hangup_seen;
    if (kind == IO_READ) {
        loop_read_done(exec, client);
        /* Output, room for it, or a decision to close that came while it was away. */
        if (loop_has_output(client)) write_push(exec, client);
    } else {
        conn->readable |= conn->readable_anew;
        conn->readable_anew = false;
        loop_write_done(exec, client);
        loop_go_on(exec, client);
    }
}

/* Connections that workers have finished with. */
static void loop_collect(struct exec *exec) {
    struct conn *conns[LOOP_COLLECT];
    uint8_t kinds[LOOP_COLLECT];
    size_t count;
    while ((count = io_collect(exec->io, conns, kinds, LOOP_COLLECT)) > 0) {
        for (size_t i = 0; i < count; i++) {
            if (kinds[i] == IO_READ) run_prefetch(client_of_conn(conns[i]));
            loop_returned(exec, conns[i], (enum io_job)kinds[i]);
        }
    }
}

void loop_take_back(struct exec *exec) {
    struct conn *conns[LOOP_COLLECT];
    uint8_t kinds[LOOP_COLLECT];
    size_t count = io_collect(exec->io, conns, kinds, LOOP_COLLECT);
    for (size_t i = 0; i < count; i++) {
        if (kinds[i] == IO_WRITE) conn_sent(conns[i], &exec->chunks);
    }
    struct conn *conn;
    enum io_job kind;
    while (!io_is_always_active(exec->io) && io_take_back(exec->io, &conn, &kind))
        count++;
    if (!count) io_wait(exec->io, LOOP_WAIT_MS);
}

/* Does jobs that no worker has begun, until there is something better to do. As in loop_read_some,
 * all reads come before what they ask for from memory. True: there may be more of them. */
static bool loop_help(struct exec *exec) {
    struct conn *read[LOOP_COLLECT], *conn;
    enum io_job kind;
    size_t count = 0;
    if (io_is_always_active(exec->io)) return false;
    while (count < LOOP_COLLECT && io_completions(exec->io) < LOOP_HELP_UNTIL &&
           io_take_back(exec->io, &conn, &kind)) {
        if (kind == IO_READ) {
            conn_read(conn, &exec->reader);
            read[count++] = conn;
        } else {
            conn_write(conn);
            loop_returned(exec, conn, kind);
        }
    }
    for (size_t i = 0; i < count; i++)
        run_prefetch(client_of_conn(read[i]));
    for (size_t i = 0; i < count; i++)
        loop_returned(exec, read[i], IO_READ);
    return count == LOOP_COLLECT;
}

static bool loop_has_work(const struct exec *exec) {
    return exec->read_head || exec->ready_head || exec->write_head || exec->dead_pending ||
           exec->evicting || exec->flush_wanted;
}

/* Jobs that nobody begins must not wait for the end of work that may take seconds: of evicting, or
 * of a pipeline of slow commands. */
static bool loop_should_help(const struct exec *exec) {
    if (!io_in_flight(exec->io)) return false;
    return !loop_has_work(exec) || !io_is_awake(exec->io);
}

static bool loop_look(void *ctx) {
    const struct exec *exec = ctx;
    return io_has_completions(exec->io);
}

/* Fills the reactor's events, here or on a worker, and sleeps if there is nothing to do. The time
 * is up to date afterwards; returns its ticks. */
static uint64_t loop_poll(struct exec *exec, int64_t deadline_ms) {
    while (loop_should_help(exec) && loop_help(exec)) {}
    bool work = loop_has_work(exec);
    if (io_poll_in_flight(exec->io)) {
        if (work || io_has_completions(exec->io)) return exec_sample_time(exec);
        uint64_t from = clock_ticks();
        io_wait(exec->io, LOOP_WAIT_MS);
        uint64_t now = exec_sample_time(exec);
        exec->idle_ticks += now - from;
        return now;
    }
    bool lent = io_in_flight(exec->io) > 0;
    if (work && lent && reactor_can_be_polled_elsewhere(exec->reactor) &&
        io_submit_poll(exec->io)) {
        io_commit(exec->io);
        return exec_sample_time(exec);
    }
    int64_t timeout_us = 0;
    uint64_t before = 0;
    if (!work) {
        if (lent) (void)spin_until(&exec->spin, loop_look, exec);
        reactor_prepare_sleep(exec->reactor);
        if (!io_has_completions(exec->io)) {
            before = exec_sample_time(exec);
            timeout_us = i64_max(0, (deadline_ms - exec->now_ms) * 1000);
        }
    }
    reactor_poll(exec->reactor, timeout_us);
    uint64_t now = exec_sample_time(exec);
    if (timeout_us) exec->idle_ticks += now - before;
    return now;
}

/* Up to LOOP_COLLECT connections up to last. What their first requests need from memory is asked
 * for as soon as the last one is read: the waits overlap with each other, and with what is still to
 * be done about the reads. Before another system call they would not. True: last was read. */
static bool loop_read_some(struct exec *exec, const struct client *last) {
    struct client *read[LOOP_COLLECT];
    size_t count = 0;
    const struct client *client;
    do {
        read[count] = readable_pop(exec);
        client = read[count];
        count += loop_read(exec, read[count]);
    } while (client != last && count < LOOP_COLLECT);
    for (size_t i = 0; i < count; i++)
        run_prefetch(read[i]);
    for (size_t i = 0; i < count; i++)
        loop_read_done(exec, read[i]);
    return client == last;
}

static void loop_read_all(struct exec *exec) {
    const struct client *last = exec->read_tail;
    while (last && !loop_read_some(exec, last))
        continue;
    io_commit(exec->io);
}

static void loop_count_turn(struct exec *exec, uint64_t began, unsigned executed) {
    uint64_t ticks = clock_ticks() - began, us = clock_ticks_to_us(ticks);
    spin_earn(&exec->spin, ticks);
    struct exec_stats *stats = &exec->stats;
    stats->cycles++;
    stats->cycle_us_sum += us;
    if (us > stats->cycle_us_max) stats->cycle_us_max = us;
    if (executed > stats->commands_per_cycle_max) stats->commands_per_cycle_max = executed;
}

void loop_turn(struct exec *exec, int64_t deadline_ms) {
    uint64_t began = loop_poll(exec, deadline_ms);
    if (io_in_flight(exec->io)) loop_collect(exec);
    if (!io_poll_in_flight(exec->io)) {
        struct reactor_event event;
        while (reactor_next(exec->reactor, &event))
            loop_event(exec, &event);
    }
    loop_read_all(exec);
    unsigned executed = 0;
    uint64_t commands_from = clock_ticks();
    while (exec->ready_head && executed < LOOP_REQUESTS_PER_FLUSH) {
        if (executed) (void)exec_sample_time(exec);
        executed += run_window(exec);
    }
    if (executed) {
        exec->stats.command_us_sum += clock_ticks_to_us(exec->now_ticks - commands_from);
    }
    if (exec->evicting) limits_make_more_memory(exec);
    if (unlikely(exec->flush_wanted)) exec_flush_features(exec);
    loop_write_all(exec);
    client_reap(exec);
    loop_count_turn(exec, began, executed);
}

/* ---- arrivals ---- */

static void loop_turn_away(struct exec *exec, int fd, const char *text) {
    /* Best effort: the peer may already be gone, or not read. */
    if (send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) == -1) {
        log_debug("A refused client did not take its error: %s", strerror(errno));
    }
    close(fd);
    exec->stats.rejected_connections++;
}

static bool loop_is_protected(const struct exec *exec, int fd) {
    const struct exec_config *config = exec->config;
    if (!config->protected_mode) return false;
    if (config->requirepass && config->requirepass[0]) return false;
    return !socket_peer_is_local(fd);
}

void loop_accept(struct exec *exec, int fd, const struct listener *listener) {
    const struct exec_config *config = exec->config;
    if (exec->client_count >= config->maxclients) {
        loop_turn_away(exec, fd, "-ERR max number of clients reached\r\n");
        return;
    }
    if (listener->kind == LISTENER_TCP && loop_is_protected(exec, fd)) {
        loop_turn_away(exec, fd,
                       "-DENIED Running in protected mode because protected mode is enabled and "
                       "no password is set for the default user. In this mode connections are "
                       "only accepted from the loopback interface. To connect from elsewhere, set "
                       "a password with requirepass, or, if the network is trusted, run CONFIG SET "
                       "protected-mode no from the server's own machine.\r\n");
        return;
    }
    struct client *client = client_create(exec, fd);
    client->listener_path = NULL;
    if (listener->kind == LISTENER_UNIX) {
        client->flags |= CLIENT_UNIX;
        client->listener_path = listener->address;
    } else {
        struct socket_options options = {.keepalive_s = config->tcp_keepalive_s,
                                         .no_delay = config->tcp_nodelay};
        socket_configure(fd, &options);
    }
    struct diag diag = {0};
    exec->stats.connections++;
    if (reactor_add(exec->reactor, fd, client, &diag) != ERR_NONE) {
        log_warning("Error registering a new client: %s", diag.text);
        client_close(client);
    }
}
