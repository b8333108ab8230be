/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a listpack: no access outside them, and what passes validation can be walked both
 * ways, searched and changed. The first two bytes choose a change; the rest is the listpack, in an
 * allocation of exactly its size. Sizes and counts in the header are mended half the time, so that
 * elements get their turn. */
#include "base/check.h"
#include "base/mem.h"
#include "ds/listpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool count_value(void *ctx, const struct listpack_value *value) {
    size_t *count = ctx;
    volatile char sum = 0; /* so that the bytes are read */
    for (size_t i = 0; value->data && i < value->size; i++)
        sum = (char)(sum ^ value->data[i]);
    ++*count;
    return true;
}

static void change(struct listpack **lp, unsigned kind, unsigned choice) {
    struct listpack *other = listpack_copy(*lp);
    char scratch[NUM_I64_TEXT_MAX], text[300];
    memset(text, 'x', sizeof(text));
    struct bytes bytes = bytes_make(text, choice % sizeof(text));
    size_t count = listpack_count(*lp);
    size_t at = count ? listpack_seek(*lp, (int64_t)(choice % count)) : (size_t)LISTPACK_END;
    switch (kind % 6) {
    case 0: listpack_append(lp, bytes); break;
    case 1:
        at = listpack_insert(lp, at, bytes);
        check(listpack_equals(*lp, at, bytes));
        break;
    case 2:
        if (at != LISTPACK_END) listpack_replace(lp, at, bytes);
        break;
    case 3:
        if (at != LISTPACK_END) listpack_remove(lp, at);
        break;
    case 4: listpack_remove_range(lp, at, choice); break;
    case 5:
        listpack_append_range(lp, other, at, LISTPACK_END);
        if (at == LISTPACK_END) break;
        bytes = listpack_get_bytes(other, at, scratch);
        check(listpack_find(*lp, listpack_first(*lp), bytes, 0) != LISTPACK_END);
        break;
    }
    listpack_verify(*lp);
    listpack_destroy(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    unsigned kind = data[0], choice = data[1];
    data += 2;
    size -= 2;
    uint8_t *copy = mem_alloc(size);
    if (size > 0) memcpy(copy, data, size);
    if ((kind & 128) && size >= LISTPACK_EMPTY_SIZE) {
        for (int i = 0; i < 4; i++)
            copy[i] = (uint8_t)(size >> (8 * i));
        copy[4] = copy[5] = copy[size - 1] = 0xff;
    }

    size_t seen = 0;
    if (listpack_validate(copy, size, count_value, &seen)) {
        struct listpack *lp = (struct listpack *)(void *)copy;
        check(listpack_count(lp) == seen);
        listpack_verify(lp);
        change(&lp, kind, choice);
        listpack_destroy(&lp);
    } else {
        mem_free(copy);
    }
    return 0;
}
