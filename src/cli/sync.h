/* SPDX-License-Identifier: BSD-3-Clause */
/* sync -- a snapshot of the data set as replicas get it: asked for with SYNC, or PSYNC where a
 * server does without SYNC, and read as it comes.
 *
 *    "\n"...            while the server makes the snapshot
 *    "$<bytes>\r\n"     that many bytes follow
 *    "$EOF:<40 bytes>\r\n"   the snapshot goes on until these 40 bytes come again
 *
 * No newline is behind either. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "cli/progress.h"

struct cli;

enum { SYNC_MARKER_SIZE = 40, SYNC_CHUNK = 64 * 1024 };

struct sync_source {
    struct cli *cli;
    int64_t size; /* bytes in all; -1: until the marker */
    int64_t done; /* bytes given out */
    bool psync;   /* the server wants to hear REPLCONF ACK */
    bool ended;
    char marker[SYNC_MARKER_SIZE];
    char *window; /* SYNC_MARKER_SIZE + SYNC_CHUNK bytes */
    size_t held;  /* with a marker: bytes in window */
    size_t given; /* of those, at the start: given out by the last call */
    struct progress progress;
};

/* What a server may be asked for besides everything. */
enum sync_want { SYNC_REPLICA = 0, SYNC_RDB, SYNC_FUNCTIONS };

/* Connects, asks, and waits for the snapshot to begin. False: said why on stderr; deinit is due all
 * the same. */
must_use bool sync_init(struct sync_source *source, struct cli *cli, enum sync_want want);
void sync_deinit(struct sync_source *source);
/* The next bytes of the snapshot: borrowed until the next call; empty at its end. False: failed,
 * said why on stderr. */
must_use bool sync_next(struct sync_source *source, struct bytes *out);
