/* SPDX-License-Identifier: BSD-3-Clause */
/* Any line splits without reading or writing outside, or is refused; the arguments hold no more
 * bytes than the line, and quoted again they split into the same. */
#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "resp/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_splits_back(const struct bytes *argv, uint32_t argc) {
    struct buf line = {0};
    struct bytes *again;
    uint32_t again_count;
    for (uint32_t i = 0; i < argc; i++) {
        buf_add_quoted(&line, argv[i]);
        buf_add_char(&line, ' ');
    }
    check(split_args(buf_bytes(&line), &again, &again_count));
    check(again_count == argc);
    for (uint32_t i = 0; i < argc; i++)
        check(bytes_equal(argv[i], again[i]));
    mem_free(again);
    buf_deinit(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *copy = mem_alloc(size); /* exactly its size, so that reads past it are found */
    if (size) memcpy(copy, data, size);
    struct bytes *argv;
    uint32_t argc;
    if (split_args(bytes_make(copy, size), &argv, &argc)) {
        size_t total = 0;
        for (uint32_t i = 0; i < argc; i++)
            total += argv[i].size;
        check(total <= size && argc <= size);
        check_splits_back(argv, argc);
        mem_free(argv);
    }
    mem_free(copy);
    return 0;
}
