/* SPDX-License-Identifier: BSD-3-Clause */
/* Prefixes against looking at each of them. */
#include "tracking/prefixes.h"
#include "exec/client.h"
#include "tests/unit/test.h"

enum { CLIENTS = 12, TEXT_MAX = 6 };

/* A client whose first field finds it again; only its address matters to prefixes. */
struct member {
    struct client client;
    struct prefix_list list;
};

static struct prefix_list *list_of(const struct client *client) {
    return &((struct member *)(uintptr_t)client)->list;
}

/* Few letters: many texts begin with others. Bytes over 127 must come behind the rest. */
static struct bytes random_text(struct rng *rng, char text[TEXT_MAX]) {
    static const char letters[] = {'a', 'b', '\0', (char)0xff};
    size_t size = rng_below(rng, TEXT_MAX);
    for (size_t i = 0; i < size; i++)
        text[i] = letters[rng_below(rng, sizeof(letters))];
    return bytes_make(text, size);
}

static bool has(const struct prefix_list *list, struct bytes text) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (bytes_equal(prefix_text(list->slots[i].prefix), text)) return true;
    }
    return false;
}

/* What a walk from the longest up finds is what looking at each finds. */
static void compare(const struct prefixes *prefixes, struct bytes key) {
    uint32_t found = 0, expected = 0;
    size_t size = SIZE_MAX;
    for (const struct prefix *p = prefixes_find(prefixes, key); p; p = p->parent) {
        expect_true(bytes_starts_with(key, prefix_text(p)));
        expect_true(p->text_size < size);
        size = p->text_size;
        found++;
    }
    for (uint32_t i = 0; i < prefixes->count; i++)
        expected += bytes_starts_with(key, prefix_text(prefixes->sorted[i]));
    expect_eq(found, expected);
}

TEST(a_look_up_finds_all_prefixes_of_a_key_and_no_others) {
    struct prefixes prefixes;
    struct member *members = mem_zalloc(CLIENTS * sizeof(*members));
    prefixes_init(&prefixes);
    for (int step = 0; step < 20000; step++) {
        struct member *member = &members[rng_below(t->rng, CLIENTS)];
        char text[TEXT_MAX], key[TEXT_MAX];
        struct bytes prefix = random_text(t->rng, text);
        if (rng_below(t->rng, 20) == 0) {
            prefixes_leave_all(&prefixes, &member->list, list_of);
        } else {
            bool is_new = !has(&member->list, prefix);
            expect_eq(prefixes_join(&prefixes, &member->client, &member->list, prefix), is_new);
            expect_true(has(&member->list, prefix));
        }
        compare(&prefixes, random_text(t->rng, key));
        if (step % 16 == 0) prefixes_verify(&prefixes, list_of);
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        prefixes_leave_all(&prefixes, &members[i].list, list_of);
    expect_eq(prefixes.count, 0);
    prefixes_deinit(&prefixes);
    mem_free(members);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
