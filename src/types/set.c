/* SPDX-License-Identifier: BSD-3-Clause */
/* set -- forms, single members, walking. Chance is set_random.c, algebra set_algebra.c.
 *
 * Invariants (set_verify):
 * 1. Members are unique. In packed forms, an integer in canonical form is kept as an integer.
 * 2. A packed form is within the limits that were in force at its last addition.
 * 3. The three forms answer alike: which one it is shows only in encoding and order. */
#include "types/set.h"

#include "base/buf.h"
#include "types/set_internal.h"

enum { INTEGER_COST_MAX = 10 }; /* bytes of a listpack: no integer takes more */

/* ---- members of a table ---- */

uint64_t set__item_hash(const void *item) { return hash_bytes(set_item_bytes(item)); }

const struct hashtab_type set_item_type = {
    .key = set_item_bytes, .hash = set__item_hash, .drop = mem_free};

void *set_item_create(struct bytes member) {
    bool is_long = member.size >= SET_ITEM_LONG;
    size_t head = is_long ? 1 + sizeof(uint64_t) : 1;
    uint8_t *item = mem_alloc(head + member.size);
    if (is_long) {
        uint64_t size = member.size;
        item[0] = SET_ITEM_LONG;
        memcpy(item + 1, &size, sizeof(size));
    } else {
        item[0] = (uint8_t)member.size;
    }
    if (member.size) memcpy(item + head, member.data, member.size);
    return item;
}

/* ---- life ---- */

struct set *set_from_intset(struct intset *ints) {
    return set_make(ints, SET_INTSET);
}
struct set *set_from_listpack(struct listpack *lp) {
    return set_make(lp, SET_LISTPACK);
}

struct set *set_create_table(size_t count_hint) {
    struct hashtab *tab = hashtab_create(&set_item_type);
    if (count_hint > 0) hashtab_expand_hint(tab, count_hint);
    return set_make(tab, SET_TABLE);
}

static bool is_within(size_t count, int64_t limit) {
    return limit >= 0 && count <= (uint64_t)limit;
}

struct set *set_create(struct bytes first, size_t count_hint, const struct set_limits *limits) {
    int64_t integer;
    if (is_within(count_hint, limits->intset_entries) && num_parse_i64(first, &integer)) {
        return set_from_intset(intset_create());
    }
    if (is_within(count_hint, limits->listpack_entries)) {
        return set_from_listpack(listpack_create(0));
    }
    return set_create_table(0); /* the hint may be wrong, for members may be the same */
}

void set_destroy(void *object) {
    struct set *set = object;
    switch (set_form_of(set)) {
    case SET_TABLE: {
        struct hashtab *tab = set_tab(set);
        hashtab_destroy(&tab);
        break;
    }
    case SET_INTSET: {
        struct intset *ints = set_ints(set);
        intset_destroy(&ints);
        break;
    }
    case SET_LISTPACK: {
        struct listpack *lp = set_lp(set);
        listpack_destroy(&lp);
        break;
    }
    }
}

static struct hashtab *copy_table(struct hashtab *from) {
    struct hashtab *to = hashtab_create(&set_item_type);
    hashtab_expand_hint(to, hashtab_count(from));
    struct hashtab_iter iter;
    hashtab_iter_init(&iter, from);
    for (const void *item; (item = hashtab_iter_next(&iter));) {
        struct bytes member = set_item_bytes(item);
        hashtab_add_new(to, hash_bytes(member), set_item_create(member));
    }
    hashtab_iter_deinit(&iter);
    return to;
}

void *set_copy(const void *object) {
    const struct set *set = object;
    switch (set_form_of(set)) {
    case SET_INTSET: return set_make(intset_copy(set_ints(set)), SET_INTSET);
    case SET_LISTPACK: return set_make(listpack_copy(set_lp(set)), SET_LISTPACK);
    default: return set_make(copy_table(set_tab(set)), SET_TABLE);
    }
}

/* ---- walking ---- */

void set__iter_init(struct set_iter *iter, const struct set *set) {
    iter->set = set;
    iter->at = 0;
    if (set_form_of(set) == SET_TABLE) hashtab_iter_init(&iter->table, set_tab(set));
    if (set_form_of(set) == SET_LISTPACK) iter->at = listpack_first(set_lp(set));
}

bool set__iter_next(struct set_iter *iter, struct set_member *out) {
    const struct set *set = iter->set;
    switch (set_form_of(set)) {
    case SET_TABLE: {
        const void *item = hashtab_iter_next(&iter->table);
        if (item) *out = set_member_of_item(item);
        return item != NULL;
    }
    case SET_INTSET:
        if (iter->at == intset_count(set_ints(set))) return false;
        *out = set_member_of_int(intset_at(set_ints(set), iter->at++));
        return true;
    case SET_LISTPACK:
        if (iter->at == LISTPACK_END) return false;
        *out = set_member_of_element(set_lp(set), iter->at);
        iter->at = listpack_next(set_lp(set), iter->at);
        return true;
    }
    return false;
}

void set__iter_deinit(struct set_iter *iter) {
    if (set_form_of(iter->set) == SET_TABLE) hashtab_iter_deinit(&iter->table);
}

void set_each(const struct set *set, set_member_fn fn, void *ctx) {
    struct set_iter iter;
    struct set_member member;
    set__iter_init(&iter, set);
    while (set__iter_next(&iter, &member) && fn(ctx, &member)) {}
    set__iter_deinit(&iter);
}

struct scan {
    set_member_fn fn;
    void *ctx;
};

static void scan_visit(void *item, void *ctx) {
    const struct scan *scan = ctx;
    struct set_member member = set_member_of_item(item);
    (void)scan->fn(scan->ctx, &member);
}

uint64_t set_scan(struct set *set, uint64_t cursor, set_member_fn fn, void *ctx) {
    if (set_form_of(set) == SET_TABLE) {
        struct scan scan = {.fn = fn, .ctx = ctx};
        return hashtab_scan(set_tab(set), cursor, scan_visit, &scan);
    }
    struct set_iter iter;
    struct set_member member;
    set__iter_init(&iter, set);
    while (set__iter_next(&iter, &member))
        (void)fn(ctx, &member);
    set__iter_deinit(&iter);
    return 0;
}

/* ---- reading ---- */

size_t set_count(const struct set *set) {
    switch (set_form_of(set)) {
    case SET_INTSET: return intset_count(set_ints(set));
    case SET_LISTPACK: return listpack_count(set_lp(set));
    default: return hashtab_count(set_tab(set));
    }
}

struct bytes set_member_bytes(const struct set_member *member, char scratch[NUM_I64_TEXT_MAX]) {
    if (member->data) return bytes_make(member->data, member->size);
    return bytes_make(scratch, num_format_i64(scratch, member->integer));
}

static void *table_find(const struct hashtab *tab, struct bytes member, uint64_t hash) {
    return hashtab_find_with(tab, hash, member, set_item_equals);
}

/* Where it is in a listpack, or LISTPACK_END. */
static size_t listpack_place(const struct listpack *lp, struct bytes member) {
    size_t first = listpack_first(lp);
    return first == LISTPACK_END ? LISTPACK_END : listpack_find(lp, first, member, 0);
}

bool set_has(const struct set *set, struct bytes member) {
    int64_t integer;
    switch (set_form_of(set)) {
    case SET_INTSET: return num_parse_i64(member, &integer) && intset_has(set_ints(set), integer);
    case SET_LISTPACK: return listpack_place(set_lp(set), member) != LISTPACK_END;
    default: return table_find(set_tab(set), member, hash_bytes(member)) != NULL;
    }
}

void set_prefetch(const struct set *set, struct bytes member, unsigned step, uint64_t *hash) {
    if (set_form_of(set) != SET_TABLE) {
        if (step == 0) prefetch_line(set_object(set));
        return;
    }
    if (step == 0) {
        *hash = hash_bytes(member);
        hashtab_prefetch_bucket_inline(set_tab(set), *hash);
    } else {
        hashtab_prefetch_entry_inline(set_tab(set), *hash);
    }
}

/* ---- windows ---- */

void set__window_hash(struct set_window *window) {
    for (unsigned i = 0; i < window->count; i++) {
        window->texts[i] = set_member_bytes(&window->members[i], window->scratch[i]);
        window->hashes[i] = hash_bytes(window->texts[i]);
    }
    window->is_hashed = true;
}

static uint32_t window_find_in_table(struct set_window *window, const struct hashtab *tab,
                                     uint32_t mask) {
    uint32_t found = 0;
    if (!window->is_hashed) set__window_hash(window);
    for (uint32_t left = mask; left; left &= left - 1)
        hashtab_prefetch_bucket_inline(tab, window->hashes[__builtin_ctz(left)]);
    for (uint32_t left = mask; left; left &= left - 1)
        hashtab_prefetch_entry_inline(tab, window->hashes[__builtin_ctz(left)]);
    for (uint32_t left = mask; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        if (table_find(tab, window->texts[i], window->hashes[i])) found |= (uint32_t)BIT(i);
    }
    return found;
}

static bool packed_has(const struct set *set, const struct set_member *member) {
    if (!member->data && set_form_of(set) == SET_INTSET) {
        return intset_has(set_ints(set), member->integer);
    }
    char scratch[NUM_I64_TEXT_MAX];
    return set_has(set, set_member_bytes(member, scratch));
}

uint32_t set__window_find(struct set_window *window, const struct set *set, uint32_t mask) {
    if (set_form_of(set) == SET_TABLE) return window_find_in_table(window, set_tab(set), mask);
    uint32_t found = 0;
    for (uint32_t left = mask; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        if (packed_has(set, &window->members[i])) found |= (uint32_t)BIT(i);
    }
    return found;
}

/* Prefetches what the next members of a table need; returns how many, with their hashes. */
static size_t table_load(const struct hashtab *tab, const struct bytes *members, size_t count,
                         uint64_t hashes[SET_WINDOW]) {
    count = size_min(count, SET_WINDOW);
    for (size_t i = 0; i < count; i++) {
        hashes[i] = hash_bytes(members[i]);
        if (count > 1) hashtab_prefetch_bucket_inline(tab, hashes[i]);
    }
    for (size_t i = 0; count > 1 && i < count; i++)
        hashtab_prefetch_entry_inline(tab, hashes[i]);
    return count;
}

void set_has_many(const struct set *set, const struct bytes *members, size_t count, bool *found) {
    if (set_form_of(set) != SET_TABLE) {
        for (size_t i = 0; i < count; i++)
            found[i] = set_has(set, members[i]);
        return;
    }
    uint64_t hashes[SET_WINDOW];
    for (size_t at = 0; at < count;) {
        size_t loaded = table_load(set_tab(set), members + at, count - at, hashes);
        for (size_t i = 0; i < loaded; i++, at++)
            found[at] = table_find(set_tab(set), members[at], hashes[i]) != NULL;
    }
}

/* ---- changing ---- */

static bool table_add(struct hashtab *tab, struct bytes member, uint64_t hash) {
    struct hashtab_place place;
    if (hashtab_probe_with(tab, hash, member, &place, set_item_equals)) return false;
    hashtab_place_add_inline(tab, hash, &place, set_item_create(member));
    return true;
}

static bool table_remove(struct hashtab *tab, struct bytes member, uint64_t hash) {
    void *item = hashtab_take_with(tab, hash, member, set_item_equals);
    mem_free(item);
    return item != NULL;
}

void set_make_table(struct set **set) {
    if (set_form_of(*set) == SET_TABLE) return;
    size_t count = set_count(*set);
    struct hashtab *tab = hashtab_create(&set_item_type);
    hashtab_expand_hint(tab, count + 1);
    struct set_iter iter;
    struct set_member member;
    char scratch[NUM_I64_TEXT_MAX];
    set__iter_init(&iter, *set);
    while (set__iter_next(&iter, &member)) {
        struct bytes bytes = set_member_bytes(&member, scratch);
        hashtab_add_new(tab, hash_bytes(bytes), set_item_create(bytes));
    }
    set__iter_deinit(&iter);
    set_destroy(*set);
    *set = set_make(tab, SET_TABLE);
}

static void make_listpack(struct set **set) {
    const struct intset *ints = set_ints(*set);
    size_t count = intset_count(ints);
    struct listpack *lp = listpack_create(0);
    for (size_t i = 0; i < count; i++)
        listpack_append_int(&lp, intset_at(ints, i));
    set_destroy(*set);
    *set = set_from_listpack(lp);
}

static bool listpack_fits(const struct listpack *lp, struct bytes member,
                          const struct set_limits *limits) {
    return is_within(listpack_count(lp) + 1, limits->listpack_entries) &&
           member.size <= (uint64_t)limits->listpack_value && member.size < LISTPACK_SIZE_MAX &&
           listpack_size(lp) + listpack_cost(member) <= LISTPACK_SIZE_MAX;
}

/* Whether an intset and one more member make a listpack within the limits. */
static bool intset_fits_listpack(const struct intset *ints, struct bytes member,
                                 const struct set_limits *limits) {
    size_t count = intset_count(ints);
    if (!is_within(count + 1, limits->listpack_entries)) return false;
    if (count >= LISTPACK_SIZE_MAX / INTEGER_COST_MAX / 2) return false;
    size_t longest = member.size;
    if (count > 0) {
        char scratch[NUM_I64_TEXT_MAX]; /* the longest texts are those at the ends */
        longest = size_max(longest, num_format_i64(scratch, intset_at(ints, 0)));
        longest = size_max(longest, num_format_i64(scratch, intset_at(ints, count - 1)));
    }
    return longest <= (uint64_t)limits->listpack_value;
}

static bool listpack_set_add(struct set **set, struct bytes member,
                             const struct set_limits *limits) {
    struct listpack *lp = set_lp(*set);
    if (listpack_place(lp, member) != LISTPACK_END) return false;
    if (listpack_fits(lp, member, limits)) {
        listpack_append(&lp, member);
        *set = set_from_listpack(lp);
        return true;
    }
    set_make_table(set);
    return table_add(set_tab(*set), member, hash_bytes(member));
}

static bool intset_set_add_int(struct set **set, int64_t integer, const struct set_limits *limits) {
    struct intset *ints = set_ints(*set);
    bool added = intset_add(&ints, integer);
    *set = set_from_intset(ints);
    size_t count = intset_count(ints);
    if (!is_within(count, limits->intset_entries) || count >= INTSET_COUNT_MAX) {
        if (added) set_make_table(set);
    }
    return added;
}

static bool intset_set_add(struct set **set, struct bytes member, const struct set_limits *limits) {
    int64_t integer;
    if (num_parse_i64(member, &integer)) return intset_set_add_int(set, integer, limits);
    if (intset_fits_listpack(set_ints(*set), member, limits)) {
        make_listpack(set);
        return listpack_set_add(set, member, limits);
    }
    set_make_table(set);
    return table_add(set_tab(*set), member, hash_bytes(member));
}

bool set_add(struct set **set, struct bytes member, const struct set_limits *limits) {
    switch (set_form_of(*set)) {
    case SET_INTSET: return intset_set_add(set, member, limits);
    case SET_LISTPACK: return listpack_set_add(set, member, limits);
    default: return table_add(set_tab(*set), member, hash_bytes(member));
    }
}

bool set_add_member(struct set **set, const struct set_member *member,
                    const struct set_limits *limits) {
    char scratch[NUM_I64_TEXT_MAX];
    if (!member->data && set_form_of(*set) == SET_INTSET) {
        return intset_set_add_int(set, member->integer, limits);
    }
    return set_add(set, set_member_bytes(member, scratch), limits);
}

bool set_remove(struct set **set, struct bytes member) {
    int64_t integer;
    switch (set_form_of(*set)) {
    case SET_INTSET: {
        struct intset *ints = set_ints(*set);
        bool removed = num_parse_i64(member, &integer) && intset_remove(&ints, integer);
        *set = set_from_intset(ints);
        return removed;
    }
    case SET_LISTPACK: {
        struct listpack *lp = set_lp(*set);
        size_t at = listpack_place(lp, member);
        if (at == LISTPACK_END) return false;
        (void)listpack_remove(&lp, at);
        *set = set_from_listpack(lp);
        return true;
    }
    default: return table_remove(set_tab(*set), member, hash_bytes(member));
    }
}

size_t set_add_many(struct set **set, const struct bytes *members, size_t count,
                    const struct set_limits *limits) {
    size_t added = 0, at = 0;
    for (; at < count && (count == 1 || set_form_of(*set) != SET_TABLE); at++)
        added += set_add(set, members[at], limits);
    uint64_t hashes[SET_WINDOW];
    while (at < count) {
        size_t loaded = table_load(set_tab(*set), members + at, count - at, hashes);
        for (size_t i = 0; i < loaded; i++, at++)
            added += table_add(set_tab(*set), members[at], hashes[i]);
    }
    return added;
}

size_t set_remove_many(struct set **set, const struct bytes *members, size_t count) {
    size_t removed = 0, at = 0;
    for (; at < count && (count == 1 || set_form_of(*set) != SET_TABLE); at++)
        removed += set_remove(set, members[at]);
    uint64_t hashes[SET_WINDOW];
    while (at < count) {
        size_t loaded = table_load(set_tab(*set), members + at, count - at, hashes);
        for (size_t i = 0; i < loaded; i++, at++)
            removed += table_remove(set_tab(*set), members[at], hashes[i]);
    }
    return removed;
}

/* Whether some member of a listpack is longer than the limit. O(n). */
static bool has_long_member(const struct listpack *lp, int64_t limit) {
    char scratch[NUM_I64_TEXT_MAX];
    for (size_t at = listpack_first(lp); at != LISTPACK_END; at = listpack_next(lp, at)) {
        if (listpack_get_bytes(lp, at, scratch).size > (uint64_t)limit) return true;
    }
    return false;
}

bool set_needs_table(const struct set *set, const struct set_limits *limits) {
    size_t count = set_count(set);
    bool integers = is_within(count, limits->intset_entries);
    bool short_ones = is_within(count, limits->listpack_entries);
    struct set_iter iter;
    struct set_member member;
    set__iter_init(&iter, set);
    while ((integers || short_ones) && set__iter_next(&iter, &member)) {
        char scratch[NUM_I64_TEXT_MAX];
        struct bytes bytes = set_member_bytes(&member, scratch);
        int64_t integer;
        integers = integers && num_parse_i64(bytes, &integer);
        short_ones = short_ones && bytes.size <= (uint64_t)limits->listpack_value;
    }
    set__iter_deinit(&iter);
    return !integers && !short_ones;
}

void set_apply_limits(struct set **set, const struct set_limits *limits) {
    size_t count = set_count(*set);
    bool fits = true;
    switch (set_form_of(*set)) {
    case SET_TABLE: break;
    case SET_INTSET: fits = is_within(count, limits->intset_entries); break;
    case SET_LISTPACK:
        fits = is_within(count, limits->listpack_entries) &&
               !has_long_member(set_lp(*set), limits->listpack_value);
        break;
    }
    if (!fits) set_make_table(set);
}

/* ---- the rest ---- */

const char *set_encoding_name(const void *set) {
    switch (set_form_of(set)) {
    case SET_INTSET: return "intset";
    case SET_LISTPACK: return "listpack";
    default: return "hashtable";
    }
}

static size_t table_memory_bytes(const struct set *set, size_t samples) {
    struct hashtab *tab = set_tab(set);
    size_t count = hashtab_count(tab), seen = 0, bytes = 0;
    struct hashtab_iter iter;
    hashtab_iter_init(&iter, tab);
    for (const void *item; (samples == 0 || seen < samples) && (item = hashtab_iter_next(&iter));) {
        bytes += mem_usable_size(item);
        seen++;
    }
    hashtab_iter_deinit(&iter);
    if (seen > 0) bytes = (size_t)((double)bytes / (double)seen * (double)count);
    return hashtab_memory_bytes(tab) + bytes;
}

size_t set_memory_bytes(const void *set, size_t samples) {
    switch (set_form_of(set)) {
    case SET_INTSET: return intset_memory_bytes(set_ints(set));
    case SET_LISTPACK: return listpack_memory_bytes(set_lp(set));
    default: return table_memory_bytes(set, samples);
    }
}

size_t set_free_effort(const void *set) {
    return set_form_of(set) == SET_TABLE ? size_max(hashtab_count(set_tab(set)), 1) : 1;
}

bool set_table_stats(const void *set, bool full, struct buf *out) {
    if (set_form_of(set) != SET_TABLE) return false;
    hashtab_stats(set_tab(set), full, out);
    return true;
}

static void verify_listpack(const struct listpack *lp) {
    char scratch[NUM_I64_TEXT_MAX];
    listpack_verify(lp);
    for (size_t at = listpack_first(lp); at != LISTPACK_END;) {
        struct listpack_value value = listpack_get(lp, at);
        struct bytes member = listpack_value_bytes(&value, scratch);
        int64_t integer;
        check(num_parse_i64(member, &integer) == (value.data == NULL));
        at = listpack_next(lp, at);
        check(at == LISTPACK_END || listpack_find(lp, at, member, 0) == LISTPACK_END);
    }
}

void set_verify(const struct set *set, const struct set_limits *limits) {
    struct set_limits none = {INT64_MAX, INT64_MAX, INT64_MAX};
    if (!limits) limits = &none;
    switch (set_form_of(set)) {
    case SET_TABLE: hashtab_verify(set_tab(set)); break;
    case SET_INTSET:
        intset_verify(set_ints(set));
        check(is_within(set_count(set), limits->intset_entries));
        break;
    case SET_LISTPACK:
        verify_listpack(set_lp(set));
        check(is_within(set_count(set), limits->listpack_entries));
        check(!has_long_member(set_lp(set), limits->listpack_value));
        break;
    }
}
