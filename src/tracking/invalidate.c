/* SPDX-License-Identifier: BSD-3-Clause */
/* invalidate -- what a client is told, and how:
 *
 *   RESP3, itself or the client it redirects to    push   invalidate [key ...]
 *   RESP2, the client it redirects to              array  message __redis__:invalidate [key ...]
 *   RESP2, itself                                  nothing: it could not be told from a reply
 *
 * A null in place of the keys says that all are meant. If the client to redirect to is gone, a
 * RESP3 client is told of that instead: push tracking-redir-broken number. */
#include "base/mem.h"
#include "exec/push.h"
#include "resp/encode.h"
#include "tracking/tracking_internal.h"

enum { TARGETS_MIN = 64 };

static void tell_broken(struct client *client) {
    client->flags |= CLIENT_TRACKING_BROKEN;
    if (client->conn.out.resp != 3) return;
    struct reply *out = push_begin(client);
    if (!out) return;
    reply_push(out, 2);
    reply_bulk_text(out, "tracking-redir-broken");
    reply_integer(out, (int64_t)client->redirect_id);
    push_end(client);
}

void tracking__send(struct tracking *tracking, struct client *client, const struct buf *body) {
    struct client *target = client;
    if (client->redirect_id) {
        target = client_find(tracking->exec, client->redirect_id);
        if (!target) {
            tell_broken(client);
            return;
        }
    }
    bool pushed = target->conn.out.resp == 3;
    bool published = client->redirect_id && (target->flags & CLIENT_PUBSUB);
    if (!pushed && !published) return;
    struct reply *out = push_begin(target);
    if (!out) return;
    reply_push(out, pushed ? 2 : 3);
    if (pushed) {
        reply_bulk_text(out, "invalidate");
    } else {
        reply_bulk_text(out, "message");
        reply_bulk_text(out, "__redis__:invalidate");
    }
    if (body) {
        reply_raw(out, body->data, body->size);
    } else {
        reply_null(out);
    }
    push_end(target);
}

void tracking__add_target(struct tracking *tracking, const struct client *client) {
    if (tracking->target_count == tracking->target_cap) {
        tracking->target_cap = tracking->target_cap ? tracking->target_cap * 2 : TARGETS_MIN;
        tracking->targets =
            mem_realloc(tracking->targets, tracking->target_cap * sizeof(tracking->targets[0]));
    }
    tracking->targets[tracking->target_count++] = client->id;
}

void tracking__invalidate(struct tracking *tracking, struct tracked_key *key,
                          const struct client *author) {
    const uint64_t *ids = tracked_key_ids(key);
    struct buf *body = &tracking->body;
    buf_clear(body);
    encode_header(body, '*', 1);
    encode_bulk(body, tracked_key_name(key));
    for (uint32_t i = 0; i < key->count; i++) {
        struct client *client = client_find(tracking->exec, ids[i]);
        /* It may have gone, or have changed its mind since it read the key. */
        if (!client || !client->tracker || (client->tracker->mode & TRACKING_BCAST)) continue;
        if (client == author && (client->tracker->mode & TRACKING_NOLOOP)) continue;
        tracking__send(tracking, client, body);
    }
    tracked_key_destroy(&key);
}

void tracking__invalidate_all(struct tracking *tracking) {
    tracking->target_count = 0;
    for (struct client *client = tracking->exec->clients_head; client; client = client->next) {
        if (client->tracker) tracking__add_target(tracking, client);
    }
    for (size_t i = 0; i < tracking->target_count; i++) {
        struct client *client = client_find(tracking->exec, tracking->targets[i]);
        if (client && client->tracker) tracking__send(tracking, client, NULL);
    }
    key_table_drop(&tracking->keys);
}
