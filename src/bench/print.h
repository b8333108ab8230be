/* SPDX-License-Identifier: BSD-3-Clause */
/* print -- results for people and for programs: text, one line, CSV, JSON. */
#pragma once

#include "base/buf.h"

struct bench;
struct bench_result;

/* Before the first result: CSV's header; a note about --rps. */
void print_begin(const struct bench *bench);
void print_result(const struct bench *bench, const struct bench_result *result);
/* After the last one. results: for JSON, which is one document. */
void print_end(const struct bench *bench, const struct bench_result *results, size_t count);
/* Adds a text as a JSON string; bytes that are no UTF-8 become U+FFFD. */
void print_json_text(struct buf *out, const char *text);
/* The whole JSON document. */
void print_json(const struct bench *bench, const struct bench_result *results, size_t count,
                struct buf *out);
