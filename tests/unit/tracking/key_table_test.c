/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of keys that were read, against a matrix: client i has read key n, or has not. */
#include "tracking/key_table.h"
#include "tests/unit/test.h"

enum { KEYS = 50, IDS = 30 };

struct model {
    struct key_table table;
    bool has[KEYS][IDS];
};

static struct bytes key_of(unsigned n, char text[32]) {
    return bytes_make(text, (size_t)snprintf(text, 32, "%.*s%u", (int)(n % 7), "prefix:", n));
}

static unsigned count_ids(const struct model *m, unsigned n) {
    unsigned count = 0;
    for (unsigned i = 0; i < IDS; i++)
        count += m->has[n][i];
    return count;
}

static void compare(const struct model *m) {
    uint64_t keys = 0, items = 0;
    for (unsigned n = 0; n < KEYS; n++) {
        keys += count_ids(m, n) > 0;
        items += count_ids(m, n);
    }
    expect_eq(key_table_count(&m->table), keys);
    expect_eq(m->table.items, items);
    key_table_verify(&m->table);
}

/* A key that was taken has the numbers of the model, which forgets them. */
static void compare_taken(struct model *m, unsigned n, struct tracked_key *key) {
    expect_eq(key ? key->count : 0, count_ids(m, n));
    if (!key) return;
    const uint64_t *ids = tracked_key_ids(key);
    for (uint32_t i = 0; i < key->count; i++) {
        expect_true(ids[i] < IDS);
        expect_true(m->has[n][ids[i]]);
    }
    memset(m->has[n], 0, sizeof(m->has[n]));
    tracked_key_destroy(&key);
}

static unsigned number_of(const struct tracked_key *key) {
    char text[32];
    for (unsigned n = 0; n < KEYS; n++) {
        if (bytes_equal(key_of(n, text), tracked_key_name(key))) return n;
    }
    expect_true(!"a key that was never noted");
    return 0;
}

TEST(the_table_agrees_with_a_matrix_under_random_use) {
    struct model *m = mem_zalloc(sizeof(*m));
    key_table_init(&m->table);
    for (int step = 0; step < 30000; step++) {
        unsigned n = (unsigned)rng_below(t->rng, KEYS);
        unsigned id = (unsigned)rng_below(t->rng, IDS);
        char text[32];
        struct bytes key = key_of(n, text);
        uint64_t dice = rng_below(t->rng, 1000);
        if (dice < 2) {
            key_table_drop(&m->table);
            memset(m->has, 0, sizeof(m->has));
        } else if (dice < 20) {
            key_table_step(&m->table);
        } else if (dice < 60) {
            struct tracked_key *taken = key_table_take_any(&m->table, t->rng);
            if (taken) compare_taken(m, number_of(taken), taken);
        } else if (dice < 120) {
            compare_taken(m, n, key_table_take(&m->table, key, hash_bytes(key)));
        } else {
            key_table_note(&m->table, key, hash_bytes(key), id);
            m->has[n][id] = true;
        }
        if (step % 8 == 0) compare(m);
    }
    key_table_deinit(&m->table);
    mem_free(m);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(what_was_dropped_is_freed_step_by_step) {
    struct key_table table;
    char text[32];
    key_table_init(&table);
    size_t empty = mem_in_use();
    for (unsigned n = 0; n < 50000; n++) {
        struct bytes key = bytes_make(text, (size_t)snprintf(text, 32, "%u", n));
        key_table_note(&table, key, hash_bytes(key), n);
    }
    key_table_drop(&table);
    expect_eq(key_table_count(&table), 0);
    unsigned steps = 0;
    for (; table.dropped; steps++)
        key_table_step(&table);
    expect_true(steps > 1);
    expect_eq(mem_in_use(), empty);
    key_table_deinit(&table);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
