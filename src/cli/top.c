/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/top.h"

#include "base/mem.h"

void top_init(struct top *top, size_t cap) {
    *top = (struct top){.entries = mem_alloc_array(cap, sizeof(*top->entries)), .cap = cap};
}

void top_deinit(struct top *top) {
    for (size_t i = 0; i < top->count; i++) {
        mem_free((char *)top->entries[i].key.data);
    }
    mem_free(top->entries);
    *top = (struct top){0};
}

/* Behind all that are as good. */
static size_t place_of(const struct top *top, int64_t score) {
    size_t low = 0, high = top->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (top->entries[middle].score >= score) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool top_offer(struct top *top, const struct top_entry *entry) {
    size_t place = place_of(top, entry->score);
    if (place == top->cap) return false;
    for (size_t i = place; i-- > 0 && top->entries[i].score == entry->score;) {
        if (bytes_equal(top->entries[i].key, entry->key)) return false; /* seen twice */
    }
    if (top->count == top->cap) {
        top->count--;
        mem_free((char *)top->entries[top->count].key.data);
    }
    memmove(top->entries + place + 1, top->entries + place,
            (top->count - place) * sizeof(*top->entries));
    top->entries[place] = *entry;
    top->entries[place].key = bytes_make(mem_copy_bytes(entry->key), entry->key.size);
    top->count++;
    return true;
}
