/* SPDX-License-Identifier: BSD-3-Clause */
/* connection -- one client of a worker: its steps through the states drawn in worker.h. */
#pragma once

#include "base/attr.h"

struct bench_client;
struct worker;

enum { CONNECTION_INPUT = 64 * 1024 }; /* bytes received with one call */

/* Begins to connect; the client is CLOSED. */
void connection_dial(struct worker *worker, struct bench_client *client);
/* Something has happened on its descriptor. events: those of epoll. */
void connection_event(struct worker *worker, struct bench_client *client, uint32_t events);
/* Sends an idle client's next pipeline, or notes it as idle: the phase, the rate or the requests
 * left do not allow one. now: ticks. */
void connection_next(struct worker *worker, struct bench_client *client, uint64_t now);
void connection_close(struct worker *worker, struct bench_client *client);
