/* SPDX-License-Identifier: BSD-3-Clause */
/* suite -- the tests that valkey-benchmark has of its own. */
#pragma once

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

struct bench_options;

enum {
    SUITE_NEEDS_LIST = 1,      /* mylist must have elements */
    SUITE_NEEDS_FUNCTIONS = 2, /* the server must know FUNCTION */
    SUITE_LOADS_LIBRARY = 4,   /* and the library must be there */
};

struct suite_test {
    const char *name;  /* as -t takes it */
    const char *group; /* -t takes this too; NULL: none */
    const char *title; /* in the output */
    /* With "{k}" for "key:__rand_int__" or the like, "{d}" for the payload; NULL ends them. */
    const char *words[8];
    unsigned needs;
    bool inline_words;
    unsigned pairs; /* the words "{k}" and perhaps "{d}" are repeated so often at the end */
};

extern const struct suite_test suite_tests[];
extern const size_t suite_count;

/* Marks the tests that a list of names ("set,get"; NULL: all) asks for. ERR_NOT_FOUND: one that is
 * not known. selected: suite_count of them. */
must_use enum err suite_select(const char *names, bool *selected, struct diag *diag);

/* A test's request as words: owned by the caller, see suite_words_deinit. */
struct suite_words {
    struct bytes *words;
    size_t count;
};
void suite_words_init(struct suite_words *out, const struct suite_test *test,
                      const struct bench_options *options);
void suite_words_deinit(struct suite_words *words);

/* Lua text of a library of functions that write and read the keys they are given. */
void suite_library(int64_t functions, struct buf *out);
/* The payload: size bytes that look random and are the same for the same seed. */
must_use char *suite_payload(size_t size, uint64_t seed);
