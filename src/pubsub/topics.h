/* SPDX-License-Identifier: BSD-3-Clause */
/* topics -- who is subscribed to what: channels, patterns and shard channels.
 *
 *   table of a kind: name ─▶ topic ─▶ clients[]: the clients, side by side
 *   client->subscriber ─▶ topics[kind][]: the topics of a client
 *   subscriptions: (client, topic) ─▶ where each is in the other's array
 *
 * Both arrays close a gap with their last element, whose subscription is looked up to be told of
 * its new place: each change is O(1), however many topics a client and clients a topic has, and a
 * message walks nothing but an array of pointers.
 *
 * Sending to a client may close it and others, which leave their topics at once. Between
 * topics_walk_begin and _end they leave a NULL behind instead of a gap closed, and no topic goes.
 *
 * 1. A topic has at least one client, but for those that lost theirs during a walk.
 * 2. For each subscription topic->clients[seat] is its client, and the client's topics[place] its
 *    topic; there are no other entries in either.
 * 3. A client has a subscriber exactly while it has a subscription.
 * Executor only. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "ds/hashtab.h"
#include "exec/client.h"

struct topic {
    struct client **clients; /* NULL: one that left during a walk */
    uint32_t count, cap;     /* of clients, NULLs included */
    uint32_t place;          /* of a pattern: its row in patterns */
    uint32_t name_size;
    uint8_t kind; /* enum client_subscription */
    bool holed;   /* some of clients are NULL: it is in topics.holed */
    uint64_t hash;
    struct topic *next_holed;
    char name[];
};

/* A pattern matches no channel that does not begin with its first characters, up to a special one.
 * Up to eight of them are compared before memory elsewhere is touched. */
struct pattern_row {
    struct topic *topic;
    uint64_t start, mask;
};

struct topics {
    struct hashtab *tables[SUBSCRIPTION_KINDS];
    struct hashtab *subscriptions;
    struct pattern_row *patterns;
    uint32_t pattern_count, pattern_cap;
    uint32_t subscribers; /* clients with a subscription */
    bool walking;
    struct topic *holed; /* list, by next_holed */
};

static inline struct bytes topic_name(const struct topic *topic) {
    return bytes_make(topic->name, topic->name_size);
}

void topics_init(struct topics *topics);
/* No client may have subscriptions any more. */
void topics_deinit(struct topics *topics);

/* False if the client had it already. O(1), and O(log patterns) memory moves never. */
bool topics_subscribe(struct topics *topics, struct client *client, enum client_subscription kind,
                      struct bytes name);
/* False if it did not have it. O(1). name may be the topic's own. */
bool topics_unsubscribe(struct topics *topics, struct client *client, enum client_subscription kind,
                        struct bytes name);
/* The client's topic at index, below client->subscriptions[kind]; borrowed. */
struct topic *topics_of_client(const struct client *client, enum client_subscription kind,
                               uint32_t index);
/* Ends all subscriptions of a client. O(their count). */
void topics_leave_all(struct topics *topics, struct client *client);

size_t topics_count(const struct topics *topics, enum client_subscription kind);
/* Borrowed; NULL if nobody has subscribed to it. O(1). */
struct topic *topics_find(const struct topics *topics, enum client_subscription kind,
                          struct bytes name);
/* The next pattern that matches the channel, from row *at on, which moves behind it; NULL if there
 * is none. O(patterns) in all. */
struct topic *topics_next_match(const struct topics *topics, struct bytes channel, uint32_t *at);

void topics_walk_begin(struct topics *topics);
void topics_walk_end(struct topics *topics);

/* Bytes held for a client's subscriptions: its share of names and tables. O(1). */
size_t topics_memory_bytes(const struct client *client);
/* Checks every invariant above. O(n); for tests. */
void topics_verify(const struct topics *topics);
