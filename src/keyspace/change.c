/* SPDX-License-Identifier: BSD-3-Clause */
/* change -- adding, moving and removing entries of any type; emptying and swapping databases.
 *
 * What is costly to free goes to the disposer, if there is one: the object of a collection, a large
 * blob, or a whole table with its expiry index. The entry's own shell is always freed here. */
#include "base/hash.h"
#include "keyspace/keyspace_internal.h"
#include "keyspace/value_type.h"

/* ---- adding ---- */

/* With expire_by_access off an expired key is absent for look-ups, and yet in the table. */
never_inline static void remove_hidden(struct db *db, struct bytes key, uint64_t hash) {
    struct entry *hidden = hashtab_find_with(db->table, hash, key, entry__has_key);
    if (hidden) keyspace_remove(db, hidden, KEY_OVERWRITTEN);
}

void keyspace__add(struct db *db, uint64_t hash, struct entry *entry) {
    struct bytes key = entry_key(entry);
    if (unlikely(!db->ks->expire_by_access)) remove_hidden(db, key, hash);
    dcheck(!hashtab_find(db->table, hash, key));
    hashtab_add_new(db->table, hash, entry);
    if (entry_expires(entry)) expire__changed(db, entry, hash, -1, entry_expiry_ms(entry));
    if (entry_encoding(entry) == ENCODING_OBJECT) keyspace_elements_changed(db, entry, hash);
    keyspace__touched(db, key);
    keyspace__event(db, key, EVENT_NEW, "new");
}

struct entry *keyspace_add_object(struct db *db, struct bytes key, uint64_t hash, uint8_t type,
                                  void *object) {
    check(type != TYPE_STRING && type < VALUE_TYPE_COUNT);
    const struct entry_shape shape = {.key = key, .type = type, .at_ms = -1};
    struct entry *e = entry__create_with_object(&shape, object);
    entry_set_clock(e, keyspace__new_clock(db->ks));
    keyspace__add(db, hash, e);
    return e;
}

/* Puts an entry with the object into the old one's place. */
static struct entry *replace_by_object(struct db *db, uint64_t hash, struct entry *old,
                                       const struct entry_shape *shape, void *object) {
    struct entry *e = entry__create_with_object(shape, object);
    entry_set_clock(e, entry_clock(old)); /* look-up has touched it */
    hashtab_replace(db->table, hash, old, e);
    if (old->flags & ENTRY_TIMED) elements__left(db, old);
    keyspace_elements_changed(db, e, hash);
    expire__changed(db, e, hash, entry__expiry_or_none(old), -1);
    keyspace__free_value(db->ks, old, KEY_OVERWRITTEN);
    entry__free_shell(old);
    keyspace__touched(db, entry_key(e)); /* the caller's key may have been the old entry's */
    return e;
}

struct entry *keyspace_store_object(struct db *db, struct entry *old, struct bytes key,
                                    uint64_t hash, uint8_t type, void *object) {
    if (!old) return keyspace_add_object(db, key, hash, type, object);
    check(type != TYPE_STRING && type < VALUE_TYPE_COUNT);
    const struct entry_shape shape = {
        .key = entry_key(old),
        .type = type,
        .flags = old->flags & ENTRY_FILED,
        .at_ms = -1,
    };
    return replace_by_object(db, hash, old, &shape, object);
}

struct entry *keyspace_copy_entry(struct db *to, struct bytes key, uint64_t hash,
                                  const struct entry *source) {
    struct entry *copy = entry__reshape(source, key, entry__expiry_or_none(source));
    copy->flags &= (uint8_t)~ENTRY_TIMED; /* until it is in the table */
    if (entry_encoding(source) == ENCODING_BLOB) {
        (void)blob_retain(entry_blob(source)); /* as good as a copy: nobody writes to it now */
    } else if (entry_encoding(source) == ENCODING_OBJECT) {
        entry_set_object(copy, value_ops_of(source)->copy(entry_object(source)));
    }
    entry_set_clock(copy, keyspace__new_clock(to->ks));
    keyspace__add(to, hash, copy);
    return copy;
}

struct entry *keyspace_move_entry(struct db *from, struct entry *entry, struct db *to,
                                  struct bytes key, uint64_t hash) {
    int64_t at_ms = entry__expiry_or_none(entry);
    hashtab_take_entry(from->table, hash_bytes(entry_key(entry)), entry);
    if (at_ms >= 0) expire__forget(from, at_ms);
    if (entry->flags & ENTRY_TIMED) elements__left(from, entry);
    keyspace__touched_uncounted(from, entry_key(entry));

    struct entry *moved = entry;
    if (!entry__has_key(entry, key)) {
        moved = entry__reshape(entry, key, at_ms);
        entry__free_shell(entry);
    }
    keyspace__add(to, hash, moved);
    return moved;
}

/* ---- removing ---- */

static bool is_lazy(const struct keyspace *ks, enum remove_reason reason) {
    if (!ks->disposer.dispose) return false;
    switch (reason) {
    case KEY_DELETED: return ks->config->lazy_user_del;
    case KEY_UNLINKED: return true;
    case KEY_EXPIRED: return ks->config->lazy_expire;
    case KEY_EVICTED: return ks->config->lazy_evict;
    case KEY_OVERWRITTEN: return ks->config->lazy_server_del;
    }
    panic("keyspace: unknown reason %d", (int)reason);
}

static void destroy_blob(void *blob) { blob_release(blob); }

static void dispose(struct keyspace *ks, void (*destroy)(void *object), void *object,
                    size_t effort) {
    ks->disposer.dispose(ks->disposer.ctx, destroy, object, effort);
}

never_inline static void free_blob(struct keyspace *ks, struct blob *blob,
                                   enum remove_reason reason) {
    if (blob->size <= DISPOSE_BYTES_MIN || !is_lazy(ks, reason) || !blob_is_sole(blob)) {
        blob_release(blob);
        return;
    }
    ks->stats.lazyfree_pending++;
    if (reason == KEY_EVICTED) ks->evict_disposed += blob_memory_bytes(blob);
    dispose(ks, destroy_blob, blob, 1);
}

never_inline static void free_object(struct keyspace *ks, const struct value_ops *ops, void *object,
                                     enum remove_reason reason) {
    enum { MEMORY_SAMPLES = 5 };
    size_t effort = ops->free_effort(object);
    if (effort <= DISPOSE_EFFORT_MIN || !is_lazy(ks, reason)) {
        ops->destroy(object);
        return;
    }
    ks->stats.lazyfree_pending++;
    if (reason == KEY_EVICTED) {
        ks->evict_disposed += ops->memory_bytes(object, MEMORY_SAMPLES);
    }
    dispose(ks, ops->destroy, object, effort);
}

void keyspace__free_value(struct keyspace *ks, struct entry *entry, enum remove_reason reason) {
    if (unlikely(entry_encoding(entry) == ENCODING_BLOB)) {
        free_blob(ks, entry_blob(entry), reason);
    } else if (unlikely(entry_encoding(entry) == ENCODING_OBJECT)) {
        free_object(ks, value_ops_of(entry), entry_object(entry), reason);
    }
}

void keyspace_discard(struct db *db, const struct entry *entry, void *object) {
    free_object(db->ks, value_ops_of(entry), object, KEY_DELETED);
}

void keyspace__removed(struct db *db, struct entry *entry, enum remove_reason reason) {
    struct keyspace *ks = db->ks;
    if (unlikely(entry_expires(entry))) expire__forget(db, entry_expiry_ms(entry));
    if (unlikely(entry->flags & ENTRY_TIMED)) elements__left(db, entry);
    if (reason == KEY_DELETED || reason == KEY_UNLINKED) ks->stats.changes++;
    ks->by_itself = reason == KEY_EXPIRED || reason == KEY_EVICTED;
    keyspace__touched_uncounted(db, entry_key(entry));
    ks->by_itself = false;
    if (reason == KEY_EXPIRED) {
        ks->stats.expired_keys++;
        keyspace__event(db, entry_key(entry), EVENT_EXPIRED, "expired");
    } else if (reason == KEY_EVICTED) {
        ks->stats.evicted_keys++;
        keyspace__event(db, entry_key(entry), EVENT_EVICTED, "evicted");
    }
    keyspace__free_value(ks, entry, reason);
    entry__free_shell(entry);
}

void keyspace_remove(struct db *db, struct entry *entry, enum remove_reason reason) {
    hashtab_take_entry(db->table, hash_bytes(entry_key(entry)), entry);
    keyspace__removed(db, entry, reason);
}

bool keyspace_remove_key(struct db *db, struct bytes key, uint64_t hash,
                         enum remove_reason reason) {
    struct hashtab_place place;
    dcheck(hash == hash_bytes(key));
    struct entry *entry = hashtab_probe_with(db->table, hash, key, &place, entry__has_key);
    if (!entry) return false;

    bool due = entry__is_due(db->ks, entry);
    if (due && !db->ks->expire_by_access) return false;
    (void)hashtab_place_take_inline(db->table, hash, &place);
    keyspace__removed(db, entry, due ? KEY_EXPIRED : reason);
    return !due;
}

/* ---- expiry of one key ---- */

struct entry *keyspace_set_expiry(struct db *db, struct entry *entry, int64_t at_ms) {
    int64_t old_ms = entry__expiry_or_none(entry);
    if (old_ms < 0 && at_ms < 0) return entry;

    uint64_t hash = hash_bytes(entry_key(entry));
    struct entry *moved = entry;
    if (old_ms >= 0 && at_ms >= 0) {
        entry_set_expiry_field(entry, at_ms);
    } else {
        moved = entry__reshape(entry, entry_key(entry), at_ms);
        hashtab_replace(db->table, hash, entry, moved);
        entry__free_shell(entry);
    }
    expire__changed(db, moved, hash, old_ms, at_ms);
    return moved;
}

/* ---- whole databases ---- */

/* What a flush hands over to be destroyed elsewhere. */
struct flushed {
    struct hashtab *table;
    struct wheel *wheels[4];
};

static void destroy_flushed(void *object) {
    struct flushed *flushed = object;
    hashtab_destroy(&flushed->table);
    for (size_t i = 0; i < COUNT_OF(flushed->wheels); i++)
        wheel_destroy(&flushed->wheels[i]);
    mem_free(flushed);
}

/* Many keys, or few that hold much. */
static bool is_costly_to_flush(const struct db *db) {
    if (hashtab_count(db->table) > DISPOSE_EFFORT_MIN) return true;
    struct hashtab_iter iter;
    const struct entry *entry;
    size_t effort = 0;
    hashtab_iter_init(&iter, db->table);
    while ((entry = hashtab_iter_next(&iter)) != NULL)
        effort += entry_free_effort(entry);
    hashtab_iter_deinit(&iter);
    return effort > DISPOSE_EFFORT_MIN;
}

size_t keyspace_flush(struct db *db, bool background) {
    struct keyspace *ks = db->ks;
    size_t count = hashtab_count(db->table);
    for (int i = 0; i < ks->observer_count; i++) {
        const struct keyspace_observer *observer = &ks->observers[i];
        if (observer->flushed) observer->flushed(observer->ctx, db);
    }

    bool lazy = background && ks->disposer.dispose && is_costly_to_flush(db);
    struct flushed *flushed = mem_alloc(sizeof(*flushed));
    *flushed = (struct flushed){
        .table = hashtab_detach(db->table),
        .wheels = {db->wheel, db->purged, db->timed.wheel, db->timed.purged},
    };
    db->wheel = db->purged = NULL;
    db->timed = (struct element_index){0};
    db->volatile_count = 0;
    db->deadline_sum = 0;
    ks->stats.changes += count;
    if (lazy) {
        ks->stats.lazyfree_pending += count;
        dispose(ks, destroy_flushed, flushed, count);
    } else {
        destroy_flushed(flushed);
    }
    return count;
}

void keyspace_dispose_done(struct keyspace *ks, void (*destroy)(void *object), size_t effort) {
    uint64_t keys = destroy == destroy_flushed ? effort : 1;
    check(ks->stats.lazyfree_pending >= keys);
    ks->stats.lazyfree_pending -= keys;
    ks->stats.lazyfreed += keys;
}

void keyspace_swap(struct db *a, struct db *b) {
    struct keyspace *ks = a->ks;
    check(ks == b->ks);
    if (a == b) return;

    for (int i = 0; i < ks->observer_count; i++) {
        const struct keyspace_observer *observer = &ks->observers[i];
        if (observer->swapped) observer->swapped(observer->ctx, a, b);
    }
    struct db was_a = *a;
    int32_t index_b = b->index;
    *a = *b;
    a->index = was_a.index;
    *b = was_a;
    b->index = index_b;
    ks->stats.changes++;
}
