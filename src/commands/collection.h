/* SPDX-License-Identifier: BSD-3-Clause */
/* collection -- how commands on lists, sets and sorted sets end: the key has its value, or is gone
 * with the last element, and observers have been told. Executor only. */
#pragma once

#include "exec/call.h"

/* The value in entry has changed and has so many elements now; event names the change. An empty one
 * is removed: entry is not valid then. */
void collection_changed(struct call *call, struct bytes key, struct entry *entry, size_t count,
                        const char *event);

/* Makes the key at key_arg hold the object, whatever it held, or removes it if object is NULL.
 * Takes the object. type: enum value_type. */
void collection_store(struct call *call, uint32_t key_arg, uint8_t type, void *object,
                      const char *event);
