/* SPDX-License-Identifier: BSD-3-Clause */
/* request -- one parsed command: slices of the connection's input, no copies.
 *
 * Requests come in batches. A batch is one allocation: up to BATCH_REQUESTS records and the slices
 * of their arguments, side by side, so that a batch parsed by another thread costs the executor few
 * cache lines. The slices point into the connection's input chunk (or into a blob, for large
 * arguments) and are valid until the batch has been executed. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "sync/blob.h"

struct command;
struct request_bigs; /* the large arguments of a request, each in a blob of its own */

enum {
    BATCH_REQUESTS = 64,
    BATCH_ARGS = 512,            /* slices that fit beside the records; more are allocated */
    REQUEST_BIG_ARG = 32 * 1024, /* arguments from this size on are read into a blob of their own */
};

enum request_fault { /* found by whoever parsed it; answered by the executor, in order */
                     REQUEST_FINE = 0,
                     REQUEST_UNKNOWN_COMMAND, /* or an unknown subcommand of command */
                     REQUEST_WRONG_ARITY,     /* for command */
                     REQUEST_KEY_TOO_LONG,
};

struct request {
    struct bytes *argv; /* argc slices; argv[0] is the command's name as it was sent */
    uint32_t argc;
    uint8_t fault;                 /* enum request_fault */
    bool owns_argv;                /* argv was allocated apart */
    uint64_t hash;                 /* of the first key, if the command has one */
    const struct command *command; /* NULL if unknown */
    struct request_bigs *big;      /* large arguments, NULL if it has none: see request_take_big */
    uint64_t wire_bytes;           /* size of the request as it was sent */
};

struct batch {
    struct batch *next_free;
    uint16_t count; /* requests parsed */
    uint16_t next;  /* the first one not yet executed */
    uint16_t args_used;
    struct request requests[BATCH_REQUESTS];
    struct bytes args[BATCH_ARGS];
};

/* Makes an allocated batch empty. */
static inline void batch_reset(struct batch *batch) {
    batch->count = 0;
    batch->next = 0;
    batch->args_used = 0;
}
/* Frees what a request owns: slices apart, large arguments not taken. It is empty afterwards. */
void request_release(struct request *request);
/* The input moved in memory: slices inside [old, old + size) move with it. */
void request_rebase(struct request *request, const char *old_start, size_t size,
                    const char *new_start);
/* Argument arg becomes the bytes of the blob, whose reference is the request's from now on.
 * Arguments come in ascending order. */
void request_put_big(struct request *request, uint32_t arg, struct blob *blob);
/* The blob that holds argument arg, if it is a large one and has not been taken: the reference is
 * the caller's. Else NULL. argv[arg] stays valid as long as the blob does. O(log n). */
must_use struct blob *request_take_big(struct request *request, uint32_t arg);
/* True if argument arg came as a large one, taken or not. O(log n). */
bool request_is_big(const struct request *request, uint32_t arg);
/* The first argument whose bytes are in the input and not in a blob; argc if there is none. */
uint32_t request_first_slice(const struct request *request);
