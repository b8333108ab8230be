/* SPDX-License-Identifier: BSD-3-Clause */
/* publish -- sending a message: it is written once, and its bytes are appended to the output of
 * each receiver. What RESP2 and RESP3 receive differs in the first byte only. A body of
 * REPLY_PIN_MIN bytes and more is put into a blob, once, and pinned by each output. */
#include "base/check.h"
#include "base/glob.h"
#include "exec/push.h"
#include "pubsub/pubsub_internal.h"
#include "resp/encode.h"

enum {
    TEXT_KEPT_MAX = 64 * 1024, /* a buffer that has grown over this is given back */
    PREFETCH_AHEAD = 8,        /* clients whose output is fetched while others are served */
};

/* ---- the text ---- */

/* The whole message, or all but its body if that is in a blob. */
static void make_text(struct pubsub *pubsub, const struct topic *topic,
                      struct pubsub_message *message) {
    static const struct bytes names[SUBSCRIPTION_KINDS] = {
        [SUBSCRIBED_CHANNELS] = {"message", 7},
        [SUBSCRIBED_PATTERNS] = {"pmessage", 8},
        [SUBSCRIBED_SHARD_CHANNELS] = {"smessage", 8},
    };
    bool by_pattern = topic->kind == SUBSCRIBED_PATTERNS;
    struct buf *text = &pubsub->text;
    buf_clear(text);
    encode_header(text, '*', by_pattern ? 4 : 3);
    encode_bulk(text, names[topic->kind]);
    if (by_pattern) encode_bulk(text, topic_name(topic));
    encode_bulk(text, message->channel);
    if (message->body.size < REPLY_PIN_MIN) {
        encode_bulk(text, message->body);
        check(!message->blob);
    } else if (!message->blob) {
        message->blob = blob_copy(message->body);
    }
}

static void trim_text(struct buf *text) {
    if (text->cap > TEXT_KEPT_MAX) buf_deinit(text);
}

/* ---- sending ---- */

static void send_to_client(struct client *client, struct buf *text, struct blob *blob) {
    struct reply *out = push_begin(client);
    if (!out) return; /* it is closing */
    text->data[0] = out->resp == 3 ? '>' : '*';
    reply_raw(out, text->data, text->size);
    if (blob) reply_blob(out, blob);
    push_end(client);
}

/* Sends to a topic's clients, some of which may be closed on the way. Returns how many there were.
 */
static size_t send_to_topic(struct pubsub *pubsub, const struct topic *topic,
                            struct pubsub_message *message) {
    make_text(pubsub, topic, message);
    size_t sent = 0;
    for (uint32_t i = 0; i < topic->count; i++) {
        if (i + PREFETCH_AHEAD < topic->count) {
            const struct client *ahead = topic->clients[i + PREFETCH_AHEAD];
            if (ahead) prefetch_line_to_write(&ahead->conn.out);
        }
        struct client *client = topic->clients[i];
        if (!client) continue;
        send_to_client(client, &pubsub->text, message->blob);
        sent++;
    }
    return sent;
}

size_t pubsub__send(struct pubsub *pubsub, struct pubsub_message *message) {
    struct topics *topics = &pubsub->topics;
    size_t sent = 0;
    uint32_t at = 0;
    topics_walk_begin(topics);
    struct topic *topic = topics_find(topics, SUBSCRIBED_CHANNELS, message->channel);
    if (topic) sent += send_to_topic(pubsub, topic, message);
    while ((topic = topics_next_match(topics, message->channel, &at)) != NULL)
        sent += send_to_topic(pubsub, topic, message);
    topics_walk_end(topics);
    trim_text(&pubsub->text);
    return sent;
}

size_t pubsub__send_shard(struct pubsub *pubsub, struct pubsub_message *message) {
    struct topics *topics = &pubsub->topics;
    struct topic *topic = topics_find(topics, SUBSCRIBED_SHARD_CHANNELS, message->channel);
    if (!topic) return 0;
    topics_walk_begin(topics);
    size_t sent = send_to_topic(pubsub, topic, message);
    topics_walk_end(topics);
    trim_text(&pubsub->text);
    return sent;
}

typedef size_t (*send_fn)(struct pubsub *pubsub, struct pubsub_message *message);

static size_t send_bytes(struct pubsub *pubsub, struct bytes channel, struct bytes body,
                         send_fn send) {
    struct pubsub_message message = {.channel = channel, .body = body};
    size_t sent = send(pubsub, &message);
    blob_release(message.blob);
    return sent;
}

size_t pubsub_publish(struct pubsub *pubsub, struct bytes channel, struct bytes message) {
    return send_bytes(pubsub, channel, message, pubsub__send);
}

size_t pubsub_publish_shard(struct pubsub *pubsub, struct bytes channel, struct bytes message) {
    return send_bytes(pubsub, channel, message, pubsub__send_shard);
}

/* ---- commands ---- */

static void publish(struct call *call, send_fn send) {
    /* A large message came in a blob of its own: receivers pin that one. */
    struct pubsub_message message = {
        .channel = call->argv[1], .body = call->argv[2], .blob = call_take_blob(call, 2)};
    reply_integer(call->reply, (int64_t)send(call->exec->pubsub, &message));
    blob_release(message.blob);
}

/* PUBLISH channel message */
void cmd_publish(struct call *call) { publish(call, pubsub__send); }

/* SPUBLISH shardchannel message */
void cmd_spublish(struct call *call) { publish(call, pubsub__send_shard); }

static void list_channels(struct call *call, enum client_subscription kind) {
    if (call->argc > 3) {
        call_errorf(call, ERROR_UNKNOWN_FORM, (int)size_min(call->argv[1].size, 128),
                    call->argv[1].data, "PUBSUB");
        return;
    }
    struct reply_mark mark = reply_defer(call->reply);
    struct hashtab_iter iter;
    const struct topic *topic;
    size_t count = 0;
    hashtab_iter_init(&iter, call->exec->pubsub->topics.tables[kind]);
    while ((topic = hashtab_iter_next(&iter)) != NULL) {
        if (call->argc == 3 && !glob_match(call->argv[2], topic_name(topic))) continue;
        reply_bulk(call->reply, topic_name(topic));
        count++;
    }
    hashtab_iter_deinit(&iter);
    reply_defer_array(call->reply, mark, count);
}

/* PUBSUB CHANNELS [pattern] */
void cmd_pubsub_channels(struct call *call) { list_channels(call, SUBSCRIBED_CHANNELS); }

/* PUBSUB SHARDCHANNELS [pattern] */
void cmd_pubsub_shardchannels(struct call *call) { list_channels(call, SUBSCRIBED_SHARD_CHANNELS); }

static void count_subscribers(struct call *call, enum client_subscription kind) {
    reply_array(call->reply, (size_t)(call->argc - 2) * 2);
    for (uint32_t i = 2; i < call->argc; i++) {
        const struct topic *topic = topics_find(&call->exec->pubsub->topics, kind, call->argv[i]);
        reply_bulk(call->reply, call->argv[i]);
        reply_integer(call->reply, topic ? topic->count : 0);
    }
}

/* PUBSUB NUMSUB [channel ...] */
void cmd_pubsub_numsub(struct call *call) { count_subscribers(call, SUBSCRIBED_CHANNELS); }

/* PUBSUB SHARDNUMSUB [shardchannel ...] */
void cmd_pubsub_shardnumsub(struct call *call) {
    count_subscribers(call, SUBSCRIBED_SHARD_CHANNELS);
}

/* PUBSUB NUMPAT -- distinct patterns */
void cmd_pubsub_numpat(struct call *call) {
    const struct topics *topics = &call->exec->pubsub->topics;
    reply_integer(call->reply, (int64_t)topics_count(topics, SUBSCRIBED_PATTERNS));
}

/* PUBSUB HELP -- its texts are part of the recorded behaviour */
void cmd_pubsub_help(struct call *call) {
    static const char *const lines[] = {
        "CHANNELS [<pattern>]",
        "    Return the currently active channels matching a <pattern> (default: '*').",
        "NUMPAT",
        "    Return number of subscriptions to patterns.",
        "NUMSUB [<channel> ...]",
        "    Return the number of subscribers for the specified channels, excluding",
        "    pattern subscriptions(default: no channels).",
        "SHARDCHANNELS [<pattern>]",
        "    Return the currently active shard level channels matching a <pattern> (default: '*').",
        "SHARDNUMSUB [<shardchannel> ...]",
        "    Return the number of subscribers for the specified shard level channel(s)",
        NULL,
    };
    call_help(call, lines);
}
