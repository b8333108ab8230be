/* SPDX-License-Identifier: BSD-3-Clause */
/* version -- what the programs say they are: the release whose behaviour it has. */
#pragma once

#define VALKEY_VERSION "9.1.0"
#define REDIS_VERSION "7.2.4"
