/* SPDX-License-Identifier: BSD-3-Clause */
/* pubsub_internal -- the context, and the handlers that pubsub_table.c names.
 *
 * pubsub.c life, INFO    topics.c who listens to what    publish.c sending
 * subscribe.c the commands that change it    notify.c events of keys */
#pragma once

#include "base/buf.h"
#include "exec/call.h"
#include "pubsub/pubsub.h"
#include "pubsub/topics.h"

struct pubsub {
    struct exec *exec;
    struct pubsub_config *config;
    struct topics topics;
    struct buf text;    /* a message as it is sent; kept between messages */
    struct buf channel; /* the channel of a notification */
};

/* What a message is: its parts, in the order in which they are sent. */
struct pubsub_message {
    struct bytes channel;
    struct bytes body;
    struct blob *blob; /* holds body, so that large ones are not copied for each receiver; or NULL,
                        * until one is made */
};

/* Sends to all clients of channels and matching patterns, or of the shard channel. A blob that is
 * made for it is left in the message, for the caller to release. */
size_t pubsub__send(struct pubsub *pubsub, struct pubsub_message *message);
size_t pubsub__send_shard(struct pubsub *pubsub, struct pubsub_message *message);

/* Tells the keyspace which events are wanted. */
void pubsub__notify_changed(struct pubsub *pubsub);
void pubsub__on_event(void *ctx, struct db *db, struct bytes key, uint32_t event_class,
                      const char *name);

/* ---- handlers ---- */
void cmd_subscribe(struct call *call);
void cmd_psubscribe(struct call *call);
void cmd_ssubscribe(struct call *call);
void cmd_unsubscribe(struct call *call);
void cmd_punsubscribe(struct call *call);
void cmd_sunsubscribe(struct call *call);
void cmd_publish(struct call *call);
void cmd_spublish(struct call *call);
void cmd_pubsub_channels(struct call *call);
void cmd_pubsub_shardchannels(struct call *call);
void cmd_pubsub_numsub(struct call *call);
void cmd_pubsub_shardnumsub(struct call *call);
void cmd_pubsub_numpat(struct call *call);
void cmd_pubsub_help(struct call *call);
