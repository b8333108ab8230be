/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/background.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "tests/unit/test.h"

enum { OBJECTS = 10000 };

struct object {
    _Atomic int *destroyed;
};

static void destroy_object(void *ptr) {
    struct object *object = ptr;
    atomic_fetch_add(object->destroyed, 1);
    mem_free(object);
}

static void destroy_other(void *ptr) { destroy_object(ptr); }

static void dispose(struct background *background, _Atomic int *destroyed, size_t effort) {
    struct object *object = mem_alloc(sizeof(*object));
    object->destroyed = destroyed;
    background_dispose(background, destroy_object, object, effort, effort % 2);
}

struct told {
    size_t count, effort;
    bool other_seen;
};

static void on_done(void *ctx, void (*destroy)(void *object), size_t effort) {
    struct told *told = ctx;
    told->count++;
    told->effort += effort;
    told->other_seen |= destroy == destroy_other;
}

static struct background *start(void) {
    const struct cpulist anywhere = {0};
    struct background *background = NULL;
    struct diag diag;
    expect_eq(background_create(&anywhere, &background, &diag), ERR_NONE);
    return background;
}

TEST(each_object_is_destroyed_and_told_once) {
    struct background *background = start();
    _Atomic int destroyed = 0;
    struct told told = {0};
    size_t effort = 0;
    for (int i = 0; i < OBJECTS; i++) {
        size_t own = rng_next(t->rng) % 100;
        effort += own;
        dispose(background, &destroyed, own);
        if (i % 100 == 0) background_collect(background, on_done, &told);
    }
    while (told.count < OBJECTS) /* the thread cannot be waited for but by asking */
        background_collect(background, on_done, &told);
    expect_eq(told.count, OBJECTS);
    expect_eq(told.effort, effort);
    expect_eq(atomic_load(&destroyed), OBJECTS);
    expect_false(told.other_seen);
    background_destroy(&background);
    expect_null(background);
}

TEST(what_destroyed_an_object_is_told_with_it) {
    struct background *background = start();
    _Atomic int destroyed = 0;
    struct told told = {0};
    struct object *object = mem_alloc(sizeof(*object));
    object->destroyed = &destroyed;
    background_dispose(background, destroy_other, object, 7, false);
    while (!told.count)
        background_collect(background, on_done, &told);
    expect_true(told.other_seen);
    expect_eq(told.effort, 7);
    background_destroy(&background);
}

static void destroy_when_told(void *ptr) {
    _Atomic bool *go_on = ptr;
    while (!atomic_load(go_on))
        thread_spin_hint();
}

TEST(what_is_urgent_does_not_wait_for_the_first_thread) {
    struct background *background = start();
    _Atomic int destroyed = 0;
    _Atomic bool go_on = false;
    background_dispose(background, destroy_when_told, &go_on, 1, false);
    dispose(background, &destroyed, 2);
    dispose(background, &destroyed, 1); /* odd is urgent, and so is what waits before it */
    while (atomic_load(&destroyed) < 2)
        thread_spin_hint();
    atomic_store(&go_on, true);
    background_destroy(&background);
}

TEST(the_end_waits_for_what_is_queued_and_leaks_nothing) {
    for (int round = 0; round < 20; round++) {
        struct background *background = start();
        _Atomic int destroyed = 0;
        int count = (int)(rng_next(t->rng) % 500);
        for (int i = 0; i < count; i++)
            dispose(background, &destroyed, 1);
        background_destroy(&background);
        expect_eq(atomic_load(&destroyed), count);
    }
    background_destroy(&(struct background *){NULL}); /* none is fine */
}

TEST_MAIN()
