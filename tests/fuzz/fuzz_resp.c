/* SPDX-License-Identifier: BSD-3-Clause */
/* The parser fed whole and fed in pieces, with its input moved in between, must deliver the same
 * requests and the same error. The first two bytes of the data choose the limits and the pieces. */
#include "base/random.h"
#include "tests/unit/resp/feeder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t FUZZ_BULK_MAX = 200 * 1024;

static void feed_pieces(struct feeder *feeder, struct bytes bytes, uint8_t seed) {
    struct rng rng;
    rng_seed(&rng, seed);
    uint64_t piece_max = 1ull << (seed % 12);
    while (bytes.size) {
        size_t n = size_min(bytes.size, 1 + rng_below(&rng, piece_max));
        feeder_feed_all(feeder, bytes_make(bytes.data, n));
        bytes = bytes_from(bytes, n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    struct bytes stream = bytes_make(data + 2, size - 2);
    struct feeder whole, pieces;
    feeder_init(&whole, FUZZ_BULK_MAX);
    feeder_init(&pieces, FUZZ_BULK_MAX);
    whole.parser.preauth = pieces.parser.preauth = data[0] & 1;

    feeder_feed_all(&whole, stream);
    feed_pieces(&pieces, stream, data[1]);
    check(bytes_equal(buf_bytes(&whole.log), buf_bytes(&pieces.log)));
    check(whole.failed == pieces.failed);

    feeder_deinit(&whole);
    feeder_deinit(&pieces);
    return 0;
}
