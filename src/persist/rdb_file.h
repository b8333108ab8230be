/* SPDX-License-Identifier: BSD-3-Clause */
/* rdb_file -- RDB streams in files. */
#pragma once

#include "base/err.h"
#include "persist/rdb_in.h"
#include "persist/rdb_save.h"

struct rdb_file_options {
    struct rdb_save_options save;
    bool compress, checksum;
    bool sync_often; /* option rdb-save-incremental-fsync: in pieces, not all at the end */
};

/* Writes a snapshot beside path, syncs it and renames it: a crash leaves the old file whole. The
 * name in between is temp-PID.rdb, and it is gone after a failure. */
must_use enum err rdb_file_save(struct keyspace *ks, const char *path,
                                const struct rdb_file_options *options, struct diag *diag);

/* Fills source with a file that is open for reading: it has the size the file has now. fd must be
 * at *fd and stay open while the source is read. */
must_use enum err rdb_file_source(int *fd, struct rdb_source *source, struct diag *diag);
