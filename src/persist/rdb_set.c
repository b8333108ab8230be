/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets: a count and the members, an intset, or a listpack. */
#include "base/check.h"
#include "base/mem.h"
#include "ds/intset.h"
#include "ds/listpack.h"
#include "persist/rdb_format.h"
#include "persist/rdb_packed.h"
#include "persist/rdb_types.h"
#include "types/set.h"

/* ---- writing ---- */

uint8_t rdb__set_type(const struct entry *entry) {
    switch (set_form_of(entry_object(entry))) {
    case SET_TABLE: return RDB_SET;
    case SET_INTSET: return RDB_SET_INTSET;
    case SET_LISTPACK: return RDB_SET_LISTPACK;
    }
    panic("rdb: a set of an unknown form");
}

static bool put_member(void *ctx, const struct set_member *member) {
    if (member->data) {
        rdb_put_string(ctx, bytes_make(member->data, member->size));
    } else {
        rdb_put_integer(ctx, member->integer);
    }
    return true;
}

void rdb__save_set(struct rdb_out *out, const struct entry *entry) {
    const struct set *set = entry_object(entry);
    const void *packed = set_object(set);
    switch (set_form_of(set)) {
    case SET_TABLE:
        rdb_put_length(out, set_count(set));
        set_each(set, put_member, out);
        break;
    case SET_INTSET: rdb_put_string(out, bytes_make(packed, intset_size(packed))); break;
    case SET_LISTPACK: rdb_put_string(out, bytes_make(packed, listpack_size(packed))); break;
    }
}

/* ---- reading ---- */

static bool add_members(struct rdb_in *in, uint64_t count, const struct rdb_limits *limits,
                        struct set **set) {
    struct bytes member;
    for (uint64_t i = 0; i < count; i++) {
        if (!rdb_get_string(in, &member)) return false;
        if (!*set) *set = set_create(member, rdb__room_for(count), limits->set);
        if (!set_add(set, member, limits->set)) {
            return rdb_in_bad(in, "Duplicate set members detected");
        }
    }
    return true;
}

bool rdb__load_set(struct rdb_in *in, const struct rdb_limits *limits, struct rdb_value *out) {
    uint64_t count;
    struct set *set = NULL;
    if (!rdb_get_count(in, 1, &count)) return false;
    out->is_empty = count == 0;
    if (!add_members(in, count, limits, &set)) {
        if (set) set_destroy(set);
        return false;
    }
    out->object = set;
    return true;
}

bool rdb__load_set_intset(struct rdb_in *in, const struct rdb_limits *limits,
                          struct rdb_value *out) {
    struct bytes bytes;
    if (!rdb_get_string(in, &bytes)) return false;
    in->packed++;
    if (!intset_validate(bytes.data, bytes.size)) {
        return rdb_in_bad(in, "Intset integrity check failed.");
    }
    struct intset *ints = intset_create_from(bytes.data, bytes.size);
    out->is_empty = intset_count(ints) == 0;
    if (out->is_empty) {
        intset_destroy(&ints);
        return true;
    }
    struct set *set = set_from_intset(ints);
    set_apply_limits(&set, limits->set);
    out->object = set;
    return true;
}

bool rdb__load_set_listpack(struct rdb_in *in, const struct rdb_limits *limits,
                            struct rdb_value *out) {
    struct listpack *lp = rdb__get_listpack(in);
    if (!lp) return false;
    out->is_empty = listpack_count(lp) == 0;
    bool good = rdb__is_distinct(lp, 1);
    if (out->is_empty || !good) {
        listpack_destroy(&lp);
        return good ? true : rdb_in_bad(in, "Set listpack integrity check failed.");
    }
    struct set *set = set_from_listpack(lp);
    set_apply_limits(&set, limits->set);
    out->object = set;
    return true;
}
