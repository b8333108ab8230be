/* SPDX-License-Identifier: BSD-3-Clause */
/* run -- executes requests: gates, handler, statistics. Executor only. */
#pragma once

#include "base/attr.h"
#include "exec/client.h"
#include "resp/request.h"
#include "spec/command.h"

struct exec;

enum run_result {
    RUN_DONE = 0, /* executed, queued or refused: the next request may follow */
    RUN_HELD,     /* the client is paused: the same request is to be tried again later */
    RUN_BLOCKED,  /* it waits (block.h): done with this request, the next ones wait too */
};

/* Executes one request of a client whose connection is the executor's. */
enum run_result run_request(struct exec *exec, struct client *client, struct request *request);
/* Asks for the bucket of the first request of a batch that has just been read: the window's first
 * pass, a little earlier. */
void run_prefetch(const struct client *client);
/* Runs fn as a waiting client's call, and counts it unless it waits on. *ticks: spent until now. */
void run_waiting(struct call *call, command_fn fn, uint64_t *ticks, uint64_t request_bytes);
/* Executes up to EXEC_WINDOW requests from the front of the ready list, in three passes, at the
 * time of the last exec_sample_time. Returns how many. Clients with output are in the write list
 * afterwards. */
unsigned run_window(struct exec *exec);
