/* SPDX-License-Identifier: BSD-3-Clause */
/* hash_internal -- the hash by AES rounds, where the CPU has them. */
#pragma once

#include "base/hash.h"

bool hash__aes_is_supported(void);
/* Only if supported. */
uint64_t hash__aes(const struct hash_key *key, const char *data, size_t size);
