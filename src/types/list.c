/* SPDX-License-Identifier: BSD-3-Clause */
/* The two forms, and when one becomes the other.
 *
 *   packed ──list_expect: would outgrow a block; an element that is large──▶ chain
 *   packed ◀──settle: after removals one block is left, at most half full── chain */
#include "types/list.h"

#include "base/check.h"
#include "types/list_internal.h"

enum {
    TAG_CHAIN = 1,
    PREFETCH_BYTES_MAX = 512, /* longer moves have their own read-ahead in the hardware */
};

/* ---- forms ---- */

static inline bool is_chain(const void *list) { return (uintptr_t)list & TAG_CHAIN; }
static inline struct chain *chain_of(const void *list) {
    dcheck(is_chain(list));
    return (struct chain *)((uintptr_t)list - TAG_CHAIN);
}
static inline void *tagged(struct chain *chain) { return (void *)((uintptr_t)chain | TAG_CHAIN); }
static inline struct listpack *packed_of(const void *list) {
    dcheck(!is_chain(list));
    return (struct listpack *)(uintptr_t)list;
}

struct list_limits list_limits_of(int32_t block_size, size_t plain_bytes) {
    static const size_t bytes[] = {4096, 8192, 16384, 32768, 65536};
    enum { COUNTED_BYTES = 8192 }; /* even if fewer elements than allowed make as much */
    struct list_limits limits = {.bytes = COUNTED_BYTES, .count = SIZE_MAX};
    if (block_size >= 0) {
        limits.count = block_size > 0 ? (size_t)block_size : 1;
        limits.by_count = true;
    } else {
        limits.bytes = bytes[size_min(COUNT_OF(bytes), 0 - (size_t)(int64_t)block_size) - 1];
    }
    limits.plain_bytes = plain_bytes > 0 ? plain_bytes : SIZE_MAX;
    return limits;
}

static void make_chain(void **list) {
    struct listpack *lp = packed_of(*list);
    struct chain *chain = list__chain_create();
    if (listpack_first(lp) != LISTPACK_END) {
        list__chain_add_listpack(&chain, lp);
    } else {
        listpack_destroy(&lp);
    }
    *list = tagged(chain);
}

/* Makes a chain packed. Its one block, if any, is a listpack. */
static void make_packed(void **list) {
    struct chain *chain = chain_of(*list);
    struct listpack *lp = list__chain_take_packed(chain);
    *list = lp ? (void *)lp : list_create(0);
}

/* Whether a chain has become small enough for the other form: half of what would have made it a
 * chain, so that it does not change with each step. */
static bool is_small(const struct chain *chain, const struct list_limits *limits) {
    if (chain->size == 0) return true;
    const struct block *block = list__block_const(chain, 0);
    if (chain->size > 1 || block_is_plain(block)) return false;
    return limits->by_count ? block->count <= limits->count / 2 : block->bytes <= limits->bytes / 2;
}

static void settle(void **list, const struct list_limits *limits) {
    if (is_chain(*list) && is_small(chain_of(*list), limits)) make_packed(list);
}

void list_expect(void **list, size_t count, size_t bytes, const struct list_limits *limits) {
    if (is_chain(*list)) return;
    struct listpack *lp = packed_of(*list);
    if (listpack_size(lp) + bytes > limits->bytes ||
        (limits->by_count && listpack_count(lp) + count > limits->count)) {
        make_chain(list);
    }
}

/* ---- life ---- */

void *list_create(size_t bytes) {
    enum { AHEAD_MAX = 4096 };
    if (bytes == 0 || bytes > AHEAD_MAX) return listpack_create(0);
    return listpack_create(LISTPACK_EMPTY_SIZE + listpack_cost(bytes_make(NULL, bytes)));
}

void list_destroy(void *list) {
    if (is_chain(list)) {
        list__chain_destroy(chain_of(list));
    } else {
        struct listpack *lp = packed_of(list);
        listpack_destroy(&lp);
    }
}

void *list_copy(const void *list) {
    if (is_chain(list)) return tagged(list__chain_copy(chain_of(list)));
    return listpack_copy(packed_of(list));
}

size_t list_memory_bytes(const void *list, size_t samples) {
    if (!is_chain(list)) return listpack_memory_bytes(packed_of(list));
    const struct chain *chain = chain_of(list);
    size_t looked = samples == 0 ? chain->size : size_min(samples, chain->size), bytes = 0;
    for (size_t i = 0; i < looked; i++) {
        const struct block *block = list__block_const(chain, i);
        bytes += block_is_plain(block)    ? blob_memory_bytes(block_blob(block))
                 : block_is_packed(block) ? list__block_packed_bytes(block)
                                          : listpack_memory_bytes(block_listpack(block));
    }
    if (looked > 0) bytes = (size_t)((double)bytes / (double)looked * (double)chain->size);
    return mem_usable_size(chain) + bytes;
}

size_t list_free_effort(const void *list) { return is_chain(list) ? chain_of(list)->size : 1; }

const char *list_encoding_name(const void *list) {
    return is_chain(list) ? "quicklist" : "listpack";
}

void list_prefetch(const void *list, enum list_end end, unsigned step) {
    const char *object = (const char *)((uintptr_t)list & ~(uintptr_t)TAG_CHAIN);
    if (step == 0) {
        prefetch_line(object);
    } else if (is_chain(list)) {
        const struct chain *chain = chain_of(list);
        if (chain->size > 0) {
            prefetch_line(list__block_const(chain, end == LIST_HEAD ? 0 : chain->size - 1));
        }
    } else if (end == LIST_TAIL) {
        prefetch_line(object + listpack_size(packed_of(list)) - 1);
    } else { /* a change there moves all */
        size_t size = size_min(listpack_size(packed_of(list)), PREFETCH_BYTES_MAX);
        for (size_t at = CACHE_LINE; at < size; at += CACHE_LINE)
            prefetch_line(object + at);
    }
}

/* ---- reading ---- */

size_t list_count(const void *list) {
    return is_chain(list) ? chain_of(list)->count : listpack_count(packed_of(list));
}

const struct listpack *list_packed(const void *list) {
    return is_chain(list) ? NULL : packed_of(list);
}

static inline struct list_item blob_item(struct blob *blob) {
    return (struct list_item){.value = {.data = blob->data, .size = blob->size}, .blob = blob};
}

bool list_peek(const void *list, enum list_end end, struct list_item *out) {
    if (likely(!is_chain(list))) {
        const struct listpack *lp = packed_of(list);
        size_t at = end == LIST_HEAD ? listpack_first(lp) : listpack_last(lp);
        if (at == LISTPACK_END) return false;
        *out = (struct list_item){.value = listpack_get(lp, at)};
        return true;
    }
    const struct chain *chain = chain_of(list);
    if (chain->size == 0) return false;
    const struct block *block = list__block_const(chain, end == LIST_HEAD ? 0 : chain->size - 1);
    if (block_is_plain(block)) {
        *out = blob_item(block_blob(block));
        return true;
    }
    const struct listpack *lp = block_listpack(block);
    size_t at = end == LIST_HEAD ? (size_t)LISTPACK_HEADER : listpack_last(lp);
    *out = (struct list_item){.value = listpack_get(lp, at)};
    return true;
}

/* The index from the head; false: out of range. */
static bool resolve(const void *list, int64_t index, size_t *out) {
    int64_t count = (int64_t)list_count(list);
    if (index < 0) index += count;
    if (index < 0 || index >= count) return false;
    *out = (size_t)index;
    return true;
}

bool list_at(const void *list, int64_t index, struct list_item *out, struct listpack **scratch) {
    size_t position;
    if (!resolve(list, index, &position)) return false;
    const struct listpack *lp;
    if (is_chain(list)) {
        const struct chain *chain = chain_of(list);
        size_t found = list__chain_seek(chain, position, &position);
        const struct block *block = list__block_const(chain, found);
        if (block_is_plain(block)) {
            *out = blob_item(block_blob(block));
            return true;
        }
        lp = list__block_read(block, scratch);
    } else {
        lp = packed_of(list);
    }
    *out = (struct list_item){.value = listpack_get(lp, listpack_seek(lp, (int64_t)position))};
    return true;
}

/* ---- iterating ---- */

/* The block of this number, from its first or last element on. */
static void enter_block(struct list_iter *iter, size_t index) {
    const struct chain *chain = chain_of(iter->list);
    iter->block = index;
    iter->lp = NULL;
    iter->blob = NULL;
    iter->is_behind = false;
    iter->at = LISTPACK_HEADER;
    if (index >= chain->size) return;
    const struct block *block = list__block_const(chain, index);
    if (block_is_plain(block)) {
        iter->blob = block_blob(block);
        return;
    }
    if (block_is_packed(block)) {
        iter->is_behind = true;
        return;
    }
    iter->lp = block_listpack(block);
    if (iter->from == LIST_TAIL) iter->at = listpack_last(iter->lp);
    size_t next = iter->from == LIST_HEAD ? index + 1 : index - 1;
    if (next < chain->size) prefetch_line((void *)list__block_const(chain, next)->word);
}

/* Unpacks the block it is in, now that what was lent before is out of use. */
static void unpack_block(struct list_iter *iter) {
    const struct chain *chain = chain_of(iter->list);
    iter->lp = list__block_read(list__block_const(chain, iter->block), &iter->scratch);
    iter->is_behind = false;
    if (iter->from == LIST_TAIL) iter->at = listpack_last(iter->lp);
}

static void enter_next(struct list_iter *iter) {
    if (is_chain(iter->list)) {
        /* Before the first comes SIZE_MAX, which is no block's number either. */
        enter_block(iter, iter->from == LIST_HEAD ? iter->block + 1 : iter->block - 1);
    } else {
        iter->lp = NULL;
    }
}

void list_iter_init(struct list_iter *iter, const void *list, size_t index, enum list_end from) {
    *iter = (struct list_iter){.list = list, .from = from};
    if (index >= list_count(list)) {
        iter->block = SIZE_MAX - 1; /* no block's number, and neither are those beside it */
        return;
    }
    if (!is_chain(list)) {
        iter->lp = packed_of(list);
        iter->at = listpack_seek(iter->lp, (int64_t)index);
        return;
    }
    enter_block(iter, list__chain_seek(chain_of(list), index, &index));
    if (iter->is_behind) unpack_block(iter);
    if (iter->lp) iter->at = listpack_seek(iter->lp, (int64_t)index);
}

void list_iter_deinit(struct list_iter *iter) {
    if (unlikely(iter->scratch != NULL)) listpack_destroy(&iter->scratch);
}

bool list_iter_next(struct list_iter *iter, struct list_item *out) {
    if (unlikely(iter->is_behind)) unpack_block(iter);
    if (likely(iter->lp != NULL)) {
        *out = (struct list_item){.value = listpack_get(iter->lp, iter->at)};
        iter->at = iter->from == LIST_HEAD ? listpack_next(iter->lp, iter->at)
                                           : listpack_prev(iter->lp, iter->at);
        if (iter->at == LISTPACK_END) enter_next(iter);
        return true;
    }
    struct blob *blob = iter->blob;
    if (!blob) return false;
    *out = blob_item(blob);
    enter_next(iter);
    return true;
}

bool list_iter_next_span(struct list_iter *iter, struct list_span *out) {
    dcheck(iter->from == LIST_HEAD);
    if (unlikely(iter->is_behind)) unpack_block(iter);
    if (!iter->lp && !iter->blob) return false;
    *out = (struct list_span){.lp = iter->lp, .at = iter->at, .blob = iter->blob};
    enter_next(iter);
    return true;
}

/* ---- changing ---- */

static void chain_push(void **list, enum list_end end, struct bytes item, struct blob *blob,
                       const struct list_limits *limits) {
    struct chain *chain = chain_of(*list);
    list__chain_push(&chain, end, item, blob, limits);
    *list = tagged(chain);
}

void list_push(void **list, enum list_end end, struct bytes item,
               const struct list_limits *limits) {
    list_expect(list, 1, item.size, limits);
    if (unlikely(is_chain(*list))) {
        chain_push(list, end, item, NULL, limits);
        return;
    }
    struct listpack *lp = packed_of(*list);
    if (end == LIST_HEAD) {
        listpack_prepend(&lp, item);
    } else {
        listpack_append(&lp, item);
    }
    *list = lp;
}

void list_push_blob(void **list, enum list_end end, struct blob *blob,
                    const struct list_limits *limits) {
    list_expect(list, 1, blob->size, limits);
    if (is_chain(*list)) {
        chain_push(list, end, blob_bytes(blob), blob, limits);
    } else {
        list_push(list, end, blob_bytes(blob), limits);
    }
    blob_release(blob);
}

static void drop_blocks(void **list, enum list_end end, size_t count,
                        const struct list_limits *limits, struct chain **cut) {
    struct chain *chain = chain_of(*list);
    list__chain_drop(&chain, end, count, limits, cut);
    *list = tagged(chain);
    settle(list, limits);
}

void list_drop(void **list, enum list_end end, size_t count, const struct list_limits *limits) {
    if (unlikely(is_chain(*list))) {
        drop_blocks(list, end, count, limits, NULL);
        return;
    }
    struct listpack *lp = packed_of(*list);
    count = size_min(count, listpack_count(lp));
    if (count == 0) return;
    size_t at = listpack_first(lp);
    if (end == LIST_TAIL) at = count == 1 ? listpack_last(lp) : listpack_seek(lp, -(int64_t)count);
    (void)listpack_remove_range(&lp, at, count);
    *list = lp;
}

void list_trim(void **list, size_t first, size_t count, const struct list_limits *limits,
               void **cut) {
    size_t total = list_count(*list);
    first = size_min(first, total);
    count = size_min(count, total - first);
    size_t behind = total - first - count;
    *cut = NULL;
    if (first + behind == 0) return;
    if (!is_chain(*list)) {
        list_drop(list, LIST_TAIL, behind, limits);
        list_drop(list, LIST_HEAD, first, limits);
        return;
    }
    struct chain *blocks = NULL;
    drop_blocks(list, LIST_TAIL, behind, limits, &blocks);
    if (is_chain(*list)) {
        drop_blocks(list, LIST_HEAD, first, limits, &blocks);
    } else {
        list_drop(list, LIST_HEAD, first, limits);
    }
    if (blocks) *cut = tagged(blocks);
}

bool list_set(void **list, int64_t index, struct bytes item, const struct list_limits *limits) {
    size_t position;
    if (!resolve(*list, index, &position)) return false;
    list_expect(list, 1, item.size, limits);
    if (is_chain(*list)) {
        struct chain *chain = chain_of(*list);
        list__chain_replace(&chain, position, item, limits);
        *list = tagged(chain);
        settle(list, limits);
        return true;
    }
    struct listpack *lp = packed_of(*list);
    (void)listpack_replace(&lp, listpack_seek(lp, (int64_t)position), item);
    *list = lp;
    return true;
}

/* The place of the first element that equals. */
static bool find_in_chain(const struct chain *chain, struct bytes item, struct place *out) {
    struct listpack *scratch = NULL;
    bool found = false;
    for (size_t i = 0; !found && i < chain->size; i++) {
        const struct block *block = list__block_const(chain, i);
        size_t at = LISTPACK_HEADER;
        if (block_is_plain(block)) {
            found = bytes_equal(blob_bytes(block_blob(block)), item);
        } else {
            at = listpack_find(list__block_read(block, &scratch), at, item, 0);
            found = at != LISTPACK_END;
        }
        *out = (struct place){.block = i, .at = at};
    }
    listpack_destroy(&scratch);
    return found;
}

static bool chain_insert(void **list, struct bytes pivot, struct bytes item, bool after,
                         const struct list_limits *limits) {
    struct chain *chain = chain_of(*list);
    struct place place;
    if (!find_in_chain(chain, pivot, &place)) return false;
    if (after) {
        list__block_open(chain, place.block);
        const struct block *block = list__block_const(chain, place.block);
        place.at = block_is_plain(block) ? (size_t)LISTPACK_END
                                         : listpack_next(block_listpack(block), place.at);
    }
    list__chain_insert(&chain, place, item, limits);
    *list = tagged(chain);
    return true;
}

bool list_insert(void **list, struct bytes pivot, struct bytes item, bool after,
                 const struct list_limits *limits) {
    if (is_chain(*list)) return chain_insert(list, pivot, item, after, limits);
    struct listpack *lp = packed_of(*list);
    size_t at = listpack_find(lp, listpack_first(lp), pivot, 0);
    if (at == LISTPACK_END) return false;
    list_expect(list, 1, item.size, limits);
    if (is_chain(*list)) return chain_insert(list, pivot, item, after, limits);
    if (after) at = listpack_next(lp, at);
    (void)listpack_insert(&lp, at, item);
    *list = lp;
    return true;
}

size_t list_remove(void **list, enum list_end from, size_t count, struct bytes item,
                   const struct list_limits *limits) {
    size_t removed;
    if (is_chain(*list)) {
        struct chain *chain = chain_of(*list);
        removed = list__chain_remove(&chain, from, count, item, limits);
        *list = tagged(chain);
        if (removed > 0) settle(list, limits);
        return removed;
    }
    struct listpack *lp = packed_of(*list);
    removed = list__listpack_remove(&lp, from, count, item);
    *list = lp;
    return removed;
}

/* ---- as files have it ---- */

size_t list_block_count(const void *list) { return is_chain(list) ? chain_of(list)->size : 1; }

size_t list_block_bytes(const void *list, size_t index) {
    if (!is_chain(list)) return listpack_size(packed_of(list));
    const struct chain *chain = chain_of(list);
    check(index < chain->size);
    const struct block *block = list__block_const(chain, index);
    return block_is_plain(block) ? block_blob(block)->size : block->bytes;
}

size_t list_compressed_count(const void *list) {
    return is_chain(list) ? chain_of(list)->packed : 0;
}

void *list_copy_open(const void *list) {
    if (list_compressed_count(list) == 0) return NULL;
    struct chain *copy = list__chain_copy(chain_of(list));
    list__chain_open_all(copy);
    return tagged(copy);
}

struct list_span list_block_at(const void *list, size_t index, struct listpack **scratch) {
    struct list_span span = {.at = LISTPACK_HEADER};
    if (!is_chain(list)) {
        check(index == 0);
        span.lp = packed_of(list);
        return span;
    }
    const struct chain *chain = chain_of(list);
    check(index < chain->size);
    const struct block *block = list__block_const(chain, index);
    if (block_is_plain(block)) {
        span.blob = block_blob(block);
    } else {
        span.lp = list__block_read(block, scratch);
    }
    return span;
}

void list_add_block(void **list, struct listpack *lp) {
    if (!is_chain(*list)) make_chain(list);
    struct chain *chain = chain_of(*list);
    list__chain_add_listpack(&chain, lp);
    *list = tagged(chain);
}

void list_add_plain_block(void **list, struct blob *blob) {
    static const struct list_limits none = {.bytes = 0, .count = 0, .plain_bytes = 0};
    if (!is_chain(*list)) make_chain(list);
    chain_push(list, LIST_TAIL, blob_bytes(blob), blob, &none);
    blob_release(blob);
}

/* Also a block that is more than half full, if nothing says that it is too large for a list that
 * was never a chain. */
void list_settle(void **list, const struct list_limits *limits) {
    if (!is_chain(*list)) {
        list_expect(list, 0, 0, limits);
        return;
    }
    struct chain *chain = chain_of(*list);
    if (limits->compress_depth > 0) list__chain_close_all(chain, limits->compress_depth);
    if (chain->size > 1) return;
    if (chain->size == 1) {
        const struct block *block = list__block_const(chain, 0);
        if (block_is_plain(block) || block->bytes > limits->bytes || block->count > limits->count) {
            return;
        }
    }
    make_packed(list);
}

void list_verify(const void *list) {
    if (is_chain(list)) {
        list__chain_verify(chain_of(list));
    } else {
        listpack_verify(packed_of(list));
    }
}
