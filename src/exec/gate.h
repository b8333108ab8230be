/* SPDX-License-Identifier: BSD-3-Clause */
/* gate -- what may stand between a request and its execution, one bit each.
 *
 * command->needs says which gates matter to a command; the executor and the client each have a
 * word of gates that are closed now. One test decides on the hot path:
 *     command->needs & (exec->gates | client->gates)
 * and only if it is not zero the slow path looks at each. */
#pragma once

#include "base/attr.h"

struct command;

enum gate {
    GATE_AUTH = BIT(0),        /* client: has not authenticated */
    GATE_MULTI = BIT(1),       /* client: is queueing a transaction */
    GATE_PAUSE_WRITE = BIT(2), /* exec: CLIENT PAUSE WRITE */
    GATE_PAUSE_ALL = BIT(3),   /* exec: CLIENT PAUSE ALL */
    GATE_MEMORY = BIT(4),      /* exec: maxmemory is set: evict before, refuse what denies OOM */
    GATE_MONITOR = BIT(5),     /* exec: somebody monitors */
    GATE_LOADING = BIT(6),     /* exec: the data set is being loaded */
    GATE_REPLY = BIT(7),       /* client: CLIENT REPLY OFF or SKIP is in force */
    GATE_DEBUG = BIT(8),       /* exec: not everyone may use what an option protects */
    GATE_SUBSCRIBED = BIT(9),  /* client: RESP2 with subscriptions, few commands make sense */
    GATE_TRACKING = BIT(10),   /* client: the keys that it reads are noted */
    GATE_CACHING = BIT(11),    /* client: CLIENT CACHING is in force for the next command */
    GATE_KEYSPACE = BIT(12),   /* client: monitors, and has no business with keys */
};

/* What a command's flags make it need; fills command->needs at start. */
uint32_t gate_needs_of(const struct command *command);
