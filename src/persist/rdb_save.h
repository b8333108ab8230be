/* SPDX-License-Identifier: BSD-3-Clause */
/* rdb_save -- writes all databases as one RDB stream: to a file, later to a replica. */
#pragma once

#include "keyspace/keyspace.h"
#include "persist/rdb_out.h"

struct rdb_save_options {
    const char *server_version; /* AUX valkey-ver */
    int64_t now_s;              /* AUX ctime */
    int32_t key_delay_us;       /* option rdb-key-save-delay; negative: 1 us for so many keys */
    /* Told now and then how many keys are written; returns false to give up. May be NULL. */
    bool (*progress)(void *ctx, uint64_t keys);
    void *ctx;
};

/* Writes the stream from the magic to the checksum. The keyspace must not change meanwhile. What
 * went wrong is in out->err and out->diag. O(size of all values). */
void rdb_save(struct rdb_out *out, struct keyspace *ks, const struct rdb_save_options *options);
