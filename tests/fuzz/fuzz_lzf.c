/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as compressed ones, of a text of any size: what is unpacked is whole, and comes back
 * after it has been compressed anew; nothing beyond either end is touched. */
#include "base/check.h"
#include "base/lzf.h"
#include "base/mem.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_BYTES = 2 }; /* of the input, that say how large the text is to be */

static void pack_and_unpack(struct bytes text) {
    struct lzf lzf = {0};
    char *packed = mem_alloc(text.size), *back = mem_alloc(text.size);
    for (int round = 0; round < 2; round++) { /* what it remembers of the first is not used */
        size_t size = lzf_compress(&lzf, text, packed, text.size);
        check(size <= text.size);
        if (size == 0) continue;
        memset(back, round, text.size);
        check(lzf_decompress(bytes_make(packed, size), back, text.size));
        check(memcmp(back, text.data, text.size) == 0);
    }
    mem_free(packed);
    mem_free(back);
    lzf_deinit(&lzf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < SIZE_BYTES) return 0;
    size_t text_size = (size_t)data[0] | (size_t)data[1] << 8, packed_size = size - SIZE_BYTES;
    char *packed = mem_alloc(packed_size), *text = mem_alloc(text_size);
    if (packed_size) memcpy(packed, data + SIZE_BYTES, packed_size);
    if (lzf_decompress(bytes_make(packed, packed_size), text, text_size)) {
        check(text_size <= packed_size * LZF_RATIO_MAX);
        pack_and_unpack(bytes_make(text, text_size));
    }
    mem_free(packed);
    mem_free(text);
    return 0;
}
