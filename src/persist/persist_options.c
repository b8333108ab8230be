/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of snapshots: rows over struct persist_config. */
#include "base/mem.h"
#include "base/num.h"
#include "config/config.h"
#include "persist/persist.h"

#include <limits.h>

enum { SAVE_POINTS_MAX = 1024 };

static const struct config_enum version_words[] = {{"strict", 0}, {"relaxed", 1}, {0}};
static const struct config_enum sanitize_words[] = {{"no", 0}, {"yes", 1}, {"clients", 2}, {0}};

/* --- save: seconds and changes, in pairs --- */

static void save_deinit(void *value) { mem_free(((struct save_list *)value)->at); }

static enum err save_parse(const struct config_parse *in, void *out, struct diag *diag) {
    struct save_list list = {0};
    bool clears = in->count == 0 || (in->count == 1 && in->words[0].size == 0);
    if (clears) return ERR_NONE;

    const struct save_list *old = in->current;
    size_t kept = in->live || in->fresh ? 0 : old->count;
    if (in->count % 2 != 0 || kept + in->count / 2 > SAVE_POINTS_MAX) goto invalid;
    list.at = mem_alloc_array(kept + in->count / 2, sizeof(*list.at));
    for (size_t i = 0; i < kept; i++)
        list.at[list.count++] = old->at[i];
    for (size_t i = 0; i < in->count; i += 2) {
        struct save_point point;
        if (!num_parse_i64(in->words[i], &point.seconds)) goto invalid;
        if (!num_parse_i64(in->words[i + 1], &point.changes)) goto invalid;
        if (point.seconds < 1 || point.changes < 0 || point.changes > INT_MAX) goto invalid;
        list.at[list.count++] = point;
    }
    *(struct save_list *)out = list;
    return ERR_NONE;
invalid:
    mem_free(list.at);
    return diag_set(diag, ERR_SYNTAX, "Invalid save parameters");
}

static void save_format(const void *value, struct buf *out) {
    const struct save_list *list = value;
    for (size_t i = 0; i < list->count; i++) {
        buf_addf(out, "%s%lld %lld", i ? " " : "", (long long)list->at[i].seconds,
                 (long long)list->at[i].changes);
    }
}

static const struct config_custom save_kind = {
    .parse = save_parse, .format = save_format, .deinit = save_deinit};

static enum err check_dbfilename(void *ctx, void *value, struct diag *diag) {
    (void)ctx;
    if (!strchr(*(char *const *)value, '/')) return ERR_NONE;
    return diag_set(diag, ERR_SYNTAX, "dbfilename can't be a path, just a filename");
}

const struct config_option persist_options[] = {
    {
        .name = "save",
        .kind = CONFIG_CUSTOM,
        .initial = "3600 1 300 100 60 10000",
        .flags = CONFIG_LIVE | CONFIG_MULTI_ARG | CONFIG_ACCUMULATES,
        .field = CONFIG_FIELD(struct persist_config, save),
        .custom = &save_kind,
        .help = "Pairs of seconds and changed keys. If there is any, a shutdown writes a "
                "snapshot; by themselves they do not yet lead to one. Empty: never.",
    },
    {
        .name = "dbfilename",
        .kind = CONFIG_STRING,
        .initial = "dump.rdb",
        .flags = CONFIG_LIVE | CONFIG_PROTECTED,
        .field = CONFIG_FIELD(struct persist_config, dbfilename),
        .validate = check_dbfilename,
        .help = "Name of the snapshot file in dir.",
    },
    {
        .name = "rdbcompression",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct persist_config, compress),
        .help = "Compresses long strings in snapshots.",
    },
    {
        .name = "rdbchecksum",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .field = CONFIG_FIELD(struct persist_config, checksum),
        .help = "Ends snapshots with a checksum.",
    },
    {
        .name = "rdb-version-check",
        .kind = CONFIG_ENUM,
        .initial = "strict",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct persist_config, version_check),
        .values = version_words,
        .help = "Whether a snapshot of a newer version is refused (strict) or tried "
                "(relaxed).",
    },
    {
        .name = "rdb-save-incremental-fsync",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct persist_config, sync_often),
        .help = "Syncs a snapshot to disk piece by piece while it is written.",
    },
    {
        .name = "stop-writes-on-bgsave-error",
        .kind = CONFIG_BOOL,
        .initial = "yes",
        .flags = CONFIG_LIVE | CONFIG_LATER,
        .field = CONFIG_FIELD(struct persist_config, stops_writes),
        .help = "Refuses writes while snapshots fail.",
    },
    {
        .name = "sanitize-dump-payload",
        .kind = CONFIG_ENUM,
        .initial = "no",
        .flags = CONFIG_LIVE,
        .field = CONFIG_FIELD(struct persist_config, sanitize),
        .values = sanitize_words,
        .help = "Accepted for the sake of existing files: values that are loaded or restored "
                "are always checked in depth.",
    },
    {
        .name = "rdb-key-save-delay",
        .kind = CONFIG_INT,
        .initial = "0",
        .min = INT32_MIN,
        .max = INT32_MAX,
        .flags = CONFIG_LIVE | CONFIG_HIDDEN,
        .field = CONFIG_FIELD(struct persist_config, key_save_delay_us),
        .help = "Microseconds to wait per key while saving. For tests.",
    },
    {
        .name = "key-load-delay",
        .kind = CONFIG_INT,
        .initial = "0",
        .min = INT32_MIN,
        .max = INT32_MAX,
        .flags = CONFIG_LIVE | CONFIG_HIDDEN,
        .field = CONFIG_FIELD(struct persist_config, key_load_delay_us),
        .help = "Microseconds to wait per key while loading. For tests.",
    },
    {
        .name = "loading-process-events-interval-bytes",
        .kind = CONFIG_INT,
        .initial = "2097152",
        .min = 1024,
        .max = INT32_MAX,
        .flags = CONFIG_LIVE | CONFIG_HIDDEN,
        .field = CONFIG_FIELD(struct persist_config, load_interval_bytes),
        .help = "Bytes loaded between two looks at the network.",
    },
    {
        .name = "bgsave-cpulist",
        .aliases = {"bgsave_cpulist"},
        .kind = CONFIG_STRING,
        .initial = "",
        .flags = CONFIG_EMPTY_IS_NULL | CONFIG_LATER,
        .field = CONFIG_FIELD(struct persist_config, bgsave_cpulist),
        .help = "CPUs for the process that writes a snapshot.",
    },
    {0},
};
