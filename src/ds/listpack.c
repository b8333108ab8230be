/* SPDX-License-Identifier: BSD-3-Clause */
/* Room: additions use up what the allocator's size class leaves, whose steps make them amortised
 * O(1) at the end; from LISTPACK_SLACK_MIN on an eighth is added for allocators with small steps.
 * Removals give back when a power of two is crossed and half of the allocation is free, so that
 * sizes that go up and down around one point do not move the bytes each time.
 *
 * A backward length of n bytes holds 7n bits less its highest value: 16383 takes 3 bytes, 2097151
 * takes 4. Peers write it so and skip it so; ours must be theirs to the byte. */
#include "ds/listpack.h"

#include "base/check.h"
#include "base/mem.h"
#include "ds/listpack_inline.h"

enum {
    COUNT_AT = 4,
    HEAD_MAX = 9, /* bytes of an encoding before a string's own, and of a whole integer */
    BACK_MAX = 5,
    LISTPACK_SLACK_MIN = 16 * 1024,
};

/* ---- bytes ---- */

static inline uint8_t *bytes_at(struct listpack *lp, size_t at) { return (uint8_t *)lp + at; }

static inline void store_le(uint8_t *p, uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

static inline size_t total_of(const struct listpack *lp) {
    return listpack_load(listpack_element(lp, 0), 4);
}
static inline void set_total(struct listpack *lp, size_t total) {
    store_le(bytes_at(lp, 0), total, 4);
}
static inline size_t header_count(const struct listpack *lp) {
    return listpack_load(listpack_element(lp, COUNT_AT), 2);
}
static inline void set_header_count(struct listpack *lp, size_t count) {
    store_le(bytes_at(lp, COUNT_AT), size_min(count, LISTPACK_COUNT_UNKNOWN), 2);
}
static inline void count_added(struct listpack *lp, size_t count) {
    set_header_count(lp, header_count(lp) + count); /* once unknown it stays so */
}
static inline void count_removed(struct listpack *lp, size_t count) {
    size_t before = header_count(lp);
    if (before == LISTPACK_COUNT_UNKNOWN) return;
    dcheck(before >= count);
    set_header_count(lp, before - count);
}

/* ---- elements ---- */

/* Writes the backward length at p; returns its size. */
static inline size_t write_back(uint8_t *p, size_t size) {
    size_t count = listpack_back_size(size);
    if (likely(count == 1)) {
        p[0] = (uint8_t)size;
        return 1;
    }
    for (size_t i = count; i-- > 0; size >>= 7)
        p[i] = (uint8_t)((size & 127) | (i > 0 ? 128 : 0));
    return count;
}

/* The length that ends before p. */
static inline size_t read_back(const uint8_t *p) {
    size_t size = *--p & 127;
    for (unsigned shift = 7; unlikely(*p & 128); shift += 7) {
        dcheck(shift <= 28);
        size |= (size_t)(*--p & 127) << shift;
    }
    return size;
}

/* An element about to be written: a head, then perhaps a string. */
struct element {
    uint8_t head[HEAD_MAX];
    uint8_t head_size;
    struct bytes string; /* none of an integer */
};

static void encode_int(struct element *e, int64_t integer) {
    e->string = bytes_make(NULL, 0);
    if (integer >= 0 && integer <= 127) {
        e->head[0] = (uint8_t)integer;
        e->head_size = 1;
        return;
    }
    if (integer >= -4096 && integer <= 4095) {
        e->head[0] = (uint8_t)(LISTPACK_INT13 | (integer >> 8 & 31));
        e->head[1] = (uint8_t)integer;
        e->head_size = 2;
        return;
    }
    static const uint8_t firsts[] = {
        [2] = LISTPACK_INT16, [3] = LISTPACK_INT24, [4] = LISTPACK_INT32, [8] = LISTPACK_INT64};
    unsigned size = integer >= INT16_MIN && integer <= INT16_MAX   ? 2
                    : integer >= -(1 << 23) && integer < 1 << 23   ? 3
                    : integer >= INT32_MIN && integer <= INT32_MAX ? 4
                                                                   : 8;
    e->head[0] = firsts[size];
    store_le(e->head + 1, (uint64_t)integer, size);
    e->head_size = (uint8_t)(1 + size);
}

/* True if the bytes are an integer's canonical text. */
static inline bool parse_int(struct bytes bytes, int64_t *out) {
    if (bytes.size == 0 || bytes.size > NUM_I64_TEXT_MAX) return false;
    char first = bytes.data[0];
    if (likely(!char_is_digit(first) && first != '-')) return false;
    return num_parse_i64(bytes, out);
}

static void encode(struct element *e, struct bytes bytes) {
    int64_t integer;
    if (parse_int(bytes, &integer)) {
        encode_int(e, integer);
        return;
    }
    e->string = bytes;
    if (likely(bytes.size <= LISTPACK_STRING6_MAX)) {
        e->head[0] = (uint8_t)(LISTPACK_STRING6 | bytes.size);
        e->head_size = 1;
    } else if (bytes.size <= LISTPACK_STRING12_MAX) {
        e->head[0] = (uint8_t)(LISTPACK_STRING12 | bytes.size >> 8);
        e->head[1] = (uint8_t)bytes.size;
        e->head_size = 2;
    } else {
        check(bytes.size < LISTPACK_SIZE_MAX);
        e->head[0] = LISTPACK_STRING32;
        store_le(e->head + 1, bytes.size, 4);
        e->head_size = 5;
    }
}

static inline size_t encoded_span(const struct element *e) {
    size_t size = e->head_size + e->string.size;
    return size + listpack_back_size(size);
}

static void write_element(uint8_t *p, const struct element *e) {
    memcpy(p, e->head, e->head_size);
    p += e->head_size;
    if (e->string.size > 0) memcpy(p, e->string.data, e->string.size);
    write_back(p + e->string.size, e->head_size + e->string.size);
}

/* ---- room ---- */

static void make_room(struct listpack **lp, size_t total) {
    check(total <= LISTPACK_SIZE_MAX);
    if (likely(total <= mem_usable_size(*lp))) return;
    *lp = mem_realloc(*lp, total < LISTPACK_SLACK_MIN ? total : total + total / 8);
}

/* Makes a gap for added bytes at `at`. What has to move moves once: in a new allocation all goes to
 * its place at once. */
static void open_gap(struct listpack **lp, size_t at, size_t before, size_t added) {
    struct listpack *old = *lp;
    size_t total = before + added, usable = mem_usable_size(old);
    if (total <= usable || total >= LISTPACK_SLACK_MIN) {
        make_room(lp, total);
        memmove(bytes_at(*lp, at + added), bytes_at(*lp, at), before - at);
        return;
    }
    *lp = mem_alloc(total);
    memcpy(*lp, old, at);
    memcpy(bytes_at(*lp, at + added), bytes_at(old, at), before - at);
    mem_free_sized(old, usable);
}

static void give_back(struct listpack **lp, size_t before, size_t total) {
    if (likely((before ^ total) <= total)) return; /* their highest bits are the same one */
    if (mem_usable_size(*lp) / 2 >= total) *lp = mem_realloc(*lp, total);
}

/* Replaces removed bytes at `at` by added ones, which the caller writes at the address returned. */
static uint8_t *splice(struct listpack **lp, size_t at, size_t removed, size_t added) {
    size_t before = total_of(*lp), total = before - removed + added;
    dcheck(at >= LISTPACK_HEADER && at + removed < before);
    if (added == removed) return bytes_at(*lp, at);
    if (added > removed) {
        open_gap(lp, at + removed, before, added - removed);
    } else {
        memmove(bytes_at(*lp, at + added), bytes_at(*lp, at + removed), before - at - removed);
    }
    set_total(*lp, total);
    if (added < removed) give_back(lp, before, total);
    return bytes_at(*lp, at);
}

/* ---- life ---- */

struct listpack *listpack_create(size_t cap_hint) {
    struct listpack *lp = mem_alloc(size_max(cap_hint, LISTPACK_EMPTY_SIZE));
    set_total(lp, LISTPACK_EMPTY_SIZE);
    set_header_count(lp, 0);
    *bytes_at(lp, LISTPACK_HEADER) = LISTPACK_END_BYTE;
    return lp;
}

void listpack_destroy(struct listpack **lp) {
    mem_free(*lp);
    *lp = NULL;
}

struct listpack *listpack_copy(const struct listpack *lp) {
    size_t total = total_of(lp);
    struct listpack *copy = mem_alloc(total);
    memcpy(copy, lp, total);
    return copy;
}

void listpack_shrink(struct listpack **lp) {
    size_t total = total_of(*lp);
    if (mem_good_size(total) < mem_usable_size(*lp)) *lp = mem_realloc(*lp, total);
}

/* ---- reading ---- */

size_t listpack_size(const struct listpack *lp) { return total_of(lp); }
size_t listpack_memory_bytes(const struct listpack *lp) { return mem_usable_size(lp); }

size_t listpack_count(const struct listpack *lp) {
    size_t count = header_count(lp);
    if (likely(count != LISTPACK_COUNT_UNKNOWN)) return count;
    count = 0;
    for (const uint8_t *p = listpack_element(lp, LISTPACK_HEADER); *p != LISTPACK_END_BYTE;
         p += listpack_element_span(p))
        count++;
    return count;
}

/* The offset of what is at p, which may be the end. */
static inline size_t offset_of(const struct listpack *lp, const uint8_t *p) {
    return *p == LISTPACK_END_BYTE ? LISTPACK_END : (size_t)(p - listpack_element(lp, 0));
}

size_t listpack_first(const struct listpack *lp) {
    return offset_of(lp, listpack_element(lp, LISTPACK_HEADER));
}

/* The offset of the element that ends at `at`. */
static inline size_t offset_before(const struct listpack *lp, size_t at) {
    if (at == LISTPACK_HEADER) return LISTPACK_END;
    size_t size = read_back(listpack_element(lp, at));
    return at - listpack_back_size(size) - size;
}

size_t listpack_last(const struct listpack *lp) { return offset_before(lp, total_of(lp) - 1); }

size_t listpack_next(const struct listpack *lp, size_t at) {
    dcheck(at >= LISTPACK_HEADER && at < total_of(lp) - 1);
    const uint8_t *p = listpack_element(lp, at);
    return offset_of(lp, p + listpack_element_span(p));
}

size_t listpack_prev(const struct listpack *lp, size_t at) {
    dcheck(at >= LISTPACK_HEADER && at < total_of(lp));
    return offset_before(lp, at);
}

size_t listpack_seek(const struct listpack *lp, int64_t index) {
    size_t count = header_count(lp);
    if (likely(count != LISTPACK_COUNT_UNKNOWN)) {
        int64_t size = (int64_t)count;
        if (index < -size || index >= size) return LISTPACK_END;
        if (index >= 0 && index > size / 2) index -= size;
        if (index < 0 && -index > size / 2 + 1) index += size;
    }
    if (index < 0) {
        size_t at = listpack_last(lp);
        while (at != LISTPACK_END && ++index < 0)
            at = offset_before(lp, at);
        return at;
    }
    const uint8_t *p = listpack_element(lp, LISTPACK_HEADER);
    while (index-- > 0 && *p != LISTPACK_END_BYTE)
        p += listpack_element_span(p);
    return offset_of(lp, p);
}

struct listpack_value listpack_get(const struct listpack *lp, size_t at) {
    dcheck(at >= LISTPACK_HEADER && at < total_of(lp) - 1);
    return listpack_element_value(listpack_element(lp, at));
}

struct bytes listpack_value_bytes(const struct listpack_value *value,
                                  char scratch[NUM_I64_TEXT_MAX]) {
    if (value->data) return bytes_make(value->data, value->size);
    return bytes_make(scratch, num_format_i64(scratch, value->integer));
}

struct bytes listpack_get_bytes(const struct listpack *lp, size_t at,
                                char scratch[NUM_I64_TEXT_MAX]) {
    struct listpack_value value = listpack_get(lp, at);
    return listpack_value_bytes(&value, scratch);
}

/* What elements are compared with: bytes, and the integer they are if they are one. */
struct wanted {
    struct bytes bytes;
    bool is_int;
    int64_t integer;
};

static inline bool equals(const uint8_t *p, const struct wanted *wanted) {
    if (!listpack_element_is_string(p[0]))
        return wanted->is_int && listpack_element_int(p) == wanted->integer;
    /* Files from elsewhere may have integers as text. */
    size_t size = listpack_string_size(p);
    return size == wanted->bytes.size &&
           (size == 0 || memcmp(p + listpack_head_size(p[0]), wanted->bytes.data, size) == 0);
}

bool listpack_equals(const struct listpack *lp, size_t at, struct bytes bytes) {
    dcheck(at >= LISTPACK_HEADER && at < total_of(lp) - 1);
    struct wanted wanted = {.bytes = bytes};
    wanted.is_int = parse_int(bytes, &wanted.integer);
    return equals(listpack_element(lp, at), &wanted);
}

/* The first of the elements at p, p + 1 + skip, ... that equals; or the end byte. */
static const uint8_t *find_any(const uint8_t *p, const struct wanted *wanted, unsigned skip) {
    while (*p != LISTPACK_END_BYTE && !equals(p, wanted)) {
        p += listpack_element_span(p);
        for (unsigned i = 0; i < skip && *p != LISTPACK_END_BYTE; i++)
            p += listpack_element_span(p);
    }
    return p;
}

/* The same for a string of up to 63 bytes that is no integer: its first byte tells it apart, but
 * in files from elsewhere a longer head than it needs is possible. */
static const uint8_t *find_short(const uint8_t *p, const struct wanted *wanted, unsigned skip) {
    struct bytes bytes = wanted->bytes;
    uint8_t first = (uint8_t)(LISTPACK_STRING6 | bytes.size);
    while (*p != LISTPACK_END_BYTE) {
        if (*p == first && memcmp(p + 1, bytes.data, bytes.size) == 0) break;
        if (unlikely(*p >= LISTPACK_STRING12) && equals(p, wanted)) break;
        p += listpack_element_span(p);
        for (unsigned i = 0; i < skip && *p != LISTPACK_END_BYTE; i++)
            p += listpack_element_span(p);
    }
    return p;
}

size_t listpack_find(const struct listpack *lp, size_t at, struct bytes bytes, unsigned skip) {
    if (at == LISTPACK_END) return LISTPACK_END;
    dcheck(at >= LISTPACK_HEADER && at < total_of(lp) - 1);
    struct wanted wanted = {.bytes = bytes};
    wanted.is_int = parse_int(bytes, &wanted.integer);
    const uint8_t *p = listpack_element(lp, at);
    bool is_short = !wanted.is_int && bytes.size > 0 && bytes.size <= LISTPACK_STRING6_MAX;
    p = is_short ? find_short(p, &wanted, skip) : find_any(p, &wanted, skip);
    return offset_of(lp, p);
}

/* ---- changing ---- */

size_t listpack_cost(struct bytes bytes) {
    size_t head = bytes.size <= LISTPACK_STRING6_MAX    ? 1
                  : bytes.size <= LISTPACK_STRING12_MAX ? 2
                                                        : 5;
    return head + bytes.size + listpack_back_size(head + bytes.size);
}

static size_t insert_element(struct listpack **lp, size_t at, const struct element *e) {
    write_element(splice(lp, at, 0, encoded_span(e)), e);
    count_added(*lp, 1);
    return at;
}

/* Without the detour of an element, and without moving more than the end byte. */
static void append_short(struct listpack **lp, struct bytes bytes) {
    size_t old = total_of(*lp), total = old + bytes.size + 2;
    make_room(lp, total);
    uint8_t *p = bytes_at(*lp, old - 1);
    p[0] = (uint8_t)(LISTPACK_STRING6 | bytes.size);
    if (bytes.size > 0) memcpy(p + 1, bytes.data, bytes.size);
    p[1 + bytes.size] = (uint8_t)(1 + bytes.size);
    p[2 + bytes.size] = LISTPACK_END_BYTE;
    set_total(*lp, total);
    count_added(*lp, 1);
}

void listpack_append(struct listpack **lp, struct bytes bytes) {
    int64_t integer;
    if (likely(bytes.size <= LISTPACK_STRING6_MAX) && !parse_int(bytes, &integer)) {
        append_short(lp, bytes);
    } else {
        listpack_insert(lp, LISTPACK_END, bytes);
    }
}

void listpack_append_int(struct listpack **lp, int64_t integer) {
    struct element e;
    encode_int(&e, integer);
    insert_element(lp, total_of(*lp) - 1, &e);
}

void listpack_prepend(struct listpack **lp, struct bytes bytes) {
    listpack_insert(lp, LISTPACK_HEADER, bytes);
}

size_t listpack_insert(struct listpack **lp, size_t at, struct bytes bytes) {
    struct element e;
    encode(&e, bytes);
    return insert_element(lp, at == LISTPACK_END ? total_of(*lp) - 1 : at, &e);
}

static size_t replace_element(struct listpack **lp, size_t at, const struct element *e) {
    uint8_t *p = splice(lp, at, listpack_element_span(listpack_element(*lp, at)), encoded_span(e));
    write_element(p, e);
    return at;
}

size_t listpack_replace(struct listpack **lp, size_t at, struct bytes bytes) {
    struct element e;
    encode(&e, bytes);
    return replace_element(lp, at, &e);
}

size_t listpack_replace_int(struct listpack **lp, size_t at, int64_t integer) {
    struct element e;
    encode_int(&e, integer);
    return replace_element(lp, at, &e);
}

size_t listpack_remove(struct listpack **lp, size_t at) {
    dcheck(at >= LISTPACK_HEADER && at < total_of(*lp) - 1);
    const uint8_t *p = splice(lp, at, listpack_element_span(listpack_element(*lp, at)), 0);
    count_removed(*lp, 1);
    return offset_of(*lp, p);
}

size_t listpack_remove_range(struct listpack **lp, size_t at, size_t count) {
    if (at == LISTPACK_END) return LISTPACK_END;
    const uint8_t *from = listpack_element(*lp, at), *to = from;
    size_t removed = 0;
    for (; removed < count && *to != LISTPACK_END_BYTE; removed++)
        to += listpack_element_span(to);
    from = splice(lp, at, (size_t)(to - from), 0);
    count_removed(*lp, removed);
    return offset_of(*lp, from);
}

void listpack_append_range(struct listpack **lp, const struct listpack *from_lp, size_t from,
                           size_t to) {
    check(*lp != from_lp);
    if (from == LISTPACK_END) return;
    size_t end = to == LISTPACK_END ? total_of(from_lp) - 1 : to, count = 0;
    for (size_t at = from; at < end; at += listpack_element_span(listpack_element(from_lp, at)))
        count++;
    memcpy(splice(lp, total_of(*lp) - 1, 0, end - from), listpack_element(from_lp, from),
           end - from);
    count_added(*lp, count);
}

/* ---- the elements alone ---- */

struct bytes listpack_elements(const struct listpack *lp) {
    return bytes_make((const char *)lp + LISTPACK_HEADER, total_of(lp) - LISTPACK_EMPTY_SIZE);
}

struct listpack *listpack_assemble(void *room, struct bytes elements, size_t count) {
    struct listpack *lp = room;
    size_t end = LISTPACK_HEADER + elements.size;
    set_total(lp, end + 1);
    set_header_count(lp, count);
    memcpy(bytes_at(lp, LISTPACK_HEADER), elements.data, elements.size);
    *bytes_at(lp, end) = LISTPACK_END_BYTE;
    return lp;
}

/* ---- checking ---- */

/* The span of the element at p if it is whole, has room bytes at most, and says its size rightly
 * behind itself; else 0. */
static size_t valid_span(const uint8_t *p, size_t room) {
    size_t head = room > 0 ? listpack_head_size(p[0]) : 0;
    if (head == 0 || head > room || listpack_string_size(p) > room) return 0;
    size_t size = head + listpack_string_size(p), back = listpack_back_size(size);
    if (size > room || back > room - size) return 0;

    uint8_t expected[BACK_MAX];
    write_back(expected, size);
    return memcmp(expected, p + size, back) == 0 ? size + back : 0;
}

bool listpack_validate(const void *data, size_t size,
                       bool (*fn)(void *ctx, const struct listpack_value *value), void *ctx) {
    if (size < LISTPACK_EMPTY_SIZE || size > LISTPACK_SIZE_MAX) return false;
    const struct listpack *lp = data;
    if (total_of(lp) != size || *listpack_element(lp, size - 1) != LISTPACK_END_BYTE) return false;

    size_t count = 0;
    for (size_t at = LISTPACK_HEADER, end = size - 1; at < end; count++) {
        size_t span = valid_span(listpack_element(lp, at), end - at);
        if (span == 0) return false;
        struct listpack_value value = listpack_element_value(listpack_element(lp, at));
        if (fn && !fn(ctx, &value)) return false;
        at += span;
    }
    return header_count(lp) == LISTPACK_COUNT_UNKNOWN || header_count(lp) == count;
}

void listpack_verify(const struct listpack *lp) {
    size_t total = total_of(lp);
    check(total <= mem_usable_size(lp));
    check(listpack_validate(lp, total, NULL, NULL));
    size_t count = 0;
    for (size_t at = listpack_last(lp); at != LISTPACK_END; at = listpack_prev(lp, at))
        count++;
    check(count == listpack_count(lp));
    check(header_count(lp) == LISTPACK_COUNT_UNKNOWN || header_count(lp) == count);
}
