/* SPDX-License-Identifier: BSD-3-Clause */
/* background -- one thread for work that may take long and that nobody waits for: destroying large
 * values and whole tables. It never touches the keyspace: what it gets is no longer in it. */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "sync/thread.h"

struct background;

must_use enum err background_create(const struct cpulist *cpus, struct background **out,
                                    struct diag *diag);
/* Finishes what is queued, then ends the thread. */
void background_destroy(struct background **background);
/* Executor: has object destroyed there. effort: elements it counts as. */
void background_dispose(struct background *background, void (*destroy)(void *object), void *object,
                        size_t effort);
/* Executor: calls done for each object destroyed since the last call. */
void background_collect(struct background *background,
                        void (*done)(void *ctx, void (*destroy)(void *object), size_t effort),
                        void *ctx);
