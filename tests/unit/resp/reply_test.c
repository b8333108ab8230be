/* SPDX-License-Identifier: BSD-3-Clause */
#include "resp/reply.h"

#include "base/buf.h"
#include "base/mem.h"
#include "tests/unit/test.h"

struct fixture {
    struct chunk_pool pool;
    struct reply reply;
};

static void setup(struct fixture *f, uint8_t resp) {
    chunk_pool_init(&f->pool);
    reply_init(&f->reply, &f->pool, resp);
}

/* Takes the blocks, adds their bytes to out, and checks the sizes the reply told. */
static void drain(struct fixture *f, struct buf *out) {
    uint64_t expected = reply_size(&f->reply);
    size_t before = out->size;
    struct reply_block *head = reply_take(&f->reply);
    for (const struct reply_block *block = head; block; block = block->next)
        buf_add(out, bytes_make(block->data, reply_block_size(block)));
    expect_eq(out->size - before, expected);
    expect_true(reply_is_empty(&f->reply));
    expect_eq(reply_size(&f->reply), 0);
    expect_eq(reply_memory_bytes(&f->reply), 0);
    reply_blocks_free(&f->pool, head);
}

static void teardown(struct fixture *f) {
    reply_deinit(&f->reply);
    chunk_pool_deinit(&f->pool);
}

static void expect_drained(struct fixture *f, struct bytes expected) {
    struct buf out = {0};
    drain(f, &out);
    expect_bytes_eq(buf_bytes(&out), expected);
    buf_deinit(&out);
}
#define expect_sent(f, literal) expect_drained(f, BYTES(literal))

static void write_one_of_each(struct reply *reply) {
    reply_ok(reply);
    reply_simple(reply, BYTES("a\r\nb"));
    reply_error(reply, BYTES("ERR no\nsuch\r"));
    reply_integer(reply, 7);
    reply_integer(reply, 42);
    reply_integer(reply, -1);
    reply_integer(reply, INT64_MIN);
    reply_integer(reply, INT64_MAX);
    reply_bulk(reply, BYTES(""));
    reply_bulk(reply, BYTES("a\0b"));
    reply_bulk_text(reply, "twelve bytes");
    reply_bulk_i64(reply, -100);
    reply_bulkf(reply, "%d-%s", 5, "x");
    reply_null(reply);
    reply_null_array(reply);
    reply_array(reply, 0);
    reply_array(reply, 123);
    reply_map(reply, 2);
    reply_set(reply, 10);
    reply_push(reply, 3);
    reply_bool(reply, true);
    reply_bool(reply, false);
    reply_double(reply, 1.5);
    reply_double(reply, -(double)INFINITY);
    reply_double(reply, 3);
    reply_bignum(reply, BYTES("123456789012345678901234567890"));
    reply_verbatim(reply, "txt", BYTES("hello"));
}

TEST(resp2_forms_are_exact) {
    struct fixture f;
    setup(&f, 2);
    write_one_of_each(&f.reply);
    expect_sent(&f,
                "+OK\r\n+a  b\r\n-ERR no such \r\n:7\r\n:42\r\n:-1\r\n"
                ":-9223372036854775808\r\n:9223372036854775807\r\n"
                "$0\r\n\r\n$3\r\na\0b\r\n$12\r\ntwelve bytes\r\n$4\r\n-100\r\n$3\r\n5-x\r\n"
                "$-1\r\n*-1\r\n*0\r\n*123\r\n*4\r\n*10\r\n*3\r\n:1\r\n:0\r\n"
                "$3\r\n1.5\r\n$4\r\n-inf\r\n$1\r\n3\r\n"
                "$30\r\n123456789012345678901234567890\r\n$5\r\nhello\r\n");
    teardown(&f);
}

TEST(resp3_forms_are_exact) {
    struct fixture f;
    setup(&f, 3);
    write_one_of_each(&f.reply);
    reply_attribute(&f.reply, 1);
    expect_sent(&f,
                "+OK\r\n+a  b\r\n-ERR no such \r\n:7\r\n:42\r\n:-1\r\n"
                ":-9223372036854775808\r\n:9223372036854775807\r\n"
                "$0\r\n\r\n$3\r\na\0b\r\n$12\r\ntwelve bytes\r\n$4\r\n-100\r\n$3\r\n5-x\r\n"
                "_\r\n_\r\n*0\r\n*123\r\n%2\r\n~10\r\n>3\r\n#t\r\n#f\r\n"
                ",1.5\r\n,-inf\r\n,3\r\n"
                "(123456789012345678901234567890\r\n=9\r\ntxt:hello\r\n|1\r\n");
    teardown(&f);
}

TEST(long_formatted_text_and_lines_are_whole) {
    struct fixture f;
    struct buf text = {0}, expected = {0};
    setup(&f, 2);
    for (int i = 0; i < 5000; i++)
        buf_addf(&text, "%d,", i);
    reply_bulkf(&f.reply, "<%.*s>", (int)text.size, text.data);
    reply_error(&f.reply, buf_bytes(&text));
    buf_addf(&expected, "$%zu\r\n<", text.size + 2);
    buf_add(&expected, buf_bytes(&text));
    buf_add_text(&expected, ">\r\n-");
    buf_add(&expected, buf_bytes(&text));
    buf_add_text(&expected, "\r\n");
    expect_drained(&f, buf_bytes(&expected));
    buf_deinit(&text);
    buf_deinit(&expected);
    teardown(&f);
}

TEST(bulks_of_every_size_come_out_whole) {
    struct fixture f;
    struct buf expected = {0};
    char *text = mem_alloc(70000);
    setup(&f, 2);
    for (size_t i = 0; i < 70000; i++)
        text[i] = (char)('a' + i % 26);
    for (int i = 0; i < 3000; i++) {
        size_t size = rng_below(t->rng, i % 50 == 0 ? 70000 : 300);
        reply_bulk(&f.reply, bytes_make(text, size));
        buf_addf(&expected, "$%zu\r\n", size);
        buf_add(&expected, bytes_make(text, size));
        buf_add_text(&expected, "\r\n");
    }
    struct buf out = {0};
    drain(&f, &out);
    expect_true(bytes_equal(buf_bytes(&out), buf_bytes(&expected)));
    buf_deinit(&out);
    buf_deinit(&expected);
    mem_free(text);
    teardown(&f);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(large_blobs_are_pinned_and_small_ones_copied) {
    struct fixture f;
    setup(&f, 2);
    struct blob *small = blob_create(REPLY_PIN_MIN - 1), *large = blob_create(REPLY_PIN_MIN);
    memset(small->data, 's', small->size);
    memset(large->data, 'l', large->size);
    memset(large->data + large->size, '?', BLOB_TAIL);

    reply_blob(&f.reply, small);
    expect_true(blob_is_sole(small));
    reply_blob(&f.reply, large);
    expect_false(blob_is_sole(large));
    reply_blob(&f.reply, large); /* right behind a pinned block */
    reply_integer(&f.reply, 1);
    expect_true(reply_memory_bytes(&f.reply) < (size_t)8 * CHUNK_SIZE);

    struct buf expected = {0};
    buf_addf(&expected, "$%zu\r\n", small->size);
    buf_add(&expected, blob_bytes(small));
    buf_add_text(&expected, "\r\n");
    for (int i = 0; i < 2; i++) {
        buf_addf(&expected, "$%zu\r\n", large->size);
        buf_add(&expected, blob_bytes(large));
        buf_add_text(&expected, "\r\n");
    }
    buf_add_text(&expected, ":1\r\n");
    expect_drained(&f, buf_bytes(&expected));
    expect_true(blob_is_sole(large));

    reply_blob(&f.reply, large); /* dropped unsent: the reference goes too */
    reply_deinit(&f.reply);
    expect_true(blob_is_sole(large));
    blob_release(small);
    blob_release(large);
    buf_deinit(&expected);
    teardown(&f);
}

TEST(a_pin_at_the_end_is_taken_whole) {
    struct fixture f;
    setup(&f, 2);
    struct blob *blob = blob_create(20000);
    memset(blob->data, 'x', blob->size);
    reply_blob(&f.reply, blob);
    expect_eq(reply_size(&f.reply), 8 + 20000 + 2);
    struct buf out = {0};
    drain(&f, &out);
    expect_eq(out.size, 8 + 20000 + 2);
    expect_bytes_eq(bytes_from(buf_bytes(&out), out.size - 3), BYTES("x\r\n"));
    buf_deinit(&out);
    blob_release(blob);
    teardown(&f);
}

TEST(deferred_headers_get_their_size_afterwards) {
    struct fixture f;
    setup(&f, 3);
    reply_integer(&f.reply, 1);
    struct reply_mark outer = reply_defer(&f.reply);
    reply_integer(&f.reply, 2);
    struct reply_mark inner = reply_defer(&f.reply);
    reply_bulk_text(&f.reply, "a");
    reply_bulk_text(&f.reply, "b");
    reply_defer_set(&f.reply, inner, 2);
    struct reply_mark empty = reply_defer(&f.reply);
    reply_defer_array(&f.reply, empty, 0);
    reply_defer_map(&f.reply, outer, 12345);
    reply_integer(&f.reply, 3);
    expect_sent(&f, ":1\r\n%12345\r\n:2\r\n~2\r\n$1\r\na\r\n$1\r\nb\r\n*0\r\n:3\r\n");
    f.reply.resp = 2;
    struct reply_mark map = reply_defer(&f.reply);
    reply_defer_map(&f.reply, map, 3);
    expect_sent(&f, "*6\r\n");
    teardown(&f);
}

TEST(deferred_headers_work_across_blocks_and_pins) {
    for (int round = 0; round < 200; round++) {
        struct fixture f;
        struct buf elements = {0}, expected = {0};
        setup(&f, 2);
        size_t before = rng_below(t->rng, 3 * CHUNK_SIZE);
        char *noise = mem_zalloc(3 * CHUNK_SIZE);
        struct blob *blob = blob_create(20000);
        memset(blob->data, 'p', blob->size);
        reply_raw(&f.reply, noise, before);
        struct reply_mark mark = reply_defer(&f.reply);
        size_t count = rng_below(t->rng, 200);
        for (size_t i = 0; i < count; i++) {
            struct bytes element = bytes_make(noise, rng_below(t->rng, 400));
            if (rng_below(t->rng, 50) == 0) element = blob_bytes(blob);
            if (element.data == blob->data) {
                reply_blob(&f.reply, blob);
            } else {
                reply_bulk(&f.reply, element);
            }
            buf_addf(&elements, "$%zu\r\n", element.size);
            buf_add(&elements, element);
            buf_add_text(&elements, "\r\n");
        }
        reply_defer_array(&f.reply, mark, count);
        reply_ok(&f.reply);

        buf_add(&expected, bytes_make(noise, before));
        buf_addf(&expected, "*%zu\r\n", count);
        buf_add(&expected, buf_bytes(&elements));
        buf_add_text(&expected, "+OK\r\n");
        struct buf out = {0};
        drain(&f, &out);
        expect_eq(out.size, expected.size);
        expect_true(bytes_equal(buf_bytes(&out), buf_bytes(&expected)));
        buf_deinit(&out);
        buf_deinit(&elements);
        buf_deinit(&expected);
        mem_free(noise);
        blob_release(blob);
        teardown(&f);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(a_muted_reply_keeps_what_was_before_and_nothing_else) {
    struct fixture f;
    setup(&f, 3);
    struct blob *blob = blob_create(50000);
    memset(blob->data, 'x', blob->size);

    reply_set_muted(&f.reply, true);
    write_one_of_each(&f.reply);
    expect_true(reply_is_empty(&f.reply));
    reply_set_muted(&f.reply, false);

    reply_integer(&f.reply, 1);
    reply_set_muted(&f.reply, true);
    write_one_of_each(&f.reply);
    reply_blob(&f.reply, blob);
    struct reply_mark mark = reply_defer(&f.reply);
    char *room = reply_room(&f.reply, 1000);
    memset(room, 'r', 1000);
    reply_commit(&f.reply, 1000);
    reply_defer_array(&f.reply, mark, 1);
    reply_raw(&f.reply, blob->data, blob->size);
    expect_eq(reply_size(&f.reply), 4);
    reply_set_muted(&f.reply, false);
    reply_integer(&f.reply, 2);
    expect_sent(&f, ":1\r\n:2\r\n");

    reply_integer(&f.reply, 3);
    reply_set_muted(&f.reply, true);
    expect_sent(&f, ":3\r\n"); /* taken while muted */
    reply_integer(&f.reply, 4);
    expect_true(reply_is_empty(&f.reply));
    reply_set_muted(&f.reply, false);
    reply_blob(&f.reply, blob);
    reply_set_muted(&f.reply, true);
    reply_integer(&f.reply, 5);
    reply_set_muted(&f.reply, false); /* behind a pin there is no room to give back */
    reply_integer(&f.reply, 6);
    expect_eq(reply_size(&f.reply), 8 + 50000 + 2 + 4);
    blob_release(blob);
    teardown(&f);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(room_is_contiguous_and_only_what_was_committed_counts) {
    struct fixture f;
    setup(&f, 2);
    struct buf expected = {0};
    for (int i = 0; i < 500; i++) {
        size_t room = 1 + rng_below(t->rng, 1024), used = rng_below(t->rng, room + 1);
        char *at = reply_room(&f.reply, room);
        memset(at, 'a' + i % 26, room);
        buf_add(&expected, bytes_make(at, used));
        reply_commit(&f.reply, used);
    }
    struct buf out = {0};
    drain(&f, &out);
    expect_true(bytes_equal(buf_bytes(&out), buf_bytes(&expected)));
    buf_deinit(&out);
    buf_deinit(&expected);
    teardown(&f);
}

/* The first chunk's size of a reply that is written in two pieces; the first may be empty. */
static size_t first_chunk(struct fixture *f, size_t first, size_t rest) {
    char text[CHUNK_SMALL_SIZE] = {0};
    check(first <= sizeof(text) && rest <= sizeof(text));
    if (first) reply_raw(&f->reply, text, first);
    if (rest) reply_raw(&f->reply, text, rest);
    size_t size = sizeof(struct reply_block) + f->reply.head->room;
    struct buf out = {0};
    drain(f, &out);
    expect_eq(out.size, first + rest);
    buf_deinit(&out);
    return size;
}

TEST(a_reply_begins_with_a_small_chunk_until_one_was_not_enough) {
    enum { SMALL_ROOM = CHUNK_SMALL_SIZE - sizeof(struct reply_block) };
    struct fixture f;
    setup(&f, 2);
    expect_eq(reply_buffer_size(&f.reply), CHUNK_SMALL_SIZE);
    expect_eq(first_chunk(&f, 10, 0), CHUNK_SMALL_SIZE);
    expect_eq(first_chunk(&f, SMALL_ROOM, 0), CHUNK_SMALL_SIZE);
    expect_eq(first_chunk(&f, SMALL_ROOM + 1, 0), CHUNK_SIZE); /* seen at once: nothing is learnt */
    expect_eq(reply_buffer_size(&f.reply), CHUNK_SMALL_SIZE);

    expect_eq(first_chunk(&f, 10, SMALL_ROOM), CHUNK_SMALL_SIZE);
    expect_eq(reply_buffer_size(&f.reply), CHUNK_SIZE);
    expect_eq(first_chunk(&f, 10, 0), CHUNK_SIZE);

    reply_expect(&f.reply, SMALL_ROOM);
    expect_eq(first_chunk(&f, 10, 0), CHUNK_SMALL_SIZE);
    reply_expect(&f.reply, SMALL_ROOM + 1);
    expect_eq(reply_buffer_size(&f.reply), CHUNK_SIZE);
    expect_eq(first_chunk(&f, 10, 0), CHUNK_SIZE);
    teardown(&f);
}

TEST(the_pool_gives_the_warmest_chunk_and_keeps_no_more_than_its_limit) {
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    void *a = chunk_pool_take(&pool), *b = chunk_pool_take(&pool);
    chunk_pool_put(&pool, a);
    chunk_pool_put(&pool, b);
    expect_eq(pool.whole.count, 2);
    expect_ptr_eq(chunk_pool_take(&pool), b);
    expect_eq(pool.whole.used, 1);
    chunk_pool_put(&pool, b);
    void *small = chunk_pool_take_small(&pool);
    expect_eq(pool.whole.count, 2);
    chunk_pool_put_small(&pool, small);
    expect_ptr_eq(chunk_pool_take_small(&pool), small);
    chunk_pool_put_small(&pool, small);
    chunk_pool_trim(&pool, 1);
    expect_eq(pool.whole.count, 1);
    expect_eq(pool.small.count, 1);

    void *many[CHUNK_POOL_MAX + 10];
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = chunk_pool_take(&pool);
    for (size_t i = 0; i < COUNT_OF(many); i++)
        chunk_pool_put(&pool, many[i]);
    expect_eq(pool.whole.count, CHUNK_POOL_MAX);
    chunk_pool_deinit(&pool);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(a_very_large_copy_goes_out_in_several_blocks) {
    enum { SIZE = 40 * 1024 * 1024 };
    struct fixture f;
    setup(&f, 2);
    char *data = mem_alloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (char)(i * 31 >> 7);
    reply_ok(&f.reply);
    reply_bulk(&f.reply, bytes_make(data, SIZE));
    expect_true(f.reply.block_count > 2);
    struct buf out = {0};
    drain(&f, &out);
    const struct bytes head = BYTES("+OK\r\n$41943040\r\n");
    expect_eq(out.size, head.size + SIZE + 2);
    expect_bytes_eq(bytes_make(out.data, head.size), head);
    expect_true(memcmp(out.data + head.size, data, SIZE) == 0);
    expect_bytes_eq(bytes_make(out.data + head.size + SIZE, 2), BYTES("\r\n"));
    buf_deinit(&out);
    mem_free(data);
    teardown(&f);
}

TEST_MAIN()
