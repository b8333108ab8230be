/* SPDX-License-Identifier: BSD-3-Clause */
/* LCS -- the longest common subsequence of two strings, by the classic table:
 *
 *   length[i][j] = of the first i bytes of a and the first j bytes of b
 *                = length[i-1][j-1] + 1                  if the last bytes are equal
 *                = max(length[i-1][j], length[i][j-1])   else
 *
 * O(a * b) time. The subsequence is read off by walking the table from its end to its start; only
 * the length needs no more than two rows. Runs of equal bytes met on the way are the matches of
 * IDX. Both the walk's choice at a tie and the limit on memory are part of the protocol. */
#include "base/mem.h"
#include "base/num.h"
#include "commands/string_internal.h"

struct lcs_options {
    bool len, idx, with_match_len;
    int64_t min_match_len;
};

struct lcs {
    struct bytes a, b;
    size_t width;     /* b.size + 1 */
    size_t rows;      /* a.size + 1, or 2 */
    uint32_t *length; /* rows of width; row i is at i % rows */
};

static uint32_t *lcs_row(const struct lcs *lcs, size_t i) {
    return lcs->length + (i % lcs->rows) * lcs->width;
}

static void lcs_fill(const struct lcs *lcs) {
    memset(lcs_row(lcs, 0), 0, lcs->width * sizeof(uint32_t));
    for (size_t i = 1; i <= lcs->a.size; i++) {
        const uint32_t *above = lcs_row(lcs, i - 1);
        uint32_t *row = lcs_row(lcs, i);
        const char byte = lcs->a.data[i - 1];
        row[0] = 0;
        for (size_t j = 1; j <= lcs->b.size; j++) {
            uint32_t skip = above[j] > row[j - 1] ? above[j] : row[j - 1];
            row[j] = byte == lcs->b.data[j - 1] ? above[j - 1] + 1 : skip;
        }
    }
}

static uint32_t lcs_length(const struct lcs *lcs) { return lcs_row(lcs, lcs->a.size)[lcs->b.size]; }

/* One step from (i, j) towards the start where the last bytes differ. */
static void lcs_step_back(const struct lcs *lcs, size_t *i, size_t *j) {
    if (lcs_row(lcs, *i - 1)[*j] > lcs_row(lcs, *i)[*j - 1]) {
        --*i;
    } else {
        --*j;
    }
}

static void lcs_reply_text(struct reply *reply, const struct lcs *lcs) {
    size_t left = lcs_length(lcs), size = left;
    char *text = mem_alloc(size);
    for (size_t i = lcs->a.size, j = lcs->b.size; left > 0;) {
        if (lcs->a.data[i - 1] == lcs->b.data[j - 1]) {
            text[--left] = lcs->a.data[i - 1];
            i--;
            j--;
        } else {
            lcs_step_back(lcs, &i, &j);
        }
    }
    reply_bulk(reply, bytes_make(text, size));
    mem_free(text);
}

static void reply_range(struct reply *reply, size_t start, size_t size) {
    reply_array(reply, 2);
    reply_integer(reply, (int64_t)start);
    reply_integer(reply, (int64_t)(start + size - 1));
}

static void lcs_reply_matches(struct reply *reply, const struct lcs *lcs,
                              const struct lcs_options *options) {
    size_t i = lcs->a.size, j = lcs->b.size, matches = 0;

    reply_map(reply, 2);
    reply_bulk_text(reply, "matches");
    struct reply_mark mark = reply_defer(reply);
    while (i > 0 && j > 0) {
        size_t run = 0;
        while (i > 0 && j > 0 && lcs->a.data[i - 1] == lcs->b.data[j - 1]) {
            i--;
            j--;
            run++;
        }
        if (run > 0 && (int64_t)run >= options->min_match_len) {
            reply_array(reply, options->with_match_len ? 3 : 2);
            reply_range(reply, i, run);
            reply_range(reply, j, run);
            if (options->with_match_len) reply_integer(reply, (int64_t)run);
            matches++;
        }
        if (i > 0 && j > 0) lcs_step_back(lcs, &i, &j);
    }
    reply_defer_array(reply, mark, matches);
    reply_bulk_text(reply, "len");
    reply_integer(reply, lcs_length(lcs));
}

/* Allocates the table; false: too much, and it has replied. */
static bool lcs_init(struct call *call, struct lcs *lcs, bool only_length) {
    uint64_t bytes;
    if (lcs->a.size >= UINT32_MAX - 1 || lcs->b.size >= UINT32_MAX - 1) {
        call_error(call, ERROR_LCS_TOO_LONG);
        return false;
    }
    uint64_t cells = ((uint64_t)lcs->a.size + 1) * ((uint64_t)lcs->b.size + 1);
    if (__builtin_mul_overflow(cells, (uint64_t)sizeof(uint32_t), &bytes) ||
        bytes > (uint64_t)call->exec->config->bulk_max) {
        call_error(call, ERROR_LCS_MEMORY); /* also for the length: it bounds the time */
        return false;
    }
    lcs->width = lcs->b.size + 1;
    lcs->rows = only_length ? 2 : lcs->a.size + 1;
    lcs->length = mem_try_alloc(lcs->rows * lcs->width * sizeof(uint32_t));
    if (lcs->length) return true;
    call_error(call, ERROR_LCS_NO_MEMORY);
    return false;
}

static bool lcs_read_options(struct call *call, struct lcs_options *out) {
    *out = (struct lcs_options){0};
    for (uint32_t arg = 3; arg < call->argc; arg++) {
        if (call_is(call, arg, "IDX")) {
            out->idx = true;
        } else if (call_is(call, arg, "LEN")) {
            out->len = true;
        } else if (call_is(call, arg, "WITHMATCHLEN")) {
            out->with_match_len = true;
        } else if (call_is(call, arg, "MINMATCHLEN") && arg + 1 < call->argc) {
            arg++;
            if (!call_int(call, arg, &out->min_match_len)) return false;
        } else {
            call_error(call, ERROR_SYNTAX);
            return false;
        }
    }
    if (out->len && out->idx) {
        call_error(call, ERROR_LCS_LEN_AND_IDX);
        return false;
    }
    return true;
}

/* LCS key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN] -- absent keys are empty. */
void cmd_lcs(struct call *call) {
    char scratch_a[NUM_I64_TEXT_MAX], scratch_b[NUM_I64_TEXT_MAX];
    const struct entry *a = call_peek(call, 1), *b = call_peek(call, 2);
    struct lcs_options options;
    if ((a && !entry_is_string(a)) || (b && !entry_is_string(b))) {
        call_error(call, ERROR_LCS_TYPES);
        return;
    }
    if (!lcs_read_options(call, &options)) return;

    struct lcs lcs = {
        .a = a ? entry_string(a, scratch_a) : bytes_make("", 0),
        .b = b ? entry_string(b, scratch_b) : bytes_make("", 0),
    };
    if (!lcs_init(call, &lcs, options.len)) return;
    lcs_fill(&lcs);
    if (options.len) {
        reply_integer(call->reply, lcs_length(&lcs));
    } else if (options.idx) {
        lcs_reply_matches(call->reply, &lcs, &options);
    } else {
        lcs_reply_text(call->reply, &lcs);
    }
    mem_free(lcs.length);
}
