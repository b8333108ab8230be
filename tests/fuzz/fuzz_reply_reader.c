/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes are replies, the beginning of one, or an error, the same however they are cut into
 * pieces, and the same for the reader that keeps values and the one that skips them. */
#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "resp/reply_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void describe(const struct resp_value *value, struct buf *out) {
    buf_addf(out, "%d %lld ", (int)value->kind, (long long)value->integer);
    buf_add_quoted(out, value->text);
    for (size_t i = 0; i < value->count; i++) {
        describe(&value->items[i], out);
    }
    buf_add_char(out, '.');
}

/* All replies, described, in pieces of at most step bytes. */
static void read_all(struct bytes data, size_t step, struct buf *out, size_t *replies) {
    struct reply_reader reader;
    reply_reader_init(&reader, true);
    enum reply_read result = REPLY_READ_MORE;
    while (data.size > 0 && result != REPLY_READ_BROKEN) {
        size_t size = size_min(step, data.size);
        char *piece = mem_alloc(size); /* exactly its size: reads past it are found */
        memcpy(piece, data.data, size);
        struct bytes input = bytes_make(piece, size);
        do {
            struct resp_value *value = NULL;
            result = reply_reader_next(&reader, &input, &value);
            reply_reader_verify(&reader);
            if (result != REPLY_READ_WHOLE) break;
            describe(value, out);
            resp_value_destroy(&value);
            ++*replies;
        } while (input.size > 0);
        mem_free(piece);
        data = bytes_from(data, size);
    }
    if (result == REPLY_READ_BROKEN) buf_add_text(out, "broken");
    reply_reader_deinit(&reader);
}

static size_t skip_all(struct bytes data, size_t step, bool *is_broken) {
    struct reply_reader reader;
    reply_reader_init(&reader, false);
    size_t replies = 0;
    enum reply_read result = REPLY_READ_MORE;
    while (data.size > 0 && result != REPLY_READ_BROKEN) {
        size_t size = size_min(step, data.size);
        char *piece = mem_alloc(size);
        memcpy(piece, data.data, size);
        struct bytes input = bytes_make(piece, size);
        struct reply_seen seen;
        while (input.size > 0) {
            result = reply_reader_skip(&reader, &input, &seen);
            reply_reader_verify(&reader);
            if (result != REPLY_READ_WHOLE) break;
            check(seen.text.size <= REPLY_READER_TEXT_MAX);
            replies++;
        }
        mem_free(piece);
        data = bytes_from(data, size);
    }
    *is_broken = result == REPLY_READ_BROKEN;
    reply_reader_deinit(&reader);
    return replies;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes all = bytes_make(data, size);
    struct buf whole = {0}, pieces = {0};
    size_t count = 0, count_pieces = 0;
    bool is_broken, is_broken_pieces;
    struct reply_redirect redirect;
    if (size == 0) return 0;
    read_all(all, size, &whole, &count);
    read_all(all, 1 + data[0] % 7, &pieces, &count_pieces);
    check(bytes_equal(buf_bytes(&whole), buf_bytes(&pieces)));
    check(count == count_pieces);
    size_t skipped = skip_all(all, size, &is_broken);
    check(skipped == skip_all(all, 1 + data[0] % 5, &is_broken_pieces));
    check(is_broken == is_broken_pieces);
    check(skipped >= count); /* the other one also looks into verbatim strings */
    if (reply_redirect_parse(all, &redirect)) {
        check(redirect.slot < 16384 && redirect.port > 0 && redirect.host.size < size);
    }
    buf_deinit(&whole);
    buf_deinit(&pieces);
    return 0;
}
