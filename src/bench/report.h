/* SPDX-License-Identifier: BSD-3-Clause */
/* report -- a page about the results: HTML with its style and its charts (SVG) inside, so that one
 * file is all there is. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct bench;
struct bench_result;

/* Fails if the file cannot be written; a file that was there is replaced only by a whole one. */
must_use enum err report_write(const struct bench *bench, const struct bench_result *results,
                               size_t count, struct diag *diag);
void report_page(const struct bench *bench, const struct bench_result *results, size_t count,
                 struct buf *out);
