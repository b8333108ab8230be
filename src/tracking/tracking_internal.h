/* SPDX-License-Identifier: BSD-3-Clause */
/* tracking_internal -- the context, and what its files share.
 *
 * tracking.c life, keys that are read    invalidate.c what clients are told, at once
 * broadcast.c the same for prefixes, gathered    client_tracking.c the commands
 * key_table.c who has read what    prefixes.c who wants what */
#pragma once

#include "base/buf.h"
#include "exec/call.h"
#include "tracking/key_table.h"
#include "tracking/prefixes.h"
#include "tracking/tracking.h"

enum tracking_mode {
    TRACKING_OPTIN = BIT(0),   /* keys are noted after CLIENT CACHING YES only */
    TRACKING_OPTOUT = BIT(1),  /* keys are not noted after CLIENT CACHING NO */
    TRACKING_NOLOOP = BIT(2),  /* its own changes are not told */
    TRACKING_BCAST = BIT(3),   /* CLIENT_TRACKING_BCAST says so too */
    TRACKING_CACHING = BIT(4), /* CLIENT CACHING was given, for the next command */
};

/* What a client that tracks has: client->tracker. */
struct tracker {
    unsigned mode; /* enum tracking_mode */
    struct prefix_list prefixes;
};

/* A key that changed since output was sent last, for clients with prefixes. */
struct changed_key {
    uint64_t hash;
    uint64_t author;          /* the client whose command changed it; 0: several, or none */
    struct changed_key *next; /* in the order of the changes */
    uint32_t name_size;
    char name[];
};

struct tracking {
    struct exec *exec;
    const struct tracking_config *config;
    struct key_table keys;
    struct prefixes prefixes;
    uint32_t clients;    /* that track */
    uint64_t flushed_at; /* when the command began of whose flush all were told, in ticks */
    struct buf body;     /* the names in a message; kept between messages */
    uint64_t *targets;   /* numbers of clients that a message goes to; kept */
    size_t target_count, target_cap;
    struct hashtab *changed; /* of changed_key */
    struct changed_key *changed_first, **changed_end;
};

/* ---- tracking.c ---- */
static inline struct prefix_list *tracking__list_of(const struct client *client) {
    return &client->tracker->prefixes;
}
void tracking__enable(struct tracking *tracking, struct client *client, unsigned mode,
                      uint64_t redirect_id);
void tracking__disable(struct tracking *tracking, struct client *client);
/* The client's gates follow from its mode. */
void tracking__set_gates(struct client *client);
/* The client whose command is making this change, or NULL: nobody's does. */
struct client *tracking__author(const struct tracking *tracking);

/* ---- invalidate.c ---- */
/* Sends to a client, or to the one that it redirects to: names, of which body has count; NULL: all
 * keys. May close clients. */
void tracking__send(struct tracking *tracking, struct client *client, const struct buf *body);
void tracking__add_target(struct tracking *tracking, const struct client *client);
/* Tells whoever has read the key, but for the author if it wants so, and forgets it. */
void tracking__invalidate(struct tracking *tracking, struct tracked_key *key,
                          const struct client *author);
/* Tells all that track that no key is what it was. */
void tracking__invalidate_all(struct tracking *tracking);

/* ---- broadcast.c ---- */
void tracking__broadcast_init(struct tracking *tracking);
void tracking__broadcast_deinit(struct tracking *tracking);
/* Keeps the key, if anyone wants to hear of it, until output is sent. */
void tracking__gather(struct tracking *tracking, struct bytes key, uint64_t hash);
/* Sends what was gathered: one message a client and prefix. */
void tracking__broadcast(struct tracking *tracking);

/* ---- client_tracking.c ---- */
void cmd_client_tracking(struct call *call);
void cmd_client_caching(struct call *call);
void cmd_client_getredir(struct call *call);
void cmd_client_trackinginfo(struct call *call);
