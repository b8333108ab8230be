/* SPDX-License-Identifier: BSD-3-Clause */
/* multi -- transactions: the queue between MULTI and EXEC, and watched keys. Executor only. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

struct call;
struct client;
struct command;
struct db;
struct exec;

struct multi_item {
    const struct command *command;
    struct bytes *argv; /* owned: one allocation with its bytes */
    uint32_t argc;
    uint64_t hash;
};

struct multi {
    struct multi_item *items;
    uint32_t count, cap;
    uint32_t flags; /* of all queued commands, or-ed: enum command_flag */
    size_t bytes;   /* memory of the queue */
};

void multi_begin(struct client *client);
/* Copies the call's arguments to the end of the queue. */
void multi_queue(struct client *client, const struct call *call);
/* Ends the transaction without running it; watches go too. */
void multi_discard(struct client *client);
/* True for EXEC itself. */
bool multi_is_exec(const struct command *command);
/* EXEC was refused: says so with the reason, and ends the transaction. */
void multi_abort(struct call *call, const char *reason);
/* The next EXEC of this client, if it is in a transaction, will fail with EXECABORT. */
void multi_spoil(struct client *client);

/* One allocation that holds argc slices and their bytes. *bytes: its size. */
struct bytes *args_copy(const struct bytes *argv, uint32_t argc, size_t *bytes);

void watch_key(struct client *client, struct db *db, struct bytes key, uint64_t hash);
void watch_clear(struct client *client);
/* Marks the client dirty if a key it watches has expired since. */
void watch_check_expired(struct client *client);
size_t watch_key_count(const struct exec *exec); /* distinct keys watched by anyone */
size_t watch_memory_bytes(const struct client *client);
/* Of a keyspace observer: marks the watchers of changed keys. */
void watch_touched(struct exec *exec, struct db *db, struct bytes key);
void watch_flushed(struct exec *exec, struct db *db);
void watch_swapped(struct exec *exec, struct db *a, struct db *b);
void watch_init(struct exec *exec);
void watch_deinit(struct exec *exec);
