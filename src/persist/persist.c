/* SPDX-License-Identifier: BSD-3-Clause */
#include "persist/persist.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "persist/rdb_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* ---- life ---- */

struct persist *persist_create(const struct persist_setup *setup) {
    struct persist *persist = mem_zalloc(sizeof(*persist));
    persist->setup = *setup;
    persist->config = setup->config;
    persist->last_save_s = clock_wall_us() / 1000000;
    return persist;
}

void persist_destroy(struct persist **persist) {
    if (!*persist) return;
    persist_load_end(*persist);
    mem_free(*persist);
    *persist = NULL;
}

uint64_t persist_changes(const struct persist *persist) {
    return keyspace_stats(persist->setup.keyspace)->changes - persist->changes_at_save;
}

bool persist_has_save_points(const struct persist *persist) {
    return persist->config->save.count > 0;
}

/* ---- saving ---- */

static void fill_save_options(const struct persist *persist, struct rdb_file_options *out) {
    const struct persist_config *config = persist->config;
    *out = (struct rdb_file_options){
        .save = {.server_version = persist->setup.server_version,
                 .now_s = clock_wall_us() / 1000000,
                 .key_delay_us = config->key_save_delay_us},
        .compress = config->compress,
        .checksum = config->checksum,
        .sync_often = config->sync_often,
    };
}

static void note_saved(struct persist *persist, uint64_t changes) {
    persist->changes_at_save = changes;
    persist->last_save_s = clock_wall_us() / 1000000;
}

enum err persist_save(struct persist *persist, struct diag *diag) {
    struct rdb_file_options options;
    fill_save_options(persist, &options);
    persist->saves++;
    enum err err =
        rdb_file_save(persist->setup.keyspace, persist->config->dbfilename, &options, diag);
    if (err != ERR_NONE) {
        log_warning("%s", diag->text);
        return err;
    }
    log_notice("DB saved on disk");
    note_saved(persist, keyspace_stats(persist->setup.keyspace)->changes);
    return ERR_NONE;
}

/* ---- loading ---- */

static enum err open_snapshot(const struct persist *persist, struct persist_loading *loading,
                              struct rdb_source *source, struct diag *diag) {
    const char *name = persist->config->dbfilename;
    loading->fd = open(name, O_RDONLY | O_CLOEXEC);
    if (loading->fd == -1 && errno == ENOENT) {
        return diag_errno(diag, ERR_NOT_FOUND, "Can't open %s", name);
    }
    if (loading->fd == -1)
        return diag_errno(diag, ERR_IO, "Fatal error: can't open the RDB file %s for reading",
                          name);
    return rdb_file_source(&loading->fd, source, diag);
}

enum err persist_load_begin(struct persist *persist, const struct persist_load_options *options,
                            struct diag *diag) {
    check(!persist->loading);
    struct persist_loading *loading = mem_zalloc(sizeof(*loading));
    struct rdb_source source;
    enum err err = open_snapshot(persist, loading, &source, diag);
    if (err != ERR_NONE) {
        if (loading->fd != -1) (void)close(loading->fd);
        mem_free(loading);
        return err;
    }
    const struct persist_config *config = persist->config;
    const struct rdb_load_options load_options = {
        .checksum = config->checksum && !persist->skips_checksums,
        .is_relaxed = config->version_check == 1,
        .keeps_expired = options->keeps_expired,
        .merges = options->merges,
        .key_delay_us = config->key_load_delay_us,
        .limits = &persist->setup.limits,
    };
    loading->started_ns = clock_mono_ns();
    loading->started_s = clock_wall_us() / 1000000;
    loading->total_bytes = source.size == RDB_IN_UNKNOWN ? 0 : source.size;
    loading->load = rdb_load_create(persist->setup.keyspace, &source, &load_options);
    persist->loading = loading;
    keyspace_set_quiet(persist->setup.keyspace, true);
    return ERR_NONE;
}

enum rdb_load_result persist_load_step(struct persist *persist, uint64_t max_us) {
    struct persist_loading *loading = persist->loading;
    uint64_t interval = (uint64_t)persist->config->load_interval_bytes;
    enum rdb_load_result result = rdb_load_step(loading->load, interval, max_us);
    if (result == RDB_LOAD_DONE) {
        log_notice("DB loaded from disk: %.3f seconds",
                   (double)(clock_mono_ns() - loading->started_ns) / 1e9);
    }
    return result;
}

enum err persist_load_error(const struct persist *persist, struct diag *diag) {
    return rdb_load_error(persist->loading->load, diag);
}

void persist_load_end(struct persist *persist) {
    struct persist_loading *loading = persist->loading;
    if (!loading) return;
    persist->last_load = *rdb_load_stats(loading->load);
    rdb_load_destroy(&loading->load);
    (void)close(loading->fd);
    mem_free(loading);
    persist->loading = NULL;
    keyspace_set_quiet(persist->setup.keyspace, false);
    persist->changes_at_save = keyspace_stats(persist->setup.keyspace)->changes;
}

enum err persist_load(struct persist *persist, const struct persist_load_options *options,
                      struct diag *diag) {
    enum { STEP_US = 1000000 };
    enum rdb_load_result result;
    enum err err = persist_load_begin(persist, options, diag);
    if (err != ERR_NONE) return err;
    do {
        result = persist_load_step(persist, STEP_US);
    } while (result == RDB_LOAD_MORE);
    if (result == RDB_LOAD_FAILED) err = persist_load_error(persist, diag);
    persist_load_end(persist);
    return err;
}
