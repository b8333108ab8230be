/* SPDX-License-Identifier: BSD-3-Clause */
/* push -- messages that reach a client without its having asked: published messages, invalidations.
 *
 * A message begins with push_begin, is written to the reply that comes back (reply_push and
 * elements, in the client's own protocol), and ends with push_end. One for the client whose command
 * is running is held back and follows that command's reply; any other goes behind what the client's
 * output already has. CLIENT REPLY OFF and SKIP do not silence messages. Executor only.
 *
 * push_end may close the client, when its output is over the limit: whoever walks a list of clients
 * meanwhile must bear that the client leaves it (exec_feature.closed is called at once). */
#pragma once

#include "base/attr.h"

struct client;
struct exec;
struct reply;

/* NULL if the client is closing: there is nobody to write to. */
struct reply *push_begin(struct client *client);
void push_end(struct client *client);
/* After a command: what was held back follows its reply. Only if exec->push_held. */
void push_deliver_held(struct exec *exec, struct client *client);
