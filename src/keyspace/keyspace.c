/* SPDX-License-Identifier: BSD-3-Clause */
#include "keyspace/keyspace.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "keyspace/keyspace_internal.h"

enum { STEP_BUCKETS = 64 }; /* resized between two looks at the clock */

static struct bytes table_key(const void *entry) { return entry_key(entry); }
static uint64_t table_hash(const void *entry) { return hash_bytes(entry_key(entry)); }

const struct hashtab_type keyspace__table_type = {
    .key = table_key, .hash = table_hash, .drop = entry__destroy};

/* ---- life ---- */

struct keyspace *keyspace_create(const struct keyspace_config *config, uint64_t seed) {
    check(config->databases > 0);
    struct keyspace *ks = mem_zalloc(sizeof(*ks));
    ks->config = config;
    ks->active_expire = ks->expire_by_access = ks->resize_allowed = true;
    ks->due_ms = INT64_MAX;
    ks->db_count = config->databases;
    ks->dbs = mem_alloc_array((size_t)ks->db_count, sizeof(*ks->dbs));
    for (int32_t i = 0; i < ks->db_count; i++) {
        ks->dbs[i] =
            (struct db){.table = hashtab_create(&keyspace__table_type), .ks = ks, .index = i};
    }
    rng_seed(&ks->rng, seed);
    keyspace_set_now(ks, clock_wall_ms());
    return ks;
}

void keyspace_destroy(struct keyspace **ks_in) {
    struct keyspace *ks = *ks_in;
    *ks_in = NULL;
    if (!ks) return;

    for (int32_t i = 0; i < ks->db_count; i++) {
        hashtab_destroy(&ks->dbs[i].table);
        wheel_destroy(&ks->dbs[i].wheel);
        wheel_destroy(&ks->dbs[i].purged);
        wheel_destroy(&ks->dbs[i].timed.wheel);
        wheel_destroy(&ks->dbs[i].timed.purged);
    }
    mem_free(ks->dbs);
    mem_free(ks);
}

static void count_interest(struct keyspace *ks) {
    ks->touched_count = 0;
    ks->events = 0;
    for (int i = 0; i < ks->observer_count && !ks->is_quiet; i++) {
        const struct keyspace_observer *observer = &ks->observers[i];
        if (observer->touched && !observer->deaf) ks->touched_count++;
        if (observer->event) ks->events |= observer->events;
    }
}

void keyspace_add_observer(struct keyspace *ks, const struct keyspace_observer *observer) {
    check(ks->observer_count < OBSERVERS_MAX);
    ks->observers[ks->observer_count++] = *observer;
    count_interest(ks);
}

void keyspace_set_interest(struct keyspace *ks, const void *ctx, bool touched, uint32_t events) {
    for (int i = 0; i < ks->observer_count; i++) {
        if (ks->observers[i].ctx != ctx) continue;
        ks->observers[i].deaf = !touched;
        ks->observers[i].events = events;
    }
    count_interest(ks);
}

void keyspace_set_quiet(struct keyspace *ks, bool is_quiet) {
    ks->is_quiet = is_quiet;
    count_interest(ks);
}

bool keyspace_removes_by_itself(const struct keyspace *ks) { return ks->by_itself; }

void keyspace_set_disposer(struct keyspace *ks, const struct keyspace_disposer *disposer) {
    ks->disposer = *disposer;
}

void keyspace_set_now(struct keyspace *ks, int64_t now_ms) {
    enum { MS_PER_MINUTE = 60000 };
    uint8_t policy = ks->config->policy;
    if (unlikely(now_ms < ks->now_ms)) ks->due_ms = 0; /* set back: the indexes must know */
    ks->now_ms = now_ms;
    ks->is_lfu = policy == EVICT_VOLATILE_LFU || policy == EVICT_ALLKEYS_LFU;
    ks->clock_now = ks->is_lfu ? (uint32_t)(now_ms / MS_PER_MINUTE) & 0xffff
                               : (uint32_t)(now_ms / 1000) & CLOCK_MASK;
}

/* ---- databases ---- */

const struct keyspace_config *keyspace_config_of(const struct keyspace *ks) { return ks->config; }

int32_t keyspace_db_count(const struct keyspace *ks) { return ks->db_count; }
struct db *keyspace_db(struct keyspace *ks, int32_t index) {
    return index >= 0 && index < ks->db_count ? &ks->dbs[index] : NULL;
}
int32_t db_index(const struct db *db) { return db->index; }
size_t db_key_count(const struct db *db) { return hashtab_count(db->table); }
size_t db_expire_count(const struct db *db) { return db->volatile_count; }
size_t db_timed_count(const struct db *db) { return db->timed.count; }
struct keyspace_stats *keyspace_stats(struct keyspace *ks) {
    return &ks->stats;
}

int64_t db_average_ttl_ms(const struct db *db) {
    if (db->volatile_count == 0) return 0;
    return i64_max((int64_t)(db->deadline_sum / db->volatile_count) - db->ks->now_ms, 0);
}

/* ---- observers ---- */

void keyspace__tell_touched(struct db *db, struct bytes key) {
    const struct keyspace *ks = db->ks;
    for (int i = 0; i < ks->observer_count; i++) {
        const struct keyspace_observer *observer = &ks->observers[i];
        if (observer->touched && !observer->deaf) observer->touched(observer->ctx, db, key);
    }
}

void keyspace__tell_event(struct db *db, struct bytes key, uint32_t event_class, const char *name) {
    const struct keyspace *ks = db->ks;
    for (int i = 0; i < ks->observer_count; i++) {
        const struct keyspace_observer *observer = &ks->observers[i];
        if (!observer->event || !(observer->events & event_class)) continue;
        observer->event(observer->ctx, db, key, event_class, name);
    }
}

void keyspace_touched(struct db *db, struct bytes key) { keyspace__touched(db, key); }
void keyspace_event(struct db *db, struct bytes key, uint32_t event_class, const char *name) {
    keyspace__event(db, key, event_class, name);
}

/* ---- walking ---- */

struct scan {
    keyspace_scan_fn fn;
    void *ctx;
};

static void scan_visit(void *entry, void *ctx) {
    const struct scan *scan = ctx;
    scan->fn(scan->ctx, entry);
}

uint64_t keyspace_scan(struct db *db, uint64_t cursor, keyspace_scan_fn fn, void *ctx) {
    struct scan scan = {fn, ctx};
    return hashtab_scan(db->table, cursor, scan_visit, &scan);
}

void keyspace_each(struct db *db, bool (*fn)(void *ctx, struct entry *entry), void *ctx) {
    struct hashtab_iter iter;
    struct entry *entry;
    hashtab_iter_init(&iter, db->table);
    while ((entry = hashtab_iter_next(&iter)) != NULL) {
        if (!fn(ctx, entry)) break;
    }
    hashtab_iter_deinit(&iter);
}

/* ---- the tables ---- */

bool keyspace_step(struct keyspace *ks, uint64_t budget_us) {
    uint64_t end = clock_ticks() + clock_us_to_ticks(budget_us);
    for (int32_t i = 0; i < ks->db_count; i++) {
        struct hashtab *table = ks->dbs[ks->step_db].table;
        while (hashtab_is_resizing(table) && hashtab_step(table, STEP_BUCKETS)) {
            if (clock_ticks() >= end) return true;
        }
        ks->step_db = (ks->step_db + 1) % ks->db_count;
    }
    return false;
}

void keyspace_set_resize_allowed(struct keyspace *ks, bool allowed) {
    if (ks->resize_allowed == allowed) return;
    ks->resize_allowed = allowed;
    for (int32_t i = 0; i < ks->db_count; i++) {
        if (allowed) {
            hashtab_resume_resize(ks->dbs[i].table);
        } else {
            hashtab_pause_resize(ks->dbs[i].table);
        }
    }
}

size_t keyspace_table_bytes(const struct db *db) { return hashtab_memory_bytes(db->table); }

size_t keyspace_rehashing_bytes(const struct keyspace *ks) {
    (void)ks;
    return 0; /* tables grow in place: there is never a second one */
}

uint32_t keyspace_rehashing_count(const struct keyspace *ks) {
    uint32_t count = 0;
    for (int32_t i = 0; i < ks->db_count; i++)
        count += hashtab_is_resizing(ks->dbs[i].table);
    return count;
}

void keyspace_table_stats(const struct db *db, struct buf *out) {
    const char *heading = "Hash table 0 stats (main hash table):\n";
    buf_addf(out, "[Dictionary HT]\n%s table size: %zu\n number of elements: %zu\n", heading,
             hashtab_bucket_count(db->table) * HASHTAB_SLOTS, hashtab_count(db->table));
    hashtab_stats(db->table, true, out);

    size_t slots = db->wheel ? wheel_slot_count(db->wheel) : 0;
    size_t records = db->wheel ? wheel_count(db->wheel) : 0;
    if (db->purged) records += wheel_count(db->purged);
    buf_addf(out, "[Expires HT]\n%s table size: %zu\n number of elements: %zu\n", heading, slots,
             db->volatile_count);
    buf_addf(out, " index records: %zu\n memory: %zu bytes\n", records,
             keyspace_expire_index_bytes(db));
}

/* ---- checking ---- */

static void verify_entry(const struct entry *e) {
    uint8_t encoding = entry_encoding(e);
    bool wide = entry_key_size(e) >= ENTRY_SHORT_LIMIT || entry_value_size(e) >= ENTRY_SHORT_LIMIT;
    check(wide == ((e->flags & ENTRY_WIDE) != 0));
    check(entry_is_string(e) == (encoding != ENCODING_OBJECT && encoding != ENCODING_PACKED));
    check(entry_type(e) < VALUE_TYPE_COUNT);
    if (encoding == ENCODING_EMBEDDED) {
        check(entry_value_size(e) <= ENTRY_EMBED_MAX);
    } else if (encoding == ENCODING_PACKED) {
        entry__verify_packed(e);
    } else {
        check(entry_value_size(e) == 8);
    }
    if (encoding == ENCODING_BLOB) check(entry_blob(e)->size > ENTRY_EMBED_MAX);
    if (entry_expires(e)) check(entry_expiry_ms(e) >= 0);
    check(mem_usable_size(e) >= entry__size(e));
    check(mem_good_size(entry__size(e)) <= mem_usable_size(e));
}

static void verify_db(const struct keyspace *ks, struct db *db) {
    size_t volatile_count = 0;
    unsigned __int128 deadline_sum = 0;
    struct hashtab_iter iter;
    const struct entry *e;

    check(db->ks == ks && &ks->dbs[db->index] == db);
    hashtab_verify(db->table);
    hashtab_iter_init(&iter, db->table);
    while ((e = hashtab_iter_next(&iter)) != NULL) {
        verify_entry(e);
        if (!entry_expires(e)) continue;
        volatile_count++;
        deadline_sum += (uint64_t)entry_expiry_ms(e);
    }
    hashtab_iter_deinit(&iter);
    check(volatile_count == db->volatile_count);
    check(deadline_sum == db->deadline_sum);
    expire__verify(db);
    elements__verify(db);
}

void keyspace_verify(struct keyspace *ks) {
    for (int32_t i = 0; i < ks->db_count; i++)
        verify_db(ks, &ks->dbs[i]);
    check(ks->pool_count >= 0 && ks->pool_count <= EVICT_POOL_SIZE);
    for (int i = 1; i < ks->pool_count; i++)
        check(ks->pool[i - 1].score <= ks->pool[i].score);
}
