/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients that wait, against a naive model: commands made for the test, real connections and the
 * real loop, one request at a time. A key holds a number as a string; the replies are lines. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "exec/block.h"
#include "exec/call.h"
#include "exec/gate.h"
#include "exec/loop.h"
#include "exec/multi.h"
#include "io/io.h"
#include "net/reactor.h"
#include "tests/unit/test.h"

enum { CLIENTS = 12, KEYS = 5, DBS = 2, STEPS = 6000, TAKE_MAX = 3, LINE_MAX = 96 };

/* ---- the commands ---- */

static unsigned handler_runs;

static void say(struct call *call, const char *what, struct bytes key, struct bytes value) {
    char line[LINE_MAX];
    int size = snprintf(line, sizeof(line), "%s %.*s %.*s", what, (int)key.size, key.data,
                        (int)value.size, value.data);
    reply_simple(call->reply, bytes_make(line, (size_t)size));
}

static void say_late(struct call *call) { reply_simple(call->reply, BYTES("late")); }

static bool wait_for_keys(struct call *call, uint32_t count, uint8_t type, uint8_t flags) {
    int64_t timeout_ms;
    if (!call_timeout_ms(call, call->argc - 1, &timeout_ms)) return true;
    const struct block_request request = {
        .first_key = 1,
        .key_count = count,
        .type = type,
        .flags = flags,
        .timeout_ms = timeout_ms,
        .timed_out = say_late,
    };
    return call_block(call, &request);
}

static struct bytes number_text(const struct entry *entry, char out[24]) {
    int size = snprintf(out, 24, "%lld", (long long)entry_int(entry));
    return bytes_make(out, (size_t)size);
}

/* take key ... ms -- the number of the first key there is, which goes */
static void cmd_take(struct call *call) {
    handler_runs++;
    for (uint32_t i = 1; i < call->argc - 1; i++) {
        struct entry *entry = call_peek_write(call, i);
        if (!entry) continue;
        char text[24];
        say(call, "took", call->argv[i], number_text(entry, text));
        keyspace_remove(call->db, entry, KEY_DELETED);
        return;
    }
    if (!wait_for_keys(call, call->argc - 2, TYPE_STRING, 0)) say_late(call);
}

static void put(struct call *call, struct bytes key, int64_t value) {
    uint64_t hash = hash_bytes(key);
    struct entry *old = keyspace_find(call->db, key, hash, LOOKUP_WRITE);
    (void)keyspace_set_int(call->db, key, hash, old, value, -1, 0);
}

/* move from to ms -- waits for from */
static void cmd_move(struct call *call) {
    handler_runs++;
    struct entry *entry = call_peek_write(call, 1);
    if (entry) {
        int64_t value = entry_int(entry);
        char text[24];
        say(call, "moved", call->argv[1], number_text(entry, text));
        keyspace_remove(call->db, entry, KEY_DELETED);
        put(call, call->argv[2], value);
    } else if (!wait_for_keys(call, 1, TYPE_STRING, 0)) {
        say_late(call);
    }
}

/* gone key ms -- waits until the key is not there */
static void cmd_gone(struct call *call) {
    handler_runs++;
    if (!call_peek_write(call, 1)) {
        say(call, "gone", call->argv[1], BYTES(""));
    } else if (!wait_for_keys(call, 1, TYPE_ANY, BLOCK_ON_DELETE)) {
        say_late(call);
    }
}

/* other key ms -- waits for a type that no key has */
static void cmd_other(struct call *call) {
    handler_runs++;
    if (!wait_for_keys(call, 1, TYPE_HASH, 0)) say_late(call);
}

/* put key number ... */
static void cmd_put(struct call *call) {
    for (uint32_t i = 1; i + 1 < call->argc; i += 2) {
        int64_t value;
        if (!call_int(call, i + 1, &value)) return;
        put(call, call->argv[i], value);
    }
    reply_ok(call->reply);
}

/* del key */
static void cmd_del(struct call *call) {
    struct entry *entry = call_peek_write(call, 1);
    if (entry) keyspace_remove(call->db, entry, KEY_DELETED);
    reply_ok(call->reply);
}

static void cmd_flush(struct call *call) {
    (void)keyspace_flush(call->db, false);
    reply_ok(call->reply);
}

static void cmd_swap(struct call *call) {
    keyspace_swap(keyspace_db(call->keyspace, 0), keyspace_db(call->keyspace, 1));
    reply_ok(call->reply);
}

static void cmd_select(struct call *call) {
    int64_t index;
    if (!call_int(call, 1, &index)) return;
    call->client->db = keyspace_db(call->keyspace, (int32_t)index);
    reply_ok(call->reply);
}

#define ROW(word, fn, count) \
    { .name = word, .handler = fn, .arity = count, .group = GROUP_GENERIC }
static const struct command_spec rows[] = {
    ROW("take", cmd_take, -3),    ROW("move", cmd_move, 4),
    ROW("gone", cmd_gone, 3),     ROW("other", cmd_other, 3),
    ROW("put", cmd_put, -3),      ROW("del", cmd_del, 2),
    ROW("flush", cmd_flush, 1),   ROW("swap", cmd_swap, 1),
    ROW("select", cmd_select, 2), {0},
};

/* ---- the executor, and what clients see ---- */

struct bench {
    struct exec *exec;
    struct exec_config config;
    struct keyspace_config keyspace_config;
    struct command_table *commands;
    struct reactor *reactor;
    struct io *io;
    struct keyspace *keyspace;
    struct client *clients[CLIENTS];
    int peers[CLIENTS];
};

static void bench_connect(struct bench *bench, size_t who) {
    int fds[2];
    struct diag diag = {0};
    expect_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    bench->clients[who] = client_create(bench->exec, fds[0]);
    bench->peers[who] = fds[1];
    expect_eq(reactor_add(bench->reactor, fds[0], bench->clients[who], &diag), ERR_NONE);
}

static void bench_open(struct bench *bench, struct test *t) {
    struct diag diag = {0};
    memset(bench, 0, sizeof(*bench));
    bench->config.prefetch_max = 16;
    bench->config.bulk_max = 1 << 20;
    bench->config.input_limit = 1 << 20;
    bench->keyspace_config.databases = DBS;
    bench->commands = command_table_create();
    command_table_add(bench->commands, rows);
    command_table_set_needs(bench->commands, gate_needs_of);
    const struct reactor_options reactor = {.engine = REACTOR_EPOLL, .max_fds = 100};
    expect_eq(reactor_create(&reactor, &bench->reactor, &diag), ERR_NONE);
    const struct io_options io = {
        .threads = 1, .commands = bench->commands, .reactor = bench->reactor};
    expect_eq(io_create(&io, &bench->io, &diag), ERR_NONE);
    bench->keyspace = keyspace_create(&bench->keyspace_config, rng_next(t->rng));
    const struct exec_setup setup = {.config = &bench->config,
                                     .keyspace = bench->keyspace,
                                     .commands = bench->commands,
                                     .reactor = bench->reactor,
                                     .io = bench->io};
    bench->exec = exec_create(&setup);
    for (size_t i = 0; i < CLIENTS; i++)
        bench_connect(bench, i);
}

static void bench_close(struct bench *bench, struct test *t) {
    for (size_t i = 0; i < CLIENTS; i++)
        close(bench->peers[i]);
    io_destroy(&bench->io);
    exec_destroy(&bench->exec);
    keyspace_destroy(&bench->keyspace);
    reactor_destroy(&bench->reactor);
    command_table_destroy(&bench->commands);
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* Lets the loop run until it has nothing to do. */
static void bench_run(struct bench *bench) {
    for (int quiet = 0; quiet < 2;) {
        uint64_t commands = bench->exec->stats.commands, writes = bench->exec->stats.writes;
        loop_turn(bench->exec, 0);
        exec_end_waits(bench->exec);
        const struct exec *exec = bench->exec;
        bool busy = exec->read_head || exec->ready_head || exec->write_head || exec->dead_pending;
        bool same = commands == exec->stats.commands && writes == exec->stats.writes;
        quiet = same && !busy ? quiet + 1 : 0;
    }
}

static void bench_send(struct bench *bench, size_t who, const char *line) {
    size_t size = strlen(line);
    expect_eq(send(bench->peers[who], line, size, MSG_NOSIGNAL), size);
    bench_run(bench);
}

/* What has arrived at the client, without CR. */
static void bench_receive(const struct bench *bench, size_t who, struct buf *out) {
    char chunk[512];
    ssize_t size;
    while ((size = recv(bench->peers[who], chunk, sizeof(chunk), 0)) > 0) {
        for (ssize_t i = 0; i < size; i++) {
            if (chunk[i] != '\r') buf_add(out, bytes_make(&chunk[i], 1));
        }
    }
}

/* ---- the model ---- */

enum wait_kind { WAIT_NONE = 0, WAIT_TAKE, WAIT_MOVE, WAIT_GONE, WAIT_OTHER };

struct model_client {
    enum wait_kind wait;
    unsigned keys[TAKE_MAX], key_count, to;
    uint64_t arrived; /* 0: its command runs for the first time */
    unsigned db;
    struct buf expected;
};

struct model {
    int64_t value[DBS][KEYS]; /* 0: absent */
    struct model_client clients[CLIENTS];
    unsigned ready[1024][2]; /* database, key */
    size_t ready_first, ready_end;
    uint64_t arrivals;
    bool paused;
};

static bool waits_for(const struct model_client *c, unsigned db, unsigned key) {
    if (c->wait == WAIT_NONE || !c->arrived || c->db != db) return false;
    for (unsigned i = 0; i < c->key_count; i++) {
        if (c->keys[i] == key) return true;
    }
    return false;
}

/* A key that somebody waits for is ready from its first change on, until it is served. */
static void model_touch(struct model *m, unsigned db, unsigned key) {
    bool wanted = false;
    for (size_t i = 0; i < CLIENTS; i++)
        wanted |= waits_for(&m->clients[i], db, key);
    for (size_t i = m->ready_first; i < m->ready_end; i++)
        wanted &= m->ready[i][0] != db || m->ready[i][1] != key;
    if (!wanted) return;
    expect_true(m->ready_end < COUNT_OF(m->ready));
    m->ready[m->ready_end][0] = db;
    m->ready[m->ready_end++][1] = key;
}

static void model_set(struct model *m, unsigned db, unsigned key, int64_t value) {
    m->value[db][key] = value;
    model_touch(m, db, key);
}

/* The client's command, for the first time or again. True if it replied. */
static bool model_try(struct model *m, struct model_client *c) {
    int64_t(*value) = m->value[c->db];
    switch (c->wait) {
    case WAIT_TAKE:
        for (unsigned i = 0; i < c->key_count; i++) {
            unsigned key = c->keys[i];
            if (!value[key]) continue;
            buf_addf(&c->expected, "+took k%u %lld\n", key, (long long)value[key]);
            model_set(m, c->db, key, 0);
            return true;
        }
        return false;
    case WAIT_MOVE: {
        int64_t moved = value[c->keys[0]];
        if (!moved) return false;
        buf_addf(&c->expected, "+moved k%u %lld\n", c->keys[0], (long long)moved);
        model_set(m, c->db, c->keys[0], 0);
        model_set(m, c->db, c->to, moved);
        return true;
    }
    case WAIT_GONE:
        if (value[c->keys[0]]) return false;
        buf_addf(&c->expected, "+gone k%u \n", c->keys[0]);
        return true;
    case WAIT_OTHER:
    case WAIT_NONE: return false;
    }
    return false;
}

static struct model_client *next_waiter(struct model *m, unsigned db, unsigned key,
                                        uint64_t after) {
    struct model_client *next = NULL;
    for (size_t i = 0; i < CLIENTS; i++) {
        struct model_client *c = &m->clients[i];
        if (!waits_for(c, db, key) || c->arrived <= after) continue;
        if (!next || c->arrived < next->arrived) next = c;
    }
    return next;
}

static void model_serve(struct model *m) {
    if (m->paused) return;
    while (m->ready_first < m->ready_end) {
        unsigned db = m->ready[m->ready_first][0], key = m->ready[m->ready_first][1];
        m->ready_first++;
        struct model_client *c;
        for (uint64_t after = 0; (c = next_waiter(m, db, key, after)) != NULL;) {
            after = c->arrived;
            bool woken = c->wait == WAIT_GONE || m->value[db][key];
            if (woken && model_try(m, c)) c->wait = WAIT_NONE;
        }
    }
    m->ready_first = m->ready_end = 0;
}

/* ---- one random step ---- */

struct scene {
    struct test *t;
    struct bench bench;
    struct model model;
    int64_t last_value;
};

static unsigned pick(struct scene *s, unsigned bound) {
    return (unsigned)rng_below(s->t->rng, bound);
}

static void request_take(struct scene *s, struct model_client *c, struct buf *line) {
    c->wait = WAIT_TAKE;
    c->key_count = 1 + pick(s, TAKE_MAX);
    buf_add_text(line, "take");
    for (unsigned i = 0; i < c->key_count; i++) {
        c->keys[i] = pick(s, KEYS);
        buf_addf(line, " k%u", c->keys[i]);
    }
}

static void request_one_key(struct scene *s, struct model_client *c, struct buf *line) {
    static const char *const words[] = {
        [WAIT_MOVE] = "move", [WAIT_GONE] = "gone", [WAIT_OTHER] = "other"};
    c->wait = (enum wait_kind)(WAIT_MOVE + pick(s, 3));
    c->key_count = 1;
    c->keys[0] = pick(s, KEYS);
    buf_addf(line, "%s k%u", words[c->wait], c->keys[0]);
    if (c->wait != WAIT_MOVE) return;
    c->to = pick(s, KEYS);
    buf_addf(line, " k%u", c->to);
}

/* A command that may wait; now and then with a time that is over at once. */
static void step_wait(struct scene *s, size_t who) {
    struct model_client *c = &s->model.clients[who];
    struct buf line = {0};
    if (pick(s, 2)) {
        request_take(s, c, &line);
    } else {
        request_one_key(s, c, &line);
    }
    bool brief = pick(s, 40) == 0;
    buf_add_text(&line, brief ? " 1\r\n" : pick(s, 2) ? " 0\r\n" : " 1000000\r\n");
    c->arrived = 0;
    bool replied = model_try(&s->model, c);
    if (replied) {
        c->wait = WAIT_NONE;
    } else {
        c->arrived = ++s->model.arrivals;
    }
    model_serve(&s->model);
    buf_add(&line, bytes_make("", 1));
    bench_send(&s->bench, who, line.data);
    if (!replied && brief) {
        while (s->bench.clients[who]->wait)
            bench_run(&s->bench);
        c->wait = WAIT_NONE;
        buf_add_text(&c->expected, "+late\n");
    }
    buf_deinit(&line);
}

static void model_all_touched(struct model *m, unsigned db) {
    for (unsigned key = 0; key < KEYS; key++)
        model_touch(m, db, key);
}

/* All keys at once: the order in which they become ready is that of a table, so that only one of
 * them may have somebody to serve. */
static bool is_clear_cut(const struct scene *s) {
    if (s->model.paused) return false;
    for (size_t i = 0; i < CLIENTS; i++) {
        if (s->model.clients[i].wait != WAIT_NONE && s->model.clients[i].wait != WAIT_OTHER)
            return false;
    }
    return true;
}

static void step_change_all(struct scene *s, size_t who) {
    struct model *m = &s->model;
    struct model_client *c = &m->clients[who];
    if (pick(s, 2) && is_clear_cut(s)) {
        for (unsigned key = 0; key < KEYS; key++) {
            int64_t value = m->value[0][key];
            m->value[0][key] = m->value[1][key];
            m->value[1][key] = value;
        }
        model_all_touched(m, 0);
        model_all_touched(m, 1);
        buf_add_text(&c->expected, "+OK\n");
        bench_send(&s->bench, who, "swap\r\n");
    } else if (is_clear_cut(s)) {
        memset(m->value[c->db], 0, sizeof(m->value[c->db]));
        model_all_touched(m, c->db);
        buf_add_text(&c->expected, "+OK\n");
        bench_send(&s->bench, who, "flush\r\n");
    }
    model_serve(m);
}

static void step_put(struct scene *s, size_t who) {
    struct model *m = &s->model;
    struct model_client *c = &m->clients[who];
    struct buf line = {0};
    buf_add_text(&line, "put");
    for (unsigned i = 1 + pick(s, 3); i > 0; i--) {
        unsigned key = pick(s, KEYS);
        buf_addf(&line, " k%u %lld", key, (long long)++s->last_value);
        model_set(m, c->db, key, s->last_value);
    }
    buf_add_text(&c->expected, "+OK\n");
    model_serve(m);
    buf_add(&line, BYTES("\r\n\0"));
    bench_send(&s->bench, who, line.data);
    buf_deinit(&line);
}

static void step_del(struct scene *s, size_t who) {
    struct model *m = &s->model;
    struct model_client *c = &m->clients[who];
    unsigned key = pick(s, KEYS);
    char line[LINE_MAX];
    snprintf(line, sizeof(line), "del k%u\r\n", key);
    if (m->value[c->db][key]) model_set(m, c->db, key, 0);
    buf_add_text(&c->expected, "+OK\n");
    model_serve(m);
    bench_send(&s->bench, who, line);
}

static void step_select(struct scene *s, size_t who) {
    struct model_client *c = &s->model.clients[who];
    c->db = pick(s, DBS);
    buf_add_text(&c->expected, "+OK\n");
    bench_send(&s->bench, who, c->db ? "select 1\r\n" : "select 0\r\n");
}

static void step_unblock(struct scene *s, size_t who) {
    struct model_client *c = &s->model.clients[who];
    bool failed = pick(s, 2);
    expect_eq(block_end(s->bench.clients[who], failed ? BLOCK_FAILED : BLOCK_TIMED_OUT),
              c->wait != WAIT_NONE);
    if (c->wait != WAIT_NONE) {
        buf_add_text(&c->expected,
                     failed ? "-UNBLOCKED client unblocked via CLIENT UNBLOCK\n" : "+late\n");
        c->wait = WAIT_NONE;
    }
    bench_run(&s->bench);
}

/* The client goes, by its own end or by ours, and another takes its place. */
static void step_leave(struct scene *s, size_t who) {
    struct model_client *c = &s->model.clients[who];
    if (pick(s, 2)) client_close(s->bench.clients[who]);
    close(s->bench.peers[who]);
    bench_run(&s->bench);
    c->wait = WAIT_NONE;
    c->db = 0;
    bench_connect(&s->bench, who);
}

static void step_pause(struct scene *s) {
    struct model *m = &s->model;
    m->paused = !m->paused;
    if (m->paused) {
        exec_pause(s->bench.exec, PAUSE_BY_COMMAND, INT64_MAX, false);
    } else {
        exec_unpause(s->bench.exec, PAUSE_BY_COMMAND);
    }
    model_serve(m);
    bench_run(&s->bench);
}

static void step(struct scene *s) {
    size_t who = pick(s, CLIENTS);
    unsigned choice = pick(s, 100);
    bool waits = s->model.clients[who].wait != WAIT_NONE;
    if (choice < 4) {
        step_leave(s, who);
    } else if (choice < 8) {
        step_unblock(s, who);
    } else if (choice < 9) {
        step_pause(s);
    } else if (waits) {
        return;
    } else if (choice < 65) {
        step_wait(s, who);
    } else if (choice < 85) {
        step_put(s, who);
    } else if (choice < 90) {
        step_del(s, who);
    } else if (choice < 95) {
        step_select(s, who);
    } else {
        step_change_all(s, who);
    }
}

static void scene_compare(struct scene *s) {
    size_t waiting = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        struct model_client *c = &s->model.clients[i];
        struct buf got = {0};
        bench_receive(&s->bench, i, &got);
        expect_bytes_eq(buf_bytes(&got), buf_bytes(&c->expected));
        buf_deinit(&got);
        buf_deinit(&c->expected);
        waiting += c->wait != WAIT_NONE;
    }
    struct block_counts counts;
    block_count(s->bench.exec, &counts);
    expect_eq(counts.clients, waiting);
    block_verify(s->bench.exec);
}

TEST(waiting_clients_are_served_as_a_naive_model_serves_them) {
    struct scene s = {.t = t};
    bench_open(&s.bench, t);
    for (int i = 0; i < STEPS; i++) {
        step(&s);
        scene_compare(&s);
    }
    bench_close(&s.bench, t);
}

TEST(a_key_of_another_type_runs_nobody) {
    struct scene s = {.t = t};
    bench_open(&s.bench, t);
    bench_send(&s.bench, 0, "other k1 0\r\n");
    unsigned runs = handler_runs;
    bench_send(&s.bench, 1, "put k1 5\r\n");
    bench_send(&s.bench, 1, "del k1\r\n");
    expect_eq(handler_runs, runs);
    expect_true(s.bench.clients[0]->wait != NULL);
    bench_close(&s.bench, t);
}

TEST(a_waiting_client_keeps_its_place_when_it_waits_on) {
    struct bench bench;
    bench_open(&bench, t);
    bench_send(&bench, 5, "put k1 1\r\n");
    bench_send(&bench, 0, "gone k1 0\r\n");
    bench_send(&bench, 1, "gone k1 0\r\n");
    unsigned runs = handler_runs;
    bench_send(&bench, 5, "put k1 2\r\n"); /* both look, and wait on */
    expect_eq(handler_runs, runs + 2);
    block_verify(bench.exec);
    struct block_counts counts;
    block_count(bench.exec, &counts);
    expect_eq(counts.clients, 2);
    expect_eq(counts.keys, 1);
    expect_eq(counts.keys_on_delete, 1);
    expect_eq(counts.with_deadline, 0);
    bench_close(&bench, t);
}

TEST(a_call_that_waited_counts_once_when_it_ends) {
    struct bench bench;
    bench_open(&bench, t);
    const struct command *take = command_find(bench.commands, BYTES("take"));
    const struct command_stats *stats = &bench.exec->command_stats[take->id];
    bench_send(&bench, 0, "take k1 0\r\n");
    expect_eq(stats->calls, 0);
    bench_send(&bench, 1, "put k1 1\r\n");
    expect_eq(stats->calls, 1);
    bench_send(&bench, 0, "take k1 0\r\n");
    expect_true(block_end(bench.clients[0], BLOCK_FAILED));
    expect_eq(stats->calls, 2);
    expect_eq(stats->failed, 1);
    bench_close(&bench, t);
}

TEST(requests_behind_one_that_waits_wait_too) {
    struct bench bench;
    bench_open(&bench, t);
    bench_send(&bench, 0, "take k1 0\r\nput k2 7\r\ntake k2 0\r\ntake k3 0\r\nput k4 1\r\n");
    bench_send(&bench, 1, "put k1 1\r\n");
    struct buf got = {0};
    bench_receive(&bench, 0, &got);
    expect_bytes_eq(buf_bytes(&got), BYTES("+took k1 1\n+OK\n+took k2 7\n"));
    bench_send(&bench, 1, "put k3 3\r\n");
    bench_receive(&bench, 0, &got);
    expect_bytes_eq(buf_bytes(&got), BYTES("+took k1 1\n+OK\n+took k2 7\n+took k3 3\n+OK\n"));
    buf_deinit(&got);
    bench_close(&bench, t);
}

TEST_MAIN()
