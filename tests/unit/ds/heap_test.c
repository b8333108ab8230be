/* SPDX-License-Identifier: BSD-3-Clause */
#include "ds/heap.h"
#include "base/mem.h"
#include "tests/unit/test.h"

enum { NODES = 300, STEPS = 20000 };

static int64_t smallest(const struct heap_node *nodes, const bool *in) {
    int64_t order = INT64_MAX;
    for (size_t i = 0; i < NODES; i++) {
        if (in[i] && nodes[i].order < order) order = nodes[i].order;
    }
    return order;
}

TEST(heap_gives_the_smallest_under_random_additions_and_removals) {
    struct heap heap = {0};
    struct heap_node nodes[NODES] = {{0}};
    bool in[NODES] = {false};
    size_t count = 0;

    for (int step = 0; step < STEPS; step++) {
        /* Phases in which it grows and shrinks. */
        unsigned add_percent = (step / 2000) % 2 ? 30 : 70;
        size_t i = rng_below(t->rng, NODES);
        if (rng_below(t->rng, 100) < add_percent) {
            if (in[i]) continue;
            nodes[i].order = (int64_t)rng_below(t->rng, 50) - 25; /* many are equal */
            heap_add(&heap, &nodes[i]);
            in[i] = true;
            count++;
        } else if (in[i]) {
            heap_remove(&heap, &nodes[i]);
            in[i] = false;
            count--;
        }
        expect_eq(heap_has(&nodes[i]), in[i]);
        expect_eq(heap.count, count);
        if (count) expect_eq(heap_first(&heap)->order, smallest(nodes, in));
        heap_verify(&heap);
    }
    heap_deinit(&heap);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(heap_gives_back_its_nodes_in_order) {
    struct heap heap = {0};
    struct heap_node nodes[NODES] = {{0}};
    for (size_t i = 0; i < NODES; i++) {
        nodes[i].order = (int64_t)rng_below(t->rng, 1000);
        heap_add(&heap, &nodes[i]);
    }
    int64_t last = INT64_MIN;
    for (struct heap_node *node; (node = heap_first(&heap)) != NULL;) {
        expect_true(node->order >= last);
        last = node->order;
        heap_remove(&heap, node);
    }
    expect_eq(heap.count, 0);
    heap_deinit(&heap);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
