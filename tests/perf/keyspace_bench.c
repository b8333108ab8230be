/* SPDX-License-Identifier: BSD-3-Clause */
/* keyspace_bench -- what look-ups and changes cost without a server around them, and bytes per key.
 *
 *     gcc -std=c11 -D_GNU_SOURCE -O3 -flto -DUSE_JEMALLOC -I src tests/perf/keyspace_bench.c \
 *         src/base/[a-z]*.c src/ds/[a-z]*.c src/sync/[a-z]*.c src/keyspace/[a-z]*.c \
 *         -ljemalloc -lm -pthread -o keyspace_bench
 *     keyspace_bench [keys]        16-byte keys, 8-byte values, random order, windows of 64
 *
 * Each window goes as the executor's does: buckets are prefetched, then entries, then it runs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"
#include "keyspace/keyspace.h"

enum { WINDOW = 64, KEY_SIZE = 16, OPS = 4000000, START_MS = 1700000000 };

struct bench {
    struct keyspace_config config;
    struct keyspace *ks;
    struct db *db;
    uint64_t keys;
    struct rng rng;
    int64_t at_ms;
    bool with_hash; /* the hash is computed inside what is timed */
    uint64_t found; /* keeps the compiler from dropping the reads */
};

struct request {
    char key[KEY_SIZE];
    char value[8];
    uint64_t hash;
};

typedef void (*op_fn)(struct bench *b, struct request *r);

static struct bytes key_of(const struct request *r) { return bytes_make(r->key, KEY_SIZE); }

static void fill(struct bench *b, struct request *r, uint64_t number) {
    char text[KEY_SIZE + 8];
    snprintf(text, sizeof(text), "key:%012" PRIu64, number);
    memcpy(r->key, text, KEY_SIZE);
    uint64_t random = rng_next(&b->rng) | 0x6060606060606060; /* no digit: stays text */
    memcpy(r->value, &random, sizeof(random));
    r->hash = hash_bytes(key_of(r));
}

static void op_get(struct bench *b, struct request *r) {
    char scratch[NUM_I64_TEXT_MAX];
    struct entry *e = keyspace_find(b->db, key_of(r), r->hash, LOOKUP_READ);
    if (e) b->found += (unsigned char)entry_string(e, scratch).data[0];
}
static void op_set(struct bench *b, struct request *r) {
    struct entry *e = keyspace_find(b->db, key_of(r), r->hash, LOOKUP_WRITE);
    (void)keyspace_set_string(b->db, key_of(r), r->hash, e, bytes_make(r->value, 8), NULL, b->at_ms,
                              0);
}
static void op_incr(struct bench *b, struct request *r) {
    struct entry *e = keyspace_find(b->db, key_of(r), r->hash, LOOKUP_WRITE);
    int64_t old = e && entry_encoding(e) == ENCODING_INT ? entry_int(e) : 0;
    (void)keyspace_set_int(b->db, key_of(r), r->hash, e, old + 1, -1, SET_KEEP_TTL);
}
static void op_del(struct bench *b, struct request *r) {
    struct entry *e = keyspace_find(b->db, key_of(r), r->hash, LOOKUP_WRITE);
    if (e) keyspace_remove(b->db, e, KEY_DELETED);
}
static void op_expire(struct bench *b, struct request *r) {
    struct entry *e = keyspace_find(b->db, key_of(r), r->hash, LOOKUP_WRITE);
    if (e) (void)keyspace_set_expiry(b->db, e, b->at_ms + (int64_t)(r->hash % 3600000));
}

/* Numbers in order (sequential) or at random; the requests are made outside of what is timed. */
static void run(struct bench *b, const char *name, op_fn op, uint64_t ops, bool sequential) {
    struct request window[WINDOW];
    uint64_t ticks = 0;
    for (uint64_t done = 0; done < ops; done += WINDOW) {
        for (int i = 0; i < WINDOW; i++) {
            fill(b, &window[i], sequential ? done + (uint64_t)i : rng_below(&b->rng, b->keys));
        }
        uint64_t begin = clock_ticks();
        for (int i = 0; i < WINDOW; i++) {
            if (b->with_hash) window[i].hash = hash_bytes(key_of(&window[i]));
            keyspace_prefetch_bucket(b->db, window[i].hash);
        }
        for (int i = 0; i < WINDOW; i++)
            keyspace_prefetch_entry(b->db, window[i].hash);
        for (int i = 0; i < WINDOW; i++)
            op(b, &window[i]);
        ticks += clock_ticks() - begin;
    }
    printf("%-28s %7.1f ns\n", name, (double)clock_ticks_to_ns(ticks) / (double)ops);
}

static void memory(struct bench *b, const char *name, size_t before) {
    double bytes = (double)(mem_in_use() - before) / (double)db_key_count(b->db);
    printf("%-28s %7.2f bytes a key\n", name, bytes);
}

static void expire_all(struct bench *b) {
    keyspace_set_now(b->ks, START_MS + 10000000);
    size_t count = db_key_count(b->db);
    uint64_t total = 0, longest = 0, steps = 0;
    bool more = true;
    for (; more; steps++) {
        uint64_t begin = clock_ticks();
        more = keyspace_expire_due(b->ks, 500);
        uint64_t ticks = clock_ticks() - begin;
        total += ticks;
        longest = ticks > longest ? ticks : longest;
    }
    printf("%-28s %7.1f ns, in %" PRIu64 " steps of 500 us, the longest %" PRIu64 " us\n",
           "expire on time", (double)clock_ticks_to_ns(total) / (double)count, steps,
           clock_ticks_to_us(longest));
}

int main(int argc, char **argv) {
    struct bench b = {.config = {.databases = 16, .samples = 5, .tenacity = 10}, .at_ms = -1};
    struct hash_key hash_key = {.word = {1, 2, 3, 4}};
    b.keys = (argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000) / WINDOW * WINDOW;
    clock_init();
    hash_init(&hash_key);
    rng_seed(&b.rng, 1);
    b.ks = keyspace_create(&b.config, 1);
    b.db = keyspace_db(b.ks, 0);
    keyspace_set_now(b.ks, START_MS);

    size_t before = mem_in_use();
    run(&b, "SET new", op_set, b.keys, true);
    memory(&b, "16 + 8", before);
    run(&b, "GET", op_get, OPS, false);
    run(&b, "SET over", op_set, OPS, false);
    b.with_hash = true;
    run(&b, "SET over, hash included", op_set, OPS, false);
    b.with_hash = false;
    run(&b, "INCR", op_incr, OPS, false);
    run(&b, "DEL", op_del, b.keys, true);

    b.at_ms = START_MS + 100000;
    before = mem_in_use();
    run(&b, "SET EX new", op_set, b.keys, true);
    memory(&b, "16 + 8 + TTL", before);
    b.at_ms++;
    run(&b, "SET EX over", op_set, OPS, false);
    run(&b, "EXPIRE", op_expire, OPS, false);
    memory(&b, "16 + 8 + TTL, one hour", before);
    expire_all(&b);
    printf("(%" PRIu64 ")\n", b.found);
    keyspace_destroy(&b.ks);
    return 0;
}
