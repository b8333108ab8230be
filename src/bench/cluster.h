/* SPDX-License-Identifier: BSD-3-Clause */
/* cluster -- which nodes a cluster has, which slots they serve, and a tag for every slot.
 *
 * A map is made whole and never changed again, so that threads read it without locks; when the
 * cluster says MOVED a new one is made. Nodes keep their index in all maps of a run. */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "bench/options.h"
#include "client/address.h"
#include "resp/reply_reader.h"

enum { CLUSTER_SLOTS = 16384, CLUSTER_NODES_MAX = 1000 };

struct cluster_node {
    char *host; /* owned */
    uint16_t port;
    bool is_replica;
    struct client_target target;
    uint16_t *slots; /* owned: those it serves, a replica its primary's */
    size_t slot_count;
};

struct cluster_map {
    struct cluster_node *nodes; /* owned */
    size_t node_count;
    struct cluster_map *older; /* owned: threads may still read it */
};

/* Asks one of the servers (that of options, or a node of the older map) with CLUSTER SLOTS. *out is
 * older if it still holds, else a new map that owns older. Waiting ends when wake_fd is readable.
 */
must_use enum err cluster_map_fetch(const struct bench_options *options, int wake_fd,
                                    struct cluster_map *older, struct cluster_map **out,
                                    struct diag *diag);
/* True if both say the same, in the same order. */
bool cluster_map_equals(const struct cluster_map *map, const struct cluster_map *other);
/* Reads a reply of CLUSTER SLOTS, with the host that gave it; for tests of what servers may say. */
must_use enum err cluster_map_read(struct cluster_map *map, const struct resp_value *reply,
                                   const char *asked_host, enum bench_read_from read_from,
                                   struct diag *diag);
void cluster_map_destroy(struct cluster_map **map); /* and the older ones */
/* True if requests go to this node. */
bool cluster_node_is_used(const struct cluster_node *node, enum bench_read_from read_from);

/* Three letters for each of the slots, such that {abc} leads there. Owned by the caller. */
must_use char (*cluster_tags_create(void))[3];
