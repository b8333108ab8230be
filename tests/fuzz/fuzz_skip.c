/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes of a server for the quick skipper of valkey-benchmark: where it finds the end of a reply,
 * the reader of replies finds the same. */
#include "base/check.h"
#include "base/mem.h"
#include "bench/skip.h"
#include "resp/reply_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct reply_reader reader;
    const char *at = (const char *)data, *end = at + size, *next;
    reply_reader_init(&reader, false);
    while (at < end && (next = skip_reply(at, end)) != NULL) {
        struct bytes input = bytes_make(at, (size_t)(end - at));
        struct reply_seen seen;
        enum reply_read outcome = reply_reader_skip(&reader, &input, &seen);
        check(next > at && next <= end);
        /* The reader is stricter about what is in a line. */
        if (outcome == REPLY_READ_BROKEN) break;
        check(outcome == REPLY_READ_WHOLE && input.data == next);
        at = next;
    }
    reply_reader_deinit(&reader);
    return 0;
}
