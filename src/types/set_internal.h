/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the set share: its members in a table, and windows of look-ups.
 *
 *   a member in a table      offset size
 *                            0      1    size, 255: more than one byte can say
 *                            1      [8]  size, if so
 *                            ..          the bytes
 * so that 15 bytes make an allocation of 16, and 16 to 31 bytes one of 32. */
#pragma once

#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "ds/hashtab_inline.h"
#include "ds/intset.h"
#include "ds/listpack.h"
#include "types/set.h"

enum { SET_ITEM_LONG = 255, SET_WINDOW = 16 };

extern const struct hashtab_type set_item_type;

static inline struct bytes set_item_bytes(const void *item) {
    const uint8_t *head = item;
    if (likely(head[0] < SET_ITEM_LONG)) return bytes_make(head + 1, head[0]);
    uint64_t size;
    memcpy(&size, head + 1, sizeof(size));
    return bytes_make(head + 1 + sizeof(size), (size_t)size);
}
always_inline_fn bool set_item_equals(const void *item, struct bytes member) {
    const uint8_t *head = item;
    if (likely(head[0] < SET_ITEM_LONG)) {
        return head[0] == member.size && memcmp(head + 1, member.data, member.size) == 0;
    }
    return bytes_equal(set_item_bytes(item), member);
}
must_use void *set_item_create(struct bytes member);
uint64_t set__item_hash(const void *item);

static inline struct hashtab *set_tab(const struct set *set) {
    dcheck(set_form_of(set) == SET_TABLE);
    return set_object(set);
}
static inline struct intset *set_ints(const struct set *set) {
    dcheck(set_form_of(set) == SET_INTSET);
    return set_object(set);
}
static inline struct listpack *set_lp(const struct set *set) {
    dcheck(set_form_of(set) == SET_LISTPACK);
    return set_object(set);
}
static inline struct set *set_make(const void *object, enum set_form form) {
    dcheck(((uintptr_t)object & SET_FORM_MASK) == 0);
    return (struct set *)((uintptr_t)object | form);
}

static inline struct set_member set_member_of_item(const void *item) {
    struct bytes bytes = set_item_bytes(item);
    return (struct set_member){.data = bytes.data, .size = bytes.size};
}
static inline struct set_member set_member_of_int(int64_t value) {
    return (struct set_member){.integer = value};
}
static inline struct set_member set_member_of_element(const struct listpack *lp, size_t at) {
    struct listpack_value value = listpack_get(lp, at);
    return (struct set_member){.data = value.data, .size = value.size, .integer = value.integer};
}

/* A walk; the set does not change meanwhile. */
struct set_iter {
    const struct set *set;
    size_t at; /* index or offset of the next one */
    struct hashtab_iter table;
};
void set__iter_init(struct set_iter *iter, const struct set *set);
bool set__iter_next(struct set_iter *iter, struct set_member *out);
void set__iter_deinit(struct set_iter *iter);

/* Up to SET_WINDOW members that are looked up together. */
struct set_window {
    unsigned count;
    bool is_hashed;
    struct set_member members[SET_WINDOW];
    struct bytes texts[SET_WINDOW]; /* if is_hashed */
    uint64_t hashes[SET_WINDOW];    /* if is_hashed */
    char scratch[SET_WINDOW][NUM_I64_TEXT_MAX];
};
void set__window_hash(struct set_window *window);
/* Those of the members in mask that the set has, as bits. */
uint32_t set__window_find(struct set_window *window, const struct set *set, uint32_t mask);
