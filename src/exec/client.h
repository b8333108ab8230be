/* SPDX-License-Identifier: BSD-3-Clause */
/* client -- a session: its connection, and what it has said about itself. Executor only, but for
 * what conn.h says of a lent connection.
 *
 *   accepted ──client_create──▶ OPEN ──client_close──▶ (comes back from its job) ──▶ freed
 *                                └─client_close_after_reply─▶ output sent ─▶ client_close
 * Memory goes in client_reap, between windows, so that a pointer is good until the command ends. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "exec/gate.h"
#include "io/conn.h"

struct exec;
struct db;
struct multi;
struct wait;
struct watched_key;
struct subscriber; /* pubsub/ */
struct tracker;    /* tracking/ */

enum client_class { CLASS_NORMAL = 0, CLASS_REPLICA, CLASS_PUBSUB };
enum { CLASS_COUNT = 3 };

enum client_subscription {
    SUBSCRIBED_CHANNELS = 0,
    SUBSCRIBED_PATTERNS,
    SUBSCRIBED_SHARD_CHANNELS
};
enum { SUBSCRIPTION_KINDS = 3 };

enum client_flag {
    CLIENT_MONITOR = BIT(0),
    CLIENT_UNIX = BIT(1), /* came through the Unix socket */
    CLIENT_NO_EVICT = BIT(2),
    CLIENT_NO_TOUCH = BIT(3),
    CLIENT_DIRTY_CAS = BIT(4),  /* a watched key changed: EXEC fails */
    CLIENT_DIRTY_EXEC = BIT(5), /* an error while queueing: EXEC aborts */
    CLIENT_REPLY_OFF = BIT(6),
    CLIENT_REPLY_SKIP = BIT(7), /* the running command is not answered */
    CLIENT_REPLY_SKIP_NEXT = BIT(8),
    CLIENT_CLOSE_ASAP = BIT(9),
    CLIENT_CLOSE_AFTER_REPLY = BIT(10),
    CLIENT_IMPORT_SOURCE = BIT(11),
    CLIENT_AUTHENTICATED = BIT(12),
    CLIENT_PAUSED = BIT(13), /* has a request that waits for the end of a pause */
    CLIENT_CAPA_REDIRECT = BIT(14),
    CLIENT_IN_EXEC = BIT(15), /* EXEC is running its queue */
    CLIENT_BLOCKED = BIT(16), /* its last command waits: see block.h */
    CLIENT_PUBSUB = BIT(17),  /* has subscriptions, of whatever kind */
    CLIENT_TRACKING = BIT(18),
    CLIENT_TRACKING_BCAST = BIT(19),
    CLIENT_TRACKING_BROKEN = BIT(20), /* the client that its invalidations go to is gone */
};

struct client {
    struct conn conn; /* first, so that a connection's address is its client's */
    struct exec *exec;
    uint64_t id;
    uint32_t gates; /* enum gate, closed ones */
    uint32_t flags; /* enum client_flag */
    struct db *db;
    const struct command *command; /* running, or the last one */
    struct multi *multi;           /* NULL outside MULTI */
    struct watched_key *watches;   /* list, see watch.c */
    uint32_t watch_count;
    struct wait *wait; /* NULL unless CLIENT_BLOCKED */
    struct client *next,
        *prev; /* all clients, oldest first; of a dead one prev leads to the next dead */
    int64_t created_ms, active_ms; /* wall clock */
    int64_t soft_limit_since_ms;   /* output over the soft limit since; 0: it is not */
    uint64_t commands_done;
    size_t memory_counted;                      /* its share in exec's total */
    char *name, *lib_name, *lib_version;        /* NULL: none; owned */
    const char *listener_path;                  /* of a Unix socket; borrowed */
    uint32_t subscriptions[SUBSCRIPTION_KINDS]; /* how many */
    struct subscriber *subscriber;              /* NULL without subscriptions; pubsub/ owns it */
    struct tracker *tracker;                    /* NULL unless CLIENT_TRACKING; tracking/ owns it */
    uint64_t redirect_id; /* of the client that its invalidations go to; 0: itself */
};

static inline struct client *client_of_conn(struct conn *conn) { return (struct client *)conn; }

/* Ends it as soon as possible; output that was not sent is lost. Safe inside its own command, and
 * again on a client that is already closing. */
void client_close(struct client *client);
/* Ends it when its output has been sent; further requests are not executed. */
void client_close_after_reply(struct client *client);
static inline bool client_is_closing(const struct client *client) {
    return client->flags & (CLIENT_CLOSE_ASAP | CLIENT_CLOSE_AFTER_REPLY);
}

/* Authenticated or not; adjusts gates and parser limits. */
void client_set_authenticated(struct client *client, bool authenticated);
void client_set_resp(struct client *client, uint8_t resp);
/* CLIENT_PUBSUB and its gate. */
void client_set_subscribed(struct client *client, bool subscribed);
enum client_class client_class_of(const struct client *client);
/* Sets *field (name, lib_name, lib_version) to a copy, or to NULL if empty. */
void client_set_text(char **field, struct bytes text);
/* True if the text has only printable characters without spaces: names and library texts. */
bool client_text_is_valid(struct bytes text);
/* Peer and own address as CLIENT LIST shows them; out has ENDPOINT_TEXT_MAX bytes. */
void client_address(const struct client *client, bool peer, char *out);
bool client_is_local(const struct client *client);
size_t client_memory_bytes(const struct client *client);
/* All flag letters of CLIENT LIST, NUL-terminated; out has 24 bytes. */
void client_flag_letters(const struct client *client, char *out);

struct client *client_find(struct exec *exec,
                           uint64_t id); /* NULL if there is none, or it is closing */
