/* SPDX-License-Identifier: BSD-3-Clause */
/* string_options -- the option words of commands that store or read a value with a time to live:
 * SET, GETEX, MSETEX, and of hashes HSETEX and HGETEX. */
#pragma once

#include "commands/expiry.h"

enum string_option {
    STRING_NX = BIT(0),
    STRING_XX = BIT(1),
    STRING_IFEQ = BIT(2),
    STRING_GET = BIT(3),
    STRING_KEEPTTL = BIT(4),
    STRING_PERSIST = BIT(5),
    STRING_EX = BIT(6),
    STRING_PX = BIT(7),
    STRING_EXAT = BIT(8),
    STRING_PXAT = BIT(9),
    STRING_FNX = BIT(10), /* of a hash: no field exists */
    STRING_FXX = BIT(11), /* of a hash: all fields exist */
};
enum { STRING_TIMES = STRING_EX | STRING_PX | STRING_EXAT | STRING_PXAT };

struct string_options {
    uint32_t given;           /* enum string_option */
    uint32_t compare_arg;     /* position of IFEQ's value */
    struct expiry_arg expiry; /* the last time that was given */
};
/* Reads the options from position first up to end, which is the argument count for all; allowed:
 * those the command knows. False: it has replied with a syntax error. Numbers are not looked at. */
must_use bool string_options_read(struct call *call, uint32_t first, uint32_t end, uint32_t allowed,
                                  struct string_options *out);
