/* SPDX-License-Identifier: BSD-3-Clause */
/* persist -- the data set in files: saving it, loading it, and what is known about both.
 *
 *   persist_save              here and now: SAVE, SHUTDOWN, DEBUG RELOAD
 *   persist_load_begin ─▶ persist_load_step ... ─▶ persist_load_end    at the start, or at once
 *
 * Paths are relative to the working directory, which is the option dir. Executor only. Fields are
 * public for those who show them. */
#pragma once

#include "base/err.h"
#include "config/config.h"
#include "keyspace/keyspace.h"
#include "persist/rdb_load.h"
#include "persist/rdb_value.h"

struct save_point { /* a snapshot is due after so much time with so many changes; so far none is
                     * written by itself */
    int64_t seconds;
    int64_t changes;
};
struct save_list {
    struct save_point *at;
    size_t count;
};

struct persist_config { /* owned by the caller; read whenever it matters */
    struct save_list save;
    char *dbfilename;
    bool compress, checksum;
    int version_check; /* 1: relaxed */
    bool sync_often;
    bool stops_writes; /* no effect yet */
    int sanitize;      /* no effect: all values are checked in depth */
    int32_t key_save_delay_us, key_load_delay_us;
    int64_t load_interval_bytes;
    char *bgsave_cpulist; /* NULL: as the server; no effect yet */
};
extern const struct config_option persist_options[]; /* rows over struct persist_config */

struct persist_setup {
    const struct persist_config *config;
    struct keyspace *keyspace;
    const char *server_version;
    struct rdb_limits limits;
};

struct persist_loading { /* while a file is being loaded */
    struct rdb_load *load;
    int fd;
    int64_t started_s;
    int64_t started_ns; /* clock_mono_ns */
    uint64_t total_bytes;
};

struct persist {
    struct persist_setup setup;
    const struct persist_config *config; /* setup.config */
    int64_t last_save_s;                 /* the start counts as a save */
    uint64_t changes_at_save;            /* keyspace_stats.changes then */
    uint64_t saves;
    struct rdb_load_stats last_load;
    struct persist_loading *loading; /* NULL: not loading */
    bool skips_checksums;            /* DEBUG SET-SKIP-CHECKSUM-VALIDATION */
};

struct persist *persist_create(const struct persist_setup *setup);
void persist_destroy(struct persist **persist);

/* Changes that no snapshot has. */
uint64_t persist_changes(const struct persist *persist);
/* True if the options ask for snapshots at all. */
bool persist_has_save_points(const struct persist *persist);

/* Writes the snapshot; the server stands still. The failure is logged, too. */
must_use enum err persist_save(struct persist *persist, struct diag *diag);

struct persist_load_options {
    bool keeps_expired; /* see rdb_load.h */
    bool merges;
};
/* Opens the snapshot. ERR_NOT_FOUND if there is none, without a line in the log. After success
 * persist_load_end is due, whatever comes. */
must_use enum err persist_load_begin(struct persist *persist,
                                     const struct persist_load_options *options, struct diag *diag);
/* Loads for a while: as many bytes as the option says, or max_us. */
must_use enum rdb_load_result persist_load_step(struct persist *persist, uint64_t max_us);
/* Why a step failed. */
enum err persist_load_error(const struct persist *persist, struct diag *diag);
/* Ends a load, finished or not. What changed by it counts as saved. */
void persist_load_end(struct persist *persist);
/* The whole of it at once; begun or failed, it is ended. */
must_use enum err persist_load(struct persist *persist, const struct persist_load_options *options,
                               struct diag *diag);
