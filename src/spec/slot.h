/* SPDX-License-Identifier: BSD-3-Clause */
/* slot -- which of the cluster's slots a key belongs to.
 *
 * Of a key with braces, only what is between the first '{' and the next '}' counts, unless that is
 * nothing: keys with the same tag lie on the same node. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

enum { SLOT_COUNT = 16384 };

uint16_t slot_of(struct bytes key);
