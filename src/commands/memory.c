/* SPDX-License-Identifier: BSD-3-Clause */
/* MEMORY -- what keys and the server take. */
#include "base/mem.h"
#include "commands/memory_overview.h"
#include "commands/server_internal.h"

enum {
    USAGE_SAMPLES = 5, /* elements of a collection that stand for all */
    SLOT_BYTES = 9,    /* a key's share of its table: a pointer and a tag */
    MIB = 1024 * 1024,
    DOCTOR_MIN_BYTES = 5 * MIB,
    DOCTOR_WASTE_BYTES = 10 * MIB,
    DOCTOR_CLIENT_BYTES = 200 * 1024,
};

/* MEMORY USAGE key [SAMPLES count] */
void cmd_memory_usage(struct call *call) {
    int64_t samples = USAGE_SAMPLES;
    for (uint32_t arg = 3; arg < call->argc; arg += 2) {
        if (!call_is(call, arg, "samples") || arg + 1 == call->argc) {
            call_error(call, ERROR_SYNTAX);
            return;
        }
        if (!call_int(call, arg + 1, &samples)) return;
        if (samples < 0) {
            call_error(call, ERROR_SYNTAX);
            return;
        }
    }
    const struct entry *entry = keyspace_find(call->db, call->argv[2], call_hash(call, 2),
                                              LOOKUP_READ | LOOKUP_NO_TOUCH | LOOKUP_NO_STATS);
    if (!entry) {
        reply_null(call->reply);
        return;
    }
    reply_integer(call->reply, (int64_t)(entry_memory_bytes(entry, (size_t)samples) + SLOT_BYTES));
}

/* ---- STATS ---- */

struct pairs {
    struct reply *reply;
    size_t count;
};
static void pair_int(struct pairs *pairs, const char *name, int64_t value) {
    reply_bulk_text(pairs->reply, name);
    reply_integer(pairs->reply, value);
    pairs->count++;
}
static void pair_double(struct pairs *pairs, const char *name, double value) {
    reply_bulk_text(pairs->reply, name);
    reply_double(pairs->reply, value);
    pairs->count++;
}

static void pairs_of_databases(struct pairs *pairs, struct keyspace *keyspace) {
    int32_t count = keyspace_db_count(keyspace);
    for (int32_t i = 0; i < count; i++) {
        const struct db *db = keyspace_db(keyspace, i);
        if (!db_key_count(db)) continue;
        reply_bulkf(pairs->reply, "db.%d", (int)i);
        reply_map(pairs->reply, 2);
        struct pairs inner = {.reply = pairs->reply};
        pair_int(&inner, "overhead.hashtable.main", (int64_t)keyspace_table_bytes(db));
        pair_int(&inner, "overhead.hashtable.expires", (int64_t)keyspace_expire_index_bytes(db));
        pairs->count++;
    }
}

static void pairs_of_allocator(struct pairs *pairs, const struct memory_overview *m) {
    pair_int(pairs, "allocator.allocated", (int64_t)m->allocator.allocated);
    pair_int(pairs, "allocator.active", (int64_t)m->allocator.active);
    pair_int(pairs, "allocator.resident", (int64_t)m->allocator.resident);
    pair_int(pairs, "allocator.muzzy", (int64_t)m->allocator.muzzy);
    pair_double(pairs, "allocator-fragmentation.ratio", m->allocator_frag_ratio);
    pair_int(pairs, "allocator-fragmentation.bytes", m->allocator_frag_bytes);
    pair_double(pairs, "allocator-rss.ratio", m->allocator_rss_ratio);
    pair_int(pairs, "allocator-rss.bytes", m->allocator_rss_bytes);
    pair_double(pairs, "rss-overhead.ratio", m->rss_overhead_ratio);
    pair_int(pairs, "rss-overhead.bytes", m->rss_overhead_bytes);
    pair_double(pairs, "fragmentation", m->fragmentation_ratio);
    pair_int(pairs, "fragmentation.bytes", m->fragmentation_bytes);
}

/* MEMORY STATS */
void cmd_memory_stats(struct call *call) {
    struct memory_overview m;
    memory_overview_collect(call->exec, &m);
    struct pairs pairs = {.reply = call->reply};
    struct reply_mark mark = reply_defer(call->reply);
    pair_int(&pairs, "peak.allocated", (int64_t)m.peak);
    pair_int(&pairs, "total.allocated", (int64_t)m.used);
    pair_int(&pairs, "startup.allocated", (int64_t)m.startup);
    pair_int(&pairs, "replication.backlog", 0);
    pair_int(&pairs, "replicas.repl.buffer", 0);
    pair_int(&pairs, "clients.slaves", 0);
    pair_int(&pairs, "clients.normal", (int64_t)m.clients);
    pair_int(&pairs, "cluster.links", 0);
    pair_int(&pairs, "cluster.slot_import", 0);
    pair_int(&pairs, "cluster.slot_export", 0);
    pair_int(&pairs, "aof.buffer", 0);
    pair_int(&pairs, "lua.caches", 0);
    pair_int(&pairs, "functions.caches", 0);
    pairs_of_databases(&pairs, call->keyspace);
    pair_int(&pairs, "overhead.db.hashtable.lut", (int64_t)(m.tables + m.expiries));
    pair_int(&pairs, "overhead.db.hashtable.rehashing", (int64_t)m.rehashing);
    pair_int(&pairs, "overhead.total", (int64_t)m.overhead);
    pair_int(&pairs, "db.dict.rehashing.count", keyspace_rehashing_count(call->keyspace));
    pair_int(&pairs, "keys.count", (int64_t)m.keys);
    uint64_t net = m.used > m.startup ? m.used - m.startup : 0;
    pair_int(&pairs, "keys.bytes-per-key", m.keys ? (int64_t)(net / m.keys) : 0);
    pair_int(&pairs, "dataset.bytes", (int64_t)m.dataset);
    pair_double(&pairs, "dataset.percentage", m.dataset_percent);
    pair_double(&pairs, "peak.percentage", m.peak_percent);
    pairs_of_allocator(&pairs, &m);
    reply_defer_map(call->reply, mark, pairs.count);
}

/* ---- DOCTOR ---- */

static void find_troubles(const struct exec *exec, const struct memory_overview *m,
                          struct buf *out) {
    if (m->peak_percent < 66) {
        buf_addf(out,
                 " * Peak: there were once %.1f MiB in use, half again as much as now. The memory "
                 "stays with the process; MEMORY PURGE may give some back.\n",
                 (double)m->peak / MIB);
    }
    if (m->fragmentation_ratio > 1.4 && m->fragmentation_bytes > DOCTOR_WASTE_BYTES) {
        buf_addf(out,
                 " * Fragmentation: the process takes %.2f times what is in use. Memory that was "
                 "freed in small pieces, or a peak, may be the reason.\n",
                 m->fragmentation_ratio);
    }
    if (m->allocator_frag_ratio > 1.1 && m->allocator_frag_bytes > DOCTOR_WASTE_BYTES) {
        buf_addf(out,
                 " * Allocator: its pages are %.2f times as large as what lies in them, so values "
                 "of many different sizes have come and gone.\n",
                 m->allocator_frag_ratio);
    }
    if (m->allocator_rss_ratio > 1.1 && m->allocator_rss_bytes > DOCTOR_WASTE_BYTES) {
        buf_addf(out,
                 " * Free pages: the allocator keeps %.1f MiB for later. MEMORY PURGE gives them "
                 "back.\n",
                 (double)m->allocator_rss_bytes / MIB);
    }
    if (m->rss_overhead_ratio > 1.1 && m->rss_overhead_bytes > DOCTOR_WASTE_BYTES) {
        buf_addf(out,
                 " * Other memory: %.1f MiB of the process are not the allocator's: threads, "
                 "libraries.\n",
                 (double)m->rss_overhead_bytes / MIB);
    }
    if (exec->client_count && m->clients / exec->client_count > DOCTOR_CLIENT_BYTES) {
        buf_addf(out,
                 " * Clients: each of the %u holds %.1f KiB on average. Some may read slowly, or "
                 "send large pipelines; CLIENT LIST shows which (tot-mem).\n",
                 exec->client_count, (double)m->clients / exec->client_count / 1024);
    }
}

/* MEMORY DOCTOR */
void cmd_memory_doctor(struct call *call) {
    struct memory_overview m;
    memory_overview_collect(call->exec, &m);
    struct buf troubles = {0}, out = {0};
    if (m.used < DOCTOR_MIN_BYTES) {
        buf_add_text(&out,
                     "There is too little data here for a diagnosis. Ask again when more than "
                     "5 MiB are in use.\n");
    } else {
        find_troubles(call->exec, &m, &troubles);
        buf_add_text(&out, troubles.size ? "What I noticed about the memory of this server:\n\n"
                                         : "I see no trouble with the memory of this server.\n");
        buf_add(&out, buf_bytes(&troubles));
    }
    reply_verbatim(call->reply, "txt", buf_bytes(&out));
    buf_deinit(&troubles);
    buf_deinit(&out);
}

/* ---- the allocator ---- */

/* MEMORY PURGE */
void cmd_memory_purge(struct call *call) {
    mem_purge();
    reply_ok(call->reply);
}

/* MEMORY MALLOC-STATS */
void cmd_memory_malloc_stats(struct call *call) {
    char *report = mem_allocator_report();
    reply_verbatim(call->reply, "txt", bytes_of(report));
    mem_free(report);
}

/* MEMORY HELP */
void cmd_memory_help(struct call *call) {
    static const char *const lines[] = {
        "DOCTOR",
        "    Return memory problems reports.",
        "MALLOC-STATS",
        "    Return internal statistics report from the memory allocator.",
        "PURGE",
        "    Attempt to purge dirty pages for reclamation by the allocator.",
        "STATS",
        "    Return information about the memory usage of the server.",
        "USAGE <key> [SAMPLES <count>]",
        "    Return memory in bytes used by <key> and its value. Nested values are",
        "    sampled up to <count> times (default: 5, 0 means sample all).",
        NULL,
    };
    call_help(call, lines);
}
