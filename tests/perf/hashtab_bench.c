/* SPDX-License-Identifier: BSD-3-Clause */
/* hashtab_bench -- what a look-up, an addition and a removal cost, one by one and in windows of 64
 * with the two prefetch passes, and the longest single addition.
 *
 *      hashtab_bench [entries]...          default: 1000000 10000000
 *
 * Entries are 32 bytes, as a 16-byte key with an 8-byte value is in the keyspace. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"
#include "ds/hashtab.h"
#include "ds/hashtab_inline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { KEY_SIZE = 16, WINDOW = 64, LOOKUPS = 2000000 };

struct bench_entry {
    char head[8];
    char key[KEY_SIZE];
    char value[8];
};

static struct bytes bench_key(const void *entry) {
    return bytes_make(((const struct bench_entry *)entry)->key, KEY_SIZE);
}
static uint64_t bench_hash(const void *entry) { return hash_bytes(bench_key(entry)); }
static bool bench_equal(const void *entry, struct bytes key) {
    return key.size == KEY_SIZE &&
           memcmp(((const struct bench_entry *)entry)->key, key.data, KEY_SIZE) == 0;
}
static const struct hashtab_type bench_type = {
    .key = bench_key, .hash = bench_hash, .drop = mem_free};

static void make_key(char out[KEY_SIZE + 1], uint64_t id) {
    snprintf(out, KEY_SIZE + 1, "k:%014" PRIu64, id % UINT64_C(100000000000000));
}

struct request {
    char key[KEY_SIZE + 1];
    uint64_t hash;
};

static struct request *make_requests(struct rng *rng, uint64_t from, uint64_t count) {
    struct request *requests = mem_alloc_array(LOOKUPS, sizeof(*requests));
    for (size_t i = 0; i < LOOKUPS; i++) {
        make_key(requests[i].key, from + rng_below(rng, count));
        requests[i].hash = hash_bytes(bytes_make(requests[i].key, KEY_SIZE));
    }
    return requests;
}

static void bench_find(const struct hashtab *tab, const struct request *requests, bool windows,
                       const char *what) {
    size_t found = 0;
    int64_t start_ns = clock_mono_ns();
    for (size_t base = 0; base + WINDOW <= LOOKUPS; base += WINDOW) {
        const struct request *window = requests + base;
        for (size_t i = 0; windows && i < WINDOW; i++) {
            hashtab_prefetch_bucket_inline(tab, window[i].hash);
        }
        for (size_t i = 0; windows && i < WINDOW; i++) {
            hashtab_prefetch_entry_inline(tab, window[i].hash);
        }
        for (size_t i = 0; i < WINDOW; i++) {
            struct bytes key = bytes_make(window[i].key, KEY_SIZE);
            found += hashtab_find_with(tab, window[i].hash, key, bench_equal) != NULL;
        }
    }
    double ns = (double)(clock_mono_ns() - start_ns) / LOOKUPS;
    printf("  find %-5s %-12s %6.1f ns  (found %.2f)\n", what, windows ? "windows" : "one by one",
           ns, (double)found / LOOKUPS);
}

static struct bench_entry *make_entry(uint64_t id) {
    char key[KEY_SIZE + 1];
    struct bench_entry *entry = mem_alloc(sizeof(*entry));
    make_key(key, id);
    memcpy(entry->key, key, KEY_SIZE);
    return entry;
}

static void probe_and_add(struct hashtab *tab, uint64_t hash, struct bench_entry *entry) {
    struct hashtab_place place;
    if (hashtab_probe_with(tab, hash, bench_key(entry), &place, bench_equal)) abort();
    hashtab_place_add_inline(tab, hash, &place, entry);
}

/* Adds the ids 0 .. count - 1 in order (their hashes are in none). */
static void bench_add(struct hashtab *tab, uint64_t count, bool windows) {
    struct bench_entry *window[WINDOW];
    uint64_t hashes[WINDOW];
    int64_t spent_ns = 0;
    for (uint64_t base = 0; base < count; base += WINDOW) {
        size_t size = size_min(WINDOW, count - base);
        for (size_t i = 0; i < size; i++) {
            window[i] = make_entry(base + i);
            hashes[i] = bench_hash(window[i]);
        }
        int64_t start_ns = clock_mono_ns();
        for (size_t i = 0; windows && i < size; i++) {
            hashtab_prefetch_bucket_inline(tab, hashes[i]);
        }
        for (size_t i = 0; windows && i < size; i++) {
            hashtab_prefetch_entry_inline(tab, hashes[i]);
        }
        for (size_t i = 0; i < size; i++) {
            probe_and_add(tab, hashes[i], window[i]);
        }
        spent_ns += clock_mono_ns() - start_ns;
    }
    printf("  add        %-12s %6.1f ns\n", windows ? "windows" : "one by one",
           (double)spent_ns / (double)count);
}

/* The thread's own CPU time, so that being preempted does not count. */
static int64_t cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The longest single change while the table grows to count entries and shrinks to nothing. */
static void bench_longest(uint64_t count) {
    struct hashtab *tab = hashtab_create(&bench_type);
    int64_t add_ns = 0, take_ns = 0, slow_count = 0;
    for (uint64_t id = 0; id < count; id++) {
        struct bench_entry *entry = make_entry(id);
        uint64_t hash = bench_hash(entry);
        int64_t start_ns = cpu_ns();
        probe_and_add(tab, hash, entry);
        int64_t spent_ns = cpu_ns() - start_ns;
        add_ns = i64_max(add_ns, spent_ns);
        slow_count += spent_ns > 100000;
    }
    for (uint64_t id = 0; id < count; id++) {
        char text[KEY_SIZE + 1];
        make_key(text, id);
        struct bytes key = bytes_make(text, KEY_SIZE);
        uint64_t hash = hash_bytes(key);
        int64_t start_ns = cpu_ns();
        struct bench_entry *entry = hashtab_take_with(tab, hash, key, bench_equal);
        int64_t spent_ns = cpu_ns() - start_ns;
        take_ns = i64_max(take_ns, spent_ns);
        slow_count += spent_ns > 100000;
        mem_free(entry);
    }
    printf("  longest add %.1f us, longest take %.1f us, %" PRId64 " over 100 us\n",
           (double)add_ns / 1000, (double)take_ns / 1000, slow_count);
    hashtab_destroy(&tab);
}

static void bench_take(struct hashtab *tab, uint64_t count) {
    int64_t start_ns = clock_mono_ns();
    for (uint64_t id = 0; id < count; id++) {
        char text[KEY_SIZE + 1];
        make_key(text, id);
        struct bytes key = bytes_make(text, KEY_SIZE);
        mem_free(hashtab_take_with(tab, hash_bytes(key), key, bench_equal));
    }
    printf("  take and free           %6.1f ns, making the key included\n",
           (double)(clock_mono_ns() - start_ns) / (double)count);
}

static void bench(struct rng *rng, uint64_t count) {
    printf("%" PRIu64 " entries\n", count);
    struct hashtab *tab = hashtab_create(&bench_type);
    bench_add(tab, count, false);
    hashtab_destroy(&tab);
    tab = hashtab_create(&bench_type);
    bench_add(tab, count, true);
    printf("  table: %.2f bytes an entry, %zu buckets\n",
           (double)hashtab_memory_bytes(tab) / (double)count, hashtab_bucket_count(tab));

    for (int hit = 1; hit >= 0; hit--) {
        struct request *requests = make_requests(rng, hit ? 0 : count, count);
        bench_find(tab, requests, false, hit ? "hit" : "miss");
        bench_find(tab, requests, true, hit ? "hit" : "miss");
        mem_free(requests);
    }
    struct buf text = {0};
    hashtab_stats(tab, true, &text);
    printf("%s", text.data);
    buf_deinit(&text);
    bench_take(tab, count);
    hashtab_destroy(&tab);
    bench_longest(count);
}

int main(int argc, char **argv) {
    struct hash_key seed;
    struct rng rng;
    random_os(&seed, sizeof(seed));
    rng_seed(&rng, seed.word[0]);
    clock_init();
    hash_init(&seed);
    if (argc < 2) {
        bench(&rng, 1000000);
        bench(&rng, 10000000);
    }
    for (int i = 1; i < argc; i++)
        bench(&rng, strtoull(argv[i], NULL, 10));
    return 0;
}
