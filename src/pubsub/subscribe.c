/* SPDX-License-Identifier: BSD-3-Clause */
/* subscribe -- the commands that begin and end subscriptions. Each name is confirmed by a message
 * of its own: in RESP3 pushed, in RESP2 an array, and CLIENT REPLY does not silence it. */
#include "pubsub/pubsub_internal.h"

struct words {
    const char *subscribed, *unsubscribed;
};
static const struct words words[SUBSCRIPTION_KINDS] = {
    [SUBSCRIBED_CHANNELS] = {"subscribe", "unsubscribe"},
    [SUBSCRIBED_PATTERNS] = {"psubscribe", "punsubscribe"},
    [SUBSCRIBED_SHARD_CHANNELS] = {"ssubscribe", "sunsubscribe"},
};

/* What a confirmation counts: channels and patterns together, shard channels on their own. */
static uint32_t count_shown(const struct client *client, enum client_subscription kind) {
    if (kind == SUBSCRIBED_SHARD_CHANNELS) return client->subscriptions[kind];
    return client->subscriptions[SUBSCRIBED_CHANNELS] + client->subscriptions[SUBSCRIBED_PATTERNS];
}

/* name: NULL if there was nothing to end. */
static void confirm(struct call *call, const char *word, enum client_subscription kind,
                    const struct bytes *name) {
    struct reply *reply = call->reply;
    reply_push(reply, 3);
    reply_bulk_text(reply, word);
    if (name) {
        reply_bulk(reply, *name);
    } else {
        reply_null(reply);
    }
    reply_integer(reply, count_shown(call->client, kind));
}

static void subscribe(struct call *call, enum client_subscription kind) {
    bool was_muted = call->reply->muted;
    reply_set_muted(call->reply, false);
    client_set_subscribed(call->client, true);
    for (uint32_t i = 1; i < call->argc; i++) {
        (void)topics_subscribe(&call->exec->pubsub->topics, call->client, kind, call->argv[i]);
        confirm(call, words[kind].subscribed, kind, &call->argv[i]);
    }
    reply_set_muted(call->reply, was_muted);
}

/* All that the client has of this kind. The name is confirmed while the topic is still there, with
 * the count after it. */
static void unsubscribe_all(struct call *call, enum client_subscription kind) {
    struct client *client = call->client;
    struct topics *topics = &call->exec->pubsub->topics;
    if (!client->subscriptions[kind]) confirm(call, words[kind].unsubscribed, kind, NULL);
    while (client->subscriptions[kind]) {
        struct topic *last = topics_of_client(client, kind, client->subscriptions[kind] - 1);
        struct bytes name = topic_name(last);
        reply_push(call->reply, 3);
        reply_bulk_text(call->reply, words[kind].unsubscribed);
        reply_bulk(call->reply, name);
        (void)topics_unsubscribe(topics, client, kind, name);
        reply_integer(call->reply, count_shown(client, kind));
    }
}

static void unsubscribe(struct call *call, enum client_subscription kind) {
    struct client *client = call->client;
    bool was_muted = call->reply->muted;
    reply_set_muted(call->reply, false);
    if (call->argc == 1) unsubscribe_all(call, kind);
    for (uint32_t i = 1; i < call->argc; i++) {
        (void)topics_unsubscribe(&call->exec->pubsub->topics, client, kind, call->argv[i]);
        confirm(call, words[kind].unsubscribed, kind, &call->argv[i]);
    }
    client_set_subscribed(client, client->subscriber != NULL);
    reply_set_muted(call->reply, was_muted);
}

/* SUBSCRIBE channel [channel ...] */
void cmd_subscribe(struct call *call) { subscribe(call, SUBSCRIBED_CHANNELS); }

/* PSUBSCRIBE pattern [pattern ...] */
void cmd_psubscribe(struct call *call) { subscribe(call, SUBSCRIBED_PATTERNS); }

/* SSUBSCRIBE shardchannel [shardchannel ...] */
void cmd_ssubscribe(struct call *call) { subscribe(call, SUBSCRIBED_SHARD_CHANNELS); }

/* UNSUBSCRIBE [channel ...] -- from all without arguments */
void cmd_unsubscribe(struct call *call) { unsubscribe(call, SUBSCRIBED_CHANNELS); }

/* PUNSUBSCRIBE [pattern ...] */
void cmd_punsubscribe(struct call *call) { unsubscribe(call, SUBSCRIBED_PATTERNS); }

/* SUNSUBSCRIBE [shardchannel ...] */
void cmd_sunsubscribe(struct call *call) { unsubscribe(call, SUBSCRIBED_SHARD_CHANNELS); }
