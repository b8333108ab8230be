/* SPDX-License-Identifier: BSD-3-Clause */
/* A full block that gets an element in its middle is split; the halves are joined with their
 * neighbours where these have room. Removals by value join a block that became small with the one
 * before it; removals at the ends leave blocks as they are. */
#include "base/check.h"
#include "base/pace.h"
#include "ds/listpack_inline.h"
#include "types/list_internal.h"

/* ---- the ring ---- */

static size_t chain_bytes(size_t cap) { return sizeof(struct chain) + cap * sizeof(struct block); }

static struct chain *create_with(size_t cap) {
    struct chain *chain = mem_alloc(chain_bytes(cap));
    *chain = (struct chain){.cap = cap};
    return chain;
}

struct chain *list__chain_create(void) {
    return create_with(CHAIN_CAP_MIN);
}

static void resize(struct chain **chain, size_t cap) {
    struct chain *old = *chain, *new = create_with(cap);
    check(cap >= old->size);
    new->count = old->count;
    new->size = old->size;
    new->packed = old->packed;
    for (size_t i = 0; i < old->size; i++)
        new->slots[i] = *list__block(old, i);
    mem_free_sized(old, chain_bytes(old->cap));
    *chain = new;
}

/* Makes room for a block at index, moving those on its shorter side. */
static struct block *open_slot(struct chain **chain_ptr, size_t index) {
    if ((*chain_ptr)->size == (*chain_ptr)->cap) resize(chain_ptr, (*chain_ptr)->cap * 2);
    struct chain *chain = *chain_ptr;
    check(index <= chain->size);
    if (index < chain->size / 2) {
        chain->first = (chain->first - 1) & (chain->cap - 1);
        for (size_t i = 0; i < index; i++)
            *list__block(chain, i) = *list__block(chain, i + 1);
    } else {
        for (size_t i = chain->size; i > index; i--)
            *list__block(chain, i) = *list__block(chain, i - 1);
    }
    chain->size++;
    return list__block(chain, index);
}

/* Gives back room that so few blocks do not need. */
static void shrink(struct chain **chain) {
    size_t cap = (*chain)->cap;
    while (cap > CHAIN_CAP_MIN && (*chain)->size < cap / 4)
        cap /= 2;
    if (cap < (*chain)->cap) resize(chain, cap);
}

static void close_slot(struct chain **chain_ptr, size_t index) {
    struct chain *chain = *chain_ptr;
    check(index < chain->size);
    if (index < chain->size / 2) {
        for (size_t i = index; i > 0; i--)
            *list__block(chain, i) = *list__block(chain, i - 1);
        chain->first = (chain->first + 1) & (chain->cap - 1);
    } else {
        for (size_t i = index; i + 1 < chain->size; i++)
            *list__block(chain, i) = *list__block(chain, i + 1);
    }
    chain->size--;
    shrink(chain_ptr);
}

/* ---- blocks ---- */

static void block_set(struct block *block, struct listpack *lp) {
    block->word = (uintptr_t)lp;
    block->bytes = (uint32_t)listpack_size(lp);
}

/* What has been done to its listpack is done to the block. */
static void block_changed(struct chain *chain, struct block *block, struct listpack *lp,
                          int64_t added) {
    block_set(block, lp);
    block->count = (uint32_t)(block->count + added);
    chain->count = (size_t)((int64_t)chain->count + added);
}

static void block_free(const struct block *block) {
    if (block_is_plain(block)) {
        blob_release(block_blob(block));
    } else if (block_is_packed(block)) {
        list__block_free_packed(block);
    } else {
        struct listpack *lp = block_listpack(block);
        listpack_destroy(&lp);
    }
}

static void add_listpack(struct chain **chain, size_t index, struct listpack *lp) {
    size_t count = listpack_count(lp);
    check(count > 0 && count <= UINT32_MAX);
    struct block *block = open_slot(chain, index);
    block->count = (uint32_t)count;
    block_set(block, lp);
    (*chain)->count += count;
}

static void add_plain(struct chain **chain, size_t index, struct blob *blob) {
    struct block *block = open_slot(chain, index);
    *block = (struct block){.word = (uintptr_t)blob | BLOCK_PLAIN, .count = 1};
    (*chain)->count++;
}

/* Frees a block, and leaves its slot with none, which is for the caller to close. */
static void empty_slot(struct chain *chain, size_t index) {
    struct block *block = list__block(chain, index);
    chain->count -= block->count;
    chain->packed -= block_is_packed(block);
    block_free(block);
    *block = (struct block){0};
}

static void remove_block(struct chain **chain, size_t index) {
    empty_slot(*chain, index);
    close_slot(chain, index);
}

static void add_single(struct chain **chain, size_t index, struct bytes item) {
    struct listpack *lp = listpack_create(LISTPACK_EMPTY_SIZE + listpack_cost(item));
    listpack_append(&lp, item);
    add_listpack(chain, index, lp);
}

static bool is_large(struct bytes item, const struct list_limits *limits) {
    return item.size >= limits->plain_bytes ||
           LISTPACK_EMPTY_SIZE + listpack_cost(item) > limits->bytes;
}

static bool has_room(const struct block *block, size_t count, size_t bytes,
                     const struct list_limits *limits) {
    return !block_is_plain(block) && block->bytes + bytes <= limits->bytes &&
           block->count + count <= limits->count;
}

/* ---- life ---- */

void list__chain_destroy(struct chain *chain) {
    for (size_t i = 0; i < chain->size; i++) {
        block_free(list__block(chain, i));
        pace_step();
    }
    mem_free_sized(chain, chain_bytes(chain->cap));
}

struct listpack *list__chain_take_packed(struct chain *chain) {
    struct listpack *lp = NULL;
    check(chain->size <= 1);
    if (chain->size == 1) {
        check(!block_is_plain(list__block(chain, 0)));
        lp = block_listpack(list__block(chain, 0));
    }
    mem_free_sized(chain, chain_bytes(chain->cap));
    return lp;
}

struct chain *list__chain_copy(const struct chain *chain) {
    struct chain *copy = create_with(chain->cap);
    copy->count = chain->count;
    copy->size = chain->size;
    copy->packed = chain->packed;
    for (size_t i = 0; i < chain->size; i++) {
        const struct block *from = list__block_const(chain, i);
        copy->slots[i] = *from;
        if (block_is_plain(from)) {
            (void)blob_retain(block_blob(from)); /* immutable: a change puts another in its place */
        } else if (block_is_packed(from)) {
            copy->slots[i].word = list__block_copy_packed(from);
        } else {
            copy->slots[i].word = (uintptr_t)listpack_copy(block_listpack(from));
        }
    }
    return copy;
}

void list__chain_add_listpack(struct chain **chain, struct listpack *lp) {
    add_listpack(chain, (*chain)->size, lp);
}

/* ---- places ---- */

size_t list__chain_seek(const struct chain *chain, size_t index, size_t *within) {
    size_t block = 0, passed = 0;
    check(index < chain->count);
    if (index < chain->count / 2) {
        while (index >= passed + list__block_const(chain, block)->count)
            passed += list__block_const(chain, block++)->count;
    } else {
        passed = chain->count;
        for (block = chain->size; passed > index;)
            passed -= list__block_const(chain, --block)->count;
    }
    *within = index - passed;
    return block;
}

/* ---- the ends ---- */

void list__chain_push(struct chain **chain, enum list_end end, struct bytes item, struct blob *blob,
                      const struct list_limits *limits) {
    size_t index = end == LIST_HEAD ? 0 : (*chain)->size;
    if (unlikely(is_large(item, limits))) {
        add_plain(chain, index, blob ? blob_retain(blob) : blob_copy(item));
        if (limits->compress_depth > 0) list__chain_pushed(*chain, end, limits->compress_depth);
        return;
    }
    struct block *block = NULL;
    if ((*chain)->size > 0) block = list__block(*chain, end == LIST_HEAD ? 0 : index - 1);
    if (!block || !has_room(block, 1, listpack_cost(item), limits)) {
        add_single(chain, index, item);
        if (limits->compress_depth > 0) list__chain_pushed(*chain, end, limits->compress_depth);
        return;
    }
    struct listpack *lp = block_listpack(block);
    if (end == LIST_HEAD) {
        listpack_prepend(&lp, item);
    } else {
        listpack_append(&lp, item);
    }
    block_changed(*chain, block, lp, 1);
}

/* Into the other chain, as its last; it is made if there is none. */
static void move_block(struct chain **chain, size_t index, struct chain **to) {
    if (!*to) *to = list__chain_create();
    struct block block = *list__block(*chain, index);
    bool packed = block_is_packed(&block);
    (*chain)->count -= block.count;
    (*chain)->packed -= packed;
    close_slot(chain, index);
    *open_slot(to, (*to)->size) = block;
    (*to)->count += block.count;
    (*to)->packed += packed;
}

void list__chain_drop(struct chain **chain, enum list_end end, size_t count,
                      const struct list_limits *limits, struct chain **cut) {
    while (count > 0 && (*chain)->size > 0) {
        size_t index = end == LIST_HEAD ? 0 : (*chain)->size - 1;
        struct block *block = list__block(*chain, index);
        if (block->count <= count) {
            count -= block->count;
            if (cut) {
                move_block(chain, index, cut);
            } else {
                remove_block(chain, index);
            }
            continue;
        }
        list__block_open(*chain, index);
        struct listpack *lp = block_listpack(block);
        size_t at = listpack_first(lp);
        if (end == LIST_TAIL) at = listpack_seek(lp, -(int64_t)count);
        (void)listpack_remove_range(&lp, at, count);
        block_changed(*chain, block, lp, -(int64_t)count);
        break;
    }
    if (unlikely((*chain)->packed > 0)) list__chain_open_end(*chain, end, limits->compress_depth);
}

/* ---- the middle ---- */

/* Puts the elements of one block behind those of the other if all stay within the limits; the slot
 * that they were in is empty then. */
static bool merge(struct chain *chain, size_t into, size_t index,
                  const struct list_limits *limits) {
    struct block *left = list__block(chain, into), *right = list__block(chain, index);
    if (block_is_plain(left) || block_is_plain(right)) return false;
    if (!has_room(left, right->count, right->bytes - LISTPACK_EMPTY_SIZE, limits)) return false;

    list__block_open(chain, into);
    list__block_open(chain, index);
    struct listpack *lp = block_listpack(left);
    listpack_append_range(&lp, block_listpack(right), LISTPACK_HEADER, LISTPACK_END);
    block_changed(chain, left, lp, right->count);
    empty_slot(chain, index);
    return true;
}

/* Joins the block with the one before it if both together stay within the limits. */
static bool join(struct chain **chain, size_t index, const struct list_limits *limits) {
    if (index == 0 || index >= (*chain)->size) return false;
    if (!merge(*chain, index - 1, index, limits)) return false;
    close_slot(chain, index);
    return true;
}

/* What is from the place on becomes a block of its own behind this one. */
static void split(struct chain **chain, struct place place) {
    struct block *block = list__block(*chain, place.block);
    struct listpack *left = block_listpack(block);
    struct listpack *right = listpack_create(LISTPACK_EMPTY_SIZE + listpack_size(left) - place.at);
    listpack_append_range(&right, left, place.at, LISTPACK_END);
    size_t moved = listpack_count(right);
    (void)listpack_remove_range(&left, place.at, moved);
    block_changed(*chain, block, left, -(int64_t)moved);
    add_listpack(chain, place.block + 1, right);
}

static bool push_to_block(struct chain *chain, size_t index, enum list_end end, struct bytes item,
                          const struct list_limits *limits) {
    if (index >= chain->size) return false;
    struct block *block = list__block(chain, index);
    if (!has_room(block, 1, listpack_cost(item), limits)) return false;
    list__block_open(chain, index);
    struct listpack *lp = block_listpack(block);
    if (end == LIST_HEAD) {
        listpack_prepend(&lp, item);
    } else {
        listpack_append(&lp, item);
    }
    block_changed(chain, block, lp, 1);
    return true;
}

/* Between the blocks index - 1 and index. */
static void insert_between(struct chain **chain, size_t index, struct bytes item,
                           const struct list_limits *limits) {
    if (is_large(item, limits)) {
        add_plain(chain, index, blob_copy(item));
        return;
    }
    if (index > 0 && push_to_block(*chain, index - 1, LIST_TAIL, item, limits)) return;
    if (push_to_block(*chain, index, LIST_HEAD, item, limits)) return;
    add_single(chain, index, item);
}

/* Opens and changes blocks from the one before the place to the third behind it, at most. */
static void insert_at(struct chain **chain, struct place place, struct bytes item,
                      const struct list_limits *limits) {
    list__block_open(*chain, place.block);
    struct block *block = list__block(*chain, place.block);
    if (place.at != LISTPACK_END && !is_large(item, limits) &&
        has_room(block, 1, listpack_cost(item), limits)) {
        struct listpack *lp = block_listpack(block);
        (void)listpack_insert(&lp, place.at, item);
        block_changed(*chain, block, lp, 1);
        return;
    }
    if (place.at == LISTPACK_HEADER || place.at == LISTPACK_END) {
        insert_between(chain, place.block + (place.at == LISTPACK_END), item, limits);
        return;
    }
    split(chain, place);
    size_t size = (*chain)->size;
    insert_between(chain, place.block + 1, item, limits);
    size_t right = place.block + 1 + ((*chain)->size - size);
    (void)join(chain, right + 1, limits);
    (void)join(chain, place.block, limits);
}

enum { REACH = 4 }; /* blocks behind a place, with its own, that a change there may touch */

void list__chain_insert(struct chain **chain, struct place place, struct bytes item,
                        const struct list_limits *limits) {
    size_t old_size = (*chain)->size;
    insert_at(chain, place, item, limits);
    list__chain_changed(*chain, place.block, REACH, old_size, limits->compress_depth);
}

static void replace_at(struct chain **chain, struct place place, struct bytes item,
                       const struct list_limits *limits) {
    struct block *block = list__block(*chain, place.block);
    bool large = is_large(item, limits);
    if (block->count == 1) { /* nothing else in it: it becomes what the item needs */
        block_free(block);
        if (large) {
            *block = (struct block){.word = (uintptr_t)blob_copy(item) | BLOCK_PLAIN, .count = 1};
            return;
        }
        struct listpack *lp = listpack_create(LISTPACK_EMPTY_SIZE + listpack_cost(item));
        listpack_append(&lp, item);
        block_set(block, lp);
        return;
    }
    struct listpack *lp = block_listpack(block);
    size_t span = listpack_element_span(listpack_element(lp, place.at));
    if (!large && block->bytes - span + listpack_cost(item) <= limits->bytes) {
        (void)listpack_replace(&lp, place.at, item);
        block_set(block, lp);
        return;
    }
    place.at = listpack_remove(&lp, place.at);
    block_changed(*chain, block, lp, -1);
    insert_at(chain, place, item, limits);
}

void list__chain_replace(struct chain **chain, size_t index, struct bytes item,
                         const struct list_limits *limits) {
    size_t old_size = (*chain)->size, within;
    struct place place = {.block = list__chain_seek(*chain, index, &within), .at = LISTPACK_HEADER};
    list__block_open(*chain, place.block);
    const struct block *block = list__block_const(*chain, place.block);
    if (!block_is_plain(block)) {
        place.at = listpack_seek(block_listpack(block), (int64_t)within);
        check(place.at != LISTPACK_END);
    }
    replace_at(chain, place, item, limits);
    list__chain_changed(*chain, place.block, REACH, old_size, limits->compress_depth);
}

/* ---- by value ---- */

/* The matches after the first `skip` ones, up to count, are left out of a new listpack. */
static void rebuild_without(struct listpack **lp, size_t skip, size_t count, struct bytes item) {
    struct listpack *old = *lp, *new = listpack_create(listpack_size(old));
    size_t kept = listpack_first(old), at = kept;
    for (size_t i = 0; i < skip + count; i++) {
        at = listpack_find(old, at, item, 0);
        check(at != LISTPACK_END);
        size_t next = listpack_next(old, at);
        if (i >= skip) {
            if (kept != at) listpack_append_range(&new, old, kept, at);
            kept = next;
        }
        at = next;
    }
    listpack_append_range(&new, old, kept, LISTPACK_END);
    listpack_shrink(&new);
    listpack_destroy(lp);
    *lp = new;
}

size_t list__listpack_remove(struct listpack **lp, enum list_end from, size_t count,
                             struct bytes item) {
    size_t at = listpack_find(*lp, listpack_first(*lp), item, 0);
    if (at == LISTPACK_END || count == 0) return 0;
    if (count == 1 && from == LIST_HEAD) {
        (void)listpack_remove(lp, at);
        return 1;
    }
    size_t matches = 0;
    while (at != LISTPACK_END) {
        matches++;
        at = listpack_find(*lp, listpack_next(*lp, at), item, 0);
    }
    count = size_min(count, matches);
    rebuild_without(lp, from == LIST_TAIL ? matches - count : 0, count, item);
    return count;
}

/* Whether a compressed block has such an element, for which it would have to be opened. */
static bool is_in_packed(const struct block *block, struct bytes item) {
    struct listpack *scratch = NULL;
    const struct listpack *lp = list__block_read(block, &scratch);
    bool found = listpack_find(lp, listpack_first(lp), item, 0) != LISTPACK_END;
    listpack_destroy(&scratch);
    return found;
}

static size_t remove_in_block(struct chain *chain, size_t index, enum list_end from, size_t count,
                              struct bytes item) {
    struct block *block = list__block(chain, index);
    if (block_is_plain(block)) return bytes_equal(blob_bytes(block_blob(block)), item);
    if (block_is_packed(block)) {
        if (!is_in_packed(block, item)) return 0;
        list__block_open(chain, index);
    }
    struct listpack *lp = block_listpack(block);
    size_t removed = list__listpack_remove(&lp, from, count, item);
    if (removed > 0) block_changed(chain, block, lp, -(int64_t)removed);
    return removed;
}

/* Closes the empty slots among the first or the last `visited` ones, all at once: each block there
 * moves once, and none of the others. */
static void close_slots(struct chain **chain_ptr, enum list_end from, size_t visited) {
    struct chain *chain = *chain_ptr;
    size_t to = from == LIST_HEAD ? visited : chain->size - visited;
    if (from == LIST_HEAD) {
        for (size_t i = visited; i-- > 0;) {
            if (list__block(chain, i)->count > 0)
                *list__block(chain, --to) = *list__block(chain, i);
        }
        chain->first = (chain->first + to) & (chain->cap - 1);
        chain->size -= to;
    } else {
        for (size_t i = to; i < chain->size; i++) {
            if (list__block(chain, i)->count > 0)
                *list__block(chain, to++) = *list__block(chain, i);
        }
        chain->size = to;
    }
    shrink(chain_ptr);
}

/* Elements of this block were removed. What is left goes to the one visited before, *beside, if the
 * two are small; *beside becomes the one that is not empty. */
static void settle_block(struct chain *chain, enum list_end from, size_t index, size_t *beside,
                         const struct list_limits *limits) {
    const struct list_limits half = {.bytes = limits->bytes / 2, .count = limits->count / 2};
    const struct block *block = list__block_const(chain, index);
    if (block_is_plain(block) || block->count == 0) {
        empty_slot(chain, index);
        return;
    }
    bool is_first = *beside == SIZE_MAX;
    if (from == LIST_TAIL) {
        if (!is_first) (void)merge(chain, index, *beside, &half);
        *beside = index;
    } else if (is_first || !merge(chain, *beside, index, &half)) {
        *beside = index;
    }
    list__chain_changed(chain, *beside, 1, chain->size, limits->compress_depth);
}

size_t list__chain_remove(struct chain **chain, enum list_end from, size_t count, struct bytes item,
                          const struct list_limits *limits) {
    size_t size = (*chain)->size, removed = 0, visited = 0, beside = SIZE_MAX;
    for (; visited < size && removed < count; visited++) {
        size_t index = from == LIST_HEAD ? visited : size - 1 - visited;
        size_t here = remove_in_block(*chain, index, from, count - removed, item);
        removed += here;
        if (here > 0) {
            settle_block(*chain, from, index, &beside, limits);
        } else {
            beside = index;
        }
    }
    if (removed > 0) close_slots(chain, from, visited);
    list__chain_changed(*chain, 0, 0, size, limits->compress_depth);
    return removed;
}

/* ---- checking ---- */

void list__chain_verify(const struct chain *chain) {
    size_t count = 0, packed = 0;
    struct listpack *scratch = NULL;
    check(chain->cap >= CHAIN_CAP_MIN && (chain->cap & (chain->cap - 1)) == 0);
    check(chain->size <= chain->cap && chain->first < chain->cap);
    for (size_t i = 0; i < chain->size; i++) {
        const struct block *block = list__block_const(chain, i);
        check(block->count > 0);
        count += block->count;
        if (block_is_plain(block)) {
            check(block->count == 1 && block->bytes == 0);
            continue;
        }
        if (block_is_packed(block)) {
            check(i > 0 && i < chain->size - 1);
            packed++;
        }
        const struct listpack *lp = list__block_read(block, &scratch);
        check(listpack_validate(lp, block->bytes, NULL, NULL));
        listpack_verify(lp);
        check(listpack_count(lp) == block->count);
        check(listpack_size(lp) == block->bytes);
    }
    listpack_destroy(&scratch);
    check(count == chain->count);
    check(packed == chain->packed);
}
