/* SPDX-License-Identifier: BSD-3-Clause */
#include "exec/exec.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ds/hashtab.h"
#include "exec/block.h"
#include "exec/exec_internal.h"
#include "exec/limits.h"
#include "exec/loop.h"
#include "exec/multi.h"
#include "io/io.h"

/* ---- what the keyspace tells: one observer, so that a change costs one call ---- */

static void on_touched(void *ctx, struct db *db, struct bytes key) {
    struct exec *exec = ctx;
    watch_touched(exec, db, key);
    if (exec->block_keys) block_touched(exec, db, key);
}

static void on_flushed(void *ctx, struct db *db) {
    struct exec *exec = ctx;
    watch_flushed(exec, db);
    block_flushed(exec, db);
}

static void on_swapped(void *ctx, struct db *a, struct db *b) {
    struct exec *exec = ctx;
    watch_swapped(exec, a, b);
    block_swapped(exec, a, b);
}

void exec__interest_changed(struct exec *exec) {
    bool wanted = exec->watching_clients || exec->block_keys;
    keyspace_set_interest(exec->keyspace, exec, wanted, 0);
}

/* ---- life ---- */

struct exec *exec_create(const struct exec_setup *setup) {
    struct exec *exec = mem_alloc_aligned(CACHE_LINE, sizeof(*exec));
    memset(exec, 0, sizeof(*exec));
    exec->config = setup->config;
    exec->keyspace = setup->keyspace;
    exec->commands = setup->commands;
    exec->persist = setup->persist;
    exec->reader.commands = setup->commands;
    exec->config_engine = setup->config_engine;
    exec->registry = setup->registry;
    exec->reactor = setup->reactor;
    exec->io = setup->io;
    exec->hz = 1; /* until the first cron */
    exec->command_stats =
        mem_zalloc_array(command_table_id_count(setup->commands), sizeof(exec->command_stats[0]));
    chunk_pool_init(&exec->chunks);
    exec->reply_sizing.period_ms = EXEC_REPLY_PERIOD_MS;
    exec->clients_by_id = hashtab_create(&client_table_type);
    watch_init(exec);
    block_init(exec);
    const struct keyspace_observer observer = {
        .ctx = exec,
        .touched = on_touched,
        .deaf = true,
        .flushed = on_flushed,
        .swapped = on_swapped,
    };
    keyspace_add_observer(exec->keyspace, &observer);
    for (int i = 0; i < COMMANDLOG_COUNT; i++)
        commandlog_set(&exec->commandlogs[i], (enum commandlog_kind)i, -1, 128);
    latency_set_threshold(&exec->latency, 0);
    random_hex(exec->run_id, sizeof(exec->run_id) - 1);
    random_os(&exec->rng_seed, sizeof(exec->rng_seed));
    rng_seed(&exec->rng, exec->rng_seed);
    (void)exec_sample_time(exec);
    exec->started_mono_ms = exec->mono_ms;
    exec->busy_from_ticks = clock_ticks();
    exec_thresholds_changed(exec);
    return exec;
}

void exec_add_feature(struct exec *exec, const struct exec_feature *feature) {
    check(exec->feature_count < EXEC_FEATURES_MAX);
    exec->features[exec->feature_count++] = *feature;
}

void exec_tell_executed(struct exec *exec, struct call *call, uint32_t met) {
    for (int i = 0; i < exec->feature_count; i++) {
        const struct exec_feature *feature = &exec->features[i];
        if (feature->executed) feature->executed(feature->ctx, call, met);
    }
}

void exec_flush_features(struct exec *exec) {
    exec->flush_wanted = false;
    for (int i = 0; i < exec->feature_count; i++) {
        const struct exec_feature *feature = &exec->features[i];
        if (feature->flush) feature->flush(feature->ctx);
    }
}

void exec_destroy(struct exec **exec_ref) {
    struct exec *exec = *exec_ref;
    if (!exec) return;
    client_free_all(exec);
    watch_deinit(exec);
    block_deinit(exec);
    hashtab_destroy(&exec->clients_by_id);
    for (size_t i = 0; i < command_table_id_count(exec->commands); i++)
        histogram_destroy(&exec->command_stats[i].latency);
    mem_free(exec->command_stats);
    for (int i = 0; i < COMMANDLOG_COUNT; i++)
        commandlog_reset(&exec->commandlogs[i]);
    (void)latency_reset(&exec->latency, BYTES(""));
    error_stats_reset(exec);
    mem_free(exec->monitors);
    while (exec->free_batches) {
        struct batch *batch = exec->free_batches;
        exec->free_batches = batch->next_free;
        mem_free(batch);
    }
    chunk_pool_deinit(&exec->chunks);
    mem_free(exec);
    *exec_ref = NULL;
}

static never_inline void read_wall_clock(struct exec *exec, uint64_t ticks) {
    int64_t us = clock_wall_us();
    exec->now_ms = us / 1000;
    exec->mono_ms = clock_mono_ns() / 1000000;
    exec->sampled_ticks = ticks;
    exec->sample_span = clock_us_to_ticks((uint64_t)(1000 - us % 1000));
    keyspace_set_now(exec->keyspace, exec->now_ms);
}

uint64_t exec_sample_time(struct exec *exec) {
    uint64_t ticks = clock_ticks();
    if (unlikely(ticks - exec->sampled_ticks >= exec->sample_span)) read_wall_clock(exec, ticks);
    return ticks;
}

void exec_thresholds_changed(struct exec *exec) {
    uint64_t slow = exec->commandlogs[COMMANDLOG_SLOW].threshold_ticks;
    if (exec->latency.threshold_ticks < slow) slow = exec->latency.threshold_ticks;
    exec->slow_ticks = slow;
    uint64_t request = (uint64_t)exec->commandlogs[COMMANDLOG_LARGE_REQUEST].threshold;
    uint64_t reply = (uint64_t)exec->commandlogs[COMMANDLOG_LARGE_REPLY].threshold;
    exec->large_bytes = request < reply ? request : reply; /* -1, off, is the largest */
}

static void set_gate(struct exec *exec, uint32_t gate, bool closed) {
    if (closed) {
        exec->gates |= gate;
    } else {
        exec->gates &= ~gate;
    }
}

/* Keys stay while writes are paused, and in import mode, whatever their time. */
static void set_expiry(struct exec *exec) {
    bool paused = exec->gates & GATE_PAUSE_WRITE;
    keyspace_set_expire_by_access(exec->keyspace, !paused && !exec->config->import_mode);
}

void exec_config_changed(struct exec *exec) {
    const struct exec_config *config = exec->config;
    set_gate(exec, GATE_MEMORY, exec->maxmemory_bytes > 0);
    set_gate(exec, GATE_DEBUG, config->enable_debug != OPTION_YES);
    set_expiry(exec);
    exec->sample_span = 0; /* the keyspace reads its policy together with the time */
    latency_set_threshold(&exec->latency, config->latency_threshold_ms);
    exec_thresholds_changed(exec);
}

/* ---- pauses ---- */

static void pause_gates(struct exec *exec) {
    bool all = false, any = false;
    for (int i = 0; i < PAUSE_PURPOSE_COUNT; i++) {
        if (!exec->pauses[i].until_ms) continue;
        any = true;
        all |= exec->pauses[i].all;
    }
    bool was = exec->gates & GATE_PAUSE_WRITE;
    bool was_all = exec->gates & GATE_PAUSE_ALL;
    set_gate(exec, GATE_PAUSE_WRITE, any);
    set_gate(exec, GATE_PAUSE_ALL, all);
    set_expiry(exec);
    if ((was && !any) || (was_all && !all)) loop_resume_paused(exec);
}

void exec_pause(struct exec *exec, enum pause_purpose purpose, int64_t until_ms, bool all) {
    struct pause *pause = &exec->pauses[purpose];
    /* A second CLIENT PAUSE only makes it longer and stricter. */
    if (until_ms > pause->until_ms) pause->until_ms = until_ms;
    pause->all |= all;
    pause_gates(exec);
}

void exec_unpause(struct exec *exec, enum pause_purpose purpose) {
    exec->pauses[purpose] = (struct pause){0};
    pause_gates(exec);
}

bool exec_is_paused(const struct exec *exec, bool *all, int64_t *until_ms,
                    enum pause_purpose *purpose) {
    const struct pause *latest = NULL;
    bool any_all = false;
    for (int i = 0; i < PAUSE_PURPOSE_COUNT; i++) {
        const struct pause *pause = &exec->pauses[i];
        if (!pause->until_ms) continue;
        any_all |= pause->all;
        if (!latest || pause->until_ms > latest->until_ms) latest = pause;
    }
    if (!latest) return false;
    *all = any_all;
    *until_ms = latest->until_ms;
    *purpose = (enum pause_purpose)(latest - exec->pauses);
    return true;
}

int64_t exec_next_deadline_ms(const struct exec *exec) {
    int64_t left_ms = exec->next_cron_ms - exec->now_ms;
    for (int i = 0; i < PAUSE_PURPOSE_COUNT; i++) {
        int64_t until = exec->pauses[i].until_ms;
        if (until) left_ms = i64_min(left_ms, until - exec->mono_ms);
    }
    return exec->now_ms + i64_min(left_ms, block_deadline_ms(exec) - exec->mono_ms);
}

void exec_end_pauses(struct exec *exec) {
    for (int i = 0; i < PAUSE_PURPOSE_COUNT; i++) {
        int64_t until = exec->pauses[i].until_ms;
        if (until && exec->mono_ms >= until) exec_unpause(exec, (enum pause_purpose)i);
    }
}

void exec_end_waits(struct exec *exec) {
    block_end_due(exec);
    if (exec->block_ready) block_serve(exec);
}

/* ---- statistics ---- */

void exec_reset_stats(struct exec *exec) {
    memset(&exec->stats, 0, sizeof(exec->stats));
    for (size_t i = 0; i < command_table_id_count(exec->commands); i++) {
        histogram_destroy(&exec->command_stats[i].latency);
        exec->command_stats[i] = (struct command_stats){0};
    }
    error_stats_reset(exec);
    struct keyspace_stats *keys = keyspace_stats(exec->keyspace);
    uint64_t changes = keys->changes, pending = keys->lazyfree_pending;
    memset(keys, 0, sizeof(*keys));
    keys->changes = changes;
    keys->lazyfree_pending = pending;
    exec->rates = (struct exec_rates){.at_ms = exec->now_ms};
    if (exec->io) io_reset_stats(exec->io);
}

/* instantaneous_*: the mean of the last EXEC_RATE_SAMPLES intervals of EXEC_RATE_MS. */
void exec_sample_rates(struct exec *exec) {
    struct exec_rates *rates = &exec->rates;
    int64_t elapsed_ms = exec->now_ms - rates->at_ms;
    if (elapsed_ms < 0) rates->at_ms = exec->now_ms; /* the clock has been set back */
    if (elapsed_ms < EXEC_RATE_MS) return;
    struct exec_stats *stats = &exec->stats;
    const uint64_t now[EXEC_RATE_COUNT] = {stats->commands, stats->net_in, stats->net_out,
                                           stats->cycles, stats->cycle_us_sum};
    double per_s[EXEC_RATE_COUNT];
    for (int i = 0; i < EXEC_RATE_COUNT; i++) {
        double delta = (double)(now[i] - rates->last[i]);
        rates->last[i] = now[i];
        rates->samples[i][rates->next] = delta * 1000.0 / (double)elapsed_ms;
        per_s[i] = 0;
        for (int k = 0; k < EXEC_RATE_SAMPLES; k++)
            per_s[i] += rates->samples[i][k] / EXEC_RATE_SAMPLES;
    }
    rates->next = (rates->next + 1) % EXEC_RATE_SAMPLES;
    rates->at_ms = exec->now_ms;
    stats->ops_per_s = per_s[0];
    stats->in_kbps = per_s[1] / 1024;
    stats->out_kbps = per_s[2] / 1024;
    stats->cycles_per_s = per_s[3];
    stats->cycle_us = per_s[3] > 0 ? per_s[4] / per_s[3] : 0;
}

int exec_busy_percent(struct exec *exec) {
    uint64_t now = clock_ticks();
    uint64_t elapsed = now - exec->busy_from_ticks;
    if (elapsed < clock_us_to_ticks(EXEC_BUSY_US)) return exec->busy_percent;
    uint64_t idle = exec->idle_ticks - exec->busy_idle_ticks;
    exec->busy_from_ticks = now;
    exec->busy_idle_ticks = exec->idle_ticks;
    exec->busy_percent = idle >= elapsed ? 0 : (int)((elapsed - idle) * 100 / elapsed);
    return exec->busy_percent;
}

/* Gives back the memory that a burst of requests has needed, but for a little of it. */
static void exec_trim_memory(struct exec *exec) {
    chunk_pool_trim(&exec->chunks, EXEC_CHUNKS_KEPT);
    struct batch **end = &exec->free_batches;
    for (unsigned kept = 0; *end && kept < EXEC_CHUNKS_KEPT; kept++)
        end = &(*end)->next_free;
    while (*end) {
        struct batch *batch = *end;
        *end = batch->next_free;
        mem_free(batch);
    }
}

void exec_cron(struct exec *exec) {
    (void)exec_sample_time(exec);
    exec_end_pauses(exec);
    exec_sample_rates(exec);
    limits_cron(exec);
    for (int i = 0; i < exec->feature_count; i++) {
        const struct exec_feature *feature = &exec->features[i];
        if (feature->cron) feature->cron(feature->ctx);
    }
    bool evicts = (exec->gates & GATE_MEMORY) && !(exec->gates & GATE_LOADING);
    if (evicts) (void)limits_make_memory(exec);
    if (!exec->ready_head) exec_trim_memory(exec);
}
