/* SPDX-License-Identifier: BSD-3-Clause */
/* Bounds as commands give them: scores (`1`, `(1`, `-inf`), members (`[a`, `(a`, `-`, `+`), ranks.
 */
#include "commands/zset_internal.h"

#include <math.h>

static bool read_score(struct bytes text, double *out, bool *without) {
    *without = text.size > 0 && text.data[0] == '(';
    if (*without) text = bytes_from(text, 1);
    if (text.size > 0) return num_parse_double(text, out);
    *out = 0; /* nothing is zero here */
    return true;
}

bool zset_read_scores(struct call *call, uint32_t min, uint32_t max, struct zset_score_range *out) {
    if (read_score(call->argv[min], &out->min, &out->without_min) &&
        read_score(call->argv[max], &out->max, &out->without_max)) {
        return true;
    }
    call_error(call, ERROR_SCORE_BOUNDS);
    return false;
}

static bool read_lex(struct bytes text, struct zset_lex_bound *out) {
    *out = (struct zset_lex_bound){.kind = ZSET_LEX_BYTES};
    if (text.size == 0) return false;
    switch (text.data[0]) {
    case '-': out->kind = ZSET_LEX_LOWEST; return text.size == 1;
    case '+': out->kind = ZSET_LEX_HIGHEST; return text.size == 1;
    case '(': out->is_outside = true; break;
    case '[': break;
    default: return false;
    }
    out->bytes = bytes_from(text, 1);
    return true;
}

bool zset_read_lex(struct call *call, uint32_t min, uint32_t max, struct zset_lex_range *out) {
    if (read_lex(call->argv[min], &out->min) && read_lex(call->argv[max], &out->max)) return true;
    call_error(call, ERROR_LEX_BOUNDS);
    return false;
}

bool zset_read_ranks(struct call *call, uint32_t first, uint32_t last, struct zset_ranks *out) {
    return call_int(call, first, &out->first) && call_int(call, last, &out->last);
}

struct zset_span zset_span_of_ranks(struct zset_ranks ranks, size_t count) {
    int64_t size = (int64_t)count, first = ranks.first, last = ranks.last;
    if (first < 0) first = i64_max(first + size, 0);
    if (last < 0) last += size;
    last = i64_min(last, size - 1);
    if (first > last) return (struct zset_span){0};
    return (struct zset_span){.first = (size_t)first, .count = (size_t)(last - first) + 1};
}
