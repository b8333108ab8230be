/* SPDX-License-Identifier: BSD-3-Clause */
/* io_stress -- a load generator that knows every byte of every reply.
 *
 *   io_stress PORT SECONDS CONNECTIONS SEED OPTIONS
 *
 * Each connection sends pipelines of commands on keys of its own and compares the replies with what
 * they must be: none lost, none twice, none in another's place. In between it sends in odd pieces,
 * closes its writing half, leaves without reading, or resets. OPTIONS are letters:
 *      b  large values, up to 64 MiB              k  a second thread kills connections
 *      p  it pauses all clients                   t  it changes io-threads and always-active
 *      m  it monitors                             q  quiet: no aborts, for measuring latency
 *      s  small values mostly: more commands
 * Ends with 0 and a line of figures, or with 1 and what went wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    KEYS = 16,
    PIPELINE_MAX = 1000,
    EXPECTED_MAX = 6 * PIPELINE_MAX,
    LITERAL_MAX = 48,
    ROUND_BYTES_MAX = 4 << 20,
    TABLE_SIZE = 1 << 20,
    STALL_MS = 60000,
    CONNECTIONS_MAX = 4096,
};

struct expected { /* literal, then size bytes of the value with this seed, then CR LF if size > 0 */
    char literal[LITERAL_MAX];
    uint32_t literal_size;
    uint32_t seed;
    size_t size;
    bool tail;
};

enum ending { END_READ_ALL = 0, END_HALF_CLOSE, END_LEAVE, END_RESET };

struct connection {
    int fd;
    uint32_t slot, life, rounds_left;
    uint32_t version[KEYS]; /* of the value it holds; 0: absent */
    size_t size[KEYS];
    int64_t counter;
    uint64_t sequence;
    char *out;
    size_t out_size, out_cap, out_sent;
    size_t piece_max; /* bytes a send takes at most in this round */
    struct expected *expected;
    size_t expected_count, expected_at, expected_seen; /* bytes seen of the current one */
    enum ending ending;
    size_t leave_after; /* bytes sent before it leaves */
    int64_t progress_ms, round_ms;
    _Atomic int port; /* own end; 0: not connected */
    _Atomic bool killed;
};

static struct connection connections[CONNECTIONS_MAX];
static int connection_count, server_port;
static char table[TABLE_SIZE * 2];
static const char *options;
static _Atomic bool done;
static uint64_t replies, connects, kills, paused_rounds;
static int64_t latency_max_ms;
static uint64_t rng_state;

static uint64_t random_u64(void) {
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return rng_state * 0x2545f4914f6cdd1dull;
}
static uint64_t below(uint64_t n) { return (random_u64() >> 11) % n; }
static bool chance(uint64_t percent) { return below(100) < percent; }
static bool has(char option) { return strchr(options, option) != NULL; }

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

/* ---- what is sent and what must come back ---- */

static void out_bytes(struct connection *c, const char *data, size_t size) {
    if (c->out_size + size > c->out_cap) {
        c->out_cap = (c->out_size + size) * 2;
        c->out = realloc(c->out, c->out_cap);
        if (!c->out) fail("out of memory");
    }
    memcpy(c->out + c->out_size, data, size);
    c->out_size += size;
}

__attribute__((format(printf, 2, 3))) static void outf(struct connection *c, const char *fmt, ...) {
    char text[256];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    out_bytes(c, text, (size_t)n);
}

/* A command of words without spaces. */
__attribute__((format(printf, 2, 3))) static void command(struct connection *c, const char *fmt,
                                                          ...) {
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    int words = 1;
    for (char *p = text; *p; p++)
        words += *p == ' ';
    outf(c, "*%d\r\n", words);
    for (const char *word = text; words > 0; words--) {
        size_t size = strcspn(word, " ");
        outf(c, "$%zu\r\n%.*s\r\n", size, (int)size, word);
        word += size + 1;
    }
}

static const char *value_at(uint32_t seed, size_t offset) {
    return table + ((seed * 2654435761u + offset) & (TABLE_SIZE - 1));
}

static void out_value(struct connection *c, uint32_t seed, size_t size) {
    outf(c, "$%zu\r\n", size);
    for (size_t at = 0; at < size;) {
        size_t n = size - at < TABLE_SIZE ? size - at : TABLE_SIZE;
        out_bytes(c, value_at(seed, at), n);
        at += n;
    }
    outf(c, "\r\n");
}

__attribute__((format(printf, 2, 3))) static void expect(struct connection *c, const char *fmt,
                                                         ...) {
    if (c->expected_count == EXPECTED_MAX) fail("too many expectations");
    struct expected *e = &c->expected[c->expected_count++];
    va_list args;
    va_start(args, fmt);
    e->literal_size = (uint32_t)vsnprintf(e->literal, sizeof(e->literal), fmt, args);
    va_end(args);
    e->size = 0;
    e->tail = false;
}

static void expect_value(struct connection *c, uint32_t seed, size_t size) {
    expect(c, "$%zu\r\n", size);
    struct expected *e = &c->expected[c->expected_count - 1];
    e->seed = seed;
    e->size = size;
    e->tail = true;
}

/* ---- commands ---- */

static void key_name(const struct connection *c, unsigned key, char out[64]) {
    snprintf(out, 64, "s:%u:%u:%u", c->slot, c->life, key);
}

static size_t random_size(void) {
    uint64_t kind = below(100);
    if (kind < 60 || (has('s') && kind < 98)) return 1 + below(64);
    if (kind < 85) return 1 + below(2000);
    if (kind < 95) return 1 + below(40000);
    if (!has('b')) return 1 + below(100000);
    return kind < 99 ? 1 + below(300000) : 1 + below(1 << 20);
}

static void add_set(struct connection *c, unsigned key, size_t size) {
    char name[64];
    key_name(c, key, name);
    uint32_t seed = (uint32_t)random_u64() | 1;
    bool expires = chance(50); /* what an abort leaves behind goes away sometime */
    outf(c, "*%d\r\n$3\r\nSET\r\n$%zu\r\n%s\r\n", expires ? 5 : 3, strlen(name), name);
    out_value(c, seed, size);
    if (expires) outf(c, "$2\r\nPX\r\n$6\r\n600000\r\n");
    c->version[key] = seed;
    c->size[key] = size;
}

static void expect_get(struct connection *c, unsigned key) {
    if (c->version[key]) {
        expect_value(c, c->version[key], c->size[key]);
    } else {
        expect(c, "$-1\r\n");
    }
}

static void add_mget(struct connection *c) {
    char name[64];
    unsigned count = 1 + (unsigned)below(4);
    outf(c, "*%u\r\n$4\r\nMGET\r\n", count + 1);
    expect(c, "*%u\r\n", count);
    for (unsigned i = 0; i < count; i++) {
        unsigned key = (unsigned)below(KEYS);
        key_name(c, key, name);
        outf(c, "$%zu\r\n%s\r\n", strlen(name), name);
        expect_get(c, key);
    }
}

static void add_transaction(struct connection *c) {
    char name[64];
    unsigned key = (unsigned)below(KEYS);
    key_name(c, key, name);
    command(c, "MULTI");
    expect(c, "+OK\r\n");
    add_set(c, key, 1 + below(5000));
    expect(c, "+QUEUED\r\n");
    command(c, "GET %s", name);
    expect(c, "+QUEUED\r\n");
    command(c, "ECHO %llu", (unsigned long long)c->sequence);
    expect(c, "+QUEUED\r\n");
    bool run = chance(80);
    command(c, run ? "EXEC" : "DISCARD");
    if (!run) { /* the key is not what it was noted as: set it for certain */
        expect(c, "+OK\r\n");
        add_set(c, key, 8);
        expect(c, "+OK\r\n");
        return;
    }
    char number[24];
    int size = snprintf(number, sizeof(number), "%llu", (unsigned long long)c->sequence++);
    expect(c, "*3\r\n+OK\r\n");
    expect_get(c, key);
    expect(c, "$%d\r\n%s\r\n", size, number);
}

static void add_command(struct connection *c) {
    char name[64];
    unsigned key = (unsigned)below(KEYS);
    key_name(c, key, name);
    switch (below(12)) {
    case 0: {
        char number[24];
        int size = snprintf(number, sizeof(number), "%llu", (unsigned long long)c->sequence++);
        command(c, "ECHO %s", number);
        expect(c, "$%d\r\n%s\r\n", size, number);
        break;
    }
    case 1:
    case 2:
    case 3:
        add_set(c, key, random_size());
        expect(c, "+OK\r\n");
        break;
    case 4:
    case 5:
    case 6:
        command(c, "GET %s", name);
        expect_get(c, key);
        break;
    case 7:
        command(c, "INCR c:%u:%u", c->slot, c->life);
        expect(c, ":%lld\r\n", (long long)++c->counter);
        break;
    case 8: add_mget(c); break;
    case 9:
        command(c, "DEL %s", name);
        expect(c, ":%d\r\n", c->version[key] != 0);
        c->version[key] = 0;
        break;
    case 10: add_transaction(c); break;
    case 11:
        if (chance(50)) { /* as people type */
            outf(c, "PING x%llu\r\n", (unsigned long long)c->sequence);
            char text[32];
            int size = snprintf(text, sizeof(text), "x%llu", (unsigned long long)c->sequence++);
            expect(c, "$%d\r\n%s\r\n", size, text);
        } else {
            command(c, "CLIENT REPLY SKIP");
            command(c, "ECHO not-to-be-seen");
        }
        break;
    }
}

static void begin_round(struct connection *c) {
    c->out_size = c->out_sent = 0;
    c->expected_count = c->expected_at = c->expected_seen = 0;
    uint64_t kind = below(100);
    size_t count = kind < 60 ? 1 : kind < 95 ? 1 + below(20) : 1 + below(PIPELINE_MAX);
    if (has('b') && below(4000) == 0) {
        size_t size = 1 + below(64 << 20);
        char name[64];
        key_name(c, 0, name);
        add_set(c, 0, size);
        expect(c, "+OK\r\n");
        command(c, "GET %s", name);
        expect_get(c, 0);
        command(c, "DEL %s", name);
        expect(c, ":1\r\n");
        c->version[0] = 0;
    }
    while (count-- && c->out_size < ROUND_BYTES_MAX)
        add_command(c);
    command(c, "PING"); /* so that a round has a reply */
    expect(c, "+PONG\r\n");
    static const size_t pieces[] = {1, 7, 100, 1000, 16384, SIZE_MAX, SIZE_MAX, SIZE_MAX};
    c->piece_max = pieces[below(8)];
    if (c->out_size / c->piece_max > 500) c->piece_max = 5000;
    c->ending = END_READ_ALL;
    if (c->rounds_left == 0 && !has('q')) c->ending = (enum ending)below(4);
    /* A server may drop what a peer that closed its half has not taken yet, or what waits for the
     * end of a pause. */
    bool patient = c->out_size <= 16384 && !has('p');
    if (c->ending == END_HALF_CLOSE && !patient) c->ending = END_READ_ALL;
    c->leave_after = below(c->out_size + 1);
    c->progress_ms = c->round_ms = now_ms();
}

/* ---- connections ---- */

static int dial(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)server_port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd == -1 || connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1)
        fail("connect: %s", strerror(errno));
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

static void open_connection(struct connection *c) {
    c->fd = dial();
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct sockaddr_in own;
    socklen_t size = sizeof(own);
    getsockname(c->fd, (struct sockaddr *)&own, &size);
    c->life++;
    memset(c->version, 0, sizeof(c->version));
    c->counter = 0;
    c->rounds_left = has('q') ? UINT32_MAX : (uint32_t)below(30);
    atomic_store(&c->killed, false);
    atomic_store(&c->port, ntohs(own.sin_port));
    connects++;
    begin_round(c);
}

static void close_connection(struct connection *c, bool reset) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    if (reset) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    atomic_store(&c->port, 0);
    close(c->fd);
    c->fd = -1;
}

static void ended(struct connection *c, const char *how) {
    if (!atomic_load(&c->killed)) {
        fail("connection %u life %u: %s after %zu of %zu replies, %zu of %zu bytes sent, ending %d",
             c->slot, c->life, how, c->expected_at, c->expected_count, c->out_sent, c->out_size,
             (int)c->ending);
    }
    close_connection(c, false);
}

/* Compares what came with what must come; the number of bytes that belong to this expectation. */
static size_t compare(struct connection *c, const char *data, size_t size) {
    const struct expected *e = &c->expected[c->expected_at];
    size_t at = c->expected_seen, n;
    const char *want;
    if (at < e->literal_size) {
        want = e->literal + at;
        n = e->literal_size - at;
    } else if (at - e->literal_size < e->size) {
        at -= e->literal_size;
        want = value_at(e->seed, at);
        n = e->size - at < TABLE_SIZE ? e->size - at : TABLE_SIZE;
    } else {
        at -= e->literal_size + e->size;
        want = &"\r\n"[at];
        n = 2 - at;
    }
    if (n > size) n = size;
    if (memcmp(data, want, n) != 0) {
        fail("connection %u life %u: reply %zu of %zu, byte %zu: expected '%.*s', got '%.*s'",
             c->slot, c->life, c->expected_at, c->expected_count, c->expected_seen, (int)n, want,
             (int)(size < 60 ? size : 60), data);
    }
    c->expected_seen += n;
    if (c->expected_seen == e->literal_size + e->size + (e->tail ? 2 : 0)) {
        c->expected_at++;
        c->expected_seen = 0;
        replies++;
    }
    return n;
}

static void receive(struct connection *c) {
    static char data[256 * 1024];
    ssize_t n = recv(c->fd, data, chance(10) ? 1 + below(100) : sizeof(data), 0);
    if (n == -1 && (errno == EAGAIN || errno == EINTR)) return;
    if (n == 0 && c->ending == END_HALF_CLOSE && c->expected_at == c->expected_count) {
        close_connection(c, false);
        return;
    }
    if (n <= 0) {
        ended(c, n == 0 ? "closed by the server" : strerror(errno));
        return;
    }
    c->progress_ms = now_ms();
    for (size_t at = 0; at < (size_t)n;) {
        if (c->expected_at == c->expected_count)
            fail("connection %u: %zd bytes more than all replies", c->slot, n - (ssize_t)at);
        at += compare(c, data + at, (size_t)n - at);
    }
}

static void transmit(struct connection *c) {
    size_t n = c->out_size - c->out_sent;
    if (n > c->piece_max) n = c->piece_max;
    ssize_t sent = send(c->fd, c->out + c->out_sent, n, MSG_NOSIGNAL);
    if (sent == -1 && (errno == EAGAIN || errno == EINTR)) return;
    if (sent == -1) {
        ended(c, strerror(errno));
        return;
    }
    c->out_sent += (size_t)sent;
    c->progress_ms = now_ms();
    bool leaves = c->ending == END_LEAVE || c->ending == END_RESET;
    if (leaves && c->out_sent >= c->leave_after) {
        close_connection(c, c->ending == END_RESET);
    } else if (c->ending == END_HALF_CLOSE && c->out_sent == c->out_size) {
        shutdown(c->fd, SHUT_WR);
    }
}

static void step(struct connection *c, short events) {
    if (c->fd != -1 && (events & (POLLIN | POLLHUP | POLLERR))) receive(c);
    if (c->fd != -1 && (events & POLLOUT) && c->out_sent < c->out_size) transmit(c);
    if (c->fd == -1) return;
    if (c->expected_at < c->expected_count || c->out_sent < c->out_size) {
        if (now_ms() - c->progress_ms > STALL_MS) {
            fail("connection %u stalls: %zu of %zu replies, %zu of %zu bytes sent, ending %d",
                 c->slot, c->expected_at, c->expected_count, c->out_sent, c->out_size,
                 (int)c->ending);
        }
        return;
    }
    if (c->ending == END_HALF_CLOSE) return; /* the server closes */
    int64_t took_ms = now_ms() - c->round_ms;
    if (took_ms > latency_max_ms) latency_max_ms = took_ms;
    if (c->rounds_left == 0) {
        close_connection(c, chance(50));
    } else {
        c->rounds_left--;
        begin_round(c);
    }
}

/* ---- the thread that disturbs ---- */

static void ask_receive(int fd, const char *line, char *data, size_t size) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    for (size_t seen = 0; seen < size;) {
        if (poll(&p, 1, STALL_MS) != 1) fail("%s: no answer", line);
        ssize_t n = recv(fd, data + seen, size - seen, 0);
        if (n <= 0) fail("%s: connection lost", line);
        seen += (size_t)n;
    }
}

/* Sends a command line and reads the reply: a line, or a bulk string. */
static void ask(int fd, const char *line) {
    char text[256];
    int length = snprintf(text, sizeof(text), "%s\r\n", line);
    if (send(fd, text, (size_t)length, MSG_NOSIGNAL) != length) fail("%s: not sent", line);
    size_t size = 0;
    do {
        ask_receive(fd, line, text + size, 1);
    } while (text[size++] != '\n' && size < sizeof(text) - 1);
    text[size] = 0;
    if (text[0] == '-' && !strstr(line, "KILL")) fail("%s: %s", line, text);
    if (text[0] != '$') return;
    size_t left = strtoul(text + 1, NULL, 10) + 2;
    while (left) {
        size_t n = left < sizeof(text) ? left : sizeof(text);
        ask_receive(fd, line, text, n);
        left -= n;
    }
}

static uint32_t disturb_seed;
static uint32_t disturb_below(uint32_t n) {
    disturb_seed = disturb_seed * 1664525u + 1013904223u;
    return (disturb_seed >> 8) % n;
}

static void disturb_once(int fd) {
    char line[128];
    switch (disturb_below(6)) {
    case 0:
        if (!has('k')) break;
        struct connection *victim = &connections[disturb_below((uint32_t)connection_count)];
        int port = atomic_load(&victim->port);
        if (!port) break;
        atomic_store(&victim->killed, true);
        snprintf(line, sizeof(line), "CLIENT KILL ADDR 127.0.0.1:%d", port);
        ask(fd, line);
        kills++;
        break;
    case 1:
        if (!has('p')) break;
        snprintf(line, sizeof(line), "CLIENT PAUSE %u %s", 1 + disturb_below(40),
                 disturb_below(2) ? "WRITE" : "ALL");
        ask(fd, line);
        paused_rounds++;
        if (disturb_below(2)) ask(fd, "CLIENT UNPAUSE");
        break;
    case 2:
        if (!has('t')) break;
        static const int threads[] = {1, 2, 3, 4, 5, 8, 12, 16, 256};
        snprintf(line, sizeof(line), "CONFIG SET io-threads %d",
                 threads[disturb_below(disturb_below(20) ? 7 : 9)]);
        ask(fd, line);
        break;
    case 3:
        if (!has('t')) break;
        ask(fd, disturb_below(2) ? "CONFIG SET io-threads-always-active yes"
                                 : "CONFIG SET io-threads-always-active no");
        break;
    case 4: ask(fd, "INFO everything"); break;
    case 5: ask(fd, "CLIENT LIST"); break;
    }
}

static void *disturb(void *ctx) {
    (void)ctx;
    int fd = dial();
    int monitor = -1;
    char data[65536];
    while (!atomic_load(&done)) {
        disturb_once(fd);
        if (has('m') && monitor == -1 && disturb_below(4) == 0) {
            monitor = dial();
            if (send(monitor, "MONITOR\r\n", 9, MSG_NOSIGNAL) != 9) fail("MONITOR: not sent");
            fcntl(monitor, F_SETFL, O_NONBLOCK);
        } else if (monitor != -1 && disturb_below(30) == 0) {
            close(monitor);
            monitor = -1;
        }
        for (int i = 0; monitor != -1 && i < 50 && recv(monitor, data, sizeof(data), 0) > 0; i++) {}
        struct timespec rest = {.tv_nsec = (long)disturb_below(20) * 1000000};
        nanosleep(&rest, NULL);
    }
    close(fd);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 6) fail("usage: io_stress PORT SECONDS CONNECTIONS SEED OPTIONS");
    server_port = (int)strtol(argv[1], NULL, 10);
    int64_t end_ms = now_ms() + strtol(argv[2], NULL, 10) * 1000;
    connection_count = (int)strtol(argv[3], NULL, 10);
    if (connection_count > CONNECTIONS_MAX) fail("at most %d connections", CONNECTIONS_MAX);
    rng_state = strtoull(argv[4], NULL, 10) * 2 + 1;
    disturb_seed = (uint32_t)rng_state;
    options = argv[5];
    for (size_t i = 0; i < TABLE_SIZE; i++)
        table[i] = table[i + TABLE_SIZE] = (char)random_u64();

    static struct pollfd polls[CONNECTIONS_MAX];
    for (int i = 0; i < connection_count; i++) {
        connections[i].slot = (uint32_t)i;
        connections[i].fd = -1;
        connections[i].expected = malloc(EXPECTED_MAX * sizeof(struct expected));
        if (!connections[i].expected) fail("out of memory");
    }
    pthread_t thread;
    if (pthread_create(&thread, NULL, disturb, NULL) != 0) fail("no thread");
    while (now_ms() < end_ms) {
        for (int i = 0; i < connection_count; i++) {
            struct connection *c = &connections[i];
            if (c->fd == -1 && (has('q') || chance(30))) open_connection(c);
            bool sending = c->fd != -1 && c->out_sent < c->out_size;
            polls[i] = (struct pollfd){.fd = c->fd,
                                       .events = (short)(sending ? POLLIN | POLLOUT : POLLIN)};
        }
        poll(polls, (nfds_t)connection_count, 100);
        for (int i = 0; i < connection_count; i++)
            step(&connections[i], polls[i].revents);
    }
    atomic_store(&done, true);
    pthread_join(thread, NULL);
    printf("%llu replies, %llu connections, %llu kills, %llu pauses, slowest round %lld ms\n",
           (unsigned long long)replies, (unsigned long long)connects, (unsigned long long)kills,
           (unsigned long long)paused_rounds, (long long)latency_max_ms);
    return 0;
}
