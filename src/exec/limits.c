/* SPDX-License-Identifier: BSD-3-Clause */
#include "exec/limits.h"

#include "base/clock.h"
#include "base/log.h"
#include "exec/exec.h"
#include "exec/loop.h"

enum {
    LIMITS_CRON_MIN = 5,                   /* clients looked at by one call at least */
    LIMITS_EVICT_MAX = 1024,               /* clients evicted in one go */
    LIMITS_NO_AUTH_OUTPUT_MAX = 17 * 1024, /* unsent bytes for a client that has not logged in */
};

bool limits_make_memory(struct exec *exec) {
    exec->evicting = false;
    /* While clients are paused, or data is imported, keys stay as they are. */
    if ((exec->gates & GATE_PAUSE_WRITE) || exec->config->import_mode) return true;
    bool timed = exec->latency.threshold_ms > 0;
    uint64_t began = timed ? clock_ticks() : 0;
    enum evict_result result = keyspace_evict(exec->keyspace, 0);
    exec->evicting = result == EVICT_RUNNING;
    if (timed) {
        uint64_t us = clock_ticks_to_us(clock_ticks() - began);
        latency_note(&exec->latency, "eviction-cycle", us, exec->now_ms / 1000);
    }
    return result != EVICT_FAIL;
}

void limits_make_more_memory(struct exec *exec) {
    /* What the background has yet to free is not free: more would be evicted than needed. */
    bool wait = keyspace_stats(exec->keyspace)->lazyfree_pending > 0;
    if (wait || !(exec->gates & GATE_MEMORY)) {
        exec->evicting = false; /* cron looks again */
        return;
    }
    (void)limits_make_memory(exec);
}

/* ---- output ---- */

static uint64_t unsent_bytes(const struct client *client) {
    uint64_t bytes = reply_size(&client->conn.out);
    /* What a worker is sending is read by nobody else; it does not count until it is back. */
    if (client->conn.owner != CONN_EXECUTOR) return bytes;
    return bytes + client->conn.sending_bytes;
}

static bool over_soft_limit(struct client *client, const struct output_limit *limit,
                            uint64_t bytes) {
    if (!limit->soft_bytes || bytes <= limit->soft_bytes) {
        client->soft_limit_since_ms = 0;
        return false;
    }
    int64_t now_ms = client->exec->now_ms;
    if (!client->soft_limit_since_ms) client->soft_limit_since_ms = now_ms;
    return now_ms - client->soft_limit_since_ms > limit->soft_seconds * 1000;
}

void limits_check_output(struct client *client) {
    struct exec *exec = client->exec;
    const struct output_limit *limit = &exec->config->output_limits[client_class_of(client)];
    bool no_auth = client->gates & GATE_AUTH;
    if (likely(!limit->hard_bytes && !limit->soft_bytes && !exec->config->maxmemory_clients &&
               !no_auth)) {
        return;
    }
    /* One whose command runs is looked at after it. */
    if ((client->flags & CLIENT_CLOSE_ASAP) || client == exec->current) return;
    uint64_t bytes = unsent_bytes(client);
    if (bytes > exec->stats.recent_max_output) exec->stats.recent_max_output = bytes;
    bool hard = limit->hard_bytes && bytes > limit->hard_bytes;
    if (no_auth && bytes > LIMITS_NO_AUTH_OUTPUT_MAX) hard = true;
    if (hard || over_soft_limit(client, limit, bytes)) {
        log_warning("Client id=%llu is closed at once for overcoming of output buffer limits.",
                    (unsigned long long)client->id);
        exec->stats.output_limit_closed++;
        client_close(client);
        return;
    }
    if (exec->config->maxmemory_clients) limits_count_client(client);
}

/* ---- memory of all clients ---- */

size_t limits_clients_max_bytes(const struct exec *exec) {
    int64_t limit = exec->config->maxmemory_clients;
    if (limit >= 0) return (size_t)limit;
    return (size_t)((double)exec->maxmemory_bytes * (double)-limit / 100.0);
}

static struct client *largest_client(struct exec *exec) {
    struct client *largest = NULL;
    for (struct client *client = exec->clients_head; client; client = client->next) {
        if (client->flags & CLIENT_NO_EVICT) continue;
        if (!largest || client->memory_counted > largest->memory_counted) largest = client;
    }
    return largest;
}

static void evict_clients(struct exec *exec) {
    size_t max = limits_clients_max_bytes(exec);
    if (!max) return;
    for (int i = 0; i < LIMITS_EVICT_MAX && exec->clients_memory > max; i++) {
        struct client *client = largest_client(exec);
        if (!client || client == exec->current) return; /* its turn is after its command */
        log_notice("Evicting client: id=%llu tot-mem=%zu", (unsigned long long)client->id,
                   client->memory_counted);
        exec->stats.evicted_clients++;
        client_close(client);
    }
}

void limits_count_client(struct client *client) {
    struct exec *exec = client->exec;
    size_t bytes = client_memory_bytes(client);
    exec->clients_memory += bytes - client->memory_counted;
    client->memory_counted = bytes;
    if (exec->config->maxmemory_clients) evict_clients(exec);
}

/* ---- cron ---- */

static bool has_timed_out(const struct exec *exec, const struct client *client) {
    int64_t timeout_s = exec->config->timeout_s;
    const uint32_t exempt = CLIENT_MONITOR | CLIENT_PUBSUB | CLIENT_PAUSED | CLIENT_BLOCKED;
    if (!timeout_s) return false;
    /* One whose peer has ended its half receives nothing new, and waits for nothing. */
    bool is_exempt = (client->flags & exempt) && !(client->flags & CLIENT_CLOSE_AFTER_REPLY);
    if (is_exempt) return false;
    return exec->now_ms - client->active_ms > timeout_s * 1000;
}

static void limits_begin_period(struct exec *exec) {
    struct reply_sizing *sizing = &exec->reply_sizing;
    if (sizing->off || !sizing->period_ms || exec->mono_ms < sizing->period_ends_ms) return;
    sizing->period++;
    sizing->period_ends_ms = exec->mono_ms + sizing->period_ms;
}

/* Its replies begin with as much as the longest one of the period before needed. */
static void limits_review_reply(struct client *client, const struct reply_sizing *sizing) {
    struct conn *conn = &client->conn;
    if (conn->reply_period == sizing->period) return;
    conn->reply_period = sizing->period;
    reply_expect(&conn->out, conn->reply_peak);
    conn->reply_peak = 0;
}

static void limits_look_at(struct exec *exec, struct client *client) {
    limits_review_reply(client, &exec->reply_sizing);
    if (has_timed_out(exec, client)) {
        log_verbose("Closing idle client");
        client_close(client);
        return;
    }
    limits_count_client(client);
    if (!(client->flags & CLIENT_CLOSE_ASAP)) limits_check_output(client);
}

void limits_cron(struct exec *exec) {
    uint32_t count = exec->client_count / (uint32_t)exec->hz;
    if (count < LIMITS_CRON_MIN) count = LIMITS_CRON_MIN;
    limits_begin_period(exec);
    for (uint32_t i = 0; i < count && exec->client_count; i++) {
        struct client *client = exec->cron_cursor ? exec->cron_cursor : exec->clients_head;
        exec->cron_cursor = client->next;
        limits_look_at(exec, client);
        if (!exec->cron_cursor && i + 1 >= exec->client_count) return;
    }
}
