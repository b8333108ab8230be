/* SPDX-License-Identifier: BSD-3-Clause */
/* loop -- moves connections between readiness, reading, the ready list, the write list and the
 * workers. Executor only.
 *
 *   idle ──readable──▶ reading (here or lent) ──▶ ready ──run_window──▶ idle, or reading again
 *                                                              └─ output ─▶ write list ─▶ writing
 *
 * Writing is done here, lent, or by the kernel. A connection with output that the peer does not
 * take waits for REACTOR_WRITABLE; one that is lent is touched again only when it is back. */
#pragma once

#include "base/attr.h"
#include "exec/exec.h"

struct listener;

/* One turn: collects events (waiting at most until deadline_ms if there is nothing to do), reads,
 * runs windows, writes. */
void loop_turn(struct exec *exec, int64_t deadline_ms);
/* A window took all requests of the client's batch, or it stopped in it: decides what is next. */
void loop_batch_done(struct exec *exec, struct client *client);
/* Goes on where it was interrupted, with requests or with reading: a write is complete, or the
 * client waits no more. One that is lent goes on when it is back. */
void loop_go_on(struct exec *exec, struct client *client);
/* A new connection on a listener. Takes the fd. */
void loop_accept(struct exec *exec, int fd, const struct listener *listener);
/* Clients that were held by a pause get their turn. */
void loop_resume_paused(struct exec *exec);
/* Takes connections back from workers without executing anything; before an exit. */
void loop_take_back(struct exec *exec);
/* Sends all output that can be sent without waiting; before an exit. */
void loop_flush_output(struct exec *exec);

void ready_push(struct exec *exec, struct client *client);
void ready_pop(struct exec *exec);
void ready_remove(struct exec *exec, struct client *client);
void write_push(struct exec *exec, struct client *client);

/* Frees requests that will not be executed. */
void client_drop_requests(struct client *client);
/* Frees clients that died and are not lent. */
void client_reap(struct exec *exec);
struct client *client_create(struct exec *exec, int fd);
void client_free_all(struct exec *exec);
/* Brings now_ms up to date; returns the ticks. The system's clock is asked when the millisecond is
 * over, which ticks tell. */
uint64_t exec_sample_time(struct exec *exec);
