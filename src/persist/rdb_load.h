/* SPDX-License-Identifier: BSD-3-Clause */
/* rdb_load -- reads an RDB stream into the keyspace, in steps, so that the server can answer
 * between them.
 *
 *   rdb_load_create ──▶ rdb_load_step: RDB_LOAD_MORE, again ... ──▶ RDB_LOAD_DONE or _FAILED
 *
 * Observers of the keyspace hear nothing of what is loaded (keyspace_set_quiet is the caller's to
 * call). What a failed load had added stays: the caller decides about it. */
#pragma once

#include "base/err.h"
#include "keyspace/keyspace.h"
#include "persist/rdb_in.h"

struct rdb_limits;

/* Sections that features own; functions may be NULL: a file that has such a section is refused. */
struct rdb_load_hooks {
    void *ctx;
    /* The code of a library of functions. replace: it may be there already. */
    enum err (*function)(void *ctx, struct bytes code, bool replace, struct diag *diag);
};

struct rdb_load_options {
    bool checksum;        /* verify it */
    bool is_relaxed;      /* rdb-version-check relaxed: try newer versions */
    bool keeps_expired;   /* keys whose time is up are loaded too */
    bool merges;          /* a key that is there already gives way; else it is an error */
    int32_t key_delay_us; /* option key-load-delay; negative: 1 us for so many keys */
    const struct rdb_limits *limits;    /* of packed forms, see rdb_value.h */
    const struct rdb_load_hooks *hooks; /* NULL: none */
};

struct rdb_load_stats {
    uint64_t keys;          /* loaded */
    uint64_t expired;       /* left out: their time was up */
    uint64_t empty;         /* left out: collections without elements */
    uint64_t bytes;         /* read */
    uint64_t producer_used; /* AUX used-mem; 0: not said */
};

enum rdb_load_result { RDB_LOAD_MORE = 0, RDB_LOAD_DONE, RDB_LOAD_FAILED };
struct rdb_load;

must_use struct rdb_load *rdb_load_create(struct keyspace *ks, const struct rdb_source *source,
                                          const struct rdb_load_options *options);
void rdb_load_destroy(struct rdb_load **load);
/* Loads keys until max_bytes of the stream are used, or max_us have gone by; at least one. */
must_use enum rdb_load_result rdb_load_step(struct rdb_load *load, uint64_t max_bytes,
                                            uint64_t max_us);
const struct rdb_load_stats *rdb_load_stats(const struct rdb_load *load);
/* After RDB_LOAD_FAILED: ERR_SYNTAX and ERR_CLOSED mean that the stream is damaged or cut off. */
enum err rdb_load_error(const struct rdb_load *load, struct diag *diag);
