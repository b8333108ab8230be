/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/err.h"

#include <errno.h>

#include "tests/unit/test.h"

TEST(a_diag_holds_the_sentence_and_passes_the_code_on) {
    struct diag diag = {0};
    expect_eq(diag_set(&diag, ERR_RANGE, "value %d is too large", 7), ERR_RANGE);
    expect_str_eq(diag.text, "value 7 is too large");
    expect_eq(diag_set(NULL, ERR_SYNTAX, "nobody reads this"), ERR_SYNTAX);
}

TEST(a_diag_of_the_system_ends_with_the_reason) {
    struct diag diag = {0};
    errno = ENOENT;
    expect_eq(diag_errno(&diag, ERR_IO, "opening %s", "x"), ERR_IO);
    expect_str_eq(diag.text, "opening x: No such file or directory");
    expect_eq(errno, ENOENT);
    expect_eq(diag_errno(NULL, ERR_IO, "x"), ERR_IO);
}

TEST(a_long_sentence_is_cut_to_fit) {
    struct diag diag = {0};
    char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    errno = ENOENT;
    expect_eq(diag_errno(&diag, ERR_IO, "%s", text), ERR_IO);
    expect_eq(strlen(diag.text), sizeof(diag.text) - 1);
}

TEST_MAIN()
