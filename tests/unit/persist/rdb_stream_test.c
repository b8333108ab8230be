/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers, lengths and strings: written, and read back in pieces of any size. */
#include "base/lzf.h"
#include "persist/rdb_format.h"
#include "sync/blob.h"
#include "tests/unit/persist/rdb_fixture.h"

enum { ITEMS = 300, TEXT_MAX = 200000 };

struct item {
    enum { ITEM_BYTE, ITEM_U64, ITEM_DOUBLE, ITEM_LENGTH, ITEM_STRING, ITEM_INTEGER } kind;
    uint64_t number;
    char *text;
    size_t size;
};

static void make_item(struct rng *rng, struct item *item) {
    struct buf buf = {0};
    *item = (struct item){.kind = (int)rng_below(rng, 6)};
    item->number = rng_next(rng) >> rng_below(rng, 64);
    if (item->kind == ITEM_BYTE) item->number &= 255;
    if (item->kind != ITEM_STRING) return;
    struct bytes text = random_text(rng, &buf, rng_below(rng, 50) ? 500 : TEXT_MAX);
    item->size = text.size;
    item->text = mem_copy_bytes(text);
    buf_deinit(&buf);
}

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void write_item(struct rdb_out *out, const struct item *item) {
    switch (item->kind) {
    case ITEM_BYTE: rdb_put_byte(out, (uint8_t)item->number); break;
    case ITEM_U64: rdb_put_u64(out, item->number); break;
    case ITEM_DOUBLE: rdb_put_double(out, double_of(item->number)); break;
    case ITEM_LENGTH: rdb_put_length(out, item->number); break;
    case ITEM_STRING: rdb_put_string(out, bytes_make(item->text, item->size)); break;
    case ITEM_INTEGER: rdb_put_integer(out, (int64_t)item->number); break;
    }
}

static void expect_same_text(struct rdb_in *in, struct bytes expected, size_t blob_min) {
    struct rdb_string value;
    char digits[NUM_I64_TEXT_MAX];
    expect_true(rdb_get_value(in, blob_min, &value));
    struct bytes got = value.bytes;
    if (value.is_integer) got = bytes_make(digits, num_format_i64(digits, value.integer));
    if (value.blob) expect_bytes_eq(blob_bytes(value.blob), got);
    expect_bytes_eq(got, expected);
    blob_release(value.blob);
}

static void read_item(struct rng *rng, struct rdb_in *in, const struct item *item) {
    uint8_t byte;
    uint64_t number;
    double real;
    struct bytes text, expected = bytes_make(item->text, item->size);
    char digits[NUM_I64_TEXT_MAX];
    switch (item->kind) {
    case ITEM_BYTE:
        expect_true(rdb_get_byte(in, &byte));
        expect_eq(byte, item->number);
        return;
    case ITEM_U64:
        expect_true(rdb_get_u64(in, &number));
        expect_eq(number, item->number);
        return;
    case ITEM_DOUBLE:
        expect_true(rdb_get_double(in, &real));
        memcpy(&number, &real, sizeof(number));
        expect_eq(number, item->number);
        return;
    case ITEM_LENGTH:
        expect_true(rdb_get_length(in, &number));
        expect_eq(number, item->number);
        return;
    case ITEM_INTEGER:
        expected = bytes_make(digits, num_format_i64(digits, (int64_t)item->number));
        break;
    case ITEM_STRING: break;
    }
    if (rng_below(rng, 2)) {
        expect_same_text(in, expected, rng_below(rng, 1000));
    } else {
        expect_true(rdb_get_string(in, &text));
        expect_bytes_eq(text, expected);
    }
}

static enum err collect(void *ctx, struct bytes bytes, struct diag *diag) {
    (void)diag;
    buf_add(ctx, bytes);
    return ERR_NONE;
}

static void read_all(struct rng *rng, struct bytes bytes, uint64_t crc, const struct item *items,
                     int way) {
    struct feeder feeder = {.bytes = bytes, .rng = rng, .piece_max = way == 1 ? 7 : 300000};
    struct rdb_source source = feeder_source(&feeder, way != 2);
    struct rdb_in in;
    if (way == 0) {
        rdb_in_init_bytes(&in, bytes);
    } else {
        rdb_in_init(&in, &source);
    }
    in.checksum = true;
    for (int i = 0; i < ITEMS; i++)
        read_item(rng, &in, &items[i]);
    uint8_t byte;
    expect_eq(rdb_in_position(&in), bytes.size);
    expect_eq(rdb_in_crc(&in), crc);
    expect_false(rdb_get_byte(&in, &byte));
    expect_eq(in.err, ERR_CLOSED);
    rdb_in_deinit(&in);
}

TEST(whatever_is_written_is_read_in_pieces_of_any_size) {
    for (int round = 0; round < 60; round++) {
        struct item items[ITEMS];
        struct buf collected = {0};
        const struct rdb_sink sink = {.ctx = &collected, .write = collect};
        struct rdb_out kept, handed_on;
        rdb_out_init(&kept, NULL, round % 2, true);
        rdb_out_init(&handed_on, &sink, round % 2, true);
        for (int i = 0; i < ITEMS; i++) {
            make_item(t->rng, &items[i]);
            write_item(&kept, &items[i]);
            write_item(&handed_on, &items[i]);
        }
        rdb_out_flush(&handed_on);
        expect_bytes_eq(buf_bytes(&collected), buf_bytes(&kept.bytes));
        expect_eq(rdb_out_size(&handed_on), collected.size);
        expect_eq(rdb_out_crc(&kept), hash_crc64(0, buf_bytes(&collected)));
        expect_eq(rdb_out_crc(&handed_on), rdb_out_crc(&kept));
        for (int way = 0; way < 3; way++)
            read_all(t->rng, buf_bytes(&collected), rdb_out_crc(&kept), items, way);
        for (int i = 0; i < ITEMS; i++)
            mem_free(items[i].text);
        rdb_out_deinit(&kept);
        rdb_out_deinit(&handed_on);
        buf_deinit(&collected);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

struct narrow { /* takes so many pieces, and then none */
    int pieces_left;
    int refusals;
};

static enum err take_few(void *ctx, struct bytes bytes, struct diag *diag) {
    struct narrow *narrow = ctx;
    (void)bytes;
    if (narrow->pieces_left-- > 0) return ERR_NONE;
    return diag_set(diag, ERR_IO, "full the %d. time", ++narrow->refusals);
}

TEST(a_sink_that_fails_is_asked_no_more_and_its_error_stays) {
    struct narrow narrow = {.pieces_left = 2};
    struct rdb_out out;
    const struct rdb_sink sink = {.ctx = &narrow, .write = take_few};
    rdb_out_init(&out, &sink, false, false);
    for (int i = 0; i < 100000; i++)
        rdb_put_u64(&out, 7);
    rdb_out_flush(&out);
    expect_eq(narrow.pieces_left, -1);
    expect_eq(out.err, ERR_IO);
    expect_str_eq(out.diag.text, "full the 1. time");
    rdb_out_deinit(&out);
}

/* Bytes that this thread was ever given, whether they were freed or not. False: the allocator does
 * not say. */
static bool was_given(int64_t *bytes) { return mem_control_int("thread.allocated", NULL, bytes); }

struct watch { /* over what is allocated meanwhile */
    bool knows;
    int64_t before;
};

static struct watch watch_begin(void) {
    struct watch watch;
    watch.knows = was_given(&watch.before);
    return watch;
}

static void watch_end(const struct watch *watch, size_t most) {
    int64_t now;
    if (watch->knows && was_given(&now)) expect_true((size_t)(now - watch->before) <= most);
}

/* Reads it as a string; what the error is. Never allocates more than could come out of it. */
static enum err error_of(const char *data, size_t size) {
    const size_t most = size * LZF_RATIO_MAX + 64;
    struct rdb_in in;
    struct bytes text;
    struct rdb_string value;
    struct watch watch = watch_begin();
    rdb_in_init_bytes(&in, bytes_make(data, size));
    bool good = rdb_get_string(&in, &text);
    enum err err = in.err;
    expect_eq(good, err == ERR_NONE);
    expect_true(in.text_cap <= most);
    rdb_in_deinit(&in);
    watch_end(&watch, most);

    watch = watch_begin();
    rdb_in_init_bytes(&in, bytes_make(data, size));
    expect_eq(rdb_get_value(&in, 10, &value), good);
    expect_true(in.text_cap <= most);
    blob_release(value.blob);
    rdb_in_deinit(&in);
    watch_end(&watch, most);
    return err;
}
#define ERROR_OF(text) error_of(text, sizeof(text) - 1)

TEST(lengths_that_lie_are_refused_before_anything_is_allocated) {
    expect_eq(ERROR_OF("\x05hello"), ERR_NONE);
    expect_eq(ERROR_OF("\x06hello"), ERR_CLOSED);
    expect_eq(ERROR_OF("\x7f"), ERR_CLOSED);
    expect_eq(ERROR_OF("\x80\xff\xff\xff\xff"), ERR_CLOSED);
    expect_eq(ERROR_OF("\x81\xff\xff\xff\xff\xff\xff\xff\xff"
                       "abc"),
              ERR_CLOSED);
    expect_eq(ERROR_OF("\x82\x01\x02\x03"), ERR_SYNTAX);
    expect_eq(ERROR_OF("\xc4\x01"), ERR_SYNTAX);
    expect_eq(ERROR_OF("\xc3\x05\x80\x40\x00\x00\x00"
                       "abcde"),
              ERR_SYNTAX); /* 5 bytes: 1 GiB */
    expect_eq(ERROR_OF("\xc3\x81\xff\xff\xff\xff\xff\xff\xff\xff\x05"
                       "ab"),
              ERR_CLOSED);
    expect_eq(ERROR_OF("\xc3\x02\x00\x00"
                       "a"),
              ERR_SYNTAX);
    expect_eq(ERROR_OF("\xc3\x02\x01\x00"
                       "a"),
              ERR_NONE);
    expect_eq(ERROR_OF("\xc3\x02\x02\x00"
                       "a"),
              ERR_SYNTAX);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(a_length_that_lies_about_a_source_of_unknown_size_costs_what_has_come) {
    enum { SIZE = 3 << 20, MOST = 16 << 20 };
    char *data = mem_zalloc(SIZE);
    memcpy(data, "\x81\x00\x00\x01\x00\x00\x00\x00\x00", 9); /* 1 TiB */
    struct feeder feeder = {.bytes = bytes_make(data, SIZE), .rng = t->rng, .piece_max = 300000};
    struct rdb_source source = feeder_source(&feeder, false);
    struct rdb_in in;
    struct bytes text;
    struct watch watch = watch_begin();
    rdb_in_init(&in, &source);
    expect_false(rdb_get_string(&in, &text));
    expect_eq(in.err, ERR_CLOSED);
    expect_true(in.text_cap >= SIZE - RDB_IN_BUFFER && in.text_cap <= 2 * SIZE);
    rdb_in_deinit(&in);
    watch_end(&watch, MOST);
    mem_free(data);
}

TEST(a_length_is_not_an_encoded_string) {
    struct rdb_in in;
    uint64_t length;
    rdb_in_init_bytes(&in, BYTES("\xc0\x05"));
    expect_false(rdb_get_length(&in, &length));
    expect_eq(in.err, ERR_SYNTAX);
    rdb_in_init_bytes(&in, BYTES("\x09"
                                 "abcdefgh"));
    expect_false(rdb_get_count(&in, 1, &length));
    rdb_in_init_bytes(&in, BYTES("\x04"
                                 "abcdefgh"));
    expect_true(rdb_get_count(&in, 2, &length));
    rdb_in_init_bytes(&in, BYTES("\x05"
                                 "abcdefgh"));
    expect_false(rdb_get_count(&in, 2, &length));
}

TEST_MAIN()
