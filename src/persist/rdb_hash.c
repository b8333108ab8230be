/* SPDX-License-Identifier: BSD-3-Clause */
/* Hashes: a count, then fields and values, with their expiry where any field has one; or both in a
 * listpack; of old, in a ziplist or a zipmap. Fields whose time is up are left out. */
#include "base/buf.h"
#include "base/clock.h"
#include "ds/listpack.h"
#include "persist/rdb_format.h"
#include "persist/rdb_packed.h"
#include "persist/rdb_types.h"
#include "types/hash.h"

/* ---- writing ---- */

uint8_t rdb__hash_type(const struct entry *entry) {
    struct entry_room room;
    const struct hash *hash = entry_view(entry, &room);
    if (hash_is_listpack(hash)) return RDB_HASH_LISTPACK;
    return hash_times(hash) ? RDB_HASH_2 : RDB_HASH;
}

static void put_text(struct rdb_out *out, const struct hash_text *text) {
    if (text->data) {
        rdb_put_string(out, bytes_make(text->data, text->size));
    } else {
        rdb_put_integer(out, text->integer);
    }
}

static void put_fields(struct rdb_out *out, const struct hash *hash, bool with_expiry) {
    struct hash_iter iter;
    struct hash_item item;
    rdb_put_length(out, hash_count(hash));
    hash_iter_init(&iter, hash, HASH_SEE_ALL);
    while (hash_iter_next(&iter, &item)) {
        put_text(out, &item.name);
        put_text(out, &item.value);
        if (with_expiry) rdb_put_u64(out, (uint64_t)item.at_ms);
    }
    hash_iter_deinit(&iter);
}

void rdb__save_hash(struct rdb_out *out, const struct entry *entry) {
    struct entry_room room;
    const struct hash *hash = entry_view(entry, &room);
    const struct listpack *lp = hash_listpack(hash);
    if (lp) {
        rdb_put_string(out, bytes_make(lp, listpack_size(lp)));
    } else {
        put_fields(out, hash, hash_times(hash) != NULL);
    }
}

/* ---- reading ---- */

struct hash_loader {
    struct rdb_in *in;
    const struct hash_limits *limits;
    struct hash *hash;
    int64_t now_ms;
};

static bool add_field(struct hash_loader *loader, struct bytes name, struct bytes value,
                      int64_t at_ms) {
    const struct hash_setting setting = {
        .name = name,
        .value = value,
        .code = hash_code(loader->hash, name),
        .at_ms = at_ms,
        .now_ms = HASH_SEE_ALL, /* one that is there twice is a mistake even if its time is up */
    };
    if (hash_set(&loader->hash, loader->limits, &setting)) return true;
    return rdb_in_bad(loader->in, "Duplicate hash fields detected");
}

static bool get_expiry(struct rdb_in *in, bool with_expiry, int64_t *out) {
    uint64_t at_ms = 0;
    *out = HASH_NO_TIME;
    if (!with_expiry) return true;
    if (!rdb_get_u64(in, &at_ms)) return false;
    *out = (int64_t)at_ms;
    return *out >= HASH_NO_TIME ? true : rdb_in_bad(in, "A field with a time before the epoch");
}

/* name: room for a copy, since the value is read behind it. */
static bool get_field(struct hash_loader *loader, struct buf *name, struct buf *value,
                      bool with_expiry) {
    struct bytes text;
    int64_t at_ms;
    if (!rdb_get_name(loader->in, &text)) return false;
    buf_clear(name);
    buf_add(name, text);
    if (!rdb_get_string(loader->in, &text)) return false;
    if (with_expiry) {
        buf_clear(value);
        buf_add(value, text);
        text = buf_bytes(value);
    }
    if (!get_expiry(loader->in, with_expiry, &at_ms)) return false;
    if (at_ms >= 0 && at_ms <= loader->now_ms) return true;
    return add_field(loader, buf_bytes(name), text, at_ms);
}

/* Hands the hash over, unless it is empty or something went wrong. */
static bool finish(struct hash_loader *loader, bool good, struct rdb_value *out) {
    out->is_empty = good && hash_count(loader->hash) == 0;
    if (good && !out->is_empty) {
        out->object = loader->hash;
    } else {
        hash_destroy(&loader->hash);
    }
    return good;
}

static bool load_fields(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out,
                        bool with_expiry) {
    struct buf name = {0}, value = {0};
    uint64_t count;
    if (!rdb_get_count(in, 2, &count)) return false;
    int64_t now_ms = limits->keeps_expired ? HASH_SEE_ALL : clock_wall_ms();
    struct hash_loader loader = {in, limits->hash, hash_create(0), now_ms};
    bool good = true;
    for (uint64_t i = 0; good && i < count; i++)
        good = get_field(&loader, &name, &value, with_expiry);
    buf_deinit(&name);
    buf_deinit(&value);
    return finish(&loader, good, out);
}

bool rdb__load_hash(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out) {
    return load_fields(in, limits, out, false);
}

bool rdb__load_hash_2(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out) {
    return load_fields(in, limits, out, true);
}

static bool add_pairs(struct hash_loader *loader, const struct listpack *lp) {
    char name_text[NUM_I64_TEXT_MAX], value_text[NUM_I64_TEXT_MAX];
    for (size_t at = listpack_first(lp); at != LISTPACK_END;) {
        struct bytes name = listpack_get_bytes(lp, at, name_text);
        at = listpack_next(lp, at);
        if (at == LISTPACK_END) return rdb_in_bad(loader->in, "A hash field without a value");
        if (!add_field(loader, name, listpack_get_bytes(lp, at, value_text), HASH_NO_TIME)) {
            return false;
        }
        at = listpack_next(lp, at);
    }
    return true;
}

static bool load_pairs(struct rdb_in *in, struct listpack *lp, const struct rdb_limits *limits,
                       struct rdb_value *out) {
    if (!lp) return false;
    struct hash_loader loader = {in, limits->hash, hash_create(listpack_size(lp)), 0};
    bool good = add_pairs(&loader, lp);
    listpack_destroy(&lp);
    return finish(&loader, good, out);
}

bool rdb__load_hash_listpack(struct rdb_in *in, const struct rdb_limits *limits,
                             struct rdb_value *out) {
    return load_pairs(in, rdb__get_listpack(in), limits, out);
}

bool rdb__load_hash_ziplist(struct rdb_in *in, const struct rdb_limits *limits,
                            struct rdb_value *out) {
    return load_pairs(in, rdb__get_ziplist(in), limits, out);
}

bool rdb__load_hash_zipmap(struct rdb_in *in, const struct rdb_limits *limits,
                           struct rdb_value *out) {
    return load_pairs(in, rdb__get_zipmap(in), limits, out);
}
