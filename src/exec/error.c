/* SPDX-License-Identifier: BSD-3-Clause */
#include "exec/error.h"

#include "base/check.h"
#include "base/mem.h"
#include "exec/exec.h"

#include <string.h>

static const char *const error_texts[ERROR_ID_COUNT] = {
#define ERROR_ROW(name, text) [ERROR_##name] = text,
#include "exec/errors.def"
#undef ERROR_ROW
};

const char *error_text(enum error_id id) {
    check(id < ERROR_ID_COUNT);
    return error_texts[id];
}

/* ---- counts by code ---- */

enum { ERROR_CODES_MAX = 128, ERROR_CODE_BYTES = 32 };
static const char overflow_code[] = "ERRORSTATS_OVERFLOW";

/* Sorted by code, so that INFO shows them in order and a look-up is a binary search. */
struct error_stats {
    uint32_t count;
    struct error_code {
        uint8_t size;
        char code[ERROR_CODE_BYTES - 1];
        uint64_t errors;
    } codes[ERROR_CODES_MAX + 1];
};

static uint32_t error_stats_place(const struct error_stats *stats, struct bytes code, bool *found) {
    uint32_t low = 0, high = stats->count;
    *found = false;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        const struct error_code *at = &stats->codes[mid];
        int order = bytes_compare(bytes_make(at->code, at->size), code);
        if (order == 0) {
            *found = true;
            return mid;
        }
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

void error_stats_count(struct exec *exec, struct bytes code) {
    if (!exec->errors) exec->errors = mem_zalloc(sizeof(*exec->errors));
    struct error_stats *stats = exec->errors;
    exec->stats.error_replies++;
    code.size = size_min(code.size, sizeof(stats->codes[0].code));
    bool found;
    uint32_t at = error_stats_place(stats, code, &found);
    if (!found && stats->count >= ERROR_CODES_MAX) {
        code = bytes_of(overflow_code);
        at = error_stats_place(stats, code, &found);
    }
    if (!found) {
        check(stats->count <= ERROR_CODES_MAX);
        memmove(&stats->codes[at + 1], &stats->codes[at],
                (stats->count - at) * sizeof(stats->codes[0]));
        stats->count++;
        stats->codes[at] = (struct error_code){.size = (uint8_t)code.size};
        memcpy(stats->codes[at].code, code.data, code.size);
    }
    stats->codes[at].errors++;
}

void error_stats_reset(struct exec *exec) {
    mem_free(exec->errors);
    exec->errors = NULL;
}

void error_stats_each(struct exec *exec, void (*fn)(void *ctx, struct bytes code, uint64_t count),
                      void *ctx) {
    if (!exec->errors) return;
    for (uint32_t i = 0; i < exec->errors->count; i++) {
        const struct error_code *at = &exec->errors->codes[i];
        fn(ctx, bytes_make(at->code, at->size), at->errors);
    }
}
