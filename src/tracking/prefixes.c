/* SPDX-License-Identifier: BSD-3-Clause */
#include "tracking/prefixes.h"

#include "base/check.h"
#include "base/mem.h"

enum { ARRAY_MIN = 4 }; /* elements of an array that is allocated */

void prefixes_init(struct prefixes *prefixes) { *prefixes = (struct prefixes){0}; }

void prefixes_deinit(struct prefixes *prefixes) {
    check(prefixes->count == 0);
    mem_free(prefixes->sorted);
    *prefixes = (struct prefixes){0};
}

static void *grow(void *array, uint32_t count, uint32_t *cap, size_t size) {
    if (count < *cap) return array;
    *cap = *cap ? *cap * 2 : ARRAY_MIN;
    return mem_realloc(array, *cap * size);
}

/* ---- the order ---- */

/* How many prefixes do not come behind the text. */
static uint32_t upper_bound(const struct prefixes *prefixes, struct bytes text) {
    uint32_t from = 0, to = prefixes->count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (bytes_compare(prefix_text(prefixes->sorted[middle]), text) <= 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

struct prefix *prefixes_find(const struct prefixes *prefixes, struct bytes key) {
    uint32_t behind = upper_bound(prefixes, key);
    struct prefix *prefix = behind ? prefixes->sorted[behind - 1] : NULL;
    while (prefix && !bytes_starts_with(key, prefix_text(prefix)))
        prefix = prefix->parent;
    return prefix;
}

static struct prefix *create_at(struct prefixes *prefixes, uint32_t at, struct bytes text) {
    check(text.size <= UINT32_MAX);
    struct prefix *prefix = mem_zalloc(sizeof(*prefix) + text.size);
    prefix->parent = prefixes_find(prefixes, text);
    prefix->text_size = (uint32_t)text.size;
    if (text.size) memcpy(prefix->text, text.data, text.size);

    prefixes->sorted =
        grow(prefixes->sorted, prefixes->count, &prefixes->cap, sizeof(prefixes->sorted[0]));
    memmove(prefixes->sorted + at + 1, prefixes->sorted + at,
            (prefixes->count - at) * sizeof(prefixes->sorted[0]));
    prefixes->sorted[at] = prefix;
    prefixes->count++;
    /* Those that begin with it follow it. */
    for (uint32_t i = at + 1; i < prefixes->count; i++) {
        struct prefix *other = prefixes->sorted[i];
        if (!bytes_starts_with(prefix_text(other), text)) break;
        if (other->parent == prefix->parent) other->parent = prefix;
    }
    return prefix;
}

static void destroy_prefix(struct prefixes *prefixes, struct prefix *prefix) {
    uint32_t at = upper_bound(prefixes, prefix_text(prefix)) - 1;
    check(prefixes->sorted[at] == prefix && prefix->count == 0);
    prefixes->count--;
    memmove(prefixes->sorted + at, prefixes->sorted + at + 1,
            (prefixes->count - at) * sizeof(prefixes->sorted[0]));
    for (uint32_t i = at; i < prefixes->count; i++) {
        struct prefix *other = prefixes->sorted[i];
        if (!bytes_starts_with(prefix_text(other), prefix_text(prefix))) break;
        if (other->parent == prefix) other->parent = prefix->parent;
    }
    mem_free(prefix->members);
    mem_free(prefix);
}

/* ---- members ---- */

bool prefixes_join(struct prefixes *prefixes, struct client *client, struct prefix_list *list,
                   struct bytes text) {
    uint32_t behind = upper_bound(prefixes, text);
    struct prefix *prefix = behind ? prefixes->sorted[behind - 1] : NULL;
    if (!prefix || !bytes_equal(prefix_text(prefix), text)) {
        prefix = create_at(prefixes, behind, text);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->slots[i].prefix == prefix) return false;
    }
    prefix->members =
        grow(prefix->members, prefix->count, &prefix->cap, sizeof(prefix->members[0]));
    list->slots = grow(list->slots, list->count, &list->cap, sizeof(list->slots[0]));
    prefix->members[prefix->count] = (struct prefix_member){.client = client, .slot = list->count};
    list->slots[list->count++] = (struct prefix_slot){.prefix = prefix, .seat = prefix->count++};
    return true;
}

void prefixes_leave_all(struct prefixes *prefixes, struct prefix_list *list,
                        struct prefix_list *(*list_of)(const struct client *client)) {
    for (uint32_t i = 0; i < list->count; i++) {
        struct prefix *prefix = list->slots[i].prefix;
        uint32_t seat = list->slots[i].seat;
        struct prefix_member last = prefix->members[--prefix->count];
        if (seat != prefix->count) {
            prefix->members[seat] = last;
            list_of(last.client)->slots[last.slot].seat = seat;
        }
        if (prefix->count == 0) destroy_prefix(prefixes, prefix);
    }
    mem_free(list->slots);
    *list = (struct prefix_list){0};
}

void prefixes_verify(const struct prefixes *prefixes,
                     struct prefix_list *(*list_of)(const struct client *client)) {
    for (uint32_t i = 0; i < prefixes->count; i++) {
        const struct prefix *prefix = prefixes->sorted[i];
        struct bytes text = prefix_text(prefix);
        const struct prefix *parent = NULL;
        if (i) check(bytes_compare(prefix_text(prefixes->sorted[i - 1]), text) < 0);
        for (uint32_t k = 0; k < i; k++) {
            if (bytes_starts_with(text, prefix_text(prefixes->sorted[k])))
                parent = prefixes->sorted[k];
        }
        check(prefix->parent == parent);
        check(prefix->count > 0 && prefix->count <= prefix->cap);
        for (uint32_t seat = 0; seat < prefix->count; seat++) {
            const struct prefix_member *member = &prefix->members[seat];
            const struct prefix_list *list = list_of(member->client);
            check(member->slot < list->count);
            check(list->slots[member->slot].prefix == prefix);
            check(list->slots[member->slot].seat == seat);
        }
    }
}
