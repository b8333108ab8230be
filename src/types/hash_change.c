/* SPDX-License-Identifier: BSD-3-Clause */
/* Setting and removing fields, and the way from a listpack to a table. */
#include "ds/listpack.h"
#include "types/hash_internal.h"

static struct listpack *packed(const struct hash *hash) {
    dcheck(hash_is_listpack(hash));
    return (struct listpack *)hash;
}

/* ---- forms ---- */

void hash__to_table(struct hash **hash) {
    struct listpack *lp = packed(*hash);
    struct hashtab *table = hashtab_create(&hash__table_type);
    char name_scratch[NUM_I64_TEXT_MAX], value_scratch[NUM_I64_TEXT_MAX];
    hashtab_expand_hint(table, listpack_count(lp) / 2);
    size_t at = listpack_first(lp);
    while (at != LISTPACK_END) {
        size_t value_at = listpack_next(lp, at);
        const struct field_shape shape = {
            .name = listpack_get_bytes(lp, at, name_scratch),
            .value = listpack_get_bytes(lp, value_at, value_scratch),
            .at_ms = HASH_NO_TIME,
        };
        hashtab_add_new(table, hash_bytes(shape.name), field_create(&shape));
        at = listpack_next(lp, value_at);
    }
    listpack_destroy(&lp);
    *hash = hash__make(table, HASH_TABLE);
}

static bool text_fits(const struct hash_limits *limits, struct bytes text) {
    return text.size <= (size_t)limits->value;
}

void hash_prepare(struct hash **hash, const struct hash_limits *limits, const struct bytes *argv,
                  size_t count) {
    if (!hash_is_listpack(*hash)) return;
    bool fits = count <= (size_t)limits->entries;
    for (size_t i = 0; i < count * 2 && fits; i++)
        fits = text_fits(limits, argv[i]);
    if (!fits) hash__to_table(hash);
}

/* ---- setting ---- */

/* Makes room for a field in a listpack, or makes it a table. True if it is a listpack still. */
static bool packed_prepare(struct hash **hash, const struct hash_limits *limits,
                           const struct hash_setting *to) {
    bool fits = to->at_ms < 0 && text_fits(limits, to->name) && text_fits(limits, to->value) &&
                listpack_size(packed(*hash)) + listpack_cost(to->name) + listpack_cost(to->value) <=
                    LISTPACK_SIZE_MAX;
    if (!fits) hash__to_table(hash);
    return fits;
}

/* True if the field is new; the hash may have become too large, and be a table. */
static bool packed_set(struct hash **hash, const struct hash_limits *limits,
                       const struct hash_setting *to) {
    struct listpack *lp = packed(*hash);
    size_t at = listpack_find(lp, listpack_first(lp), to->name, 1);
    if (at == LISTPACK_END) {
        listpack_append(&lp, to->name);
        listpack_append(&lp, to->value);
    } else {
        (void)listpack_replace(&lp, listpack_next(lp, at), to->value);
    }
    *hash = hash__make(lp, HASH_LISTPACK);
    if (hash_count(*hash) > (size_t)limits->entries) hash__to_table(hash);
    return at == LISTPACK_END;
}

static void table_add(struct hash **hash, uint64_t code, const struct hashtab_place *place,
                      const struct field_shape *shape, int64_t now_ms) {
    struct field *f = field_create(shape);
    struct hash_timed *timed =
        shape->at_ms >= 0 ? hash__to_timed(hash, now_ms) : hash__timed(*hash);
    hashtab_place_add_inline(hash__table(*hash), code, place, f);
    if (likely(!timed)) return;
    if (shape->at_ms >= 0) hash__expiry_changed(timed, f, code, HASH_NO_TIME, shape->at_ms);
    hash__timed_resized(timed);
}

static bool table_set(struct hash **hash, uint64_t code, const struct hash_setting *to) {
    struct hashtab_place place;
    struct field *f =
        hashtab_probe_with(hash__table(*hash), code, to->name, &place, field_has_name);
    struct field_shape shape = {.name = to->name,
                                .value = to->value,
                                .blob = to->blob,
                                .at_ms = to->at_ms >= 0 ? to->at_ms : HASH_NO_TIME};
    if (!f) {
        table_add(hash, code, &place, &shape, to->now_ms);
        return true;
    }
    int64_t old_ms = field_expiry_ms(f);
    bool had_expired = old_ms >= 0 && old_ms <= to->now_ms;
    if (to->at_ms == HASH_KEEP_TIME && !had_expired) shape.at_ms = old_ms;

    struct field *changed = field_change(f, &shape);
    if (changed != f) hashtab_place_replace_inline(&place, changed);
    if (unlikely(old_ms >= 0 || shape.at_ms >= 0))
        hash__expiry_changed(hash__to_timed(hash, to->now_ms), changed, code, old_ms, shape.at_ms);
    return had_expired;
}

bool hash_set(struct hash **hash, const struct hash_limits *limits, const struct hash_setting *to) {
    if (likely(!hash_is_listpack(*hash))) return table_set(hash, to->code, to);
    if (packed_prepare(hash, limits, to)) return packed_set(hash, limits, to);
    return table_set(hash, hash_bytes(to->name), to);
}

void hash_set_expiry(struct hash **hash, struct bytes name, int64_t at_ms, int64_t now_ms) {
    if (hash_is_listpack(*hash)) {
        if (at_ms < 0) return;
        hash__to_table(hash);
    }
    uint64_t code = hash_bytes(name);
    struct hashtab_place place;
    struct field *f = hashtab_probe_with(hash__table(*hash), code, name, &place, field_has_name);
    check(f != NULL);
    int64_t old_ms = field_expiry_ms(f);
    if (old_ms < 0 && at_ms < 0) return;

    struct field *changed = field_change_expiry(f, at_ms);
    if (changed != f) hashtab_place_replace_inline(&place, changed);
    hash__expiry_changed(hash__to_timed(hash, now_ms), changed, code, old_ms, at_ms);
}

/* ---- removing ---- */

static bool packed_remove(struct hash **hash, struct bytes name) {
    struct listpack *lp = packed(*hash);
    size_t at = listpack_find(lp, listpack_first(lp), name, 1);
    if (at == LISTPACK_END) return false;
    (void)listpack_remove_range(&lp, at, 2);
    *hash = hash__make(lp, HASH_LISTPACK);
    return true;
}

void hash__take_field(struct hash_timed *timed, struct hashtab *table, uint64_t code,
                      const struct hashtab_place *place) {
    struct field *f = hashtab_place_take_inline(table, code, place);
    if (unlikely(timed != NULL)) {
        int64_t old_ms = field_expiry_ms(f);
        if (old_ms >= 0) hash__expiry_changed(timed, NULL, code, old_ms, HASH_NO_TIME);
        hash__timed_resized(timed);
    }
    field_destroy(f);
}

bool hash_remove(struct hash **hash, struct bytes name, uint64_t code, int64_t now_ms) {
    if (hash_is_listpack(*hash)) return packed_remove(hash, name);
    struct hashtab *table = hash__table(*hash);
    struct hashtab_place place;
    const struct field *f = hashtab_probe_with(table, code, name, &place, field_has_name);
    if (!f || field_is_due(f, now_ms)) return false;
    hash__take_field(hash__timed(*hash), table, code, &place);
    return true;
}
