/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as compressed ones, of a text of any size: what is unpacked is whole, and comes back
 * after it has been compressed anew, also by a compressor that has seen another text before, and if
 * there is room for it; nothing beyond either end is touched. */
#include "base/check.h"
#include "base/lzf.h"
#include "base/mem.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_BYTES = 2 }; /* of the input, that say how large the text is to be */

/* Into memory of exactly that room: a sanitizer sees a byte too many. Returns the packed size. */
static size_t pack_and_unpack(struct lzf *lzf, struct bytes text, size_t room) {
    char *packed = mem_alloc(room), *back = mem_alloc(text.size);
    size_t size = lzf_compress(lzf, text, packed, room);
    check(size <= room);
    if (size > 0) {
        memset(back, ~text.data[0], text.size);
        check(lzf_decompress(bytes_make(packed, size), back, text.size));
        check(memcmp(back, text.data, text.size) == 0);
    }
    mem_free(packed);
    mem_free(back);
    return size;
}

/* Two texts in turn: what is remembered of one is not used for the other. A text takes as much room
 * as it needs, whatever there is beyond that; with less, there is no packed text. */
static void pack_in_turn(struct bytes text, struct bytes other) {
    struct lzf lzf = {0};
    (void)pack_and_unpack(&lzf, text, text.size);
    (void)pack_and_unpack(&lzf, other, other.size);
    size_t most = text.size + text.size / 32 + 1; /* one byte more for each 32 */
    size_t size = pack_and_unpack(&lzf, text, most);
    (void)pack_and_unpack(&lzf, other, other.size / 2);
    if (size > 0) {
        check(pack_and_unpack(&lzf, text, size) == size);
        check(pack_and_unpack(&lzf, text, size - 1) == 0);
        check(pack_and_unpack(&lzf, text, size / 2) == 0);
    }
    lzf_deinit(&lzf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < SIZE_BYTES) return 0;
    size_t text_size = (size_t)data[0] | (size_t)data[1] << 8, packed_size = size - SIZE_BYTES;
    char *packed = mem_alloc(packed_size), *text = mem_alloc(text_size);
    if (packed_size) memcpy(packed, data + SIZE_BYTES, packed_size);
    if (lzf_decompress(bytes_make(packed, packed_size), text, text_size)) {
        check(text_size <= packed_size * LZF_RATIO_MAX);
        pack_in_turn(bytes_make(text, text_size), bytes_make(packed, packed_size));
    }
    mem_free(packed);
    mem_free(text);
    return 0;
}
