/* SPDX-License-Identifier: BSD-3-Clause */
/* keyspace -- the databases: look-up, change, expiry, eviction. Executor only.
 *
 * Keys are found by bytes and hash (hash_bytes of the key), so that whoever parsed a request can
 * have computed the hash already. A look-up that finds an expired key removes it first (or hides
 * it, see expire_by_access) and finds nothing. Every change goes through the functions here: they
 * keep the expiry index, the memory statistics and the observers right. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/random.h"
#include "keyspace/entry.h"

struct keyspace;
struct db;

enum evict_policy { /* order and bits are ours; names as in maxmemory-policy */
                    EVICT_NONE = 0,
                    EVICT_VOLATILE_LRU,
                    EVICT_VOLATILE_LFU,
                    EVICT_VOLATILE_RANDOM,
                    EVICT_VOLATILE_TTL,
                    EVICT_ALLKEYS_LRU,
                    EVICT_ALLKEYS_LFU,
                    EVICT_ALLKEYS_RANDOM,
};

struct keyspace_config { /* owned by the caller; read whenever it matters */
    int32_t databases;
    uint64_t maxmemory_bytes; /* 0: no limit */
    uint8_t policy;           /* enum evict_policy */
    int32_t samples;          /* maxmemory-samples */
    int32_t tenacity;         /* maxmemory-eviction-tenacity, 0..100 */
    int32_t lfu_log_factor;
    int32_t lfu_decay_minutes;
    bool lazy_expire, lazy_evict, lazy_server_del, lazy_user_del, lazy_user_flush;
};

enum key_event {                         /* classes of keyspace notifications */
                 EVENT_GENERIC = BIT(0), /* g */
                 EVENT_STRING = BIT(1),  /* $ */
                 EVENT_LIST = BIT(2),
                 EVENT_SET = BIT(3),
                 EVENT_HASH = BIT(4),
                 EVENT_ZSET = BIT(5),
                 EVENT_EXPIRED = BIT(6), /* x */
                 EVENT_EVICTED = BIT(7), /* e */
                 EVENT_STREAM = BIT(8),
                 EVENT_MISS = BIT(9), /* m */
                 EVENT_NEW = BIT(10), /* n */
                 EVENT_MODULE = BIT(11),
};

/* Told of changes: WATCH, notifications, client tracking, search. Rows live as long as the
 * keyspace. Functions must not change the keyspace. Whatever adds a key sends the event "new" after
 * touched. */
struct keyspace_observer {
    void *ctx;
    /* The value or existence of key changed. Called after the change. May be NULL. */
    void (*touched)(void *ctx, struct db *db, struct bytes key);
    /* A named event ("set", "expired"): for notifications. May be NULL. Comes only for the classes
     * in events. */
    void (*event)(void *ctx, struct db *db, struct bytes key, uint32_t event_class,
                  const char *name);
    uint32_t events; /* enum key_event: those wanted now */
    bool deaf;       /* touched is not wanted now */
    /* A database lost all its keys, or two were swapped. Called before the change. May be NULL. */
    void (*flushed)(void *ctx, struct db *db);
    void (*swapped)(void *ctx, struct db *a, struct db *b);
};

/* Where memory that is costly to free goes: the background worker, filled in by the server. NULL:
 * freed here. */
struct keyspace_disposer {
    void *ctx;
    void (*dispose)(void *ctx, void (*destroy)(void *object), void *object, size_t effort);
};

struct keyspace_stats {
    uint64_t hits, misses;
    uint64_t expired_keys, expired_on_time_cap, expire_cycle_us;
    uint64_t expired_fields; /* elements of values */
    uint64_t evicted_keys, eviction_exceeded_us;
    int64_t eviction_exceeded_since_us; /* clock_mono_ns / 1000; 0: not exceeded now */
    uint64_t changes; /* since start: rdb_changes_since_last_save is a difference of it */
    uint64_t lazyfree_pending, lazyfreed;
    uint64_t payload_checks; /* packed values that were loaded or restored: each is checked whole */
};

struct keyspace *keyspace_create(const struct keyspace_config *config, uint64_t seed);
void keyspace_destroy(struct keyspace **ks);
void keyspace_add_observer(struct keyspace *ks, const struct keyspace_observer *observer);
/* What the observer with this ctx wants to hear from now on, so that others pay nothing while it
 * needs nothing. */
void keyspace_set_interest(struct keyspace *ks, const void *ctx, bool touched, uint32_t events);
/* True while touched is called because a key expired or was evicted: nobody's command did it. */
bool keyspace_removes_by_itself(const struct keyspace *ks);
/* Quiet: observers hear nothing of what is added and removed, as while a file is loaded. */
void keyspace_set_quiet(struct keyspace *ks, bool is_quiet);
void keyspace_set_disposer(struct keyspace *ks, const struct keyspace_disposer *disposer);
/* To be called, on the executor, when an object that went to the disposer has been destroyed, with
 * what dispose was called with: moves it from lazyfree_pending to lazyfreed. */
void keyspace_dispose_done(struct keyspace *ks, void (*destroy)(void *object), size_t effort);

/* The time all decisions use; set by the executor before each window, so that a command sees one
 * time. */
void keyspace_set_now(struct keyspace *ks, int64_t now_ms);
/* What keyspace_create was given. */
const struct keyspace_config *keyspace_config_of(const struct keyspace *ks);

int32_t keyspace_db_count(const struct keyspace *ks);
struct db *keyspace_db(struct keyspace *ks, int32_t index); /* NULL if out of range */
int32_t db_index(const struct db *db);
size_t db_key_count(const struct db *db); /* expired ones that are still there count */
size_t db_expire_count(const struct db *db);
size_t db_timed_count(const struct db *db); /* keys whose value has elements that expire */
int64_t db_average_ttl_ms(const struct db *db);
struct keyspace_stats *keyspace_stats(struct keyspace *ks);

/* ---- the request window: pass 1 and pass 2 ---- */
void keyspace_prefetch_bucket(const struct db *db, uint64_t hash);
void keyspace_prefetch_entry(const struct db *db, uint64_t hash);

/* ---- finding ---- */
enum lookup_flag {
    LOOKUP_READ = 0,          /* counts hit or miss, updates LRU/LFU, "keymiss" event */
    LOOKUP_WRITE = BIT(0),    /* counts neither */
    LOOKUP_NO_TOUCH = BIT(1), /* leaves LRU/LFU alone */
    LOOKUP_NO_STATS = BIT(2),
    LOOKUP_EXPIRED_TOO = BIT(3), /* also what has expired and is still there */
};
/* Borrowed until the next change of this key; NULL if absent. O(1). */
struct entry *keyspace_find(struct db *db, struct bytes key, uint64_t hash, unsigned flags);
/* The same without any consequence: nothing expires, nothing is counted; expired ones are found. */
const struct entry *keyspace_peek(const struct db *db, struct bytes key, uint64_t hash);
/* A random key, NULL if empty. Expired ones are removed on the way. */
struct entry *keyspace_random(struct db *db);

/* ---- strings ---- */
enum set_flag {
    SET_KEEP_TTL = BIT(0),
    SET_AS_TEXT = BIT(1), /* stays bytes even if they are an integer (INCRBYFLOAT) */
};
/* Makes the key a string with these bytes (kept as an integer if they are one in canonical form),
 * whatever it was, without expiry unless SET_KEEP_TTL or at_ms >= 0. old: from keyspace_find for
 * the same key in LOOKUP_WRITE mode, or NULL if absent. In place if it fits. blob: if not NULL it
 * holds the value and one reference moves in. Returns the entry. Tells observers "touched".
 * O(size). */
struct entry *keyspace_set_string(struct db *db, struct bytes key, uint64_t hash, struct entry *old,
                                  struct bytes value, struct blob *blob, int64_t at_ms,
                                  unsigned flags);
/* The same with an integer. */
struct entry *keyspace_set_int(struct db *db, struct bytes key, uint64_t hash, struct entry *old,
                               int64_t value, int64_t at_ms, unsigned flags);
/* Writable bytes of a string grown (zero-filled) or cut to size, expiry kept, encoding name raw:
 * for APPEND, SETRANGE, SETBIT, BITFIELD, HyperLogLog. Makes the key if entry is NULL. The caller
 * writes at *data before any other call, and has no need to touch. May move the entry: returns it.
 * NULL if there is no memory for size; nothing changed then. */
struct entry *keyspace_edit_string(struct db *db, struct bytes key, uint64_t hash,
                                   struct entry *entry, size_t size, char **data);
/* Makes a string's encoding name raw as an edit would, without a change of its bytes, and so
 * without telling observers. May move the entry: returns it. */
struct entry *keyspace_unpack_string(struct db *db, struct bytes key, uint64_t hash,
                                     struct entry *entry);

/* ---- any type ---- */
/* Adds an entry of a type with its object (ownership moves in); the key must be absent. */
struct entry *keyspace_add_object(struct db *db, struct bytes key, uint64_t hash, uint8_t type,
                                  void *object);
/* Makes the key hold the object, whatever it held, without expiry. old: from keyspace_find for the
 * same key in LOOKUP_WRITE mode, or NULL if absent. Tells observers "touched", and "new" only if it
 * was absent: for SINTERSTORE and its like. */
struct entry *keyspace_store_object(struct db *db, struct entry *old, struct bytes key,
                                    uint64_t hash, uint8_t type, void *object);
/* The two functions below, for ENCODING_PACKED. */
must_use void *keyspace__unpack(const struct entry *entry);
struct entry *keyspace__pack(struct db *db, struct entry *entry, uint64_t hash, void *object);
/* The object of a collection that is about to change. *is_copy: the entry keeps its value in
 * itself, and the object is the caller's, who gives it to keyspace_put_object or, if nothing has
 * changed, destroys it. */
must_use static inline void *keyspace_take_object(const struct entry *entry, bool *is_copy) {
    *is_copy = entry_encoding(entry) == ENCODING_PACKED;
    return *is_copy ? keyspace__unpack(entry) : entry_object(entry);
}
/* The object of the entry's collection has changed, and perhaps moved: makes it the value. One that
 * was a copy is gone if it fits the entry still. May move the entry: returns it. Tells observers
 * nothing. */
static inline struct entry *keyspace_put_object(struct db *db, struct entry *entry, uint64_t hash,
                                                void *object) {
    if (entry_encoding(entry) == ENCODING_PACKED) return keyspace__pack(db, entry, hash, object);
    entry_set_object(entry, object);
    return entry;
}
/* A deep copy of source's value under another key, which must be absent. Expiry is copied. */
struct entry *keyspace_copy_entry(struct db *to, struct bytes key, uint64_t hash,
                                  const struct entry *source);
/* Moves the entry to another key and/or database, where the key must be absent. */
struct entry *keyspace_move_entry(struct db *from, struct entry *entry, struct db *to,
                                  struct bytes key, uint64_t hash);

enum remove_reason { KEY_DELETED = 0, KEY_UNLINKED, KEY_EXPIRED, KEY_EVICTED, KEY_OVERWRITTEN };
/* Removes and frees the entry (in the background where the lazyfree options say so and it pays).
 * Tells observers "touched"; events are the caller's, except those of KEY_EXPIRED and KEY_EVICTED.
 */
void keyspace_remove(struct db *db, struct entry *entry, enum remove_reason reason);
/* The same for a key, with one look-up; false if it is absent or had expired. */
must_use bool keyspace_remove_key(struct db *db, struct bytes key, uint64_t hash,
                                  enum remove_reason reason);
/* Destroys an object that a change has left over, a part of the entry's value or what it was: in
 * the background like that of a removed key. */
void keyspace_discard(struct db *db, const struct entry *entry, void *object);

/* at_ms < 0 removes the expiry. May move the entry: returns it. Tells observers nothing: the
 * caller calls keyspace_touched and sends the event. */
struct entry *keyspace_set_expiry(struct db *db, struct entry *entry, int64_t at_ms);

/* To be called when elements of the value were given times to live, or have lost them: the keyspace
 * removes them on time. O(1); not needed for an entry that is being added. */
void keyspace_elements_changed(struct db *db, struct entry *entry, uint64_t hash);

/* Tells observers that the value changed, and counts a change. */
void keyspace_touched(struct db *db, struct bytes key);
/* Sends a named event. No cost if nobody listens. */
void keyspace_event(struct db *db, struct bytes key, uint32_t event_class, const char *name);

/* Empties one database; background: the tables are destroyed elsewhere. Returns how many keys there
 * were. */
size_t keyspace_flush(struct db *db, bool background);
void keyspace_swap(struct db *a, struct db *b);

/* ---- walking ---- */
typedef void (*keyspace_scan_fn)(void *ctx, struct entry *entry);
/* One step of SCAN: visits the entries of one bucket (expired ones too) and returns the next
 * cursor. */
uint64_t keyspace_scan(struct db *db, uint64_t cursor, keyspace_scan_fn fn, void *ctx);
/* Visits all; fn returns false to stop. The keyspace must not change meanwhile. */
void keyspace_each(struct db *db, bool (*fn)(void *ctx, struct entry *entry), void *ctx);
bool keyspace_is_expired(const struct keyspace *ks, const struct entry *entry);

/* ---- expiry ---- */
/* Removes keys whose time has come, for at most budget_us microseconds. True if more are due.
 * Called between windows. */
bool keyspace_expire_due(struct keyspace *ks, uint64_t budget_us);
/* When the next key may expire, for the sleep of the executor; INT64_MAX if none. */
int64_t keyspace_next_expiry_ms(const struct keyspace *ks);
void keyspace_set_active_expire(struct keyspace *ks, bool enabled); /* DEBUG SET-ACTIVE-EXPIRE */
/* Off: expired keys are neither removed on time nor on access (a replica, import mode); they read
 * as absent. */
void keyspace_set_expire_by_access(struct keyspace *ks, bool enabled);

/* ---- memory ---- */
enum evict_result { EVICT_OK = 0, EVICT_RUNNING, EVICT_FAIL };
/* Brings memory under maxmemory, in a bounded step. not_counted: bytes that do not count (replica
 * buffers). EVICT_OK: under the limit. EVICT_RUNNING: still over, but may go on. EVICT_FAIL: over,
 * nothing to evict. */
enum evict_result keyspace_evict(struct keyspace *ks, size_t not_counted);
/* Bytes by which memory is over the limit, 0 if under. */
size_t keyspace_memory_excess(const struct keyspace *ks, size_t not_counted);

uint32_t keyspace_lru_clock(const struct keyspace *ks); /* seconds, 24 bits */
uint64_t entry_idle_seconds(const struct keyspace *ks, const struct entry *entry);
uint8_t entry_lfu_counter(const struct keyspace *ks,
                          const struct entry *entry); /* decayed to now */
/* What a file or RESTORE says of an entry's past; no effect under a policy of the other kind. */
void keyspace_set_idle_seconds(const struct keyspace *ks, struct entry *entry, uint64_t seconds);
void keyspace_set_lfu_counter(const struct keyspace *ks, struct entry *entry, uint8_t counter);

/* Resizing of tables, bounded; true if there is more to do. Called by cron when idle. */
bool keyspace_step(struct keyspace *ks, uint64_t budget_us);
void keyspace_set_resize_allowed(struct keyspace *ks,
                                 bool allowed); /* a child process runs, or DEBUG */
size_t keyspace_table_bytes(const struct db *db);
size_t keyspace_expire_index_bytes(const struct db *db);
size_t keyspace_rehashing_bytes(const struct keyspace *ks);
uint32_t keyspace_rehashing_count(const struct keyspace *ks);
/* Text for DEBUG HTSTATS. */
void keyspace_table_stats(const struct db *db, struct buf *out);
void keyspace_verify(struct keyspace *ks); /* every invariant; for tests */
