/* SPDX-License-Identifier: BSD-3-Clause */
/* rdb_packed -- values that the format carries as one string of packed elements: listpacks, and the
 * ziplists and zipmaps that were before them. Whatever it was, a listpack of today comes out. */
#pragma once

#include "ds/listpack.h"
#include "persist/rdb_in.h"

/* Reads a string that must be a listpack; the caller's. NULL: in->err says why. */
must_use struct listpack *rdb__get_listpack(struct rdb_in *in);
/* The same of a ziplist or a zipmap, with their elements. */
must_use struct listpack *rdb__get_ziplist(struct rdb_in *in);
must_use struct listpack *rdb__get_zipmap(struct rdb_in *in);

/* True if no element comes twice, looking at every step-th one from the first. O(n). */
must_use bool rdb__is_distinct(const struct listpack *lp, size_t step);
