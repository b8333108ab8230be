/* SPDX-License-Identifier: BSD-3-Clause */
/* keyspace_fixture -- a keyspace for tests: its own time, few options, short ways to say things. */
#pragma once

#include "base/buf.h"
#include "ds/hashtab.h"
#include "keyspace/keyspace.h"
#include "keyspace/value_type.h"
#include "tests/unit/test.h"

enum { FIXTURE_START_MS = 1700000000 };

static const struct keyspace_config fixture_config = {
    .databases = 4,
    .samples = 5,
    .tenacity = 10,
    .lfu_log_factor = 10,
    .lfu_decay_minutes = 1,
    .lazy_expire = true,
    .lazy_evict = true,
    .lazy_server_del = true,
    .lazy_user_del = true,
    .lazy_user_flush = true,
};

static inline struct keyspace *fixture_create(struct test *t,
                                              const struct keyspace_config *config) {
    struct keyspace *ks = keyspace_create(config, rng_next(t->rng));
    keyspace_set_now(ks, FIXTURE_START_MS);
    return ks;
}

/* The key of a number: 16 bytes for small ones, long ones now and then. */
static inline struct bytes fixture_key(char out[512], uint64_t number) {
    int size = snprintf(out, 512, "key:%012" PRIu64, number);
    if (number % 61 == 7) {
        memset(out + size, 'k', 300);
        size += 300;
    }
    return bytes_make(out, (size_t)size);
}

static inline struct entry *fixture_find(struct db *db, struct bytes key) {
    return keyspace_find(db, key, hash_bytes(key), LOOKUP_WRITE | LOOKUP_NO_TOUCH);
}
static inline struct entry *fixture_set(struct db *db, struct bytes key, struct bytes value,
                                        int64_t at_ms) {
    uint64_t hash = hash_bytes(key);
    struct entry *old = keyspace_find(db, key, hash, LOOKUP_WRITE);
    return keyspace_set_string(db, key, hash, old, value, NULL, at_ms, 0);
}
/* Expires what is due now, however long it takes. */
static inline void fixture_expire(struct keyspace *ks) {
    while (keyspace_expire_due(ks, 1000)) {}
}
