/* SPDX-License-Identifier: BSD-3-Clause */
/* listpack against an array of strings, and against bytes as peers write them. */
#include "ds/listpack.h"
#include "base/buf.h"
#include "tests/unit/test.h"

enum { MODEL_MAX = 400, TEXT_MAX = 20000 };

struct model {
    struct bytes items[MODEL_MAX]; /* owned */
    size_t count;
};

static void model_put(struct model *model, size_t index, struct bytes text) {
    memmove(model->items + index + 1, model->items + index,
            (model->count - index) * sizeof(model->items[0]));
    model->items[index] = bytes_make(mem_copy_bytes(text), text.size);
    model->count++;
}

static void model_drop(struct model *model, size_t index) {
    mem_free((void *)(uintptr_t)model->items[index].data);
    model->count--;
    memmove(model->items + index, model->items + index + 1,
            (model->count - index) * sizeof(model->items[0]));
}

static void model_clear(struct model *model) {
    while (model->count > 0)
        model_drop(model, model->count - 1);
}

static char text_buffer[TEXT_MAX];

/* Sizes around the borders of all encodings, and integers of all widths, few of them twice. */
static struct bytes random_text(struct test *t) {
    static const size_t borders[] = {0, 1, 62, 63, 64, 125, 126, 127, 128, 4094, 4095, 4096, 16377};
    uint64_t kind = rng_below(t->rng, 10);
    if (kind < 4) {
        int64_t integer = (int64_t)(rng_next(t->rng) >> rng_below(t->rng, 64));
        if (kind == 0) integer = (int64_t)(1ull << rng_below(t->rng, 64));
        if (rng_below(t->rng, 2)) integer = (int64_t)(0 - (uint64_t)integer);
        integer -= kind == 1;
        return bytes_make(text_buffer, num_format_i64(text_buffer, integer));
    }
    size_t size = rng_below(t->rng, 12);
    if (kind == 4) {
        size = borders[rng_below(t->rng, COUNT_OF(borders))];
        if (size > 0) size += rng_below(t->rng, 3) - 1;
    }
    for (size_t i = 0; i < size; i++)
        text_buffer[i] = (char)('a' + rng_below(t->rng, kind == 5 ? 2 : 26));
    return bytes_make(text_buffer, size);
}

static void expect_same(const struct listpack *lp, const struct model *model) {
    char scratch[NUM_I64_TEXT_MAX];
    listpack_verify(lp);
    expect_eq(listpack_count(lp), model->count);
    size_t at = listpack_first(lp), index = 0;
    for (; at != LISTPACK_END; at = listpack_next(lp, at), index++) {
        expect_true(index < model->count);
        expect_bytes_eq(listpack_get_bytes(lp, at, scratch), model->items[index]);
    }
    expect_eq(index, model->count);
    for (at = listpack_last(lp); at != LISTPACK_END; at = listpack_prev(lp, at))
        expect_true(listpack_equals(lp, at, model->items[--index]));
    expect_eq(index, 0);
}

static size_t offset_at(const struct listpack *lp, size_t index) {
    size_t at = listpack_first(lp);
    while (index-- > 0)
        at = listpack_next(lp, at);
    return at;
}

static void expect_finds(struct test *t, const struct listpack *lp, const struct model *model) {
    if (model->count == 0) return;
    unsigned skip = (unsigned)rng_below(t->rng, 3);
    size_t from = rng_below(t->rng, model->count), index = from;
    struct bytes text =
        rng_below(t->rng, 2) ? random_text(t) : model->items[rng_below(t->rng, model->count)];
    while (index < model->count && !bytes_equal(model->items[index], text))
        index += 1 + skip;
    size_t expected = index < model->count ? offset_at(lp, index) : (size_t)LISTPACK_END;
    expect_eq(listpack_find(lp, offset_at(lp, from), text, skip), expected);

    int64_t wanted = (int64_t)rng_below(t->rng, 2 * model->count + 8) - (int64_t)model->count - 4;
    int64_t positive = wanted < 0 ? wanted + (int64_t)model->count : wanted;
    bool within = positive >= 0 && positive < (int64_t)model->count;
    expect_eq(listpack_seek(lp, wanted),
              within ? offset_at(lp, (size_t)positive) : (size_t)LISTPACK_END);
}

static void replace_one(struct test *t, struct listpack **lp, struct model *model, size_t index) {
    char scratch[NUM_I64_TEXT_MAX];
    size_t at = offset_at(*lp, index);
    struct bytes text = random_text(t);
    int64_t integer;
    if (rng_below(t->rng, 2) && num_parse_i64(text, &integer)) {
        expect_eq(listpack_replace_int(lp, at, integer), at);
        text = bytes_make(scratch, num_format_i64(scratch, integer));
    } else {
        expect_eq(listpack_replace(lp, at, text), at);
    }
    model_drop(model, index);
    model_put(model, index, text);
}

static void remove_some(struct test *t, struct listpack **lp, struct model *model) {
    if (model->count == 0) {
        expect_eq(listpack_remove_range(lp, LISTPACK_END, 3), LISTPACK_END);
        return;
    }
    size_t index = rng_below(t->rng, model->count), at = offset_at(*lp, index), after;
    size_t count = rng_below(t->rng, 4) ? 1 : rng_below(t->rng, 60);
    if (count == 1) {
        after = listpack_remove(lp, at);
    } else {
        after = listpack_remove_range(lp, at, count);
    }
    for (; count > 0 && index < model->count; count--)
        model_drop(model, index);
    expect_eq(after, index < model->count ? at : (size_t)LISTPACK_END);
}

static void add_one(struct test *t, struct listpack **lp, struct model *model) {
    if (model->count == MODEL_MAX) return;
    struct bytes text = random_text(t);
    size_t before = listpack_size(*lp), index = rng_below(t->rng, model->count + 1), at;
    int64_t integer;
    switch (rng_below(t->rng, 3)) {
    case 0:
        index = model->count;
        if (rng_below(t->rng, 2) && num_parse_i64(text, &integer)) {
            listpack_append_int(lp, integer);
        } else {
            listpack_append(lp, text);
        }
        break;
    case 1:
        index = 0;
        listpack_prepend(lp, text);
        break;
    case 2:
        at = index < model->count ? offset_at(*lp, index) : (size_t)LISTPACK_END;
        expect_eq(listpack_insert(lp, at, text), index < model->count ? at : before - 1);
        break;
    }
    expect_true(listpack_size(*lp) - before <= listpack_cost(text));
    model_put(model, index, text);
}

TEST(listpack_agrees_with_an_array_under_random_use) {
    struct model model = {0};
    struct listpack *lp = listpack_create(rng_below(t->rng, 100));
    for (int step = 0; step < 20000; step++) {
        uint64_t kind = rng_below(t->rng, 10);
        if (kind < (step / 3000 % 2 ? 3 : 5)) {
            add_one(t, &lp, &model);
        } else if (kind < 8) {
            remove_some(t, &lp, &model);
        } else if (model.count > 0) {
            replace_one(t, &lp, &model, rng_below(t->rng, model.count));
        }
        if (step % 64 == 0) listpack_shrink(&lp);
        expect_finds(t, lp, &model);
        if (step % 4 == 0) expect_same(lp, &model);
    }
    expect_same(lp, &model);
    model_clear(&model);
    listpack_destroy(&lp);
    expect_eq(mem_in_use(), t->mem_at_start);
}

static void expect_encodes(struct bytes text, struct bytes element) {
    struct listpack *lp = listpack_create(0);
    struct buf whole = {0};
    listpack_append(&lp, text);
    uint32_t total = (uint32_t)(LISTPACK_EMPTY_SIZE + element.size);
    char header[] = {(char)total, (char)(total >> 8), (char)(total >> 16), (char)(total >> 24), 1};
    buf_add(&whole, bytes_make(header, sizeof(header)));
    buf_add_char(&whole, 0);
    buf_add(&whole, element);
    buf_add_char(&whole, '\xff');
    expect_bytes_eq(bytes_make(lp, listpack_size(lp)), buf_bytes(&whole));
    listpack_verify(lp);
    buf_deinit(&whole);
    listpack_destroy(&lp);
}

TEST(listpack_is_put_together_from_its_elements) {
    struct model model = {0};
    struct listpack *lp = listpack_create(0);
    for (int step = 0; step < 500; step++) {
        if (model.count == MODEL_MAX || (model.count > 0 && rng_below(t->rng, 3) == 0)) {
            remove_some(t, &lp, &model);
        } else {
            add_one(t, &lp, &model);
        }
        size_t size = listpack_size(lp);
        struct bytes elements = listpack_elements(lp);
        expect_eq(elements.size, size - LISTPACK_EMPTY_SIZE);
        struct listpack *copy = listpack_assemble(mem_alloc(size), elements, listpack_count(lp));
        expect_bytes_eq(bytes_make(copy, size), bytes_make(lp, size));
        listpack_verify(copy);
        listpack_destroy(&copy);
    }
    model_clear(&model);
    listpack_destroy(&lp);
}

TEST(listpack_writes_integers_as_peers_do) {
    static const struct {
        const char *text;
        struct bytes element;
    } rows[] = {
        {"0", {"\x00\x01", 2}},
        {"-1", {"\xdf\xff\x02", 3}},
        {"127", {"\x7f\x01", 2}},
        {"128", {"\xc0\x80\x02", 3}},
        {"4095", {"\xcf\xff\x02", 3}},
        {"4096", {"\xf1\x00\x10\x03", 4}},
        {"-4096", {"\xd0\x00\x02", 3}},
        {"-4097", {"\xf1\xff\xef\x03", 4}},
        {"-32768", {"\xf1\x00\x80\x03", 4}},
        {"32768", {"\xf2\x00\x80\x00\x04", 5}},
        {"8388607", {"\xf2\xff\xff\x7f\x04", 5}},
        {"8388608", {"\xf3\x00\x00\x80\x00\x05", 6}},
        {"-2147483648", {"\xf3\x00\x00\x00\x80\x05", 6}},
        {"2147483648", {"\xf4\x00\x00\x00\x80\x00\x00\x00\x00\x09", 10}},
        {"-9223372036854775808", {"\xf4\x00\x00\x00\x00\x00\x00\x00\x80\x09", 10}},
        {"-0", {"\x82-0\x03", 4}},
        {"01",
         {"\x82"
          "01\x03",
          4}},
        {"", {"\x80\x01", 2}},
        {"9223372036854775808",
         {"\x93"
          "9223372036854775808\x14",
          21}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_encodes(bytes_of(rows[i].text), rows[i].element);
}

/* What stands behind an element whose encoding and data have so many bytes. */
static void expect_backward(size_t size, struct bytes back) {
    size_t head = size - 1 <= 63 ? 1 : size - 2 <= 4095 ? 2 : 5;
    char *text = mem_alloc(size - head);
    memset(text, 'x', size - head);
    struct listpack *lp = listpack_create(0);
    listpack_append(&lp, bytes_make(text, size - head));
    expect_eq(listpack_size(lp), LISTPACK_EMPTY_SIZE + size + back.size);
    expect_eq(listpack_cost(bytes_make(text, size - head)), size + back.size);
    expect_bytes_eq(bytes_make((char *)lp + LISTPACK_HEADER + size, back.size), back);
    listpack_append(&lp, BYTES("y"));
    listpack_verify(lp);
    expect_eq(listpack_prev(lp, listpack_last(lp)), LISTPACK_HEADER);
    listpack_destroy(&lp);
    mem_free(text);
}

TEST(listpack_writes_backward_lengths_as_peers_do) {
    expect_backward(127, BYTES("\x7f"));
    expect_backward(128, BYTES("\x01\x80"));
    expect_backward(16382, BYTES("\x7f\xfe"));
    expect_backward(16383, BYTES("\x00\xff\xff"));
    expect_backward(16384, BYTES("\x01\x80\x80"));
    expect_backward(2097150, BYTES("\x7f\xff\xfe"));
    expect_backward(2097151, BYTES("\x00\xff\xff\xff"));
    expect_backward(2097152, BYTES("\x01\x80\x80\x80"));
}

TEST(listpack_counts_more_elements_than_its_header_can_say) {
    enum { MANY = 70000 };
    struct listpack *lp = listpack_create(0);
    for (int i = 0; i < MANY; i++)
        listpack_append_int(&lp, i);
    expect_eq(listpack_count(lp), MANY);
    listpack_verify(lp);
    expect_eq(listpack_get(lp, listpack_seek(lp, MANY - 1)).integer, MANY - 1);
    expect_eq(listpack_get(lp, listpack_seek(lp, -MANY)).integer, 0);
    expect_eq(listpack_seek(lp, MANY), LISTPACK_END);
    expect_eq(listpack_seek(lp, -MANY - 1), LISTPACK_END);

    size_t room = listpack_memory_bytes(lp);
    expect_eq(listpack_remove_range(&lp, listpack_seek(lp, 10), MANY), LISTPACK_END);
    expect_eq(listpack_count(lp), 10);
    expect_true(listpack_memory_bytes(lp) < room / 100);
    listpack_verify(lp);
    listpack_destroy(&lp);
}

TEST(listpack_counts_exactly_at_the_border_of_its_header) {
    struct listpack *lp = listpack_create(0);
    for (int i = 0; i < LISTPACK_COUNT_UNKNOWN - 1; i++)
        listpack_append_int(&lp, i & 127);
    expect_eq(listpack_count(lp), LISTPACK_COUNT_UNKNOWN - 1);
    listpack_append_int(&lp, 1);
    expect_eq(listpack_count(lp), LISTPACK_COUNT_UNKNOWN);
    listpack_append_int(&lp, 1);
    expect_eq(listpack_count(lp), LISTPACK_COUNT_UNKNOWN + 1);
    listpack_remove(&lp, listpack_first(lp));
    listpack_remove(&lp, listpack_first(lp));
    expect_eq(listpack_count(lp), LISTPACK_COUNT_UNKNOWN - 1);
    listpack_verify(lp);
    listpack_destroy(&lp);
}

TEST(listpack_copies_ranges_of_another) {
    struct listpack *from = listpack_create(0), *to = listpack_create(0);
    for (int i = 0; i < 100; i++)
        listpack_append_int(&from, i);
    listpack_append_range(&to, from, listpack_seek(from, 10), listpack_seek(from, 20));
    listpack_append_range(&to, from, listpack_seek(from, 90), LISTPACK_END);
    listpack_append_range(&to, from, LISTPACK_END, LISTPACK_END);
    listpack_append_range(&to, from, listpack_seek(from, 5), listpack_seek(from, 5));
    expect_eq(listpack_count(to), 20);
    listpack_verify(to);
    for (int i = 0; i < 20; i++)
        expect_eq(listpack_get(to, listpack_seek(to, i)).integer, i < 10 ? 10 + i : 80 + i);
    struct listpack *copy = listpack_copy(to);
    expect_bytes_eq(bytes_make(copy, listpack_size(copy)), bytes_make(to, listpack_size(to)));
    listpack_destroy(&from);
    listpack_destroy(&to);
    listpack_destroy(&copy);
}

TEST(listpack_appends_without_moving_each_time) {
    struct listpack *lp = listpack_create(0);
    size_t moves = 0;
    for (int i = 0; i < 200000; i++) {
        size_t room = listpack_memory_bytes(lp);
        listpack_append(&lp, BYTES("sixteen bytes..."));
        moves += listpack_memory_bytes(lp) != room;
    }
    expect_true(moves < 2000); /* libc's classes are 16 bytes apart up to 16 KiB; then an eighth */
    expect_true(listpack_memory_bytes(lp) < listpack_size(lp) + listpack_size(lp) / 3);
    listpack_destroy(&lp);
}

TEST(listpack_finds_integers_that_came_as_text) {
    static const char data[] =
        "\x0c\x00\x00\x00\x01\x00\x83"
        "123\x04\xff";
    struct listpack *lp = mem_alloc(sizeof(data) - 1);
    memcpy(lp, data, sizeof(data) - 1);
    expect_true(listpack_validate(lp, sizeof(data) - 1, NULL, NULL));
    expect_eq(listpack_find(lp, listpack_first(lp), BYTES("123"), 0), LISTPACK_HEADER);
    expect_true(listpack_equals(lp, LISTPACK_HEADER, BYTES("123")));
    expect_false(listpack_equals(lp, LISTPACK_HEADER, BYTES("124")));
    listpack_destroy(&lp);
}

TEST(listpack_finds_strings_with_longer_heads_than_they_need) {
    static const char data[] =
        "\x16\x00\x00\x00\x02\x00\xe0\x02hi\x04\xf0\x04\x00\x00\x00long\x09\xff";
    struct listpack *lp = mem_alloc(sizeof(data) - 1);
    memcpy(lp, data, sizeof(data) - 1);
    expect_true(listpack_validate(lp, sizeof(data) - 1, NULL, NULL));
    expect_eq(listpack_find(lp, listpack_first(lp), BYTES("hi"), 0), LISTPACK_HEADER);
    expect_eq(listpack_find(lp, listpack_first(lp), BYTES("long"), 0), listpack_last(lp));
    listpack_destroy(&lp);
}

static bool refuse_integers(void *ctx, const struct listpack_value *value) {
    ++*(int *)ctx;
    return value->data != NULL;
}

TEST(listpack_validate_shows_elements_and_obeys) {
    struct listpack *lp = listpack_create(0);
    int seen = 0;
    listpack_append(&lp, BYTES("a"));
    listpack_append(&lp, BYTES("b"));
    expect_true(listpack_validate(lp, listpack_size(lp), refuse_integers, &seen));
    expect_eq(seen, 2);
    listpack_append(&lp, BYTES("7"));
    listpack_append(&lp, BYTES("c"));
    expect_false(listpack_validate(lp, listpack_size(lp), refuse_integers, &seen));
    expect_eq(seen, 5);
    listpack_destroy(&lp);
}

/* Any single byte changed: either refused, or still safe to walk. */
TEST(listpack_validate_survives_any_changed_byte) {
    struct listpack *lp = listpack_create(0);
    for (int i = 0; i < 12; i++)
        listpack_append(&lp, random_text(t));
    size_t size = listpack_size(lp);
    char *copy = mem_alloc(size);
    for (int round = 0; round < 20000; round++) {
        memcpy(copy, lp, size);
        copy[rng_below(t->rng, size_min(size, 4000))] = (char)rng_next(t->rng);
        struct listpack *changed = (struct listpack *)(void *)copy;
        if (listpack_validate(copy, size, NULL, NULL)) listpack_verify(changed);
        expect_false(listpack_validate(copy, size - 1, NULL, NULL));
        expect_false(listpack_validate(copy, rng_below(t->rng, size), NULL, NULL));
    }
    expect_true(listpack_validate(lp, size, NULL, NULL));
    mem_free(copy);
    listpack_destroy(&lp);
}

TEST_MAIN()
