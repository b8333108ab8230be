/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/console.h"

#include "tests/unit/test.h"

TEST(lines_with_passwords_are_secret) {
    static const char *const secret[] = {
        "auth x",
        "AUTH user x",
        "5 auth x",
        "acl setuser me on >x",
        "hello 3 auth default x",
        "HELLO 3 SETNAME a AUTH default x",
        "migrate h 1 k 0 10 auth x",
        "migrate h 1 '' 0 10 AUTH2 u x KEYS a",
        "config set requirepass x",
        "CONFIG SET maxmemory 1 masterauth x",
        "config set primaryauth x",
        "sentinel set m auth-pass x",
        "sentinel config set sentinel-pass x",
        "auth \"not closed",
    };
    for (size_t i = 0; i < COUNT_OF(secret); i++) {
        expect_true(console__is_secret(bytes_of(secret[i])));
    }
}

TEST(other_lines_are_not) {
    static const char *const open[] = {"get auth",
                                       "set auth 1",
                                       "acl list",
                                       "hello 3",
                                       "config get requirepass",
                                       "migrate h 1 k 0 10",
                                       "config set maxmemory 1",
                                       "help auth",
                                       "sentinel masters"};
    for (size_t i = 0; i < COUNT_OF(open); i++) {
        expect_false(console__is_secret(bytes_of(open[i])));
    }
}

TEST_MAIN()
