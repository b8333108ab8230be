/* SPDX-License-Identifier: BSD-3-Clause */
/* Who waits for what.
 *
 *   tables[db]: key ─▶ waiting_key ─▶ list of waiters, oldest first
 *   client->wait ─▶ wait: arguments, deadline, and a waiter for each of its keys
 *   ready_head ─▶ waiting_keys that have changed, in the order in which they did
 *
 * Waits without keys hang on a waiting_key of their own, others, which is in no table.
 *
 * 1. A waiting_key has waiters, or it is ready or being served; else it is freed.
 * 2. A wait that is running keeps its memory when the client forgets it; run_again frees it. */
#include "exec/block.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"
#include "ds/hashtab.h"
#include "ds/heap.h"
#include "exec/call.h"
#include "exec/exec_internal.h"
#include "exec/gate_internal.h"
#include "exec/limits.h"
#include "exec/loop.h"
#include "exec/multi.h"
#include "exec/push.h"
#include "exec/run.h"

#include <math.h>
#include <stddef.h>

enum { BLOCK_DUE_MAX = 1024 }; /* waits that one block_end_due ends */

struct waiter {
    struct wait *wait;
    struct waiting_key *key;
    struct waiter *next, *prev; /* of the key, oldest first */
};

struct waiting_key {
    struct waiter *head, *tail;
    struct waiter *cursor; /* whom serve_key looks at next */
    struct waiting_key *next_ready;
    uint32_t by_type[VALUE_TYPE_COUNT]; /* waiters that want it */
    uint32_t by_any;                    /* waiters for TYPE_ANY */
    uint32_t on_delete;                 /* waiters with BLOCK_ON_DELETE */
    int32_t db;
    bool ready, served;
    uint64_t hash;
    size_t size;
    char key[];
};

struct wait {
    struct client *client;
    const struct command *command;
    struct bytes *argv; /* owned: one allocation with its bytes */
    uint32_t argc;
    uint8_t type, flags;
    bool running;
    uint64_t hash;             /* of the first key, as in struct call */
    struct heap_node deadline; /* in no heap: for ever */
    void (*timed_out)(struct call *call);
    uint64_t ticks;         /* spent in its handler until now */
    uint64_t request_bytes; /* as it was sent */
    size_t bytes;           /* memory of argv and keys */
    uint32_t waiter_count;
    struct waiter waiters[];
};

struct blocking {
    struct exec *exec;
    struct hashtab **tables; /* one for each database, NULL until somebody waits there */
    int32_t table_count;
    struct waiting_key *others;
    struct waiting_key *ready_head, *ready_tail;
    struct heap deadlines;
    size_t clients, keys_on_delete;
};

static struct bytes key_bytes(const void *entry) {
    const struct waiting_key *key = entry;
    return bytes_make(key->key, key->size);
}
static uint64_t key_hash(const void *entry) { return ((const struct waiting_key *)entry)->hash; }
static void key_drop(void *entry) { mem_free(entry); }

static const struct hashtab_type table_type = {
    .key = key_bytes, .hash = key_hash, .drop = key_drop};

static struct waiting_key *key_create(int32_t db, struct bytes bytes, uint64_t hash) {
    struct waiting_key *key = mem_zalloc(sizeof(*key) + bytes.size);
    key->db = db;
    key->hash = hash;
    key->size = bytes.size;
    if (bytes.size) memcpy(key->key, bytes.data, bytes.size);
    return key;
}

void block_init(struct exec *exec) {
    struct blocking *b = mem_zalloc(sizeof(*b));
    b->exec = exec;
    b->table_count = keyspace_db_count(exec->keyspace);
    b->tables = mem_zalloc_array((size_t)b->table_count, sizeof(b->tables[0]));
    b->others = key_create(-1, BYTES(""), 0);
    exec->blocking = b;
}

void block_deinit(struct exec *exec) {
    struct blocking *b = exec->blocking;
    check(b->clients == 0);
    for (int32_t i = 0; i < b->table_count; i++)
        hashtab_destroy(&b->tables[i]);
    heap_deinit(&b->deadlines);
    mem_free(b->tables);
    mem_free(b->others);
    mem_free(b);
    exec->blocking = NULL;
}

/* ---- keys that are waited for ---- */

static struct waiting_key *key_find(const struct blocking *b, int32_t db, struct bytes bytes) {
    const struct hashtab *table = b->tables[db];
    return table ? hashtab_find(table, hash_bytes(bytes), bytes) : NULL;
}

static struct waiting_key *key_find_or_add(struct blocking *b, int32_t db, struct bytes bytes) {
    struct waiting_key *key = key_find(b, db, bytes);
    if (key) return key;
    if (!b->tables[db]) b->tables[db] = hashtab_create(&table_type);
    uint64_t hash = hash_bytes(bytes);
    key = key_create(db, bytes, hash);
    hashtab_add_new(b->tables[db], hash, key);
    if (b->exec->block_keys++ == 0) exec__interest_changed(b->exec);
    return key;
}

static void key_free_if_unused(struct blocking *b, struct waiting_key *key) {
    if (key->head || key->ready || key->served || key == b->others) return;
    hashtab_take_entry(b->tables[key->db], key->hash, key);
    if (--b->exec->block_keys == 0) exec__interest_changed(b->exec);
    mem_free(key);
}

static void key_make_ready(struct blocking *b, struct waiting_key *key) {
    if (key->ready || !key->head) return;
    key->ready = true;
    key->next_ready = NULL;
    if (b->ready_tail) {
        b->ready_tail->next_ready = key;
    } else {
        b->ready_head = key;
    }
    b->ready_tail = key;
    b->exec->block_ready = true;
}

static struct waiting_key *ready_key_pop(struct blocking *b) {
    struct waiting_key *key = b->ready_head;
    if (!key) return NULL;
    b->ready_head = key->next_ready;
    if (!b->ready_head) b->ready_tail = NULL;
    key->ready = false;
    return key;
}

static uint32_t *type_count(struct waiting_key *key, uint8_t type) {
    return type == TYPE_ANY ? &key->by_any : &key->by_type[type];
}

static void waiter_link(struct blocking *b, struct waiter *waiter) {
    struct waiting_key *key = waiter->key;
    waiter->next = NULL;
    waiter->prev = key->tail;
    if (key->tail) {
        key->tail->next = waiter;
    } else {
        key->head = waiter;
    }
    key->tail = waiter;
    ++*type_count(key, waiter->wait->type);
    if (waiter->wait->flags & BLOCK_ON_DELETE) b->keys_on_delete += key->on_delete++ == 0;
}

static void waiter_unlink(struct blocking *b, struct waiter *waiter) {
    struct waiting_key *key = waiter->key;
    if (key->cursor == waiter) key->cursor = waiter->next;
    if (waiter->prev) {
        waiter->prev->next = waiter->next;
    } else {
        key->head = waiter->next;
    }
    if (waiter->next) {
        waiter->next->prev = waiter->prev;
    } else {
        key->tail = waiter->prev;
    }
    --*type_count(key, waiter->wait->type);
    if (waiter->wait->flags & BLOCK_ON_DELETE) b->keys_on_delete -= --key->on_delete == 0;
    key_free_if_unused(b, key);
}

/* ---- waiting ---- */

bool call_may_block(const struct call *call) { return !(call->client->flags & CLIENT_IN_EXEC); }

/* One waiter for each distinct key. A key that comes again has this very wait at its end. */
static void wait_add_keys(struct blocking *b, struct wait *wait,
                          const struct block_request *request) {
    int32_t db = db_index(wait->client->db);
    uint32_t count = request->key_count ? request->key_count : 1;
    for (uint32_t i = 0; i < count; i++) {
        struct waiting_key *key = b->others;
        if (request->key_count) key = key_find_or_add(b, db, wait->argv[request->first_key + i]);
        if (key->tail && key->tail->wait == wait) continue;
        struct waiter *waiter = &wait->waiters[wait->waiter_count++];
        *waiter = (struct waiter){.wait = wait, .key = key};
        waiter_link(b, waiter);
        wait->bytes += sizeof(*key) + key->size;
    }
}

static void wait_set_deadline(struct blocking *b, struct wait *wait, int64_t timeout_ms) {
    /* Both ends are cut to whole milliseconds: one more, so that it is never too early. */
    int64_t at_ms;
    if (timeout_ms <= 0 || !num_add_i64(clock_mono_ns() / 1000000, timeout_ms, &at_ms)) return;
    if (!num_add_i64(at_ms, 1, &wait->deadline.order)) return;
    heap_add(&b->deadlines, &wait->deadline);
}

static struct wait *wait_create(struct call *call, const struct block_request *request) {
    size_t waiters = (request->key_count ? request->key_count : 1) * sizeof(struct waiter);
    struct wait *wait = mem_zalloc(sizeof(*wait) + waiters);
    wait->client = call->client;
    wait->command = call->command;
    wait->argc = request->argv ? request->argc : call->argc;
    wait->argv = args_copy(request->argv ? request->argv : call->argv, wait->argc, &wait->bytes);
    wait->type = request->type;
    wait->flags = request->flags;
    wait->hash = call->hash;
    wait->timed_out = request->timed_out;
    wait->request_bytes = call->request ? call->request->wire_bytes : wait->bytes;
    wait->bytes += sizeof(*wait) + waiters;
    return wait;
}

bool call_block(struct call *call, const struct block_request *request) {
    struct client *client = call->client;
    struct blocking *b = call->exec->blocking;
    if (!call_may_block(call)) return false;
    check(request->timeout_ms >= 0);
    check(request->type == TYPE_ANY || request->type < VALUE_TYPE_COUNT);
    call->blocked = true;
    /* One that runs again keeps its place; one that is closing needs none. */
    if (client->wait || (client->flags & CLIENT_CLOSE_ASAP)) return true;
    struct wait *wait = wait_create(call, request);
    wait_add_keys(b, wait, request);
    wait_set_deadline(b, wait, request->timeout_ms);
    client->wait = wait;
    client->flags |= CLIENT_BLOCKED;
    b->clients++;
    return true;
}

static void wait_free(struct wait *wait) {
    mem_free(wait->argv);
    mem_free(wait);
}

void block_forget(struct client *client) {
    struct wait *wait = client->wait;
    if (!wait) return;
    struct blocking *b = client->exec->blocking;
    for (uint32_t i = 0; i < wait->waiter_count; i++)
        waiter_unlink(b, &wait->waiters[i]);
    if (heap_has(&wait->deadline)) heap_remove(&b->deadlines, &wait->deadline);
    client->wait = NULL;
    client->flags &= ~(uint32_t)CLIENT_BLOCKED;
    b->clients--;
    if (!wait->running) wait_free(wait);
}

void block_note_ticks(struct client *client, uint64_t ticks) {
    if (client->wait) client->wait->ticks += ticks;
}

/* ---- the end of a wait ---- */

/* Runs fn as the client's call. If it replied, the client goes on with its next request. */
static void wait_run(struct wait *wait, command_fn fn) {
    struct client *client = wait->client;
    struct exec *exec = client->exec;
    struct call call = {
        .exec = exec,
        .client = client,
        .command = wait->command,
        .argv = wait->argv,
        .argc = wait->argc,
        .reply = &client->conn.out,
        .keyspace = exec->keyspace,
        .db = client->db,
        .hash = wait->hash,
        .now_ms = exec->now_ms,
    };
    wait->running = true;
    run_waiting(&call, fn, &wait->ticks, wait->request_bytes);
    wait->running = false;
    if (client->wait != wait) { /* it was closed meanwhile */
        wait_free(wait);
        return;
    }
    if (call.blocked) return;
    block_forget(client);
    client->active_ms = exec->now_ms;
    if (!reply_is_empty(&client->conn.out)) write_push(exec, client);
    loop_go_on(exec, client);
}

static void run_handler_again(struct call *call) {
    uint32_t closed = call->command->needs & call->exec->gates & GATE_MEMORY;
    if (closed && gate_check(call, closed) != GATE_RUN) return;
    call->command->handler(call);
}

static void run_again(struct wait *wait) {
    struct client *client = wait->client;
    struct exec *exec = client->exec;
    check(!exec->current);
    exec->current = client;
    wait_run(wait, run_handler_again);
    if (unlikely(exec->push_held)) push_deliver_held(exec, client);
    exec->current = NULL;
    limits_check_output(client);
}

static void reply_timed_out(struct call *call) {
    const struct wait *wait = call->client->wait;
    if (wait->timed_out) {
        wait->timed_out(call);
    } else {
        reply_null_array(call->reply);
    }
}

static void reply_unblocked(struct call *call) { call_error(call, ERROR_UNBLOCKED); }

bool block_end(struct client *client, enum block_end how) {
    if (!client->wait) return false;
    wait_run(client->wait, how == BLOCK_TIMED_OUT ? reply_timed_out : reply_unblocked);
    return true;
}

static struct wait *wait_of_node(struct heap_node *node) {
    return (struct wait *)((char *)node - offsetof(struct wait, deadline));
}

int64_t block_deadline_ms(const struct exec *exec) {
    const struct heap_node *first = heap_first(&exec->blocking->deadlines);
    return first ? first->order : INT64_MAX;
}

void block_end_due(struct exec *exec) {
    for (int i = 0; i < BLOCK_DUE_MAX; i++) {
        struct heap_node *first = heap_first(&exec->blocking->deadlines);
        if (!first || first->order > exec->mono_ms) return;
        (void)block_end(wait_of_node(first)->client, BLOCK_TIMED_OUT);
    }
}

/* ---- serving ---- */

/* The type of what is at the key now, TYPE_ANY if nothing is. */
static uint8_t key_type_now(const struct blocking *b, const struct waiting_key *key) {
    struct db *db = keyspace_db(b->exec->keyspace, key->db);
    const struct entry *entry = keyspace_find(db, key_bytes(key), key->hash,
                                              LOOKUP_WRITE | LOOKUP_NO_TOUCH | LOOKUP_NO_STATS);
    return entry ? entry_type(entry) : TYPE_ANY;
}

static bool key_can_serve_anyone(const struct waiting_key *key, uint8_t type) {
    if (key->on_delete) return true;
    return type != TYPE_ANY && (key->by_any || key->by_type[type]);
}

static bool wait_is_served_by(const struct wait *wait, uint8_t type) {
    if (wait->flags & BLOCK_ON_DELETE) return true;
    return type != TYPE_ANY && (wait->type == TYPE_ANY || wait->type == type);
}

static void serve_key(struct blocking *b, struct waiting_key *key) {
    key->served = true;
    key->cursor = key->head;
    while (key->cursor) {
        struct wait *wait = key->cursor->wait;
        if (key != b->others) {
            uint8_t type = key_type_now(b, key);
            if (!key_can_serve_anyone(key, type)) break;
            if (!wait_is_served_by(wait, type)) wait = NULL;
        }
        key->cursor = key->cursor->next;
        if (wait) run_again(wait);
    }
    key->cursor = NULL;
    key->served = false;
    key_free_if_unused(b, key);
}

/* Not cut into steps: the oldest must be served before anyone else sees the key. Each round takes a
 * waiter off, or it is the last for a key that did not change. */
void block_serve(struct exec *exec) {
    struct blocking *b = exec->blocking;
    if (exec->gates & GATE_PAUSE_WRITE) return;
    struct waiting_key *key;
    while ((key = ready_key_pop(b)) != NULL)
        serve_key(b, key);
    exec->block_ready = false;
}

void block_recheck(struct exec *exec) { key_make_ready(exec->blocking, exec->blocking->others); }

/* ---- changes ---- */

void block_touched(struct exec *exec, struct db *db, struct bytes bytes) {
    struct waiting_key *key = key_find(exec->blocking, db_index(db), bytes);
    if (key) key_make_ready(exec->blocking, key);
}

void block_flushed(struct exec *exec, struct db *db) {
    struct blocking *b = exec->blocking;
    struct hashtab *table = b->tables[db_index(db)];
    if (!table) return;
    struct hashtab_iter iter;
    hashtab_iter_init(&iter, table);
    struct waiting_key *key;
    while ((key = hashtab_iter_next(&iter)) != NULL)
        key_make_ready(b, key);
    hashtab_iter_deinit(&iter);
}

void block_swapped(struct exec *exec, struct db *a, struct db *b) {
    block_flushed(exec, a);
    block_flushed(exec, b);
}

/* ---- arguments ---- */

bool call_timeout_seconds(struct call *call, uint32_t arg, int64_t *timeout_ms) {
    long double seconds;
    if (!num_parse_ldouble(call->argv[arg], &seconds)) {
        call_error(call, ERROR_TIMEOUT_FLOAT);
        return false;
    }
    long double ms = ceill(seconds * 1000);
    if (ms < 0) {
        call_error(call, ERROR_TIMEOUT_NEGATIVE);
        return false;
    }
    if (ms > (long double)(INT64_MAX - call->now_ms)) {
        call_error(call, ERROR_TIMEOUT_RANGE);
        return false;
    }
    *timeout_ms = (int64_t)ms;
    return true;
}

bool call_timeout_ms(struct call *call, uint32_t arg, int64_t *timeout_ms) {
    int64_t ms;
    if (!num_parse_i64(call->argv[arg], &ms)) {
        call_errorf(call, ERROR_NAMED_NOT_INTEGER, "timeout");
        return false;
    }
    if (ms < 0) {
        call_error(call, ERROR_TIMEOUT_NEGATIVE);
        return false;
    }
    if (ms > INT64_MAX - call->now_ms) {
        call_error(call, ERROR_TIMEOUT_RANGE);
        return false;
    }
    *timeout_ms = ms;
    return true;
}

/* ---- figures, checks ---- */

void block_count(const struct exec *exec, struct block_counts *out) {
    const struct blocking *b = exec->blocking;
    *out = (struct block_counts){
        .clients = b->clients,
        .with_deadline = b->deadlines.count,
        .keys = exec->block_keys,
        .keys_on_delete = b->keys_on_delete,
    };
}

size_t block_memory_bytes(const struct client *client) {
    return client->wait ? client->wait->bytes : 0;
}

static size_t verify_key(const struct waiting_key *key) {
    size_t waiters = 0, on_delete = 0;
    const struct waiter *before = NULL;
    for (const struct waiter *w = key->head; w; w = w->next) {
        check(w->key == key && w->prev == before);
        check(w->wait->client->wait == w->wait);
        on_delete += (w->wait->flags & BLOCK_ON_DELETE) != 0;
        before = w;
        waiters++;
    }
    check(key->tail == before && key->on_delete == on_delete);
    size_t typed = key->by_any;
    for (int i = 0; i < VALUE_TYPE_COUNT; i++)
        typed += key->by_type[i];
    check(typed == waiters);
    return waiters;
}

void block_verify(const struct exec *exec) {
    const struct blocking *b = exec->blocking;
    size_t waiters = verify_key(b->others), keys = 0, on_delete = 0;
    for (int32_t i = 0; i < b->table_count; i++) {
        if (!b->tables[i]) continue;
        hashtab_verify(b->tables[i]);
        struct hashtab_iter iter;
        hashtab_iter_init(&iter, b->tables[i]);
        const struct waiting_key *key;
        while ((key = hashtab_iter_next(&iter)) != NULL) {
            check(key->head || key->ready);
            waiters += verify_key(key);
            on_delete += key->on_delete > 0;
            keys++;
        }
        hashtab_iter_deinit(&iter);
    }
    check(keys == exec->block_keys && on_delete == b->keys_on_delete);
    heap_verify(&b->deadlines);
    size_t clients = 0;
    for (const struct client *c = exec->clients_head; c; c = c->next) {
        check(!c->wait == !(c->flags & CLIENT_BLOCKED));
        if (!c->wait) continue;
        check(c->wait->client == c && c->wait->waiter_count > 0);
        waiters -= c->wait->waiter_count;
        clients++;
    }
    check(waiters == 0 && clients == b->clients);
}
