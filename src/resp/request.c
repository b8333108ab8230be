/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/request.h"

#include "base/check.h"
#include "base/mem.h"

struct big_arg {
    struct blob *blob; /* NULL: taken */
    uint32_t arg;
};

struct request_bigs { /* in the order of arguments */
    uint32_t count, cap;
    struct big_arg items[];
};

enum { BIGS_FIRST = 4 }; /* room at first, then doubled */

void request_release(struct request *request) {
    if (request->owns_argv) mem_free(request->argv);
    if (request->big) {
        for (uint32_t i = 0; i < request->big->count; i++)
            blob_release(request->big->items[i].blob);
        mem_free(request->big);
    }
    request->argv = NULL;
    request->argc = 0;
    request->owns_argv = false;
    request->big = NULL;
}

void request_rebase(struct request *request, const char *old_start, size_t size,
                    const char *new_start) {
    for (uint32_t i = 0; i < request->argc; i++) {
        struct bytes *arg = &request->argv[i];
        uintptr_t offset = (uintptr_t)arg->data - (uintptr_t)old_start;
        if (offset < size) arg->data = new_start + offset;
    }
}

void request_put_big(struct request *request, uint32_t arg, struct blob *blob) {
    struct request_bigs *bigs = request->big;
    check(!bigs || bigs->items[bigs->count - 1].arg < arg);
    if (!bigs || bigs->count == bigs->cap) {
        uint32_t cap = bigs ? bigs->cap * 2 : BIGS_FIRST;
        uint32_t count = bigs ? bigs->count : 0;
        bigs = mem_realloc(bigs, sizeof(*bigs) + cap * sizeof(bigs->items[0]));
        bigs->count = count;
        bigs->cap = cap;
        request->big = bigs;
    }
    bigs->items[bigs->count++] = (struct big_arg){.blob = blob, .arg = arg};
    request->argv[arg] = blob_bytes(blob);
}

static struct big_arg *find_big(const struct request *request, uint32_t arg) {
    if (!request->big) return NULL;
    struct big_arg *items = request->big->items;
    uint32_t low = 0, high = request->big->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (items[middle].arg == arg) return &items[middle];
        if (items[middle].arg < arg) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

struct blob *request_take_big(struct request *request, uint32_t arg) {
    struct big_arg *item = find_big(request, arg);
    if (!item) return NULL;
    struct blob *blob = item->blob;
    item->blob = NULL;
    return blob;
}

bool request_is_big(const struct request *request, uint32_t arg) {
    return find_big(request, arg) != NULL;
}

uint32_t request_first_slice(const struct request *request) {
    uint32_t count = request->big ? request->big->count : 0;
    uint32_t i = 0;
    while (i < count && request->big->items[i].arg == i)
        i++;
    return i;
}
