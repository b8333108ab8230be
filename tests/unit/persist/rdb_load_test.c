/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole snapshots: what was saved is loaded; what is damaged is refused. */
#include "persist/rdb_load.h"
#include "base/log.h"
#include "persist/rdb_format.h"
#include "persist/rdb_save.h"
#include "persist/rdb_value.h"
#include "tests/unit/persist/rdb_fixture.h"

static const struct rdb_save_options save_options = {.server_version = "9.1.0",
                                                     .now_s = FIXTURE_START_MS / 1000};

static void fill(struct test *t, struct keyspace *ks, int keys) {
    struct buf key = {0}, text = {0};
    for (int i = 0; i < keys; i++) {
        struct db *db = keyspace_db(ks, (int32_t)rng_below(t->rng, 4));
        int64_t at_ms = rng_below(t->rng, 3) ? -1 : INT64_C(1) << (42 + rng_below(t->rng, 10));
        size_t max = rng_below(t->rng, 40) ? 200 : 100000;
        struct bytes name = random_text(t->rng, &key, rng_below(t->rng, 20) ? 20 : 1000);
        (void)fixture_set(db, name, random_text(t->rng, &text, max), at_ms);
    }
    buf_deinit(&key);
    buf_deinit(&text);
}

static bool has_same(void *ctx, struct entry *entry) {
    char a[NUM_I64_TEXT_MAX], b[NUM_I64_TEXT_MAX];
    const struct entry *other = keyspace_peek(ctx, entry_key(entry), hash_bytes(entry_key(entry)));
    expect_not_null(other);
    expect_eq(entry_type(entry), entry_type(other));
    expect_eq(entry_expires(entry), entry_expires(other));
    if (entry_expires(entry)) expect_eq(entry_expiry_ms(entry), entry_expiry_ms(other));
    expect_bytes_eq(entry_string(entry, a), entry_string(other, b));
    expect_eq(entry_encoding(entry), entry_encoding(other));
    return true;
}

static void expect_same(struct keyspace *a, struct keyspace *b) {
    for (int32_t i = 0; i < keyspace_db_count(a); i++) {
        expect_eq(db_key_count(keyspace_db(a, i)), db_key_count(keyspace_db(b, i)));
        keyspace_each(keyspace_db(a, i), has_same, keyspace_db(b, i));
    }
    keyspace_verify(b);
}

static enum rdb_load_result load_with(struct test *t, struct keyspace *ks, struct bytes bytes,
                                      const struct rdb_load_options *options,
                                      struct rdb_load_stats *stats, struct diag *diag) {
    struct feeder feeder = {.bytes = bytes, .rng = t->rng, .piece_max = 100000};
    struct rdb_source source = feeder_source(&feeder, rng_below(t->rng, 2));
    struct rdb_load *load = rdb_load_create(ks, &source, options);
    enum rdb_load_result result;
    do {
        result = rdb_load_step(load, 1 + rng_below(t->rng, 5000), 1000000);
    } while (result == RDB_LOAD_MORE);
    if (result == RDB_LOAD_FAILED) expect_ne(rdb_load_error(load, diag), ERR_NONE);
    if (stats) *stats = *rdb_load_stats(load);
    rdb_load_destroy(&load);
    return result;
}

static enum rdb_load_result load_from(struct test *t, struct keyspace *ks, struct bytes bytes) {
    const struct rdb_load_options options = {.checksum = true, .limits = &fixture_limits};
    struct diag diag;
    return load_with(t, ks, bytes, &options, NULL, &diag);
}

static void save_to(struct rdb_out *out, struct keyspace *ks, bool compress, bool checksum) {
    rdb_out_init(out, NULL, compress, checksum);
    rdb_save(out, ks, &save_options);
    expect_eq(out->err, ERR_NONE);
}

TEST(a_saved_data_set_is_loaded_as_it_was) {
    log_set_level(LOG_NOTHING);
    for (int round = 0; round < 20; round++) {
        struct keyspace *saved = fixture_create(t, &fixture_config);
        struct keyspace *loaded = fixture_create(t, &fixture_config);
        fill(t, saved, 1 + (int)rng_below(t->rng, 2000));
        struct rdb_out out;
        save_to(&out, saved, round % 2, round % 4 != 3);
        expect_eq(load_from(t, loaded, buf_bytes(&out.bytes)), RDB_LOAD_DONE);
        expect_same(saved, loaded);
        rdb_out_deinit(&out);
        keyspace_destroy(&saved);
        keyspace_destroy(&loaded);
    }
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(a_flipped_bit_anywhere_is_found_by_the_checksum) {
    log_set_level(LOG_NOTHING);
    struct keyspace *saved = fixture_create(t, &fixture_config);
    fill(t, saved, 40);
    struct rdb_out out;
    save_to(&out, saved, true, true);
    for (int round = 0; round < 3000; round++) {
        struct keyspace *loaded = fixture_create(t, &fixture_config);
        size_t at = rng_below(t->rng, out.bytes.size);
        char was = out.bytes.data[at];
        out.bytes.data[at] = (char)(was ^ 1 << rng_below(t->rng, 8));
        expect_eq(load_from(t, loaded, buf_bytes(&out.bytes)), RDB_LOAD_FAILED);
        out.bytes.data[at] = was;
        keyspace_destroy(&loaded);
    }
    rdb_out_deinit(&out);
    keyspace_destroy(&saved);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST(a_file_that_ends_anywhere_is_refused) {
    log_set_level(LOG_NOTHING);
    struct keyspace *saved = fixture_create(t, &fixture_config);
    fill(t, saved, 10);
    struct rdb_out out;
    save_to(&out, saved, true, true);
    size_t step = 1 + out.bytes.size / 500;
    for (size_t size = 0; size < out.bytes.size; size += step) {
        struct keyspace *loaded = fixture_create(t, &fixture_config);
        expect_eq(load_from(t, loaded, bytes_make(out.bytes.data, size)), RDB_LOAD_FAILED);
        keyspace_destroy(&loaded);
    }
    rdb_out_deinit(&out);
    keyspace_destroy(&saved);
}

/* A stream of this body, without a checksum. */
static enum rdb_load_result load_body(struct test *t, const char *magic, struct bytes body,
                                      const struct rdb_load_options *options,
                                      struct rdb_load_stats *stats, struct diag *diag) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct buf bytes = {0};
    struct rdb_load_stats ignored;
    buf_add_text(&bytes, magic);
    buf_add(&bytes, body);
    buf_add(&bytes, bytes_make("\xff\0\0\0\0\0\0\0\0", 9));
    enum rdb_load_result result =
        load_with(t, ks, buf_bytes(&bytes), options, stats ? stats : &ignored, diag);
    keyspace_verify(ks);
    keyspace_destroy(&ks);
    buf_deinit(&bytes);
    return result;
}

TEST(versions_are_told_apart) {
    static const struct {
        const char *magic;
        enum rdb_load_result strict, relaxed;
    } cases[] = {
        {"REDIS0001", RDB_LOAD_DONE, RDB_LOAD_DONE},
        {"REDIS0011", RDB_LOAD_DONE, RDB_LOAD_DONE},
        {"REDIS0012", RDB_LOAD_FAILED, RDB_LOAD_DONE},
        {"REDIS0079", RDB_LOAD_FAILED, RDB_LOAD_DONE},
        {"REDIS0080", RDB_LOAD_FAILED, RDB_LOAD_FAILED},
        {"REDIS0000", RDB_LOAD_FAILED, RDB_LOAD_FAILED},
        {"VALKEY080", RDB_LOAD_DONE, RDB_LOAD_DONE},
        {"VALKEY081", RDB_LOAD_FAILED, RDB_LOAD_DONE},
        {"VALKEY011", RDB_LOAD_FAILED, RDB_LOAD_FAILED},
        {"REDIS00x1", RDB_LOAD_FAILED, RDB_LOAD_FAILED},
        {"ROSES0011", RDB_LOAD_FAILED, RDB_LOAD_FAILED},
    };
    log_set_level(LOG_NOTHING);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct rdb_load_options options = {.checksum = true, .limits = &fixture_limits};
        struct diag diag;
        struct bytes none = bytes_make("", 0);
        expect_eq(load_body(t, cases[i].magic, none, &options, NULL, &diag), cases[i].strict);
        options.is_relaxed = true;
        expect_eq(load_body(t, cases[i].magic, none, &options, NULL, &diag), cases[i].relaxed);
    }
}

TEST(a_key_that_is_there_twice_is_an_error_unless_the_file_wins) {
    log_set_level(LOG_NOTHING);
    struct rdb_load_options options = {.checksum = true, .limits = &fixture_limits};
    struct rdb_load_stats stats;
    struct diag diag;
    struct bytes body = BYTES(
        "\x00\x01"
        "a\x01"
        "b"
        "\x00\x01"
        "a\x01"
        "c");
    expect_eq(load_body(t, "REDIS0011", body, &options, NULL, &diag), RDB_LOAD_FAILED);
    expect_not_null(strstr(diag.text, "RDB has duplicated key 'a' in DB 0"));
    options.merges = true;
    expect_eq(load_body(t, "REDIS0011", body, &options, &stats, &diag), RDB_LOAD_DONE);
    expect_eq(stats.keys, 2);
}

TEST(keys_whose_time_is_up_are_left_out_and_counted) {
    log_set_level(LOG_NOTHING);
    struct rdb_load_options options = {.checksum = true, .limits = &fixture_limits};
    struct rdb_load_stats stats;
    struct diag diag;
    struct bytes body = BYTES(
        "\xfd\x10\x00\x00\x00"
        "\x00\x01"
        "a\x01"
        "b"
        "\xfc\x10\x00\x00\x00\x00\x00\x00\x00"
        "\x00\x01"
        "b\x01"
        "b"
        "\xfc\xff\xff\xff\xff\xff\xff\xff\x00"
        "\x00\x01"
        "c\x01"
        "b"
        "\x00\x01"
        "d\x01"
        "b");
    expect_eq(load_body(t, "REDIS0003", body, &options, &stats, &diag), RDB_LOAD_DONE);
    expect_eq(stats.keys, 2);
    expect_eq(stats.expired, 2);
    options.keeps_expired = true;
    expect_eq(load_body(t, "REDIS0003", body, &options, &stats, &diag), RDB_LOAD_DONE);
    expect_eq(stats.keys, 4);
}

TEST(what_this_server_does_not_know_is_named) {
    static const struct {
        struct bytes body;
        const char *text;
    } cases[] = {
        {BYTES("\x07\x01"
               "a\x00"),
         "module"},
        {BYTES("\x06\x01"
               "a\x00"),
         "module"},
        {BYTES("\x0f\x01"
               "a\x00"),
         "type 15"},
        {BYTES("\x08\x01"
               "a\x00"),
         "type 8"},
        {BYTES("\x63\x01"
               "a\x00"),
         "Type 99"},
        {BYTES("\x16\x01"
               "a\x00"),
         "Type 22"}, /* another family's, under this magic */
        {BYTES("\xf5\x01"
               "a"),
         "functions"},
        {BYTES("\xf7\x01"), "module"},
        {BYTES("\xf3\x01"
               "a"),
         "Type 243"},
        {BYTES("\xfe\x40\x50"), "databases"},
    };
    log_set_level(LOG_NOTHING);
    const struct rdb_load_options options = {.checksum = true, .limits = &fixture_limits};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct diag diag;
        expect_eq(load_body(t, "REDIS0011", cases[i].body, &options, NULL, &diag), RDB_LOAD_FAILED);
        if (!strstr(diag.text, cases[i].text)) expect_str_eq(diag.text, cases[i].text);
    }
}

/* ---- DUMP ---- */

TEST(any_change_of_a_payload_is_refused_or_harmless) {
    struct keyspace *ks = fixture_create(t, &fixture_config);
    struct db *db = keyspace_db(ks, 0);
    struct buf text = {0};
    for (int round = 0; round < 3000; round++) {
        struct bytes value = random_text(t->rng, &text, round % 50 ? 300 : 50000);
        struct entry *entry = fixture_set(db, BYTES("k"), value, -1);
        struct rdb_out out;
        rdb_out_init(&out, NULL, round % 2, true);
        rdb_dump(&out, entry);

        struct rdb_in in;
        struct rdb_value back;
        char a[NUM_I64_TEXT_MAX], b[NUM_I64_TEXT_MAX];
        expect_eq(rdb_undump(&in, buf_bytes(&out.bytes), 0, &fixture_limits, &back), RDB_DUMP_GOOD);
        uint64_t hash = hash_bytes(BYTES("other"));
        struct entry *other = rdb_value_add(db, BYTES("other"), hash, &back, -1);
        expect_bytes_eq(entry_string(entry, a), entry_string(other, b));
        expect_eq(entry_encoding(entry), entry_encoding(other));
        keyspace_remove(db, other, KEY_DELETED);
        rdb_in_deinit(&in);

        out.bytes.data[rng_below(t->rng, out.bytes.size)] ^= (char)(1 << rng_below(t->rng, 8));
        expect_ne(rdb_undump(&in, buf_bytes(&out.bytes), 0, &fixture_limits, &back), RDB_DUMP_GOOD);
        rdb_in_deinit(&in);
        rdb_out_deinit(&out);
    }
    buf_deinit(&text);
    keyspace_destroy(&ks);
    expect_eq(mem_in_use(), t->mem_at_start);
}

TEST_MAIN()
