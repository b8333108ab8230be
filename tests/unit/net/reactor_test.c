/* SPDX-License-Identifier: BSD-3-Clause */
/* Both engines face the same tests. The tests' own peers wait for conditions with poll(2) and a
 * limit far above what a slow machine needs. */
#include "net/reactor.h"

#include "net/listener.h"
#include "sync/thread.h"
#include "sync/wake.h"
#include "tests/unit/net/net_fixture.h"

enum {
    WAIT_MS = 20000,
    TURN_US = 2000, /* one poll in a loop that waits for a condition */
    CONN_CAP = 64 * 1024,
    BLOCK_MAX = 128,
};

/* A test for each engine; engine and t are there in its body. */
#define ENGINE_TEST(name)                                                \
    static void body_##name(struct test *t, enum reactor_engine engine); \
    TEST(name##_with_epoll) { body_##name(t, REACTOR_EPOLL); }           \
    TEST(name##_with_io_uring) { body_##name(t, REACTOR_URING); }        \
    static void body_##name(__attribute__((unused)) struct test *t, enum reactor_engine engine)

static int64_t now_ms(void) { return clock_mono_ns() / 1000000; }

/* NULL, after a word about it, where the machine has no io_uring. */
static struct reactor *reactor_for_test(enum reactor_engine engine, uint32_t accepts) {
    struct reactor *reactor = NULL;
    struct diag diag = {""};
    struct reactor_options options = {.engine = engine, .max_fds = 64, .accepts_per_poll = accepts};
    expect_eq(reactor_create(&options, &reactor, &diag), ERR_NONE);
    if (reactor_engine_in_use(reactor) == engine) return reactor;
    printf("skipped: %s\n", diag.text);
    reactor_destroy(&reactor);
    return NULL;
}

/* ---- a server that echoes ---- */

struct peer { /* the server's end of a connection */
    int fd;
    bool ended, failed, sending, held;
    char data[CONN_CAP]; /* received and not yet sent back */
    size_t size;
    struct reply_block block;
};

struct echo {
    struct reactor *reactor;
    int listener;
    uint16_t port;
    struct peer *peers[2048];
    int count;
    uint32_t accepted_in_poll, accepts_failed;
    uint64_t received;
    uint32_t buffers[2048]; /* kept back while keep_buffers */
    uint32_t buffer_count;
    bool keep_buffers;
};

static bool echo_start(struct echo *echo, enum reactor_engine engine, uint32_t accepts) {
    struct diag diag = {""};
    memset(echo, 0, sizeof(*echo));
    echo->reactor = reactor_for_test(engine, accepts);
    if (!echo->reactor) return false;
    echo->listener = tcp_listen(&echo->port);
    expect_eq(reactor_add_listener(echo->reactor, echo->listener, echo, &diag), ERR_NONE);
    return true;
}

static void echo_stop(struct echo *echo) {
    for (int i = 0; i < echo->count; i++) {
        reactor_forget(echo->reactor, echo->peers[i]->fd, echo->peers[i]);
        close(echo->peers[i]->fd);
        mem_free(echo->peers[i]);
    }
    reactor_remove_listener(echo->reactor, echo->listener, echo);
    close(echo->listener);
    reactor_destroy(&echo->reactor);
    expect_null(echo->reactor);
}

static bool by_completion(const struct echo *echo) {
    return reactor_engine_in_use(echo->reactor) == REACTOR_URING;
}

static void peer_sent(struct peer *peer, size_t size) {
    memmove(peer->data, peer->data + size, peer->size - size);
    peer->size -= size;
}

/* Sends what it has, as its engine does it. */
static void peer_write(struct echo *echo, struct peer *peer) {
    if (peer->size == 0 || peer->sending || peer->failed) return;
    if (by_completion(echo)) {
        peer->block = (struct reply_block){.data = peer->data, .size = (uint32_t)peer->size};
        peer->sending = true;
        expect_eq(reactor_send(echo->reactor, peer->fd, peer, &peer->block, 0), ERR_NONE);
        return;
    }
    ssize_t size = send(peer->fd, peer->data, peer->size, MSG_NOSIGNAL);
    if (size > 0) peer_sent(peer, (size_t)size);
    if (peer->size > 0) {
        peer->sending = true;
        reactor_want_write(echo->reactor, peer->fd, peer, true);
    }
}

static void peer_read(struct echo *echo, struct peer *peer) {
    for (;;) {
        if (peer->size == CONN_CAP) return;
        ssize_t size = recv(peer->fd, peer->data + peer->size, CONN_CAP - peer->size, 0);
        if (size == -1) {
            if (errno != EAGAIN) peer->failed = true;
            return;
        }
        if (size == 0) {
            peer->ended = true;
            return;
        }
        peer->size += (size_t)size;
        echo->received += (uint64_t)size;
    }
}

static void peer_take(struct echo *echo, struct peer *peer, const struct reactor_event *event) {
    if (event->result <= 0) {
        expect_eq(event->buffer, REACTOR_NO_BUFFER);
        peer->ended = event->result == 0;
        peer->failed = event->result < 0;
        return;
    }
    expect_true(peer->size + (size_t)event->result <= CONN_CAP);
    memcpy(peer->data + peer->size, event->data, (size_t)event->result);
    peer->size += (size_t)event->result;
    echo->received += (uint64_t)event->result;
    if (echo->keep_buffers) {
        echo->buffers[echo->buffer_count++] = event->buffer;
    } else {
        reactor_buffer_done(echo->reactor, event->buffer);
    }
}

static void echo_accept(struct echo *echo, int fd) {
    struct diag diag = {""};
    struct peer *peer = mem_zalloc(sizeof(*peer));
    expect_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    expect_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    peer->fd = fd;
    echo->peers[echo->count++] = peer;
    echo->accepted_in_poll++;
    expect_eq(reactor_add(echo->reactor, fd, peer, &diag), ERR_NONE);
}

static void echo_handle(struct echo *echo, const struct reactor_event *event) {
    struct peer *peer = event->handle;
    switch (event->kind) {
    case REACTOR_ACCEPTED:
        expect_ptr_eq(event->handle, echo);
        echo_accept(echo, event->result);
        return;
    case REACTOR_ACCEPT_FAILED: echo->accepts_failed++; return;
    case REACTOR_READABLE: peer_read(echo, peer); break;
    case REACTOR_RECEIVED: peer_take(echo, peer, event); break;
    case REACTOR_WRITABLE: peer->sending = false; break;
    case REACTOR_SENT:
        peer->sending = false;
        if (event->result < 0) {
            peer->failed = true;
        } else {
            peer_sent(peer, (size_t)event->result);
        }
        break;
    }
    if (!peer->held) peer_write(echo, peer);
}

/* One turn of an event loop. Returns how many events there were. */
static int echo_turn(struct echo *echo, int64_t timeout_us) {
    struct reactor_event event;
    int events = 0;
    echo->accepted_in_poll = 0;
    int promised = reactor_poll(echo->reactor, timeout_us);
    while (reactor_next(echo->reactor, &event)) {
        events++;
        echo_handle(echo, &event);
    }
    expect_true(promised > 0 || events == 0);
    reactor_flush(echo->reactor);
    return events;
}

#define wait_until(echo, condition)                                                           \
    for (int64_t end_ = now_ms() + WAIT_MS; !(condition);) {                                  \
        if (now_ms() > end_) test_fail(__FILE__, __LINE__, "waited in vain: %s", #condition); \
        (void)echo_turn((echo), TURN_US);                                                     \
    }

static int connect_and_accept(struct echo *echo) {
    int before = echo->count;
    int fd = tcp_connect(echo->port);
    expect_ne(fd, -1);
    wait_until(echo, echo->count == before + 1);
    return fd;
}

/* ---- echo ---- */

struct client {
    int fd;
    uint64_t sent, received, total;
    uint64_t seed;
};

static char byte_at(uint64_t seed, uint64_t index) {
    return (char)((seed + index * 0x9e3779b97f4a7c15u) >> 32);
}

static void client_step(struct client *client, struct rng *rng) {
    char chunk[4096];
    /* Never more on the way than the server keeps. */
    uint64_t on_the_way = client->sent - client->received;
    size_t size = size_min(1 + rng_below(rng, sizeof(chunk)), CONN_CAP - on_the_way);
    size = size_min(size, client->total - client->sent);
    for (size_t i = 0; i < size; i++)
        chunk[i] = byte_at(client->seed, client->sent + i);
    ssize_t done = size ? send(client->fd, chunk, size, MSG_NOSIGNAL) : 0;
    if (done > 0) client->sent += (uint64_t)done;
    while ((done = recv(client->fd, chunk, sizeof(chunk), 0)) > 0) {
        for (ssize_t i = 0; i < done; i++)
            expect_eq(chunk[i], byte_at(client->seed, client->received++));
    }
    expect_true(done == -1 && errno == EAGAIN);
}

ENGINE_TEST(many_connections_get_back_what_they_sent) {
    enum { CLIENTS = 300 };
    struct client clients[CLIENTS];
    struct echo *echo = mem_alloc(sizeof(*echo));
    int fds = fd_count();
    fd_limit_raise(2048);
    if (echo_start(echo, engine, 1000)) {
        for (int i = 0; i < CLIENTS; i++) {
            clients[i] = (struct client){.fd = tcp_connect(echo->port),
                                         .total = rng_below(t->rng, 60000),
                                         .seed = rng_next(t->rng)};
            expect_ne(clients[i].fd, -1);
        }
        int64_t end = now_ms() + WAIT_MS;
        for (int left = CLIENTS; left > 0;) {
            expect_true(now_ms() < end);
            left = 0;
            for (int i = 0; i < CLIENTS; i++) {
                client_step(&clients[i], t->rng);
                left += clients[i].received < clients[i].total;
            }
            (void)echo_turn(echo, 0);
        }
        expect_eq(echo->count, CLIENTS);
        for (int i = 0; i < CLIENTS; i++)
            close(clients[i].fd);
        int ended = 0;
        for (int64_t stop = now_ms() + WAIT_MS; ended < CLIENTS && now_ms() < stop;) {
            (void)echo_turn(echo, TURN_US);
            ended = 0;
            for (int i = 0; i < CLIENTS; i++)
                ended += echo->peers[i]->ended;
        }
        expect_eq(ended, CLIENTS);
        echo_stop(echo);
    }
    mem_free(echo);
    expect_fd_count(fds);
    expect_eq(mem_in_use(), t->mem_at_start);
}

ENGINE_TEST(data_sent_before_the_connection_was_added_is_announced) {
    struct echo *echo = mem_alloc(sizeof(*echo));
    if (echo_start(echo, engine, 1000)) {
        int fd = tcp_connect(echo->port);
        expect_eq(send(fd, "early", 5, 0), 5);
        usleep(20000);
        wait_until(echo, echo->received == 5);
        close(fd);
        echo_stop(echo);
    }
    mem_free(echo);
}

ENGINE_TEST(the_peers_end_is_announced_behind_its_data) {
    struct echo *echo = mem_alloc(sizeof(*echo));
    if (echo_start(echo, engine, 1000)) {
        int fd = connect_and_accept(echo);
        expect_eq(send(fd, "last words", 10, 0), 10);
        expect_eq(shutdown(fd, SHUT_WR), 0);
        wait_until(echo, echo->peers[0]->ended);
        expect_eq(echo->received, 10);
        char text[16];
        wait_until(echo, echo->peers[0]->size == 0 && !echo->peers[0]->sending);
        expect_eq(recv(fd, text, sizeof(text), 0), 10);
        close(fd);
        echo_stop(echo);
    }
    mem_free(echo);
}

ENGINE_TEST(a_reset_is_announced) {
    struct echo *echo = mem_alloc(sizeof(*echo));
    if (echo_start(echo, engine, 1000)) {
        int fd = connect_and_accept(echo);
        struct linger hard = {.l_onoff = 1, .l_linger = 0};
        expect_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
        close(fd);
        wait_until(echo, echo->peers[0]->failed);
        echo_stop(echo);
    }
    mem_free(echo);
}

/* epoll's hint that a read must be repeated until the end shows. */
TEST(readable_says_whether_the_peer_has_ended) {
    struct reactor *reactor = reactor_for_test(REACTOR_EPOLL, 10);
    struct reactor_event event;
    struct diag diag = {""};
    int fds[2], handle = 0;
    expect_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    expect_eq(reactor_add(reactor, fds[0], &handle, &diag), ERR_NONE);
    expect_eq(send(fds[1], "x", 1, 0), 1);
    expect_eq(reactor_poll(reactor, 1000000), 1);
    expect_true(reactor_next(reactor, &event));
    expect_eq(event.kind, REACTOR_READABLE);
    expect_eq(event.result, 0);
    expect_false(reactor_next(reactor, &event));
    expect_eq(shutdown(fds[1], SHUT_WR), 0);
    expect_eq(reactor_poll(reactor, 1000000), 1);
    expect_true(reactor_next(reactor, &event));
    expect_eq(event.kind, REACTOR_READABLE);
    expect_eq(event.result, 1);
    expect_false(reactor_next(reactor, &event));
    expect_eq(reactor_send(reactor, fds[0], &handle, NULL, 0), ERR_UNSUPPORTED);
    reactor_pause_receive(reactor, fds[0], &handle, true); /* a no-op here */
    reactor_forget(reactor, fds[0], &handle);
    close(fds[0]);
    close(fds[1]);
    reactor_destroy(&reactor);
}

/* ---- sending ---- */

/* A list of blocks of random sizes, empty ones among them, half of them pinned. */
struct big_reply {
    struct reply_block blocks[BLOCK_MAX];
    char *data;
    size_t size;
};

static void big_reply_make(struct big_reply *big, struct rng *rng, size_t block_size_max) {
    size_t sizes[BLOCK_MAX];
    big->size = 0;
    for (int i = 0; i < BLOCK_MAX; i++) {
        sizes[i] = i % 10 == 9 ? 0 : rng_below(rng, block_size_max);
        big->size += sizes[i];
    }
    big->data = mem_alloc(big->size);
    for (size_t i = 0; i < big->size; i++)
        big->data[i] = byte_at(1, i);
    const char *next = big->data;
    for (int i = 0; i < BLOCK_MAX; i++) {
        struct reply_block *block = &big->blocks[i];
        *block = (struct reply_block){.data = next};
        if (i + 1 < BLOCK_MAX) block->next = &big->blocks[i + 1];
        if (i % 2) { /* only that there is one matters here */
            block->pin = (struct blob *)(void *)big->data;
            block->pin_size = sizes[i];
        } else {
            block->size = (uint32_t)sizes[i];
        }
        next += sizes[i];
    }
}

/* The block and offset where byte number done is. */
static const struct reply_block *big_reply_at(const struct big_reply *big, size_t done,
                                              size_t *offset) {
    const struct reply_block *block = big->blocks;
    while (block->next && done >= reply_block_size(block)) {
        done -= reply_block_size(block);
        block = block->next;
    }
    *offset = done;
    return block;
}

/* Reads up to max bytes and compares them with the reply. */
static void expect_part(int fd, uint64_t *received, size_t max) {
    char chunk[64 * 1024];
    ssize_t size = recv(fd, chunk, size_min(max, sizeof(chunk)), 0);
    if (size == -1) expect_eq(errno, EAGAIN);
    for (ssize_t i = 0; i < size; i++)
        expect_eq(chunk[i], byte_at(1, (*received)++));
}

ENGINE_TEST(a_slow_reader_gets_all_of_a_big_reply) {
    struct echo *echo = mem_alloc(sizeof(*echo));
    struct big_reply big;
    uint64_t received = 0, sent = 0;
    int partial = 0;
    if (!echo_start(echo, engine, 1000)) {
        mem_free(echo);
        return;
    }
    big_reply_make(&big, t->rng, 200000);
    int fd = connect_and_accept(echo);
    struct peer *peer = echo->peers[0];
    bool may_write = true;
    int64_t end = now_ms() + WAIT_MS;
    while (received < big.size) {
        struct reactor_event event;
        size_t offset;
        expect_true(now_ms() < end);
        if (may_write && sent < big.size) {
            const struct reply_block *block = big_reply_at(&big, sent, &offset);
            if (by_completion(echo)) {
                may_write = false;
                expect_eq(reactor_send(echo->reactor, peer->fd, peer, block, offset), ERR_NONE);
            } else {
                ssize_t size =
                    send(peer->fd, block->data + offset, reply_block_size(block) - offset, 0);
                if (size > 0) sent += (uint64_t)size;
                if (size == -1) reactor_want_write(echo->reactor, peer->fd, peer, true);
                may_write = size != -1;
                partial += size == -1;
            }
        }
        (void)reactor_poll(echo->reactor, 0);
        while (reactor_next(echo->reactor, &event)) {
            if (event.kind == REACTOR_READABLE) continue; /* registering anew may say so again */
            expect_eq(event.kind, by_completion(echo) ? REACTOR_SENT : REACTOR_WRITABLE);
            expect_ptr_eq(event.handle, peer);
            expect_true(event.result >= 0);
            if (event.kind == REACTOR_SENT) sent += (uint64_t)event.result;
            partial += event.kind == REACTOR_SENT && sent < big.size;
            may_write = true;
        }
        expect_part(fd, &received, 1 + rng_below(t->rng, 60000));
    }
    expect_eq(sent, big.size);
    expect_true(partial > 1);
    close(fd);
    mem_free(big.data);
    echo_stop(echo);
    mem_free(echo);
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* Fills the connection until the kernel takes no more; a send is in flight (or wanted) then. */
static uint64_t fill(struct echo *echo, struct peer *peer, const struct big_reply *big) {
    struct reactor_event event;
    uint64_t sent = 0;
    size_t offset;
    for (int quiet = 0; quiet < 5;) {
        const struct reply_block *block = big_reply_at(big, sent, &offset);
        expect_true(sent < big->size);
        if (!by_completion(echo)) {
            ssize_t size =
                send(peer->fd, block->data + offset, reply_block_size(block) - offset, 0);
            if (size == -1) {
                reactor_want_write(echo->reactor, peer->fd, peer, true);
                return sent;
            }
            sent += (uint64_t)size;
            continue;
        }
        if (quiet == 0 && !peer->sending)
            expect_eq(reactor_send(echo->reactor, peer->fd, peer, block, offset), ERR_NONE);
        peer->sending = true;
        quiet++;
        (void)reactor_poll(echo->reactor, 10000);
        while (reactor_next(echo->reactor, &event)) {
            expect_eq(event.kind, REACTOR_SENT);
            expect_true(event.result > 0);
            sent += (uint64_t)event.result;
            peer->sending = false;
            quiet = 0;
        }
    }
    return sent;
}

ENGINE_TEST(after_forget_the_blocks_of_a_send_in_flight_are_the_callers) {
    struct echo *echo = mem_alloc(sizeof(*echo));
    if (echo_start(echo, engine, 1000)) {
        struct big_reply big;
        big_reply_make(&big, t->rng, 800000);
        int fd = connect_and_accept(echo);
        struct peer *peer = echo->peers[0];
        uint64_t sent = fill(echo, peer, &big);
        expect_true(sent > 0);

        reactor_forget(echo->reactor, peer->fd, peer);
        memset(big.data, 'X', big.size);
        mem_free(big.data);
        uint64_t received = 0;
        struct reactor_event event;
        while (received < sent) {
            expect_part(fd, &received, 64 * 1024);
            (void)reactor_poll(echo->reactor, 0);
            while (reactor_next(echo->reactor, &event))
                expect_ptr_eq(event.handle, echo); /* nothing about the peer */
        }
        usleep(20000);
        (void)reactor_poll(echo->reactor, 0);
        expect_false(reactor_next(echo->reactor, &event));
        close(peer->fd);
        mem_free(peer);
        echo->count = 0;
        struct pollfd end = {.fd = fd, .events = POLLIN};
        expect_eq(poll(&end, 1, WAIT_MS), 1);
        char byte;
        expect_eq(recv(fd, &byte, 1, 0), 0); /* not a byte more than was taken before */
        close(fd);
        echo_stop(echo);
    }
    mem_free(echo);
}

ENGINE_TEST(destroy_ends_sends_and_receives_in_flight) {
    struct echo *echo = mem_alloc(sizeof(*echo));
    int fds = fd_count();
    if (echo_start(echo, engine, 1000)) {
        struct big_reply big;
        big_reply_make(&big, t->rng, 800000);
        int client = connect_and_accept(echo);
        struct peer *peer = echo->peers[0];
        (void)fill(echo, peer, &big);
        int unaccepted = tcp_connect(echo->port);
        reactor_destroy(&echo->reactor);
        mem_free(big.data);
        close(peer->fd);
        mem_free(peer);
        close(client);
        close(unaccepted);
        close(echo->listener);
    }
    mem_free(echo);
    expect_fd_count(fds);
    expect_eq(mem_in_use(), t->mem_at_start);
}

ENGINE_TEST(writable_comes_once_and_only_while_wanted) {
    struct echo *echo = mem_alloc(sizeof(*echo));
    struct reactor_event event;
    if (echo_start(echo, engine, 1000)) {
        int fd = connect_and_accept(echo);
        struct peer *peer = echo->peers[0];
        for (int round = 0; round < 3; round++) {
            int writable = 0;
            reactor_want_write(echo->reactor, peer->fd, peer, true);
            for (int i = 0; i < 20; i++) {
                (void)reactor_poll(echo->reactor, 1000);
                while (reactor_next(echo->reactor, &event))
                    writable += event.kind == REACTOR_WRITABLE;
            }
            expect_eq(writable, 1);
        }
        reactor_want_write(echo->reactor, peer->fd, peer, true);
        reactor_want_write(echo->reactor, peer->fd, peer, false);
        for (int i = 0; i < 10; i++) {
            (void)reactor_poll(echo->reactor, 1000);
            while (reactor_next(echo->reactor, &event))
                expect_ne(event.kind, REACTOR_WRITABLE);
        }
        close(fd);
        echo_stop(echo);
    }
    mem_free(echo);
}

/* ---- forgetting ---- */

ENGINE_TEST(a_forgotten_handle_is_not_in_events_already_collected) {
    struct echo *echo = mem_alloc(sizeof(*echo));
    struct reactor_event event;
    struct diag diag = {""};
    if (echo_start(echo, engine, 1000)) {
        int fds[2] = {connect_and_accept(echo), connect_and_accept(echo)};
        expect_eq(send(fds[0], "a", 1, 0), 1);
        expect_eq(send(fds[1], "b", 1, 0), 1);
        usleep(20000);
        while (reactor_poll(echo->reactor, 1000000) < 2)
            continue;
        expect_true(reactor_next(echo->reactor, &event));
        struct peer *told = event.handle;
        struct peer *other = told == echo->peers[0] ? echo->peers[1] : echo->peers[0];
        reactor_forget(echo->reactor, other->fd, other);
        /* The same descriptor begins another life before the event is handed out. */
        int other_life = 0;
        expect_eq(reactor_add(echo->reactor, other->fd, &other_life, &diag), ERR_NONE);
        reactor_forget(echo->reactor, other->fd, &other_life);
        expect_false(reactor_next(echo->reactor, &event));
        for (int i = 0; i < 10; i++) {
            (void)reactor_poll(echo->reactor, 1000);
            expect_false(reactor_next(echo->reactor, &event));
        }
        reactor_forget(echo->reactor, other->fd, other); /* forgetting twice is harmless */
        close(fds[0]);
        close(fds[1]);
        echo_stop(echo);
    }
    mem_free(echo);
}

ENGINE_TEST(connections_come_and_go_at_random_without_stale_events) {
    enum { SLOTS = 40, STEPS = 1500 };
    struct echo *echo = mem_alloc(sizeof(*echo));
    struct diag diag = {""};
    int ends[SLOTS][2];
    char handles[SLOTS * 8]; /* each slot's lives have handles of their own */
    uint32_t life[SLOTS] = {0};
    bool open[SLOTS] = {false};
    uint64_t sent = 0, received = 0;
    int fds = fd_count();
    if (!echo_start(echo, engine, 1000)) {
        mem_free(echo);
        return;
    }
    for (int step = 0; step < STEPS; step++) {
        size_t i = rng_below(t->rng, SLOTS);
        void *handle = &handles[i * 8 + life[i] % 8];
        if (!open[i]) {
            expect_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends[i]), 0);
            handle = &handles[i * 8 + ++life[i] % 8];
            expect_eq(reactor_add(echo->reactor, ends[i][0], handle, &diag), ERR_NONE);
            open[i] = true;
        } else if (rng_below(t->rng, 3) == 0) {
            reactor_forget(echo->reactor, ends[i][0], handle);
            close(ends[i][0]);
            close(ends[i][1]);
            open[i] = false;
        } else {
            if (send(ends[i][1], "0123456789", 10, MSG_NOSIGNAL) == 10) sent += 10;
        }
        if (rng_below(t->rng, 4) != 0) continue;
        (void)reactor_poll(echo->reactor, 0);
        struct reactor_event event;
        while (rng_below(t->rng, 10) != 0 && reactor_next(echo->reactor, &event)) {
            size_t which = (size_t)((char *)event.handle - handles) / 8;
            expect_true(which < SLOTS && open[which]);
            expect_ptr_eq(event.handle, &handles[which * 8 + life[which] % 8]);
            char text[100];
            ssize_t size = event.result;
            if (event.kind == REACTOR_READABLE) {
                size = recv(ends[which][0], text, sizeof(text), 0);
            } else {
                reactor_buffer_done(echo->reactor, event.buffer);
            }
            if (size > 0) received += (uint64_t)size;
        }
    }
    expect_true(received > 0 && received <= sent);
    for (size_t i = 0; i < SLOTS; i++) {
        if (!open[i]) continue;
        reactor_forget(echo->reactor, ends[i][0], &handles[i * 8 + life[i] % 8]);
        close(ends[i][0]);
        close(ends[i][1]);
    }
    echo_stop(echo);
    mem_free(echo);
    expect_fd_count(fds);
}

ENGINE_TEST(after_forget_and_close_the_peer_sees_the_end) {
    struct echo *echo = mem_alloc(sizeof(*echo));
    if (echo_start(echo, engine, 1000)) {
        int fd = connect_and_accept(echo);
        struct peer *peer = echo->peers[0];
        reactor_forget(echo->reactor, peer->fd, peer);
        close(peer->fd);
        mem_free(peer);
        echo->count = 0;
        (void)reactor_poll(echo->reactor, 0);
        struct pollfd end = {.fd = fd, .events = POLLIN};
        expect_eq(poll(&end, 1, WAIT_MS), 1);
        char byte;
        expect_eq(recv(fd, &byte, 1, 0), 0);
        close(fd);
        echo_stop(echo);
    }
    mem_free(echo);
}

/* ---- accepting ---- */

ENGINE_TEST(a_burst_is_accepted_a_few_per_poll) {
    enum { BURST = 50, LIMIT = 7 };
    struct echo *echo = mem_alloc(sizeof(*echo));
    int fds[BURST], before = fd_count();
    if (echo_start(echo, engine, LIMIT)) {
        for (int i = 0; i < BURST; i++)
            fds[i] = tcp_connect(echo->port);
        int polls = 0;
        while (echo->count < BURST) {
            expect_true(++polls < 1000);
            (void)echo_turn(echo, 100000);
            expect_true(echo->accepted_in_poll <= LIMIT);
        }
        expect_true(polls >= (BURST + LIMIT - 1) / LIMIT);
        reactor_set_accepts_per_poll(echo->reactor, BURST);
        for (int i = 0; i < BURST; i++)
            close(fds[i]);
        echo_stop(echo);
    }
    mem_free(echo);
    expect_fd_count(before);
}

ENGINE_TEST(connections_accepted_and_never_handed_out_are_closed) {
    enum { BURST = 20 };
    struct echo *echo = mem_alloc(sizeof(*echo));
    int fds[BURST], before = fd_count();
    if (echo_start(echo, engine, 3)) {
        for (int i = 0; i < BURST; i++)
            fds[i] = tcp_connect(echo->port);
        (void)echo_turn(echo, 100000);
        (void)echo_turn(echo, 100000);
        expect_true(echo->count > 0 && echo->count <= 6);
        echo_stop(echo);
        for (int i = 0; i < BURST; i++)
            close(fds[i]);
    }
    mem_free(echo);
    expect_fd_count(before);
}

ENGINE_TEST(a_removed_listeners_address_is_free_again) {
    struct echo *echo = mem_alloc(sizeof(*echo));
    if (echo_start(echo, engine, 1000)) {
        struct sockaddr_in name;
        socklen_t size = sizeof(name);
        struct diag diag = {""};
        int on = 1;
        expect_eq(getsockname(echo->listener, (struct sockaddr *)&name, &size), 0);
        int client = connect_and_accept(echo);
        reactor_remove_listener(echo->reactor, echo->listener, echo);
        close(echo->listener);

        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        expect_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
        expect_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
        expect_eq(listen(fd, 16), 0);
        echo->listener = fd;
        expect_eq(reactor_add_listener(echo->reactor, fd, echo, &diag), ERR_NONE);
        int second = connect_and_accept(echo);
        close(client);
        close(second);
        echo_stop(echo);
    }
    mem_free(echo);
}

ENGINE_TEST(without_descriptors_clients_are_refused_and_nothing_spins) {
    struct echo *echo = mem_alloc(sizeof(*echo));
    struct rlimit limit, tight;
    if (echo_start(echo, engine, 10)) {
        int waiting[3];
        for (int i = 0; i < 3; i++) {
            waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            expect_ne(waiting[i], -1);
        }
        expect_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        tight = limit;
        int next = dup(0);
        close(next);
        tight.rlim_cur = (rlim_t)next; /* the lowest free number is beyond it */
        expect_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);

        struct sockaddr_in name = {.sin_family = AF_INET,
                                   .sin_port = htons(echo->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        for (int i = 0; i < 3; i++)
            expect_eq(connect(waiting[i], (struct sockaddr *)&name, sizeof(name)), 0);
        for (int i = 0; i < 3; i++) { /* each sees the end, and is not left waiting */
            struct pollfd end = {.fd = waiting[i], .events = POLLIN};
            int64_t stop = now_ms() + WAIT_MS;
            while (poll(&end, 1, 0) == 0) {
                expect_true(now_ms() < stop);
                uint32_t failed = echo->accepts_failed;
                (void)echo_turn(echo, TURN_US);
                expect_true(echo->accepts_failed <= failed + 1);
            }
        }
        expect_true(echo->accepts_failed >= 1 && echo->accepts_failed <= 3);
        expect_eq(echo->count, 0);

        int turns = 0; /* with nobody waiting it sleeps, however often it would fail */
        for (int64_t stop = now_ms() + 300; now_ms() < stop; turns++)
            (void)echo_turn(echo, 100000);
        expect_true(turns < 40);
        uint32_t failed = echo->accepts_failed;
        expect_true(failed <= 3);

        expect_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        int client = connect_and_accept(echo);
        close(client);
        for (int i = 0; i < 3; i++)
            close(waiting[i]);
        echo_stop(echo);
    }
    mem_free(echo);
}

/* ---- sleeping and waking ---- */

ENGINE_TEST(poll_sleeps_for_microseconds_and_not_much_longer) {
    struct reactor *reactor = reactor_for_test(engine, 10);
    if (!reactor) return;
    int64_t best = INT64_MAX;
    int full = 0; /* the end of an earlier test's ring may cut one short as a signal would */
    for (int i = 0; i < 20; i++) {
        int64_t start = clock_mono_ns();
        expect_eq(reactor_poll(reactor, 1500), 0);
        int64_t us = (clock_mono_ns() - start) / 1000;
        if (us < 1490) continue;
        full++;
        best = i64_min(best, us);
    }
    expect_true(full >= 15);
    expect_true(best < 100000);
    int64_t start = clock_mono_ns();
    expect_eq(reactor_poll(reactor, 0), 0);
    expect_true(clock_mono_ns() - start < 1000000000);
    reactor_destroy(&reactor);
}

static void waker(void *ctx) {
    usleep(30000);
    reactor_wake(ctx);
}

ENGINE_TEST(another_thread_wakes_a_sleeping_poll) {
    struct reactor *reactor = reactor_for_test(engine, 10);
    if (!reactor) return;
    for (int round = 0; round < 5; round++) {
        struct thread *thread;
        struct diag diag = {""};
        struct reactor_event event;
        struct thread_options options = {.name = "waker", .fn = waker, .ctx = reactor};
        reactor_prepare_sleep(reactor);
        expect_eq(thread_start(&options, &thread, &diag), ERR_NONE);
        (void)reactor_poll(reactor, round % 2 ? -1 : WAIT_MS * 1000ll);
        expect_false(reactor_next(reactor, &event));
        thread_join(&thread);
    }
    reactor_destroy(&reactor);
}

ENGINE_TEST(a_wake_between_prepare_and_poll_is_not_lost_and_does_not_linger) {
    struct reactor *reactor = reactor_for_test(engine, 10);
    if (!reactor) return;
    struct reactor_event event;
    for (int round = 0; round < 10; round++) {
        reactor_prepare_sleep(reactor);
        for (int i = 0; i < 100; i++)
            reactor_wake(reactor);
        (void)reactor_poll(reactor, -1);
        expect_false(reactor_next(reactor, &event));
    }
    for (int i = 0; i < 100; i++)
        reactor_wake(reactor); /* to one that is awake: no event comes of it */
    int full = 0;
    for (int i = 0; i < 4; i++) { /* again, as a signal may cut one short */
        int64_t start = clock_mono_ns();
        expect_eq(reactor_poll(reactor, 20000), 0);
        full += clock_mono_ns() - start >= 19000000;
    }
    expect_true(full >= 2);
    reactor_destroy(&reactor);
}

struct elsewhere {
    struct reactor *reactor;
    struct wake go, done;
    bool stop; /* handed over by go */
};

static void poll_elsewhere(void *ctx) {
    struct elsewhere *elsewhere = ctx;
    for (;;) {
        wake_prepare(&elsewhere->go);
        (void)wake_signal(&elsewhere->done);
        (void)wake_wait(&elsewhere->go, -1);
        if (elsewhere->stop) return;
        (void)reactor_poll(elsewhere->reactor, 0);
    }
}

/* The executor adds, forgets and wants to write while another thread polls. */
TEST(epoll_is_polled_by_another_thread_while_connections_come_and_go) {
    enum { ROUNDS = 300 };
    struct echo *echo = mem_alloc(sizeof(*echo));
    struct elsewhere elsewhere = {.stop = false};
    struct thread *thread;
    struct diag diag = {""};
    expect_true(echo_start(echo, REACTOR_EPOLL, 1000));
    expect_true(reactor_can_be_polled_elsewhere(echo->reactor));
    elsewhere.reactor = echo->reactor;
    wake_init(&elsewhere.go);
    wake_init(&elsewhere.done);
    wake_prepare(&elsewhere.done);
    struct thread_options options = {.name = "poller", .fn = poll_elsewhere, .ctx = &elsewhere};
    expect_eq(thread_start(&options, &thread, &diag), ERR_NONE);
    expect_true(wake_wait(&elsewhere.done, WAIT_MS));

    for (int round = 0; round < ROUNDS; round++) {
        int ends[2], lasting = 0, passing = 0;
        struct reactor_event event;
        expect_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
        expect_eq(reactor_add(echo->reactor, ends[0], &lasting, &diag), ERR_NONE);
        wake_prepare(&elsewhere.done);
        expect_eq(send(ends[1], "x", 1, 0), 1);
        (void)wake_signal(&elsewhere.go); /* the poll runs from here on */
        reactor_want_write(echo->reactor, ends[0], &lasting, true);
        reactor_forget(echo->reactor, ends[0], &lasting);
        expect_eq(reactor_add(echo->reactor, ends[0], &passing, &diag), ERR_NONE);
        expect_true(wake_wait(&elsewhere.done, WAIT_MS)); /* and is back here */
        uint64_t told = 0; /* by that poll, or by the next if the new life came too late for it */
        do {
            while (reactor_next(echo->reactor, &event)) {
                expect_ptr_eq(event.handle, &passing);
                expect_eq(event.kind, REACTOR_READABLE);
                told++;
            }
        } while (told == 0 && reactor_poll(echo->reactor, 0) > 0);
        expect_eq(told, 1);
        reactor_forget(echo->reactor, ends[0], &passing);
        close(ends[0]);
        close(ends[1]);
    }
    elsewhere.stop = true;
    (void)wake_signal(&elsewhere.go);
    thread_join(&thread);
    wake_deinit(&elsewhere.go);
    wake_deinit(&elsewhere.done);
    echo_stop(echo);
    mem_free(echo);
}

/* ---- what only io_uring has ---- */

TEST(buffers_run_out_and_receiving_goes_on_when_they_are_back) {
    enum { CLIENTS = 700, ROUNDS = 3 };
    struct echo *echo = mem_alloc(sizeof(*echo));
    static int fds[CLIENTS];
    int before = fd_count();
    fd_limit_raise(2048);
    if (echo_start(echo, REACTOR_URING, 1000)) {
        for (int i = 0; i < CLIENTS; i++)
            fds[i] = tcp_connect(echo->port);
        wait_until(echo, echo->count == CLIENTS);
        for (int round = 1; round <= ROUNDS; round++) {
            echo->keep_buffers = true;
            for (int i = 0; i < CLIENTS; i++)
                expect_eq(send(fds[i], "0123456789", 10, 0), 10);
            for (int quiet = 0; quiet < 10;)
                quiet = echo_turn(echo, 5000) == 0 ? quiet + 1 : 0;
            uint64_t total = (uint64_t)CLIENTS * 10 * (uint64_t)round;
            expect_true(echo->received < total); /* there are fewer buffers than connections */
            expect_true(echo->buffer_count >= 64);
            echo->keep_buffers = false;
            while (echo->buffer_count > 0)
                reactor_buffer_done(echo->reactor, echo->buffers[--echo->buffer_count]);
            wait_until(echo, echo->received == total);
        }
        for (int i = 0; i < CLIENTS; i++) {
            char text[64];
            struct pollfd ready = {.fd = fds[i], .events = POLLIN};
            size_t size = 0;
            while (size < 10 * ROUNDS) {
                expect_eq(poll(&ready, 1, WAIT_MS), 1);
                ssize_t got = recv(fds[i], text + size, sizeof(text) - size, 0);
                expect_true(got > 0);
                size += (size_t)got;
                (void)echo_turn(echo, 0);
            }
            expect_bytes_eq(bytes_make(text, size), BYTES("012345678901234567890123456789"));
            close(fds[i]);
        }
        echo_stop(echo);
    }
    mem_free(echo);
    expect_fd_count(before);
}

TEST(a_paused_connection_receives_nothing_and_loses_nothing) {
    struct echo *echo = mem_alloc(sizeof(*echo));
    if (echo_start(echo, REACTOR_URING, 1000)) {
        int fd = connect_and_accept(echo);
        struct peer *peer = echo->peers[0];
        peer->held = true;
        for (int round = 0; round < 20; round++) {
            uint64_t before = echo->received;
            reactor_pause_receive(echo->reactor, peer->fd, peer, true);
            if (round % 3 == 0) { /* now and then the change of mind is at once */
                reactor_pause_receive(echo->reactor, peer->fd, peer, false);
                reactor_pause_receive(echo->reactor, peer->fd, peer, true);
            }
            (void)echo_turn(echo, 0);
            (void)echo_turn(echo, 0);
            char text[16];
            snprintf(text, sizeof(text), "%03d,", round);
            expect_eq(send(fd, text, 4, 0), 4);
            for (int i = 0; i < 3; i++)
                (void)echo_turn(echo, 1000);
            expect_eq(echo->received, before);
            reactor_pause_receive(echo->reactor, peer->fd, peer, false);
            wait_until(echo, echo->received == before + 4);
            expect_bytes_eq(bytes_make(peer->data + round * 4, 4), bytes_make(text, 4));
        }
        close(fd);
        echo_stop(echo);
    }
    mem_free(echo);
}

/* ---- choosing ---- */

static void where_uring_is_forbidden(void) {
    if (!forbid_syscall(SYS_io_uring_setup, -1, EPERM)) _exit(CHILD_SKIPPED);
    struct reactor *reactor = NULL;
    struct diag diag = {""};
    struct reactor_options options = {
        .engine = REACTOR_URING, .max_fds = 64, .accepts_per_poll = 10};
    int fds = fd_count();
    expect_eq(reactor_create(&options, &reactor, &diag), ERR_NONE);
    expect_eq(reactor_engine_in_use(reactor), REACTOR_EPOLL);
    expect_str_eq(reactor_name(reactor), "epoll");
    expect_not_null(strstr(diag.text, "io_uring is not available ("));
    expect_not_null(strstr(diag.text, "); using epoll"));
    reactor_destroy(&reactor);
    expect_eq(fd_count(), fds);
}
TEST(where_io_uring_is_forbidden_epoll_takes_its_place) {
    in_child(where_uring_is_forbidden, "system call filters are not allowed here");
}

#ifdef SYS_epoll_pwait2
static void where_the_fine_sleep_is_missing(void) {
    if (!forbid_syscall(SYS_epoll_pwait2, -1, ENOSYS)) _exit(CHILD_SKIPPED);
    struct reactor *reactor = reactor_for_test(REACTOR_EPOLL, 10);
    for (int i = 0; i < 3; i++) {
        int64_t start = clock_mono_ns();
        expect_eq(reactor_poll(reactor, 1500), 0);
        expect_true(clock_mono_ns() - start >= 1490000); /* rounded up, never down */
    }
    reactor_destroy(&reactor);
}
TEST(without_a_fine_sleep_epoll_rounds_up) {
    in_child(where_the_fine_sleep_is_missing, "system call filters are not allowed here");
}
#endif

ENGINE_TEST(an_engine_leaves_no_descriptor_and_no_memory) {
    int fds = fd_count();
    for (int i = 0; i < 3; i++) {
        struct reactor *reactor = reactor_for_test(engine, 10);
        if (!reactor) return;
        expect_str_eq(reactor_name(reactor), engine == REACTOR_EPOLL ? "epoll" : "io_uring");
        reactor_destroy(&reactor);
    }
    expect_fd_count(fds);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
