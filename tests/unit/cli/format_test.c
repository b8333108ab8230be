/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/format.h"

#include "resp/reply_reader.h"
#include "tests/unit/test.h"

/* The reply as --json shows it, the caller's. */
static void format_json(const struct buf *reply, struct buf *out) {
    const struct cli_options options = {.output = CLI_OUTPUT_JSON};
    struct reply_reader reader;
    struct resp_value *value = NULL;
    struct bytes input = buf_bytes(reply);
    reply_reader_init(&reader, true);
    expect_eq(reply_reader_next(&reader, &input, &value), REPLY_READ_WHOLE);
    cli__format(&options, value, false, out);
    resp_value_destroy(&value);
    reply_reader_deinit(&reader);
}

TEST(keys_of_json_objects_are_strings) {
    struct buf reply = {0}, text = {0};
    buf_add_text(&reply, "%3\r\n:1\r\n+a\r\n*1\r\n+x\r\n+b\r\n%1\r\n*1\r\n+x\r\n+y\r\n+c\r\n");
    format_json(&reply, &text);
    expect_str_eq(text.data,
                  "{\"1\":\"a\",\"[\\\"x\\\"]\":\"b\","
                  "\"{\\\"\\\\\\\"x\\\\\\\"\\\":\\\"y\\\"}\":\"c\"}\n");
    buf_deinit(&reply);
    buf_deinit(&text);
}

TEST(keys_in_keys_do_not_double_with_each_level) {
    struct buf reply = {0}, text = {0};
    for (int i = 0; i < REPLY_READER_DEPTH; i++) {
        buf_add_text(&reply, "%1\r\n");
    }
    buf_add_text(&reply, "+x\r\n");
    for (int i = 0; i < REPLY_READER_DEPTH; i++) {
        buf_add_text(&reply, "+y\r\n");
    }
    format_json(&reply, &text);
    expect_true(text.size < 4 * reply.size);
    buf_deinit(&reply);
    buf_deinit(&text);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
