/* SPDX-License-Identifier: BSD-3-Clause */
/* pubsub -- messages to whoever has subscribed: PUBLISH, SUBSCRIBE and their kin, and the keyspace
 * notifications that travel the same way. Executor only. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "config/config.h"
#include "spec/command.h"

struct exec;
struct pubsub;

/* Beside the bits of enum key_event: which of the two channels an event is published to. */
enum { NOTIFY_KEYSPACE = 1 << 16, NOTIFY_KEYEVENT = 1 << 17 };

struct pubsub_config {
    uint32_t notify;       /* notify-keyspace-events: enum key_event, and the bits above */
    struct pubsub *pubsub; /* told when it changes; NULL until there is one */
};
/* Rows over struct pubsub_config, which is their table's ctx too. */
extern const struct config_option pubsub_options[];
extern const struct command_spec pubsub_commands[];

/* Registers itself with exec: as a feature, an observer of keys, and with the figures of INFO's
 * clients and stats, whose sections must be there. config is borrowed. */
struct pubsub *pubsub_create(struct exec *exec, struct pubsub_config *config);
/* When exec's clients are gone. */
void pubsub_destroy(struct pubsub **pubsub);

/* Sends a message to the subscribers of a channel and of the patterns that match it. Returns how
 * many it went to; a client counts for each of its subscriptions. O(receivers + patterns). */
size_t pubsub_publish(struct pubsub *pubsub, struct bytes channel, struct bytes message);
/* The same to those of a shard channel, which patterns do not match. */
size_t pubsub_publish_shard(struct pubsub *pubsub, struct bytes channel, struct bytes message);

/* Checks every invariant. O(n); for tests. */
void pubsub_verify(const struct pubsub *pubsub);
