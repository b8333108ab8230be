/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of collections: to bytes and back, from old forms, and from bytes that are damaged. */
#include "persist/rdb_value.h"
#include "ds/listpack.h"
#include "persist/rdb_format.h"
#include "persist/rdb_packed.h"
#include "tests/unit/persist/rdb_fixture.h"

static void *random_set(struct rng *rng) {
    struct buf text = {0};
    struct set *set = NULL;
    size_t count = 1 + rng_below(rng, rng_below(rng, 3) ? 12 : 300);
    bool integers = rng_below(rng, 2);
    for (size_t i = 0; i < count; i++) {
        buf_clear(&text);
        if (integers) {
            buf_add_i64(&text, (int64_t)rng_next(rng) >> rng_below(rng, 64));
        } else {
            (void)random_text(rng, &text, 60);
        }
        if (!set) set = set_create(buf_bytes(&text), 1, &set_limits);
        (void)set_add(&set, buf_bytes(&text), &set_limits);
    }
    buf_deinit(&text);
    return set;
}

static void *random_zset(struct rng *rng) {
    static const double special[] = {0, -0.0, INFINITY, -INFINITY, 1e300, -2.5, 3};
    struct buf text = {0};
    size_t count = 1 + rng_below(rng, rng_below(rng, 3) ? 12 : 300);
    struct zset *zset = zset_create(&zset_limits, 1, 0);
    for (size_t i = 0; i < count; i++) {
        double score = rng_below(rng, 2) ? rng_unit(rng) * 1000 - 500
                                         : special[rng_below(rng, COUNT_OF(special))];
        (void)zset_add(&zset, &zset_limits, random_text(rng, &text, 60), 0, &score);
    }
    buf_deinit(&text);
    return zset;
}

static bool is_in(void *ctx, const struct set_member *member) {
    char scratch[NUM_I64_TEXT_MAX];
    expect_true(set_has(ctx, set_member_bytes(member, scratch)));
    return true;
}

static void expect_same_sets(const void *a, void *b) {
    set_verify(b, &set_limits);
    expect_eq(set_form_of(a), set_form_of(b));
    expect_eq(set_count(a), set_count(b));
    set_each(a, is_in, b);
}

static void expect_same_zsets(const void *a, const void *b) {
    struct zset_iter at_a, at_b;
    struct zset_item item_a, item_b;
    zset_verify(b);
    expect_eq(zset_count(a), zset_count(b));
    expect_str_eq(zset_encoding_name(a), zset_encoding_name(b));
    zset_iter_init(&at_a, a, 0, false);
    zset_iter_init(&at_b, b, 0, false);
    while (zset_iter_next(&at_a, &item_a)) {
        expect_true(zset_iter_next(&at_b, &item_b));
        expect_bytes_eq(item_a.member, item_b.member);
        expect_true(item_a.score == item_b.score);
    }
}

static void *random_list(struct rng *rng) {
    struct list_limits limits = list_limits_of(list_block_size, 0);
    limits.compress_depth = (size_t)list_compress_depth;
    struct buf text = {0};
    void *list = list_create(0);
    for (size_t count = 1 + rng_below(rng, rng_below(rng, 3) ? 8 : 200); count > 0; count--) {
        size_t max = rng_below(rng, 200) ? 60 : 20000;
        list_push(&list, LIST_TAIL, random_text(rng, &text, max), &limits);
    }
    buf_deinit(&text);
    return list;
}

static struct bytes item_text(const struct list_item *item, char scratch[NUM_I64_TEXT_MAX]) {
    return listpack_value_bytes(&item->value, scratch);
}

static void expect_same_lists(const void *a, void *b) {
    struct list_iter at_a, at_b;
    struct list_item item_a, item_b;
    char text_a[NUM_I64_TEXT_MAX], text_b[NUM_I64_TEXT_MAX];
    list_verify(b);
    expect_eq(list_count(a), list_count(b));
    expect_str_eq(list_encoding_name(a), list_encoding_name(b));
    list_iter_init(&at_a, a, 0, LIST_HEAD);
    list_iter_init(&at_b, b, 0, LIST_HEAD);
    while (list_iter_next(&at_a, &item_a)) {
        expect_true(list_iter_next(&at_b, &item_b));
        expect_bytes_eq(item_text(&item_a, text_a), item_text(&item_b, text_b));
    }
    list_iter_deinit(&at_a);
    list_iter_deinit(&at_b);
}

static void *random_hash(struct rng *rng) {
    struct buf name = {0}, value = {0};
    struct hash *hash = hash_create(0);
    bool with_expiry = rng_below(rng, 3) == 0;
    for (size_t count = 1 + rng_below(rng, rng_below(rng, 3) ? 12 : 200); count > 0; count--) {
        struct hash_setting to = {.name = random_text(rng, &name, 60), .now_ms = HASH_SEE_ALL};
        to.value = random_text(rng, &value, rng_below(rng, 50) ? 60 : 20000);
        to.code = hash_code(hash, to.name);
        bool expires = with_expiry && rng_below(rng, 2);
        to.at_ms = expires ? (int64_t)1 << (42 + rng_below(rng, 4)) : HASH_NO_TIME;
        (void)hash_set(&hash, &hash_limits, &to);
    }
    buf_deinit(&name);
    buf_deinit(&value);
    return hash;
}

/* A value that has made it a table may have been overwritten by a short one: what is loaded is
 * judged by what is in it now. */
static bool is_small_hash(const struct hash *hash) {
    char text[NUM_I64_TEXT_MAX];
    struct hash_iter iter;
    struct hash_item item;
    bool small = hash_count(hash) <= (size_t)hash_limits.entries;
    hash_iter_init(&iter, hash, HASH_SEE_ALL);
    while (hash_iter_next(&iter, &item)) {
        small = small && item.at_ms == HASH_NO_TIME &&
                hash_text_bytes(&item.name, text).size <= (size_t)hash_limits.value &&
                hash_text_bytes(&item.value, text).size <= (size_t)hash_limits.value;
    }
    hash_iter_deinit(&iter);
    return small;
}

static void expect_same_hashes(const void *a, void *b) {
    struct hash_iter iter;
    struct hash_item item, other;
    char text_a[NUM_I64_TEXT_MAX], text_b[NUM_I64_TEXT_MAX];
    hash_verify(b);
    expect_eq(hash_count(a), hash_count(b));
    expect_eq(hash_is_listpack(b), is_small_hash(a));
    hash_iter_init(&iter, a, HASH_SEE_ALL);
    while (hash_iter_next(&iter, &item)) {
        struct bytes name = hash_text_bytes(&item.name, text_a);
        expect_true(hash_find(b, name, hash_code(b, name), HASH_SEE_ALL, &other));
        expect_eq(item.at_ms, other.at_ms);
        expect_bytes_eq(hash_text_bytes(&item.value, text_a),
                        hash_text_bytes(&other.value, text_b));
    }
    hash_iter_deinit(&iter);
}

static const struct kind {
    uint8_t type;
    void *(*create)(struct rng *rng);
    void (*expect_same)(const void *a, void *b);
} kinds[] = {
    {TYPE_SET, random_set, expect_same_sets},
    {TYPE_LIST, random_list, expect_same_lists},
    {TYPE_HASH, random_hash, expect_same_hashes},
    {TYPE_ZSET, random_zset, (void (*)(const void *, void *))expect_same_zsets},
};

static struct entry *add(struct db *db, const struct kind *kind, struct rng *rng) {
    struct bytes key = BYTES("k");
    return keyspace_add_object(db, key, hash_bytes(key), kind->type, kind->create(rng));
}

TEST(collections_come_back_as_they_were) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    for (int round = 0; round < 2000; round++) {
        const struct kind *kind = &kinds[rng_below(t->rng, COUNT_OF(kinds))];
        struct entry *entry = add(db, kind, t->rng);
        struct rdb_out out;
        struct rdb_in in;
        struct rdb_value value;
        struct entry_room room;
        rdb_out_init(&out, NULL, round % 2, true);
        rdb_dump(&out, entry);
        expect_eq(rdb_undump(&in, buf_bytes(&out.bytes), 0, &fixture_limits, &value),
                  RDB_DUMP_GOOD);
        expect_eq(value.type, kind->type);
        kind->expect_same(entry_view(entry, &room), value.object);
        rdb_value_deinit(&value);
        rdb_in_deinit(&in);
        rdb_out_deinit(&out);
        keyspace_remove(db, entry, KEY_DELETED);
    }
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* Reads a value that may be damaged, out of memory that ends where it ends. */
static bool read_value(struct rng *rng, uint8_t type, struct bytes bytes) {
    struct rdb_in in;
    struct rdb_value value;
    struct feeder feeder = {.bytes = bytes, .rng = rng, .piece_max = 100};
    struct rdb_source source = feeder_source(&feeder, rng_below(rng, 2));
    if (rng_below(rng, 2)) {
        rdb_in_init_bytes(&in, bytes);
    } else {
        rdb_in_init(&in, &source);
    }
    bool good = rdb_load_value(&in, type, &fixture_limits, &value);
    if (good && value.type == TYPE_SET && value.object) set_verify(value.object, &set_limits);
    if (good && value.type == TYPE_ZSET && value.object) zset_verify(value.object);
    if (good && value.type == TYPE_LIST && value.object) list_verify(value.object);
    if (good && value.type == TYPE_HASH && value.object) hash_verify(value.object);
    if (good) rdb_value_deinit(&value);
    expect_eq(good, in.err == ERR_NONE);
    rdb_in_deinit(&in);
    return good;
}

TEST(damaged_values_are_refused_or_become_others) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    size_t good = 0;
    for (int round = 0; round < 20000; round++) {
        struct entry *entry = add(db, &kinds[rng_below(t->rng, COUNT_OF(kinds))], t->rng);
        uint8_t type = rdb_type_of(entry);
        struct rdb_out out;
        rdb_out_init(&out, NULL, rng_below(t->rng, 2), false);
        rdb_save_value(&out, entry);
        size_t size = out.bytes.size;
        char *copy = mem_alloc(size);
        memcpy(copy, out.bytes.data, size);
        for (uint64_t flips = rng_below(t->rng, 4); flips > 0; flips--)
            copy[rng_below(t->rng, size)] ^= (char)(1 << rng_below(t->rng, 8));
        if (rng_below(t->rng, 4) == 0) size = rng_below(t->rng, size);
        if (rng_below(t->rng, 4) == 0) type = (uint8_t)rng_below(t->rng, RDB_TYPE_COUNT);
        good += read_value(t->rng, type, bytes_make(copy, size));
        mem_free(copy);
        rdb_out_deinit(&out);
        keyspace_remove(db, entry, KEY_DELETED);
    }
    expect_true(good > 2000);
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* What is compressed says how long it is, and that is enough: none of it is unpacked. */
TEST(field_names_are_not_longer_than_a_field_can_have_them) {
    static const char head[] =
        "\x01"                                  /* one field */
        "\xc3\x80\x03\x00\x00\x00"              /* 48 MiB */
        "\x81\x00\x00\x00\x01\x00\x00\x00\x00"; /* of 4 GiB */
    size_t size = sizeof(head) - 1 + (48 << 20) + 2;
    char *data = mem_zalloc(size);
    memcpy(data, head, sizeof(head) - 1);
    struct rdb_in in;
    struct rdb_value value;
    rdb_in_init_bytes(&in, bytes_make(data, size));
    expect_false(rdb_load_value(&in, RDB_HASH, &fixture_limits, &value));
    expect_eq(in.err, ERR_SYNTAX);
    expect_str_eq(in.diag.text, "A name cannot have 4294967296 bytes");
    expect_eq(in.text_cap, 0);
    rdb_in_deinit(&in);
    mem_free(data);
    expect_eq(mem_in_use(), t->mem_at_start);
}

/* ---- forms of old servers ---- */

static struct listpack *converted(struct bytes packed, bool zipmap) {
    struct rdb_out out;
    struct rdb_in in;
    rdb_out_init(&out, NULL, false, false);
    rdb_put_string(&out, packed);
    rdb_in_init_bytes(&in, buf_bytes(&out.bytes));
    struct listpack *lp = zipmap ? rdb__get_zipmap(&in) : rdb__get_ziplist(&in);
    expect_eq(lp != NULL, in.err == ERR_NONE);
    rdb_in_deinit(&in);
    rdb_out_deinit(&out);
    return lp;
}

static void expect_elements(struct listpack *lp, const char *const *texts) {
    char scratch[NUM_I64_TEXT_MAX];
    expect_not_null(lp);
    size_t at = listpack_first(lp);
    for (; *texts; texts++, at = listpack_next(lp, at)) {
        expect_true(at != LISTPACK_END);
        expect_bytes_eq(listpack_get_bytes(lp, at, scratch), bytes_of(*texts));
    }
    expect_eq(at, LISTPACK_END);
    listpack_destroy(&lp);
}

/* Entries behind a header that fits them; last: the offset of the last entry among them. */
static struct listpack *ziplist(struct bytes entries, size_t last, uint16_t count) {
    struct buf bytes = {0};
    uint32_t size = (uint32_t)entries.size + 11, tail = (uint32_t)last + 10;
    buf_add(&bytes, bytes_make(&size, 4));
    buf_add(&bytes, bytes_make(&tail, 4));
    buf_add(&bytes, bytes_make(&count, 2));
    buf_add(&bytes, entries);
    buf_add_char(&bytes, (char)0xff);
    struct listpack *lp = converted(buf_bytes(&bytes), false);
    buf_deinit(&bytes);
    return lp;
}

TEST(a_ziplist_gives_its_elements) {
    static const char *const texts[] = {
        "ab", "0", "12", "-3", "-300", "-70000", "2000000000", "9000000000000000000", "x", NULL};
    struct bytes entries = BYTES(
        "\x00\x02"
        "ab"                       /* string of 2 */
        "\x04\xf1"                 /* 0 */
        "\x02\xfd"                 /* 12 */
        "\x02\xfe\xfd"             /* -3 */
        "\x03\xc0\xd4\xfe"         /* -300 */
        "\x04\xf0\x90\xee\xfe"     /* -70000 */
        "\x05\xd0\x00\x94\x35\x77" /* 2000000000 */
        "\x06\xe0\x00\x00\x84\xe2\x50\x6c\xe6\x7c"
        "\x0a\x40\x01"
        "x"); /* string, size of 14 bits */
    expect_elements(ziplist(entries, entries.size - 4, 9), texts);
    expect_elements(ziplist(entries, entries.size - 4, UINT16_MAX), texts);
    expect_null(ziplist(entries, entries.size - 4, 8));
    expect_null(ziplist(entries, entries.size - 5, 9));
    expect_null(ziplist(bytes_make(entries.data, entries.size - 1), entries.size - 4, 9));
    expect_null(ziplist(BYTES("\x01\x02"
                              "ab"),
                        0, 1)); /* nothing is before the first */
    expect_null(ziplist(BYTES("\x00\x80\xff\xff\xff\xff"
                              "ab"),
                        0, 1));
}

TEST(a_zipmap_gives_its_fields_and_values) {
    static const char *const texts[] = {"foo", "bar", "hello", "12", NULL};
    expect_elements(converted(BYTES("\x02\x03"
                                    "foo\x03\x00"
                                    "bar\x05"
                                    "hello\x02\x01"
                                    "12?\xff"),
                              true),
                    texts);
    expect_elements(converted(BYTES("\xfe\x03"
                                    "foo\x03\x00"
                                    "bar\x05"
                                    "hello\x02\x01"
                                    "12?\xff"),
                              true),
                    texts);
    expect_null(converted(BYTES("\x03\x03"
                                "foo\x03\x00"
                                "bar\xff"),
                          true));
    expect_null(converted(BYTES("\x01\x03"
                                "foo\x04\x00"
                                "bar\xff"),
                          true));
    expect_null(converted(BYTES("\x01\x03"
                                "foo\x03\x01"
                                "bar\xff"),
                          true));
    expect_null(converted(BYTES("\x01\xfe\xff\xff\xff\xff"
                                "foo\xff"),
                          true));
    expect_null(converted(BYTES("\x01"), true));
}

TEST(repeated_elements_are_found_in_short_and_long_listpacks) {
    for (int round = 0; round < 300; round++) {
        struct listpack *lp = listpack_create(0);
        size_t count = 1 + rng_below(t->rng, round % 3 ? 30 : 400);
        for (size_t i = 0; i < count; i++) {
            listpack_append_int(&lp, (int64_t)i);
            listpack_append_int(&lp, 7); /* values may repeat */
        }
        expect_true(rdb__is_distinct(lp, 2));
        expect_eq(rdb__is_distinct(lp, 1), count == 1);
        listpack_append_int(&lp, (int64_t)rng_below(t->rng, count));
        listpack_append_int(&lp, 7);
        expect_false(rdb__is_distinct(lp, 2));
        listpack_destroy(&lp);
    }
}

TEST_MAIN()
