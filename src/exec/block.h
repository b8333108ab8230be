/* SPDX-License-Identifier: BSD-3-Clause */
/* block -- clients that wait: for a key to be filled, or for something else, or for a time.
 *
 *   handler ──call_block──▶ waiting ──a key is ready, block_recheck──▶ handler runs again
 *                            │   ▲                                       │ replies: goes on
 *                            │   └────────── calls call_block ───────────┘
 *                            ├──its time is over, CLIENT UNBLOCK──▶ another reply: goes on
 *                            └──client_close──▶ forgotten
 *
 * A handler that may wait looks first. Only if there is nothing for it, it calls call_block and
 * returns without a reply. Its command is then run again, from a copy of its arguments, when one of
 * its keys has changed and holds the type that is wanted: after the command (or the whole EXEC)
 * that changed it, first come first served. Then it replies, or it calls call_block once more and
 * waits on, in its old place and until its old deadline. So a handler is written once:
 *
 *      int64_t timeout_ms;
 *      if (!call_timeout_seconds(call, call->argc - 1, &timeout_ms)) return;
 *      for each key: if there is an element: reply with it, return; WRONGTYPE: reply, return
 *      const struct block_request wait = {
 *          .first_key = 1, .key_count = call->argc - 2,
 *          .type = TYPE_LIST, .timeout_ms = timeout_ms};
 *      if (!call_block(call, &wait)) reply_null_array(call->reply);
 *
 * While a client waits nothing is read from it, and requests that it has already sent wait too. A
 * call that waited counts once, when it ends, with the time its runs took and not that it waited.
 *
 * 1. A client waits (CLIENT_BLOCKED, client->wait) for at most one call.
 * 2. A key that somebody waits for costs a change one look-up; while nobody waits it costs a test.
 * 3. Keys made ready by a command that was run again are served in the same go.
 * 4. While writing is paused (CLIENT PAUSE) nobody is served; deadlines still hold. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

struct call;
struct client;
struct db;
struct exec;

enum block_flag {
    /* Also wakes when the key is deleted or gets another type (stream groups). */
    BLOCK_ON_DELETE = BIT(0),
};

struct block_request {
    /* Positions in the call's arguments: first_key, first_key + 1, ... None: waits for
     * block_recheck. One key twice is as good as once. */
    uint32_t first_key, key_count;
    uint8_t type;       /* of the keys that can serve it, or TYPE_ANY */
    uint8_t flags;      /* enum block_flag */
    int64_t timeout_ms; /* from now on; 0: for ever */
    /* Replies when the time is over (call->argv is what was kept). NULL: a null array. */
    void (*timed_out)(struct call *call);
    /* What to keep and run again instead of the call's own arguments (XREAD writes the id that $
     * stands for). Same positions of keys. NULL: the call's own. */
    const struct bytes *argv;
    uint32_t argc;
};

/* Lets the client wait; the handler returns without a reply. False: this call may not wait (it runs
 * inside EXEC or the like), and the handler replies what it replies there. O(keys + bytes). */
must_use bool call_block(struct call *call, const struct block_request *request);
/* True if call_block would let it wait. */
bool call_may_block(const struct call *call);
/* Read a timeout argument, in seconds with a fraction or in milliseconds. False: an error was
 * replied. */
must_use bool call_timeout_seconds(struct call *call, uint32_t arg, int64_t *timeout_ms);
must_use bool call_timeout_ms(struct call *call, uint32_t arg, int64_t *timeout_ms);

/* Runs the commands again that wait without keys: whatever they wait for may have come. */
void block_recheck(struct exec *exec);

enum block_end { BLOCK_TIMED_OUT = 0, BLOCK_FAILED };
/* Ends the wait as if its time were over, or with an error that says that CLIENT UNBLOCK did so.
 * False: the client does not wait. */
bool block_end(struct client *client, enum block_end how);

struct block_counts {
    size_t clients, with_deadline;
    size_t keys;           /* distinct ones that are waited for */
    size_t keys_on_delete; /* those of them that BLOCK_ON_DELETE is for */
};
void block_count(const struct exec *exec, struct block_counts *out);
size_t block_memory_bytes(const struct client *client);

/* ---- for exec/ ---- */
void block_init(struct exec *exec);
void block_deinit(struct exec *exec);
/* Serves the keys that are ready, until none is left. If exec->block_ready. */
void block_serve(struct exec *exec);
/* Ends waits whose time is over; several calls if they are very many. */
void block_end_due(struct exec *exec);
/* When the next wait ends by itself; INT64_MAX: none will. */
int64_t block_deadline_ms(const struct exec *exec); /* of mono_ms */
/* The client is closing: it waits no more. */
void block_forget(struct client *client);
/* The call that has just blocked took so long. */
void block_note_ticks(struct client *client, uint64_t ticks);
/* Of a keyspace observer. */
void block_touched(struct exec *exec, struct db *db, struct bytes key);
void block_flushed(struct exec *exec, struct db *db);
void block_swapped(struct exec *exec, struct db *a, struct db *b);
/* Checks every invariant of the tables; for tests. */
void block_verify(const struct exec *exec);
