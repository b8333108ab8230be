/* SPDX-License-Identifier: BSD-3-Clause */
/* limits -- bounds on what clients may hold: output, memory of all clients, idle time; and
 * making room under maxmemory before a command. Executor only. */
#pragma once

#include "base/attr.h"

struct client;
struct exec;

/* Evicts keys until memory is under maxmemory, in a bounded step. False: still over the limit and
 * nothing more can be done now. During a pause and in import mode it does nothing, which is fine.
 */
bool limits_make_memory(struct exec *exec);
/* The next step, once per turn of the loop, after one that ran out of time (exec.evicting). */
void limits_make_more_memory(struct exec *exec);
/* After a command: closes the client if its output is over its class's limits. */
void limits_check_output(struct client *client);
/* Notes what the client holds in the total, and evicts the largest clients if that is too much. */
void limits_count_client(struct client *client);
/* A slice of all clients, from cron: idle timeouts, soft limits, memory counts, replies' sizes. */
void limits_cron(struct exec *exec);
/* maxmemory-clients in bytes, 0: no limit. */
size_t limits_clients_max_bytes(const struct exec *exec);
