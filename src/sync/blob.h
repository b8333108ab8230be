/* SPDX-License-Identifier: BSD-3-Clause */
/* blob -- an immutable run of bytes with a reference count: large string values, and what replies
 * and snapshots pin so that nothing is copied.
 *
 * Whoever holds the only reference may still write to it (blob_is_sole); as soon as a second one
 * exists the bytes never change. References may be dropped in any thread. */
#pragma once

#include <stdatomic.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/mem.h"

struct blob {
    _Atomic uint32_t refs;
    uint32_t reserved;
    size_t size; /* bytes in data */
    char data[]; /* followed by room for two more bytes: the CR LF of the wire */
};

enum { BLOB_TAIL = 2 };

/* One reference, held by the caller; the bytes are not set. */
must_use static inline struct blob *blob_create(size_t size) {
    struct blob *blob = mem_alloc(sizeof(*blob) + size + BLOB_TAIL);
    atomic_init(&blob->refs, 1);
    blob->reserved = 0;
    blob->size = size;
    return blob;
}
/* NULL if there is no memory: for sizes that a user chose. */
must_use static inline struct blob *blob_try_create(size_t size) {
    if (size > SIZE_MAX - sizeof(struct blob) - BLOB_TAIL) return NULL;
    struct blob *blob = mem_try_alloc(sizeof(*blob) + size + BLOB_TAIL);
    if (!blob) return NULL;
    atomic_init(&blob->refs, 1);
    blob->reserved = 0;
    blob->size = size;
    return blob;
}
must_use static inline struct blob *blob_copy(struct bytes bytes) {
    struct blob *blob = blob_create(bytes.size);
    if (bytes.size) memcpy(blob->data, bytes.data, bytes.size);
    return blob;
}
static inline struct blob *blob_retain(struct blob *blob) {
    /* Relaxed: a reference is only taken by someone who already holds one. */
    atomic_fetch_add_explicit(&blob->refs, 1, memory_order_relaxed);
    return blob;
}
/* NULL is fine. Frees with the last reference. */
static inline void blob_release(struct blob *blob) {
    if (!blob) return;
    /* Release pairs with the acquire below: all reads are done before the memory goes. */
    if (atomic_fetch_sub_explicit(&blob->refs, 1, memory_order_release) != 1) return;
    atomic_thread_fence(memory_order_acquire);
    mem_free(blob);
}
static inline bool blob_is_sole(struct blob *blob) {
    /* Acquire pairs with the release above: a reader that let go is done reading. */
    return atomic_load_explicit(&blob->refs, memory_order_acquire) == 1;
}
static inline struct bytes blob_bytes(const struct blob *blob) {
    return bytes_make(blob->data, blob->size);
}
/* Bytes of memory it takes. */
static inline size_t blob_memory_bytes(const struct blob *blob) { return mem_usable_size(blob); }
