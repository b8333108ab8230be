/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/skip.h"

#include "base/buf.h"
#include "resp/reply_reader.h"
#include "tests/unit/test.h"

static void add_random_reply(struct rng *rng, struct buf *out, unsigned depth) {
    static const char lines[] = "+-:_#,(";
    size_t count = rng_below(rng, 4);
    switch (rng_below(rng, depth < 4 ? 6 : 3)) {
    case 0:
        buf_addf(out, "%c", lines[rng_below(rng, 3)]);
        buf_add_text(out, out->data[out->size - 1] == ':' ? "42\r\n" : "text\r\n");
        break;
    case 1: buf_addf(out, "$%zu\r\n%.*s\r\n", count, (int)count, "\r\n$"); break;
    case 2: buf_add_text(out, rng_below(rng, 2) ? "$-1\r\n" : "*-1\r\n"); break;
    case 3:
    case 4:
        buf_addf(out, "%c%zu\r\n", rng_below(rng, 2) ? '*' : '~', count);
        for (size_t i = 0; i < count; i++)
            add_random_reply(rng, out, depth + 1);
        break;
    default:
        buf_addf(out, "%%%zu\r\n", count);
        for (size_t i = 0; i < 2 * count; i++)
            add_random_reply(rng, out, depth + 1);
    }
}

TEST(whole_replies_end_where_the_reader_says) {
    struct reply_reader reader;
    reply_reader_init(&reader, false);
    for (int i = 0; i < 20000; i++) {
        struct buf text = {0};
        add_random_reply(t->rng, &text, 0);
        size_t size = text.size;
        buf_add_text(&text, "+more");
        struct bytes input = buf_bytes(&text);
        struct reply_seen seen;
        expect_ptr_eq(skip_reply(input.data, input.data + input.size), text.data + size);
        expect_eq(reply_reader_skip(&reader, &input, &seen), REPLY_READ_WHOLE);
        expect_ptr_eq(input.data, text.data + size);
        for (size_t cut = 0; cut < size; cut++) { /* a copy, so that reading past it is noticed */
            char *part = mem_copy_bytes(bytes_make(text.data, cut));
            expect_null(skip_reply(part, part + cut));
            mem_free(part);
        }
        buf_deinit(&text);
    }
    reply_reader_deinit(&reader);
}

TEST(what_is_no_reply_is_left_to_the_reader) {
    static const char *const odd[] = {
        "hello\r\n",   ">1\r\n+x\r\n",     "|1\r\n+a\r\n+b\r\n+c\r\n",
        "+line\n",     "$3\r\nabcd\r\n",   "$x\r\n",
        "$-2\r\n",     "*99999999999\r\n", "$\r\n\r\n",
        "*1\r\n?\r\n", "\r\n\r\n",         "$2\r\nab\r\r",
        "!-1\r\n",     "=-1\r\n",          "~-1\r\n",
        "%-1\r\n",
    };
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        expect_null(skip_reply(odd[i], odd[i] + strlen(odd[i])));
    }
}

TEST_MAIN()
