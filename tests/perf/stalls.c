/* SPDX-License-Identifier: BSD-3-Clause */
/* stalls -- how long single requests wait: clients with one request in flight each, every latency
 * recorded, the longest shown with the moment it was met, how often some waited for 2 ms, and when
 * those began and ended that waited for 1 ms.
 *
 *      stalls PORT CLIENTS SECONDS [-l CLIENTS KEY] WORD...
 *
 * A word "#N" becomes "key:" and a random number below N in twelve digits. With -l, CLIENTS further
 * clients send GET KEY without a rest: large replies in the mix, which are not measured. Prints one
 * line of JSON. scenarios.py is what runs it. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CLIENTS_MAX = 10000,
    REQUEST_MAX = 4096,
    BUFFER = 256 * 1024,
    BUCKETS = 200000,
    STALL_NS = 2000000,
    WAIT_NS = 1000000,
    WAITS_MAX = 1000,
    EVENTS = 256
};

struct peer {
    int fd;
    bool large;
    uint64_t sent_ns;
    char head[64]; /* the reply's first line, as far as it is here */
    size_t head_size;
    int64_t
        body_left; /* bytes of a bulk string still to come; -1: the first line is not complete */
};

struct run {
    struct sockaddr_in address;
    char **words;
    int word_count;
    const char *large_key;
    uint64_t random; /* state of splitmix64 (Steele, Lea and Flood, 2014) */
    uint64_t began_ns;
    uint64_t counts[BUCKETS]; /* by 10 us; the last: all longer ones */
    uint64_t total, errors, longest_ns, longest_at_ns, large_replies;
    uint64_t stalls, stall_seen_ns; /* of STALL_NS and longer; those met together are one */
    struct wait {                   /* of WAIT_NS and longer, by the monotonic clock; the same */
        uint64_t from_ns, to_ns;
    } waits[WAITS_MAX];
    int wait_count;
};

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1); /* tidy: a program of its own */
}

static uint64_t random_below(struct run *run, uint64_t bound) {
    uint64_t z = run->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % bound;
}

static size_t make_request(struct run *run, const struct peer *peer, char out[REQUEST_MAX]) {
    if (peer->large) {
        return (size_t)snprintf(out, REQUEST_MAX, "*2\r\n$3\r\nGET\r\n$%zu\r\n%s\r\n",
                                strlen(run->large_key), run->large_key);
    }
    size_t size = (size_t)snprintf(out, REQUEST_MAX, "*%d\r\n", run->word_count);
    for (int i = 0; i < run->word_count; i++) {
        char key[32];
        const char *word = run->words[i];
        if (word[0] == '#') {
            uint64_t below = strtoull(word + 1, NULL, 10);
            snprintf(key, sizeof(key), "key:%012" PRIu64, random_below(run, below));
            word = key;
        }
        size +=
            (size_t)snprintf(out + size, REQUEST_MAX - size, "$%zu\r\n%s\r\n", strlen(word), word);
        if (size >= REQUEST_MAX) die("a request is too long");
    }
    return size;
}

static void ask(struct run *run, struct peer *peer) {
    char request[REQUEST_MAX];
    size_t size = make_request(run, peer, request);
    peer->head_size = 0;
    peer->body_left = -1;
    peer->sent_ns = now_ns();
    if (send(peer->fd, request, size, MSG_NOSIGNAL) != (ssize_t)size) die("send");
}

static void note_wait(struct run *run, uint64_t from_ns, uint64_t to_ns) {
    const struct wait *last = run->wait_count ? &run->waits[run->wait_count - 1] : NULL;
    if ((last && from_ns < last->to_ns) || run->wait_count == WAITS_MAX) return;
    run->waits[run->wait_count++] = (struct wait){from_ns, to_ns};
}

static void answered(struct run *run, struct peer *peer) {
    if (peer->head[0] == '-') run->errors++;
    if (peer->large) {
        run->large_replies++;
    } else {
        uint64_t now = now_ns();
        uint64_t took = now - peer->sent_ns;
        uint64_t bucket = took / 10000;
        run->counts[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
        run->total++;
        if (took >= WAIT_NS) note_wait(run, peer->sent_ns, now);
        if (took >= STALL_NS) {
            run->stalls += peer->sent_ns > run->stall_seen_ns;
            run->stall_seen_ns = now;
        }
        if (took > run->longest_ns) {
            run->longest_ns = took;
            run->longest_at_ns = now - run->began_ns;
        }
    }
    ask(run, peer);
}

/* One reply at a time: the next request is sent when the last one is answered. */
static void take(struct run *run, struct peer *peer, const char *data, size_t size) {
    while (size && peer->body_left < 0) {
        if (peer->head_size == sizeof(peer->head) - 1) die("a reply is no string");
        char c = *data++;
        size--;
        if (c != '\n') {
            peer->head[peer->head_size++] = c;
            continue;
        }
        peer->head[peer->head_size] = 0;
        int64_t bulk = peer->head[0] == '$' ? strtoll(peer->head + 1, NULL, 10) : -1;
        peer->body_left = bulk >= 0 ? bulk + 2 : 0;
    }
    if (peer->body_left < 0) return;
    peer->body_left -= (int64_t)size;
    if (peer->body_left == 0) answered(run, peer);
}

static void open_peer(struct run *run, struct peer *peer, int epoll) {
    int one = 1;
    peer->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(peer->fd, (struct sockaddr *)&run->address, sizeof(run->address)) == -1) {
        die("connect");
    }
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, peer->fd, &event) == -1) die("epoll_ctl");
}

static double percentile_ms(const struct run *run, double percent) {
    uint64_t wanted = (uint64_t)((double)run->total * percent / 100), seen = 0;
    for (uint64_t i = 0; i < BUCKETS; i++) {
        seen += run->counts[i];
        if (seen > wanted) return (double)(i + 1) / 100;
    }
    return (double)BUCKETS / 100;
}

static void report(const struct run *run, double seconds) {
    printf("{\"requests\": %" PRIu64 ", \"rps\": %.0f, \"errors\": %" PRIu64
           ", \"large_replies\": %" PRIu64
           ", \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"p99.9_ms\": %.2f"
           ", \"p99.99_ms\": %.2f, \"longest_ms\": %.3f, \"longest_at_s\": %.3f"
           ", \"stalls\": %" PRIu64 ", \"waits_ns\": [",
           run->total, (double)run->total / seconds, run->errors, run->large_replies,
           percentile_ms(run, 50), percentile_ms(run, 99), percentile_ms(run, 99.9),
           percentile_ms(run, 99.99), (double)run->longest_ns / 1e6,
           (double)run->longest_at_ns / 1e9, run->stalls);
    for (int i = 0; i < run->wait_count; i++)
        printf("%s[%" PRIu64 ", %" PRIu64 "]", i ? ", " : "", run->waits[i].from_ns,
               run->waits[i].to_ns);
    printf("]}\n");
}

static void drive(struct run *run, struct peer *peers, int count, double seconds) {
    static char buffer[BUFFER];
    int epoll = epoll_create1(0);
    for (int i = 0; i < count; i++)
        open_peer(run, &peers[i], epoll);
    run->began_ns = now_ns();
    for (int i = 0; i < count; i++)
        ask(run, &peers[i]);
    uint64_t end_ns = run->began_ns + (uint64_t)(seconds * 1e9);
    while (now_ns() < end_ns) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(epoll, events, EVENTS, 100);
        for (int i = 0; i < n; i++) {
            struct peer *peer = events[i].data.ptr;
            ssize_t size = recv(peer->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
            if (size == 0 || (size == -1 && errno != EAGAIN)) die("recv");
            if (size > 0) take(run, peer, buffer, (size_t)size);
        }
    }
    report(run, seconds);
}

int main(int argc, char **argv) {
    static struct run run;
    static struct peer peers[CLIENTS_MAX];
    int at = 4, large = 0;
    if (argc < 5) die("usage: stalls PORT CLIENTS SECONDS [-l CLIENTS KEY] WORD...");
    if (strcmp(argv[at], "-l") == 0 && argc > at + 3) {
        large = (int)strtol(argv[at + 1], NULL, 10);
        run.large_key = argv[at + 2];
        at += 3;
    }
    int clients = (int)strtol(argv[2], NULL, 10);
    if (clients < 1 || large < 0 || clients + large > CLIENTS_MAX) die("number of clients");
    run.address = (struct sockaddr_in){.sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10)),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    run.words = argv + at;
    run.word_count = argc - at;
    run.random = now_ns();
    for (int i = 0; i < large; i++)
        peers[clients + i].large = true;
    drive(&run, peers, clients + large, strtod(argv[3], NULL));
    return 0;
}
