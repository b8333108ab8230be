/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/fuzz_words.h"

#include "tests/unit/test.h"

static void learn(struct fuzz_list *list, const char *text,
                  void (*add)(struct fuzz_list *list, const struct resp_value *reply)) {
    struct reply_reader reader;
    struct resp_value *reply = NULL;
    struct bytes input = bytes_of(text);
    reply_reader_init(&reader, true);
    expect_eq(reply_reader_next(&reader, &input, &reply), REPLY_READ_WHOLE);
    add(list, reply);
    resp_value_destroy(&reply);
    reply_reader_deinit(&reader);
}

TEST(tokens_are_found_at_any_depth_each_once_in_both_protocols) {
    static const char *const docs[] = {
        "%1\r\n$3\r\nset\r\n%1\r\n$9\r\narguments\r\n*2\r\n"
        "%2\r\n$4\r\nname\r\n$2\r\nex\r\n$5\r\ntoken\r\n$2\r\nEX\r\n"
        "%1\r\n$9\r\narguments\r\n*1\r\n%1\r\n$5\r\ntoken\r\n$2\r\nNX\r\n",
        "*2\r\n$3\r\nset\r\n*2\r\n$9\r\narguments\r\n*2\r\n"
        "*4\r\n$4\r\nname\r\n$2\r\nex\r\n$5\r\ntoken\r\n$2\r\nEX\r\n"
        "*2\r\n$9\r\narguments\r\n*1\r\n*2\r\n$5\r\ntoken\r\n$2\r\nNX\r\n",
        "-ERR unknown subcommand\r\n",
    };
    struct fuzz_list list = {0};
    for (size_t i = 0; i < COUNT_OF(docs); i++) {
        learn(&list, docs[i], fuzz_list_add_tokens);
        expect_eq(list.token_count, 2);
        expect_str_eq(list.tokens[0], "EX");
        expect_str_eq(list.tokens[1], "NX");
    }
    fuzz_list_deinit(&list);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(requests_are_whole_and_contain_what_was_learnt) {
    struct fuzz_list list = {0};
    size_t seen = 0;
    learn(&list, "*2\r\n*2\r\n$3\r\nset\r\n:-3\r\n*2\r\n$8\r\nshutdown\r\n:-1\r\n",
          fuzz_list_add_commands);
    learn(&list, "*2\r\n$5\r\ntoken\r\n$7\r\nKEEPTTL\r\n", fuzz_list_add_tokens);
    expect_eq(list.command_count, 1); /* one is left out */
    for (int i = 0; i < 2000; i++) {
        struct buf request = {0}, shown = {0};
        struct reply_reader reader;
        struct resp_value *value = NULL;
        fuzz_make_request(&list, t->rng, &request, &shown);
        struct bytes input = buf_bytes(&request);
        reply_reader_init(&reader, true);
        expect_eq(reply_reader_next(&reader, &input, &value), REPLY_READ_WHOLE);
        expect_eq(input.size, 0);
        expect_true(resp_is_text(&value->items[0], "set"));
        for (size_t j = 1; j < value->count; j++) {
            seen += resp_is_text(&value->items[j], "KEEPTTL");
        }
        resp_value_destroy(&value);
        reply_reader_deinit(&reader);
        buf_deinit(&request);
        buf_deinit(&shown);
    }
    expect_true(seen > 0);
    fuzz_list_deinit(&list);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
