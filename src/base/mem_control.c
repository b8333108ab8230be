/* SPDX-License-Identifier: BSD-3-Clause */
/* jemalloc's mallctl, for DEBUG MALLCTL. The name says how wide a number is, but only to jemalloc:
 * the widths are tried in turn. */
#include "base/mem.h"

#ifdef USE_JEMALLOC

#include <jemalloc/jemalloc.h>
#include <string.h>

static bool control_number(const char *name, size_t width, const int64_t *set, int64_t *out) {
    union {
        uint64_t u64;
        uint32_t u32;
        bool flag;
    } value, new_value;
    size_t size = width;
    if (set) {
        if (width == 8) {
            new_value.u64 = (uint64_t)*set;
        } else if (width == 4) {
            new_value.u32 = (uint32_t)*set;
        } else {
            new_value.flag = *set != 0;
        }
    }
    if (mallctl(name, &value, &size, set ? &new_value : NULL, set ? width : 0) != 0) return false;
    *out = width == 8 ? (int64_t)value.u64 : width == 4 ? (int64_t)value.u32 : value.flag;
    return true;
}

bool mem_control_int(const char *name, const int64_t *set, int64_t *out) {
    static const size_t widths[] = {8, 4, 1};
    for (size_t i = 0; i < COUNT_OF(widths); i++) {
        if (control_number(name, widths[i], set, out)) return true;
    }
    return false;
}

bool mem_control_text(const char *name, const char *set, const char **out) {
    const char *value = NULL;
    size_t size = sizeof(value);
    void *new_value = set ? &set : NULL;
    if (mallctl(name, &value, &size, new_value, set ? sizeof(set) : 0) != 0) return false;
    *out = value;
    return true;
}

bool mem_control_run(const char *name) { return mallctl(name, NULL, NULL, NULL, 0) == 0; }

#else

bool mem_control_int(const char *name, const int64_t *set, int64_t *out) {
    (void)name, (void)set, (void)out;
    return false;
}

bool mem_control_text(const char *name, const char *set, const char **out) {
    (void)name, (void)set, (void)out;
    return false;
}

bool mem_control_run(const char *name) {
    (void)name;
    return false;
}

#endif
