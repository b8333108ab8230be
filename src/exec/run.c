/* SPDX-License-Identifier: BSD-3-Clause */
#include "exec/run.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "exec/block.h"
#include "exec/call.h"
#include "exec/gate_internal.h"
#include "exec/limits.h"
#include "exec/loop.h"
#include "exec/multi.h"
#include "exec/push.h"
#include "net/listener.h"

enum {
    UNKNOWN_ARGS_MAX = 128,
    /* No more requests of such a client are executed now. */
    STOPPED = CLIENT_PAUSED | CLIENT_BLOCKED | CLIENT_CLOSE_ASAP | CLIENT_CLOSE_AFTER_REPLY,
};

/* ---- requests that name no command, or not rightly ---- */

/* 'a' 'b' ...: as many arguments as fit in UNKNOWN_ARGS_MAX bytes, each up to its first NUL. */
static void list_args(const struct request *request, char out[UNKNOWN_ARGS_MAX * 2]) {
    size_t size = 0;
    for (uint32_t i = 1; i < request->argc && size < UNKNOWN_ARGS_MAX; i++) {
        size_t take = size_min(bytes_find_byte(request->argv[i], 0), UNKNOWN_ARGS_MAX - size);
        out[size++] = '\'';
        memcpy(out + size, request->argv[i].data, take);
        size += take;
        out[size++] = '\'';
        out[size++] = ' ';
    }
    out[size] = 0;
}

static void refuse_unknown(struct call *call, const struct request *request) {
    const struct command *container = request->command;
    if (container) {
        char name[CALL_NAME_MAX];
        call_container_name(container, name);
        call_errorf(call, ERROR_UNKNOWN_SUBCOMMAND, (int)size_min(request->argv[1].size, 128),
                    request->argv[1].data, name);
        return;
    }
    char args[UNKNOWN_ARGS_MAX * 2];
    list_args(request, args);
    call_errorf(call, ERROR_UNKNOWN_COMMAND, (int)size_min(request->argv[0].size, 128),
                request->argv[0].data, args);
}

/* A browser, or a form on a web page, that talks to us: cut off before it does harm. */
static bool is_cross_protocol(const struct request *request) {
    return bytes_equal_nocase(request->argv[0], BYTES("host:")) ||
           bytes_equal_nocase(request->argv[0], BYTES("post"));
}

static never_inline void run_fault(struct call *call, struct request *request) {
    struct client *client = call->client;
    if (is_cross_protocol(request)) {
        char peer[ENDPOINT_TEXT_MAX];
        client_address(client, true, peer);
        log_warning(
            "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or "
            "Host: commands to the server. Connection from %s aborted.",
            peer);
        client_close(client);
        return;
    }
    bool no_auth = request->command && (request->command->flags & CMD_NO_AUTH);
    if ((client->gates & GATE_AUTH) && !no_auth) {
        call_error(call, ERROR_NO_AUTH);
    } else if (request->fault == REQUEST_UNKNOWN_COMMAND) {
        refuse_unknown(call, request);
    } else {
        if (request->fault == REQUEST_KEY_TOO_LONG) {
            call_error(call, ERROR_KEY_TOO_LONG);
        } else if (multi_is_exec(request->command)) {
            multi_abort(call, "wrong number of arguments for 'exec' command");
        } else {
            call_error_arity(call);
        }
        call->exec->command_stats[request->command->id].rejected++;
    }
    multi_spoil(client);
}

/* ---- one call ---- */

static never_inline void note_slow(struct call *call, uint64_t ticks) {
    struct exec *exec = call->exec;
    uint64_t us = clock_ticks_to_us(ticks);
    struct commandlog *log = &exec->commandlogs[COMMANDLOG_SLOW];
    if (ticks >= log->threshold_ticks && !(call->command->flags & CMD_SKIP_COMMANDLOG)) {
        commandlog_add(log, call, (int64_t)us);
    }
    if (ticks >= exec->latency.threshold_ticks) {
        const char *event = call->command->flags & CMD_FAST ? "fast-command" : "command";
        latency_note(&exec->latency, event, us, exec->now_ms / 1000);
    }
}

static never_inline void note_large(struct call *call, uint64_t request_bytes,
                                    uint64_t reply_bytes) {
    struct exec *exec = call->exec;
    if (call->command->flags & CMD_SKIP_COMMANDLOG) return;
    struct commandlog *request_log = &exec->commandlogs[COMMANDLOG_LARGE_REQUEST];
    struct commandlog *reply_log = &exec->commandlogs[COMMANDLOG_LARGE_REPLY];
    if (request_bytes >= (uint64_t)request_log->threshold) {
        commandlog_add(request_log, call, (int64_t)request_bytes);
    }
    if (reply_bytes >= (uint64_t)reply_log->threshold) {
        commandlog_add(reply_log, call, (int64_t)reply_bytes);
    }
}

/* Counts a call that is done. */
static inline void run_count(struct call *call, uint64_t ticks, uint64_t request_bytes,
                             uint64_t reply_before) {
    struct exec *exec = call->exec;
    struct command_stats *stats = &exec->command_stats[call->command->id];
    stats->calls++;
    stats->ticks += ticks;
    stats->failed += call->failed;
    exec->stats.commands++;
    call->client->commands_done++;
    if (likely(exec->config->latency_tracking)) {
        if (unlikely(!stats->latency)) stats->latency = histogram_create();
        histogram_add(stats->latency, clock_ticks_to_ns(ticks));
    }
    if (unlikely(ticks >= exec->slow_ticks)) note_slow(call, ticks);
    uint64_t reply_bytes = reply_size(call->reply) - reply_before;
    if (unlikely(request_bytes >= exec->large_bytes || reply_bytes >= exec->large_bytes)) {
        note_large(call, request_bytes, reply_bytes);
    }
}

/* The handler, and what is counted about it. */
static inline void run_handler(struct call *call, uint64_t request_bytes) {
    struct exec *exec = call->exec;
    uint64_t reply_before = reply_size(call->reply);
    exec->current_command = call->command;
    uint64_t began = exec->now_ticks;
    call->command->handler(call);
    uint64_t now = clock_ticks();
    exec->now_ticks = now;
    if (unlikely(call->blocked)) {
        block_note_ticks(call->client, now - began);
        return;
    }
    run_count(call, now - began, request_bytes, reply_before);
}

/* met: the gates that were closed. One that waits has not read anything yet. */
static inline void tell_executed(struct call *call, uint32_t met) {
    met &= GATE_TRACKING | GATE_CACHING;
    if (unlikely(met) && !call->blocked) exec_tell_executed(call->exec, call, met);
}

/* The line is made while the arguments are sure to be there, and sent when the command is done: a
 * monitor sees its own reply first, and of a transaction EXEC last. */
static never_inline void run_monitored(struct call *call, uint64_t request_bytes) {
    struct buf args = {0};
    monitor_quote(call, &args);
    run_handler(call, request_bytes);
    monitor_feed(call->exec, call->client, buf_bytes(&args));
    buf_deinit(&args);
}

void call_nested(struct call *outer, const struct command *command, const struct bytes *argv,
                 uint32_t argc, uint64_t hash) {
    struct exec *exec = outer->exec;
    struct call call = {
        .exec = exec,
        .client = outer->client,
        .command = command,
        .argv = argv,
        .argc = argc,
        .reply = outer->reply,
        .keyspace = outer->keyspace,
        .db = outer->client->db,
        .hash = hash,
        .now_ms = outer->now_ms,
    };
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < argc; i++)
        bytes += argv[i].size;
    exec->now_ticks = clock_ticks();
    uint32_t met = command->needs & (exec->gates | outer->client->gates);
    if (unlikely(met & GATE_MONITOR)) {
        run_monitored(&call, bytes);
    } else {
        run_handler(&call, bytes);
    }
    tell_executed(&call, met & GATE_TRACKING);
}

/* CLIENT REPLY SKIP and OFF: decides whether this request is answered. */
static void reply_mode_begin(struct client *client) {
    if (client->flags & CLIENT_REPLY_SKIP_NEXT) {
        client->flags &= ~(uint32_t)CLIENT_REPLY_SKIP_NEXT;
        client->flags |= CLIENT_REPLY_SKIP;
    }
    reply_set_muted(&client->conn.out, client->flags & (CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP));
}
static void reply_mode_end(struct client *client) {
    client->flags &= ~(uint32_t)CLIENT_REPLY_SKIP;
    reply_set_muted(&client->conn.out, client->flags & CLIENT_REPLY_OFF);
    if (!(client->flags & (CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP_NEXT))) {
        client->gates &= ~(uint32_t)GATE_REPLY;
    }
}

void run_waiting(struct call *call, command_fn fn, uint64_t *ticks, uint64_t request_bytes) {
    struct exec *exec = call->exec;
    uint64_t reply_before = reply_size(call->reply);
    exec->current_command = call->command;
    uint64_t began = clock_ticks();
    fn(call);
    exec->now_ticks = clock_ticks();
    *ticks += exec->now_ticks - began;
    if (call->blocked) return;
    run_count(call, *ticks, request_bytes, reply_before);
    tell_executed(call, call->command->needs & call->client->gates);
    if (call->client->gates & GATE_REPLY) reply_mode_end(call->client);
}

static never_inline enum run_result run_gated(struct call *call, struct request *request,
                                              uint32_t closed) {
    struct exec *exec = call->exec;
    struct client *client = call->client;
    if (closed & GATE_REPLY) reply_mode_begin(client);
    enum gate_result result = gate_check(call, closed & ~(uint32_t)GATE_REPLY);
    switch (result) {
    case GATE_RUN:
        if (closed & GATE_MONITOR) {
            run_monitored(call, request->wire_bytes);
        } else {
            run_handler(call, request->wire_bytes);
        }
        tell_executed(call, closed);
        break;
    case GATE_REFUSED: exec->command_stats[call->command->id].rejected++; break;
    case GATE_QUEUED: break;
    case GATE_HELD: break;
    }
    /* The gate may have been opened by the command itself (CLIENT REPLY ON). One that is held, or
     * waits, is not done: it stays skipped until its turn comes again. */
    bool done = result != GATE_HELD && !call->blocked;
    if ((closed & GATE_REPLY) && done) reply_mode_end(client);
    return result == GATE_HELD ? RUN_HELD : RUN_DONE;
}

enum run_result run_request(struct exec *exec, struct client *client, struct request *request) {
    struct call call = {
        .exec = exec,
        .client = client,
        .command = request->command,
        .argv = request->argv,
        .argc = request->argc,
        .reply = &client->conn.out,
        .keyspace = exec->keyspace,
        .db = client->db,
        .hash = request->hash,
        .now_ms = exec->now_ms,
        .request = request,
    };
    exec->current = client;
    enum run_result result = RUN_DONE;
    if (unlikely(request->fault != REQUEST_FINE)) {
        bool reply_mode = client->gates & GATE_REPLY;
        if (reply_mode) reply_mode_begin(client);
        run_fault(&call, request);
        if (reply_mode) reply_mode_end(client);
    } else {
        client->command = request->command;
        uint32_t closed = request->command->needs & (exec->gates | client->gates);
        if (unlikely(closed)) {
            result = run_gated(&call, request, closed);
        } else {
            run_handler(&call, request->wire_bytes);
        }
    }
    if (unlikely(call.blocked)) result = RUN_BLOCKED;
    if (unlikely(exec->push_held)) push_deliver_held(exec, client);
    exec->current = NULL;
    if (unlikely(exec->block_ready)) block_serve(exec);
    return result;
}

/* ---- the window ---- */

struct window {
    unsigned count; /* requests */
    struct window_part {
        struct client *client;
        unsigned end; /* the batch's requests up to here belong to the window */
    } parts[EXEC_WINDOW];
    unsigned parts_count;
};

/* Takes clients off the ready list, each with its requests in order, until the window is full. */
static void window_gather(struct exec *exec, struct window *window, unsigned max) {
    window->count = window->parts_count = 0;
    while (exec->ready_head && window->count < max && window->parts_count < EXEC_WINDOW) {
        struct client *client = exec->ready_head;
        if (unlikely(client->conn.owner != CONN_EXECUTOR)) { /* it is pushed when it is back */
            ready_pop(exec);
            continue;
        }
        struct batch *batch = client->conn.batch;
        unsigned left = (unsigned)batch->count - batch->next;
        unsigned take = left < max - window->count ? left : max - window->count;
        window->parts[window->parts_count++] =
            (struct window_part){.client = client, .end = batch->next + take};
        window->count += take;
        if (take < left) return; /* it stays at the head for the next window */
        ready_pop(exec);
    }
}

void run_prefetch(const struct client *client) {
    const struct batch *batch = client->conn.batch;
    if (!batch->count) return;
    const struct request *request = &batch->requests[0];
    if (request->fault || !request->command->first_key) return;
    keyspace_prefetch_bucket(client->db, request->hash);
}

/* Commands on one element of a large collection, whose entries are in the cache by now. */
struct element_prefetch {
    const struct request *request;
    const struct entry *entry;
    struct command_prefetch at;
};

/* Those of the window, with their entries; pipelines name the same key again and again. */
static unsigned window_elements(const struct window *window, struct element_prefetch *out) {
    unsigned count = 0;
    for (unsigned p = 0; p < window->parts_count; p++) {
        const struct client *client = window->parts[p].client;
        const struct batch *batch = client->conn.batch;
        const struct element_prefetch *last = NULL;
        for (unsigned i = batch->next; i < window->parts[p].end; i++) {
            const struct request *request = &batch->requests[i];
            if (request->fault || !(request->command->flags & CMD_PREFETCH)) continue;
            const struct entry *entry;
            if (last && last->request->hash == request->hash) {
                entry = last->entry; /* only a hint: another key with this hash does no harm */
            } else {
                uint32_t key = (uint32_t)request->command->first_key;
                entry = keyspace_peek(client->db, request->argv[key], request->hash);
            }
            if (!entry || entry_is_string(entry)) continue;
            out[count] = (struct element_prefetch){.request = request, .entry = entry};
            last = &out[count++];
        }
    }
    return count;
}

/* The element's bucket in one step, it itself in the next. flags: of all commands in the window. */
static never_inline void window_prefetch_elements(const struct window *window, uint32_t flags) {
    struct element_prefetch elements[EXEC_WINDOW];
    unsigned count = window_elements(window, elements);
    unsigned steps =
        flags & CMD_PREFETCH_DEEP ? COMMAND_PREFETCH_STEPS_DEEP : COMMAND_PREFETCH_STEPS;
    for (unsigned step = 0; step < steps; step++) {
        uint32_t wanted = step < COMMAND_PREFETCH_STEPS ? CMD_PREFETCH : CMD_PREFETCH_DEEP;
        for (unsigned i = 0; i < count; i++) {
            const struct request *request = elements[i].request;
            if (!(request->command->flags & wanted)) continue;
            elements[i].at.step = step;
            request->command->spec->prefetch(elements[i].entry, request->argv, request->argc,
                                             &elements[i].at);
        }
    }
}

/* Of each client's first request the bucket has been asked for already: see run_prefetch. */
static void window_prefetch_buckets(const struct window *window) {
    for (unsigned p = 0; p < window->parts_count; p++) {
        const struct client *client = window->parts[p].client;
        const struct batch *batch = client->conn.batch;
        for (unsigned i = batch->next; i < window->parts[p].end; i++) {
            const struct request *request = &batch->requests[i];
            if (request->fault || !request->command->first_key) continue;
            keyspace_prefetch_bucket(client->db, request->hash);
        }
    }
}

static void window_prefetch(const struct window *window) {
    uint32_t flags = 0;
    if (window->count > window->parts_count) window_prefetch_buckets(window);
    for (unsigned p = 0; p < window->parts_count; p++) {
        const struct client *client = window->parts[p].client;
        const struct batch *batch = client->conn.batch;
        for (unsigned i = batch->next; i < window->parts[p].end; i++) {
            const struct request *request = &batch->requests[i];
            if (request->fault || !request->command->first_key) continue;
            keyspace_prefetch_entry(client->db, request->hash);
            flags |= request->command->flags;
        }
    }
    if (flags & CMD_PREFETCH) window_prefetch_elements(window, flags);
}

/* Runs one client's share of the window. */
static void window_run(struct exec *exec, struct client *client, unsigned end) {
    struct batch *batch = client->conn.batch;
    while (batch->next < end) {
        if (unlikely(client_is_closing(client))) {
            client_drop_requests(client);
            break;
        }
        struct request *request = &batch->requests[batch->next];
        enum run_result result = run_request(exec, client, request);
        if (unlikely(result == RUN_HELD)) {
            client->flags |= CLIENT_PAUSED;
            break;
        }
        batch->next++;
        if (unlikely(request->big || request->owns_argv)) request_release(request);
        if (unlikely(result == RUN_BLOCKED)) break;
    }
    client->active_ms = exec->now_ms;
    if (!reply_is_empty(&client->conn.out)) write_push(exec, client);
}

unsigned run_window(struct exec *exec) {
    struct window window;
    unsigned limit = exec->config->prefetch_max > 1 ? EXEC_WINDOW : 1;
    window_gather(exec, &window, limit);
    if (limit > 1) window_prefetch(&window);
    if (window.count > 1) {
        exec->stats.prefetch_batches++;
        exec->stats.prefetch_entries += window.count;
    }
    exec->now_ticks = clock_ticks();
    for (unsigned p = 0; p < window.parts_count; p++) {
        struct client *client = window.parts[p].client;
        window_run(exec, client, window.parts[p].end);
        limits_check_output(client);
        /* Still at the head of the ready list: more of it in the next window. */
        if (client->conn.queued_ready) {
            if (client->flags & STOPPED) {
                ready_remove(exec, client);
            } else {
                continue;
            }
        }
        loop_batch_done(exec, client);
    }
    return window.count;
}
