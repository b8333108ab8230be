/* SPDX-License-Identifier: BSD-3-Clause */
#include "types/hash.h"

#include "ds/listpack.h"
#include "types/hash_internal.h"

static struct listpack *packed(const struct hash *hash) {
    dcheck(hash__form(hash) == HASH_LISTPACK);
    return (struct listpack *)hash;
}

/* ---- life ---- */

struct hash *hash_create(size_t cap_hint) {
    return hash__make(listpack_create(cap_hint), HASH_LISTPACK);
}

void hash_destroy(struct hash **hash_in) {
    struct hash *hash = *hash_in;
    *hash_in = NULL;
    if (!hash) return;

    if (hash__form(hash) == HASH_LISTPACK) {
        struct listpack *lp = packed(hash);
        listpack_destroy(&lp);
        return;
    }
    struct hashtab *table = hash__table(hash);
    hashtab_destroy(&table);
    if (hash__form(hash) == HASH_TIMED) hash__timed_destroy(hash__timed(hash));
}

struct hash *hash_copy(const struct hash *hash) {
    if (hash__form(hash) == HASH_LISTPACK)
        return hash__make(listpack_copy(packed(hash)), HASH_LISTPACK);

    struct hashtab *source = hash__table(hash);
    struct hashtab *table = hashtab_create(&hash__table_type);
    struct hash *copy = hash__make(table, HASH_TABLE);
    if (hash__form(hash) == HASH_TIMED) (void)hash__to_timed(&copy, hash__timed(hash)->now_ms);
    hashtab_expand_hint(table, hashtab_count(source));

    struct hashtab_iter iter;
    const struct field *f;
    hashtab_iter_init(&iter, source);
    while ((f = hashtab_iter_next(&iter)) != NULL) {
        struct hash_item item;
        field_describe(f, &item);
        const struct field_shape shape = {
            .name = bytes_make(item.name.data, item.name.size),
            .value = bytes_make(item.value.data, item.value.size),
            .blob = item.value.blob,
            .at_ms = item.at_ms,
        };
        struct field *added = field_create(&shape);
        uint64_t code = hash_bytes(shape.name);
        hashtab_add_new(table, code, added);
        if (item.at_ms >= 0)
            hash__expiry_changed(hash__timed(copy), added, code, HASH_NO_TIME, item.at_ms);
    }
    hashtab_iter_deinit(&iter);
    if (hash__timed(copy)) hash__timed_resized(hash__timed(copy));
    return copy;
}

/* ---- reading ---- */

bool hash_is_listpack(const struct hash *hash) { return hash__form(hash) == HASH_LISTPACK; }

struct hashtab *hash_table(const struct hash *hash) {
    return hash_is_listpack(hash) ? NULL : hash__table(hash);
}

struct listpack *hash_listpack(const struct hash *hash) {
    return hash_is_listpack(hash) ? packed(hash) : NULL;
}

struct element_times *hash_times(const struct hash *hash) {
    struct hash_timed *timed = hash__timed(hash);
    return timed ? &timed->times : NULL;
}

size_t hash_count(const struct hash *hash) {
    return hash_is_listpack(hash) ? listpack_count(packed(hash)) / 2
                                  : hashtab_count(hash__table(hash));
}

static struct hash_text packed_text(const struct listpack *lp, size_t at) {
    struct listpack_value value = listpack_get(lp, at);
    return (struct hash_text){.data = value.data, .size = value.size, .integer = value.integer};
}

void hash__packed_item(const struct listpack *lp, size_t at, struct hash_item *out) {
    out->name = packed_text(lp, at);
    out->value = packed_text(lp, listpack_next(lp, at));
    out->at_ms = HASH_NO_TIME;
}

bool hash_find(const struct hash *hash, struct bytes name, uint64_t code, int64_t now_ms,
               struct hash_item *out) {
    if (hash_is_listpack(hash)) {
        const struct listpack *lp = packed(hash);
        size_t at = listpack_find(lp, listpack_first(lp), name, 1);
        if (at == LISTPACK_END) return false;
        out->value = packed_text(lp, listpack_next(lp, at));
        out->at_ms = HASH_NO_TIME;
        return true;
    }
    const struct field *f = field_find(hash__table(hash), name, code);
    if (!f || field_is_due(f, now_ms)) return false;
    field_describe(f, out);
    return true;
}

void hash_prefetch_bucket(const struct hash *hash, uint64_t code) {
    if (hash_is_listpack(hash)) {
        prefetch_line(packed(hash));
    } else {
        hashtab_prefetch_bucket_inline(hash__table(hash), code);
    }
}

void hash_prefetch_field(const struct hash *hash, uint64_t code) {
    if (!hash_is_listpack(hash)) hashtab_prefetch_entry_inline(hash__table(hash), code);
}

struct bytes hash_text_bytes(const struct hash_text *text, char scratch[NUM_I64_TEXT_MAX]) {
    if (likely(text->data != NULL)) return bytes_make(text->data, text->size);
    return bytes_make(scratch, num_format_i64(scratch, text->integer));
}

size_t hash_text_size(const struct hash_text *text) {
    char scratch[NUM_I64_TEXT_MAX];
    return hash_text_bytes(text, scratch).size;
}

const char *hash_encoding_name(const struct hash *hash) {
    return hash_is_listpack(hash) ? "listpack" : "hashtable";
}

size_t hash_memory_bytes(const struct hash *hash, size_t samples) {
    if (hash_is_listpack(hash)) return listpack_memory_bytes(packed(hash));

    struct hashtab *table = hash__table(hash);
    size_t count = hashtab_count(table), seen = 0, bytes = 0;
    struct hashtab_iter iter;
    const struct field *f;
    hashtab_iter_init(&iter, table);
    while ((samples == 0 || seen < samples) && (f = hashtab_iter_next(&iter)) != NULL) {
        struct field_parts parts = field_read(f);
        bytes += mem_usable_size(f);
        if (parts.flags & FIELD_APART) bytes += blob_memory_bytes(field_blob(f, &parts));
        seen++;
    }
    hashtab_iter_deinit(&iter);
    if (seen && seen < count) bytes = (size_t)((double)bytes / (double)seen * (double)count);
    if (hash__form(hash) == HASH_TIMED) bytes += hash__timed_memory_bytes(hash__timed(hash));
    return bytes + hashtab_memory_bytes(table);
}

/* ---- walking ---- */

void hash_iter_init(struct hash_iter *iter, const struct hash *hash, int64_t now_ms) {
    iter->hash = hash;
    iter->now_ms = now_ms;
    if (hash_is_listpack(hash)) {
        iter->at = listpack_first(packed(hash));
    } else {
        hashtab_iter_init(&iter->table, hash__table(hash));
    }
}

bool hash_iter_next(struct hash_iter *iter, struct hash_item *out) {
    if (hash_is_listpack(iter->hash)) {
        const struct listpack *lp = packed(iter->hash);
        if (iter->at == LISTPACK_END) return false;
        hash__packed_item(lp, iter->at, out);
        iter->at = listpack_next(lp, listpack_next(lp, iter->at));
        return true;
    }
    const struct field *f;
    while ((f = hashtab_iter_next(&iter->table)) != NULL) {
        if (field_is_due(f, iter->now_ms)) continue;
        field_describe(f, out);
        return true;
    }
    return false;
}

void hash_iter_deinit(struct hash_iter *iter) {
    if (!hash_is_listpack(iter->hash)) hashtab_iter_deinit(&iter->table);
}

struct scan {
    hash_visit_fn fn;
    void *ctx;
    int64_t now_ms;
};

static void scan_visit(void *entry, void *ctx) {
    const struct scan *scan = ctx;
    struct hash_item item;
    if (field_is_due(entry, scan->now_ms)) return;
    field_describe(entry, &item);
    scan->fn(scan->ctx, &item);
}

uint64_t hash_scan(const struct hash *hash, uint64_t cursor, int64_t now_ms, hash_visit_fn fn,
                   void *ctx) {
    if (!hash_is_listpack(hash)) {
        struct scan scan = {fn, ctx, now_ms};
        return hashtab_scan(hash__table(hash), cursor, scan_visit, &scan);
    }
    struct hash_iter iter;
    struct hash_item item;
    hash_iter_init(&iter, hash, now_ms);
    while (hash_iter_next(&iter, &item))
        fn(ctx, &item);
    hash_iter_deinit(&iter);
    return 0;
}

/* ---- checking ---- */

static void verify_field(const struct field *f, bool may_expire) {
    struct field_parts parts = field_read(f);
    int64_t at_ms = field_expiry_ms(f);
    bool wide = parts.name_size >= FIELD_SHORT_LIMIT || parts.value_size >= FIELD_SHORT_LIMIT ||
                at_ms >= FIELD_SHORT_TIME_LIMIT;
    check(wide == ((parts.flags & FIELD_WIDE) != 0));
    check(at_ms >= 0 || !(parts.flags & FIELD_EXPIRES));
    check(may_expire || !(parts.flags & FIELD_EXPIRES));
    if (parts.flags & FIELD_APART) {
        check(parts.value_size == sizeof(struct blob *));
        check(field_blob(f, &parts)->size > FIELD_EMBED_MAX);
    } else {
        check(parts.value_size <= FIELD_EMBED_MAX);
    }
    check(mem_usable_size(f) >= field_parts_size(&parts));
    check(mem_good_size(field_parts_size(&parts)) <= mem_usable_size(f));
}

static void verify_packed(const struct listpack *lp) {
    char scratch[NUM_I64_TEXT_MAX];
    listpack_verify(lp);
    check(listpack_count(lp) % 2 == 0);
    size_t at = listpack_first(lp);
    while (at != LISTPACK_END) {
        struct bytes name = listpack_get_bytes(lp, at, scratch);
        size_t next = listpack_next(lp, listpack_next(lp, at));
        check(next == LISTPACK_END || listpack_find(lp, next, name, 1) == LISTPACK_END);
        at = next;
    }
}

void hash_verify(const struct hash *hash) {
    if (hash_is_listpack(hash)) {
        verify_packed(packed(hash));
        return;
    }
    struct hash_timed *timed = hash__timed(hash);
    struct hashtab *table = hash__table(hash);
    struct hashtab_iter iter;
    const struct field *f;
    hashtab_verify(table);
    hashtab_iter_init(&iter, table);
    while ((f = hashtab_iter_next(&iter)) != NULL)
        verify_field(f, timed != NULL);
    hashtab_iter_deinit(&iter);
    if (timed) hash__timed_verify(timed);
}
