/* SPDX-License-Identifier: BSD-3-Clause */
#include "exec/client.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "ds/hashtab.h"
#include "exec/block.h"
#include "exec/exec.h"
#include "exec/limits.h"
#include "exec/loop.h"
#include "exec/multi.h"
#include "net/listener.h"
#include "net/reactor.h"

#include <sys/socket.h>
#include <unistd.h>

/* ---- the table by id ---- */

static struct bytes id_key(const void *entry) {
    const struct client *client = entry;
    return bytes_make(&client->id, sizeof(client->id));
}
static uint64_t id_hash(const void *entry) { return hash_bytes(id_key(entry)); }

const struct hashtab_type client_table_type = {.key = id_key, .hash = id_hash, .drop = NULL};

struct client *client_find(struct exec *exec, uint64_t id) {
    struct bytes key = bytes_make(&id, sizeof(id));
    struct client *client = hashtab_find(exec->clients_by_id, hash_bytes(key), key);
    return client && !(client->flags & CLIENT_CLOSE_ASAP) ? client : NULL;
}

/* ---- life ---- */

static_assert(sizeof(void *) != 8 || sizeof(struct client) <= 640,
              "a size class of jemalloc, that of an idle connection");

struct client *client_create(struct exec *exec, int fd) {
    const struct exec_config *config = exec->config;
    struct client *client = mem_zalloc(sizeof(*client));
    conn_init(&client->conn, fd, &exec->chunks, config->bulk_max, 2);
    if (exec->reply_sizing.off) reply_expect(&client->conn.out, SIZE_MAX);
    client->conn.input_limit = config->input_limit;
    client->conn.uses_feed = reactor_engine_in_use(exec->reactor) == REACTOR_URING;
    client->exec = exec;
    client->id = ++exec->next_client_id;
    client->db = keyspace_db(exec->keyspace, 0);
    client->created_ms = client->active_ms = exec->now_ms;
    client_set_authenticated(client, !config->requirepass || !config->requirepass[0]);

    client->prev = exec->clients_tail;
    if (client->prev) {
        client->prev->next = client;
    } else {
        exec->clients_head = client;
    }
    exec->clients_tail = client;
    exec->client_count++;
    check(hashtab_add(exec->clients_by_id, id_hash(client), client));
    limits_count_client(client);
    return client;
}

/* Out of all lists that others walk; the memory stays until client_reap. */
static void client_unlink(struct exec *exec, struct client *client) {
    if (exec->cron_cursor == client) exec->cron_cursor = client->next;
    if (client->prev) {
        client->prev->next = client->next;
    } else {
        exec->clients_head = client->next;
    }
    if (client->next) {
        client->next->prev = client->prev;
    } else {
        exec->clients_tail = client->prev;
    }
    exec->client_count--;
    check(hashtab_take(exec->clients_by_id, id_hash(client), id_key(client)) == client);
    exec->clients_memory -= client->memory_counted;
    client->memory_counted = 0;
}

void client_close(struct client *client) {
    struct exec *exec = client->exec;
    if (client->flags & CLIENT_CLOSE_ASAP) return;
    check(!(client->flags & CLIENT_IN_EXEC)); /* its queue is being run */
    client->flags |= CLIENT_CLOSE_ASAP;
    multi_discard(client);
    block_forget(client);
    if (client->flags & CLIENT_MONITOR) monitor_remove(exec, client);
    for (int i = 0; i < exec->feature_count; i++) {
        const struct exec_feature *feature = &exec->features[i];
        if (feature->closed) feature->closed(feature->ctx, client);
    }
    client_unlink(exec, client);
    client->prev = exec->dead;
    exec->dead = client;
    exec->dead_pending = true;
    /* The peer sees the end before the reply to whoever asked for it, and a worker that writes
     * meets it at once; the descriptor goes in client_reap. Receiving goes on until then: after
     * SHUT_RD what is still read opens the window no more, and a peer that fills it would wait for
     * minutes where it is to learn that nobody listens. */
    shutdown(client->conn.fd, SHUT_WR);
}

void client_close_after_reply(struct client *client) {
    if (client_is_closing(client)) return;
    client->flags |= CLIENT_CLOSE_AFTER_REPLY;
    write_push(client->exec, client);
}

void client_drop_requests(struct client *client) {
    struct batch *batch = client->conn.batch;
    if (!batch) return;
    while (batch->next < batch->count)
        request_release(&batch->requests[batch->next++]);
}

static void client_destroy(struct exec *exec, struct client *client) {
    struct conn *conn = &client->conn;
    uint32_t buffer;
    while (conn_feed_drop(conn, &buffer))
        reactor_buffer_done(exec->reactor, buffer);
    reactor_forget(exec->reactor, conn->fd, client);
    close(conn->fd);
    client_drop_requests(client);
    conn_deinit(conn, &exec->chunks);
    mem_free(client->name);
    mem_free(client->lib_name);
    mem_free(client->lib_version);
    mem_free(client);
}

/* True while the client is in a list of the loop; it falls out of them by itself. */
static bool client_is_listed(const struct client *client) {
    return client->conn.queued_read || client->conn.queued_ready || client->conn.queued_write;
}

void client_reap(struct exec *exec) {
    exec->dead_pending = false;
    struct client **link = &exec->dead;
    while (*link) {
        struct client *client = *link;
        bool lent = client->conn.owner != CONN_EXECUTOR;
        if (lent || client_is_listed(client) || client == exec->current) {
            if (!lent) exec->dead_pending = true;
            link = &client->prev;
            continue;
        }
        *link = client->prev;
        client_destroy(exec, client);
    }
}

void client_free_all(struct exec *exec) {
    while (exec->clients_head)
        client_close(exec->clients_head);
    exec->read_head = exec->read_tail = NULL;
    exec->ready_head = exec->ready_tail = NULL;
    exec->write_head = exec->write_tail = NULL;
    while (exec->dead) {
        struct client *client = exec->dead;
        exec->dead = client->prev;
        client_destroy(exec, client);
    }
}

/* ---- what it says about itself ---- */

void client_set_authenticated(struct client *client, bool authenticated) {
    client->conn.parser.preauth = !authenticated;
    if (authenticated) {
        client->flags |= CLIENT_AUTHENTICATED;
        client->gates &= ~(uint32_t)GATE_AUTH;
    } else {
        client->flags &= ~(uint32_t)CLIENT_AUTHENTICATED;
        client->gates |= GATE_AUTH;
    }
}

/* In RESP2 a published message looks like a reply: a subscriber may ask for little else. */
static void set_subscribed_gate(struct client *client) {
    if ((client->flags & CLIENT_PUBSUB) && client->conn.out.resp == 2) {
        client->gates |= GATE_SUBSCRIBED;
    } else {
        client->gates &= ~(uint32_t)GATE_SUBSCRIBED;
    }
}

void client_set_resp(struct client *client, uint8_t resp) {
    client->conn.out.resp = resp;
    set_subscribed_gate(client);
}

void client_set_subscribed(struct client *client, bool subscribed) {
    if (subscribed) {
        client->flags |= CLIENT_PUBSUB;
    } else {
        client->flags &= ~(uint32_t)CLIENT_PUBSUB;
    }
    set_subscribed_gate(client);
}

enum client_class client_class_of(const struct client *client) {
    return client->flags & CLIENT_PUBSUB ? CLASS_PUBSUB : CLASS_NORMAL;
}

void client_set_text(char **field, struct bytes text) {
    mem_free(*field);
    *field = text.size ? mem_copy_bytes(text) : NULL;
}

bool client_text_is_valid(struct bytes text) {
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '!' || text.data[i] > '~') return false;
    }
    return true;
}

void client_address(const struct client *client, bool peer, char *out) {
    if (client->flags & CLIENT_UNIX) {
        const char *path = client->listener_path ? client->listener_path : "";
        size_t size = size_min(strlen(path), ENDPOINT_TEXT_MAX - 3);
        memcpy(out, path, size);
        memcpy(out + size, ":0", 3);
        return;
    }
    socket_endpoint(client->conn.fd, peer, out);
}

bool client_is_local(const struct client *client) {
    return (client->flags & CLIENT_UNIX) || socket_peer_is_local(client->conn.fd);
}

size_t client_memory_bytes(const struct client *client) {
    size_t bytes = sizeof(*client);
    if (client->conn.owner == CONN_EXECUTOR) {
        bytes += conn_memory_bytes(&client->conn);
    } else {
        bytes += conn_output_bytes(&client->conn);
    }
    if (client->name) bytes += strlen(client->name);
    if (client->lib_name) bytes += strlen(client->lib_name);
    if (client->lib_version) bytes += strlen(client->lib_version);
    if (client->multi) bytes += client->multi->bytes;
    if (client->watches) bytes += watch_memory_bytes(client);
    bytes += block_memory_bytes(client);
    const struct exec *exec = client->exec;
    for (int i = 0; i < exec->feature_count; i++) {
        const struct exec_feature *feature = &exec->features[i];
        if (feature->memory_bytes) bytes += feature->memory_bytes(feature->ctx, client);
    }
    return bytes;
}

void client_flag_letters(const struct client *client, char *out) {
    static const struct {
        uint32_t flag;
        char letter;
    } letters[] = {
        {CLIENT_MONITOR, 'O'},           {CLIENT_PUBSUB, 'P'},         {CLIENT_TRACKING, 't'},
        {CLIENT_TRACKING_BROKEN, 'R'},   {CLIENT_TRACKING_BCAST, 'B'}, {CLIENT_DIRTY_CAS, 'd'},
        {CLIENT_CLOSE_AFTER_REPLY, 'c'}, {CLIENT_CLOSE_ASAP, 'A'},     {CLIENT_UNIX, 'U'},
        {CLIENT_NO_EVICT, 'e'},          {CLIENT_NO_TOUCH, 'T'},       {CLIENT_IMPORT_SOURCE, 'I'},
    };
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(letters); i++) {
        if (client->flags & letters[i].flag) out[n++] = letters[i].letter;
        if (letters[i].letter != 'P') continue;
        if (client->multi) out[n++] = 'x';
        if (client->flags & (CLIENT_PAUSED | CLIENT_BLOCKED)) out[n++] = 'b';
    }
    if (n == 0) out[n++] = 'N';
    out[n] = 0;
}
