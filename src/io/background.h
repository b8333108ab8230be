/* SPDX-License-Identifier: BSD-3-Clause */
/* background -- work that may take long and that nobody waits for: destroying large values and
 * whole tables. It never touches the keyspace: what it gets is no longer in it.
 *
 * One thread does it and lets all others go first: on a busy machine it gets little time, and what
 * is to be destroyed piles up. When its memory is needed, a second thread takes part that does not
 * step back. */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "sync/thread.h"

struct background;

must_use enum err background_create(const struct cpulist *cpus, struct background **out,
                                    struct diag *diag);
/* Finishes what is queued, then ends the threads. */
void background_destroy(struct background **background);
/* Executor: has object destroyed there. effort: elements it counts as. urgent: memory is short;
 * that holds for all that is queued, until an object comes that is not. */
void background_dispose(struct background *background, void (*destroy)(void *object), void *object,
                        size_t effort, bool urgent);
/* Executor: calls done for each object destroyed since the last call. */
void background_collect(struct background *background,
                        void (*done)(void *ctx, void (*destroy)(void *object), size_t effort),
                        void *ctx);
